"""Keys: their shape, their checksum, what is kept of them."""

import pytest

from settlement.entitlements import keys


@pytest.mark.parametrize("mode", ["live", "test", "op"])
def test_new_key_is_well_formed_and_tells_its_mode(mode):
    key = keys.make(mode)
    assert key.startswith(f"gs_{mode}_") and len(key) == len(f"gs_{mode}_") + 30
    assert keys.mode_of(key) == mode and len(keys.digest(key)) == 32 and key not in keys.hint(key)


def test_one_wrong_character_is_seen_without_a_database():
    key = keys.make("live")
    for place in range(len("gs_live_"), len(key)):
        wrong = key[:place] + ("a" if key[place] != "a" else "b") + key[place + 1 :]
        assert keys.mode_of(wrong) is None


@pytest.mark.parametrize(
    "text", ["", "gs_live_", "gs_live_short", "sk_live_" + "a" * 30, "gs_live_" + "é" * 30, "gs_live_" + "a" * 30 + "\n"]
)
def test_other_strings_are_no_keys(text):
    assert keys.mode_of(text) is None


def test_checksum_is_the_crc_in_base_62():
    assert keys.checksum("") == "000000"
    assert keys.checksum("gs_live_") == keys.checksum("gs_live_") != keys.checksum("gs_test_")


def test_unknown_mode_is_a_programming_error():
    with pytest.raises(ValueError):
        keys.make("admin")
