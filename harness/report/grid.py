"""Samples side by side as the page embeds them: one row per sample, one column per cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.analyses.keys import RowKey, is_blank, row_key
from harness.analyses.words import visible, visible_all
from harness.core.field import FieldSpec
from harness.core.kind import kind_named, kind_of
from harness.core.outcome import Outcome
from harness.report.grid_order import SampleOrder
from harness.report.inputs import RunView, read_conversations
from harness.run.columns import read_table
from harness.run.sample_file import read_lean_samples

MOST_TRIALS = 60_000
"""Trials embedded in a page; of a larger run the samples on which cells disagree most."""
MOST_TEXT = 16_000_000
"""Characters of replies, reasoning and prompts embedded in a page."""
LENGTHS = (6000, 2000, 1000, 500, 250, 120)
"""To how many characters single texts are cut, the first that fits `MOST_TEXT`."""
OUTCOMES = tuple(map(str, Outcome))

_NARROW = ("trial", "task", "model", "prompt", "condition", "sample", "field", "outcome", "value", "target")  # fmt: skip


@dataclass(frozen=True, slots=True)
class GridCell:
    """One column."""

    id: str
    key: RowKey

    @property
    def blank(self) -> bool:
        return is_blank(self.key[2])


@dataclass(slots=True)
class GridSample:
    """One row."""

    sample: str
    part: str
    truths: tuple[str | None, ...]
    """By field of the grid."""
    groups: tuple[str, ...] = ()
    trials: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """Cell id -> its trials, one for each repeat: (text, reasoning, failure, conversation, answers), where answers are
    (outcome, value, rule, right) by field."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The samples of one task."""

    task: str
    fields: tuple[str, ...]
    groups: tuple[str, ...]
    """Annotations that samples can be chosen by."""
    cells: tuple[GridCell, ...]
    samples: tuple[GridSample, ...]
    """Those on which cells disagree most first."""
    total: int
    """Samples with a finished trial."""


@dataclass(frozen=True, slots=True)
class Grids:
    """All tasks, and what they share."""

    grids: tuple[Grid, ...]
    conversations: Mapping[str, Sequence[Sequence[str]]]
    length: int
    """To how many characters texts are cut."""

    @property
    def shown(self) -> int:
        return sum(len(grid.samples) for grid in self.grids)

    @property
    def total(self) -> int:
        return sum(grid.total for grid in self.grids)

    def places(self) -> Iterator[tuple[str, str, str]]:
        """(task, condition, sample) in the order in which thumbnails are wanted: the first rows first."""
        for grid in self.grids:
            conditions = list(dict.fromkeys(cell.key[2] for cell in grid.cells))
            conditions.sort(key=lambda name: name != "none")
            for condition in conditions[:1]:
                yield from ((grid.task, condition, one.sample) for one in grid.samples)
        for grid in self.grids:
            conditions = list(dict.fromkeys(cell.key[2] for cell in grid.cells))
            conditions.sort(key=lambda name: name != "none")
            yield from (
                (grid.task, name, one.sample) for one in grid.samples for name in conditions[1:]
            )


def read_grids(view: RunView, *, most: int = MOST_TRIALS) -> Grids:
    """The grids of all tasks, of no more than `most` trials. The same folder gives the same grids."""
    orders = _orders(view)
    shares = {name: order for name, order in orders.items() if len(order)}
    total = sum(order.rows for order in shares.values())
    keep: dict[str, list[str]] = {}
    for name, order in shares.items():
        room = most if total <= most else most * order.rows // total
        chosen = keep.setdefault(name, [])
        for sample, count in order:
            room -= count
            if room < 0 and chosen:
                break
            chosen.append(sample)
    grids = tuple(_grid(view, name, keep.get(name, []), len(orders[name])) for name in view.tasks)
    _fill(view, grids)
    wanted = {t[3] for g in grids for s in g.samples for some in s.trials.values() for t in some}
    said = read_conversations(view.folder, wanted)
    return Grids(grids, said, _length(grids, said))


def _orders(view: RunView) -> dict[str, SampleOrder]:
    """Task -> its samples with how many rows each has, those on which cells disagree most first."""
    known = {(entry["id"], entry["prompt"]) for entry in view.manifest["cells"]}
    blank = {entry["id"] for entry in view.manifest["cells"] if is_blank(entry["condition"])}
    orders = {name: SampleOrder() for name in view.tasks}
    for row in _rows(view, _NARROW):
        cell = row["trial"].partition("/")[0]
        if (cell, row["prompt"]) not in known or row["task"] not in orders:
            continue
        said = row["value"] if row["outcome"] == "answered" else row["outcome"]
        orders[row["task"]].add(row["sample"], row["field"], None if cell in blank else str(said))
    return orders


def _grid(view: RunView, name: str, chosen: Sequence[str], total: int) -> Grid:
    task = view.tasks[name]
    wanted = tuple(task.slices)
    groups: dict[str, tuple[str, ...]] = {}
    known = view.folder.scored_samples(name)
    if wanted and chosen and known.is_file():
        there = set(chosen)
        for one in read_lean_samples(known, set(wanted)):
            if one.sample in there:
                groups[one.sample] = tuple(told(one.annotations.get(g)) or "" for g in wanted)
    return Grid(
        task=name,
        fields=tuple(task.fields),
        groups=wanted if groups else (),
        cells=tuple(
            GridCell(cell["id"], row_key(cell)) for cell in view.manifest["cells"] if cell["task"] == name
        ),
        samples=tuple(GridSample(s, "", (), groups.get(s, ())) for s in chosen),
        total=total,
    )  # fmt: skip


def _fill(view: RunView, grids: Sequence[Grid]) -> None:
    """Put the trials into the samples of the grids."""
    rows = {grid.task: {one.sample: one for one in grid.samples} for grid in grids}
    known = {(entry["id"], entry["prompt"]) for entry in view.manifest["cells"]}
    trial = ("", "")
    found: dict[str, Mapping[str, Any]] = {}
    for row in _rows(view, None):
        if (row["trial"], row["prompt"]) != trial:
            _put(view, rows, known, found)
            trial, found = (row["trial"], row["prompt"]), {}
        found[row["field"]] = row
    _put(view, rows, known, found)


def _put(
    view: RunView,
    rows: Mapping[str, Mapping[str, GridSample]],
    known: set[tuple[str, str]],
    found: Mapping[str, Mapping[str, Any]],
) -> None:
    first = next(iter(found.values()), None)
    if first is None:
        return
    cell = first["trial"].partition("/")[0]
    if (cell, first["prompt"]) not in known:
        return
    one = rows.get(first["task"], {}).get(first["sample"])
    if one is None:
        return
    fields = view.tasks[first["task"]].fields
    one.part = first.get("part") or ""
    truths = tuple(
        told_of(spec, plain(found[n]["target"])) if n in found else None
        for n, spec in fields.items()
    )
    before = one.truths or (None,) * len(truths)
    one.truths = tuple(new if new is not None else old for new, old in zip(truths, before, strict=True))  # fmt: skip
    answers = tuple(_answer(found[n], spec) if n in found else None for n, spec in fields.items())
    one.trials.setdefault(cell, []).append(
        (
            first.get("text") or "", first.get("reasoning") or "",
            without_folders(first.get("failure") or ""), first.get("conversation") or "", answers,
        )
    )  # fmt: skip


def without_folders(failure: str) -> str:
    """Why there is no reply, without the folders of a picture: a page is passed on, and they name people."""
    return (
        re.sub(r"/.*/", ".../", failure, count=1, flags=re.DOTALL)
        if failure.startswith("media:")
        else failure
    )


def _answer(row: Mapping[str, Any], spec: FieldSpec) -> tuple[str, str | None, str, bool | None]:
    value, target = plain(row["value"]), plain(row["target"])
    right = is_right(spec.kind, value, target)
    return row["outcome"], told_of(spec, value), row.get("rule") or "", right


def _rows(view: RunView, columns: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    return read_table(view.folder.records, columns, needs=_NARROW)


def is_right(kind: str, value: Any, target: Any) -> bool | None:
    """Whether an answer says what the truth does; None for numbers and where either is missing."""
    return None if value is None or target is None else kind_named(kind).same(value, target)


def plain(written: str | None) -> Any:
    """A value of records.parquet, which is JSON; None where there is none."""
    return None if written is None else json.loads(written)


def told(value: Any) -> str | None:
    """An answer or a true value in words; None where there is none."""
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def told_of(spec: FieldSpec, value: Any) -> str | None:
    """As `told`, with what the value of a field means before it: `same person (93.5)`."""
    found = told(value)
    if found is None or not (words := kind_of(spec).in_words(spec, value)):
        return found
    return f"{words} ({found})"


def _length(grids: Iterable[Grid], said: Mapping[str, Sequence[Sequence[str]]]) -> int:
    """To how many characters texts are cut, so that all of them fit."""
    texts = {
        text for g in grids for s in g.samples for some in s.trials.values() for t in some for text in t[:2]
    }  # fmt: skip
    lengths = [len(text) for text in texts]
    lengths += [len(text) for turns in said.values() for _, text in turns]
    return next(
        (most for most in LENGTHS if sum(min(n, most) for n in lengths) <= MOST_TEXT), LENGTHS[-1]
    )


def cut(text: str, most: int = LENGTHS[0]) -> str:
    """`text`, or its beginning and how much was left out."""
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… ({left:,} more characters in the run folder)"


def grid_json(grids: Grids) -> dict[str, Any]:
    """What the script of the page reads. Texts stand once, in `strings`; a row is [sample, part, truths, groups, cells],
    a cell a list of trials, a trial [text, reasoning, failure, conversation, (outcome, value, rule, right) by field];
    -1 is none, right is 1, wrong 0."""
    places: dict[str, int] = {}

    def at(text: str | None) -> int:
        if not text:
            return -1
        return places.setdefault(visible(cut(text, grids.length)), len(places))

    def trial(found: tuple[Any, ...]) -> list[int]:
        text, reasoning, failure, conversation, answers = found
        row = [at(text), at(reasoning), at(failure), at(conversation)]
        for answer in answers:
            outcome, value, rule, right = answer or ("", None, "", None)
            row += [OUTCOMES.index(outcome) if outcome else -1, at(value), at(rule), -1 if right is None else int(right)]  # fmt: skip
        return row

    tasks = [
        {
            "task": visible(grid.task), "fields": [*map(visible, grid.fields)], "groups": [*map(visible, grid.groups)],
            "total": grid.total,
            "cells": [{"key": [*map(visible, cell.key)], "blank": cell.blank} for cell in grid.cells],
            "samples": [
                [
                    at(one.sample), at(one.part), [at(t) for t in one.truths], [at(g) for g in one.groups],
                    [[trial(t) for t in one.trials.get(cell.id, ())] for cell in grid.cells],
                ]
                for one in grid.samples
            ],
        }
        for grid in grids.grids
    ]  # fmt: skip
    conversations = {
        at(name): [[role, visible(cut(text, grids.length))] for role, text in turns]
        for name, turns in grids.conversations.items()
    }
    return {
        "outcomes": list(OUTCOMES),
        "tasks": tasks,
        "conversations": {str(name): turns for name, turns in conversations.items()},
        "strings": list(places),
    }


def embedded_json(value: Any) -> str:
    """JSON that can stand inside a script element: no `<`, `>` or `&`, no unseen character.

    Escaped so, neither `</script>` nor `<!--` can end or open anything.
    """
    return script_json(visible_all(value))


def script_json(value: Any) -> str:
    """As `embedded_json`, of values whose texts hold no unseen character any more."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
