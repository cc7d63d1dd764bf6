"""`--again`: ask finished trials again to see whether a model still gives the same answers (again.jsonl).

A round is named by the day on which it began. Of each cell it asks a seeded choice of the finished trials, every step
of their conversations, under the same keys as before. Nothing of it is scored: the run's own journal stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappush, heapreplace
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.generation import Failure, Generation
from harness.core.message import Message
from harness.core.tool import Called
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder
from harness.run.journal import conversation_turns, generation_from, reply_record, trial_record
from harness.run.log import AppendLog, read_log
from harness.run.plan import Plan, trials_of
from harness.run.usage import Used


@dataclass(frozen=True, slots=True)
class AgainFolder(RunFolder):
    """A run folder seen through what was asked anew: both logs of replies and of trials are that one file."""

    @property
    def generations(self) -> Path:
        return self.again

    @property
    def trials(self) -> Path:
        return self.again


class AgainJournal:
    """Keeps one round; takes the place of the run's journal while it is asked."""

    def __init__(self, folder: RunFolder, day: str) -> None:
        self._day = day
        self._log = AppendLog(folder.again)
        self._places: dict[str, int] = {}
        for place, line in read_log(folder.again):
            if line["round"] == day and "key" in line:
                self._places[line["key"]] = place

    def reply(self, key: str, messages: Sequence[Message] = ()) -> Generation | None:
        """The reply to `key` of this round, if it is held."""
        del messages  # they are kept with the first replies
        place = self._places.get(key)
        return None if place is None else generation_from(self._log.line_at(place))

    def add_reply(
        self, generation: Generation, messages: Sequence[Message], *, model: str = ""
    ) -> None:
        """Keep a reply. Not for failures."""
        pictures = sum(text.count("[image ") for _, text in conversation_turns(messages))
        self._places[generation.key] = self._log.append(
            {
                "round": self._day, "key": generation.key, "conversation": "", "pictures": pictures,
                **reply_record(generation), **({"model": model} if model else {}),
            }
        )  # fmt: skip

    def add_trial(
        self,
        trial: str,
        basis: str,
        keys: Sequence[str],
        failure: Failure | None = None,
        *,
        also: Sequence[str] = (),
        rules: Sequence[str] = (),
        shown: Mapping[str, Sequence[int | str]] | None = None,
        text: str | None = None,
        votes: Sequence[int] = (),
        calls: Sequence[Called] = (),
        tool_seconds: float = 0.0,
    ) -> None:
        """Keep what became of a trial."""
        record = trial_record(
            trial, basis, keys, failure, text=text, votes=votes, calls=calls, tool_seconds=tool_seconds
        )  # fmt: skip
        self._log.append({"round": self._day, **record})

    def close(self) -> None:
        """Force what was written to the disk."""
        self._log.close()


@dataclass(frozen=True, slots=True)
class AgainRound:
    """What a command asks anew."""

    day: str
    left: frozenset[str]
    """Trials that are chosen and not asked yet."""
    done: Mapping[str, int]
    """Cell id -> how many of them this round has asked already."""
    counts: Mapping[str, int]
    """Cell id -> how many are chosen."""

    @property
    def note(self) -> str:
        """What a person is told of it before it is asked."""
        if not self.left:
            return f"the round of {self.day} is complete: nothing is asked again (a new round can start on another day)"
        return (
            f"round of {self.day}: {len(self.left):,} finished trials are asked again; scores do not change and "
            "pending trials are not asked"
        )


def choose_round(
    folder: RunFolder,
    plan: Plan,
    samples: RunFolder,
    *,
    bases: Mapping[str, Collection[str]],
    finished: FinishedTrials,
    number: int,
    today: str,
) -> AgainRound:
    """The round that a command asks: the last one, where it is not complete or began today, else a new one.

    `samples` is the folder that holds the plan's samples. Raises HarnessError where no trial is finished.
    """
    chosen = _choice(plan, samples, bases, finished, number)
    if not any(chosen.values()):
        raise HarnessError(
            f"--again {number}: no trial of these cells is finished in {folder.path}, so none can be asked again",
            hint="run the same command without --again first; a cell whose prompt or model has changed has no finished "
            "trials",
        )
    trials = frozenset(trial for found in chosen.values() for trial in found)
    counts = {cell.id: len(chosen[cell.id]) for cell in plan.cells}
    asked = _asked(folder)
    last = max(asked, default=today)
    held = trials & asked.get(last, frozenset())
    if last != today and held == trials:
        last, held = today, frozenset()
    done = {cell: sum(_cell(trial) == cell for trial in held) for cell in counts}
    return AgainRound(last, trials - held, done, counts)


def narrowed(plan: Plan, found: AgainRound) -> Plan:
    """The plan as far as the round asks it."""
    return replace(plan, counts=found.counts)


def _choice(
    plan: Plan,
    samples: RunFolder,
    bases: Mapping[str, Collection[str]],
    finished: FinishedTrials,
    number: int,
) -> dict[str, list[str]]:
    """Cell id -> the finished trials that are first in an order drawn by the plan's seed."""
    best: dict[str, list[tuple[int, str]]] = {cell.id: [] for cell in plan.cells}
    for cell, *_, trial in trials_of(plan, samples):
        if not finished.finished(trial, bases.get(cell.id, ())):
            continue
        drawn = hashlib.sha256(f"{plan.seed}\x1f{trial}".encode("utf-8", "surrogatepass")).digest()
        entry, heap = (-int.from_bytes(drawn[:8]), trial), best[cell.id]
        if len(heap) < number:
            heappush(heap, entry)
        elif entry > heap[0]:
            heapreplace(heap, entry)
    return {cell: [trial for _, trial in sorted(found)] for cell, found in best.items()}


def _cell(trial: str) -> str:
    return trial.partition("/")[0]


def _asked(folder: RunFolder) -> dict[str, frozenset[str]]:
    """Round -> trials that it has finished."""
    found: dict[str, set[str]] = {}
    for line in again_lines(folder):
        done = found.setdefault(line["round"], set())
        if "trial" in line:
            (done.discard if "failure" in line else done.add)(line["trial"])
    return {day: frozenset(done) for day, done in found.items()}


def again_lines(folder: RunFolder) -> Iterator[Mapping[str, Any]]:
    """The lines of again.jsonl, in order; none where there is none."""
    return (line for _, line in read_log(folder.again))


def used_anew(folder: RunFolder) -> dict[tuple[str, str], Used]:
    """(round, cell id) -> what the replies of its trials took, each counted once."""
    replies: dict[tuple[str, str], Mapping[str, Any]] = {}
    found: dict[tuple[str, str], Used] = {}
    for line in again_lines(folder):
        if "key" in line:
            replies[line["round"], line["key"]] = line
            continue
        used = found.setdefault((line["round"], _cell(line["trial"])), Used())
        for key in line["keys"]:
            reply = replies.pop((line["round"], key), None)
            if reply is not None:
                used.count(reply, pictures=reply["pictures"])
    return found
