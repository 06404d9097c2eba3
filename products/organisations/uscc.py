"""The unified social credit code (GB 32100): checked to both of its check digits; the kind of body that its prefix suggests.

python-stdnum computes the outer check digit. It upper-cases and strips before it looks, refuses codes that begin with a letter,
and does not check the organisation code inside (GB 11714): those three we do ourselves (domain.md F14).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from stdnum.cn.uscc import calc_check_digit

from products.record.refusals import Refused

ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
KINDS = {
    "11": "public_body",
    "12": "institution",
    "51": "nonprofit",
    "52": "nonprofit",
    "53": "nonprofit",
    "91": "enterprise",
    "92": "enterprise",
    "93": "enterprise",
}


class UsccInvalid(Refused):
    code = "uscc_invalid"


def check(code: str) -> None:
    """Raise UsccInvalid, saying what is wrong, unless the code is 18 characters with two right check digits."""
    if len(code) != 18:
        raise UsccInvalid(_("A unified social credit code has 18 characters."), field="uscc", why="length")
    if not ALPHABET.issuperset(code):
        message = _("A unified social credit code has digits and capital letters without I, O, S, V and Z.")
        raise UsccInvalid(message, field="uscc", why="letters")
    if calc_check_digit(code[:17]) != code[17]:
        raise UsccInvalid(_("The last character does not match the others: look for a typo."), field="uscc", why="check_digit")
    if inner_check_digit(code[8:16]) != code[16]:
        message = _("The organisation code inside (characters 9 to 17) does not check: look for a typo.")
        raise UsccInvalid(message, field="uscc", why="organisation_code")


def inner_check_digit(body: str) -> str:
    """The ninth character of an organisation code (GB 11714) for its eight: letters count A = 10 … Z = 35."""
    rest = (11 - sum(int(char, 36) * weight for char, weight in zip(body, INNER_WEIGHTS, strict=True)) % 11) % 11
    return "X" if rest == 10 else str(rest)


def propose_kind(code: str) -> str | None:
    """The kind that the prefix suggests (11 government, 12 institution, 51–53 nonprofit, 91–93 business), or None."""
    return KINDS.get(code[:2])
