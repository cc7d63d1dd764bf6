"""Pictures in memory: those of the window and of two chunks, however many there are."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.generation import Generation
from harness.core.message import Image
from harness.core.request import Request
from harness.run import blocks, execute
from harness.run.blocks import CHUNK
from harness.run.prepare import Prepared, prepare
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


class Noting:
    """A source as it was, whose samples say on which thread they were made."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def __call__(self, *given: Any, **named: Any) -> Iterator[list[Prepared]]:
        for trials in prepare(*given, **named):
            self.threads.append(threading.get_ident())
            yield trials


@pytest.mark.parametrize(("quick", "beside"), [(60.0, 1), (0.0, 24)])
def test_only_samples_that_take_long_are_prepared_beside_the_requests(
    quick: float, beside: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first always is: nothing is known of it."""
    noting = Noting()
    monkeypatch.setattr(blocks, "QUICK", quick)
    monkeypatch.setattr(execute, "prepare", noting)
    model = RuleModel()
    _, tally = make_world(tmp_path, count=24).run(model)
    assert tally.trials == len(model.asked) == len(noting.threads) == 24
    assert sum(thread != threading.get_ident() for thread in noting.threads) == beside
