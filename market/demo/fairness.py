"""Equal treatment in the demo: one finding that a regulator meets, and one refusal with its complaint; all through the services.

The factoring firm called itself small when it bought in April 2026 and got the published discount for small enterprises; in June it
corrected its size, but its right kept the discount. In August 2026 the rural bank pays the list price for a like use.
"""

from __future__ import annotations

from datetime import date, datetime

from market.demo.founding import Cast
from pricing.tariffs.models import SupplyRefusal
from pricing.tariffs.supply import supply_complain, supply_refuse
from products.catalogue.models import DataProduct
from products.organisations.services import organisation_size_state
from settlement.models import EqualTreatmentFlag
from settlement.oversight.equal_treatment import flag_explain, flags_find

SIZES = {
    "bank": "large",
    "citybank": "large",
    "westbank": "large",
    "insurer": "large",
    "freight": "medium",
    "guarantee": "medium",
    "leasing": "medium",
    "microloan": "small",
    "factoring": "small",
    "adviser": "micro",
    "grower": "micro",
}


def state_sizes(told: Cast, moment: datetime) -> None:
    """What each buyer says of itself when it joins; before anything is bought."""
    for body, size in SIZES.items():
        organisation_size_state(organisation=told.bodies[body], size=size, user=told.of(body), at=moment)


def correct_size(told: Cast, moment: datetime) -> None:
    """The factoring firm corrects its size; what it bought before is not touched."""
    organisation_size_state(organisation=told.bodies["factoring"], size="large", user=told.of("factoring"), at=moment)


def find_differences(*, month: date, moment: datetime) -> list[EqualTreatmentFlag]:
    """What the daily job does after a month is closed."""
    return flags_find(month=month, at=moment)


def explain(told: Cast, flag: EqualTreatmentFlag, moment: datetime) -> None:
    """The operator answers one finding, so that the regulator can decide it."""
    explanation = "该单位购买时填报为小型企业，其后更正规模，原优惠未及时停止；自下一计费周期起按公布价计收。（演示）"
    flag_explain(flag=flag, user=told.people["operator"], explanation=explanation, at=moment)


def refuse_newcomer(told: Cast, moment: datetime, complained: datetime) -> SupplyRefusal:
    """The operator refuses the newcomer, which complains to the price regulator."""
    product = DataProduct.objects.select_related("operator").get(code="enterprise-check")
    refusal = supply_refuse(
        product=product,
        organisation=told.bodies["newcomer"],
        ground="security",
        reason="尚未提交调用环境的安全测评材料，暂不能供给；材料齐备后可重新申请。（演示）",
        user=told.people["operator"],
        at=moment,
    )
    statement = "测评报告已于十月提交，运营机构一个月未予答复。（演示）"
    return supply_complain(refusal=refusal, statement=statement, user=told.people["buyer_newcomer"], at=complained)
