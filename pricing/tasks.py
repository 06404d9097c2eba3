"""Jobs of pricing; procrastinate finds them here."""

from procrastinate.contrib.django import app

from pricing.tariffs import lapse
from products.record import clock


@app.periodic(cron="20 16 * * *")  # 00:20 in Shanghai
@app.task(queue="pricing", queueing_lock="tariffs_stand", pass_context=False)
def tariffs_stand(timestamp: int) -> int:
    """End the cases of tariffs that nobody returned in time."""
    return len(lapse.tariffs_stand(at=clock.now()))
