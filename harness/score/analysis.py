"""Analysis: results beyond the scores of fields, computed from the answers to one task, and their blocks.

The shipped ones and those of other packages (entry points of the group `harness.analyses`) are found in one registry;
`score_run` and the writers of reports ask it and know none by name. A shipped analysis that fails is a fault and stops
the command. One of another package that fails, or gives what is no JSON, is left out with a sentence that names it and
its package, and everything else stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, runtime_checkable

from harness.core.blocks import Block
from harness.core.cell import Cell
from harness.core.registry import Entry as Point
from harness.core.registry import Listed, Registry, load_entry
from harness.core.task import Task
from harness.core.text import sentence
from harness.run.columns import read_table
from harness.run.sample_file import PlannedSample, read_samples
from harness.score.baselines import Fitted
from harness.score.columns import FieldAnswers, Groups, baseline_columns, model_columns
from harness.score.rankings import Rankings
from harness.score.records import TaskRecords
from harness.score.table import ScoreRow, score_column
from harness.score.votes import Votes

Entry: TypeAlias = "Mapping[str, Any]"
"""One row of an analysis as scores.json holds it: plain JSON without NaN."""


@dataclass(frozen=True)
class TaskAnswers:
    """What an analysis reads: all samples of one task, with the answers of every cell that was asked."""

    records: TaskRecords
    """Samples, targets and annotations, and position by position the answers of every cell."""
    groups: Groups
    """How the samples fall into clusters and slices."""
    cells: tuple[Cell, ...]
    fits: Mapping[tuple[str | None, str], Fitted]
    """(part, field) -> the answers that the baselines were fitted on, where those are other data."""
    rankings: Rankings
    votes: Votes
    seed: int
    """Of every resampling: the same run gives the same numbers."""
    records_file: Path
    """The rows of records.parquet, before they stand in the folder."""
    samples_file: Path
    named: Mapping[Cell, int] = field(default_factory=dict)
    """The cells that the last command asked for, and how many trials it asked of each; others were asked before and
    are kept."""
    reference: str = ""
    """The model that others are compared with, where one was named (`harness.score.reference`); empty: none."""

    @property
    def task(self) -> Task:
        """The task as it ran."""
        return self.records.task

    @cached_property
    def columns(self) -> tuple[FieldAnswers, ...]:
        """What each baseline and each cell answered to each scored field, sample by sample."""
        return (
            *baseline_columns(self.records, self.groups, self.fits),
            *model_columns(self.records, self.groups, self.cells),
        )

    @cached_property
    def scored(self) -> tuple[tuple[FieldAnswers, tuple[ScoreRow, ...]], ...]:
        """The columns, each with its score rows."""
        return tuple((c, tuple(score_column(c, seed=self.seed))) for c in self.columns)

    def samples(self) -> Iterator[PlannedSample]:
        """The samples in the order of `records.samples`, with all annotations, question and names of their media.

        `records.samples` has only the annotations that the task is sliced by. Read from the file as they are asked for.
        """
        return read_samples(self.samples_file)

    def trials(self) -> Iterator[Mapping[str, Any]]:
        """The rows of records.parquet of this task, one for each trial and field, with the text of the reply.

        Keys are `harness.score.records.COLUMNS`; `value` and `target` are JSON. Read from the file as they are asked
        for, so that a million of them take no memory.
        """
        name = self.task.name
        return (row for row in read_table(self.records_file) if row["task"] == name)


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """What blocks are made beside: one task of a scored run."""

    task: Task
    scores: Sequence[ScoreRow]
    """All score rows of the task."""
    summary: Entry
    """The task's entry in scores.json: samples, clusters, cluster_unit, pending."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """The run's manifest."""
    confusions: Sequence[Entry] = ()
    """Confusion counts of the task's label fields."""
    extras: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    """What extras.json holds of the task, such as the rows of its `usage`."""


@runtime_checkable
class Analysis(Protocol):
    """One analysis. Every text it gives is escaped by the writers; it formats nothing for a medium."""

    @property
    def name(self) -> str:
        """A word, lower case with dashes: how it is listed, and the key of its rows."""

    @property
    def title(self) -> str:
        """Its heading in reports."""

    @property
    def about(self) -> str:
        """What it applies to and tells, in one line for `harness list analyses`."""

    @property
    def row(self) -> Any:
        """The type of a row: a frozen dataclass or a pydantic model, or `dict`."""

    def applies(self, task: Task) -> bool:
        """Whether there is anything to work out for this task."""

    def compute(self, answers: TaskAnswers) -> Iterable[Any]:
        """The rows, each of the type `row`. No number is NaN or infinite; None stands for what is undefined."""

    def blocks(self, rows: Sequence[Any], beside: ScoredTask) -> Iterable[Block]:
        """How the rows are told. They come back from scores.json, each of the type `row`; never an empty sequence."""


@dataclass(frozen=True, slots=True)
class ShippedAnalysis:
    """An analysis of this package: an `Analysis` that may also add to the scores of the task."""

    name: str
    title: str
    about: str
    applies: Callable[[Task], bool]
    compute: Callable[[TaskAnswers], Iterable[Any]]
    """Its rows; score rows among them join the scores of the task."""
    blocks: Callable[[Sequence[Any], ScoredTask], Iterable[Block]]
    """Also called without rows, since some tell score rows alone."""
    key: str = ""
    """The key of its rows in scores.json; empty where all its rows are score rows."""
    in_task: bool = False
    """Whether the key stands in the entry of the task, not at the top."""
    in_json: bool = True
    """Whether its rows also stand in `--json`; not where every run has some."""
    sparse: bool = False
    """Whether its key is left out of scores.json where it has no rows."""
    order: int = 0
    """Its place among the sections of a report."""
    row: Any = dict


BUILTIN: Mapping[str, str] = MappingProxyType(
    {
        name: f"harness.analyses.{name.replace('-', '_')}:ANALYSIS"
        for name in (
            "annotator-ceiling", "field-scores", "against-baselines", "class-by-class", "sentences", "absent-classes", "answer-spread",
            "top-k", "fallbacks", "constraints", "consistency", "label-orders", "soft-labels", "mixtures", "agent-ladder", "tool-audit", "spotting",
            "calibration", "risk-coverage", "agreement", "slices", "folds", "age-decades", "severity", "verification", "units", "usage", "again",
        )
    }
)  # fmt: skip
"""In the order in which they are worked out, and their rows and keys written."""

ANALYSES = Registry("analysis", "harness.analyses", BUILTIN, expects=(Analysis,))


def shipped() -> tuple[ShippedAnalysis, ...]:
    """The analyses of this package, whatever names another one brings."""
    return tuple(load_entry(Point(name, value, ANALYSES.group)) for name, value in BUILTIN.items())


def describe_analyses() -> Iterator[Listed]:
    """Every analysis with its title and what it applies to; a broken one says so."""
    return ANALYSES.listed(lambda _, found: f"{found.title}. {sentence(found.about)}")
