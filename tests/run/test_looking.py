"""Looking whether a run is written keeps nobody from writing it."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.run.folder import RunFolder


def test_a_look_is_waited_out_and_a_writer_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    with folder.locked():
        assert folder.is_held()
        with pytest.raises(HarnessError, match="another process"), folder.locked():
            pass
    assert not folder.is_held()
    with (tmp_path / ".lock").open("rb") as looking:
        monkeypatch.setattr("harness.run.folder.LOOKING", 3)  # the timer may be late
        fcntl.flock(looking, fcntl.LOCK_SH)
        timer = threading.Timer(0.05, fcntl.flock, (looking, fcntl.LOCK_UN))
        timer.start()
        with folder.locked():
            assert folder.is_held()
        timer.join()
