"""Keys of rows in tables (model, prompt, condition...), and their headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.conditions.chain import parts_of
from harness.core.blocks import Number, Who
from harness.core.cell import FREE, spelled_channel
from harness.core.task import Task
from harness.score.analysis import ScoredTask
from harness.score.baselines import BASELINES, CEILINGS
from harness.score.table import ScoreRow

RowKey: TypeAlias = "tuple[str, str, str]"
"""Model, prompt (with its channel, where that is not free), condition."""

Numbers: TypeAlias = "dict[RowKey, dict[str, ScoreRow]]"
"""Who answered -> metric -> number, for one field on one slice."""

BLANK = "blank"


def prompt_on(prompt: str, channel: str) -> str:
    """How a prompt is named in tables: `emotion/plain`, `emotion/plain on logprob`, `emotion/plain, vote-5`."""
    if channel.startswith(f"{FREE}, "):
        return f"{prompt}, {channel.removeprefix(f'{FREE}, ')}"
    return prompt if channel == FREE else f"{prompt} on {channel}"


def taken_of(entry: Mapping[str, Any]) -> str:
    """How the answers were taken, of an entry of the manifest (whose channel and protocol stand apart), the scores or the
    records."""
    if "basis" in entry:
        return spelled_channel(
            entry.get("channel", FREE),
            entry["protocol"],
            entry.get("thinking", ""),
            entry.get("tools", ""),
        )
    return str(entry.get("channel") or FREE)


def row_key(entry: Mapping[str, Any]) -> RowKey:
    """Who answered, of an entry of the manifest, the scores or the records."""
    prompt = prompt_on(entry["prompt"], taken_of(entry))
    return (entry["model"], prompt, entry["condition"])


def by_place(scores: Sequence[ScoreRow]) -> dict[tuple[str, str], Numbers]:
    """Score rows of one task by (slice, field), then by who answered, then by metric."""
    found: dict[tuple[str, str], Numbers] = {}
    for row in scores:
        numbers = found.setdefault((row.slice, row.field), {})
        key = (row.model, prompt_on(row.prompt, row.channel), row.condition)
        numbers.setdefault(key, {})[row.metric] = row
    return found


def places(beside: ScoredTask) -> list[tuple[str, str]]:
    """(slice, field) of every score table of a task: the whole task or its parts, scored fields alone."""
    fields = {name for name, spec in beside.task.fields.items() if spec.scored}
    found = dict.fromkeys((row.slice, row.field) for row in beside.scores)
    return [(cut, field) for cut, field in found if field in fields and "=" not in cut]


def has_scores(task: Task) -> bool:
    """Whether a task has a field that is scored."""
    return any(spec.scored for spec in task.fields.values())


def is_blank(condition: str) -> bool:
    """Whether a condition shows a blank picture, alone or with others (`blank+shots-4`)."""
    return BLANK in parts_of(condition)


def is_baseline(key: RowKey) -> bool:
    """Whether a row is one of the two that look at no picture and no prompt."""
    return key[0] in BASELINES


def is_ceiling(key: RowKey) -> bool:
    """Whether a row is what annotators reach."""
    return key[0] in CEILINGS


def heading(key: RowKey) -> tuple[str, ...]:
    """Model, prompt and condition as the lines of a heading; what says nothing is left out."""
    model, prompt, condition = key
    return (model,) if is_baseline(key) else (model, *(w for w in (prompt, condition) if said(w)))


def said(word: str) -> bool:
    """Whether a prompt or condition says something: answers made elsewhere have no known prompt."""
    return word not in {"-", "", "none"}


def who(key: RowKey, note: str = "") -> Who:
    """The cell of a table that names who answered."""
    return Who(*key, note=note)


UNSEEN = "*"
"""Stands beside a number in which no spread was seen."""
UNSEEN_SAID = (
    f"{UNSEEN} no spread was seen between samples, which is not certainty: the interval is what so few clusters may have "
    "hidden (Clopper-Pearson)"
)


def measured(row: ScoreRow | None) -> Number:
    """A score row as a cell; empty where there is none."""
    if row is None:
        return Number(None)
    return Number(row.value, row.low, row.high, mark="" if row.spread else UNSEEN)


def named(field: str, part: str) -> str:
    """The field, with its part where that says more."""
    return field if part in {"all", "", field} else f"{field} ({part})"
