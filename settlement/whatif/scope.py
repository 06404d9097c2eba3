"""Which part of history a what-if looks at, and who may look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pricing.bodies import stem
from products.models import Authorisation, DataProduct, Organisation
from products.organisations.models import OrganisationKind
from products.record.refusals import Refused

OVERSEERS = (OrganisationKind.PRICE_REGULATOR, OrganisationKind.DATA_BUREAU)
KINDS = (*OVERSEERS, OrganisationKind.AUTHORISING_BODY, OrganisationKind.OPERATOR)


class ScopeNotYours(Refused):
    """The operator or sector is not one that this organisation may look into."""

    code = "what_if_scope_not_yours"


class NothingToReplay(Refused):
    code = "what_if_nothing_to_replay"


@dataclass(frozen=True, slots=True)
class Scope:
    """One operator or one sector (a data class). ``authorising_body_id`` narrows it to products of that body's authorisations,
    ``region`` (the stem of an administrative division code) to what was authorised there.

    Months are [from_month, to_month), by the month of the use; ``with_running`` adds months that are not closed yet.
    """

    operator_id: int | None
    sector: str
    from_month: date
    to_month: date
    with_running: bool = False
    authorising_body_id: int | None = None
    region: str = ""

    def products(self) -> dict[int, DataProduct]:
        """The products in scope, by id."""
        found = DataProduct.objects.select_related("operator", "authorisation").order_by("code")
        if self.operator_id is not None:
            found = found.filter(operator=self.operator_id)
        if self.sector:
            found = found.filter(resources__data_class=self.sector).distinct()
        if self.authorising_body_id is not None:
            found = found.filter(authorisation__authorising_body=self.authorising_body_id)
        if self.region:
            found = found.filter(of_region(self.region, "authorisation"))
        return {product.pk: product for product in found}

    def months(self) -> list[date]:
        found, month = [], self.from_month
        while month < self.to_month:
            found.append(month)
            month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        return found


def scope_for(
    *,
    organisation: Organisation,
    operator: Organisation | None,
    sector: str,
    from_month: date,
    to_month: date,
    with_running: bool = False,
) -> Scope:
    """The scope as far as the organisation may see it. Raises ScopeNotYours.

    Price regulators and data bureaus look at any operator or sector of their region; an authorising body at the products that it
    authorised, of one operator or of a sector; an operator at itself.
    """
    if operator is None and not sector:
        raise ScopeNotYours(_("Choose an operator or a sector."), field="operator")
    body = None
    if organisation.kind == OrganisationKind.OPERATOR:
        if operator is None or operator.pk != organisation.pk or sector:
            raise ScopeNotYours(_("An operator tries changes on its own products only."), field="operator")
    elif organisation.kind == OrganisationKind.AUTHORISING_BODY:
        body = organisation.pk
        given = Authorisation.objects.filter(authorising_body=organisation)
        if operator is not None and not given.filter(operator=operator).exists():
            raise ScopeNotYours(_("This operator holds no authorisation of yours."), field="operator")
    elif organisation.kind not in OVERSEERS:
        raise ScopeNotYours(_("The what-if bench is for those who oversee prices, and for operators themselves."))
    elif operator is not None and operator not in operators_of(organisation):
        raise ScopeNotYours(_("This operator works outside your region."), field="operator")
    region = stem(organisation.region) if organisation.kind in OVERSEERS else ""
    return Scope(operator.pk if operator else None, sector, from_month, to_month, with_running, body, region)


def of_region(prefix: str, path: str) -> Q:
    """Rows whose authorisation lies in a region: by its own code, else by its authorising body's."""
    own = Q(**{f"{path}__region__startswith": prefix})
    return own | Q(**{f"{path}__region": "", f"{path}__authorising_body__region__startswith": prefix})


def operators_of(organisation: Organisation) -> list[Organisation]:
    """The operators that the organisation may choose, by name."""
    found = Organisation.objects.filter(kind=OrganisationKind.OPERATOR)
    if organisation.kind == OrganisationKind.OPERATOR:
        found = found.filter(pk=organisation.pk)
    elif organisation.kind == OrganisationKind.AUTHORISING_BODY:
        found = found.filter(authorisations_held__authorising_body=organisation).distinct()
    elif organisation.kind in OVERSEERS and stem(organisation.region):
        found = found.filter(of_region(stem(organisation.region), "authorisations_held")).distinct()
    elif organisation.kind not in OVERSEERS:
        found = found.none()
    return list(found.order_by("name_key", "name", "id"))


def sectors_of(organisation: Organisation) -> list[str]:
    """The sectors (data classes of the resources behind products) that the organisation may choose."""
    if organisation.kind == OrganisationKind.OPERATOR or organisation.kind not in KINDS:
        return []
    found = DataProduct.objects.filter(resources__isnull=False)
    if organisation.kind == OrganisationKind.AUTHORISING_BODY:
        found = found.filter(authorisation__authorising_body=organisation)
    elif stem(organisation.region):
        found = found.filter(of_region(stem(organisation.region), "authorisation"))
    return sorted(set(found.values_list("resources__data_class", flat=True)))
