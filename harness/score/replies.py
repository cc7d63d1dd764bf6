"""What became of every trial, read off the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.generation import Failure, Generation
from harness.run.folder import RunFolder
from harness.run.journal import LineReader, generation_from, read_log


@dataclass(frozen=True, slots=True)
class Reply:
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


class Replies:
    """Trials that were finished on the basis that the manifest names; others are pending."""

    def __init__(
        self, folder: RunFolder, bases: Mapping[str, str], *, several: Collection[str] = ()
    ) -> None:
        """`bases`: cell id -> basis, from the manifest. `several`: cells whose earlier replies are read."""
        self._state: dict[str, str | Failure] = {}
        """Trial -> the key of its last request, or why it failed."""
        self._earlier: dict[str, tuple[str, ...]] = {}
        """Trial -> the keys before its last one, in the cells `several`."""
        self._rules: dict[str, tuple[str, ...]] = {}
        """Trial -> its fallbacks, where there were any."""
        for _, line in read_log(folder.trials):
            trial = line["trial"]
            if bases.get(trial.partition("/")[0]) != line["basis"]:
                self._state.pop(trial, None)
                continue
            self._rules.pop(trial, None)
            if line.get("rules"):
                self._rules[trial] = tuple(line["rules"])
            failure = line.get("failure")
            if trial.partition("/")[0] in several:
                self._earlier[trial] = () if failure else tuple(line["keys"][:-1])
            self._state[trial] = (
                Failure(failure["kind"], failure["detail"]) if failure else line["keys"][-1]
            )
        self._offsets = {line["key"]: offset for offset, line in read_log(folder.generations)}
        self._log = LineReader(folder.generations) if folder.generations.exists() else None

    @classmethod
    def of_run(cls, folder: RunFolder, manifest: Mapping[str, Any]) -> Replies:
        """The replies of a run, on the bases that its manifest names."""
        heads = {name: entry["head"] for name, entry in manifest["prompts"].items()}
        cells = manifest["cells"]
        several = {c["id"] for c in cells if heads.get(c["prompt"], {}).get("replies")}
        return cls(folder, {c["id"]: c["basis"] for c in cells}, several=several)

    def of(self, trial: str) -> Reply | None:
        """The reply of a trial; None while it is pending."""
        state = self._state.get(trial)
        if state is None:
            return None
        if isinstance(state, Failure):
            return Reply(None, state, rules=self._rules.get(trial, ()))
        line = self._line(state)
        if line is None:
            return None
        before = [self._line(key) for key in self._earlier.get(trial, ())]
        return Reply(
            generation_from(line),
            None,
            line["conversation"],
            "ranked" in line,
            tuple(generation_from(one) for one in before if one is not None),
            self._rules.get(trial, ()),
        )

    def _line(self, key: str) -> dict[str, Any] | None:
        """The journal line of a key."""
        offset = self._offsets.get(key)
        if offset is None or self._log is None:
            return None
        line: dict[str, Any] = self._log.line_at(offset)
        return line
