"""What the regulators of the demo find on its present day: warnings, findings, filings, a trial of lower caps; all through the services."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from market.demo import costs, fairness
from market.demo.catalogue import TAX, per_call
from market.demo.founding import Cast
from market.demo.trade import at
from pricing.costs.services import cost_file, cost_ledger_keep
from pricing.tariffs.bundles import bundle_draft, bundle_file, bundle_open, bundle_part_add
from pricing.tariffs.lapse import tariffs_stand
from products.catalogue.models import DataProduct
from products.record.rule_proposals import rule_set_propose
from settlement.oversight.warnings import warn
from settlement.whatif import drafts
from settlement.whatif.scope import scope_for
from settlement.whatif.services import what_if_save


def leave_to_oversight(told: Cast) -> None:
    """What the regulator finds besides: a warning, unequal prices, a refusal with its complaint, costs to audit, rules to approve."""
    warn(at=at("2026-11-10", "00:40"))
    for flag in fairness.find_differences(month=date(2026, 8, 1), moment=at("2026-11-04"))[:1]:
        fairness.explain(told, flag, at("2026-11-06"))
    fairness.refuse_newcomer(told, at("2026-11-05"), at("2026-11-09"))
    file_port_costs(told)
    sell_port_bundle(told)
    propose_rules(told)
    try_lower_caps(told)


def file_port_costs(told: Cast) -> None:
    """Haiwan's costs of 2025 wait for the audit; with them its permitted revenue can be determined by hand."""
    operator = told.of("haiwan")
    named: dict[str, Any] = {
        "authorisation": told.bodies["haiwan"].authorisations_held.get(),
        "year": costs.YEAR,
        "user": operator,
    }
    content = costs.ledger(Decimal("0.03"), only=lambda line: line in (costs.OURS, costs.OTHER))
    kept = cost_ledger_keep(**named, file_name="海湾2025年度成本台账.xlsx", content=content, at=at("2026-11-06", "09:10"))
    cost_file(**named, file=kept, statement="各项成本单独核算（演示）。", at=at("2026-11-06", "09:20"))


def sell_port_bundle(told: Cast) -> None:
    """Two of haiwan's products together for one scenario, each part a little under its own price."""
    operator, user, moment = told.bodies["haiwan"], told.of("haiwan"), at("2026-10-12", "11:00")
    bundle = bundle_draft(
        operator=operator,
        code="port-pack",
        name="港航组合套餐",
        name_en="Port bundle",
        purpose="industry.logistics",
        scenario="port-logistics",
        user=user,
        at=moment,
    )
    prices = {"port-climate-index": "0.85", "vessel-check": "0.65"}
    documents = {}
    for code, price in prices.items():
        plan = bundle_part_add(bundle=bundle, product=DataProduct.objects.get(code=code), user=user, at=moment)
        documents[plan.pk] = {"currency": "CNY", "components": [per_call(price)], "tax": TAX}
    bundle_file(
        bundle=bundle,
        documents=documents,
        from_date=date(2026, 10, 20),
        reason="港航场景组合供给，分项均不高于单独购买价（演示）",
        user=user,
        at=moment,
    )
    tariffs_stand(at=at("2026-10-20", "00:20"))
    bundle_open(bundle=bundle, user=user, at=at("2026-10-21", "09:00"))


def propose_rules(told: Cast) -> None:
    """A longer time to return tariffs, proposed by one person of the regulator; a colleague is to decide."""
    rule_set_propose(
        organisation=told.bodies["regulator"],
        name="江州市定价规则（2027，演示）",
        name_en="Jiangzhou pricing rules 2027 (made up)",
        source="江发改价〔2026〕58号（演示，虚构）",
        from_date=date(2027, 1, 1),
        parameters={"pricing_delegated_to_city": True, "tariff_return_working_days": 8, "tariff_rise_notice_days": 45},
        user=told.people["regulator"],
        reason="一季度备案集中，适当延长审核时限（演示）",
        at=at("2026-11-09", "10:30"),
    )


def try_lower_caps(told: Cast) -> None:
    """Last quarter with caps a tenth lower, tried by the regulator and shared with the other offices."""
    regulator, moment = told.bodies["regulator"], at("2026-11-09", "16:00")
    scope = scope_for(
        organisation=regulator,
        operator=told.bodies["jiangshu"],
        sector="",
        from_month=date(2026, 7, 1),
        to_month=date(2026, 10, 1),
    )
    caps = drafts.caps_prefilled(scope.products(), on=moment.date(), percent=-10)
    what_if_save(
        user=told.people["regulator"],
        organisation=regulator,
        title="上季度上限下调一成（演示）",
        scope=scope,
        draft={"caps": caps, "demand": {"elasticity": "-0.5", "seed": "20261110"}},
        is_shared=True,
        at=moment,
    )
