"""Transfer references and the match of incoming transfers."""

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.payments import bank

references = st.integers(0, 2**32).map(lambda seed: bank.reference_new(choose=random.Random(seed).choice))


@given(references)
def test_a_new_reference_reads_as_promised_and_is_valid(reference):
    assert re.fullmatch(r"GS-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", reference)
    assert bank.reference_valid(reference)
    assert bank.reference_normalised(reference) == reference


def test_references_are_random_by_default():
    assert len({bank.reference_new() for _i in range(500)}) == 500


@given(references)
def test_one_wrong_character_is_always_found(reference):
    for place in (*range(3, 7), *range(8, 12)):
        for other in set(bank.ALPHABET) - {reference[place]}:
            assert not bank.reference_valid(reference[:place] + other + reference[place + 1 :])


@given(references)
def test_two_swapped_characters_are_always_found(reference):
    body = list(reference.replace("-", "")[2:])
    for one, other in itertools.combinations(range(8), 2):
        swapped = body.copy()
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert swapped == body or not bank.reference_valid("GS" + "".join(swapped))


@given(references, st.sampled_from(["", " ", "-", "—", " - ", "－", "　"]), st.booleans())
def test_spaces_dashes_case_and_full_width_do_not_matter(reference, separator, is_wide):
    typed = separator.join(["gs", reference[3:7].lower(), reference[8:].lower()])
    if is_wide:
        typed = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in typed)
    assert bank.reference_normalised(f" {typed} ") == reference


@pytest.mark.parametrize("text", ["", "GS", "GS-7K3M", "GS-7K3M-92Q0", "7K3M-92QX", "GS-7K3M-92QXX", "XGS-7K3M-92QX"])
def test_what_is_no_reference_is_refused(text):
    assert not bank.reference_valid(text)
    with pytest.raises(bank.BankReferenceWrong):
        bank.reference_normalised(text)


@given(references, references)
def test_references_are_found_in_a_banks_remark(one, other):
    bare = other.replace("-", "").lower()
    remark = f"网银转账：{one}，另付{bare}；合同号 2026-001 {one}"
    assert bank.references_in(remark) == tuple(dict.fromkeys([one, other]))


def test_a_transfer_is_matched_by_its_reference_and_says_what_differs():
    one, other = (bank.reference_new(choose=random.Random(seed).choice) for seed in (1, 2))
    waiting = {one: 120_000, other: 50_000}

    def match(remark, received):
        return bank.transfer_match(remark=remark, received_minor=received, open_transfers=waiting)

    assert match(f"服务费{one}", 120_000) == bank.TransferMatch(one, 0)
    assert match(one.lower(), 120_000).is_exact
    assert match(one, 119_999) == bank.TransferMatch(one, -1)
    assert match(one, 120_100).difference_minor == 100
    assert match(f"{one} {other}", 170_000) is None, "a person decides"
    assert match("服务费", 120_000) is None, "an amount alone never matches"
    assert match(bank.reference_new(choose=random.Random(3).choice), 120_000) is None
