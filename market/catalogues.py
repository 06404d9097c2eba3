"""Translation catalogues: extract the strings of the source, merge them into the .po files, compile them to .mo.

Babel does the work, since nothing but Python is on a fresh machine. One catalogue a floor; templates and the market share one.
English is the language of the source, so only Chinese has a catalogue.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import template as django_template

FLOORS = ("products", "pricing", "settlement", "market")
LOCALE = "zh_Hans"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
Key = tuple[str, str | None]


@dataclass
class Problems:
    """What keeps a floor's catalogue from being complete."""

    missing: list[str] = field(default_factory=list)
    untranslated: list[str] = field(default_factory=list)
    fuzzy: list[str] = field(default_factory=list)
    obsolete: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def lines(self, floor: str) -> list[str]:
        return [f"{floor}: {kind}: {text!r}" for kind, texts in vars(self).items() for text in texts]


def catalogue_path(floor: str) -> Path:
    return settings.BASE_DIR / floor / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def extracted(floor: str) -> Catalog:
    """Every translatable string of a floor's Python, and of the templates for the market."""
    catalog = new_catalog()
    for message, context in _strings(floor):
        catalog.add(message, context=context)
    return catalog


def new_catalog() -> Catalog:
    catalog = Catalog(locale=LOCALE, domain="django", project="gongshu", header_comment="# Sorted; written by `make messages`.")
    catalog.fuzzy = False
    return catalog


def _strings(floor: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    for path in sorted((settings.BASE_DIR / floor).rglob("*.py")):
        if "migrations" not in path.parts:
            yield from _from_python(path.read_bytes())
    if floor == "market":
        for path in sorted((settings.BASE_DIR / "templates").rglob("*")):
            if path.suffix in {".html", ".txt"}:
                yield from _from_template(path)


def _from_python(source: bytes) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    for _line, message, _comments, context in extract("python", io.BytesIO(source), keywords=KEYWORDS):
        if message and message != ("",):
            yield message, context


def _from_template(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """Django turns the template into lines of gettext calls between X's; only the calls are kept, as Python."""
    text = django_template.templatize(path.read_text(encoding="utf-8"), origin=str(path))
    calls = re.findall(
        r"""\b(?:gettext|ngettext|pgettext|npgettext|_)\((?:[^()'"]|u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*")*\)""", text
    )
    yield from _from_python("\n".join(calls).encode())


def read(path: Path) -> Catalog:
    """A catalogue as it lies there; where a merge left an entry twice, the one that is translated wins."""
    if not path.exists():
        return new_catalog()
    catalog = new_catalog()
    for block in _blocks(path.read_text(encoding="utf-8")):
        for message in read_po(io.StringIO(block), locale=LOCALE, ignore_obsolete=True):
            if message.id:
                _keep_better(catalog, message)
    return catalog


def _blocks(text: str) -> Iterator[str]:
    """The entries one by one: read alone, an entry that a merge left twice or glued to its neighbour harms no other."""
    block: list[str] = []
    for line in text.splitlines():
        starts = line.startswith(("#", "msgctxt", "msgid ")) and any(kept.startswith("msgstr") for kept in block)
        if starts or not line.strip():
            yield "\n".join(block) + "\n"
            block = []
        block.append(line)
    yield "\n".join(block) + "\n"


def _keep_better(catalog: Catalog, message: Message) -> None:
    known = catalog.get(_singular(message), message.context)
    if known is None or not _translated(known) or (known.fuzzy and _translated(message)):
        if known is not None:
            catalog.delete(_singular(message), message.context)
        catalog.add(message.id, message.string, flags=message.flags - {"python-format"}, context=message.context)


def merged(floor: str) -> Catalog:
    """The strings of today with the translations of before; what is no longer in the source goes."""
    before, now = read(catalogue_path(floor)), extracted(floor)
    for message in now:
        known = before.get(_singular(message), message.context) if message.id else None
        if known is None:
            continue
        if isinstance(message.id, tuple) and isinstance(known.string, str):
            message.string = (known.string,)
        else:
            one = isinstance(known.string, str) or isinstance(message.id, tuple)
            message.string = known.string if one else (known.string or ("",))[0]
        message.flags |= known.flags & {"fuzzy"}
    return now


def update(floor: str) -> int:
    """Write the floor's catalogue anew; returns how many strings it has."""
    catalog, path = merged(floor), catalogue_path(floor)
    if not len(catalog) and not path.exists():
        return 0
    buffer = io.BytesIO()
    write_po(buffer, catalog, no_location=True, omit_header=True, sort_output=True, width=0)
    header = (
        f'# Sorted; written by `make messages`.\nmsgid ""\nmsgstr ""\n"Language: {LOCALE}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + buffer.getvalue().decode().strip() + "\n", encoding="utf-8")
    return len(catalog)


def problems(floor: str) -> Problems:
    """What a reader of Chinese would miss, and what nobody needs any more."""
    found, now, kept = Problems(), extracted(floor), read(catalogue_path(floor))
    for message in now:
        if not message.id:
            continue
        known = kept.get(_singular(message), message.context)
        if known is None:
            found.missing.append(_singular(message))
        elif not _translated(known):
            found.untranslated.append(_singular(message))
        elif known.fuzzy:
            found.fuzzy.append(_singular(message))
        elif _places(message) != _places(known, translated=True):
            found.places.append(_singular(message))
    wanted = {(_singular(message), message.context) for message in now if message.id}
    found.obsolete = [_singular(m) for m in kept if m.id and (_singular(m), m.context) not in wanted]
    return found


def compile_catalogues() -> list[Path]:
    """Write each .mo that is missing or older than its .po; returns what was written. Called where the site starts."""
    written = []
    for floor in FLOORS:
        source = catalogue_path(floor)
        target = source.with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns):
            continue
        catalog = read(source)
        buffer = io.BytesIO()
        write_mo(buffer, catalog)
        _replace(target, buffer.getvalue())
        written.append(target)
    return written


def _replace(target: Path, content: bytes) -> None:
    """Another process may read or compile the same file: write beside it and rename."""
    import os
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(target)


def _singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (tuple, list)) else message.id


def _translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return any(strings)


def _places(message: Message, *, translated: bool = False) -> set[str]:
    """The named places of a string; the plural form has them all."""
    text = message.string if translated else message.id
    texts = text if isinstance(text, (tuple, list)) else (text,)
    return set(re.findall(r"%\((\w+)\)[sd]", " ".join(text or "" for text in texts)))
