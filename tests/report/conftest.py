from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.inputs import RunView, read_run
from harness.run.folder import RunFolder

from .runs import make_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two tasks, two prompts, blank and not, every outcome."""
    return make_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="session")
def view(run_folder: RunFolder) -> RunView:
    return read_run(run_folder)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "run"
