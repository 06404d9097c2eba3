"""Bank transfers: what the payer is told, and how the cashier finds the order behind an incoming transfer.

A reference reads `GS-7K3M-92QX`: seven random characters and a check character. The alphabet has 31 characters, a
prime, without 0, 1, I, L and O; the weighted sum (weights 1 to 8) is 0 modulo 31. So every single wrong character and
every swap of two characters is found (the argument of ISBN-10: a weight, or a difference of weights, times a difference
of values is never 0 modulo a prime larger than all of them).
"""

import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from settlement.payments.base import PaymentRefusal

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_LENGTH = 8
# Eight characters after the prefix, spaces or any dash between them. A longer run is no reference.
_SEPARATOR = r"[\s\-_.‐‑‒–—−]*"
_FIND = re.compile(rf"(?<![A-Z0-9])GS{_SEPARATOR}((?:[A-Z0-9]{_SEPARATOR}){{{_LENGTH - 1}}}[A-Z0-9])(?![A-Z0-9])")


class BankReferenceWrong(PaymentRefusal):
    """What was typed is not one of our references; most likely one character is wrong or two are swapped."""

    code = "bank_reference_wrong"
    sentence = _("This is not a transfer reference of ours. Please compare it with the payment instructions (GS-XXXX-XXXX).")


@dataclass(frozen=True, slots=True)
class BankAccount:
    """The platform's collecting account. `bank_code` is the twelve-digit clearing number (联行号)."""

    holder: str
    number: str
    bank: str
    bank_code: str = ""


@dataclass(frozen=True, slots=True)
class TransferInstructions:
    """What the payer needs to make the transfer; `amount_minor` in fen."""

    account: BankAccount
    reference: str
    amount_minor: int
    currency: str
    due_date: date


@dataclass(frozen=True, slots=True)
class TransferMatch:
    """The open transfer that a bank statement's line pays. `difference_minor` = received − expected fen."""

    reference: str
    difference_minor: int

    @property
    def is_exact(self) -> bool:
        return self.difference_minor == 0


def reference_new(*, choose: Callable[[str], str] = secrets.choice) -> str:
    """A new reference.

    31^7 exist, so two may meet: the caller stores it under a unique constraint and asks again if it clashes.
    """
    body = "".join(choose(ALPHABET) for _i in range(_LENGTH - 1))
    total = sum(weight * _VALUE[character] for weight, character in enumerate(body, start=1))
    # 8 · check ≡ −total (mod 31), and 8 · 4 ≡ 1.
    return _printed(body + ALPHABET[-total * 4 % len(ALPHABET)])


def reference_valid(text: str) -> bool:
    """Whether the text is one reference, however spaced, cased or dashed."""
    found = _FIND.fullmatch(_folded(text).strip())
    return found is not None and _checks(_bare(found[1]))


def reference_normalised(text: str) -> str:
    """The reference as we print and store it. Raises `BankReferenceWrong`."""
    if not reference_valid(text):
        raise BankReferenceWrong()
    return _printed(_bare(_folded(text).strip())[2:])


def references_in(remark: str) -> tuple[str, ...]:
    """Every valid reference in a statement's remark (附言), in order, each once; full-width characters are read too."""
    found = (_bare(match[1]) for match in _FIND.finditer(_folded(remark)))
    return tuple(dict.fromkeys(_printed(body) for body in found if _checks(body)))


def transfer_match(*, remark: str, received_minor: int, open_transfers: Mapping[str, int]) -> TransferMatch | None:
    """Find the open transfer (reference → expected fen) that a line of the bank statement pays.

    None where the remark names no open reference, or several: a person decides then. An amount alone never matches.
    """
    named: Iterable[str] = [reference for reference in references_in(remark) if reference in open_transfers]
    match list(named):
        case [reference]:
            return TransferMatch(reference, received_minor - open_transfers[reference])
        case _:
            return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).upper()


def _bare(text: str) -> str:
    return re.sub(_SEPARATOR, "", text)


def _checks(body: str) -> bool:
    if len(body) != _LENGTH or any(character not in _VALUE for character in body):
        return False
    return sum(weight * _VALUE[character] for weight, character in enumerate(body, start=1)) % len(ALPHABET) == 0


def _printed(body: str) -> str:
    return f"GS-{body[:4]}-{body[4:]}"
