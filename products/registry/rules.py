"""Terms of registrations and authorisations: whole years from a day. Pure.

An N-year term from d ends on the day before the N-th anniversary; 29 February's anniversary in a common year is 28 February, so
that term ends on the 27th (domain.md F16).
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def anniversary(day: date, years: int) -> date:
    """The same day, ``years`` later; 29 February becomes 28 February in a common year."""
    year = day.year + years
    last = calendar.monthrange(year, day.month)[1]
    return date(year, day.month, min(day.day, last))


def term_end(start: date, years: int) -> date:
    """The last day of a term of whole years that begins on ``start``."""
    return anniversary(start, years) - timedelta(days=1)


def renewal_opens(valid_to: date, window_days: int) -> date:
    """The first day on which renewal may be filed: ``window_days`` before the expiry, the expiry not counted."""
    return valid_to - timedelta(days=window_days)
