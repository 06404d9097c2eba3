"""``check_receipt``: without a database, every way of tampering with a receipt or with published roots is named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.metering import checking, merkle
from settlement.metering.rules import content_digest, content_of

HOUR = datetime(2026, 10, 20, 2, tzinfo=UTC)
OWN, FOREIGN = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def text64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey = OWN, kid: str = "k1") -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": text64(raw), "kid": kid}


def sign(facts: dict[str, Any], key: Ed25519PrivateKey = OWN) -> dict[str, Any]:
    named = {name: value for name, value in facts.items() if name != "signature"}
    message = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return named | {"signature": text64(key.sign(message))}


def content(number: int) -> dict[str, Any]:
    return content_of(
        id=UUID(int=(0x0199F0C2 << 96) | (7 << 76) | (2 << 62) | number),
        time=HOUR + timedelta(seconds=number),
        entitlement="E2610-1",
        product="port-index",
        release=1,
        purpose="industry.finance.pre_loan",
        units={"calls": "1"},
        free=False,
        source="/gateway",
        event_id=f"港口 {number}",
        request_digest=bytes(32),
        corrects=None,
        consent_digest=None,
    )


class Market:
    """Two sealed hours of five calls each, published; ``receipt(n)`` of the first."""

    def __init__(self) -> None:
        self.contents = [content(number) for number in range(5)]
        self.leaves = [merkle.leaf(content_digest(each)) for each in self.contents]
        root = merkle.root(self.leaves)
        chain = merkle.chain(merkle.GENESIS, HOUR, 5, root)
        second = merkle.chain(chain, HOUR + timedelta(hours=3), 5, root)
        third = merkle.chain(second, HOUR + timedelta(hours=4), 5, root)
        self.roots = [
            {"hour": "2026-10-20T10:00:00+08:00", "size": 5, "root": root.hex(), "chain": chain.hex()},
            {"hour": "2026-10-20T13:00:00+08:00", "size": 5, "root": root.hex(), "chain": second.hex()},
            {"hour": "2026-10-20T14:00:00+08:00", "size": 5, "root": root.hex(), "chain": third.hex()},
        ]

    def receipt(self, number: int) -> dict[str, Any]:
        own = self.contents[number]
        more = {
            "time": f"2026-10-20T10:00:0{number}+08:00",
            "received": "2026-10-20T10:59:59.5+08:00",
            "list_price": "0.50",
            "digest": content_digest(own).hex(),
            "proof": {
                **{name: self.roots[0][name] for name in ("hour", "size", "root", "chain")},
                "index": number,
                "path": [node.hex() for node in merkle.path(self.leaves, number)],
            },
            "sealed_after": None,
            "kid": "k1",
        }
        return sign(own | more)


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """The command on receipts, keys and roots as documents: its exit status and what it prints."""

    def check(receipts: Any, keys: Any = None, roots: Any = None) -> tuple[int, dict[str, Any]]:
        options, out = {}, StringIO()
        for name, value in (("keys", keys), ("roots", roots)):
            if value is not None:
                options[name] = str(tmp_path / name)
                Path(options[name]).write_text(value if isinstance(value, str) else json.dumps(value))
        file = tmp_path / "receipts"
        file.write_text(receipts if isinstance(receipts, str) else json.dumps(receipts, ensure_ascii=False))
        status = 0
        try:
            call_command("check_receipt", str(file), stdout=out, **options)
        except SystemExit as end:
            status = end.code
        return status, json.loads(out.getvalue())

    return check


def test_true_receipts_are_found_true_one_by_one_in_a_list_and_line_by_line(market, run):
    receipts = [market.receipt(number) for number in range(5)]
    keys, roots = {"keys": [jwk(FOREIGN, "older"), jwk()]}, {"roots": market.roots}
    for written in (receipts[0], receipts, "\n\n".join(json.dumps(each, ensure_ascii=False) for each in receipts)):
        status, answer = run(written, keys, roots)
        assert (status, answer["ok"], answer["chain"]) == (0, True, {"ok": True, "hours": 3, "proven_from": "the beginning"})
        assert all(each["ok"] and each["checked"]["signature"] == "valid" for each in answer["receipts"])
    status, answer = run(json.dumps(receipts[0], indent=2))
    assert status == 0 and answer["receipts"][0]["checked"]["signature"] == "not checked: no keys given"


def test_csv_and_pages_of_roots_serve_alike(market, run):
    lines = ["hour,size,root,chain,sealed", *(f"{r['hour']},{r['size']},{r['root']},{r['chain']},x" for r in market.roots)]
    pages = "\n".join(json.dumps({"roots": part}) for part in (market.roots[:1], market.roots[1:]))
    for written in ("\r\n".join(lines), pages, market.roots):
        status, answer = run(market.receipt(2), jwk(), written)
        assert (status, answer["chain"]["hours"]) == (0, 3)
        assert answer["receipts"][0]["checked"]["roots"] == "published as the receipt says"


CONTENT_CHANGES: dict[str, Any] = {
    "id": "0199f0c2-0000-7000-8000-0000000000ff",
    "time": "2026-10-20T10:00:00.000001+08:00",
    "entitlement": "E2610-2",
    "product": "other",
    "release": 2,
    "purpose": "industry.finance.post_loan",
    "units": {"calls": "2"},
    "free": True,
    "source": "/operators/x/y",
    "event_id": "other",
    "request_digest": "11" * 32,
    "corrects": "0199f0c2-0000-7000-8000-0000000000ff",
    "consent_digest": "22" * 32,
}


def test_every_member_of_the_content_has_its_change_below():
    assert set(CONTENT_CHANGES) == set(checking.CONTENT) == set(content(0))


@pytest.mark.parametrize("name", CONTENT_CHANGES)
def test_changed_content_is_named_even_where_it_was_signed_again(market, run, name):
    forged = sign(market.receipt(1) | {name: CONTENT_CHANGES[name]})
    status, answer = run(forged, {"keys": [jwk()]}, market.roots)
    (found,) = answer["receipts"]
    assert status == 1 and found["checked"]["signature"] == "valid"
    assert {error["code"] for error in found["errors"]} == {"digest-differs", "root-differs"}
    redigested = sign(forged | {"digest": content_digest(checking.content_in(forged)).hex()})
    assert [error["code"] for error in run(redigested)[1]["receipts"][0]["errors"]] == ["root-differs"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda r: r.update(list_price="0.10"), "signature-wrong"),
        (lambda r: r.update(extra=1), "signature-wrong"),
        (lambda r: r.pop("list_price"), "signature-wrong"),
        (lambda r: r.update(signature=r["signature"][:-4] + "AAAA"), "signature-wrong"),
        (lambda r: r.update(signature="§"), "signature-wrong"),
        (lambda r: r.pop("signature"), "signature-missing"),
        (lambda r: r.update(kid="k2"), "key-unknown"),
        (lambda r: r.update(sign(r, FOREIGN)), "signature-wrong"),
    ],
)
def test_what_was_not_signed_so_is_named(market, run, change, code):
    forged = market.receipt(1)
    change(forged)
    status, answer = run(forged, {"keys": [jwk()]}, market.roots)
    assert status == 1 and code in [error["code"] for error in answer["receipts"][0]["errors"]]


def other_root(proof: dict[str, Any]) -> None:
    proof["root"] = "ab" * 32


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda p: p.update(index=2), ["root-differs"]),
        (lambda p: p.update(index=5), ["proof-shape"]),
        (lambda p: p.update(size=9), ["path-length", "published-differs"]),
        (lambda p: p.update(size=4), ["path-length", "published-differs"]),
        (lambda p: p.update(index=True), ["proof-shape"]),
        (lambda p: p["path"].pop(), ["path-length"]),
        (lambda p: p["path"].append("00" * 32), ["path-length"]),
        (lambda p: p["path"].reverse(), ["root-differs"]),
        (lambda p: p["path"].__setitem__(0, "zz"), ["proof-shape"]),
        (lambda p: p.update(path=["00" * 32] * 65), ["proof-shape"]),
        (other_root, ["root-differs", "published-differs"]),
        (lambda p: p.update(chain="cd" * 32), ["published-differs"]),
        (lambda p: p.update(hour="2026-10-20T13:00:00+08:00"), ["hour-differs", "published-differs"]),
        (lambda p: p.update(hour="2026-10-20T11:00:00+08:00"), ["hour-differs", "root-unpublished"]),
        (lambda p: p.update(hour="2026-10-20T10:00:00"), ["proof-shape"]),
        (lambda p: p.clear(), ["proof-shape"]),
    ],
)
def test_changed_proof_is_named(market, run, change, codes):
    forged = deepcopy(market.receipt(1))
    change(forged["proof"])
    status, answer = run(sign(forged), {"keys": [jwk()]}, market.roots)
    assert (status, sorted({error["code"] for error in answer["receipts"][0]["errors"]})) == (1, sorted(codes))


def test_tree_made_anew_over_changed_events_does_not_fit_the_published_roots(market, run):
    """The market itself rewrites an hour: the receipt proves itself, and the root is another than the one that was published."""
    rewritten = Market()
    rewritten.contents[3] = rewritten.contents[3] | {"units": {"calls": "9"}}
    rewritten.leaves[3] = merkle.leaf(content_digest(rewritten.contents[3]))
    root = merkle.root(rewritten.leaves)
    rewritten.roots[0] |= {"root": root.hex(), "chain": merkle.chain(merkle.GENESIS, HOUR, 5, root).hex()}
    receipt = rewritten.receipt(3)
    assert run(receipt, jwk())[0] == 0
    status, answer = run(receipt, jwk(), market.roots)
    assert status == 1 and [error["code"] for error in answer["receipts"][0]["errors"]] == ["published-differs"]
    status, answer = run(receipt, jwk(), rewritten.roots)
    assert status == 1 and answer["chain"]["errors"] == [
        "2026-10-20T05:00Z is not chained to 2026-10-20T02:00Z: one of them was changed, or one between left out"
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda roots: roots.pop(1),
        lambda roots: roots[1].update(size=6),
        lambda roots: roots[1].update(root="ab" * 32),
        lambda roots: roots[1].update(chain="ab" * 32),
        lambda roots: roots[1].update(hour="2026-10-20T12:00:00+08:00"),
    ],
)
def test_roots_of_which_one_was_changed_or_left_out_do_not_chain(market, run, change):
    roots = deepcopy(market.roots)
    change(roots)
    status, answer = run(market.receipt(0), jwk(), roots)
    assert status == 1 and not answer["chain"]["ok"] and answer["receipts"][0]["ok"]


def test_roots_that_begin_later_are_taken_from_their_first_row(market, run):
    receipt = market.receipt(0) | {"proof": None}
    _status, answer = run(sign(receipt), jwk(), market.roots[1:])
    assert answer["chain"] == {"ok": True, "hours": 2, "proven_from": "its first row, taken as given"}


def test_receipt_that_is_not_sealed_yet_is_sound_as_far_as_it_goes(market, run):
    receipt = sign(market.receipt(0) | {"proof": None, "sealed_after": "2026-10-20T11:01:00+08:00"})
    status, answer = run(receipt, jwk(), market.roots)
    assert (status, answer["receipts"][0]["checked"]["proof"]) == (0, "not sealed yet: after 2026-10-20T11:01:00+08:00")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("receipts", ""),
        ("receipts", "{"),
        ("keys", "{}"),
        ("keys", "[]"),
        ("keys", {"keys": [{"kty": "RSA"}]}),
        ("keys", {"keys": [jwk() | {"x": "AAAA"}]}),
        ("roots", "hour,size\n1,2"),
        ("roots", {"roots": [{"hour": "soon", "size": 1, "root": "", "chain": ""}]}),
        ("roots", {"roots": [{"hour": "2026-10-20T10:00:00+08:00", "size": -1, "root": "00" * 32, "chain": "00" * 32}]}),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_status_2(market, run, name, written):
    files = {"receipts": market.receipt(0), "keys": jwk(), "roots": market.roots} | {name: written}
    with pytest.raises(CommandError) as refused:
        run(**files)
    assert refused.value.returncode == 2 and name in str(refused.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(Market().receipt(0))), JSON_VALUES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_receipt_breaks_the_check(name, value, is_in_proof):
    receipt = deepcopy(Market().receipt(0))
    (receipt["proof"] if is_in_proof else receipt)[name] = value
    checking.check_receipt(receipt, keys=checking.keys_of(json.dumps(jwk()).encode()), roots={})
    checking.check_receipt(value)
