"""Jobs of pricing; procrastinate finds them here."""

from procrastinate.contrib.django import app

from pricing.revenue import reports
from pricing.tariffs import lapse
from products.record import clock


@app.periodic(cron="20 16 * * *")  # 00:20 in Shanghai
@app.task(queue="pricing", queueing_lock="tariffs_stand", pass_context=False)
def tariffs_stand(timestamp: int) -> int:
    """End the cases of tariffs that nobody returned in time."""
    return len(lapse.tariffs_stand(at=clock.now()))


@app.periodic(cron="30 17 * * *")  # 01:30 in Shanghai
@app.task(queue="oversight", queueing_lock="trial_to_formal", pass_context=False)
def ask_for_formal_prices(timestamp: int) -> int:
    """Ask for the move from trial to formal where the first full year is complete."""
    return len(reports.ask_for_formal_prices(at=clock.now()))
