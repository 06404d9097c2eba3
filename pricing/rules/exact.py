"""Exact numbers as scaled integers, and the one way to round.

Units and unit prices are integers in millionths (`_micro`), money is integer fen (`_minor`). A unit price times units
is therefore in 10⁻¹² yuan ("pico"): nothing is lost on the way, and no decimal context can round behind our back.
"""

MICRO = 10**6
PICO_PER_FEN = 10**10
FULL_PERCENT = 100 * MICRO  # 100 %, a percentage being kept in millionths of a percent too


def half_up(numerator: int, denominator: int = 1) -> int:
    """The whole number nearest to the ratio; a half goes away from zero, as in Decimal's ROUND_HALF_UP."""
    if numerator < 0:
        return -half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def fen(pico: int, percent_off: int = 0) -> int:
    """Fen of an exact amount in 10⁻¹² yuan after a discount (millionths of a percent), rounded once."""
    return half_up(pico * (FULL_PERCENT - percent_off), PICO_PER_FEN * FULL_PERCENT)


def plain(number: int, places: int, least: int = 0) -> str:
    """A scaled integer as a plain decimal: `places` decimals, trailing zeros cut down to `least` of them."""
    digits = str(abs(number)).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :]
    decimals = decimals[:least] + decimals[least:].rstrip("0")
    return ("-" if number < 0 else "") + whole + ("." + decimals if decimals else "")


def yuan(minor: int) -> str:
    """Fen as yuan with two decimals: 55890 → "558.90"."""
    return plain(minor, 2, 2)


def quantity(micro: int) -> str:
    """Millionths as the shortest decimal: 1500000 → "1.5"."""
    return plain(micro, 6)


def scaled(text: str, places: int) -> int:
    """The integer of a decimal string that has at most `places` decimals: ("0.5", 6) → 500000."""
    whole, _, decimals = text.partition(".")
    return int(whole) * 10**places + int(decimals.ljust(places, "0") or "0")
