"""Names made from names: the pinyin key that Chinese names are sorted by, and the slug that stands in a URL."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.text import slugify
from pypinyin import lazy_pinyin


def name_key(name: str) -> str:
    """Pinyin without tones, lower case: 甬城银行 → ``yong cheng yin hang``. PostgreSQL has no Chinese collation here."""
    return " ".join(lazy_pinyin(name)).lower()[:300]


def slug_for(name: str, *, taken: Callable[[str], bool]) -> str:
    """A slug that is free, from the English name or pinyin: ``yong-cheng-yin-hang``, ``…-2``."""
    stem = slugify(name) or slugify(name_key(name)) or "organisation"
    stem = stem[:52].strip("-")
    slug, number = stem, 1
    while taken(slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug
