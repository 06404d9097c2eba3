"""Try a draft on real history, and keep what came out as a case that others can open."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from pricing.rules.exact import scaled
from products.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit
from products.record.clock import business_date
from products.record.refusals import Refused
from settlement.billing.models import Charge
from settlement.whatif import drafts, estimates, history, replay, results
from settlement.whatif.models import WhatIfCase
from settlement.whatif.scope import Scope

WHAT_IF_ROLES = ("pricing", "reviewer", "decider")
KEPT = 4
_loaded: OrderedDict[tuple[Any, ...], history.History] = OrderedDict()


class NothingChanges(Refused):
    code = "what_if_nothing_changes"


class TitleMissing(Refused):
    code = "what_if_title_missing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A draft tried on a scope: the draft as it is kept, the result document, and the digest of what went in."""

    scope: Scope
    draft: dict[str, Any]
    result: dict[str, Any]
    inputs_digest: str


def try_out(*, scope: Scope, draft: Mapping[str, Any], at: datetime) -> Outcome:
    """Replay the scope's history under the draft; writes nothing.

    ``result["estimates"]`` is there only where the draft has a part ``demand``, apart from the exact figures. Raises the refusals
    of history, drafts, replay and estimates; NothingChanges for an empty draft.
    """
    products = scope.products()
    read = drafts.read(draft, products)
    if read.changes_nothing:
        raise NothingChanges(_("Say what should change: caps, a tariff, a discount or free use."))
    demand = estimates.read_demand(draft["demand"]) if draft.get("demand") else None
    past = history_of(scope=scope, at=at)
    replayed = replay.replay(history=past, draft=read, on=business_date(at))
    result = results.summed_up(history=past, replayed=replayed, products=products)
    if demand is not None:
        permitted = [scaled(each["permitted"], 2) for each in result["permitted"]]
        limit = permitted[0] if len(permitted) == 1 else None
        result["estimates"] = estimates.estimate(history=past, replayed=replayed, demand=demand, permitted_minor=limit)
    text = json.dumps([past.digest(), read.document], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Outcome(scope, read.document, result, hashlib.sha256(text.encode()).hexdigest())


def history_of(*, scope: Scope, at: datetime) -> history.History:
    """The scope's history; what is closed is kept in memory, since it can never change, so that a second try starts at once."""
    if scope.with_running:
        return history.load(scope=scope, at=at)
    mine = Charge.objects.filter(service_month__gte=scope.from_month, service_month__lt=scope.to_month)
    key = (scope, tuple(sorted(scope.products())), mine.aggregate(last=Max("id"))["last"])
    if key not in _loaded:
        _loaded[key] = history.load(scope=scope, at=at)
        while len(_loaded) > KEPT:
            _loaded.popitem(last=False)
    _loaded.move_to_end(key)
    return _loaded[key]


@transaction.atomic
def what_if_save(
    *, user: User, organisation: Organisation, title: str, scope: Scope, draft: Mapping[str, Any], is_shared: bool, at: datetime
) -> WhatIfCase:
    """Try the draft again and keep it with its result. Raises what ``try_out`` does, RoleMissing, TitleMissing."""
    require_role(user, organisation, *WHAT_IF_ROLES)
    if not title.strip():
        raise TitleMissing(_("Give the case a title, so that others find it."), field="title")
    outcome = try_out(scope=scope, draft=draft, at=at)
    case = WhatIfCase.objects.create(
        title=title.strip(),
        organisation=organisation,
        author=user,
        operator_id=scope.operator_id,
        sector=scope.sector,
        from_month=scope.from_month,
        to_month=scope.to_month,
        draft=outcome.draft,
        result=outcome.result,
        inputs_digest=outcome.inputs_digest,
        is_shared=is_shared,
        created_at=at,
    )
    facts = {"title": case.title, "operator": scope.operator_id, "sector": scope.sector, "digest": case.inputs_digest}
    audit.record(action="what_if.saved", obj=case, actor=user, organisation=organisation, at=at, facts=facts)
    return case


@transaction.atomic
def what_if_share(*, case: WhatIfCase, user: User, is_shared: bool, at: datetime) -> WhatIfCase:
    """Open the case to the other bodies that oversee the operator, or close it again."""
    require_role(user, case.organisation, *WHAT_IF_ROLES)
    WhatIfCase.objects.filter(pk=case.pk).update(is_shared=is_shared)
    case.refresh_from_db()
    act = "what_if.shared" if is_shared else "what_if.unshared"
    audit.record(action=act, obj=case, actor=user, organisation=case.organisation, at=at)
    return case


__all__ = ["Outcome", "history_of", "try_out", "what_if_save", "what_if_share"]
