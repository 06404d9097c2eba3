"""The house stands: keys point down, forks are ours, unsafe settings are refused, notices have words."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.test import override_settings

from market import checks

FLOORS = ["products", "pricing", "settlement", "market"]
OURS = {label: level for level, label in enumerate(FLOORS)}
ROOT = settings.BASE_DIR


def test_foreign_keys_point_down():
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for label, level in OURS.items()
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and field.related_model is not None
        and (to := field.related_model._meta.app_label) not in {"contenttypes", "auth"}
        and OURS.get(to, 3) > level
    ]
    assert upward == []


def fork_classes():
    """Every class in market/forks whose base is Oscar's, with the module it stands in for."""
    for path in sorted((ROOT / "market" / "forks").rglob("*.py")):
        app = path.relative_to(ROOT / "market" / "forks").parts[0]
        if path.name in {"__init__.py", "apps.py", "models.py"}:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(
                "oscar" in ast.unparse(b).lower() or "Core" in ast.unparse(b) for b in node.bases
            ):
                yield pytest.param(app, path.stem, node.name, id=f"{app}.{path.stem}.{node.name}")


@pytest.mark.parametrize(("app", "module", "name"), list(fork_classes()))
def test_oscar_loads_our_class_instead_of_its_own(app, module, name):
    from oscar.core.loading import get_class

    assert get_class(f"{app}.{module}", name).__module__ == f"market.forks.{app}.{module}"


@pytest.mark.parametrize("app", ["partner", "order", "checkout"])
def test_the_forked_app_is_ours(app):
    assert type(apps.get_app_config(app)).__module__ == f"market.forks.{app}.apps"


@pytest.mark.parametrize("app", ["partner", "order"])
def test_the_tables_of_a_forked_app_stay_oscars(app):
    assert settings.MIGRATION_MODULES[app] == f"oscar.apps.{app}.migrations"
    assert not (ROOT / "market" / "forks" / app / "migrations").exists()


SAFE = {
    "GONGSHU_ENV": "production",
    "IS_PRODUCTION": True,
    "SECRET_KEY": "x" * 50,
    "DEBUG": False,
    "DATABASE_URL": "postgresql://db/gongshu",
    "PUBLIC_URL": "https://gongshu.example",
    "ALLOWED_HOSTS": ["gongshu.example"],
    "GONGSHU_CLOCK": "",
    "GONGSHU_EGRESS_TEST_NETWORKS": "",
    "GONGSHU_EGRESS_CA_FILE": "",
    "STRIPE_API_BASE": "",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_WEBHOOK_SECRET": "",
    "EMAIL_URL": "smtp://mail.example",
}
UNSAFE = {
    "gongshu.E001": {"GONGSHU_ENV": "staging"},
    "gongshu.E002": {"SECRET_KEY": "short"},
    "gongshu.E003": {"DEBUG": True},
    "gongshu.E004": {"DATABASE_URL": ""},
    "gongshu.E005": {"PUBLIC_URL": "http://gongshu.example"},
    "gongshu.E006": {"ALLOWED_HOSTS": ["*"]},
    "gongshu.E007": {"GONGSHU_CLOCK": "2026-11-10T10:00+08:00"},
    "gongshu.E008": {"GONGSHU_CLOCK": "2026-11-10T10:00"},
    "gongshu.E009": {"STRIPE_API_BASE": "http://127.0.0.1:9000"},
    "gongshu.E010": {"STRIPE_SECRET_KEY": "sk_live_x"},
    "gongshu.E011": {"TRUSTED_PROXIES": -1},
    "gongshu.E020": {"GONGSHU_EGRESS_TEST_NETWORKS": "127.0.0.0/8"},
    "gongshu.E021": {"GONGSHU_EGRESS_TEST_NETWORKS": "localhost"},
    "gongshu.E022": {"GONGSHU_EGRESS_CA_FILE": "/no/such/file.pem"},
    "gongshu.W001": {"EMAIL_URL": "console"},
}


def found(**changes):
    with override_settings(**(SAFE | changes)):
        return {
            message.id
            for check in (checks.production_is_safe, checks.clock_reads, checks.egress_reads, checks.proxies_are_counted)
            for message in check(None)
        }


def test_safe_settings_pass():
    assert found() == set()


@pytest.mark.parametrize("code", UNSAFE)
def test_an_unsafe_setting_is_refused_by_its_own_check(code):
    assert code in found(**UNSAFE[code])


def test_every_check_has_a_test():
    source = (ROOT / "market" / "checks.py").read_text(encoding="utf-8")
    ids = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and str(node.value).startswith("gongshu.")
    }
    assert {i for i in ids if len(i) == len("gongshu.E001")} == set(UNSAFE)


def sources() -> list[Path]:
    return [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if "migrations" not in path.parts]


def test_every_kind_of_notice_has_words():
    from products.record.notices import KINDS

    sent, dynamic = {}, ("organisation.", "authorisation.")
    for path in sources():
        source = path.read_text(encoding="utf-8")
        if "notify" not in source:
            continue
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"notify", "tell", "_tell"}:
                for keyword in node.keywords:
                    if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant):
                        sent[keyword.value.value] = str(path)
    missing = {kind: path for kind, path in sent.items() if kind not in KINDS and not kind.startswith(dynamic)}
    assert missing == {}


def test_logic_never_asks_the_machine_for_the_time():
    asked = []
    for path in sources():
        if path.name == "clock.py" or "management" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "timezone.now",
                "datetime.now",
                "datetime.utcnow",
                "date.today",
                "datetime.today",
                "datetime.datetime.now",
                "datetime.date.today",
            }:
                asked.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert asked == []
