"""The ladder: an agent beside cheaper ways to ask the same, each a rung.

An agent is worth its name where it is better than as many votes as its tokens would buy, and than being given what its
tools show without having asked. What it would reach with perfect boxes is the rung above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.analyses.keys import BLANK
from harness.analyses.rows.tools import (
    Trials,
    alteration_in,
    codes,
    count_of,
    family,
    gain,
    share_in,
    too_few,
)
from harness.core.cell import Cell
from harness.core.protocol import UsingTools, draws_of
from harness.core.tools_asked import PERFECT
from harness.protocols.registry import load_protocol

BLANKED, LOOK, VOTES, GIVEN, AGENT, BEST = "blank", "look", "votes", "given", "agent", "perfect"
RUNGS: Mapping[str, str] = {
    BLANKED: "blank picture",
    LOOK: "one look",
    VOTES: "k votes",
    GIVEN: "tools given unasked",
    AGENT: "agent",
    BEST: "agent with perfect tools",
}
"""Rung -> how it is called, from the lowest."""


def rungs(base: Cell, cells: Iterable[Cell]) -> Iterator[tuple[str, Cell]]:
    """(rung, cell) of the cells that ask what `base` asks, in the order of RUNGS. `base` is asked once, without tools."""
    found: dict[str, list[Cell]] = {rung: [] for rung in RUNGS}
    for cell in cells:
        if rung := _rung(base, cell):
            found[rung].append(cell)
    for rung, some in found.items():
        yield from ((rung, cell) for cell in some)


def gives_unasked(cell: Cell) -> bool:
    """Whether tools are used for the model, which makes no calls itself."""
    protocol = load_protocol(cell.protocol)
    return isinstance(protocol, UsingTools) and GIVEN in protocol.settings


def _rung(base: Cell, cell: Cell) -> str:
    if cell.tools:
        altered = alteration_in(cell.tools)[1]
        if altered not in {"", PERFECT} or family(cell) != base:
            return ""
        if altered:
            return "" if gives_unasked(cell) else BEST
        return GIVEN if gives_unasked(cell) else AGENT
    plain = replace(cell, given_id="")
    if plain == base:
        return LOOK
    if plain == replace(base, condition=BLANK) and base.condition != BLANK:
        return BLANKED
    votes = replace(plain, protocol=base.protocol) == base
    return VOTES if votes and draws_of(load_protocol(cell.protocol)) > 1 else ""


def ladder_rows(
    steps: Iterable[tuple[str, Cell]], trials: Mapping[Cell, Trials], *, seed: int
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Each cell with its accuracy and what it is more than the lower rungs, paired.

    `trials` are those of one field by cell; a cell without any is left out.
    """
    known = [(rung, cell) for rung, cell in steps if trials.get(cell)]
    first: dict[str, Cell] = {}
    for rung, cell in known:
        first.setdefault(rung, cell)
    for rung, cell in known:
        mine = trials[cell]
        against = {LOOK: first.get(LOOK)}
        if rung == AGENT:
            against |= {VOTES: first.get(VOTES), GIVEN: first.get(GIVEN)}
        if rung == BEST:
            against |= {AGENT: first.get(AGENT)}
        more = {
            name: gain(mine, trials[other], seed=seed)
            for name, other in against.items()
            if other is not None and other != cell
        }
        made = sum(len(one.own_calls) for one in mine.values())
        calls = {"calls": made} if rung in {AGENT, BEST} else {}
        yield cell, {"rung": rung, "trials": len(mine), **calls, "accuracy": _accuracy(mine, seed=seed), "more": more}  # fmt: skip


def _accuracy(trials: Trials, *, seed: int) -> dict[str, Any]:
    """The share of right answers with its interval; no value where samples or clusters are too few."""
    clusters = codes([one.cluster for one in trials.values()])
    if too_few(len(trials), clusters):
        return {"n": len(trials), "value": None, "low": None, "high": None}
    found = share_in([one.right for one in trials.values()], clusters, seed=seed)
    return {**found, "clusters": count_of(clusters)}
