"""Which trials of a run are finished, and on what basis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from harness.run.digests import KEY, Digests, digest
from harness.run.log import read_log

_FAILED = bytes(KEY)


class FinishedTrials:
    """The trials in `trials.jsonl`: for each trial and basis the last line counts. A million take 50 MB.

    A trial that was asked again on another basis stays finished on the earlier one: where an edited prompt is put
    back, its replies count again.
    """

    def __init__(self, log: Path) -> None:
        """Read `log`, which need not exist. Raises HarnessError for a broken line."""
        self._states = Digests(KEY)
        """Basis and trial -> a digest of the keys of its requests and of how they are read; zeros where it failed."""
        self.asked: Counter[tuple[str, str]] = Counter()
        """(cell id, basis) -> trials that were ever finished or failed on it."""
        for _, record in read_log(log):
            self.put(
                record["trial"], record["basis"], record["keys"],
                failed="failure" in record, text=record.get("text"), votes=record.get("votes") or (),
            )  # fmt: skip

    def put(
        self,
        trial: str,
        basis: str,
        keys: Sequence[str],
        *,
        failed: bool,
        text: str | None = None,
        votes: Sequence[int] = (),
    ) -> None:
        """Note what became of a trial."""
        name = _name(trial, basis)
        if self._states.get(name) is None:
            self.asked[trial.partition("/")[0], basis] += 1
        self._states.put(name, _FAILED if failed else _digest(keys, text, votes))

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
        return self._state(trial, bases) == _digest(keys, text, votes)

    def finished(self, trial: str, bases: Collection[str]) -> bool:
        """Whether a trial was finished on one of these bases; the first on which it was asked decides."""
        return self._state(trial, bases) != _FAILED

    def state(self, trial: str, bases: Collection[str]) -> tuple[bytes, bytes] | None:
        """A digest of trial and basis, and one of how it was finished; None where it is not finished on one of these
        bases."""
        for basis in bases:
            name = _name(trial, basis)
            found = self._states.get(name)
            if found is not None:
                return None if found == _FAILED else (name, found)
        return None

    def _state(self, trial: str, bases: Collection[str]) -> bytes:
        states = (self._states.get(_name(trial, basis)) for basis in bases)
        return next((state for state in states if state is not None), _FAILED)


def _digest(keys: Sequence[str], text: str | None, votes: Sequence[int]) -> bytes:
    """A digest of the keys, and of how their replies are read where the line says so."""
    read = [] if text is None and not votes else [repr((text, list(votes)))]
    return digest(" ".join([*keys, *read]))


def _name(trial: str, basis: str) -> bytes:
    return digest(f"{basis}\x1f{trial}")
