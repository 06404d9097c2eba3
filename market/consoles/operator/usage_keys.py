"""Keys with which the operator's own services report usage (``gs_op_…``): issued once, revoked at any time."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from market.consoles.operator.access import keys_page, operator_of
from market.consoles.operator.forms import KeyForm
from products.record import clock
from products.record.refusals import Refused
from settlement.entitlements.models import ApiKey
from settlement.entitlements.selectors import keys_of
from settlement.entitlements.services import key_issue, key_revoke

PAGE_SIZE = 25


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@keys_page
def keys(request: HttpRequest) -> HttpResponse:
    """The operator's usage keys. Issuing answers with the page itself: the secret is in no other place and no session."""
    operator, at = operator_of(request), clock.now()
    form, secret, refusal = KeyForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        try:
            _key, secret = key_issue(
                organisation=operator, mode=ApiKey.Mode.OPERATOR, name=form.cleaned_data["name"], user=request.user, at=at
            )
            form = KeyForm()
        except Refused as refused:
            refusal = refused
    found = keys_of(organisation=operator, modes=[ApiKey.Mode.OPERATOR])
    context = {
        "operator": operator,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form,
        "secret": secret,
        "refusal": refusal,
    }
    status = 409 if refusal else 422 if form.errors else 200
    return render(request, "market/consoles/operator/usage_keys.html", context, status=status)


@require_POST
@keys_page
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk, organisation=operator_of(request), mode=ApiKey.Mode.OPERATOR)
    key_revoke(key=key, user=request.user, at=clock.now())
    messages.success(request, _("The key %(hint)s… is revoked: reports with it are refused within seconds.") % {"hint": key.hint})
    return redirect("operator-usage-keys")
