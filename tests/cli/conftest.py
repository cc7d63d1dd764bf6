from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models.stub import Stub, running_stub
from tests.run.bench import rows, write_pictures

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with `labels.csv` and 24 pictures."""
    write_pictures(tmp_path, rows(24))
    return tmp_path


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def harness(tmp_path: Path) -> Run:
    """The command in a process of its own, working in `tmp_path`."""

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness.cli.main", *arguments],
            cwd=cwd, capture_output=True, text=True, timeout=240,
        )  # fmt: skip

    return run
