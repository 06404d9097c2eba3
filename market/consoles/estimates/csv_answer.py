"""A table as a CSV file that spreadsheets open with the right letters."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.http import HttpResponse

from market.disclosure.exports import harmless


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Header and rows under a file name; the byte order mark tells spreadsheets that it is UTF-8.

    Text that a spreadsheet would run as a formula is quoted; numbers stay numbers.
    """
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([value if isinstance(value, Decimal) else harmless(str(value)) for value in row] for row in rows)
    return response
