"""The pump: what of a room is sent, and when."""

import asyncio
import time

from demo import Demo
from listener import header, listen, live
from pulseweave.gather.web.pump import Pump
from pulseweave.gather.web.server import serve


def test_pictures_that_nobody_saw_are_counted():
    demo = Demo(nodes=4, pixels=10)
    pump = Pump(demo)
    pump.take_meta()
    for steps, seq in ((1, 1), (1, 2), (3, 5), (1, 6)):
        for _ in range(steps):
            demo.step(0.04)
        assert pump.take_picture()
        assert header(pump.picture.message)[3] == seq
    assert not pump.take_picture(), "the same picture twice"


def test_a_source_that_fails_is_reported_once(caplog):
    class Broken(Demo):
        def state(self):
            raise RuntimeError("no state today")

    demo = Broken(nodes=4, pixels=10).start()
    with serve(demo, port=0) as server:

        async def run():
            async with live(server) as page:
                return await listen(page, 1.2)

        pictures, _ = asyncio.run(run())
    demo.stop()
    assert pictures
    assert len([r for r in caplog.records if "take_state" in r.message]) == 1


def test_the_curve_is_there_for_pages_that_come_later(room):
    with serve(room, port=0) as server:
        time.sleep(1.6)

        async def run():
            async with live(server) as page:
                return await listen(page, 0.4)

        _, words = asyncio.run(run())
    rows = next(w["rows"] for w in words if w["type"] == "history")
    assert len(rows) >= 5 and all(len(r) == 4 for r in rows)
    assert [r[0] for r in rows] == sorted(r[0] for r in rows)
