"""The public record under an offer: a resource, its registration, an authorisation that is in force."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from products.models import Authorisation, DataResource, Registration
from products.registry import services
from tests.factories.cast import Cast

CLAUSES = {
    "conditions": "依法合规、专区存储",
    "operating_model": "依场景授权，成果运营",
    "term_clause": "三年",
    "exit_clause": "到期关闭接口、删除数据、留存日志六个月",
    "security_duties": "等保三级，原始数据不出域",
    "decision_reference": "市政府常务会议纪要〔2025〕12号",
    "decision_date": date(2025, 12, 1),
}


def make_resource(cast: Cast, at: datetime, *, code: str = "R-SB-001", **changes: Any) -> DataResource:
    fields: dict[str, Any] = {
        "provider": cast.provider.organisation,
        "code": code,
        "name": "社会保险缴纳基础信息",
        "name_en": "Social insurance contributions",
        "data_class": "社会保障",
        "grade": 3,
        "open_type": "conditional",
        "has_personal_data": True,
        "has_security_impact": False,
        "update_frequency": "monthly",
        "dictionary": [{"field": "months", "type": "integer", "meaning": "累计缴费月数", "meaning_en": "Months paid"}],
        "user": cast.provider.owner,
        "at": at,
    }
    return services.resource_add(**(fields | changes))


def make_authorisation(cast: Cast, at: datetime, *, scope: Any = (), active: bool = True, **changes: Any) -> Authorisation:
    fields: dict[str, Any] = {
        "authorising_body": cast.authority.organisation,
        "operator": cast.operator.organisation,
        "number": "江数授〔2026〕001号",
        "title": "金融场景公共数据授权运营",
        "mode": "scenario",
        "from_date": date(2026, 1, 1),
        "to_date": date(2028, 12, 31),
        "user": cast.authority.owner,
        "at": at,
        **CLAUSES,
    }
    authorisation = services.authorisation_draft(scope=scope, **(fields | changes))
    if active:
        authorisation = services.authorisation_activate(authorisation=authorisation, user=cast.authority.checker, at=at)
    return authorisation


def make_registration(cast: Cast, at: datetime, resource: DataResource, **changes: Any) -> Registration:
    fields: dict[str, Any] = {
        "registry": cast.registry.organisation,
        "holder": cast.provider.organisation,
        "code": f"DJ-{resource.code}",
        "level": "city",
        "region": "330200",
        "issued_date": date(2026, 1, 15),
        "resource": resource,
        "user": cast.registry.owner,
        "at": at,
    }
    return services.registration_add(**(fields | changes))
