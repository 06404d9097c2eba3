"""What a re-developed product stands on, directly and through others, and who controls whom.

Third parties may build on delivered products and sell at market prices; an operator may not do so in its own authorised
scope, directly or indirectly, and an affiliate of the operator is looked at by the price regulator (domain.md fact 10,
scenarios 45 and 46).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from products.catalogue.models import DataProduct
from products.organisations.models import Organisation
from products.record.models import Case
from products.record.objects import reference

AFFILIATE_CASE = "affiliate_redevelopment"
INDEPENDENT, SAME_CONTROL = "independent", "same_control"


@dataclass(frozen=True, slots=True)
class Origin:
    """``bases`` are the products that a product names, ``ancestors`` these and all that they stand on in turn.

    ``outcome`` is how the regulator decided on an affiliate's product: ``independent``, ``same_control``, or empty.
    """

    bases: Sequence[DataProduct] = ()
    ancestors: Sequence[DataProduct] = ()
    outcome: str = ""

    def own_delivered(self, operator_id: int) -> list[DataProduct]:
        """The operator's own delivered products among the ancestors: those under an authorisation."""
        return [base for base in self.ancestors if base.operator_id == operator_id and base.authorisation_id is not None]


NO_ORIGIN = Origin()


def origin_of(product: DataProduct) -> Origin:
    """What a product stands on; one query for a product that names none."""
    bases = list(product.built_on.select_related("operator").order_by("code"))
    if not bases:
        return NO_ORIGIN
    return Origin(bases, ancestors_of(bases), outcome_of(product))


def ancestors_of(bases: Sequence[DataProduct]) -> list[DataProduct]:
    """The products and all that they stand on, each once; a query a generation."""
    found = {base.pk: base for base in bases}
    newest = list(found)
    while newest:
        older = DataProduct.objects.filter(built_into__in=newest).exclude(pk__in=found).select_related("operator").distinct()
        generation = {base.pk: base for base in older}
        found |= generation
        newest = list(generation)
    return list(found.values())


def outcome_of(product: DataProduct) -> str:
    case = affiliate_case(product)
    return case.outcome if case else ""


def affiliate_case(product: DataProduct) -> Case | None:
    """The latest case about an affiliate's re-development; None where there was none."""
    object_type, object_id = reference(product)
    found = Case.objects.filter(kind=AFFILIATE_CASE, object_type=object_type, object_id=object_id)
    return found.select_related("handler", "applicant").order_by("-opened_at", "-id").first()


def controller_of(organisation: Organisation) -> int:
    """The one at the top of the chain of control (itself, where nobody controls it); the smallest of a circle."""
    seen: list[int] = []
    current: Organisation | None = organisation
    while current is not None and current.pk not in seen:
        seen.append(current.pk)
        current = current.controlled_by
    return seen[-1] if current is None else min(seen[seen.index(current.pk) :])


def are_affiliates(one: Organisation, other: Organisation) -> bool:
    """Whether two organisations are under the same control, over any number of steps."""
    return one.pk != other.pk and controller_of(one) == controller_of(other)


def affiliated_bases(product: DataProduct) -> list[DataProduct]:
    """The delivered products under a re-developed one whose operator is under the same control as its seller."""
    delivered = [base for base in origin_of(product).ancestors if base.authorisation_id is not None]
    return [base for base in delivered if are_affiliates(product.operator, base.operator)]
