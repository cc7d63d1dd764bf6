"""Results of a comparison as plain data: the shape of `--json`, and the input of tables."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from harness.core.cell import USUAL_PROTOCOLS

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Party:
    """One of the cells compared."""

    side: str
    """The argument it came from."""
    model: str
    prompt: str
    condition: str
    protocol: str
    channel: str = "free"
    thinking: str = ""
    """How much the model was asked to think; in the JSON only where that was asked."""
    tools: str = ""
    """The tools that it might use; in the JSON only where there were any."""

    @property
    def name(self) -> str:
        """Model, prompt, condition, channel and protocol, as tables show them; what is usual is left out."""
        usual = {"none", "free", *USUAL_PROTOCOLS}
        said = (w for w in (self.condition, self.channel, self.protocol) if w not in usual)
        thought = f"thinking {self.thinking}" if self.thinking else ""
        offered = f"tools {self.tools}" if self.tools else ""
        parts = (self.model, self.prompt, *said, offered, thought)
        return " ".join(part for part in parts if part not in {"", "-"})


@dataclass(frozen=True, slots=True)
class Change:
    """A value of A and of B on the same samples, and their difference A - B."""

    of: str
    """The metric, the class or the slice."""
    a: float
    b: float
    difference: float
    low: float
    """Bounds of the 95% interval of the difference; nan where there is none."""
    high: float
    p: float
    """Two-sided; nan where there is no test."""
    p_holm: float
    """After Holm: metrics over all comparisons of the report, classes and slices within theirs."""
    p_bh: float
    """After Benjamini and Hochberg over the same, which holds the share of false findings."""
    test: str
    interval: str
    """How the interval was made."""
    n: int
    only_a: int | None
    """Samples that A alone has right; None where samples are not right or wrong."""
    only_b: int | None
    reason: str = ""
    """Why there is no p."""


@dataclass(frozen=True, slots=True)
class Settle:
    """What would settle a comparison, by the width of its interval (harness.stats.prospect)."""

    metric: str
    detectable: float
    """Least difference that these samples find with the chance `power`; nan where that is not known."""
    samples: float
    """Samples at which a difference of the size seen would be found; inf where none was seen."""
    power: float
    said: str
    """The same in words."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cells on one field and the whole task or one part of it."""

    task: str
    field: str
    slice: str
    """`all` or the part."""
    axis: str
    """What is under test: model, prompt, condition, protocol, or `run` for the same cell run twice."""
    a: Party
    b: Party
    n: int
    """Samples that both answered for."""
    clusters: int
    unit: str
    """What a cluster is: subject, image."""
    dropped_a: int
    """Samples of A that B does not have."""
    dropped_b: int
    pending_a: int
    """Trials of A not finished, dropped as well."""
    pending_b: int
    metrics: tuple[Change, ...]
    """The main metric first."""
    classes: tuple[Change, ...]
    """Recall of each class, over the samples of that class."""
    slices: tuple[Change, ...]
    """The main metric on each `column=value`."""
    settle: tuple[Settle, ...]
    """For the main metric, and accuracy where that is another."""
    unlike: tuple[str, ...]
    """In what else the two differ; empty unless `--unlike` was given."""
    matched_by: str = "id"
    """What makes two samples one: `id`, or the `content` of their pictures."""


@dataclass(frozen=True, slots=True)
class RankRow:
    """One cell of a ranking."""

    party: Party
    value: float
    low: float
    high: float
    place: int
    best: int
    """The best place that cannot be excluded."""
    ties: tuple[int, ...]
    """Places of cells not shown to differ from it."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Three or more cells over the samples that all have."""

    task: str
    field: str
    slice: str
    metric: str
    n: int
    rows: tuple[RankRow, ...]


@dataclass(frozen=True, slots=True)
class FactorRow:
    """How much of the score's variance comes from one factor, a pair of them, or the rest."""

    factor: str
    deviation: float
    """Standard deviation, in units of the score."""
    share: float
    low: float
    """Bounds of the interval of the deviation."""
    high: float
    zeroed: bool
    """Whether the estimate was below zero."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Variance components over fully crossed cells (harness.stats.components)."""

    task: str
    field: str
    slice: str
    metric: str
    mean: float
    cells: int
    n: int
    rows: tuple[FactorRow, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one command found."""

    comparisons: tuple[Comparison, ...]
    ranks: tuple[Ranks, ...]
    factors: tuple[Factors, ...]
    notes: tuple[str, ...]

    @property
    def unlike(self) -> tuple[str, ...]:
        """In what else the compared differ, each once."""
        return tuple(dict.fromkeys(said for c in self.comparisons for said in c.unlike))

    def to_json(self) -> str:
        """Indented JSON; numbers have six decimals, what is not known is null."""
        body = {
            "schema": SCHEMA,
            "difference": "a - b",
            "unlike": list(self.unlike),
            "comparisons": [asdict(c) for c in self.comparisons],
            "ranks": [asdict(r) for r in self.ranks],
            "factors": [asdict(f) for f in self.factors],
            "notes": list(self.notes),
        }
        return json.dumps(_plain(body), ensure_ascii=False, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0 if math.isfinite(value) else None
    if isinstance(value, dict):
        unasked = {("thinking", ""), ("tools", "")}
        value = {k: item for k, item in value.items() if item != "" or (k, item) not in unasked}
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
