"""The demo's permitted revenue: jiangshu's maximum for 2026, from its audited costs of 2025; four people of two bodies and two parties."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from market.demo.founding import Cast
from market.demo.trade import at
from pricing.costs.selectors import audited_cost
from pricing.revenue.models import PermittedRevenue
from pricing.revenue.permitted import (
    opinion_add,
    permitted_revenue_agree,
    permitted_revenue_determine,
    permitted_revenue_draft,
    permitted_revenue_open,
)
from pricing.revenue.permitted_work import Inputs
from pricing.revenue.reports import operation_report_file

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
YIELD, RATE = Decimal("0.0183"), Decimal("0.0783")


def determine_maximum(told: Cast, operator: str = "jiangshu") -> PermittedRevenue:
    """Draft → opinions → agreed → determined in May 2026, after the audit of 22 April. Needs ``operating_since`` before 2025 and an audited filing of 2025.

    Drafted by regulator_checker, agreed by data_bureau, determined by regulator; operator and authority speak.
    """
    authorisation = told.bodies[operator].authorisations_held.get()
    filing = audited_cost(authorisation=authorisation, year=YEAR[0].year - 1)
    assert filing is not None, "the demo audits the costs of 2025 first"
    given = Inputs(
        from_date=YEAR[0],
        last_date=YEAR[1],
        filings=[filing],
        treasury_yield=YIELD,
        treasury_source="2025年十年期国债收益率平均值（演示数据）",
        profit_rate=RATE,
        reason="以2025年经审核的经营成本为基础（演示）",
    )
    drafter, people = told.people["regulator_checker"], told.people
    own = permitted_revenue_draft(
        authorisation=authorisation, regulator=told.bodies["regulator"], inputs=given, user=drafter, at=at("2026-05-06", "10:00")
    )
    own = permitted_revenue_open(permitted_revenue=own, user=drafter, at=at("2026-05-07", "09:30"))
    opinion_add(
        permitted_revenue=own,
        organisation=told.bodies[operator],
        stance="remark",
        text="存算与治理成本预计上升，建议下一周期考虑（演示）",
        user=told.of(operator),
        at=at("2026-05-13", "15:00"),
    )
    opinion_add(
        permitted_revenue=own,
        organisation=told.bodies["authority"],
        stance="agree",
        text="",
        user=people["authority"],
        at=at("2026-05-14", "11:00"),
    )
    own = permitted_revenue_agree(
        permitted_revenue=own, user=people["data_bureau"], text="成本口径一致，同意（演示）", at=at("2026-05-18", "16:00")
    )
    return permitted_revenue_determine(permitted_revenue=own, user=people["regulator"], at=at("2026-05-20", "10:00"))


def report_year(told: Cast, operator: str = "jiangshu") -> None:
    """The annual report of 2025, filed in time."""
    operation_report_file(
        authorisation=told.bodies[operator].authorisations_held.get(),
        year=YEAR[0].year - 1,
        summary="全年运行平稳，公益免费使用持续增长；详见成本申报与披露（演示）。",
        user=told.of(operator),
        at=at("2026-03-20", "14:00"),
    )
