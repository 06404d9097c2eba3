"""What the product form is filled with before the operator writes its own: the smallest config and sample of each type."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONFIGS: dict[str, dict[str, Any]] = {
    "index": {"series": {"composite": {"unit": "2020=100", "label": "综合指数"}}, "max_points": 240},
    "verification": {
        "subject": {"label": "统一社会信用代码", "column": "uscc", "normalise": "code"},
        "fields": {"name": {"label": "企业名称"}},
        "limits": {"attempts_per_subject_per_day": 5, "subjects_per_day": 2000},
    },
    "model": {
        "decimals": 1,
        "fields": [{"name": "months", "kind": "number", "code": "MONTHS", "text": {"zh": "月数", "en": "Months"}}],
        "limits": {"seconds": 2, "memory_mb": 512},
    },
    "report": {
        "title": "",
        "content_type": "application/pdf",
        "filename": "report.pdf",
        "issued_on": "2026-01-31",
        "link_minutes": 15,
    },
    "remote": {"runtime": "remote", "url": "https://api.example.com/v1/answers", "seconds": 5},
}
SAMPLES: dict[str, list[Any]] = {
    "index": [{"ask": "latest"}],
    "verification": [{"subject": "91330200MA2T001030", "claims": {"name": "…"}}],
    "model": [{"months": 24}],
    "report": [{}],
    "remote": [{"uscc": "91330200MA2T001030"}],
}
_TEXT = {"type": "string", "maxLength": 30}
SCHEMAS: dict[str, dict[str, Any]] = {  # only where the type has none of its own
    "remote": {
        "input_schema": {
            "type": "object",
            "required": ["uscc"],
            "additionalProperties": False,
            "properties": {"uscc": _TEXT},
        },
        "output_schema": {
            "type": "object",
            "required": ["grade"],
            "additionalProperties": False,
            "properties": {"grade": {"enum": ["A", "B", "C", None]}},
        },
    },
}
DATA_HINTS: dict[str, str | Promise] = {
    "index": _("A CSV file in UTF-8 with the columns series, date, vintage and value."),
    "verification": _(
        "A CSV file in UTF-8: the subject's column and one column a field. It is hashed with the product key before it is kept."
    ),
    "model": _("A scikit-learn pipeline written with skops (.skops): linear models and tree ensembles. No pickle is opened."),
    "report": _("The document itself: PDF, Word or HTML. Buyers get it by a link that ends after some minutes."),
    "remote": _("None: your own service answers. Ask for its host first, under “Remote hosts”."),
}


def starter_of(kind: str) -> dict[str, Any]:
    """What a new product's form is filled with."""
    return {"config": CONFIGS[kind], "samples": SAMPLES[kind], **SCHEMAS.get(kind, {})}
