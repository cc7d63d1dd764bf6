"""Which cells of which runs a submission takes its answers from, and what they said of each item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from harness.conditions.presentation import read_presentation
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.outcome import Outcome
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.media.decode import IMAGE_SUFFIXES
from harness.media.sound import SUFFIX as SOUND_SUFFIX
from harness.media.video_file import VIDEO_SUFFIXES
from harness.run.cell_entry import cell_of
from harness.run.folder import open_run
from harness.run.sample_columns import gather
from harness.run.sample_file import PlannedSample, read_samples
from harness.run.scoring import CALLED, scored_manifest
from harness.score.cell_records import read_cell
from harness.score.records import OWN, TaskRecords
from harness.score.replies import Replies
from harness.submit.findings import name_rows

Key = Callable[[PlannedSample], str | None]
"""The item of a challenge that a sample is; None for none of them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cells of the runs are meant; None takes any."""

    task: str | None = None
    model: str | None = None
    prompt: str | None = None
    condition: str | None = None
    channel: str | None = None
    """As `Cell.taken` spells it: `free`, `free, vote-5`, `free, thinking low`."""

    def takes(self, cell: Cell) -> bool:
        """Whether a cell is meant. Raises HarnessError for an unknown condition."""
        shown = None if self.condition is None else read_presentation(self.condition).name
        return (
            shown in {None, cell.shown_condition}
            and self.task in {None, cell.task}
            and self.model in {None, cell.model}
            and self.prompt in {None, cell.prompt}
            and self.channel in {None, cell.taken}
        )

    def means(self, entry: Mapping[str, Any]) -> bool:
        """Whether a cell of a manifest is meant: an earlier version of an edited prompt where it is named alone."""
        cell = cell_of(entry)
        if self.model is not None and self.model == entry.get(CALLED):
            return replace(self, model=cell.model).means(entry)
        return self.takes(cell) and (not cell.asked_as or self.prompt == cell.prompt)


@dataclass(frozen=True, slots=True)
class Given:
    """One cell's answer to one question."""

    run: Path
    cell: Cell
    answers: Mapping[str, Answer]
    """Field -> what was read, or why nothing was."""
    text: str
    """The reply as it stands."""


def trials(run: Path, choice: Choice, key: Key) -> Iterator[tuple[str, PlannedSample, Given]]:
    """Item, sample and answer of each finished trial of the cells chosen whose sample is an item."""
    folder = open_run(run)
    manifest = scored_manifest(folder)
    standing = Replies.of_run(folder, manifest)
    for name, entry in manifest["tasks"].items():
        entries = [one for one in manifest["cells"] if one["task"] == name and choice.means(one)]
        if not entries:
            continue
        samples = [s for s in read_samples(folder.scored_samples(name)) if key(s) is not None]
        task = Task.model_validate(entry["config"])
        for one in entries:
            cell = cell_of(one)
            replies = Replies.of_version(folder, manifest, one) if cell.asked_as else standing
            head = PromptHead.model_validate(manifest["prompts"][cell.prompt]["head"])
            records = TaskRecords(task, entry["cluster_unit"], gather(samples))
            own = (
                dict(zip(OWN, one, strict=True))
                for one, _ in read_cell(records, cell, head, replies)
            )
            texts = {row["sample"]: row["text"] or "" for row in own}
            for position, sample in enumerate(samples):
                answers = {
                    field: by_position[position]
                    for (_, field), by_position in records.answers.items()
                    if position in by_position
                }
                item = key(sample)
                if answers and item is not None:
                    yield item, sample, Given(run, cell, answers, texts[sample.sample])


def item_key(items: Iterable[str], *annotations: str) -> Key:
    """The item whose name is the sample's id, or one of these annotations, with or without the ending of a media file."""
    known = {name: name for name in items}
    plain = {_without_ending(name): name for name in known}

    def key(sample: PlannedSample) -> str | None:
        for told in (sample.sample, *(sample.annotations.get(name) for name in annotations)):
            if isinstance(told, str) and told:
                found = known.get(told) or plain.get(told) or plain.get(_without_ending(told))
                if found:
                    return found
        return None

    return key


def _without_ending(name: str) -> str:
    """`v/1` of `v/1.jpg`; a dot that begins no ending of pictures, videos or sounds is part of the name."""
    path = PurePosixPath(name)
    media = path.suffix.lower() in {*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, SOUND_SUFFIX}
    return str(path.with_suffix("")) if media else name


def read_items(
    runs: Sequence[Path], items: Sequence[str], key: Key, choice: Choice, *, file: str
) -> dict[str, Given]:
    """Item -> what the one cell chosen said of it; items without an answer are absent.

    Raises HarnessError where several cells answer the same items, and where none is answered.
    """
    found: dict[str, list[Given]] = {}
    for run in runs:
        for item, _, given in trials(run, choice, key):
            found.setdefault(item, []).append(given)
    if not found:
        raise HarnessError(
            f"{', '.join(map(str, runs))}: no finished answer to any of the {len(items)} items of {file}",
            hint=f"sample ids must be the names in {file} (such as {items[0]!r}); or choose other cells with "
            "--task, --prompt, --model, --condition, --channel",
        )
    found = {item: that_replied(given) for item, given in found.items()}
    refuse_several(file, {place: found.get(item, []) for place, item in enumerate(items, start=1)})
    return {item: given[0] for item, given in found.items()}


def that_replied(given: list[Given]) -> list[Given]:
    """Those that hold a reply: a request that failed is no answer beside one. Where all failed, the first."""
    replied = [
        one for one in given if any(a.outcome is not Outcome.FAILED for a in one.answers.values())
    ]
    return replied or given[:1]


def refuse_several(file: str, given: Mapping[int, Sequence[Given]]) -> None:
    """Raises HarnessError, naming rows and cells, where rows were answered by more than one cell."""
    several = {row: found for row, found in given.items() if len(found) > 1}
    if not several:
        return
    cells = Counter(
        (str(one.run), one.cell.model, one.cell.prompt, one.cell.shown_condition, one.cell.taken)
        for found in several.values()
        for one in found
    )
    told = "\n  ".join(f"{' '.join(cell)} ({count} rows)" for cell, count in cells.items())
    raise HarnessError(
        f"{file}: answered more than once: {name_rows(list(several))}, by\n  {told}",
        hint="choose one with --task, --model, --prompt, --condition or --channel (in quotes, as it stands last in a line above), "
        "or give fewer runs",
    )
