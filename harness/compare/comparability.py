"""Check that two cells differ only in the axis under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from harness.compare.candidates import Contender
from harness.core.errors import HarnessError
from harness.core.sent_pictures import FULL, spelled_pixels
from harness.core.tools_asked import NO_TOOLS
from harness.run.scoring import CALLED
from harness.run.tools_check import ONCE

WITH_PROMPT = "model with its prompt"
"""The axis of two models that take other families of prompts: neither can be asked as the other is."""
AXES = (
    WITH_PROMPT, "model", "prompt", "condition", "pixels", "detail", "label order", "protocol", "channel", "thinking", "tools",
)  # fmt: skip
UNASKED = "unasked"
"""On the axis `thinking`: the model thinks as it does by itself."""
UNSAID = "unsaid"
"""On the axis `detail`: nothing is said of it."""
RERUN = "run"
"""The axis of two runs of the very same cell."""

SHOWN = 5
"""Differences named in an error."""

_TASK_KEYS = ("fields", "media", "parts", "cluster")
"""Parts of a task that can move a score; where its data lie and what it is called cannot."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two cells differ and should not."""

    field: str
    """`data digest`, `packages.torch`, `sampling.seed`, `parser`, `task.media.resize`, ..."""
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.field} ({self.a} against {self.b})"


@dataclass(frozen=True, slots=True)
class Among:
    """Cells that differ in one axis alone, by what they have on it."""

    axis: str
    """One of AXES."""
    names: tuple[str, ...]
    """At least two; of a pair the one named first is A."""

    def of(self, found: Sequence[Contender]) -> list[Contender]:
        """The cells with one of these names, in the order of the names. Raises HarnessError for a name that none has."""
        there = list(dict.fromkeys(_axis_value(self.axis, one) for one in found))
        if self.axis == "model":  # one of harness.toml may be named as the command does, too
            called = {
                str(one.entry[CALLED]): one.cell.model for one in found if CALLED in one.entry
            }
            names = tuple(called.get(name, name) for name in self.names)
            if names != self.names:
                return replace(self, names=names).of(found)
        for name in self.names:
            if name not in there:
                raise HarnessError(
                    f"no cell with answers has the {self.axis} {name!r}",
                    hint=f"available: {', '.join(there)}",
                )
        kept = [one for one in found if _axis_value(self.axis, one) in self.names]
        return sorted(kept, key=lambda one: self.names.index(_axis_value(self.axis, one)))


@dataclass(frozen=True, slots=True)
class CellPair:
    """Two cells put against each other."""

    a: Contender
    b: Contender
    axis: str
    """What is under test: one of AXES, several joined by `+`, or `run`."""
    unlike: tuple[Difference, ...]
    """What else differs; empty unless that was allowed."""


def axes_between(a: Contender, b: Contender) -> tuple[str, ...]:
    """The axes in which two cells differ. A prompt that is not known differs from none."""
    known = not (a.predicted or b.predicted)
    if known and a.family != b.family:
        return (WITH_PROMPT, *_shown_otherwise(a, b))
    differ = {
        "model": (a.cell.model, a.identity) != (b.cell.model, b.identity),
        "prompt": known and _prompt_of(a) != _prompt_of(b),
        "detail": a.cell.detail != b.cell.detail,
        "label order": a.order != b.order,
    } | dict.fromkeys(_shown_otherwise(a, b), True)
    differ["thinking"] = known and a.cell.thinking != b.cell.thinking
    differ["channel"] = known and a.cell.channel != b.cell.channel
    differ["tools"] = known and a.cell.tools != b.cell.tools
    asked = known and not differ["prompt"] and a.cell.protocol != b.cell.protocol
    differ["protocol"] = asked and not _brought_by_tools(a, b)
    return tuple(axis for axis in AXES if differ.get(axis))


def _shown_otherwise(a: Contender, b: Contender) -> tuple[str, ...]:
    """The axes of pictures in which two cells differ."""
    differ = {"condition": a.shown != b.shown, "pixels": a.cell.pixels != b.cell.pixels}
    return tuple(axis for axis, differs in differ.items() if differs)


def _brought_by_tools(a: Contender, b: Contender) -> bool:
    """Whether one asks once and the other, of the same prompt, is an agent because it has tools."""
    with_tools, without = (a, b) if a.cell.tools else (b, a)
    return bool(with_tools.cell.tools) and not without.cell.tools and without.cell.protocol == ONCE


def _prompt_of(one: Contender) -> tuple[str, str]:
    """Name and digest; an earlier version whose text is the same has the prompt that stands."""
    return one.cell.asked_as or one.cell.prompt, one.prompt_digest


def differences(a: Contender, b: Contender) -> list[Difference]:
    """Everything but the axis under test in which two cells differ."""
    axes = axes_between(a, b)
    found = [Difference(axis, *_axis_values(axis, a, b)) for axis in axes[1:]]
    found += _data(a, b)
    found += _nested("task", _task(a, b), _task(b, a))
    if a.entry["sampling"] and b.entry["sampling"]:
        own = {"max_tokens"} if axes[:1] == ("prompt",) else set()  # a prompt brings its own limit
        if axes[:1] == (WITH_PROMPT,):  # what writes no text is not sampled
            own = set(a.entry["sampling"]) | set(b.entry["sampling"])
        found += _nested(
            "sampling", _without(a.entry["sampling"], own), _without(b.entry["sampling"], own)
        )
    found += _nested("", {"parser": a.manifest["parser"]}, {"parser": b.manifest["parser"]})
    if not (a.predicted or b.predicted):
        if axes[:1] != ("protocol",):  # a vote is one trial where others ask several times
            found += _nested(
                "",
                *(
                    {"repeats": c.entry.get("repeats", c.manifest.get("repeats", 1))}
                    for c in (a, b)
                ),
            )
        found += _nested("packages", a.manifest["packages"], b.manifest["packages"])
    return found


def pair_up(found: Sequence[Contender], *, unlike: bool, axis: str | None = None) -> list[CellPair]:
    """The pairs of cells of one task and field that are compared.

    Two cells make a pair whatever they are; an earlier version of a cell makes one with the cell that stands. Of more, those that differ in exactly one axis, and two runs of
    one cell; all of them with `unlike`. With `axis` only those that differ in this one axis. Raises HarnessError
    naming what else differs, unless `unlike`.
    """
    groups: dict[tuple[str, str], list[Contender]] = {}
    for one in found:
        groups.setdefault((one.cell.task, one.field), []).append(one)
    pairs = [
        pair
        for group in groups.values()
        for pair in (_chosen(group, unlike=unlike) if axis is None else _along(group, axis))
    ]
    if not pairs:
        told = (
            "; ".join(sorted({f"{c.side}: {c.cell.task}, {c.field}" for c in found})) or "nothing"
        )
        if len(found) == 1:
            raise HarnessError(
                f"one cell is left, {told}; a comparison needs two",
                hint="compare a run that has several cells, or two runs; or narrow it less",
            )
        raise HarnessError(
            f"there are no two cells of the same task and field to compare: {told}",
            hint="compare runs of one task; for a file of answers, name the task with --task",
        )
    pairings = []
    for a, b in pairs:
        others = differences(a, b)
        if others and not unlike:
            if len(pairs) > 1 and (a.cell.asked_as or b.cell.asked_as):
                continue  # an earlier version stops no comparison of what stands
            raise _refusal(a, b, others)
        pairings.append(CellPair(a, b, "+".join(axes_between(a, b)) or RERUN, tuple(others)))
    if not pairings:
        a, b = pairs[0]
        raise _refusal(a, b, differences(a, b))
    return pairings


def _along(group: Sequence[Contender], axis: str) -> list[tuple[Contender, Contender]]:
    return [pair for pair in combinations(group, 2) if axes_between(*pair) == (axis,)]


def _chosen(group: Sequence[Contender], *, unlike: bool) -> list[tuple[Contender, Contender]]:
    pairs = [pair for pair in combinations(group, 2) if _may_meet(*pair)]
    if len(group) <= 2 or unlike:
        return pairs
    single = []
    for a, b in pairs:
        axes = axes_between(a, b)
        if len(axes) == 1 or (not axes and a.side != b.side):
            single.append((a, b))
    return single or pairs[:1]


def _may_meet(a: Contender, b: Contender) -> bool:
    """Whether neither is an earlier version, or one is that of the other."""
    versions = bool(a.cell.asked_as) + bool(b.cell.asked_as)
    return versions == 0 or (versions == 1 and a.side == b.side and a.cell.id == b.cell.id)


def _refusal(a: Contender, b: Contender, others: Sequence[Difference]) -> HarnessError:
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    said = "; ".join(str(other) for other in others[:SHOWN])
    return HarnessError(
        f"{a.side} and {b.side} differ in more than one thing: {said}{more}",
        hint="make them alike, or use --unlike to compare them anyway; every result then says so",
    )


def _axis_values(axis: str, a: Contender, b: Contender) -> tuple[str, str]:
    return _axis_value(axis, a), _axis_value(axis, b)


def _axis_value(axis: str, one: Contender) -> str:
    cell = one.cell
    named = {
        "condition": one.shown,
        "label order": one.order,
        "thinking": cell.thinking or UNASKED,
        "pixels": spelled_pixels(cell.pixels) if cell.pixels else FULL,
        "detail": cell.detail or UNSAID,
        "tools": cell.tools or NO_TOOLS,
        WITH_PROMPT: f"{cell.model} {cell.prompt}",
    }
    return named[axis] if axis in named else str(getattr(cell, axis))


def _data(a: Contender, b: Contender) -> Iterator[Difference]:
    """Other annotations. A table with truths of its own, and what is paired by content, is held against the truths of
    the shared samples."""
    if not (a.own_truth or b.own_truth or a.content is not None):
        digests = [str(c.manifest["tasks"][c.cell.task]["data_digest"]) for c in (a, b)]
        if digests[0] != digests[1]:
            yield Difference("data digest", digests[0][:12], digests[1][:12])
            return
    shared = [name for name in a.positions if name in b.positions]
    pairs = zip(shared, a.truths(shared), b.truths(shared), strict=True)
    other = [(name, x, y) for name, x, y in pairs if x != y]
    if other:
        name, x, y = other[0]
        yield Difference(
            f"data: the truth of {len(other):,} shared samples, such as {name}", str(x), str(y)
        )


def _task(one: Contender, other: Contender) -> dict[str, Any]:
    """The task's settings; labels taken from a table's own truths are not held against it."""
    config = one.records.task.model_dump(mode="json")
    kept = {key: config[key] for key in _TASK_KEYS}
    if one.own_truth or other.own_truth:
        kept["fields"] = {name: _without(spec, {"labels"}) for name, spec in kept["fields"].items()}
    return kept


def _without(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _nested(prefix: str, a: Any, b: Any) -> list[Difference]:
    """Where two nested mappings differ, by dotted path."""
    if a == b:
        return []
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        found = []
        for key in dict.fromkeys([*a, *b]):
            below = f"{prefix}.{key}" if prefix else str(key)
            found += _nested(below, a.get(key), b.get(key))
        return found
    return [Difference(prefix, _short(a), _short(b))]


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
