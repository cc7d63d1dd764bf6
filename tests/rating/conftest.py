from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from harness.core.medium import Medium, image
from harness.core.picture import HeldPicture
from harness.core.sample import Sample
from harness.core.task import Task
from harness.media.sound import wav_bytes
from harness.media.transforms import encode_png
from harness.rating.form import form_of
from harness.rating.items import items_of
from harness.rating.journal import RatingJournal, Study
from harness.rating.seats import Desk, adjudicator_seat, rater_seat
from harness.rating.server import RatingServer

FIELDS = {
    "emotion": {"kind": "label", "labels": ["anger", "joy"]},
    "teeth": {"kind": "yes-no"},
}


def make_task() -> Task:
    return Task(
        name="mine/faces",
        source={"family": "table"},
        fields=FIELDS,
        prompts=("emotion/plain",),
    )


def picture(shade: int) -> HeldPicture:
    from PIL import Image

    return HeldPicture(
        f"anger-{shade}.png", encode_png(Image.new("RGB", (32, 24), (shade, shade, shade)))
    )


def samples(n: int = 4) -> list[Sample]:
    found = [
        Sample(f"anger-{k}", image(picture(10 * k)), {"emotion": "anger"}, cluster=f"person{k % 3}")
        for k in range(n - 1)
    ]
    clip = Medium("clip", tuple(picture(k) for k in (1, 2, 3)), (0, 5, 10), fps=50.0)
    return [*found, Sample("anger-clip", clip, {"emotion": "anger"})]


@dataclass(frozen=True)
class Tone:
    """A sound of 440 Hz."""

    seconds: float
    name: str = "tone.wav"

    def read(self) -> bytes:
        count = round(self.seconds * 8000)
        wave = 9000 * np.sin(2 * np.pi * 440 * np.arange(count) / 8000)
        return wav_bytes(wave.astype(np.int16), 8000)


def clips_with_sound(n: int = 2, *, seconds: float = 0.8) -> list[Sample]:
    """Clips of 20 frames over so many seconds."""
    found = []
    for k in range(n):
        shown = tuple(picture(10 * at) for at in range(20))
        medium = Medium("clip", shown, tuple(range(20)), fps=20 / seconds, sound=Tone(seconds))
        found.append(Sample(f"clip-{k}", medium, {"emotion": "anger"}))
    return found


@dataclass
class Served:
    """A page that is served, and a visitor."""

    port: int
    desks: list[Desk]
    journal: RatingJournal
    visitor: aiohttp.ClientSession
    server: RatingServer
    ended: list[BaseException] = field(default_factory=list)

    def address(self, desk: int = 0, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{self.desks[desk].seat.token}/{path}"

    async def get(self, path: str, desk: int = 0) -> Any:
        async with self.visitor.get(self.address(desk, path)) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def post(
        self, at: int, answers: dict[str, Any], desk: int = 0, **headers: str
    ) -> tuple[int, Any]:
        sent = {"Origin": f"http://127.0.0.1:{self.port}", **headers}
        body = {"answers": answers, "seconds": 1.5}
        url = self.address(desk, f"items/{at}")
        async with self.visitor.post(url, json=body, headers=sent) as reply:
            known = reply.content_type == "application/json"
            return reply.status, await (reply.json() if known else reply.text())


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    @asynccontextmanager
    async def serving(
        *raters: str,
        adjudicate: bool = False,
        path: Path = tmp_path / "r.journal.jsonl",
        given: list[Sample] | None = None,
        conditions: tuple[str, ...] = ("none",),
    ) -> AsyncIterator[Served]:
        task = make_task()
        fields = form_of(["emotion", "teeth"], task.fields)
        items = items_of(given or samples(), conditions, fields=["emotion", "teeth"], task=task)
        study = Study(task.name, "digest", fields, conditions, 0, len(items))
        journal = RatingJournal(path, study)
        seat = adjudicator_seat if adjudicate else rater_seat
        desks = [Desk(seat(rater, items, journal), journal) for rater in raters]
        server = RatingServer(task, desks)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(server.serve(0, ready=port.set_result))
        async with aiohttp.ClientSession() as visitor:
            served = Served(await port, desks, journal, visitor, server)
            try:
                yield served
            finally:
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
                journal.close()

    return serving
