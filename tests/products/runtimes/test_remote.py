"""An operator's own service over real TLS: what is sent, what is taken, and every way in which it can misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from products.runtimes import addresses, host
from products.runtimes.base import (
    InputRefused,
    ReleaseRefused,
    ReleaseSpec,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeTimeout,
    Secrets,
)
from products.runtimes.egress import Egress
from products.runtimes.remote import RemoteHostRefused, RemoteRuntime
from products.runtimes.signatures import request_key, signer
from tests.servers.certificates import Authority
from tests.servers.operator_service import GOOD, Service

INPUT = {
    "type": "object",
    "required": ["uscc"],
    "additionalProperties": False,
    "properties": {"uscc": {"type": "string", "maxLength": 30}},
}
OUTPUT = {
    "type": "object",
    "required": ["found", "grade"],
    "additionalProperties": False,
    "properties": {"found": {"type": "boolean"}, "grade": {"enum": ["A", "B", None]}},
}
BODY = {"uscc": "91330200MA9T01184X"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def service(authority) -> Iterator[Service]:
    service = Service(authority.context())
    yield service
    service.stop()


@pytest.fixture
def egress(authority) -> Egress:
    return Egress(
        allows=lambda product, host, port: True,
        signer=signer("signing key of the tests"),
        test_networks=addresses.networks("127.0.0.0/8, ::1/128"),
        ca_file=str(authority.ca_file),
    )


def release(url: str, **config: Any) -> ReleaseSpec:
    return ReleaseSpec(
        product_code="grade",
        version=3,
        type="remote",
        config={"runtime": "remote", "url": url, "seconds": 1, **config},
        artifact=b"",
        input_schema=INPUT,
        output_schema=OUTPUT,
    )


@pytest.fixture
def load(service, egress) -> Callable[..., RemoteRuntime]:
    def load(path: str = "/good", *, out: Egress = egress, **config: Any) -> RemoteRuntime:
        url = path if path.startswith("https:") else service.url(path)
        loaded = host.load(release(url, **config), secrets=Secrets(product_key=lambda code: b"", link_key=b"link", egress=out))
        assert isinstance(loaded, RemoteRuntime)
        return loaded

    return load


def run(loaded: RemoteRuntime, at: datetime, times: int = 1) -> Any:
    """One call or several, one after the other, in one event loop."""

    async def calls() -> Any:
        try:
            for _ in range(times):
                result = await host.run(loaded, BODY, at, call_id="01a15709-7500-7ab1-87a4-21f7d5a79edf")
            return result
        finally:
            await host.close(loaded)

    return asyncio.run(calls())


def test_a_service_answers_over_one_kept_connection(load, service, at):
    before = service.connections
    result = run(load(), at, times=3)
    assert (result.output, result.units, result.has_result) == (GOOD, {"calls": "1"}, True)
    assert service.connections == before + 1 and json.loads(service.requests[-1].body) == BODY


def test_a_command_runs_it_in_a_loop_of_its_own(load, at):
    assert load().run(BODY, at).output == GOOD


def test_the_request_is_signed_over_method_target_digest_and_call(load, service, at, egress):
    """Checked as RFC 9421 says, without our own code: the base is rebuilt from what arrived."""
    run(load(), at)
    got = service.requests[-1]
    assert "authorization" not in got.headers and got.headers["accept-encoding"] == "identity"
    covered, values = re.fullmatch(r"gongshu=\(([^)]*)\)(.*)", got.headers["signature-input"]).groups()
    names = covered.replace('"', "").split()
    assert names == [
        "@method", "@target-uri", "content-type", "gongshu-product", "gongshu-release", "gongshu-call", "content-digest",
    ]  # fmt: skip
    known = {"@method": "POST", "@target-uri": service.url(), **got.headers}
    base = "\n".join([f'"{name}": {known[name]}' for name in names] + [f'"@signature-params": ({covered}){values}'])
    created = int(at.timestamp())
    assert values == f';created={created};expires={created + 60};keyid="{egress.signer.key_id}";alg="ed25519"'
    signature = base64.b64decode(re.fullmatch(r"gongshu=:(.*):", got.headers["signature"]).group(1))
    key = request_key("signing key of the tests").public_key()
    key.verify(signature, base.encode())
    assert got.headers["content-digest"] == f"sha-256=:{base64.b64encode(sha256(got.body).digest()).decode()}:"
    assert got.headers["gongshu-call"] == "01a15709-7500-7ab1-87a4-21f7d5a79edf" and got.headers["gongshu-product"] == "grade"


def test_the_signature_base_is_the_one_of_the_standard():
    """RFC 9421, appendix B.2.6: the standard's own message, key and signature."""
    from products.runtimes.signatures import covered_of, signature_base

    components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@method", "POST"),
        ("@path", "/foo"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]
    covered = covered_of([name for name, _ in components]) + ';created=1618884473;keyid="test-key-ed25519"'
    public = base64.b64decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")[-32:]
    signature = base64.b64decode("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, signature_base(components, covered))


FAULTS = {
    "/endless-body": "too-large",
    "/declares-much": "too-large",
    "/endless-headers": "closed",
    "/redirect": "redirect",
    "/wrong-json": "json",
    "/deep-json": "json",
    "/wrong-schema": "schema",
    "/not-an-object": "schema",
    "/html": "content-type",
    "/packed": "content-type",
    "/error": "status",
    "/not-there": "status",
    "/closes-early": "closed",
    "/closes-at-once": "closed",
    "/not-http": "closed",
}


@pytest.mark.parametrize("path", FAULTS)
def test_a_misbehaving_service_is_a_fault_that_tells_the_caller_nothing_of_it(load, at, path):
    loaded = load(path, seconds=5)
    began = time.monotonic()
    with pytest.raises(RuntimeFailed) as failed:
        run(loaded, at)
    assert failed.value.facts["kind"] == FAULTS[path] and loaded.faults == {FAULTS[path]: 1}
    assert time.monotonic() - began < 4, "it was noticed, not waited out"


@pytest.mark.parametrize("path", ["/silent", "/slow-headers", "/slow-body"])
def test_the_whole_call_has_one_time_limit_however_busily_it_drips(load, at, path):
    began = time.monotonic()
    with pytest.raises(RuntimeTimeout):
        run(load(path, seconds=0.4), at)
    assert 0.35 < time.monotonic() - began < 3


def test_a_redirect_is_not_followed(load, service, at):
    before = service.connections
    with pytest.raises(RuntimeFailed):
        run(load("/redirect"), at)
    assert service.connections == before + 1


def test_a_busy_service_says_when_to_come_back(load, at):
    with pytest.raises(RuntimeBusy) as busy:
        run(load("/busy"), at)
    assert busy.value.facts["retry_after"] == 7


def test_a_service_may_refuse_fields_but_not_speak(load, at):
    loaded = load("/refuses")
    with pytest.raises(InputRefused) as refused:
        run(loaded, at)
    assert refused.value.errors == [{"pointer": "/uscc", "message": "was refused by the operator's service"}]
    assert not loaded.faults


@pytest.mark.parametrize(("name", "expired"), [("other.example", False), ("localhost", True)])
def test_a_wrong_certificate_ends_the_call_before_anything_is_sent(authority, load, at, name, expired):
    service = Service(authority.context(name, is_expired=expired))
    with pytest.raises(RuntimeFailed) as failed:
        run(load(service.url()), at)
    service.stop()
    assert failed.value.facts["kind"] == "certificate" and not service.requests


def test_an_unknown_authority_is_not_believed(load, egress, at):
    with pytest.raises(RuntimeFailed) as failed:
        run(load(out=replace(egress, ca_file="")), at)
    assert failed.value.facts["kind"] == "certificate"


def test_proxies_of_the_environment_are_not_used(load, at, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(load(), at).output == GOOD


def test_a_service_that_is_not_there_is_a_fault(load, service, at):
    with pytest.raises(RuntimeFailed) as failed:
        run(load("https://localhost:1999/"), at)
    assert failed.value.facts["kind"] == "connect"


def test_nothing_is_called_that_is_not_allowed(load, egress, service, at):
    before = len(service.requests)
    for allows in (lambda *_: False, _never):
        with pytest.raises(RemoteHostRefused):
            run(load(out=replace(egress, allows=allows)), at)
    with pytest.raises(RemoteHostRefused):
        load(out=replace(egress, allows=lambda *_: False)).run(BODY, at)
    assert len(service.requests) == before


async def _never(*_: object) -> bool:
    return False


# --- Names and addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.0.0.8"],
        ["169.254.169.254"],
        ["100.100.100.200"],
        ["168.63.129.16"],
        ["::1"],
        ["::ffff:10.0.0.8"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["fe80::1"],
        ["fec0::1"],
        ["64:ff9b::a00:8"],
        ["2002:a00:8::1"],
        ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
        ["ff02::1"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["0.0.0.0"],
        ["192.0.2.1"],
        ["8.8.8.8", "10.0.0.8"],
        ["2606:4700::1", "::ffff:192.168.1.1"],
        [],
    ],
)
def test_a_name_with_any_address_that_is_not_public_is_not_called(load, egress, at, found):
    """Also the name that turned private after it was allowed: it is resolved and judged at each connection."""

    async def resolve(host: str, port: int) -> list[str]:
        return found

    with pytest.raises(RuntimeFailed) as failed:
        run(load("https://grade.operator.example/", out=replace(egress, resolve=resolve, test_networks=())), at)
    assert failed.value.facts["kind"] == "address"


def test_the_checked_address_is_the_one_connected_to(load, egress, service, at):
    """A name server that answers otherwise the second time is never asked a second time."""
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.8"]

    assert run(load(out=replace(egress, resolve=resolve)), at, times=2).output == GOOD
    assert asked == ["localhost"]


def test_public_addresses_are_public():
    found = ["8.8.8.8", "114.114.114.114", "2606:4700:4700::1111", "240e::1"]
    assert addresses.all_public([*found, "8.8.8.8"]) == found


@pytest.mark.parametrize("name", ["127.0.0.1", "[::1]", "localhost", "intranet", "db.internal", "x.local", "1.2.3", "a_b.example", "-a.example", "数据.example", "a..example", "2130706433"])  # fmt: skip
def test_a_host_is_a_name_of_the_public_internet(name):
    assert not addresses.is_host_name(name)
    assert addresses.is_host_name("api.xn--55qx5d.cn") and addresses.is_host_name("localhost", for_tests=True)


# --- The breaker, places, results ---------------------------------------------------------------------------------------------


def test_the_breaker_leaves_a_failing_service_alone_and_asks_it_once(load, service, at, monkeypatch):
    loaded = load("/error")
    clock = [1000.0]
    monkeypatch.setattr("products.runtimes.remote.monotonic", lambda: clock[0])

    async def story() -> None:
        for _ in range(5):
            with pytest.raises(RuntimeFailed):
                await loaded.run_async(BODY, at, "")
        before = len(service.requests)
        with pytest.raises(RuntimeBusy) as busy:
            await loaded.run_async(BODY, at, "")
        assert 1 <= busy.value.facts["retry_after"] <= 16 and len(service.requests) == before
        assert loaded.breaker.state(clock[0]) == "open" and loaded.breaker.openings == 1
        clock[0] += 16  # one probe fails: open again at once
        with pytest.raises(RuntimeFailed):
            await loaded.run_async(BODY, at, "")
        with pytest.raises(RuntimeBusy):
            await loaded.run_async(BODY, at, "")
        assert len(service.requests) == before + 1
        clock[0] += 16
        loaded._release.config["url"] = service.url("/silent")  # the probe hangs: the others do not wait for it
        probe = asyncio.create_task(loaded.run_async(BODY, at, ""))
        await asyncio.sleep(0.1)
        with pytest.raises(RuntimeBusy):
            await loaded.run_async(BODY, at, "")
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        loaded._release.config["url"] = service.url("/good")  # well again
        assert (await loaded.run_async(BODY, at, "")).output == GOOD
        assert loaded.breaker.state(clock[0]) == "closed"
        await loaded.close()

    asyncio.run(story())


def test_a_full_bulkhead_says_so_and_the_queue_moves_on(load, service, at):
    loaded = load("/silent", seconds=0.6, concurrent=2, queue=1)

    async def story() -> list[Any]:
        calls = [loaded.run_async(BODY, at, "") for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = [type(each) for each in asyncio.run(story())]
    assert found.count(RuntimeBusy) >= 1 and found.count(RuntimeTimeout) >= 2
    assert loaded.bulkhead.running == loaded.bulkhead.waiting == 0


def test_an_answer_that_finds_nothing_is_known_as_such(load, at):
    rule = {"pointer": "/found", "equals": False}
    assert run(load("/nothing", no_result=rule), at).has_result is False
    assert run(load("/nothing"), at).has_result and run(load("/good", no_result=rule), at).has_result
    assert run(load("/nothing", no_result={"pointer": "/found", "equals": 0}), at).has_result, "false is not 0"


# --- What is refused before anything is called --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"config": {"runtime": "remote", "url": "http://a.example/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://10.0.0.8/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://[::1]/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://user:word@a.example/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://a.example:25/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://a.example:x/"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://a.example/", "seconds": 60}}, "/config/seconds"),
        ({"config": {"runtime": "remote"}}, "/config/url"),
        ({"config": {"runtime": "remote", "url": "https://a.example/", "proxy": "x"}}, "/config/proxy"),
        ({"type": "report"}, "/type"),
        ({"type": "verification"}, "/config/subject"),
        ({"artifact": b"x"}, "/artifact"),
        ({"output_schema": {}}, "/output_schema"),
        ({"output_schema": {"type": "array", "items": False, "maxItems": 1}}, "/output_schema/type"),
        ({"output_schema": {**OUTPUT, "additionalProperties": True}}, "/output_schema"),
        ({"output_schema": {**OUTPUT, "properties": {"found": True}}}, "/output_schema/properties/found"),
        ({"output_schema": {**OUTPUT, "properties": {"rows": {"type": "array"}}}}, "/output_schema/properties/rows"),
        ({"output_schema": {**OUTPUT, "properties": {"text": {"type": "string"}}}}, "/output_schema/properties/text"),
        ({"output_schema": {**OUTPUT, "properties": {"x": {"$ref": "#"}}}}, "/output_schema/properties/x"),
    ],
)  # fmt: skip
def test_a_release_that_leaves_a_gap_is_refused(change, pointer):
    fields = {name: getattr(release("https://a.example/"), name) for name in ReleaseSpec.__dataclass_fields__} | change
    with pytest.raises(ReleaseRefused) as refused:
        host.load(ReleaseSpec(**fields), secrets=Secrets(product_key=lambda code: b"", link_key=b"link"))
    assert pointer in [error["pointer"] for error in refused.value.errors], refused.value.errors


def test_a_remote_verification_names_its_subject(egress):
    config = {"runtime": "remote", "url": "https://a.example/", "subject": "/uscc"}
    config["limits"] = {"attempts_per_subject_per_day": 2, "subjects_per_day": 3}
    spec = replace(release("https://a.example/"), type="verification", config=config)
    loaded = host.load(spec, secrets=Secrets(product_key=lambda code: b"", link_key=b"link"))
    assert loaded.subject({"uscc": "91330200ma9t01184x "}) == loaded.subject(BODY) != loaded.subject({"uscc": "x"})


# --- The operator's side, as the docs show it ---------------------------------------------------------------------------------


def test_the_operators_own_service_of_the_docs_believes_us_and_nobody_else():
    import runpy
    from pathlib import Path

    from products.runtimes.signatures import signed_headers

    specs = Path(__file__).parents[3] / "docs" / "specs"
    verified = runpy.run_path(str(specs / "remote_service.py"))["verified"]
    ours = signer("signing key of the tests")
    keys = {ours.key_id: request_key("signing key of the tests").public_key()}
    body, url, now = json.dumps(BODY).encode(), "https://grade.example/v1/grade", 1_778_000_000
    sent = {"content-type": "application/json", "gongshu-product": "grade", "gongshu-release": "3", "gongshu-call": "1"}
    headers = signed_headers(signer=ours, method="POST", url=url, body=body, headers=sent, created=now)
    assert verified(keys, "POST", url, headers, body, now)
    assert not verified(keys, "PUT", url, headers, body, now)
    assert not verified(keys, "POST", url + "?all=1", headers, body, now)
    assert not verified(keys, "POST", url, headers, body + b" ", now)
    assert not verified(keys, "POST", url, {**headers, "gongshu-call": "2"}, body, now)
    assert not verified(keys, "POST", url, headers, body, now + 600)
    assert not verified({}, "POST", url, headers, body, now)
    assert not verified(keys, "POST", url, sent, body, now)


def test_the_worked_spec_of_a_remote_product_is_sound():
    from pathlib import Path

    from products.catalogue.packing import packed
    from products.catalogue.spec import SpecRefused, spec_parse

    folder = Path(__file__).parents[3] / "docs" / "specs"
    text = (folder / "credit-grade.yaml").read_text(encoding="utf-8")
    secrets = Secrets(product_key=lambda code: b"", link_key=b"link")
    made = packed(spec_parse(text, folder=folder), version=1, secrets=secrets)
    loaded = host.load(made, secrets=secrets)
    loaded.check(BODY)
    assert loaded.subject(BODY) and made.artifact == b""
    with pytest.raises(SpecRefused) as refused:
        spec_parse(text.replace("release:\n", "release:\n  data: credit-grade.yaml\n"), folder=folder)
    assert refused.value.errors[0]["pointer"] == "/release/data"
