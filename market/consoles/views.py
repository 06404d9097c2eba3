"""The console's home: what a person can do for the acting organisation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from market.storefront.acting import acting_membership


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "market/consoles/home.html", {"membership": acting_membership(request)})
