"""The test setup: a local server, pictures, and a temporary folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from harness.bench.measured_process import Spent, spend
from harness.bench.pictures import write_pictures
from harness.bench.server import MODEL
from harness.core.errors import HarnessError

TRIALS_FAILED = 3
"""Exit status of `harness run` where trials failed; here they are made to."""
IN_FLIGHT = 64
"""Requests in flight, of every client."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One client's run: what it took, and what the server saw of it."""

    spent: Spent
    seen: Mapping[str, Any]
    """See `harness.bench.server.Seen.summary`."""

    @property
    def rate(self) -> float:
        """Requests a second, from the first that came to the last that was answered."""
        seconds = float(self.seen["seconds"])
        return int(self.seen["requests"]) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A running server and a folder to work in."""

    url: str
    folder: Path

    def pictures(self, count: int) -> Path:
        """A table of so many pictures, made once."""
        place = self.folder / f"pictures-{count}"
        table = place / "labels.csv"
        return table if table.exists() else write_pictures(place, count)

    def reset(self, **orders: Any) -> None:
        """Forget what was seen; behave as `harness.bench.server.Orders` says."""
        self._call("/reset", json.dumps(orders).encode())

    def seen(self) -> Mapping[str, Any]:
        """What the server saw since the last reset."""
        return self._call("/seen")

    def bare(self, table: Path) -> Measured:
        """The bare client over a table."""
        command = [
            sys.executable,
            "-m",
            "harness.bench.baseline_client",
            self.url,
            str(table),
            str(IN_FLIGHT),
        ]
        return self.run("bare.log", self.compiled(command))

    def ours(
        self,
        table: Path,
        out: Path,
        *options: str,
        kill_when: Callable[[], bool] | None = None,
    ) -> Measured:
        """`harness run` over a table into the run folder `out`, without the page."""
        command = [*self.command(table, out), *options]
        return self.run("ours.log", self.compiled(command), kill_when=kill_when)

    def command(self, table: Path, out: Path) -> list[str]:
        """The command of `ours`."""
        columns = ("file=" + str(table), "image=image", "label=emotion")
        return [
            sys.executable, "-m", "harness.cli.main", "run", "table/emotion",
            *(word for column in columns for word in ("--set", f"source.{column}")),
            "--model", f"openai:{MODEL}@{self.url}", "--no-report", "--json", "--out", str(out),
            "--concurrency", str(IN_FLIGHT),
        ]  # fmt: skip

    def fresh(self, name: str) -> Path:
        """The path of a run folder that is not there yet."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        return place

    def run(
        self,
        log: str,
        command: list[str],
        *,
        kill_when: Callable[[], bool] | None = None,
        moments: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> Measured:
        """Any client, its output in the file `log` of the folder. Raises HarnessError where it ends badly."""
        spent = spend(
            command, folder=self.folder, log=self.folder / log, kill_when=kill_when, moments=moments
        )
        if spent.status not in (0, TRIALS_FAILED, -9) or (spent.status == -9 and kill_when is None):
            said = (self.folder / log).read_text(encoding="utf-8", errors="replace")[-2000:]
            raise HarnessError(
                f"a client ended with status {spent.status}: {said}", hint="run it by hand"
            )
        return Measured(spent, self.seen())

    def compiled(self, command: list[str]) -> list[str]:
        """The command with compiled modules kept in the folder, so that no run but the first compiles them."""
        kept = f"PYTHONPYCACHEPREFIX={self.folder / 'compiled'}"
        return ["env", "-u", "OPENAI_API_KEY", "-u", "PYTHONDONTWRITEBYTECODE", kept, *command]

    def _call(self, path: str, body: bytes | None = None) -> Mapping[str, Any]:
        opener = build_opener(ProxyHandler({}))
        with opener.open(Request(self.url + path, body), timeout=30) as response:  # noqa: S310
            answer: Mapping[str, Any] = json.loads(response.read())
        return answer


@contextmanager
def open_stand() -> Iterator[Stand]:
    """A stand until the block ends."""
    with TemporaryDirectory(prefix="harness-bench-") as place:
        folder = Path(place)
        server = subprocess.Popen(
            [sys.executable, "-m", "harness.bench.server"], stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            if not url:
                raise HarnessError("the server to measure against did not start")
            yield Stand(url, folder)
        finally:
            server.kill()
            server.communicate()
