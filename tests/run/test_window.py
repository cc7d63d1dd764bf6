"""Pictures in memory: those of the window and of two chunks, however many there are."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from harness.core.generation import Generation
from harness.core.message import Image
from harness.core.request import Request
from harness.run.execute import CHUNK
from tests.run.bench import RuleModel, make_world


class Watching(RuleModel):
    """Answers slowly, keeps nothing of what it was asked, and counts the pictures there are."""

    most = 0
    count = 0

    async def reply(self, request: Request) -> Generation:
        self.count += 1
        await asyncio.sleep(0.002)
        if self.count % 40 == 0:
            alive = sum(isinstance(thing, Image) for thing in gc.get_objects())
            self.most = max(self.most, alive)
        return Generation(request.key, "anger", "stop")


def test_no_more_pictures_are_held_than_the_window_asks_for(tmp_path: Path) -> None:
    before = sum(isinstance(thing, Image) for thing in gc.get_objects())
    model = Watching(window=5)
    _, tally = make_world(tmp_path, count=240).run(model)
    assert tally.trials == model.count == 240
    assert model.most - before <= 5 + 2 * CHUNK + 2
