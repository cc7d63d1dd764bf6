"""Which trials of a run are finished, and on what basis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.run.digests import KEY, digest
from harness.run.indexed_log import IndexedLog, Told
from harness.run.log_index import LogIndex

_FAILED = bytes(KEY)
_ENTRY = 2 * KEY + 4
"""Bytes in the index of the log: name, state, number of cell and basis."""


class FinishedTrials:
    """The trials in `trials.jsonl`: for each trial and basis the last line counts. A million that were there at the start
    take 45 MB, a million that are put 8.

    A trial that was asked again on another basis stays finished on the earlier one: where an edited prompt is put
    back, its replies count again.
    """

    def __init__(self, log: Path) -> None:
        """Read `log`, which need not exist. Raises HarnessError for a broken line."""
        index = LogIndex(log, _ENTRY)
        self._numbers: dict[str, int] = {note: at for at, note in enumerate(index.notes)}
        """`CELL BASIS` -> its number in the index."""
        self._states = IndexedLog(index, self._told)
        """Basis and trial -> a digest of the keys of its requests and of how they are read, zeros where it failed; the
        number of its cell and basis."""
        self.asked = Counter(self._counted())
        """(cell id, basis) -> trials that were ever finished or failed on it."""
        self._last = ("", "", trial_name("", ""))

    def _told(self, record: Any, start: int) -> Told:
        failed, text, votes = "failure" in record, record.get("text"), record.get("votes") or ()
        state = _FAILED if failed else _digest(record["keys"], text, votes)
        trial, basis = record["trial"], record["basis"]
        return trial_name(trial, basis), *self._numbered(trial, basis, state)

    def _numbered(self, trial: str, basis: str, state: bytes) -> tuple[bytes, str]:
        """The value of a line, and the note of the index where its cell and basis are new."""
        pair = f"{trial.partition('/')[0]} {basis}"
        known = len(self._numbers)
        number = self._numbers.setdefault(pair, known)
        return state + number.to_bytes(4, "little"), pair if number == known else ""

    def _counted(self) -> dict[tuple[str, str], int]:
        pairs = np.ascontiguousarray(self._states.last_values()[:, KEY:])
        counts = np.bincount(pairs.view(np.uint32).ravel(), minlength=len(self._numbers)).tolist()
        named = ((pair.partition(" "), counts[number]) for pair, number in self._numbers.items())
        return {(cell, basis): count for (cell, _, basis), count in named}

    def keep(self) -> None:
        """Keep the index of the log from now on, which this process then alone writes. Raises HarnessError."""
        self._states.keep()

    def close(self) -> None:
        """Write what of the index is held back."""
        self._states.close()

    def put(
        self,
        trial: str,
        basis: str,
        keys: Sequence[str],
        *,
        failed: bool,
        end: int,
        text: str | None = None,
        votes: Sequence[int] = (),
    ) -> None:
        """Note what became of a trial; its line in the log ends before the byte `end`."""
        state = _FAILED if failed else _digest(keys, text, votes)
        value, note = self._numbered(trial, basis, state)
        if self._states.put(self._name(trial, basis), value, end=end, note=note):
            self.asked[trial.partition("/")[0], basis] += 1

    def holds(
        self,
        trial: str,
        bases: Collection[str],
        keys: Sequence[str],
        *,
        text: str | None = None,
        votes: Sequence[int] = (),
    ) -> bool:
        """Whether the last line of a trial on one of these bases, the first on which it was asked, says that it was
        finished by these requests, read so."""
        state = self._state(trial, bases)
        return state != _FAILED and state == _digest(keys, text, votes)

    def finished(self, trial: str, bases: Collection[str]) -> bool:
        """Whether a trial was finished on one of these bases; the first on which it was asked decides."""
        return self._state(trial, bases) != _FAILED

    def state(self, trial: str, bases: Collection[str]) -> tuple[bytes, bytes] | None:
        """A digest of trial and basis, and one of how it was finished; None where it is not finished on one of these
        bases."""
        for basis in self._known(trial, bases):
            name = self._name(trial, basis)
            found = self._states.get(name)
            if found is not None:
                state = found[:KEY]
                return None if state == _FAILED else (name, state)
        return None

    def states(
        self, trials: Sequence[str], bases: Collection[str]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
        """`state` of n trials: (n, KEY) each, and (n,) whether they are finished."""
        names = np.zeros((len(trials), KEY), dtype=np.uint8)
        states, known = names.copy(), np.zeros(len(trials), dtype=bool)
        for basis in bases:
            if known.all():
                break
            tried = b"".join([trial_name(trial, basis) for trial in trials])
            values, found = self._states.find(tried)
            new = found & ~known
            names[new] = np.frombuffer(tried, dtype=np.uint8).reshape(-1, KEY)[new]
            states[new] = values[new, :KEY]
            known |= found
        finished: NDArray[np.bool_] = np.any(states != 0, axis=1)
        return names, states, finished

    def _state(self, trial: str, bases: Collection[str]) -> bytes:
        for basis in self._known(trial, bases):
            found = self._states.get(self._name(trial, basis))
            if found is not None:
                return found[:KEY]
        return _FAILED

    def _known(self, trial: str, bases: Collection[str]) -> list[str]:
        """Those of the bases on which any trial of the cell was asked: no other need be looked up."""
        cell = trial.partition("/")[0]
        return [basis for basis in bases if (cell, basis) in self.asked]

    def _name(self, trial: str, basis: str) -> bytes:
        """The digest of a trial and a basis; the last one is asked for again and again."""
        last = self._last
        if last[0] != trial or last[1] != basis:
            last = self._last = trial, basis, trial_name(trial, basis)
        return last[2]


def _digest(keys: Sequence[str], text: str | None, votes: Sequence[int]) -> bytes:
    """A digest of the keys, and of how their replies are read where the line says so."""
    read = [] if text is None and not votes else [repr((text, list(votes)))]
    return digest(" ".join([*keys, *read]))


def trial_name(trial: str, basis: str) -> bytes:
    """The digest by which a trial on a basis is known."""
    return digest(f"{basis}\x1f{trial}")
