"""What the documents say is checked against the code: settings, commands, addresses, decision records."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT: Path = settings.BASE_DIR
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]) if (ROOT / "docs").exists() else sorted(ROOT.glob("*.md"))
SETTINGS = (ROOT / "market" / "settings.py").read_text(encoding="utf-8")
INTERNAL = {"GONGSHU_SERVER"}  # set by our own start, not by people


def test_the_settings_table_names_what_is_read():
    table = set(re.findall(r"^\| ([A-Z_]+) \|", ast.get_docstring(ast.parse(SETTINGS)) or "", re.MULTILINE))
    read = set(re.findall(r"""environ(?:\.get\(|\[)["']([A-Z_]+)["']""", SETTINGS)) - INTERNAL
    assert table >= read - {"DEBUG"}
    assert table <= read


def in_code(text: str) -> list[str]:
    return re.findall(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL) and [
        a or b for a, b in re.findall(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page):
    code = "\n".join(in_code(page.read_text(encoding="utf-8")))
    named = set(re.findall(r"manage\.py ([a-z_]+)", code))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = {target for line in re.findall(r"(?:^|\s)make ((?:[a-z-]+ ?)+)", code) for target in line.split()}
    assert named <= set(get_commands())
    assert made <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_address_that_a_page_names_is_served(page):
    code = "\n".join(in_code(page.read_text(encoding="utf-8")))
    named = set(re.findall(r"(?:127\.0\.0\.1:8000|(?:GET|POST) )(/[^\s\"'`?#)]*)", code))
    lost = []
    for path in named:
        if path.startswith(("/v1/", "/healthz", "/readyz", "/metrics", "/static/")) or set(path) & set("{<…"):
            continue  # the gateway's own router answers these; its tests hold them
        try:
            resolve(path)
        except Resolver404:
            lost.append(path)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_is_there(page):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_each_decision_has_a_number_of_its_own():
    folder = ROOT / "docs" / "decisions"
    names = sorted(path.name for path in folder.glob("*.md")) if folder.exists() else []
    assert all(re.match(r"\d{4}-[a-z0-9-]+\.md$", name) for name in names)
    assert len({name[:4] for name in names}) == len(names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_place_in_the_code_that_a_page_names_is_there(page):
    """``path/file.py`` exists, and ``path/file.py::name`` is defined in it."""
    text = "\n".join(in_code(page.read_text(encoding="utf-8")))
    named = re.findall(r"((?:products|pricing|settlement|market|tests)/[\w/]+\.py)(?:::(\w+))?", text)
    lost = []
    for path, name in named:
        file = ROOT / path
        if not file.exists() or (name and not re.search(rf"^(?:async )?(?:def|class) {name}\b", file.read_text(), re.MULTILINE)):
            lost.append(f"{path}::{name}")
    assert lost == []
