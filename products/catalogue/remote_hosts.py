"""The egress allow-list: an operator asks for a host of its own, a security reviewer of another organisation decides.

Nothing of ours calls a host that is not allowed; a withdrawn one is called no more within a second.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from products.catalogue.models import DataProduct, RemoteHost
from products.catalogue.permissions import PUBLISHERS, NotAllowed, require_publisher
from products.catalogue.services import ReasonMissing
from products.organisations.models import Membership, Organisation, OrganisationKind, OrganisationState, User
from products.organisations.selectors import has_role
from products.record.audit import record
from products.record.refusals import Refused
from products.registry.models import Authorisation
from products.runtimes.addresses import is_host_name, is_port

DECIDERS = (OrganisationKind.PLATFORM, OrganisationKind.DATA_BUREAU, OrganisationKind.AUTHORISING_BODY)
State = RemoteHost.State


class HostNotWellFormed(Refused):
    """Not a host name of the public internet, or a port that is not for HTTPS services. ``field`` names which."""

    code = "host_not_well_formed"


class HostAskedAlready(Refused):
    code = "host_asked_already"


class HostStateRefused(Refused):
    """Somebody else was faster, or the person who asked would decide."""

    code = "host_state_refused"


def remote_host_request(
    *, operator: Organisation, host: str, port: int, reason: str, by: User, at: datetime, for_tests: bool = False
) -> RemoteHost:
    """Ask that the gateway may call ``host:port`` for the operator's products.

    Raises ``RoleMissing``, ``HostNotWellFormed``, ``ReasonMissing``, ``HostAskedAlready``. ``for_tests`` admits ``localhost``.
    """
    require_publisher(by, operator)
    host = host.strip().lower().rstrip(".")
    if not is_host_name(host, for_tests=for_tests):
        raise HostNotWellFormed(
            _("Give the name of a host of the public internet, not an address or a local name."), field="host"
        )
    if not is_port(port):
        raise HostNotWellFormed(_("The port must be 443, or 1024 and above."), field="port")
    if not reason.strip():
        raise ReasonMissing(_("Say which service runs there and for which product; the reviewer reads it."), field="reason")
    try:
        with transaction.atomic():
            asked = RemoteHost.objects.create(
                operator=operator, host=host, port=port, request=reason.strip(), requested_by=by, requested_at=at
            )
            facts = {"host": host, "port": port}
            record(action="remote_host.requested", obj=asked, actor=by, organisation=operator, at=at, facts=facts)
    except IntegrityError as error:
        raise HostAskedAlready(_("This host is asked for or allowed already."), field="host") from error
    return asked


@transaction.atomic
def remote_host_decide(*, remote_host: RemoteHost, is_allowed: bool, reason: str, by: User, at: datetime) -> RemoteHost:
    """Allow or refuse, by a security reviewer from outside the operator. Raises ``NotAllowed``, ``HostStateRefused``."""
    _require_reviewer(by, remote_host.operator)
    if not reason.strip():
        raise ReasonMissing(_("Give the reason for the decision."), field="reason")
    state = State.ALLOWED if is_allowed else State.REFUSED
    claimed = RemoteHost.objects.filter(pk=remote_host.pk, state=State.REQUESTED).exclude(requested_by=by)
    if not claimed.update(state=state, decided_by=by, decided_at=at, reason=reason.strip()):
        raise HostStateRefused(_("This request is already decided, or you asked for it yourself."))
    remote_host.refresh_from_db()
    facts = {"host": remote_host.host, "port": remote_host.port}
    record(
        action="remote_host.allowed" if is_allowed else "remote_host.refused",
        obj=remote_host,
        actor=by,
        organisation=remote_host.operator,
        at=at,
        reason=reason,
        facts=facts,
    )
    return remote_host


@transaction.atomic
def remote_host_withdraw(*, remote_host: RemoteHost, reason: str, by: User, at: datetime) -> RemoteHost:
    """Close the way to a host: the operator's publishers may, and the reviewers. Calls stop within a second.

    Raises ``NotAllowed``, ``ReasonMissing``, ``HostStateRefused``.
    """
    if not has_role(by, remote_host.operator, *PUBLISHERS):
        _require_reviewer(by, remote_host.operator)
    if not reason.strip():
        raise ReasonMissing(_("Give the reason."), field="reason")
    claimed = RemoteHost.objects.filter(pk=remote_host.pk, state__in=[State.REQUESTED, State.ALLOWED])
    if not claimed.update(state=State.WITHDRAWN, withdrawn_by=by, withdrawn_at=at, withdrawal=reason.strip()):
        raise HostStateRefused(_("This host is neither asked for nor allowed any more."))
    remote_host.refresh_from_db()
    facts = {"host": remote_host.host, "port": remote_host.port}
    record(
        action="remote_host.withdrawn",
        obj=remote_host,
        actor=by,
        organisation=remote_host.operator,
        at=at,
        reason=reason,
        facts=facts,
    )
    return remote_host


def host_is_allowed(*, operator: Organisation, host: str, port: int) -> bool:
    return RemoteHost.objects.filter(operator=operator, host=host, port=port, state=State.ALLOWED).exists()


def product_may_call(product_code: str, host: str, port: int) -> bool:
    """Whether the host is allowed for the product's operator: what ``Egress.allows`` asks outside the gateway."""
    product = DataProduct.objects.select_related("operator").filter(code=product_code).first()
    return product is not None and host_is_allowed(operator=product.operator, host=host, port=port)


def remote_hosts_of(*, operator: Organisation) -> QuerySet[RemoteHost]:
    """The operator's requests, the latest first."""
    found = RemoteHost.objects.filter(operator=operator).select_related("requested_by", "decided_by", "withdrawn_by")
    return found.order_by("-requested_at", "-id")


def remote_hosts_for(*, reviewer: Organisation) -> QuerySet[RemoteHost]:
    """What a reviewer's organisation sees: an authorising body the operators that it authorised, the others all."""
    found = RemoteHost.objects.select_related("operator", "requested_by", "decided_by", "withdrawn_by")
    if reviewer.kind == OrganisationKind.AUTHORISING_BODY:
        found = found.filter(operator__in=Authorisation.objects.filter(authorising_body=reviewer).values("operator"))
    return found


def _require_reviewer(user: User, operator: Organisation) -> None:
    if has_role(user, operator):
        raise NotAllowed(_("Who decides is from outside the operator."))
    authorised = Authorisation.objects.filter(operator=operator).values("authorising_body")
    bodies = Q(organisation__kind__in=DECIDERS[:2]) | Q(organisation__in=authorised)
    held = Membership.objects.filter(bodies, user=user, is_active=True, organisation__state=OrganisationState.VERIFIED)
    if not held.filter(roles__contains=["reviewer"]).exists():
        raise NotAllowed(_("Only a reviewer of the authorising body, the data bureau or the platform may decide this."))
