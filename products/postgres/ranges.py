"""Exclusion constraints without contrib extensions: equality of a key as an overlap of one-point ranges."""

from django.contrib.postgres.fields import BigIntegerRangeField
from django.db.models import F, Func


def exclusion_key(*fields: str) -> Func:
    """The fields as a one-point range: two rows overlap there when the fields are equal (SQL: ``exclusion_key``)."""
    return Func(*(F(field) for field in fields), function="exclusion_key", output_field=BigIntegerRangeField())
