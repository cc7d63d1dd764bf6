"""`--reuse FOLDER`: take finished replies of other run folders for requests with the same key.

The key of a request is a hash of everything that determines its reply, the identity of the model and the bytes of the
pictures included, so a reply that is taken is the one that the model gave to this very request. Only replies are taken;
each trial is rendered and followed here. A reply is copied into the journal when its trial comes, with the folder that
it came from: a killed run keeps what it has copied, and goes on without the other folder.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.run.digests import Digests, short_key
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder, open_run
from harness.run.journal import generation_from
from harness.run.log import LineReader, read_log
from harness.run.manifest import read_manifest, refuse_export
from harness.run.plan import Plan, trials_of

_PLACE = struct.Struct("<Hq")
"""The number of a folder, and where in its log the line of a reply starts."""


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A folder whose replies may be taken."""

    folder: RunFolder
    manifest: Mapping[str, Any]
    fault: str = ""
    """Why nothing can be taken from it; empty where something may."""

    @property
    def name(self) -> str:
        """The folder as it was named."""
        return str(self.folder.path)


def open_others(paths: Sequence[Path], own: RunFolder) -> tuple[OtherRun, ...]:
    """The folders named, each once.

    A folder of another schema, an export and a broken manifest give nothing, and their `fault` says why. Raises
    HarnessError for a path that is no run folder, and for the run's own.
    """
    found: dict[Path, OtherRun] = {}
    for path in paths:
        folder, place = open_run(path), path.resolve()
        if place == own.path.resolve():
            raise HarnessError(
                f"--reuse {path} is the run's own folder",
                hint="leave it out: the replies in the run folder are always used",
            )
        if place not in found:
            found[place] = _other(folder)
    return tuple(found.values())


def _other(folder: RunFolder) -> OtherRun:
    try:
        manifest = read_manifest(folder)
        refuse_export(manifest, folder.path)
    except HarnessError as error:
        return OtherRun(folder, {}, error.message)
    return OtherRun(folder, manifest)


class ReplyIndex:
    """Where the reply to each key stands in other folders: 32 to 38 bytes a reply; texts are read when they are taken.

    Of two folders that hold the same key, the first named gives the reply.
    """

    def __init__(self, others: Sequence[OtherRun]) -> None:
        """Reads the log of replies of each folder once. Raises HarnessError for a broken line."""
        self._others = [other for other in others if not other.fault]
        self._places = Digests(_PLACE.size)
        self._logs: dict[int, LineReader] = {}
        for number, other in reversed(list(enumerate(self._others))):
            for offset, record in read_log(other.folder.generations):
                self._places.put(short_key(record["key"]), _PLACE.pack(number, offset))

    def __len__(self) -> int:
        """Number of replies that may be taken."""
        return len(self._places)

    def reply(self, key: str) -> tuple[Generation, str] | None:
        """The reply to `key` and the folder that holds it."""
        place = self._places.get(short_key(key))
        if place is None:
            return None
        number, offset = _PLACE.unpack(place)
        if number not in self._logs:
            self._logs[number] = LineReader(self._others[number].folder.generations)
        record = self._logs[number].line_at(offset)
        if record["key"] != key:
            return None
        return generation_from(record), self._others[number].name

    def close(self) -> None:
        """Close the logs that were read."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()


def foreseen_reuse(
    others: Sequence[OtherRun],
    plan: Plan,
    samples: RunFolder,
    bases: Callable[[OtherRun], Mapping[str, Sequence[str]]],
    is_done: Callable[[str], bool],
) -> dict[str, int]:
    """Cell id -> its trials that other folders have finished on the same basis, where they are not finished here.

    `bases` are those of the plan's cells if each model is the one that a folder recorded. A foresight: where a picture
    has changed since, its request is another and is put.
    """
    found: dict[str, set[str]] = {cell.id: set() for cell in plan.cells}
    for other in others:
        wanted = {} if other.fault else bases(other)
        if not wanted:
            continue
        finished = FinishedTrials(other.folder.trials)
        theirs: dict[str, list[str]] = {}
        for cell_id, basis in finished.asked:
            theirs.setdefault(basis, []).append(cell_id)
        for cell, *_, trial in trials_of(plan, samples):
            rest = trial.partition("/")[2]
            if not is_done(trial) and any(
                finished.finished(f"{asked}/{rest}", (basis,))
                for basis in wanted.get(cell.id, ())
                for asked in theirs.get(basis, ())
            ):
                found[cell.id].add(rest)
    return {cell: len(trials) for cell, trials in found.items()}


def reuse_notes(others: Sequence[OtherRun], foreseen: Mapping[str, int], left: int) -> list[str]:
    """What a plan says of the folders; `left` is the number of trials that are not finished here."""
    notes = [f"nothing can be taken from {one.name}: {one.fault}" for one in others if one.fault]
    if others and left and not any(foreseen.values()):
        named = ", ".join(one.name for one in others)
        notes.append(
            f"no trial of this plan is finished in {named} with the same model, prompt and settings"
        )
    return notes


def reuse_told(others: Sequence[OtherRun], taken: Mapping[str, int], *, asked: int) -> list[str]:
    """What is said when the run has ended: `taken` replies of each folder, and `asked` requests put to models."""
    if taken:
        return [
            f"{count:,} replies taken from {name}" for name, count in sorted(taken.items()) if count
        ]
    if not others:
        return []
    named = ", ".join(one.name for one in others)
    if not asked:
        return [f"no reply was missing, so none was taken from {named}"]
    return [
        f"no reply could be taken from {named}: it has none for the {asked:,} requests of this "
        f"command (model, prompt, picture and settings must be equal)"
    ]
