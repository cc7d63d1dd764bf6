from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import harness
from harness.core.request import Request
from harness.view.server import ViewServer
from tests.run.bench import RuleModel, rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion", "subject": "person"}
EVIL = '<img src=x onerror="document.title=1">\u202e anger'


def rule(request: Request) -> str:
    """Angry about most pictures; now and then what no page may read as HTML."""
    return EVIL if int(request.key[:2], 16) % 4 == 0 else "anger"


def run(out: str, model: RuleModel, **options: Any) -> None:
    """A run of the table in the current folder."""
    harness.evaluate(
        "table/emotion", model=model, source=SOURCE, out=out, progress=False, **options
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`results` with the runs `a` (two prompts, a report) and `deep/b` (another model), over 24 pictures."""
    root = tmp_path_factory.mktemp("view")
    write_pictures(root, rows(24))
    before = Path.cwd()
    os.chdir(root)
    try:
        run(
            "results/a",
            RuleModel(rule),
            prompts=["emotion/plain", "emotion/cot"],
            name="First look",
        )
        run("results/deep/b", RuleModel(identity="rule-2"), report=False)
    finally:
        os.chdir(before)
    return root


@dataclass
class Visitor:
    """Who looks at the page."""

    server: ViewServer
    port: int
    session: aiohttp.ClientSession

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self, path: str = "") -> str:
        return f"{self.origin}/{self.server.token}/{path}"

    async def get(self, path: str, **query: str) -> Any:
        async with self.session.get(self.address(path), params=query) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def status(self, method: str, url: str, **options: Any) -> int:
        async with self.session.request(method, url, **options) as reply:
            await reply.read()
            return reply.status

    async def id_of(self, path: str) -> str:
        return str(next(r["id"] for r in (await self.get("runs"))["runs"] if r["path"] == path))

    async def save(self, run: str, **body: Any) -> tuple[int, Any]:
        async with self.session.post(
            self.address(f"runs/{run}/notes"), json=body, headers={"Origin": self.origin}
        ) as reply:
            return reply.status, await reply.json()


Visit = Callable[..., AbstractAsyncContextManager[Visitor]]


@asynccontextmanager
async def visiting(root: Path, *, side: int | None = None) -> AsyncIterator[Visitor]:
    server = ViewServer(root, side=side)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = asyncio.create_task(server.serve(0, ready=port.set_result))
    async with aiohttp.ClientSession() as session:
        try:
            yield Visitor(server, await port, session)
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


@pytest.fixture
def visit() -> Visit:
    return visiting


@pytest.fixture
def inside(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the runs, worked in."""
    monkeypatch.chdir(made)
    yield made / "results"
