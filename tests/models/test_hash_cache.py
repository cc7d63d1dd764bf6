"""Digests of weights are remembered, and never for files that are others now."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.models.transformers.checkpoint import digest
from harness.models.transformers.hash_cache import remembered

HOUR = 3600


class Counted:
    """A digest that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, files: Sequence[Path]) -> str:
        self.made += 1
        return digest(files)


@pytest.fixture
def weights(tmp_path: Path) -> list[Path]:
    """Two files of long ago."""
    files = [tmp_path / f"model-{part}.safetensors" for part in (1, 2)]
    for file in files:
        file.write_bytes(file.name.encode() * 100)
    return files


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an hour had gone by."""
    import time

    now = time.time()
    monkeypatch.setattr("harness.models.transformers.hash_cache.time.time", lambda: now + HOUR)


def test_unchanged_files_are_hashed_once(
    weights: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    make = Counted()
    found = [remembered(weights, make, cache=tmp_path / "cache", worth=1) for _ in range(3)]
    assert found == [digest(weights)] * 3
    assert make.made == 1


@pytest.mark.parametrize("change", ["content", "same size and times", "replaced", "fewer"])
def test_any_change_is_seen(
    change: str, weights: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    make, cache = Counted(), tmp_path / "cache"
    remembered(weights, make, cache=cache, worth=1)
    file, times = weights[0], weights[0].stat()
    if change == "content":
        file.write_bytes(b"longer than before" * 1000)
    elif change == "same size and times":
        file.write_bytes(b"x" * times.st_size)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif change == "replaced":
        other = tmp_path / "other"
        other.write_bytes(b"y" * times.st_size)
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(file)
    else:
        weights = weights[1:]
    assert remembered(weights, make, cache=cache, worth=1) == digest(weights)
    assert make.made == 2


def test_files_of_this_moment_are_not_trusted(weights: list[Path], tmp_path: Path) -> None:
    make = Counted()
    for _ in range(2):
        remembered(weights, make, cache=tmp_path / "cache", worth=1)
    assert make.made == 2


def test_small_files_leave_no_trace(weights: list[Path], tmp_path: Path) -> None:
    remembered(weights, digest, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("held", [b"", b"{", b"[]", b'{"files": 3}', b"\xff"])
def test_a_broken_cache_costs_time_alone(
    held: bytes, weights: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    cache, make = tmp_path / "cache", Counted()
    remembered(weights, make, cache=cache, worth=1)
    (entry,) = cache.iterdir()
    entry.write_bytes(held)
    assert remembered(weights, make, cache=cache, worth=1) == digest(weights)
    assert make.made == 2


def test_a_place_that_cannot_be_written_costs_time_alone(
    weights: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (tmp_path / "file").write_text("no folder")
    assert remembered(weights, digest, cache=tmp_path / "file", worth=1) == digest(weights)
