"""The experiment of three imitated models, run once for all tests."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.models.stub import Stub

from .imitated import running_experiment

FACES = 84


@dataclass(frozen=True)
class Experiment:
    """What the commands wrote and said; commands go on in `folder`, while the servers run."""

    folder: Path
    plan: str
    preview: str
    said: str
    requests: tuple[int, int]
    """After the preview, and after the whole run."""
    servers: Sequence[Stub]

    @property
    def run(self) -> Path:
        return self.folder / "results/runs/Do-definitions-help"

    def command(self, *arguments: object, status: int = 0) -> str:
        """What a command prints."""
        return command(self.folder, *arguments, status=status)


def command(folder: Path, *arguments: object, status: int = 0) -> str:
    """What a command prints that is given in `folder`."""
    out = io.StringIO()
    with chdir(folder), redirect_stdout(out):
        found = main([os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments])
    assert found == status, out.getvalue()
    return out.getvalue()


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    folder = tmp_path_factory.mktemp("experiment")
    with running_experiment(folder, n=FACES) as servers:
        plan = command(folder, "plan", "experiment.yaml")
        preview = command(folder, "run", "experiment.yaml", "--preview", "2", "--no-report")
        before = sum(server.count for server in servers)
        said = command(folder, "run", "experiment.yaml")
        whole = sum(server.count for server in servers)
        yield Experiment(folder, plan, preview, said, (before, whole), servers)
