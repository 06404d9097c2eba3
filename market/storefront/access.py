"""Who may open a page: a decorator that asks for an organisation's kind and a role in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from market.storefront.acting import acting_membership, has_role
from products.organisations.models import Organisation
from products.organisations.selectors import may_decide


def _of_kind(organisation: Organisation, kinds: Collection[str]) -> bool:
    """A kind that decides over others counts only once its certificate is checked: anyone can sign up."""
    return organisation.kind in kinds and may_decide(organisation)


def role_required(kinds: Collection[str] = (), roles: Collection[str] = ()) -> Callable:
    """Let in people whose acting organisation is of one of the kinds and who have one of the roles there.

    Empty means any. A visitor goes to sign in; another person gets a 403 page that names what is missing. The view finds the
    membership in ``request.membership``.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            membership = acting_membership(request)
            fits = membership is not None and (not kinds or _of_kind(membership.organisation, kinds))
            if not fits or (roles and not has_role(membership, *roles)):
                return render(request, "market/forbidden.html", {"membership": membership}, status=403)
            request.membership = membership
            return view(request, *args, **kwargs)

        guarded.required_kinds, guarded.required_roles = frozenset(kinds), frozenset(roles)  # type: ignore[attr-defined]
        return guarded

    return decorate
