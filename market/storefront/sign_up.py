"""Signing up: a person, then an organisation with its code and certificate; and the page that an invitation leads to."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import login, password_validation
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from market.storefront.acting import act_for
from market.storefront.evidence import keep_upload
from products.organisations import services, uscc
from products.organisations.members import invitation_for
from products.organisations.models import OrganisationKind, OrganisationSize, User
from products.organisations.people import person_register
from products.organisations.selectors import membership_of
from products.record import clock
from products.record.refusals import Refused

BACKEND = "django.contrib.auth.backends.ModelBackend"
KINDS = [(kind.value, kind.label) for kind in OrganisationKind if kind != OrganisationKind.PLATFORM]


class PersonForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Your name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(label=gettext_lazy("E-mail address"), widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 10 characters; not a common one."),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> None:
        password = self.cleaned_data.get("password")
        if password:
            person = User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)


class OrganisationForm(forms.Form):
    uscc = forms.CharField(
        label=gettext_lazy("Unified social credit code"),
        help_text=gettext_lazy("18 digits and capital letters, as on the certificate."),
        strip=True,
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "spellcheck": "false",
                "maxlength": 18,
                "hx-get": "/sign-up/kind/",
                "hx-trigger": "change, keyup changed delay:400ms",
                "hx-target": "#kind-proposal",
            }
        ),
    )
    name = forms.CharField(label=gettext_lazy("Name, as on the certificate"), max_length=200)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=200, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[("", gettext_lazy("As the code's first two characters suggest")), *KINDS],
        required=False,
    )
    size = forms.ChoiceField(
        label=gettext_lazy("Size of the enterprise"),
        choices=[("", gettext_lazy("Not stated")), *OrganisationSize.choices],
        required=False,
        help_text=gettext_lazy("As the statistics classify it. Some published discounts are for small enterprises."),
    )
    complaint_contact = forms.CharField(
        label=gettext_lazy("Complaint channel"),
        help_text=gettext_lazy("Operators must have one; it stands on every product page."),
        max_length=200,
        required=False,
    )
    certificate = forms.FileField(
        label=gettext_lazy("Certificate"),
        help_text=gettext_lazy("PDF, PNG or JPEG, at most 10 MB. The platform compares it with the code and the name."),
    )

    def clean(self) -> None:
        code = self.cleaned_data.get("uscc", "")
        if code and not self.cleaned_data.get("kind"):
            self.cleaned_data["kind"] = uscc.propose_kind(code) or ""
            if not self.cleaned_data["kind"]:
                self.add_error("kind", _("The code does not tell the kind: choose it."))


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest) -> HttpResponse:
    """A new account; goes on to the organisation, or back to the invitation that led here."""
    target = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/sign-up/organisation/"
    if request.user.is_authenticated:
        return redirect(target)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = person_register(**form.cleaned_data, language=get_language() or "zh-hans", at=clock.now())
        except Refused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            login(request, user, backend=BACKEND)
            return redirect(target)
    return render(request, "market/sign_up.html", {"form": form, "next": target}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def organisation(request: HttpRequest) -> HttpResponse:
    """Register the organisation with its certificate; the person becomes its owner."""
    form = OrganisationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        file = fields.pop("certificate")
        at = clock.now()
        try:
            with transaction.atomic():
                new = services.organisation_register(**fields, user=request.user, at=at)
                keep_upload(file, organisation=new, user=request.user, purpose="certificate", at=at)
        except Refused as refusal:
            field = {"file": "certificate"}.get(refusal.field or "", refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            membership = membership_of(request.user, new)
            if membership is not None:
                act_for(request, membership)
            messages.success(
                request,
                _("%(name)s is registered. The platform now checks the certificate and will tell you.") % {"name": new.name},
            )
            return redirect("console")
    return render(request, "market/sign_up_organisation.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def kind(request: HttpRequest) -> HttpResponse:
    """What a code that is being typed says: whether it checks, and the kind that its prefix suggests (a fragment for htmx)."""
    code = request.GET.get("uscc", "").strip()
    refusal: Refused | None = None
    try:
        uscc.check(code)
    except Refused as wrong:
        refusal = wrong
    found = uscc.propose_kind(code) if refusal is None else None
    label = OrganisationKind(found).label if found else ""
    context = {"refusal": refusal if len(code) >= 18 else None, "is_right": refusal is None, "label": label}
    return render(request, "market/sign_up_kind.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Whether to join, and joining."""
    found = invitation_for(token=token)
    if found is None:
        raise Http404
    refusal: Refused | None = None
    if request.method == "POST":
        try:
            membership = services.invitation_accept(token=token, user=request.user, at=clock.now())
        except Refused as wrong:
            refusal = wrong
        else:
            act_for(request, membership)
            messages.success(request, _("You now act for %(name)s.") % {"name": found.organisation.name})
            return redirect("console")
    return render(request, "market/invitation.html", {"invitation": found, "refusal": refusal}, status=422 if refusal else 200)
