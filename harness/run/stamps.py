"""What the samples of finished trials were when they were asked, so that unchanged ones need not be rendered again.

To render a trial and look its key up takes ten times as long as to look at its file. A trial is passed over where it is
finished on its basis and the stamp of its sample is the one that stands here. The journal stays what counts: a stamp
holds for one line of it alone, and one that is missing only costs time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.core.medium import Medium
from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.run.digest_column import DigestColumn
from harness.run.digests import KEY, digest
from harness.run.finished import FinishedTrials
from harness.run.folder import write_error
from harness.version import __version__

SETTLED = 2.0
"""Seconds that a picture file must have stood unchanged: clocks of file systems do not tell writes close to each other
apart."""
_ENTRY = 2 * KEY


class Stamps:
    """`private/stamps.bin`: of each trial its name on its basis, and a digest of its journal line and its sample's
    stamp, KEY bytes each. Only appended to; the last entry of a trial counts. A million that are read take 45 MB; what is
    put is not held."""

    def __init__(
        self, path: Path, finished: FinishedTrials, *, without: bytes = b"", empty: bool = False
    ) -> None:
        """Read the file; one that is not there or cannot be read tells nothing, and none tells of the trials `without`
        their replies, by their names on their basis, KEY bytes each. `empty`: what is there is not heeded."""
        self._path, self._finished = path, finished
        data = b""
        with contextlib.suppress(OSError):
            data = b"" if empty else path.read_bytes()
        whole = len(data) // _ENTRY * _ENTRY  # the last may be cut off by a kill
        entries = np.frombuffer(data[:whole], dtype=np.uint8).reshape(-1, _ENTRY)
        if without:
            entries = entries[DigestColumn(without).find(entries[:, :KEY].tobytes()) < 0]
        self._held = DigestColumn(entries[:, :KEY].tobytes())
        self._values = np.ascontiguousarray(entries[:, KEY:])
        self._file: IO[bytes] | None = None
        """Open once there is something to write."""

    def holds(self, trial: str, bases: Collection[str], stamp: bytes) -> bool:
        """Whether a trial is finished on one of these bases, and was so with this stamp of its sample."""
        if not len(self._held):  # as in a first start
            return False
        found = self._finished.state(trial, bases)
        return found is not None and self._value(found[0]) == _entry(found[1], stamp)

    def hold(
        self, trials: Sequence[str], bases: Collection[str], stamps: Sequence[bytes]
    ) -> NDArray[np.bool_]:
        """(n,) `holds` of n trials."""
        names, states, finished = self._finished.states(trials, bases)
        ends = states.tobytes()
        wanted = b"".join(
            _entry(ends[at : at + KEY], stamp)
            for at, stamp in zip(range(0, len(ends), KEY), stamps, strict=True)
        )
        numbers = self._held.find(names.tobytes())
        same = finished & (numbers >= 0)
        told = np.frombuffer(wanted, dtype=np.uint8).reshape(-1, KEY)
        same[same] = np.all(self._values[numbers[same]] == told[same], axis=1)
        return same

    def put(self, trial: str, bases: Collection[str], stamp: bytes) -> None:
        """Note the stamp of the sample of a finished trial, which was taken before its pictures were read.

        Raises HarnessError where it cannot be written.
        """
        found = self._finished.state(trial, bases)
        if found is None or self._value(found[0]) == (entry := _entry(found[1], stamp)):
            return
        try:
            if self._file is None:
                self._file = _opened(self._path)
            self._file.write(found[0] + entry)
        except OSError as error:
            raise write_error(self._path, error) from None

    def _value(self, name: bytes) -> bytes | None:
        number = self._held.place(name)
        return None if number < 0 else self._values[number].tobytes()

    def close(self) -> None:
        """Write what is held back. What cannot be written any more is done without."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()


def _opened(path: Path) -> IO[bytes]:
    """To append to, behind the last whole entry."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    file.truncate(file.tell() // _ENTRY * _ENTRY)
    return file


def stamp_of(sample: Sample, *, now: float) -> bytes | None:
    """A digest of all that a request takes from a sample: its question, what it asks for, and of its pictures the files
    with their sizes and times, not their content. Another version of the harness gives another stamp.

    None where that does not tell: pictures that are no files, files that were written a moment before `now` (seconds
    since 1970) or cannot be looked at, sounds, and faces that are to be found.
    """
    said: list[object] = [__version__, sample.question, sample.asks]
    for medium in (sample.medium, sample.second):
        told = None if medium is None else told_of(medium, now)
        if medium is not None and told is None:
            return None
        said.append(told)
    return digest(repr(said))


def bare_stamps(questions: Sequence[str | None], told: Sequence[str | None]) -> list[bytes | None]:
    """`stamp_of` samples that show one picture without notes and ask every field of their task. `told` is `told_of` their
    media, written out by `repr`."""
    start = f"[{__version__!r}, "
    return [
        None if one is None else digest(f"{start}{question!r}, (), {one}, None]")
        for question, one in zip(questions, told, strict=True)
    ]


def told_of(medium: Medium, now: float) -> tuple[object, ...] | None:
    """What a stamp says of a medium; None where it cannot tell (`stamp_of`)."""
    if medium.finder is not None or medium.sound is not None:
        return None
    found: list[object] = []
    for frame in medium.frames:
        if type(frame) is not FilePicture:
            return None
        told = told_of_file(frame.name, now)
        if told is None:
            return None
        found += told
    if medium.kind == "image" and not medium.notes and not medium.changes:
        return tuple(found)
    return (
        medium.kind, medium.indices, medium.fps, medium.onset, medium.apex, medium.offset, medium.changes, medium.notes,
        medium.heard, *found,
    )  # fmt: skip


def told_of_file(path: str, now: float) -> tuple[str, int, int, int] | None:
    """What a stamp says of a picture file, and all that it says of a picture without notes; None where it cannot tell."""
    try:
        status = os.stat(path)  # noqa: PTH116 - once a sample
    except OSError:
        return None
    if now - max(status.st_mtime, status.st_ctime) < SETTLED:
        return None
    return path, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _entry(state: bytes, stamp: bytes) -> bytes:
    return hashlib.blake2b(state + stamp, digest_size=KEY).digest()
