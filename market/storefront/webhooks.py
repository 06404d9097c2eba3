"""The payment provider's webhook: can finish the whole job alone, and may come late, twice, or in any order."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from market.storefront import purchase
from products.record import clock
from products.record.refusals import Refused
from settlement.payments import services as payments
from settlement.payments.base import NewsKind, PaymentNews
from settlement.payments.models import PaymentIntent

logger = logging.getLogger("gongshu.payments")


@csrf_exempt
@require_POST
def stripe(request: HttpRequest) -> HttpResponse:
    """204 once the news is dealt with; 400 where it is not the provider's; 500 makes the provider send it again."""
    try:
        news = payments.provider().webhook_parse(request.body, request.headers.get("Stripe-Signature", ""))
    except Refused as refusal:
        logger.warning("webhook refused: %s", refusal.code)
        return HttpResponse(status=400)
    now = clock.now()
    kept = payments.news_keep(news=news, at=now)
    if kept.processed_at is None:
        _act(news, now)
        payments.news_processed(event=kept, at=now)
    return HttpResponse(status=204)


def _act(news: PaymentNews, at: datetime) -> None:
    intent = _intent_of(news)
    if intent is None:
        return
    if news.kind is NewsKind.PAID:
        payments.amount_check(intent=intent, amount_minor=news.amount_minor, currency=news.currency)
        purchase.payment_settle(intent=intent, at=at)
    elif news.kind in (NewsKind.FAILED, NewsKind.EXPIRED) and intent.state in payments.OPEN_STATES:
        purchase.payment_cancel(intent=intent, actor=None, at=at, is_failure=True)


def _intent_of(news: PaymentNews) -> PaymentIntent | None:
    try:
        return PaymentIntent.objects.filter(pk=uuid.UUID(news.intent_id)).first()
    except ValueError:
        return None
