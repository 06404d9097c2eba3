"""Signing in and out, the language switch, the acting organisation, and a person's notices."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from market.storefront.acting import act_for, memberships
from products.record import clock
from products.record.models import Notice

LANGUAGE_COOKIE_AGE = 365 * 24 * 3600


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("E-mail address and password do not fit. Check both; capitals matter in the password."),
        "inactive": _("This account is closed. Ask the platform to open it again."),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["username"].widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "maxlength": 254})
        self.fields["password"].label = _("Password")

    def clean_username(self) -> str:
        return self.cleaned_data["username"].strip().lower()


class SignInView(LoginView):
    template_name = "market/sign_in.html"
    form_class = AuthenticationForm
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        return _remember_language(response, form.get_user().language)


class SignOutView(LogoutView):
    next_page = settings.LOGOUT_REDIRECT_URL


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie, and for a signed-in person in the account too."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(_safe_next(request, "/"))
    if chosen not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated and request.user.language != chosen:
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return _remember_language(response, chosen)


@require_POST
@login_required
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations."""
    chosen = next((m for m in memberships(request) if str(m.pk) == request.POST.get("membership")), None)
    if chosen is None:
        raise Http404
    act_for(request, chosen)
    return HttpResponseRedirect(_safe_next(request, reverse("console")))


@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """The person's notices, newest first; posting marks all as read."""
    own = Notice.objects.filter(user=request.user)
    if request.method == "POST":
        own.filter(read_at=None).update(read_at=clock.now())
        return redirect("notices")
    page = Paginator(own.order_by("-created_at", "-id"), 25).get_page(request.GET.get("page"))
    return render(request, "market/notices.html", {"page": page})


def _safe_next(request: HttpRequest, fallback: str) -> str:
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return target if is_ours else fallback


def _remember_language(response: HttpResponse, language: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
