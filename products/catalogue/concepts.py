"""What a product's answers can tell: a fixed vocabulary, so that what one buyer holds of different operators can be compared.

A concept is what is told, not the field it stands in: a score that comes from wages tells ``person.credit``, not wages. A product
whose answers are statistics about many tells ``aggregate.statistics`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import get_language


class Concept(NamedTuple):
    """``code`` never changes; the names are Chinese and English."""

    code: str
    name: str
    name_en: str

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name


LISTED = (
    Concept("person.name", "姓名", "Person's name"),
    Concept("person.id_number", "居民身份证号", "Identity number"),
    Concept("person.phone", "电话号码", "Telephone number"),
    Concept("person.birth_date", "出生日期", "Date of birth"),
    Concept("person.gender", "性别", "Gender"),
    Concept("person.address", "住址", "Home address"),
    Concept("person.household", "家庭成员", "Household"),
    Concept("person.employer", "工作单位", "Employer"),
    Concept("person.income_band", "收入区间", "Income band"),
    Concept("person.social_security", "社会保险参保情况", "Social-insurance status"),
    Concept("person.health_insurance", "医疗保险参保情况", "Health-insurance status"),
    Concept("person.health", "健康状况", "Health"),
    Concept("person.education", "学历", "Education"),
    Concept("person.property", "不动产", "Real estate owned"),
    Concept("person.vehicle", "车辆", "Vehicles owned"),
    Concept("person.credit", "个人信用", "Person's credit"),
    Concept("firm.name", "企业名称", "Firm's name"),
    Concept("firm.uscc", "统一社会信用代码", "Unified social credit code"),
    Concept("firm.legal_representative", "法定代表人", "Legal representative"),
    Concept("firm.status", "登记状态", "Registration status"),
    Concept("firm.revenue_band", "营业收入区间", "Revenue band"),
    Concept("firm.employees", "从业人数", "Number of employees"),
    Concept("firm.energy_use", "用能情况", "Energy use"),
    Concept("firm.credit", "企业信用", "Firm's credit"),
    Concept("firm.trade", "货物与贸易往来", "Goods and trade"),
    Concept("place.district", "所在区县", "District"),
    Concept("place.grid", "所在网格或社区", "Grid cell or neighbourhood"),
    Concept("place.address", "具体地址", "Address"),
    Concept("time.day", "发生日期", "Day of an event"),
    Concept("time.hour", "发生时刻", "Hour of an event"),
    Concept("aggregate.statistics", "汇总统计（不指向个人或企业）", "Statistics about many"),
)
CONCEPTS: dict[str, Concept] = {concept.code: concept for concept in LISTED}
STATISTICS = "aggregate.statistics"


def named(codes: Iterable[str]) -> list[Concept]:
    """The concepts of codes in the vocabulary's order; a code that it no longer has stands by its code."""
    wanted = set(codes)
    known = [concept for concept in LISTED if concept.code in wanted]
    return known + [Concept(code, code, code) for code in sorted(wanted - set(CONCEPTS))]
