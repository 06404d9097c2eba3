import hashlib
import hmac

import pytest

from products.runtimes import host, verification
from products.runtimes.base import InputRefused, ReleaseRefused, Secrets
from products.runtimes.digests import Digester, normalise
from products.runtimes.keys import ProductKeyMissing, product_key, variable_name

from .conftest import KEY

CONFIG = {
    "subject": {"label": "统一社会信用代码", "normalise": "code", "column": "uscc"},
    "fields": {
        "name": {"label": "名称"},
        "status": {"label": "登记状态"},
        "phone": {"label": "电话", "normalise": "digits"},
    },
    "limits": {"attempts_per_subject_per_day": 5, "subjects_per_day": 100},
    "tells_absence": True,
}
STATUSES = ["存续", "注销", "吊销", "迁出"]
CSV = (
    "uscc,name,status,phone\n"
    "91330200MA2T001030,明州港务（宁波）有限公司,存续,0574-8888 0000\n"
    "91330200MA2T00204T,甬江纺织有限公司,存续,\n"
).encode()


@pytest.fixture
def digester():
    return Digester(KEY, "demo")


@pytest.fixture
def release(make_release, digester):
    return make_release("verification", CONFIG, verification.pack_csv(CSV, CONFIG, digester))


@pytest.fixture
def ask(release, secrets, at):
    loaded = host.load(release, secrets=secrets)

    def ask(subject, **claims):
        body = {"subject": subject, "claims": claims}
        loaded.check(body)
        return loaded.run(body, at)

    return ask


def test_each_claim_is_answered_by_match_or_mismatch(ask):
    result = ask("91330200MA2T001030", name="明州港务(宁波)有限公司", status="注销")
    assert result.output == {"results": {"name": "match", "status": "mismatch"}}
    assert result.units == {"calls": "1"}


def test_width_case_and_spaces_are_no_differences(ask):
    result = ask(" 91330200ma2t００1030 ", name="明州港务（宁波）有限公司 ", phone="(0574) 88880000")
    assert result.output == {"results": {"name": "match", "phone": "match"}}


def test_an_unknown_subject_and_an_empty_value_are_not_found_in_the_same_shape(ask):
    known = ask("91330200MA2T00204T", status="存续", phone="1")
    unknown = ask("91330200MA2T009999", status="存续", phone="1")
    assert known.output == {"results": {"status": "match", "phone": "not_found"}}
    assert unknown.output == {"results": {"status": "not_found", "phone": "not_found"}}
    assert known.output.keys() == unknown.output.keys()


def test_no_such_subject_is_not_told_from_does_not_match_unless_the_product_says_so(make_release, digester, secrets, at):
    quiet = CONFIG | {"tells_absence": False}
    release = make_release("verification", quiet, verification.pack_csv(CSV, quiet, digester))
    loaded = host.load(release, secrets=secrets)
    claims = {"status": "注销", "phone": "1"}
    answers = [loaded.run({"subject": subject, "claims": claims}, at) for subject in ("91330200MA2T00204T", "91330200MA2T009999")]
    assert answers[0].output == answers[1].output == {"results": {"status": "mismatch", "phone": "mismatch"}}
    assert answers[0].units == answers[1].units
    assert release.output_schema["properties"]["results"]["properties"]["name"] == {"enum": ["match", "mismatch"]}


def test_no_answer_ever_holds_a_value_of_the_table(release, ask):
    assert set(ask("91330200MA2T001030", name="x", status="x", phone="2").output["results"].values()) == {"mismatch"}
    assert release.output_schema["properties"]["results"]["properties"]["name"] == {"enum": ["match", "mismatch", "not_found"]}


def brute_force(artifact: bytes, key: bytes, code: str) -> set[str]:
    """Statuses that someone who knows every subject and every possible value finds in a dump with ``key``."""
    guess = Digester(key, code)
    subjects = ["91330200MA2T001030", "91330200MA2T00204T"]
    return {value for subject in subjects for value in STATUSES if guess.value(subject, "status", value) in artifact}


def test_a_dump_without_the_key_yields_nothing(release):
    artifact = release.artifact
    assert brute_force(artifact, KEY, "demo") == {"存续"}  # the attack works where the key is known
    for key in (b"\0" * 32, bytes(reversed(KEY)), hashlib.sha256(b"demo").digest()):
        assert brute_force(artifact, key, "demo") == set()
    plain = ["存续", "91330200MA2T001030", "明州港务(宁波)有限公司", "057488880000"]
    for value in plain:
        assert value.encode() not in artifact
        assert hashlib.sha256(value.encode()).digest() not in artifact
        assert hmac.digest(b"", value.encode(), "sha256") not in artifact


def test_equal_values_in_different_rows_have_different_digests(release):
    packed = verification.unpack(release)
    digests = [packed.rows[start : start + 32] for start in range(0, len(packed.rows), 32)]
    assert len(digests) == 8
    assert len(set(digests)) == 8


def test_two_products_with_one_key_cannot_be_joined():
    one, other = Digester(KEY, "one"), Digester(KEY, "other")
    assert one.subject("91330200MA2T001030") != other.subject("91330200MA2T001030")


def test_parts_of_a_digest_cannot_flow_into_each_other(digester):
    assert digester.value("ab", "c", "d") != digester.value("a", "bc", "d")
    assert digester.value("a", "b", "") != digester.absent("a", "b")


def test_the_same_file_and_key_give_the_same_artifact(release, digester):
    assert verification.pack_csv(CSV, CONFIG, digester) == release.artifact


def test_with_another_key_nothing_is_found(release, at):
    loaded = host.load(release, secrets=Secrets(product_key=lambda code: bytes(32), link_key=b""))
    body = {"subject": "91330200MA2T001030", "claims": {"status": "存续"}}
    assert loaded.run(body, at).output == {"results": {"status": "not_found"}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"claims": {"name": "x"}}, "/subject"),
        ({"subject": "X", "claims": {}}, "/claims"),
        ({"subject": "X", "claims": {"salary": "1"}}, "/claims/salary"),
        ({"subject": "X", "claims": {"name": 5}}, "/claims/name"),
        ({"subject": "  ", "claims": {"name": "x"}}, "/subject"),
    ],
)
def test_a_wrong_input_is_refused_at_its_field(release, secrets, body, pointer):
    with pytest.raises(InputRefused) as refusal:
        host.load(release, secrets=secrets).check(body)
    assert pointer in [error["pointer"] for error in refusal.value.errors]


def test_a_subject_that_stands_twice_is_refused(digester):
    with pytest.raises(ReleaseRefused, match="/data/3"):
        verification.pack_csv(b"uscc,name,status,phone\nA1,x,y,1\n a1,x,y,1\n", CONFIG, digester)


def test_a_missing_column_is_refused_by_name(digester):
    with pytest.raises(ReleaseRefused, match="status"):
        verification.pack_csv(b"uscc,name,phone\nA,b,1\n", CONFIG, digester)


def test_a_product_without_limits_is_refused(make_release, release, secrets):
    config = {name: value for name, value in CONFIG.items() if name != "limits"}
    with pytest.raises(ReleaseRefused, match="/config/limits"):
        host.load(make_release("verification", config, release.artifact), secrets=secrets)


def test_the_key_comes_from_the_environment_or_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY.hex() + "\n")
    assert variable_name("ent-verify.v2") == "GONGSHU_PRODUCT_KEY_ENT_VERIFY_V2"
    assert product_key("p", {"GONGSHU_PRODUCT_KEY_P": KEY.hex()}) == KEY
    assert product_key("p", {"GONGSHU_PRODUCT_KEY_P_FILE": str(path)}) == KEY


@pytest.mark.parametrize("value", ["", "abc", "not hexadecimal", "00" * 31])
def test_a_missing_or_short_key_is_refused_by_the_variable_name(value):
    with pytest.raises(ProductKeyMissing, match="GONGSHU_PRODUCT_KEY_P ") as refusal:
        product_key("p", {"GONGSHU_PRODUCT_KEY_P": value})
    assert not value or value not in str(refusal.value)


def test_an_unreadable_key_file_is_refused_without_its_content(tmp_path):
    with pytest.raises(ProductKeyMissing, match="_FILE"):
        product_key("p", {"GONGSHU_PRODUCT_KEY_P_FILE": str(tmp_path / "none")})


def test_normalising_keeps_what_tells_values_apart():
    assert normalise("ＡＢ c ", "code") == "ABC"
    assert normalise(" a  B ", "text") == "a B"
    assert normalise("+86 (0574) 88", "digits") == "86057488"
