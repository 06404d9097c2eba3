"""Every code of domain.md F14 and scenarios 13 and 14."""

from __future__ import annotations

import pytest
from stdnum.cn.uscc import calc_check_digit

from products.organisations.uscc import UsccInvalid, check, inner_check_digit, propose_kind

KINDS = {
    "91330200MA2T001030": "enterprise",
    "91330200MA2T0004XY": "enterprise",
    "11330200000000246Q": "public_body",
    "12330200000000174W": "institution",
    "51330200MJ8000039N": "nonprofit",
    "52330200MJ8000434T": "nonprofit",
    "53330200MJ8000004X": "nonprofit",
}
OUTER = {"91350100M000100Y4": "3", "11320000MB151840X": "J"}


@pytest.mark.parametrize("code", [*KINDS, *(body + digit for body, digit in OUTER.items())])
def test_a_code_with_both_check_digits_right_is_accepted(code):
    check(code)


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_the_kind_is_proposed_from_the_prefix(code, kind):
    assert propose_kind(code) == kind


def test_an_unknown_prefix_proposes_nothing():
    assert propose_kind("A1330200MA2T001030") is None


def test_a_code_that_begins_with_a_letter_is_accepted():
    body = "A1330200MA2T00103"
    check(body + calc_check_digit(body))


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_outside_the_alphabet_are_refused(letter):
    with pytest.raises(UsccInvalid) as refusal:
        check(f"9133020{letter}MA2T001030")
    assert refusal.value.facts["why"] == "letters"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("91330200MA2T00103Y", "check_digit"),
        ("91440300767669022G", "check_digit"),
        ("91330200ma2t001030", "letters"),
        (" 91330200MA2T00103", "letters"),
        ("91330200-MA2T00103", "letters"),
        ("91330200MA2T00103", "length"),
        ("91330200MA2T0010300", "length"),
        ("91330200MA2T001030 ", "length"),
        ("", "length"),
        ("９1330200MA2T001030", "letters"),
    ],
)
def test_a_wrong_code_is_refused_with_what_is_wrong(code, why):
    with pytest.raises(UsccInvalid) as refusal:
        check(code)
    assert (refusal.value.facts["why"], refusal.value.field) == (why, "uscc")


@pytest.mark.parametrize("code", [code for code in KINDS if code[16] != "X"])
def test_a_wrong_organisation_code_inside_is_found_even_under_a_right_last_digit(code):
    body = code[:16] + str((int(code[16]) + 1) % 10)
    with pytest.raises(UsccInvalid) as refusal:
        check(body + calc_check_digit(body))
    assert refusal.value.facts["why"] == "organisation_code"


@pytest.mark.parametrize("code", KINDS)
def test_any_single_wrong_character_is_found(code):
    for place in range(18):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != code[place]:
                with pytest.raises(UsccInvalid):
                    check(code[:place] + other + code[place + 1 :])


def test_the_inner_digit_may_be_x_and_0():
    assert inner_check_digit("MA2T0004") == "X"
    assert {inner_check_digit(f"MA2T{n:04d}") for n in range(40)} >= {"0", "X", "9"}
