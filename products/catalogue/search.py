"""What makes a product findable in Chinese without a Chinese collation: bigrams for search, pinyin for sorting."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import lazy_pinyin

MAX_TERM = 40
MAX_TERMS = 600
_WORD = re.compile(r"[a-z0-9]+|[㐀-鿿]+")


def name_key(name: str) -> str:
    """Sort key of a name: its pinyin, syllable by syllable, so that 港 (gang) comes before 企 (qi)."""
    return " ".join(lazy_pinyin(_plain(name)))[:300]


def terms_of(text: str) -> set[str]:
    """Latin words whole; of Chinese runs each pair of neighbours, and the sign itself where a run is one sign long."""
    found: set[str] = set()
    for run in _WORD.findall(_plain(text)):
        if run[0] < "㐀":
            found.add(run[:MAX_TERM])
        elif len(run) == 1:
            found.add(run)
        else:
            found.update(run[index : index + 2] for index in range(len(run) - 1))
    return found


def search_terms(*texts: str) -> list[str]:
    """Terms of a product's names and texts for the GIN index, in a stable order. The first texts count when there are many."""
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(sorted(terms_of(text))))
    return list(found)[:MAX_TERMS]


def query_terms(query: str) -> list[str]:
    """Terms that a product must hold all of (``search_terms__contains``) to be found by ``query``."""
    return sorted(terms_of(query))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
