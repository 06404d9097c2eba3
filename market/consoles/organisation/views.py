"""The acting organisation: its profile and certificate, its members."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from market.storefront.access import role_required
from market.storefront.evidence import keep_upload
from products.organisations import services
from products.organisations.models import Membership, OrganisationSize, Role
from products.organisations.selectors import has_role, members_of
from products.record import clock
from products.record.models import Evidence
from products.record.refusals import Refused


class RolesField(forms.MultipleChoiceField):
    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Roles"), choices=Role.choices, widget=forms.CheckboxSelectMultiple)


class InviteForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    roles = RolesField()


class SizeForm(forms.Form):
    size = forms.ChoiceField(
        label=gettext_lazy("Size of the enterprise"),
        choices=[("", gettext_lazy("Not stated")), *OrganisationSize.choices],
        required=False,
        help_text=gettext_lazy("As the statistics classify it. Some published discounts are for small enterprises."),
    )


class CertificateForm(forms.Form):
    certificate = forms.FileField(label=gettext_lazy("Certificate"), help_text=gettext_lazy("PDF, PNG or JPEG, at most 10 MB."))


@require_http_methods(["GET", "HEAD", "POST"])
@role_required()
def profile(request: HttpRequest) -> HttpResponse:
    """What the market knows of the organisation; an owner may file a newer certificate."""
    organisation = request.membership.organisation
    is_owner = Role.OWNER in request.membership.roles
    form = CertificateForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and is_owner and form.is_valid():
        file = form.cleaned_data["certificate"]
        try:
            keep_upload(file, organisation=organisation, user=request.user, purpose="certificate", at=clock.now())
        except Refused as refusal:
            form.add_error("certificate", str(refusal))
        else:
            messages.success(request, _("The certificate is filed; the platform compares it with the code and the name."))
            return redirect("organisation-profile")
    files = Evidence.objects.filter(organisation=organisation, purpose="certificate").defer("content")
    context = {
        "organisation": organisation,
        "form": form,
        "size_form": SizeForm(initial={"size": organisation.size}),
        "is_owner": is_owner,
        "files": files.order_by("-uploaded_at", "id"),
    }
    return render(request, "market/consoles/organisation/profile.html", context, status=422 if form.errors else 200)


@require_POST
@role_required(roles=[Role.OWNER])
def size(request: HttpRequest) -> HttpResponse:
    """State the enterprise's size."""
    organisation = request.membership.organisation
    try:
        services.organisation_size_state(
            organisation=organisation, size=request.POST.get("size", ""), user=request.user, at=clock.now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The size is stated. It counts for discounts of what you order from now on."))
    return redirect("organisation-profile")


@require_safe
@role_required()
def members(request: HttpRequest) -> HttpResponse:
    return _members_page(request, InviteForm())


@require_POST
@role_required(roles=[Role.OWNER])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite by e-mail; the link is in the mail only."""
    form = InviteForm(request.POST)
    organisation = request.membership.organisation
    if form.is_valid():
        try:
            invitation, token = services.member_invite(
                organisation=organisation, actor=request.user, at=clock.now(), **form.cleaned_data
            )
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            link = settings.PUBLIC_URL + reverse("invitation", args=[token])
            text = _("%(person)s invites you to act for %(organisation)s on Gongshu. To join, open:\n\n%(link)s")
            facts = {"person": str(request.user), "organisation": organisation.name, "link": link}
            send_mail(_("Invitation to Gongshu"), text % facts, settings.DEFAULT_FROM_EMAIL, [invitation.email])
            messages.success(
                request, _("An invitation is on its way to %(email)s; it is open for 14 days.") % {"email": invitation.email}
            )
            return redirect("members")
    return _members_page(request, form, status=422)


@require_POST
@role_required(roles=[Role.OWNER])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other roles for a member, or the end of the membership."""
    organisation = request.membership.organisation
    membership = get_object_or_404(Membership.objects.select_related("user", "organisation"), pk=pk, organisation=organisation)
    stays = request.POST.get("action") != "end"
    try:
        services.member_change(
            membership=membership, roles=request.POST.getlist("roles"), is_active=stays, actor=request.user, at=clock.now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The membership of %(person)s is changed.") % {"person": str(membership.user)})
    return redirect("members")


def _members_page(request: HttpRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    organisation = request.membership.organisation
    pending = organisation.invitations.filter(accepted_at=None, expires_at__gt=clock.now()).order_by("created_at", "id")
    context = {
        "organisation": organisation,
        "members": members_of(organisation),
        "invitations": pending,
        "roles": Role.choices,
        "form": form,
        "is_owner": has_role(request.user, organisation, Role.OWNER),
    }
    return render(request, "market/consoles/organisation/members.html", context, status=status)
