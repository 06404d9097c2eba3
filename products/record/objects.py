"""How the record names the thing it is about, across all floors: a type and an id, both text."""

from __future__ import annotations

from django.db.models import Model


def reference(obj: Model | tuple[str, str]) -> tuple[str, str]:
    """``("products.authorisation", "17")`` for a saved model; a pair is passed through (things that are no rows)."""
    if isinstance(obj, tuple):
        return obj
    return obj._meta.label_lower, str(obj.pk)
