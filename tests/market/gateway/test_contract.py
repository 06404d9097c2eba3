"""The running gateway held against its published contract: whatever is sent, the answer conforms and none is a fault of the server."""

from __future__ import annotations

import json

import pytest
import requests
from hypothesis import HealthCheck, given, settings

from market.gateway.openapi import document
from settlement.metering.models import UsageEvent
from settlement.metering.sealing import seal
from tests.settlement.metering.test_sealing import HOUR, use
from tests.settlement.stall import START

schemathesis = pytest.importorskip("schemathesis")  # of the lock file for tests; an older environment lacks it
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

pytestmark = pytest.mark.proof

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]
EXAMPLES = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
contract = schemathesis.openapi.from_dict(json.loads(document()))


@pytest.fixture
def known(client) -> dict:
    """What exists: a product, a key for each kind of address, a sealed receipt."""
    use(client.stall, 3)
    seal(at=START + 2 * HOUR)
    reporting = client.stall.key_for(None, "op", organisation=client.stall.operator)[1]
    return {
        "url": client.server.url,
        "code": client.stall.product.code,
        "id": str(UsageEvent.objects.order_by("id").values_list("id", flat=True)[1]),
        "live": client.stall.secret,
        "op": reporting,
    }


@contract.parametrize()
@EXAMPLES
def test_every_answer_is_one_that_the_contract_names(case, known):
    for name in ("code", "id"):
        value = case.path_parameters.get(name) if isinstance(case.path_parameters, dict) else None
        if value is not None and case.path.startswith("/v1/") and hash_of(case) % 4:
            case.path_parameters[name] = known[name]
    key = known["op" if case.path == "/v1/usage" else "live"]
    case.call_and_validate(base_url=known["url"], headers={"Authorization": f"Bearer {key}"}, checks=CHECKS, timeout=20)


def hash_of(case) -> int:
    return len(repr((case.path_parameters, case.query, case.headers, case.body)))


def test_product_answers_what_its_own_contract_says(known):
    url = f"{known['url']}/v1/products/{known['code']}/openapi.json"
    own = schemathesis.openapi.from_dict(requests.get(url, timeout=20).json())
    (operation,) = [found.ok() for found in own.get_all_operations()]
    answered = []

    @EXAMPLES
    @given(case=operation.as_strategy())
    def call(case):
        response = case.call_and_validate(
            base_url=known["url"], headers={"Authorization": f"Bearer {known['live']}"}, checks=CHECKS, timeout=20
        )
        answered.append(response.status_code)

    call()
    assert 200 in answered and set(answered) <= {200, 401, 403, 405, 422}
