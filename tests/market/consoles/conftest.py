"""What the tests of the consoles share: an operator with an authorisation, and files to publish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from products.catalogue.models import DataProduct
from products.registry.models import Authorisation, DataResource
from tests.factories.cast import Cast
from tests.factories.ground import make_authorisation, make_registration, make_resource

DATA = "date,vintage,value\n2026-01-31,2026-02-10,101.5\n2026-02-28,2026-03-10,99.8\n2026-02-28,2026-04-10,100.2\n"
PURPOSES = ("industry.logistics", "governance.planning")


@pytest.fixture
def queries_of() -> Callable[[Client, str], int]:
    """How many queries a page costs once it is warm: ``queries_of(client, url)``."""

    def count(client: Client, url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
            return len(captured)

    return count


@dataclass
class Ground:
    """A registered resource under an active authorisation of ``cast.operator``."""

    resource: DataResource
    authorisation: Authorisation

    def form(self, **changes: Any) -> dict[str, Any]:
        """What a person fills in for an index."""
        data = {
            "code": "port-index",
            "name_zh": "港口景气指数",
            "name_en": "Port index",
            "summary_zh": "按月发布的港口物流指数。",
            "summary_en": "A monthly index of port logistics.",
            "resources": [self.resource.code],
            "purposes": list(PURPOSES),
            "scenarios": ["port-logistics"],
            "regime": "trial",
            "necessity": "治理和编制需要弥补成本。",
            "config": json.dumps({"series": {"composite": {"unit": "2020=100", "label": "综合指数"}}}),
            "samples": json.dumps([{"ask": "latest"}, {"ask": "date", "date": "2026-02-28", "vintage": "2026-03-15"}]),
            "input_schema": "",
            "output_schema": "",
            "data": SimpleUploadedFile("port.csv", DATA.encode()),
            "request_reviews": "on",
        }
        return data | changes

    @property
    def form_url(self) -> str:
        return f"/console/operator/products/new/form/?authorisation={self.authorisation.pk}&type=index"


@pytest.fixture
def ground(cast: Cast, clock: Any) -> Ground:
    resource = make_resource(
        cast,
        clock.now,
        code="JZ-PORT-001",
        name="港航作业",
        name_en="Port operations",
        has_personal_data=False,
        has_security_impact=True,
    )
    make_registration(cast, clock.now, resource)
    scope = [(resource, kind, purpose, "port-logistics") for kind in ("index", "report") for purpose in PURPOSES]
    return Ground(resource, make_authorisation(cast, clock.now, scope=scope))


@pytest.fixture
def operator(client: Client, cast: Cast) -> Client:
    client.force_login(cast.operator.owner)
    return client


@pytest.fixture
def product(operator: Client, ground: Ground) -> DataProduct:
    """An index filed through the form, its reviews asked for."""
    answer = operator.post(ground.form_url, ground.form())
    assert answer.status_code == 302, answer.content.decode()
    return DataProduct.objects.get(code="port-index")
