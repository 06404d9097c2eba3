"""Jobs of settlement; procrastinate finds them here."""

from procrastinate.contrib.django import app

from products.record import clock
from settlement.billing import services


@app.periodic(cron="10 17 * * *")  # 01:10 in Shanghai
@app.task(queue="billing", queueing_lock="overdue", pass_context=False)
def mark_overdue(timestamp: int) -> int:
    """Mark invoices past their due date and stop what they paid for."""
    return len(services.mark_overdue(at=clock.now()))
