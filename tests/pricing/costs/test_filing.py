"""Filing, overruling, returning, auditing: two organisations, dates, content that never changes."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from pricing.costs.models import AllocationRule, CostFiling, CostItem
from pricing.costs.problems import LedgerRefused
from pricing.costs.refusals import (
    AllocationRefused,
    CostAmountOutOfBounds,
    CostFileUnknown,
    CostOfOwnFiling,
    CostReasonMissing,
    CostStepOutOfOrder,
    CostYearTaken,
    CostYearWrong,
)
from pricing.costs.selectors import admitted_by_line, admitted_total, audited_cost, compare, cost_by_product_line, totals
from pricing.costs.services import (
    cost_audit,
    cost_file,
    cost_item_overrule,
    cost_ledger_keep,
    cost_return,
    cost_withdraw,
)
from products.models import AuditEntry, Evidence, Notice
from products.organisations.models import Membership
from products.organisations.selectors import RoleMissing
from products.record import cases
from products.record.documents import documents_about, may_read
from products.record.evidence import EvidenceTypeNotAllowed
from tests.pricing.costs.ledgers import (
    DONATION,
    FINE,
    FISCAL,
    OTHER_LINE,
    OWN,
    SHARED,
    as_csv,
    make_filing,
    make_operation,
    make_rule,
    row,
    xlsx,
)
from tests.pricing.market import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(cast, clock):
    return make_operation(cast, clock.now)


def rules_of(filing) -> dict[str, tuple[str, int]]:
    return {item.item: (item.rule, item.admitted_minor) for item in filing.items.all()}


def test_scenario_19_hardware_paid_by_the_fiscal_budget_is_not_admitted_with_the_reason(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN, FISCAL)
    assert rules_of(filing) == {OWN[0]: ("admitted", 120000000), FISCAL[0]: ("fiscally_funded", 0)}
    assert admitted_total(filing) == 120000000


def test_scenario_20_a_fine_and_a_donation_are_not_admitted(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN, FINE, DONATION, OTHER_LINE)
    assert rules_of(filing) == {
        OWN[0]: ("admitted", 120000000),
        FINE[0]: ("fine", 0),
        DONATION[0]: ("donation", 0),
        OTHER_LINE[0]: ("unrelated", 0),
    }


def test_scenario_21_shared_staff_is_divided_to_100_per_cent_and_the_rules_version_is_kept(cast, clock, operation):
    first = make_rule(cast, clock.now)
    filing = make_filing(cast, operation, clock.now, SHARED)
    item = filing.items.get()
    assert (item.rule, item.amount_minor, item.admitted_minor, item.allocation) == ("allocated", 100000001, 62500001, first)
    second = make_rule(
        cast, clock.now, parts=[{"business_line": "public_data", "percent": "10"}, {"business_line": "x", "percent": "90"}]
    )
    assert (first.version, second.version) == (1, 2)
    item.refresh_from_db()
    assert (item.admitted_minor, item.allocation.version) == (62500001, 1)
    with pytest.raises(AllocationRefused, match=r"99\.5"):
        make_rule(
            cast, clock.now, parts=[{"business_line": "public_data", "percent": "9.5"}, {"business_line": "x", "percent": "90"}]
        )


def test_an_allocation_rule_never_changes_and_is_whole_in_the_database_too(cast, clock):
    rule = make_rule(cast, clock.now)
    with pytest.raises(IntegrityError, match="kept"), transaction.atomic():
        AllocationRule.objects.filter(pk=rule.pk).update(name="x")
    rule.pk, rule.version, rule.parts = None, 2, [{"business_line": "public_data", "percent": "99"}]
    with pytest.raises(IntegrityError, match="100 per cent"), transaction.atomic():
        rule.save()
    with pytest.raises(AllocationRefused, match="no-such"):
        make_rule(
            cast,
            clock.now,
            parts=[{"business_line": "public_data.no-such", "percent": "50"}, {"business_line": "x", "percent": "50"}],
        )
    with pytest.raises(RoleMissing):
        Membership.objects.filter(user=cast.operator.owner).update(roles=["owner"])
        make_rule(cast, clock.now)


def test_filing_opens_a_case_with_the_rule_sets_days_and_tells_regulator_and_bureau(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    assert (filing.state, filing.version, filing.case.kind, filing.case.limit_days) == ("submitted", 1, "cost_filing", 20)
    assert filing.case.handler == cast.regulator.organisation
    assert filing.rules["cost_audit_working_days"]["value"] == 20
    told = set(Notice.objects.filter(kind="cost.filed").values_list("organisation__kind", flat=True))
    assert told == {"price_regulator", "data_bureau"}
    assert AuditEntry.objects.filter(action="cost.filed", object_id=filing.pk).get().facts["admitted"] == 120000000
    assert bytes(filing.file.content).startswith(b"PK")
    assert filing.file in filing.case.events.get(kind="opened").evidence.all()


def test_a_file_with_a_bad_row_keeps_nothing(cast, clock, operation):
    with pytest.raises(LedgerRefused):
        make_filing(cast, operation, clock.now, OWN, row(FINE, amount=-1))
    assert (Evidence.objects.count(), CostFiling.objects.count(), CostItem.objects.count()) == (0, 0, 0)
    assert not AuditEntry.objects.filter(action="evidence.kept").exists()


def test_chinese_csv_is_kept_as_it_came(cast, clock, operation):
    named = {"authorisation": operation, "year": 2025, "user": cast.operator.owner, "at": clock.now}
    content = as_csv(OWN, encoding="gb18030")
    kept = cost_ledger_keep(file_name="台账.csv", content=content, **named)
    assert bytes(kept.content) == content
    assert cost_file(file=kept, **named).items.count() == 1
    with pytest.raises(EvidenceTypeNotAllowed):
        cost_ledger_keep(file_name="a.xlsm", content=xlsx(OWN), **named | {"year": 2024})


def test_the_year_must_be_over_and_within_the_operation(cast, clock, operation):
    for year in (2026, 2027, 9999):
        with pytest.raises(CostYearWrong):
            make_filing(cast, operation, clock.now, row(OWN, year=year), year=year)
    with pytest.raises(CostYearWrong):
        make_filing(cast, operation, clock.now, row(OWN, year=2023), year=2023)
    filing = make_filing(cast, operation, clock.now, row(OWN, year=2024), year=2024)
    with pytest.raises(IntegrityError, match="when it is over"), transaction.atomic():
        CostFiling.objects.create(
            authorisation=operation, year=2026, version=1, file=filing.file, filed_by=cast.operator.owner, filed_at=clock.now
        )
    draft = make_operation(cast, clock.now, number="D", state="draft")
    with pytest.raises(CostYearWrong):
        make_filing(cast, draft, clock.now, OWN)


def test_a_year_is_filed_once_and_by_its_own_file(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    with pytest.raises(CostYearTaken):
        make_filing(cast, operation, clock.now, OWN)
    with pytest.raises(IntegrityError, match="one_live"), transaction.atomic():
        CostFiling.objects.create(
            authorisation=operation, year=2025, version=2, file=filing.file, filed_by=cast.operator.owner, filed_at=clock.now
        )
    other = make_operation(cast, clock.now, number="另一份")
    with pytest.raises(CostFileUnknown):
        cost_file(authorisation=other, year=2025, file=filing.file, user=cast.operator.owner, at=clock.now)


def test_the_regulator_overrules_either_way_within_the_amount_and_with_a_reason(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN, FISCAL)
    own, fiscal = filing.items.order_by("row")
    by = {"user": cast.regulator.decider, "at": clock.now}
    cost_item_overrule(item=own, amount_minor=100, reason="折旧年限过短", **by)
    cost_item_overrule(item=fiscal, amount_minor=300000000, reason="财政资金已上缴", **by)
    assert admitted_total(filing) == 300000100
    for minor in (-1, 120000001, 100):
        with pytest.raises(CostAmountOutOfBounds):
            cost_item_overrule(item=own, amount_minor=minor, reason="x", **by)
    with pytest.raises(CostReasonMissing):
        cost_item_overrule(item=own, amount_minor=7, reason="  ", **by)
    entry = AuditEntry.objects.filter(action="cost.overruled").order_by("id").first()
    assert (entry.facts["from"], entry.facts["to"], entry.reason) == (120000000, 100, "折旧年限过短")
    found = totals(filing.items.all(), "funding")
    assert [(total.code, total.amount_minor, total.counted_minor, total.overruled) for total in found] == [
        ("fiscal", 300000000, 300000000, 1),
        ("own", 120000000, 100, 1),
    ]


def people(cast):
    """Every person of the cast who is no auditor of this filing."""
    for party in vars(cast).values():
        yield from getattr(party, "people", {}).values()
    yield cast.stranger


@pytest.mark.parametrize("step", ["file", "overrule", "return", "audit", "withdraw"])
def test_who_files_does_not_audit_over_every_pair_of_roles(cast, clock, operation, step):
    filing = make_filing(cast, operation, clock.now, OWN)
    item = filing.items.get()
    file = filing.file
    if step == "file":
        cost_withdraw(filing=filing, reason="重报", user=cast.operator.owner, at=clock.now)
    steps = {
        "file": lambda user: cost_file(authorisation=operation, year=2025, file=file, user=user, at=clock.now),
        "overrule": lambda user: cost_item_overrule(item=item, amount_minor=1, reason="x", user=user, at=clock.now),
        "return": lambda user: cost_return(filing=filing, reason="x", user=user, at=clock.now),
        "audit": lambda user: cost_audit(filing=filing, reason="x", user=user, at=clock.now),
        "withdraw": lambda user: cost_withdraw(filing=filing, reason="x", user=user, at=clock.now),
    }
    filers, auditors = {cast.operator.owner, cast.operator.checker}, {cast.regulator.owner, cast.regulator.decider}
    allowed = filers if step in ("file", "withdraw") else auditors
    done = set()
    for user in people(cast):
        try:
            with transaction.atomic():
                steps[step](user)
                done.add(user)
                transaction.set_rollback(True)
        except RoleMissing:
            assert user not in allowed
    assert done == allowed


def test_who_filed_does_not_audit_after_changing_sides(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    filer, regulator = cast.operator.owner, cast.regulator.organisation
    with pytest.raises(IntegrityError, match="regulator and operator at once"), transaction.atomic():
        Membership.objects.create(user=filer, organisation=regulator, roles=["decider"], created_at=clock.now)
    Membership.objects.filter(user=filer).update(is_active=False)
    Membership.objects.create(user=filer, organisation=regulator, roles=["decider"], created_at=clock.now)
    for act in (cost_audit, cost_return):
        with pytest.raises(CostOfOwnFiling):
            act(filing=filing, reason="x", user=filer, at=clock.now)
    with pytest.raises(CostOfOwnFiling):
        cost_item_overrule(item=filing.items.get(), amount_minor=1, reason="x", user=filer, at=clock.now)
    with pytest.raises(IntegrityError, match="by_two_people"), transaction.atomic():
        CostFiling.objects.filter(pk=filing.pk).update(
            state="audited", decided_by=cast.operator.owner, decided_at=clock.now, decision_reason="x"
        )


def test_a_return_stops_the_clock_and_the_next_version_resumes_it(cast, clock, operation):
    make_rule(cast, clock.now)
    first = make_filing(cast, operation, clock.now, OWN, FINE, SHARED)
    clock.move(days=7)
    with pytest.raises(CostReasonMissing):
        cost_return(filing=first, reason="", user=cast.regulator.owner, at=clock.now)
    first = cost_return(filing=first, reason="缺折旧明细", user=cast.regulator.owner, at=clock.now)
    assert (first.state, first.case.state) == ("returned", "waiting")
    assert cases.days_left(case=first.case, today=clock.now.date()).days == 15
    assert Notice.objects.filter(kind="cost.returned", organisation=cast.operator.organisation).exists()
    clock.move(days=10)
    changed = row(OWN, amount=1100000)
    second = make_filing(cast, operation, clock.now, changed, SHARED, DONATION)
    assert (second.version, second.case) == (2, first.case)
    assert (second.case.state, cases.days_left(case=second.case, today=clock.now.date()).days) == ("open", 15)
    found = {(change.kind, change.item.item, change.fields) for change in compare(first, second)}
    assert found == {
        ("changed", OWN[0], ("amount_minor", "admitted_minor")),
        ("added", DONATION[0], ()),
        ("removed", FINE[0], ()),
    }
    done = cost_audit(filing=second, reason="核定", user=cast.regulator.owner, at=clock.now)
    assert (done.case.state, done.case.outcome) == ("closed", "audited")


def test_an_audit_is_final(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    assert audited_cost(authorisation=operation, year=2025) is None
    with pytest.raises(CostReasonMissing):
        cost_audit(filing=filing, reason="", user=cast.regulator.decider, at=clock.now)
    filing = cost_audit(filing=filing, reason="凭证齐全", user=cast.regulator.decider, at=clock.now)
    assert audited_cost(authorisation=operation, year=2025) == filing
    document = documents_about(filing).get()
    assert (document.kind, document.issuer, document.is_public) == ("cost_audit", cast.regulator.organisation, False)
    assert "1,200,000.00" in str(document.content) and "凭证齐全" in str(document.content)
    readers = (cast.operator.developer, cast.data_bureau.owner, cast.regulator.owner, cast.auditor.owner)
    assert all(may_read(user=user, document=document) for user in readers)
    assert not may_read(user=cast.operator_b.owner, document=document)
    later = {"user": cast.regulator.owner, "at": clock.now + timedelta(days=1)}
    for act in (cost_audit, cost_return):
        with pytest.raises(CostStepOutOfOrder):
            act(filing=filing, reason="x", **later)
    with pytest.raises(CostStepOutOfOrder):
        cost_item_overrule(item=filing.items.get(), amount_minor=1, reason="x", **later)
    with pytest.raises(CostStepOutOfOrder):
        cost_withdraw(filing=filing, reason="x", user=cast.operator.owner, at=clock.now)
    with pytest.raises(CostYearTaken):
        make_filing(cast, operation, clock.now, OWN)
    told = set(Notice.objects.filter(kind="cost.audited").values_list("organisation__kind", flat=True))
    assert told == {"operator", "data_bureau"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"year": 2024}, "keeps its content"),
        ({"statement": "x"}, "keeps its content"),
        ({"rules": {}}, "keeps its content"),
        ({"case": None}, "keeps its content"),
        ({"state": "returned"}, "stays so"),
        ({"decision_reason": "x"}, "stays so"),
    ],
)
def test_the_database_keeps_a_decided_filing(cast, clock, operation, change, name):
    filing = make_filing(cast, operation, clock.now, OWN)
    cost_audit(filing=filing, reason="核定", user=cast.regulator.decider, at=clock.now)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        CostFiling.objects.filter(pk=filing.pk).update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        CostFiling.objects.filter(pk=filing.pk)._raw_delete("default")


def test_the_database_keeps_filed_costs(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    item = filing.items.get()
    for change in ({"amount_minor": 1, "admitted_minor": 1}, {"item": "x"}, {"rule": "fine"}, {"admitted_minor": 5}):
        with pytest.raises(IntegrityError, match="keeps its content"), transaction.atomic():
            CostItem.objects.filter(pk=item.pk).update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        CostItem.objects.filter(pk=item.pk).delete()
    with pytest.raises(IntegrityError, match="no cost is added"), transaction.atomic():
        item.pk, item.row = None, 99
        item.save(force_insert=True)
    with pytest.raises(IntegrityError, match="overruled_with_a_reason"), transaction.atomic():
        CostItem.objects.filter(filing=filing).update(overruled_minor=1)
    cost_audit(filing=filing, reason="核定", user=cast.regulator.decider, at=clock.now)
    overruled = {"overruled_minor": 1, "overruled_by": cast.regulator.decider, "overruled_at": clock.now, "overruled_reason": "x"}
    with pytest.raises(IntegrityError, match="during the audit only"), transaction.atomic():
        CostItem.objects.filter(filing=filing).update(**overruled)


def test_a_withdrawn_filing_leaves_the_year_open(cast, clock, operation):
    filing = make_filing(cast, operation, clock.now, OWN)
    with pytest.raises(CostReasonMissing):
        cost_withdraw(filing=filing, reason="", user=cast.operator.owner, at=clock.now)
    filing = cost_withdraw(filing=filing, reason="口径有误", user=cast.operator.owner, at=clock.now)
    assert (filing.state, filing.case.outcome) == ("withdrawn", "withdrawn")
    again = make_filing(cast, operation, clock.now, OWN)
    assert (again.version, again.case == filing.case) == (2, False)


def test_the_admitted_cost_by_line_sums_to_the_whole(cast, clock, operation):
    make_product(cast, clock.now, code="score")
    make_rule(
        cast,
        clock.now,
        parts=[
            {"business_line": "public_data", "percent": "33.333333"},
            {"business_line": "public_data.score", "percent": "33.333333"},
            {"business_line": "系统集成", "percent": "33.333334"},
        ],
    )
    filing = make_filing(cast, operation, clock.now, OWN, row(OWN, business_line="public_data.score", voucher="V9"), SHARED, FINE)
    by_line = admitted_by_line(filing)
    assert by_line == {"public_data": 120000000 + 33333333, "public_data.score": 120000000 + 33333334 - 1}
    assert sum(by_line.values()) == admitted_total(filing)
    shared = filing.items.get(item=SHARED[0])
    cost_item_overrule(item=shared, amount_minor=11, reason="x", user=cast.regulator.owner, at=clock.now)
    fine = filing.items.get(item=FINE[0])
    cost_item_overrule(item=fine, amount_minor=100, reason="x", user=cast.regulator.owner, at=clock.now)
    products, common = cost_by_product_line(filing)
    assert (products, common) == ({"score": 120000000 + 5}, 120000000 + 6 + 100)
    assert sum(admitted_by_line(filing).values()) == admitted_total(filing)
    assert date(2025, 12, 31).year == filing.year
