"""Jobs of the ground floor; procrastinate finds them here."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from products.record import clock, notices


@app.task(queue="mail", retry=RetryStrategy(max_attempts=5, exponential_wait=10), pass_context=False)
def mail_notices(notice_ids: list[int]) -> int:
    """Mail notices that were written with a change; a failed mail is tried again."""
    return notices.mail(notice_ids=notice_ids, at=clock.now())
