"""Names inside a what-if result, which is a document and not rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from market.consoles.whatif import figures

register = template.Library()


@register.simple_tag
def local_part(part: Mapping[str, Any]) -> str:
    """The name of a buyer, product or party of a result, in the page's language."""
    return figures.local(part)


@register.filter
def size_word(size: str) -> str:
    """micro, small, medium, large, or a kind of organisation, for people."""
    return figures.size_word(size)
