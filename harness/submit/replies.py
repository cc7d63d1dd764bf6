"""Replies of runs to a challenge's questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.conditions import read_presentation
from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.prompt import PromptHead
from harness.core.task import Task
from harness.run.cell_entry import cell_of
from harness.run.folder import open_run
from harness.run.sample_columns import gather
from harness.run.sample_file import PlannedSample, read_samples
from harness.run.scoring import CALLED, scored_manifest
from harness.score.records import TaskRecords, read_cell
from harness.score.replies import Replies
from harness.submit.questions import Question


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cells of the runs are meant; None takes any."""

    task: str | None = None
    model: str | None = None
    prompt: str | None = None
    condition: str | None = None
    protocol: str | None = None
    channel: str | None = None

    def takes(self, cell: Cell) -> bool:
        """Whether a cell is meant. Raises HarnessError for an unknown condition."""
        shown = None if self.condition is None else read_presentation(self.condition).name
        return shown in {None, cell.shown_condition} and all(
            wanted is None or wanted == getattr(cell, name)
            for name, wanted in (
                ("task", self.task),
                ("model", self.model),
                ("prompt", self.prompt),
                ("protocol", self.protocol),
                ("channel", self.channel),
            )
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


def read_given(
    runs: Sequence[Path], asked: Mapping[str, Question], choice: Choice
) -> dict[str, list[Given]]:
    """`video_id` -> what the cells chosen said. Every id of `asked` is a key, unanswered ones with none.

    A sample is the question whose `video_id` is the sample's id or its annotation `video_id` or `video`.
    Raises HarnessError for a folder that is no run, a sample whose question is worded otherwise than the
    file has it, and runs that hold none of the questions.
    """
    found: dict[str, list[Given]] = {video_id: [] for video_id in asked}
    matched = 0
    for run in runs:
        for cell, sample, answers, text in _cells(run, choice, set(asked)):
            video_id = _video_id(sample, asked)
            if video_id is None:
                continue
            question = asked[video_id]
            if sample.question is not None and sample.question.split() != question.question.split():
                raise HarnessError(
                    f"{run}, sample {sample.sample}: the run asked {sample.question[:80]!r}, "
                    f"but row {question.row} asks {question.question[:80]!r}",
                    hint="run the task on the file that is to be answered",
                )
            matched += 1
            found[video_id].append(Given(run, cell, answers, text))
    if not matched:
        raise HarnessError(
            f"{', '.join(map(str, runs))}: no finished answer to any of the {len(asked)} questions",
            hint="run the task on the question file (--set source.file=..._to_answer.jsonl), "
            "so that sample ids are video_ids; or choose other cells with --prompt, "
            "--model, --condition",
        )
    return found


def _cells(
    run: Path, choice: Choice, wanted: set[str]
) -> Iterator[tuple[Cell, PlannedSample, Mapping[str, Answer], str]]:
    """Each finished trial of the cells chosen whose sample may be one of the questions."""
    folder = open_run(run)
    manifest = scored_manifest(folder)
    standing = Replies.of_run(folder, manifest)
    for name, entry in manifest["tasks"].items():
        entries = [one for one in manifest["cells"] if one["task"] == name and choice.means(one)]
        if not entries:
            continue
        samples = [s for s in read_samples(folder.scored_samples(name)) if _video_id(s, wanted)]
        task = Task.model_validate(entry["config"])
        for one in entries:
            cell = cell_of(one)
            replies = Replies.of_version(folder, manifest, one) if cell.asked_as else standing
            head = PromptHead.model_validate(manifest["prompts"][cell.prompt]["head"])
            records = TaskRecords(task, entry["cluster_unit"], gather(samples))
            texts = {
                row["sample"]: row["text"] or "" for row in read_cell(records, cell, head, replies)
            }
            for position, sample in enumerate(samples):
                answers = {
                    field: by_position[position]
                    for (_, field), by_position in records.answers.items()
                    if position in by_position
                }
                if answers:
                    yield cell, sample, answers, texts[sample.sample]


def _video_id(sample: PlannedSample, asked: Mapping[str, Question] | set[str]) -> str | None:
    for name in (
        sample.sample,
        sample.annotations.get("video_id"),
        sample.annotations.get("video"),
    ):
        if isinstance(name, str) and name in asked:
            return name
    return None
