"""Records: one row for each trial and field, with the answer read from the reply."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.core.answer import Answer
from harness.core.cell import Cell
from harness.core.generation import LabelScores
from harness.core.outcome import Outcome
from harness.core.sample import Value
from harness.core.task import Task
from harness.run.columns import AlikeRow, read_table, write_alike
from harness.run.dictionary_encoding import Coded, Placed
from harness.run.folder import RunFolder
from harness.run.sample_columns import SampleColumns, read_columns
from harness.run.sample_file import PlannedSample
from harness.score.answer_column import AnswerColumn, ScoreColumn, answer_column, bare, column_of
from harness.score.members import UNIT
from harness.sources.windows import WINDOW

COLUMN_LINES: Mapping[str, str] = MappingProxyType(
    {
        "trial": "Id of the trial: one cell, one sample, one repeat.",
        "task": "Name of the task.",
        "model": "Name of the model.",
        "prompt": "Name of the prompt; of an earlier version with its date.",
        "condition": "What the pictures are shown as, with few-shot examples and label order.",
        "protocol": "How the sample becomes an answer.",
        "channel": "How the answer is taken.",
        "sample": "Id of the sample.",
        "cluster": "The unit of resampling: the subject where the source knows one.",
        "part": "The part of the task that the sample is in; empty where the task has none.",
        "field": "The field that is answered.",
        "outcome": "`answered`, or one of seven reasons why there is no answer.",
        "value": "The answer as JSON; null where there is none.",
        "target": "The true value as JSON; null where it is not known.",
        "rule": "The rule that read the answer or decided that there is none.",
        "text": "The reply.",
        "reasoning": "What the model wrote before its answer, where that can be told apart.",
        "failure": "Kind and details of a failed request; else empty.",
        "conversation": "Digest under which conversations.jsonl holds what was asked.",
        "fallback": "Fallbacks that fired, such as `contact-sheet`.",
        "estimator": "How labels were scored, on the channel `logprob`.",
        "probabilities": "Label -> share as JSON, where labels were scored or percentages stated.",
        "captured_mass": "Probability that the reply is one of the labels, 0 to 1, before renormalising.",
        "length_normalised": "The label that is likeliest by mean log-probability of its tokens.",
    }
)
"""Column of records.parquet -> what it holds."""
COLUMNS = tuple(COLUMN_LINES)

OWN = ("trial", "sample", "cluster", "text", "conversation")
"""Columns in which rows are seldom alike."""
THINKING = "thinking"
TOOLS = "tools"
CALLS = "calls"
FOLD = "fold"
"""Further columns behind `channel`, where a cell of the run asks for them; `calls` is JSON, as in trials.jsonl, `fold` that
whose adapter was asked."""

NEEDED = (
    "trial",
    "task",
    "sample",
    "cluster",
    "model",
    "prompt",
    "condition",
    "field",
    "outcome",
    "value",
    "target",
)
"""Columns that records of every version have."""


@dataclass(slots=True)
class TaskRecords:
    """All samples of a task with the answers of every cell, position by position."""

    task: Task
    cluster_unit: str
    samples: SampleColumns
    answers: dict[tuple[Cell, str], AnswerColumn] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> answer; pending trials are absent."""
    again: list[dict[tuple[Cell, str], AnswerColumn]] = field(default_factory=list)
    """The same for each further repeat."""
    repeats: dict[Cell, int] = field(default_factory=dict)
    """Cell -> how often it asked about each sample, where that is known of the cell itself."""
    fallbacks: dict[Cell, Counter[str]] = field(default_factory=dict)
    """Cell -> fallback (`harness.run.fallback`) -> trials in which it fired; cells without one are absent."""
    pending: dict[Cell, int] = field(default_factory=dict)
    """Cell -> trials of all samples that are not finished."""
    trials: dict[Cell, int] = field(default_factory=dict)
    """Cell -> trials of all samples."""
    scored: dict[tuple[Cell, str], ScoreColumn] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> log-probabilities of the labels, where they were asked for or stated."""
    agreed: dict[tuple[Cell, str], Placed[float]] = field(default_factory=dict)
    """(cell, field) -> position of the sample -> share of the votes for its answer; cells without votes are absent."""
    limits: dict[str, int] = field(default_factory=dict)
    """Cell id -> most tokens of a reply that were asked for, where the manifest says so."""
    cut: dict[Cell, Counter[bool]] = field(default_factory=dict)
    """Cell -> replies that ended at the token limit (True) and all others (False)."""
    silent: dict[Cell, int] = field(default_factory=dict)
    """Cell -> replies that ended by themselves without a text, with reasoning."""
    broken: dict[Cell, int] = field(default_factory=dict)
    """Cell -> replies that are not what they were held to; cells that are held to nothing are absent."""

    def put(self, cell: Cell, name: str, position: int, answer: Answer, *, repeat: int = 0) -> None:
        """Keep an answer of one repeat."""
        self.column(cell, name, repeat)[position] = bare(answer)

    def column(self, cell: Cell, name: str, repeat: int) -> AnswerColumn:
        """The answers of one repeat, to be filled."""
        while len(self.again) < repeat:
            self.again.append({})
        answers = self.again[repeat - 1] if repeat else self.answers
        return column_of(answers, (cell, name), partial(answer_column, len(self.samples)))

    def put_scores(self, cell: Cell, name: str, position: int, scores: LabelScores) -> None:
        """Keep the log-probabilities behind an answer of the first repeat."""
        made = partial(ScoreColumn, len(self.samples))
        column_of(self.scored, (cell, name), made)[position] = scores

    def put_share(self, cell: Cell, name: str, position: int, share: float) -> None:
        """Keep the share of the votes for an answer of the first repeat."""
        made = partial(Placed[float], len(self.samples))
        column_of(self.agreed, (cell, name), made)[position] = share

    def of_repeats(self, cell: Cell, name: str) -> list[AnswerColumn]:
        """The answers of each repeat; an empty column where there are none."""
        empty = answer_column(len(self.samples))
        asked = (self.answers, *self.again)[: self.repeats.get(cell)]
        return [answers.get((cell, name), empty) for answers in asked]

    def given(self, cell: Cell, name: str) -> AnswerColumn:
        """The answers of the first repeat."""
        return self.of_repeats(cell, name)[0]

    def scores_of(self, cell: Cell, name: str) -> Mapping[int, LabelScores]:
        """Position -> log-probabilities of the labels, where there are any."""
        return self.scored.get((cell, name), {})

    @property
    def parts(self) -> Coded[str | None]:
        """The part of each sample; None where the task has no parts."""
        name = self.task.parts
        if name is None:
            return self.samples.annotations.turned(lambda found: None)
        return self.samples.annotations.turned(lambda found: str(found.get(name, "")))

    def part(self, sample: PlannedSample) -> str | None:
        """The part of the task that a sample belongs to, where the task has parts."""
        if self.task.parts is None:
            return None
        return str(sample.annotations.get(self.task.parts, ""))


def load_samples(
    folder: RunFolder, task: Task, *, cluster_unit: str, also: Iterable[str] = ()
) -> TaskRecords:
    """The samples of a task, with no answers yet; `also` names further annotations that are kept."""
    wanted = {*also, *task.slices, *(name for name in (task.parts, task.folds) if name)}
    if any(spec.member_of for spec in task.fields.values()):
        wanted.add(UNIT)
    if task.spotting is not None:
        wanted |= WINDOW
    samples = read_columns(folder.scored_samples(task.name), wanted)
    return TaskRecords(task, cluster_unit, samples)


def repeated_answers(
    records: TaskRecords, cell: Cell, name: str
) -> tuple[Sequence[int], list[Coded[Value | None]]]:
    """Positions of the samples of known truth whose every repeat is finished, and their answers repeat by repeat."""
    found = records.of_repeats(cell, name)
    known = records.samples.known(name)
    places = np.flatnonzero(np.logical_and.reduce([known, *(column.there for column in found)]))
    answers = [column.at(places).turned(lambda answer: answer.value) for column in found]
    return array("q", places.tobytes()), answers


def repeated_outcomes(
    records: TaskRecords, cell: Cell, name: str, places: Sequence[int]
) -> list[Coded[Outcome]]:
    """The outcomes of the same samples, repeat by repeat."""
    at = np.asarray(places, dtype=np.int64)
    found = records.of_repeats(cell, name)
    return [column.at(at).turned(lambda answer: answer.outcome) for column in found]


def record_columns(*, thinking: bool, tools: bool = False, folds: bool = False) -> tuple[str, ...]:
    """The columns of a run's records; `thinking`, `tools` and `folds` say that a cell asks for these."""
    place = COLUMNS.index("channel") + 1
    asked = ([THINKING] if thinking else []) + ([TOOLS, CALLS] if tools else [])
    asked += [FOLD] if folds else []
    return (*COLUMNS[:place], *asked, *COLUMNS[place:])


def write_records(
    path: Path,
    rows: Iterable[AlikeRow],
    *,
    thinking: bool = False,
    tools: bool = False,
    folds: bool = False,
) -> None:
    """Write a table of records, the columns `OWN` apart; rows come sorted by trial and field, and the same give the same
    bytes."""
    write_alike(path, record_columns(thinking=thinking, tools=tools, folds=folds), OWN, rows)


def read_records(folder: RunFolder) -> list[dict[str, Any]]:
    """The rows of records.parquet. Raises HarnessError where the run was never scored, or the file is broken."""
    return list(read_table(folder.records, needs=NEEDED))
