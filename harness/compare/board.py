"""An experiment at a glance: every cell's score, which are tied with the best, and what differs from what it is
compared with. The data behind the first screen of a page, a table for a paper and a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.analyses.keys import RowKey
from harness.compare.comparison import Factors
from harness.core.cell import Cell

Mood = Literal["", "better", "worse", "unclear"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the replies of one cell took. Means are over the replies whose tokens are known."""

    replies: int
    prompt_tokens: float | None
    """Mean of a reply; None where no server told tokens."""
    reply_tokens: float | None
    """Mean of a reply, reasoning included."""
    reasoning_tokens: float | None
    """Those among them that were reasoning; None where there were none."""
    seconds: float | None
    """Median from asking to the last byte; None where no time is known."""
    money: float | None
    """Of 1,000 replies; None where there is no price."""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ScoredCell:
    """One cell on one board."""

    cell: Cell
    key: RowKey
    """Model, prompt (with its channel), condition, as tables show them."""
    value: float | None
    low: float | None
    """Bounds of the 95% interval; None where there is none."""
    high: float | None
    n: int
    """Samples of known truth that are finished."""
    coverage: float | None
    """Share answered, 0 to 1."""
    estimator: str
    """How value and interval were computed."""
    rank: int | None
    """1 is the best; None where the cell has no score, and of cells that were shown a blank picture."""
    tied: bool
    """Whether it is the best, or not significantly different from the best."""
    cost: Cost | None
    order: int
    """Its place among the cells as they were asked for, from 0."""
    folder: str = ""
    """The run folder, where several are looked at."""
    family: str = "chat"
    """The family of its prompt."""
    apart: str = ""
    """Why it is not ranked with the others: other samples, other classes; empty where it is."""

    @property
    def row(self) -> str:
        """What heads its row in a heat map: the model, and a condition other than `none`."""
        model, _, condition = self.key
        said = model if condition == "none" else f"{model} · {condition}"
        return f"{said} ({self.folder})" if self.folder else said

    @property
    def column(self) -> str:
        """What heads its column: the prompt."""
        return self.key[1]

    @property
    def name(self) -> str:
        """Row and column in one; a prompt that is not known is left out."""
        return self.row if self.column in {"", "-"} else f"{self.row} · {self.column}"


@dataclass(frozen=True, slots=True)
class Spread:
    """Scores of one model over paraphrases of one prompt."""

    row: str
    prompt: str
    """The prompt that the others are paraphrases of."""
    prompts: int
    low: float
    """The lowest score."""
    high: float
    mean: float
    deviation: float
    """Sample standard deviation over the prompts."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell less the cell that it is compared with, over the samples that both have."""

    cell: ScoredCell
    reference: ScoredCell
    value: float
    low: float | None
    """Bounds of the paired 95% interval; None where there is none."""
    high: float | None
    p: float | None
    """Two-sided; None where there is no test."""
    adjusted: float | None
    """p after Holm over all differences of the board."""
    n: int
    test: str
    needed: float | None
    """Samples at which a difference of this size would be found with a chance of 80%; None where it is shown or that is
    not known."""
    mood: Mood
    """`better` or `worse` where `adjusted` is at most .05, else `unclear`."""

    @property
    def shown(self) -> bool:
        """Whether the difference is significant."""
        return self.mood in {"better", "worse"}


@dataclass(frozen=True, slots=True)
class Board:
    """One field of one task, or of a part of it, by its main metric."""

    task: str
    part: str
    """`all`, or the part of the task."""
    field: str
    metric: str
    title: str
    """The metric as tables write it."""
    sign: int
    """1: higher is better, -1: lower is, 0: neither."""
    range: tuple[float, float]
    """Least and greatest value of the metric; infinite where there is none."""
    unit: str
    """What is resampled: subject, image..."""
    clusters: int
    cells: tuple[ScoredCell, ...]
    """Shown the pictures, best first."""
    blanks: tuple[ScoredCell, ...]
    """Shown a blank picture."""
    baselines: Mapping[str, float]
    """Baseline (majority, prior) -> its value."""
    differences: tuple[Difference, ...]
    """Best first."""
    spreads: tuple[Spread, ...]
    factors: Factors | None
    """Shares of variance of model, prompt and the other axes, of the cells that were shown the pictures; None where fewer
    than two axes vary, or a combination is missing."""
    notes: tuple[str, ...]
    """What could not be computed, and why."""

    @property
    def name(self) -> str:
        """The task with the field, and the part where that says more."""
        what = self.field if self.part in {"all", "", self.field} else f"{self.field} ({self.part})"
        return f"{self.task}: {what}"

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows of a heat map, the one with the best cell first."""
        return tuple(dict.fromkeys(one.row for one in self.cells))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a heat map, in the order in which they were asked for."""
        return tuple(dict.fromkeys(c.column for c in sorted(self.cells, key=lambda c: c.order)))

    def short(self, column: str) -> str:
        """A prompt without its family, where all prompts are of one: `plain` for `emotion/plain`."""
        families = {one.column.partition("/")[0] for one in self.cells if "/" in one.column}
        alone = len(families) == 1 and all("/" in one.column for one in self.cells)
        return (
            column.partition("/")[2] if alone and column.partition("/")[0] in families else column
        )

    def called(self, cell: ScoredCell) -> str:
        """Row and column of a cell in one, the prompt without its family where all are of one."""
        if cell.column in {"", "-"}:
            return cell.row
        return f"{cell.row} · {self.short(cell.column)}"

    def at(self, row: str, column: str) -> ScoredCell | None:
        """The cell of a heat map; None where none was asked."""
        return next((c for c in self.cells if (c.row, c.column) == (row, column)), None)

    @property
    def comparable(self) -> tuple[ScoredCell, ...]:
        """The cells whose scores can be compared: over the same samples and classes."""
        return tuple(one for one in self.cells if not one.apart)

    @property
    def best(self) -> ScoredCell | None:
        """The first by rank."""
        return next((one for one in self.cells if one.rank == 1), None)


@dataclass(frozen=True, slots=True)
class MeanRank:
    """The place of one cell over several tasks."""

    name: str
    mean: float
    """Mean over the boards of its rank among the cells that all boards have; 1 is the best."""
    low: float
    """Bounds of a 95% percentile interval over resampled clusters."""
    high: float
    places: tuple[int, ...]
    """Its rank on each board."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A part of the answer in words."""

    board: str
    """The name of the board that it is about; empty for all."""
    parts: tuple[tuple[str, Mood], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


@dataclass(frozen=True, slots=True)
class Overview:
    """An experiment at a glance."""

    name: str
    """The title of the experiment; empty where it has none."""
    against: Mapping[str, str]
    """Axis -> value of the cells that the others are compared with; empty where nothing is compared."""
    boards: tuple[Board, ...]
    """The main field of each task or part first."""
    answer: tuple[Sentence, ...]
    ranks: tuple[MeanRank, ...]
    """Over two boards or more, best first; empty where there are fewer."""
    ranked_over: tuple[str, ...]
    """The boards whose ranks these are."""
    notes: tuple[str, ...] = ()
