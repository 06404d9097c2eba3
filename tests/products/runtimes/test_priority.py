"""Where models queue, government goes first and keeps places of its own (R69)."""

from __future__ import annotations

import asyncio

import pytest

from products.runtimes.base import ReleaseSpec, RuntimeBusy
from products.runtimes.pool import FREE, GOVERNMENT, PAID, Lane
from tests.conftest import START


class SlowLane(Lane):
    """A lane whose only worker notes what it is given and waits to be let go on."""

    def __init__(self, queue: int) -> None:
        self.gate, self.order = asyncio.Event(), []
        release = ReleaseSpec(
            product_code="p",
            version=1,
            type="model",
            config={"limits": {"queue": queue, "workers": 1}},
            artifact=b"",
            input_schema={},
            output_schema={},
        )
        super().__init__(release)

    async def _run(self, slot, job):
        await self.gate.wait()
        self.order.append(job.body)
        job.future.set_result(None)


def play(queue, calls):
    async def run():
        lane = SlowLane(queue)
        first = asyncio.create_task(lane.submit("running", START))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked = [asyncio.create_task(lane.submit(body, START, priority)) for body, priority in calls]
        await asyncio.sleep(0)
        lane.gate.set()
        found = await asyncio.gather(first, *asked, return_exceptions=True)
        await lane.close()
        return lane.order, found[1:]

    return asyncio.run(run())


def test_government_is_taken_first_then_paid_then_free_each_in_its_order():
    calls = [("f1", FREE), ("p1", PAID), ("g1", GOVERNMENT), ("f2", FREE), ("g2", GOVERNMENT), ("p2", PAID)]
    order, _found = play(16, calls)
    assert order == ["running", "g1", "g2", "p1", "p2", "f1", "f2"]


@pytest.mark.parametrize(("queue", "others"), [(10, 8), (3, 3)])
def test_a_fifth_of_the_places_is_for_government_alone(queue, others):
    calls = [(f"p{n}", PAID) for n in range(queue)] + [(f"g{n}", GOVERNMENT) for n in range(queue - others + 1)]
    _order, found = play(queue, calls)
    assert [isinstance(each, RuntimeBusy) for each in found] == (
        [False] * others + [True] * (queue - others) + [False] * (queue - others) + [True]
    )
