"""The first organisation of an installation: the platform, which then verifies all others."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.organisations.members import join
from products.organisations.models import Organisation, OrganisationKind, OrganisationState, Role, User
from products.organisations.services import organisation_register
from products.record import audit
from products.record.refusals import Refused


class PlatformExists(Refused):
    code = "platform_exists"


@transaction.atomic
def platform_found(*, uscc: str, name: str, owner: User, at: datetime, name_en: str = "") -> Organisation:
    """The platform, verified by its own first owner: there is nobody else yet. Raises PlatformExists, UsccInvalid."""
    if Organisation.objects.filter(kind=OrganisationKind.PLATFORM).exists():
        raise PlatformExists(_("This installation has its platform already."))
    platform = organisation_register(uscc=uscc, name=name, name_en=name_en, kind=OrganisationKind.PLATFORM, user=None, at=at)
    join(organisation=platform, user=owner, roles=[Role.OWNER, Role.REVIEWER, Role.FINANCE], at=at)
    Organisation.objects.filter(pk=platform.pk).update(state=OrganisationState.VERIFIED, verified_at=at, verified_by=owner)
    audit.record(action="platform.founded", obj=platform, actor=owner, organisation=platform, at=at)
    platform.refresh_from_db()
    return platform
