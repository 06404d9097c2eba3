"""An operator's side of cost filings: allocation rules, the ledger file, filing, withdrawing. The audit is in auditing.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.bodies import NoRegulator, overseers, region_of_authorisation
from pricing.costs import ledger
from pricing.costs.auditing import cost_audit, cost_item_overrule, cost_return
from pricing.costs.filing import LIMIT, facts_of, record
from pricing.costs.models import AllocationRule, CostFiling, CostItem
from pricing.costs.refusals import (
    AllocationRefused,
    CostFileUnknown,
    CostReasonMissing,
    CostStepOutOfOrder,
    CostYearTaken,
    CostYearWrong,
)
from pricing.costs.rules import MOST_PARTS, PartsWrong, admit, parse_parts
from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, User
from products.organisations.selectors import require_role
from products.record import audit, cases, evidence
from products.record.clock import business_date
from products.record.models import Case, CaseState, Evidence
from products.record.notices import define, notify
from products.record.rule_sets import NATIONAL, rules_on
from products.registry.models import Authorisation

__all__ = [
    "allocation_rule_make",
    "cost_audit",
    "cost_file",
    "cost_item_overrule",
    "cost_ledger_keep",
    "cost_return",
    "cost_withdraw",
]

COST_ROLES = ("pricing", "finance")
CASE = "cost_filing"
State: Any = CostFiling.State

define(
    "cost.filed",
    subject=gettext_lazy("Costs of %(year)s filed: %(operator)s"),
    text=gettext_lazy("%(operator)s filed its costs of %(year)s under %(authorisation)s, version %(version)s, for audit."),
)
define(
    "cost.withdrawn",
    subject=gettext_lazy("Costs of %(year)s withdrawn: %(operator)s"),
    text=gettext_lazy("%(operator)s withdrew its costs of %(year)s under %(authorisation)s: %(reason)s"),
)


@transaction.atomic
def allocation_rule_make(
    *,
    operator: Organisation,
    code: str,
    name: str,
    driver: str,
    parts: Sequence[Mapping[str, str]],
    reason: str,
    user: User,
    at: datetime,
) -> AllocationRule:
    """A rule for shared costs, or the next version of the one with this code; filings keep the version that they named.

    ``parts``: ``[{"business_line", "percent": "62.5"}, …]``, summing to 100 % exactly. Raises AllocationRefused, RoleMissing.
    """
    require_role(user, operator, *COST_ROLES)
    given = {"code": code.strip().lower(), "name": name.strip(), "driver": driver.strip(), "reason": reason.strip()}
    for field, value in given.items():
        if not value:
            raise AllocationRefused(_("Name the rule, what it follows, and why."), field=field)
    try:
        found = parse_parts(parts)
    except PartsWrong as wrong:
        raise AllocationRefused(_parts_text(wrong), field="parts", problem=wrong.problem, place=wrong.place) from wrong
    _check_lines(operator, [part.line for part in found])
    Organisation.objects.select_for_update(no_key=True).get(pk=operator.pk)  # versions count without gaps
    version = AllocationRule.objects.filter(operator=operator, code=given["code"]).count() + 1
    kept = [{"business_line": part["business_line"].strip(), "percent": part["percent"].strip()} for part in parts]
    rule = AllocationRule.objects.create(operator=operator, version=version, parts=kept, made_by=user, made_at=at, **given)
    facts = {"code": rule.code, "version": version, "parts": kept}
    audit.record(
        action="allocation_rule.made", obj=rule, actor=user, organisation=operator, at=at, reason=rule.reason, facts=facts
    )
    return rule


def _parts_text(wrong: PartsWrong) -> str:
    texts = {
        "too_few": _("A shared cost has at least two business lines."),
        "too_many": _("At most %(most)s business lines."),
        "no_line": _("Part %(place)s has no business line."),
        "shared_line": _("Part %(place)s: “shared” is no business line."),
        "line_twice": _("Part %(place)s: %(value)s stands here twice."),
        "not_percent": _("Part %(place)s: “%(value)s” is no percentage of at most six decimals."),
        "not_positive": _("Part %(place)s: %(value)s lies not between 0 and 100."),
        "not_whole": _("The parts sum to %(value)s %%, not to 100 %%."),
    }
    return texts[wrong.problem] % {"place": wrong.place, "value": wrong.value, "most": MOST_PARTS}


def _check_lines(operator: Organisation, lines: Sequence[str]) -> None:
    own = products_of(operator)
    for line in lines:
        head, point, product = line.partition(".")
        if head == "public_data" and point and product not in own:
            message = _("“%(line)s”: you have no product with this code.") % {"line": line}
            raise AllocationRefused(message, field="parts")


def products_of(operator: Organisation) -> frozenset[str]:
    """The product codes that a business line of the operator may carry."""
    return frozenset(DataProduct.objects.filter(operator=operator).values_list("code", flat=True))


@transaction.atomic
def cost_ledger_keep(
    *, authorisation: Authorisation, year: int, file_name: str, content: bytes, user: User, at: datetime
) -> Evidence:
    """Check a ledger file and keep it, to be looked at and then filed. A file with anything wrong is not kept.

    Raises LedgerRefused (all problems with their cells), CostYearWrong, CostYearTaken, RoleMissing, and as evidence.keep does.
    """
    _check(authorisation, year, user, at)
    kept = evidence.keep(
        organisation=authorisation.operator,
        user=user,
        file_name=file_name,
        content=content,
        purpose=purpose_of(authorisation, year),
        at=at,
    )
    rows_of(authorisation=authorisation, year=year, file_name=file_name, content=content)
    return kept


def purpose_of(authorisation: Authorisation, year: int) -> str:
    return f"cost_ledger:{authorisation.pk}:{year}"


def rows_of(*, authorisation: Authorisation, year: int, file_name: str, content: bytes) -> tuple[list[CostItem], int]:
    """The rows of a file as items that are not saved yet, each admitted or not, and how many examples were left out."""
    operator = authorisation.operator
    named: dict[str, AllocationRule] = {}
    for rule in AllocationRule.objects.filter(operator=operator).order_by("code", "version"):
        named[rule.code] = named[f"{rule.code} v{rule.version}"] = rule
    parts = {rule.pk: parse_parts(rule.parts) for rule in named.values()}
    found = ledger.read(file_name=file_name, content=content, year=year, products=products_of(operator), allocations=named)
    return [_item(row, parts[row.allocation.pk] if row.allocation else ()) for row in found.rows], found.examples


def _item(row: ledger.Row[AllocationRule], parts: Any) -> CostItem:
    said = admit(
        item=row.item,
        nature=row.nature,
        funding=row.funding,
        business_line=row.business_line,
        amount_minor=row.amount_minor,
        parts=parts,
    )
    return CostItem(
        row=row.row,
        item=row.item,
        nature=row.nature,
        business_line=row.business_line,
        funding=row.funding,
        amount_minor=row.amount_minor,
        voucher=row.voucher,
        allocation=row.allocation,
        is_admitted=said.is_admitted,
        rule=said.rule,
        admitted_minor=said.admitted_minor,
    )


@transaction.atomic
def cost_file(
    *, authorisation: Authorisation, year: int, file: Evidence, user: User, at: datetime, statement: str = ""
) -> CostFiling:
    """File the costs of a year that is over, from a file that ``cost_ledger_keep`` took. A returned filing gets its next version.

    Raises CostYearWrong, CostYearTaken, CostFileUnknown, LedgerRefused, NoRegulator, ParameterNotSet, RoleMissing.
    """
    authorisation = (
        Authorisation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("operator", "authorising_body")
        .get(pk=authorisation.pk)
    )
    _check(authorisation, year, user, at)
    if file.organisation_id != authorisation.operator_id or file.purpose != purpose_of(authorisation, year):
        raise CostFileUnknown(_("Upload the ledger of this authorisation and year first."), field="file")
    items, _examples = rows_of(authorisation=authorisation, year=year, file_name=file.file_name, content=bytes(file.content))
    last = CostFiling.objects.filter(authorisation=authorisation, year=year).order_by("-version").first()
    region = region_of_authorisation(authorisation)
    rules = rules_on(on=business_date(at), jurisdiction=region or NATIONAL, names=[LIMIT])
    try:
        with transaction.atomic():
            filing = CostFiling.objects.create(
                authorisation=authorisation,
                year=year,
                version=last.version + 1 if last else 1,
                file=file,
                statement=statement.strip(),
                rules=rules,
                filed_by=user,
                filed_at=at,
            )
    except IntegrityError as error:  # another request was quicker
        raise CostYearTaken(_taken(year), field="year") from error
    for item in items:
        item.filing = filing
    CostItem.objects.bulk_create(items)
    filing.case = _case(filing, last, user, at)
    filing.save(update_fields=["case"])
    _tell_overseers("cost.filed", filing, at)
    facts = {"file": file.sha256, "rows": len(items), "amount": sum(i.amount_minor for i in items)}
    facts["admitted"] = sum(item.admitted_minor for item in items)
    record("filed", filing, user, at, facts)
    return filing


@transaction.atomic
def cost_withdraw(*, filing: CostFiling, reason: str, user: User, at: datetime) -> CostFiling:
    """Take back a filing that is not decided yet. Raises CostReasonMissing, CostStepOutOfOrder, RoleMissing."""
    require_role(user, filing.authorisation.operator, *COST_ROLES)
    if not reason.strip():
        raise CostReasonMissing(_("Say why."), field="reason")
    claimed = CostFiling.objects.filter(pk=filing.pk, state=State.SUBMITTED)
    if not claimed.update(state=State.WITHDRAWN, decision_reason=reason.strip(), decided_at=at):
        raise CostStepOutOfOrder(_("This filing is at another step by now; look at it again."))
    filing.refresh_from_db()
    if filing.case is not None:
        cases.close(case=filing.case, outcome="withdrawn", actor=user, at=at, note=reason.strip())
    _tell_overseers("cost.withdrawn", filing, at, reason=reason.strip())
    record("withdrawn", filing, user, at, reason=reason.strip())
    return filing


def _check(authorisation: Authorisation, year: int, user: User, at: datetime) -> None:
    """Who files, and for which year: one that is over, in which the operation ran, and that is not filed already."""
    require_role(user, authorisation.operator, *COST_ROLES)
    today = business_date(at)
    if year >= today.year:
        message = _("The year %(year)s is not over. Its costs are filed from 1 January %(next)s on.")
        raise CostYearWrong(message % {"year": year, "next": year + 1}, field="year")
    since = min(filter(None, (authorisation.operating_since, authorisation.from_date)))
    if authorisation.state == Authorisation.State.DRAFT or not since.year <= year <= authorisation.to_date.year:
        message = _("%(number)s was operated from %(since)s to %(until)s: the year %(year)s lies outside.")
        named = {"number": authorisation.number, "since": since, "until": authorisation.to_date, "year": year}
        raise CostYearWrong(message % named, field="year")
    if CostFiling.objects.filter(authorisation=authorisation, year=year, state__in=["submitted", "audited"]).exists():
        raise CostYearTaken(_taken(year), field="year")


def _taken(year: int) -> str:
    return _("The costs of %(year)s are filed already. Withdraw that filing, or wait until it is returned.") % {"year": year}


def _case(filing: CostFiling, last: CostFiling | None, user: User, at: datetime) -> Case:
    """The case of a returned filing goes on with its next version; anything else begins one."""
    note = _("Version %(version)s") % {"version": filing.version}
    if last is not None and last.case is not None and last.case.state == CaseState.WAITING:
        return cases.resume(case=last.case, actor=user, at=at, note=note, evidence=[filing.file])
    region = region_of_authorisation(filing.authorisation)
    found = overseers(kind="price_regulator", region=region)
    if not found:
        raise NoRegulator(_("No price regulator of region %(region)s is on the platform.") % {"region": region or "–"})
    case = cases.open_case(
        kind=CASE,
        obj=filing,
        applicant=filing.authorisation.operator,
        handler=found[0],
        limit_days=int(filing.rules[LIMIT]["value"]),
        at=at,
        actor=user,
        note=note,
    )
    case.events.get(kind="opened").evidence.add(filing.file)
    return case


def _tell_overseers(kind: str, filing: CostFiling, at: datetime, **more: object) -> None:
    assert filing.case is not None
    facts = facts_of(filing) | more
    bodies = [filing.case.handler, *overseers(kind="data_bureau", region=region_of_authorisation(filing.authorisation))[:1]]
    for body in bodies:
        notify(kind=kind, organisation=body, facts=facts, url=f"/console/regulator/costs/{filing.pk}/", at=at)
