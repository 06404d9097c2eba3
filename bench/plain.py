"""What many would write first: a Django view that looks up the key, inserts a row and answers. For comparison only."""

from __future__ import annotations

import json
import os
from hashlib import sha256

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "market.settings")
django.setup()

from django.conf import settings  # noqa: E402  needs Django set up
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from products.record.clock import now  # noqa: E402
from settlement.entitlements.models import ApiKey  # noqa: E402
from settlement.metering.models import UsageEvent  # noqa: E402
from settlement.metering.rules import month_of, usage_id  # noqa: E402

POINT = {"date": "2026-10-15", "value": "114.25", "vintage": "2026-10-15"}


def call(request: HttpRequest, code: str) -> HttpResponse:
    body = json.loads(request.body)
    secret = request.headers["authorization"].removeprefix("Bearer ")
    key = ApiKey.objects.select_related("entitlement").get(digest=sha256(secret.encode()).digest(), revoked_at=None)
    at = now()
    event = UsageEvent.objects.create(
        event_month=month_of(at),
        id=usage_id(at),
        book_month=month_of(at),
        entitlement_id=key.entitlement_id,
        product_id=key.entitlement.product_id,
        key_id=key.pk,
        source="/plain",
        event_id=str(usage_id(at)),
        purpose=key.entitlement.purposes[0],
        units={"calls": "1"},
        event_time=at,
        received_at=at,
        is_free=False,
        request_digest=sha256(request.body).digest(),
    )
    answer = JsonResponse({"data": {"ask": body["ask"], "points": [POINT]}, "receipt": {"id": str(event.id)}})
    answer["content-length"] = str(len(answer.content))
    return answer


def ready(request: HttpRequest) -> HttpResponse:
    connection.ensure_connection()
    return HttpResponse("ready\n")


urlpatterns = [path("v1/products/<str:code>", call), path("readyz", ready)]
settings.ROOT_URLCONF = "bench.plain"
settings.MIDDLEWARE = []
connection.settings_dict["CONN_MAX_AGE"] = None
application = get_wsgi_application()
