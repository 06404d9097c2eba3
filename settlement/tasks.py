"""Jobs of settlement; procrastinate finds them here."""

from procrastinate.contrib.django import app

from products.record import clock
from settlement.billing import services
from settlement.entitlements import keyring, risk
from settlement.metering import partitions, retention, rollups, sealing
from settlement.oversight import warnings
from settlement.oversight.equal_treatment import flags_after_closes


@app.periodic(cron="10 17 * * *")  # 01:10 in Shanghai
@app.task(queue="billing", queueing_lock="overdue", pass_context=False)
def mark_overdue(timestamp: int) -> int:
    """Mark invoices past their due date and stop what they paid for."""
    return len(services.mark_overdue(at=clock.now()))


@app.periodic(cron="20 * * * *")
@app.task(queue="oversight", queueing_lock="out_of_purpose", pass_context=False)
def open_risk_cases(timestamp: int) -> int:
    """Open the risk cases that a gateway did not come to open before it stopped."""
    return len(risk.out_of_purpose_sweep(at=clock.now()))


@app.periodic(cron="40 17 * * *")  # 01:40 in Shanghai
@app.task(queue="oversight", queueing_lock="equal_treatment", pass_context=False)
def compare_buyers(timestamp: int) -> int:
    """Flag like buyers that paid differently in the months that were closed last."""
    return len(flags_after_closes(at=clock.now()))


@app.periodic(cron="40 18 * * *")  # 02:40 in Shanghai
@app.task(queue="oversight", queueing_lock="forecasts", pass_context=False)
def make_forecasts(timestamp: int) -> int:
    """Forecast demand from each month that was closed since; nothing where none was."""
    from settlement.oversight import forecasts  # its models' libraries are heavy: loaded where a forecast is made

    return forecasts.forecasts_catch_up(at=clock.now())


@app.periodic(cron="50 17 * * *")  # 01:50 in Shanghai
@app.task(queue="oversight", queueing_lock="revenue_warnings", pass_context=False)
def warn_of_revenue(timestamp: int) -> int:
    """Tell of operations whose revenue reached a warning mark of what is permitted."""
    return len(warnings.warn(at=clock.now()))


@app.periodic(cron="* * * * *")
@app.task(queue="metering", queueing_lock="fold_hours", pass_context=False)
def fold_hours(timestamp: int) -> int:
    """Fold usage by the hour where no gateway does (each of them does twice a second)."""
    return rollups.fold_all()


@app.periodic(cron="* * * * *")
@app.task(queue="receipts", queueing_lock="receipts_seal", pass_context=False)
def seal_receipts(timestamp: int) -> int:
    """Seal the receipts of the hours that are over; after a time of standing still, all that were missed."""
    try:
        return len(sealing.seal(at=clock.now()))
    except sealing.SealingBusy:
        return 0


@app.periodic(cron="20 16 * * *")  # 00:20 in Shanghai
@app.task(queue="metering", queueing_lock="usage_partitions", pass_context=False)
def make_partitions(timestamp: int) -> int:
    """Make next months' partitions of usage events."""
    return len(partitions.partitions_make(at=clock.now()))


@app.periodic(cron="30 19 * * *")  # 03:30 in Shanghai
@app.task(queue="metering", queueing_lock="usage_archive", pass_context=False)
def archive_months(timestamp: int) -> int:
    """Move months of usage that are old enough to files, where this account may; elsewhere ``usage_archive --due`` does."""
    due = partitions.due_months(at=clock.now()) if partitions.may_archive() else []
    for month in due:
        partitions.month_archive(month=month, at=clock.now())
    return len(due)


@app.periodic(cron="0 19 * * *")  # 03:00 in Shanghai
@app.task(queue="metering", queueing_lock="retention", pass_context=False)
def forget(timestamp: int) -> int:
    """Forget network logs and counters that were kept long enough."""
    done = retention.forget(at=clock.now())
    return done.refusals + done.last_uses + done.subject_windows + done.answers


@app.periodic(cron="20 1 * * *")  # 09:20 in Shanghai: people are there to change a key
@app.task(queue="notices", queueing_lock="ending_keys", pass_context=False)
def tell_of_ending_keys(timestamp: int) -> int:
    """Tell of keys that end in 30, 7 or 1 days."""
    return keyring.keys_tell_of_their_end(at=clock.now())
