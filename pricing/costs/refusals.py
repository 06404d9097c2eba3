"""What cost filings are refused for; what is wrong inside a file is in problems.py."""

from __future__ import annotations

from products.record.refusals import Refused


class AllocationRefused(Refused):
    """The parts of an allocation rule are no division of 100 %, or its words are missing."""

    code = "allocation_refused"


class CostYearWrong(Refused):
    """The year is not over yet, or lies outside the operation."""

    code = "cost_year_wrong"


class CostYearTaken(Refused):
    """The year's ledger is filed already: two filings of one authorisation never cover the same time."""

    code = "cost_year_taken"


class CostFileUnknown(Refused):
    """The file was not checked as a ledger of this authorisation and year."""

    code = "cost_file_unknown"


class CostStepOutOfOrder(Refused):
    code = "cost_step_out_of_order"


class CostReasonMissing(Refused):
    code = "cost_reason_missing"


class CostOfOwnFiling(Refused):
    """Who files does not audit, not even after changing sides."""

    code = "cost_of_own_filing"


class CostAmountOutOfBounds(Refused):
    code = "cost_amount_out_of_bounds"
