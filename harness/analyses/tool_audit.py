"""Tools: how often they are called, how many calls are valid, and whether a model follows their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.analyses.rows.calls import (
    ANNOTATED,
    SUFFICES,
    use_row,
)
from harness.analyses.rows.ladder import gives_unasked
from harness.analyses.rows.tool_trials import read_trials, told_cell
from harness.analyses.rows.tools import (
    EITHER,
    EYES,
    FEW,
    SAMPLES_LEAST,
    TOOLS,
    UNSURE,
    Trials,
    alteration_in,
    audit_row,
    family,
    side_of,
)
from harness.analyses.tool_use import DEFINITIONS, NO_CALL, use_tables
from harness.analyses.words import interval, number, signed_difference
from harness.core.blocks import Block, Lines, Note, Table
from harness.core.cell import Cell
from harness.core.marks import REGION, Box, read_region
from harness.core.task import Task
from harness.core.text import counted
from harness.run.sample_file import read_lean_samples
from harness.score.analysis import ScoredTask, ShippedAnalysis, TaskAnswers
from harness.score.naming import who_answered


def _applies(task: Task) -> bool:
    return any(spec.scored and spec.one_label for spec in task.fields.values())


def _compute(answers: TaskAnswers) -> Iterator[Mapping[str, Any]]:
    cells = {cell.id: cell for cell in answers.cells if not cell.asked_as}
    offered = [cell for cell in cells.values() if cell.tools]
    if not offered:
        return
    families = {family(cell) for cell in offered}
    wanted = {i: cell for i, cell in cells.items() if family(cell) in families}
    fields = [n for n, spec in answers.task.fields.items() if spec.scored and spec.one_label]
    trials, truths = read_trials(answers, wanted, fields)
    suffices, regions = _annotated(answers)
    for name in fields:
        by_cell = {cell: found for (cell, at), found in trials.items() if at == name}
        for cell in offered:
            if cell in by_cell and not gives_unasked(cell):
                look = _look(by_cell, family(cell))
                used = use_row(by_cell[cell], look=look, suffices=suffices, regions=regions)
                yield {**told_cell(cell), "field": name, "what": "use", **used}
        for base in dict.fromkeys(map(family, offered)):
            yield from _audits(
                base, by_cell, name, truths.get(name, {}), seed=answers.seed, suffices=suffices
            )


def _audits(
    base: Cell,
    by_cell: Mapping[Cell, Trials],
    field: str,
    truths: Mapping[str, str | None],
    *,
    seed: int,
    suffices: Mapping[str, bool],
) -> Iterator[Mapping[str, Any]]:
    """One entry for each set of tools and protocol of which at least one cell lies, or that was also asked without."""
    look = _look(by_cell, base)
    groups: dict[tuple[str, str], dict[str, Trials]] = {}
    for cell, found in by_cell.items():
        if cell.tools and family(cell) == base:
            names, alteration = alteration_in(cell.tools)
            groups.setdefault((cell.protocol, names), {})[alteration] = found
    for (protocol, names), variants in groups.items():
        if look is None and len(variants) < 2:
            continue
        found = audit_row(variants, look, truths, seed=seed, suffices=suffices)
        told = told_cell(replace(base, protocol=protocol, tools=names))
        yield {**told, "field": field, "what": "audit", **found}


def _look(by_cell: Mapping[Cell, Trials], base: Cell) -> Trials | None:
    """The trials of the same prompt asked once, without tools."""
    return next((t for c, t in by_cell.items() if not c.tools and family(c) == base), None)


def _annotated(answers: TaskAnswers) -> tuple[dict[str, bool], dict[str, Box]]:
    """Sample -> whether its picture suffices, and the region to look at, where annotations say so."""
    suffices: dict[str, bool] = {}
    regions: dict[str, Box] = {}
    for one in read_lean_samples(answers.samples_file, {SUFFICES, REGION}):
        said = str(one.annotations.get(SUFFICES)).lower()
        if said in _SAID:
            suffices[one.sample] = _SAID[said]
        region = read_region(one.annotations.get(REGION))
        if region is not None:
            regions[one.sample] = region
    return suffices, regions


_SAID: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}


VERDICTS: Mapping[str, str] = {
    TOOLS: "follows its tools, also against its own look",
    EYES: "follows its own look, whatever its tools show",
    UNSURE: "follows its tools where one look is wrong, and its own look where that is right",
    EITHER: "shows neither: what it follows differs too little from chance",
    FEW: f"too few samples to say (at least {SAMPLES_LEAST} whose tools showed another sample are needed)",
}
"""Verdict -> how it is said."""
_ON_ONE_SIDE: Mapping[tuple[str, str], str] = {
    (TOOLS, "right"): "follows its tools against its own look where that is right",
    (TOOLS, "wrong"): "follows its tools where one look is wrong",
    (EYES, "right"): "follows its own look where that is right, whatever its tools show",
    (EYES, "wrong"): "follows its own look where that is wrong, whatever its tools show",
}
"""Verdict, and where one look has to stand for it to be seen -> how it is said where the other samples do not say."""
_WITHOUT_LOOK: Mapping[str, str] = {
    TOOLS: "follows its tools, also against the truth",
    EYES: "tells the truth, whatever its tools show",
}
"""The same where nothing was asked without tools."""


def _blocks(rows: Sequence[Any], beside: ScoredTask) -> Iterator[Block]:
    uses = [row for row in rows if row["what"] == "use"]
    audits = [row for row in rows if row["what"] == "audit"]
    if not rows:
        return
    yield Lines(lines=tuple(_lines(uses, audits)), room="little")
    yield from use_tables(uses, beside)
    if audits:
        yield Table(
            room="much",
            caption="Accuracy with tools that tell the truth and tools that lie",
            columns=("Cell", "Tools", "n", "Accuracy"),
            rows=tuple(
                (who_answered(row), name, at["n"], number(at["value"], 3))
                for row in audits
                for name, at in row["accuracy"].items()
            ),
        )
        for line in _lines([], audits):
            yield Note(room="much", text=line)
    yield Lines(lines=DEFINITIONS, room="much", folded="What these numbers are")


def _lines(uses: Sequence[Mapping[str, Any]], audits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in uses:
        valid = "" if row["valid"] is None else f", {row['valid']:.0%} of them valid"
        yield f"{who_answered(row)}: {counted(row['calls'], 'call')} in {counted(row['trials'], 'trial')}{valid}{_needed(row)}{_uncalled(row)}"
    for row in audits:
        if told := " ".join(_sentences(row)):
            yield f"{who_answered(row)}: {told}"


def _uncalled(row: Mapping[str, Any]) -> str:
    return "" if row["calls"] else f"; {NO_CALL}"


def _needed(row: Mapping[str, Any]) -> str:
    """What is said of calls that were needed and not, where it is known."""
    made, more = (row.get(name) or {"value": None} for name in ("needed_made", "unnecessary"))
    if made["value"] is None or more["value"] is None:
        return ""
    how = "" if row["needed_by"] == ANNOTATED else ", by hindsight"
    return f"; a call in {made['value']:.0%} of trials that need one and {more['value']:.0%} of the others{how}"


_GAINS: Mapping[str, str] = {
    "net": "true tools over tools that show nothing new (echo)",
    "gain": "true tools over one look",
    "echo_gain": "echo over one look",
}


def _gains(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{words} {_difference(row[n])}" for n, words in _GAINS.items() if n in row)


def _sentences(row: Mapping[str, Any]) -> Iterator[str]:
    """What an audit found, in words; nothing where samples were too few to compare."""
    if told := _gains(row):
        yield f"{told}."
    needed = row.get("needed", {})
    if any(one["value"] is not None for one in needed.values()):
        yield f"Where a call is needed: {_gains(needed)}."
    if flips := row.get("flips"):
        yield (
            f"Of {flips['n']:,} samples {flips['wrong_to_right']:,} became right with tools and "
            f"{flips['right_to_wrong']:,} wrong."
        )
    for name, share in row.get("recovery", {}).items():
        if share["value"] is not None:
            yield f"Of {share['n']:,} samples that one look reads right, {share['value']:.0%} stay right with {name} tools."
    if dose := row.get("dose"):
        yield f"Accuracy changes by {dose['slope']:+.3f} from no false finding to false ones alone."
    if swap := row.get("swap"):
        yield from _followed(swap, looked="one look" in row["accuracy"])


def _followed(swap: Mapping[str, Any], *, looked: bool) -> Iterator[str]:
    for name, where in (("eyes_right", "right"), ("eyes_wrong", "wrong")):
        found = swap.get(name)
        if found and found["n"]:
            before = f"one look is {where} and " if looked else ""
            own = "what one look says" if looked else "the truth"
            yield (
                f"Where {before}the tools show another sample ({found['n']:,} samples), it says what the "
                f"tools show in {_share(found['tool'])} and {own} in {_share(found['eyes'])}."
            )
    if swap["verdict"] == FEW:
        yield f"No verdict: {VERDICTS[FEW]}."
    else:
        yield f"Verdict: it {_verdict(swap, looked=looked)}."


def _verdict(swap: Mapping[str, Any], *, looked: bool) -> str:
    """The verdict in words, no wider than the samples that it rests on."""
    verdict = swap["verdict"]
    if not looked:
        return _WITHOUT_LOOK.get(verdict, VERDICTS[verdict])
    sides = {"right": side_of(swap["eyes_right"]), "wrong": side_of(swap["eyes_wrong"])}
    for seen, other in (("right", "wrong"), ("wrong", "right")):
        if (verdict, seen) in _ON_ONE_SIDE and sides[other] == EITHER:
            return f"{_ON_ONE_SIDE[verdict, seen]}; whom it follows where one look is {other}, is not shown"
    return VERDICTS[verdict]


def _share(found: Mapping[str, Any]) -> str:
    return f"{number(found['value'], 2)} {interval(found['low'], found['high'])}".strip()


def _difference(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return f"not said of {found['n']:,} samples in {found['clusters']:,} clusters"
    return signed_difference(found)


ANALYSIS = ShippedAnalysis(
    name="tool-audit",
    title="Tool audit",
    about="cells with `--tools`: calls, and with tools that lie (`zoom:echo`, `zoom:swap`) whether their findings are followed",
    applies=_applies,
    compute=_compute,
    blocks=_blocks,
    key="tools",
    in_task=True,
    order=21,
)
