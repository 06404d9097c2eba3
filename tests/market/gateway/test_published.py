"""What the gateway publishes to everybody: the roots of receipts, page by page, and its contract."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import requests

from market.gateway import published
from market.gateway.contract import OPERATIONS
from market.gateway.openapi import document
from market.gateway.problems import CATALOGUE
from settlement.metering import checking
from settlement.metering.sealing import seal
from tests.market.gateway.test_calls import problem
from tests.settlement.metering.test_sealing import HOUR, use
from tests.settlement.stall import START

GATEWAY_PAGE = Path(__file__).parents[3] / "docs" / "gateway.md"


def test_call_is_proven_by_its_receipt_the_published_key_and_the_published_roots(client):
    """From the call to the proof, over HTTP, with nothing but what is published."""
    numbers = [client.call().json()["receipt"]["id"] for _ in range(3)]
    use(client.stall, 2, at=START - timedelta(hours=9))
    before = client.get(f"/v1/receipts/{numbers[1]}").json()
    assert before["proof"] is None and before["sealed_after"]
    seal(at=START + timedelta(hours=3))
    keys = requests.get(f"{client.server.url}/v1/keys", timeout=9).content
    roots = checking.roots_of(requests.get(f"{client.server.url}/v1/receipt-roots", timeout=9).content)
    assert checking.check_chain(roots) == [] and checking.is_from_the_beginning(roots) and len(roots) == 2
    by_hour = {row.hour: row for row in roots}
    for number in numbers:
        found = checking.check_receipt(client.get(f"/v1/receipts/{number}").json(), keys=checking.keys_of(keys), roots=by_hour)
        assert found.ok and found.proven == {"signature", "content", "proof", "roots"}


def test_roots_are_paged_cacheable_and_the_same_as_csv(client, monkeypatch):
    for hours in range(5):
        use(client.stall, 1, at=START + hours * HOUR)
    seal(at=START + 9 * HOUR)
    url = f"{client.server.url}/v1/receipt-roots"
    whole = requests.get(url, timeout=9)
    document_ = whole.json()
    assert len(document_["roots"]) == 5 and document_["next"] is None and document_["final_before"] == "2026-10-20T18:00:00+08:00"
    assert whole.headers["cache-control"] == "public, max-age=60" and whole.headers["access-control-allow-origin"] == "*"
    again = requests.get(url, headers={"If-None-Match": whole.headers["etag"]}, timeout=9)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", whole.headers["etag"])
    later = requests.get(url, params={"after": document_["roots"][2]["hour"]}, timeout=9).json()
    assert later["roots"] == document_["roots"][3:]
    csv = requests.get(url + ".csv", timeout=9)
    assert csv.headers["content-type"].startswith("text/csv")
    assert checking.roots_of(csv.content) == checking.roots_of(whole.content)


@pytest.mark.django_db(transaction=True)
def test_full_page_leads_to_the_next_and_never_changes(stall, monkeypatch):
    import asyncio

    from market.gateway.http import Request
    from market.gateway.resources import Resources

    for hours in range(5):
        use(stall, 1, at=START + hours * HOUR)
    seal(at=START + 9 * HOUR)
    monkeypatch.setattr(published, "MOST_ROWS", {"receipt-roots": 2, "receipt-roots.csv": 2})

    async def pages() -> list:
        held = await Resources.open()
        found, target = [], "/v1/receipt-roots"
        try:
            while target:
                path, _mark, asked = target.partition("?")
                request = Request({"method": "GET", "path": path, "headers": [], "query_string": asked.encode()}, None)
                response = await published.answer(held, request, "receipt-roots", [])
                found.append(response)
                target = msgspec.json.decode(response.body)["next"]
        finally:
            await held.close()
        return found

    answers = asyncio.run(pages())
    documents = [msgspec.json.decode(answer.body) for answer in answers]
    assert [len(each["roots"]) for each in documents] == [2, 2, 1]
    assert [each["final_before"] is None for each in documents] == [True, True, False]
    assert "max-age=86400" in answers[0].headers["cache-control"]
    rows = checking.roots_of(b"\n".join(answer.body for answer in answers))
    assert checking.check_chain(rows) == [] and len(rows) == 5


@pytest.mark.parametrize("asked", ["after=soon", "after=2026-10-20", "after=0001-01-01T00:00:00Z", "limit=5", "after="])
def test_parameter_that_is_not_well_formed_is_refused(client, asked):
    document_ = problem(requests.get(f"{client.server.url}/v1/receipt-roots?{asked}", timeout=9), 422, "query-refused")
    assert document_["parameter"] in asked


def test_hour_that_was_made_final_and_has_no_tree_yet_is_not_claimed(client):
    from settlement.metering import sealing

    use(client.stall, 1)
    sealing._make_final(START + 5 * HOUR)  # and killed before the tree
    answer = requests.get(f"{client.server.url}/v1/receipt-roots", timeout=9).json()
    assert answer == {"roots": [], "final_before": "2026-10-20T10:00:00+08:00", "next": None}


def test_contract_of_a_product_has_its_schemas(client):
    url = f"{client.server.url}/v1/products/{client.stall.product.code}/openapi.json"
    found = requests.get(url, timeout=9)
    assert found.status_code == 200 and found.headers["etag"]
    call = found.json()["paths"][f"/v1/products/{client.stall.product.code}"]["post"]
    media = call["requestBody"]["content"]["application/json"]
    assert media["schema"]["type"] == "object" and media["example"] == {"ask": "latest"}
    assert "points" in call["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["properties"]
    problem(requests.get(f"{client.server.url}/v1/products/nothing/openapi.json", timeout=9), 404, "product-unknown")


def test_contract_names_every_problem_and_every_address_of_the_docs(client):
    served = requests.get(f"{client.server.url}/v1/openapi.json", timeout=9)
    assert served.content == document()
    contract = json.loads(served.content)
    named = {code for operation in OPERATIONS for code in operation.problems}
    assert set(CATALOGUE) - named == {"method-not-allowed"}
    rows = re.findall(r"^\| `(?:GET|POST) (/(?:v1|problems)/[^`]*)`", GATEWAY_PAGE.read_text(), re.MULTILINE)
    assert rows and set(rows) <= set(contract["paths"])
