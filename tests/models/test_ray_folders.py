"""Folders that Ray wrote for runs that were killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness.models import ray_replicas

NOBODY = 2**30
"""A process that there cannot be."""


def test_two_runs_may_remove_them_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = [tmp_path / f"{ray_replicas._FOLDER}{NOBODY}-{n}" for n in range(3)]
    own = tmp_path / f"{ray_replicas._FOLDER}{os.getpid()}-x"
    for folder in (*left, own):
        folder.mkdir()

    def other_is_quicker(place: Path, *, ignore_errors: bool) -> None:
        for folder in left:
            folder.rmdir()

    monkeypatch.setattr(shutil, "rmtree", other_is_quicker)
    ray_replicas._tidy()
    assert list(tmp_path.iterdir()) == [own]
