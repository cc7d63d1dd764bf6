"""The result of every trial, read from the journal."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.generation import Failure, Generation
from harness.run.again import AgainFolder
from harness.run.basis import accepted
from harness.run.digest_column import DigestColumn
from harness.run.digests import KEY, digest, short_key
from harness.run.folder import RunFolder
from harness.run.journal import generation_from
from harness.run.log import LineReader, read_log
from harness.run.usage import UsageReader

PENDING = -(1 << 63)
"""The place of what is not finished."""
_NO_KEY = bytes(KEY)


@dataclass(frozen=True, slots=True)
class TrialReply:
    """The last word on one trial: a generation, or why there is none."""

    generation: Generation | None
    failure: Failure | None
    conversation: str = ""
    """Name of the conversation that led to the reply, in conversations.jsonl."""
    listed: bool = False
    """The text is an item of a ranked list: a label, whether or not it is among those allowed."""
    earlier: tuple[Generation, ...] = ()
    """The replies before the last one, of prompts that read fields from them."""
    rules: tuple[str, ...] = ()
    """Fallbacks that fired while the trial was put (`harness.run.fallback`)."""
    votes: tuple[TrialReply, ...] = ()
    """Of a vote, the last word of each conversation; each is read by itself."""
    calls: tuple[tuple[int | str, ...], ...] = ()
    """The calls of tools, as `harness.core.tool.Called.to_json` writes them."""

    @property
    def each(self) -> tuple[TrialReply, ...]:
        """What is read: the votes, or this alone."""
        return self.votes or (self,)


_BESIDES = ("failure", "rules", "text", "votes", "calls")
"""What a trial's line may say beside the keys of its replies and what was shown."""
_PLAIN = frozenset(
    {"key", "conversation", "text", "finish", "usage", "latency", "served", "fingerprint"}
)
"""What the line of a plain reply says at most."""


class Replies:
    """Trials that were finished on the basis that the manifest names; others are pending.

    Held are places in the logs alone, 80 bytes a trial: what stands there is read when it is asked for.
    """

    def __init__(
        self,
        folder: RunFolder,
        bases: Mapping[str, Collection[str]],
        *,
        several: Collection[str] = (),
        wanted: Callable[[Mapping[str, Any]], bool] = lambda line: True,
        usage: UsageReader | None = None,
    ) -> None:
        """`bases`: cell id -> the bases on which its trials count as finished, from the manifest. `several`: cells
        whose earlier replies are read. Lines of other bases are passed over, and those that are not `wanted`. `usage` hears of every
        line, so that the logs are read once."""
        self._several = several
        self.unopened: set[str] = set()
        """Cells of which a reply closes reasoning that it never opened."""
        self._keys = DigestColumn()
        """Of replies."""
        unopened: set[str] = set()
        replies = array("q")
        for place, line in read_log(folder.generations):
            if "key" not in line or not wanted(line):
                continue
            if usage is not None:
                usage.reply(line)
            self._keys.append(short_key(line["key"]))
            replies.append(place)
            if line.get("thought") == "unopened":
                unopened.add(line["key"])
        self._replies = _numbers(replies)
        """Where each stands."""
        self._trials = DigestColumn()
        places, last = array("q"), bytearray()
        for place, line in read_log(folder.trials):
            if "trial" not in line or not wanted(line):
                continue
            if usage is not None:
                usage.trial(line)
            cell = line["trial"].partition("/")[0]
            if unopened and not unopened.isdisjoint(line["keys"]):
                self.unopened.add(cell)
            if line["basis"] in bases.get(cell, ()):
                whole = cell in several or not line["keys"] or _says_more(line)
                self._trials.append(digest(line["trial"]))
                places.append(-1 - place if whole else 0)
                last += _NO_KEY if whole else short_key(line["keys"][-1])
        self._places = self._found_places(_numbers(places), last)
        """Where what became of each trial stands: 0 and up in the log of replies, below in that of trials."""
        self._told, self._log = _reader(folder.trials), _reader(folder.generations)

    def _found_places(self, places: NDArray[np.int64], last: bytearray) -> NDArray[np.int64]:
        """Those of trials; where a trial's line says no more than the key of its reply, those of the reply."""
        number = self._keys.find(last)
        found = np.where(number >= 0, self._replies[number] if len(self._replies) else 0, PENDING)
        return np.where(places < 0, places, found)

    @classmethod
    def of_run(
        cls, folder: RunFolder, manifest: Mapping[str, Any], *, usage: UsageReader | None = None
    ) -> Replies:
        """The replies of a run, on the bases that its manifest names; `usage` counts what they took."""
        cells = [c for c in manifest["cells"] if not c.get("asked_as")]
        return cls._of_cells(folder, manifest, cells, usage=usage)

    @classmethod
    def of_round(cls, folder: AgainFolder, manifest: Mapping[str, Any], day: str) -> Replies:
        """The replies of a round in which finished trials were asked anew."""
        cells = [c for c in manifest["cells"] if not c.get("asked_as")]
        return cls._of_cells(folder, manifest, cells, wanted=lambda line: line["round"] == day)

    @classmethod
    def of_version(
        cls, folder: RunFolder, manifest: Mapping[str, Any], cell: Mapping[str, Any]
    ) -> Replies:
        """Those of one cell of an earlier version of a prompt."""
        return cls._of_cells(folder, manifest, [cell])

    @classmethod
    def _of_cells(
        cls,
        folder: RunFolder,
        manifest: Mapping[str, Any],
        cells: Sequence[Mapping[str, Any]],
        *,
        wanted: Callable[[Mapping[str, Any]], bool] = lambda line: True,
        usage: UsageReader | None = None,
    ) -> Replies:
        heads = {name: entry["head"] for name, entry in manifest["prompts"].items()}
        several = {c["id"] for c in cells if heads.get(c["prompt"], {}).get("replies")}
        bases = {c["id"]: accepted(c) for c in cells}
        return cls(folder, bases, several=several, wanted=wanted, usage=usage)

    def places(self, trials: Iterable[str]) -> NDArray[np.int64]:
        """(n,) for each of n trials its place, see `at`; PENDING where it is not finished."""
        number = self._trials.find(b"".join(map(digest, trials)))
        return np.where(number >= 0, self._places[number] if len(self._places) else 0, PENDING)

    def plain(self, place: int) -> Mapping[str, Any] | None:
        """The line of the reply at a place, where it says all that became of its trial and holds no more than a text;
        None elsewhere."""
        line: dict[str, Any] | None = self._log.line_at(place) if place >= 0 else None
        return line if line is not None and line.keys() <= _PLAIN else None

    def of(self, trial: str) -> TrialReply | None:
        """The reply of a trial; None while it is pending."""
        return self.at(int(self.places([trial])[0]), cell=trial.partition("/")[0])

    def at(self, place: int, *, cell: str) -> TrialReply | None:
        """The reply of a trial of a cell (its id) by its place; None while it is pending."""
        if place == PENDING:
            return None
        if place >= 0:
            return _reply(self._log.line_at(place))
        line = self._told.line_at(-1 - place)
        rules, failure = tuple(line.get("rules") or ()), line.get("failure")
        if failure:
            return TrialReply(None, Failure(failure["kind"], failure["detail"]), rules=rules)
        return self._read(line, rules, several=cell in self._several)

    def _read(
        self, line: Mapping[str, Any], rules: tuple[str, ...], *, several: bool
    ) -> TrialReply | None:
        """What a trial's line says is to be read; None where a reply is not held."""
        if "votes" in line:
            ends = accumulate(line["votes"])
            groups = [
                line["keys"][end - n : end] for n, end in zip(line["votes"], ends, strict=True)
            ]
            votes = [self._conversation(keys, several=several) for keys in groups]
            held = tuple(vote for vote in votes if vote is not None)
            return replace(held[-1], votes=held, rules=rules) if len(held) == len(votes) else None
        if not line["keys"] and "text" in line:  # a protocol that asked nothing
            return TrialReply(
                Generation(key="", text=line["text"], finish="stop"), None, rules=rules
            )
        reply = self._conversation(line["keys"], several=several)
        if reply is None or reply.generation is None:
            return None
        if (
            "text" in line
        ):  # the protocol's own words: no model stopped them or gave them a probability
            cut = not line["text"] and reply.generation.finish == "length"
            finish = "length" if cut else "stop"
            said = replace(reply.generation, text=line["text"], finish=finish, scores=None)
            reply = replace(reply, generation=said, listed=False)
        calls = tuple(tuple(call) for call in line.get("calls") or ())
        return replace(reply, rules=rules, calls=calls)

    def _conversation(self, keys: Sequence[str], *, several: bool) -> TrialReply | None:
        """The last reply to these keys, with those before it where `several` are read; None where it is not held."""
        last = self._line(keys[-1]) if keys else None
        if last is None:
            return None
        before = [self._line(key) for key in keys[:-1]] if several else []
        return _reply(
            last, earlier=tuple(generation_from(one) for one in before if one is not None)
        )

    def _line(self, key: str) -> dict[str, Any] | None:
        """The journal line of a key."""
        number = int(self._keys.find(short_key(key))[0])
        if number < 0:
            return None
        line: dict[str, Any] = self._log.line_at(int(self._replies[number]))
        return line


def _says_more(line: Mapping[str, Any]) -> bool:
    """Whether a trial's line says more than the keys of its replies and what was shown."""
    return len(line) > _LEAST and any(line.get(name) is not None for name in _BESIDES)


_LEAST = 3
"""What each such line says: trial, basis, keys."""


def _numbers(held: array[int]) -> NDArray[np.int64]:
    return np.frombuffer(held, dtype=np.int64) if held else np.empty(0, dtype=np.int64)


def _reader(path: Path) -> LineReader:
    """Of a log that is not there, which has no line, too."""
    return LineReader(path if path.exists() else Path(os.devnull))


def _reply(line: Mapping[str, Any], *, earlier: tuple[Generation, ...] = ()) -> TrialReply:
    return TrialReply(generation_from(line), None, line["conversation"], "ranked" in line, earlier)
