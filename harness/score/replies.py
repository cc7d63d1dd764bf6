"""What became of every trial, read off the journal."""

from __future__ import annotations

from collections.abc import Mapping
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


class Replies:
    """Trials that were finished on the basis that the manifest names; others are pending."""

    def __init__(self, folder: RunFolder, bases: Mapping[str, str]) -> None:
        """`bases`: cell id -> basis, from the manifest."""
        self._state: dict[str, str | Failure] = {}
        """Trial -> the key of its last request, or why it failed."""
        for _, line in read_log(folder.trials):
            trial = line["trial"]
            if bases.get(trial.partition("/")[0]) != line["basis"]:
                self._state.pop(trial, None)
                continue
            failure = line.get("failure")
            self._state[trial] = (
                Failure(failure["kind"], failure["detail"]) if failure else line["keys"][-1]
            )
        self._offsets = {line["key"]: offset for offset, line in read_log(folder.generations)}
        self._log = LineReader(folder.generations) if folder.generations.exists() else None

    def of(self, trial: str) -> Reply | None:
        """The reply of a trial; None while it is pending."""
        state = self._state.get(trial)
        if state is None:
            return None
        if isinstance(state, Failure):
            return Reply(None, state)
        offset = self._offsets.get(state)
        if offset is None or self._log is None:
            return None
        line: dict[str, Any] = self._log.line_at(offset)
        return Reply(generation_from(line), None, line["conversation"], "ranked" in line)
