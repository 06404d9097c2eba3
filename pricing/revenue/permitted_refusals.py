"""Why a draft of a permitted revenue, or a step of it, is refused."""

from __future__ import annotations

from products.record.refusals import Refused


class NotThisRegulator(Refused):
    code = "not_this_regulator"


class NoDataBureau(Refused):
    code = "no_data_bureau"


class NoFullYear(Refused):
    """No complete accounting year yet (F6, scenario 24): only a trial price."""

    code = "no_full_year"


class PeriodRefused(Refused):
    """Not whole months, longer than the cycle, over, outside the operation's time, or overlapping another."""

    code = "period_refused"


class PeriodOverlaps(PeriodRefused):
    code = "period_overlaps"


class FilingRefused(Refused):
    """Not audited, of a wrong year, of another operation, or none at all."""

    code = "filing_refused"


class RateTooHigh(Refused):
    """Above treasury yield + spread (scenario 22)."""

    code = "rate_too_high"


class FigureRefused(Refused):
    """A yield, tax rate, asset value or source that cannot be."""

    code = "figure_refused"


class StepOutOfOrder(Refused):
    code = "permitted_revenue_step_out_of_order"


class SamePersonActs(Refused):
    code = "same_person"


class NotAsked(Refused):
    """Only the operator, the authorising body and the data bureau are asked for their opinion."""

    code = "not_asked"


class ReasonMissing(Refused):
    code = "reason_missing"


class NotAgreed(StepOutOfOrder):
    code = "data_bureau_has_not_agreed"


class OpinionsRunning(StepOutOfOrder):
    code = "opinions_running"


class FiguresOutdated(StepOutOfOrder):
    """What the draft was computed from has changed since."""

    code = "figures_outdated"


class NotAssessed(StepOutOfOrder):
    """The period before has ended and its assessment is not confirmed: what is to be deducted is not known."""

    code = "period_before_not_assessed"
