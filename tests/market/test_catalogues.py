"""`make messages` finds what Django would translate, keeps translations, and survives a merge that doubled entries."""

from __future__ import annotations

import gettext
import io

import pytest
from django.core.management import call_command

from market import catalogues

PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def project(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    for floor in catalogues.FLOORS:
        (tmp_path / floor).mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "products" / "a.py").write_text(
        'a = _("Plain")\nb = ngettext("%(n)s day", "%(n)s days", n)\nc = pgettext("money", "Share")\nd = _("two " "parts")\n'
    )
    (tmp_path / "templates" / "a.html").write_text(
        '{% load i18n %}<p>{% translate "Don\'t (really)" %} {% trans "Pay" context "button" %}</p>\n'
        "{% blocktranslate count n=days with name=x %}{{ name }}: {{ n }} day{% plural %}{{ name }}: {{ n }} days{% endblocktranslate %}"
        '{% blocktranslate trimmed %}\n  A sentence\n  in two lines.\n{% endblocktranslate %} {{ _("In a variable") }}'
    )
    return tmp_path


def fill(floor, text):
    path = catalogues.catalogue_path(floor)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PO + text, encoding="utf-8")


def ids(floor):
    return {catalogues._singular(m) for m in catalogues.read(catalogues.catalogue_path(floor)) if m.id}


def test_strings_of_python_and_templates_are_found(project):
    call_command("messages", stdout=io.StringIO())
    assert ids("products") == {"Plain", "%(n)s day", "Share", "two parts"}
    assert ids("market") == {"Don't (really)", "Pay", "%(name)s: %(n)s day", "A sentence in two lines.", "In a variable"}


def test_a_second_run_changes_nothing_and_keeps_translations(project):
    call_command("messages", stdout=io.StringIO())
    path = catalogues.catalogue_path("products")
    path.write_text(path.read_text().replace('msgid "Plain"\nmsgstr ""', 'msgid "Plain"\nmsgstr "普通"'))
    before = path.read_text()
    call_command("messages", stdout=io.StringIO())
    assert path.read_text() == before
    assert "普通" in before


def test_doubled_and_glued_entries_of_a_merge_are_one_again(project):
    fill(
        "products",
        'msgid "Plain"\nmsgstr ""\n\nmsgid "Plain"\nmsgstr "普通"\nmsgid "two parts"\nmsgstr "两部分"\n\nmsgid "Gone"\nmsgstr "没了"\n',
    )
    call_command("messages", stdout=io.StringIO())
    text = catalogues.catalogue_path("products").read_text()
    assert text.count('msgid "Plain"') == 1
    assert "普通" in text
    assert "两部分" in text
    assert "Gone" not in text


def test_the_check_names_each_kind_of_gap(project):
    fill(
        "products",
        'msgid "Plain"\nmsgstr ""\n\n#, fuzzy\nmsgid "two parts"\nmsgstr "两部分"\n\nmsgid "Gone"\nmsgstr "没了"\n\n'
        'msgid "%(n)s day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "%(m)s 天"\n',
    )
    found = catalogues.problems("products")
    assert (found.untranslated, found.fuzzy, found.obsolete) == (["Plain"], ["two parts"], ["Gone"])
    assert (found.missing, found.places) == (["Share"], ["%(n)s day"])
    with pytest.raises(SystemExit) as stop:
        call_command("messages", "--check", stderr=io.StringIO())
    assert stop.value.code == 1


def test_compiling_writes_what_gettext_reads_and_only_when_it_is_old(project):
    fill("products", 'msgid "Plain"\nmsgstr "普通"\n\nmsgid "%(n)s day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "%(n)s 天"\n')
    assert len(catalogues.compile_catalogues()) == 1
    assert catalogues.compile_catalogues() == []
    with catalogues.catalogue_path("products").with_suffix(".mo").open("rb") as file:
        read = gettext.GNUTranslations(file)
    assert read.gettext("Plain") == "普通"
    assert read.ngettext("%(n)s day", "%(n)s days", 2) == "%(n)s 天"
