"""The first screen of the page: the answer in words, a heat map of each board, differences, costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.analyses.keys import is_blank
from harness.analyses.words import count, interval, listed, number, percent
from harness.compare.answer import level, reference, rounded, whom
from harness.compare.board import Board, Cost, Difference, Overview, ScoredCell, Sentence, Spread
from harness.compare.tables import bounds, decimal, probability
from harness.core.price import money
from harness.core.text import counted
from harness.report.figures import svg
from harness.report.inputs import RunView
from harness.report.short_names import short_names

OPEN_BOARDS = 2
"""Boards that stand open; of more tasks, fields and parts the others are folded away."""
_WIDE, _HIGH, _EDGE = 150, 18, 7
_STRONGEST = 0.5
"""The deepest shade of a heat map: ink stays readable on it."""


@dataclass(frozen=True, slots=True)
class HeatSquare:
    """One cell of a heat map."""

    value: str
    interval: str
    shade: float
    """0 (the poorest) to `_STRONGEST` (the best)."""
    best: bool
    tied: bool
    told: str
    """All of it in words, on hover."""


@dataclass(frozen=True, slots=True)
class CellLine:
    """One row of the table of cells, the best first."""

    rank: int | None
    row: str
    full: str
    column: str
    value: str
    interval: str
    sort: float
    tied: bool
    best: bool
    spread: str
    """Over paraphrases of its prompt; empty where it has none."""
    answered: str
    tokens: str
    seconds: str
    money: str
    """Of 1,000 replies, with its currency where the board has several."""


@dataclass(frozen=True, slots=True)
class ForestLine:
    """One paired difference."""

    who: str
    full: str
    what: str
    """What is compared: the other prompt, the other model..."""
    amount: str
    interval: str
    p: str
    mood: str
    strip: Markup
    sort: float
    needed: str
    contrary: bool
    """Whether its interval is without 0 and it is not shown all the same, after the correction for many."""


@dataclass(frozen=True, slots=True)
class BoardView:
    """One board, ready to be drawn."""

    board: Board
    anchor: str
    columns: tuple[tuple[str, str], ...]
    """(prompt as it is headed, its name)."""
    heat: tuple[tuple[tuple[str, str], tuple[HeatSquare | None, ...]], ...]
    """Empty where there is one cell alone."""
    lines: tuple[CellLine, ...]
    has: Mapping[str, bool]
    """Which columns of the table have something to tell: column, spread, tokens, seconds, money."""
    currency: str
    """That of all prices; empty where there are several or none."""
    reference: str
    forest: tuple[ForestLine, ...]
    contrary: int
    blank: str
    factors: tuple[tuple[str, float, str, str], ...]
    """(factor, share 0 to 1, as a percentage, its standard deviation with its interval)."""
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What stands before the samples and the details."""

    title: str
    answer: tuple[tuple[str, tuple[Sentence, ...]], ...]
    """(board, sentences)."""
    boards: tuple[BoardView, ...]
    facts: tuple[str, ...]
    ranks: tuple[tuple[str, str, str, tuple[int, ...]], ...]
    """(cell, mean rank, interval, rank on each board)."""
    ranked_over: tuple[str, ...]
    notes: tuple[str, ...]
    """What could not be compared, and why."""

    @property
    def open(self) -> tuple[BoardView, ...]:
        return self.boards[:OPEN_BOARDS]

    @property
    def folded(self) -> tuple[BoardView, ...]:
        return self.boards[OPEN_BOARDS:]


def first_screen(view: RunView, found: Overview, judged: Sequence[str] = ()) -> FirstScreen:
    """The first screen of a run; `judged` are the verdicts of its cells against the baselines."""
    return screen_of(found, (*_facts(view, found), *_beaten(judged)))


def screen_of(found: Overview, facts: Sequence[str] = ()) -> FirstScreen:
    """The answer and the boards of an overview, with `facts` about the whole."""
    boards = tuple(board_view(one, found.against, f"board-{n}") for n, one in enumerate(found.boards, 1))  # fmt: skip
    shown = {one.board.name for one in boards[:OPEN_BOARDS]}
    answers: dict[str, list[Sentence]] = {}
    for sentence in found.answer:
        if sentence.board in shown:
            answers.setdefault(sentence.board, []).append(sentence)
    return FirstScreen(
        title=found.name,
        answer=tuple((name, tuple(told)) for name, told in answers.items()),
        boards=boards,
        facts=tuple(facts),
        ranks=tuple(
            (one.name, number(one.mean, 2), interval(one.low, one.high), one.places)
            for one in found.ranks
        ),
        ranked_over=found.ranked_over,
        notes=tuple(n for n in found.notes if not any(n in one.notes for one in found.boards)),
    )


def board_view(board: Board, against: Mapping[str, str], anchor: str) -> BoardView:
    """One board, ready to be drawn."""
    values = [one.value for one in board.cells if one.value is not None]
    scale = (min(values), max(values)) if values else (0.0, 1.0)
    spreads = {(one.row, one.prompt): one for one in board.spreads}
    paid = {one.cost.currency for one in board.cells if one.cost and one.cost.money is not None}
    currency = next(iter(paid)) if len(paid) == 1 else ""
    short = short_names(one.row for one in board.cells)
    lines = tuple(_line(board, one, short, spreads, currency) for one in board.cells)
    heat = tuple(
        (
            (short[row], row),
            tuple(_square(board, board.at(row, column), scale) for column in board.columns),
        )
        for row in board.rows
    )
    forest = tuple(_forest(board, against))
    return BoardView(
        board=board,
        anchor=anchor,
        columns=tuple((board.short(name), name) for name in board.columns),
        heat=heat if len(board.cells) > 1 else (),
        lines=lines,
        has={
            "column": any(one.column not in {"", "-"} for one in board.cells),
            **{name: any(getattr(line, name) for line in lines) for name in ("spread", "tokens", "seconds", "money")},
        },
        currency=currency,
        reference=reference(board, against) if board.differences else "",
        forest=forest,
        contrary=sum(line.contrary for line in forest),
        blank=_blank(board),
        factors=tuple(_factors(board)),
        facts=tuple(_board_facts(board)),
    )  # fmt: skip


def _square(board: Board, one: ScoredCell | None, scale: tuple[float, float]) -> HeatSquare | None:
    if one is None:
        return None
    low, high = scale
    share = 0.0 if one.value is None or high == low else (one.value - low) / (high - low)
    if board.sign < 0:
        share = 1 - share
    bounds_told = interval(one.low, one.high)
    told = f"{one.name}: {board.title} {number(one.value)} {bounds_told}, {count(one.n)} samples, answered {percent(one.coverage)}"  # fmt: skip
    if one.rank is not None:
        told += f", rank {one.rank} of {len(board.comparable)}"
    told += (
        ", the best"
        if one.rank == 1
        else ", not significantly different from the best"
        if one.tied
        else ""
    )
    return HeatSquare(
        number(one.value), bounds_told, round(share * _STRONGEST, 3), one.rank == 1, one.tied, told
    )


def _line(
    board: Board,
    one: ScoredCell,
    short: Mapping[str, str],
    spreads: Mapping[tuple[str, str], Spread],
    currency: str,
) -> CellLine:
    spread = spreads.get((one.row, one.column))
    told = ""
    if spread is not None:
        told = f"{number(spread.low)} to {number(spread.high)} ({spread.prompts} wordings)"
    return CellLine(
        rank=one.rank,
        row=short[one.row],
        full=one.row,
        column=board.short(one.column),
        value=number(one.value),
        interval=interval(one.low, one.high),
        sort=-math.inf if one.value is None else one.value,
        tied=one.tied,
        best=one.rank == 1,
        spread=told,
        answered=percent(one.coverage),
        tokens=_tokens(one.cost),
        seconds="" if one.cost is None or one.cost.seconds is None else f"{one.cost.seconds:.2f}",
        money=""
        if one.cost is None or one.cost.money is None
        else money(one.cost.money, one.cost.currency).removesuffix(f" {currency}"),
    )


def _tokens(cost: Cost | None) -> str:
    if cost is None or cost.prompt_tokens is None or cost.reply_tokens is None:
        return ""
    thought = f" ({cost.reasoning_tokens:,.0f} reasoning)" if cost.reasoning_tokens else ""
    return f"{cost.prompt_tokens:,.0f} + {cost.reply_tokens:,.0f}{thought}"


def _forest(board: Board, against: Mapping[str, str]) -> Iterator[ForestLine]:
    reach = [v for d in board.differences for v in (d.value, d.low, d.high, 0.0) if v is not None]
    scale = (min(reach), max(reach)) if reach else (0.0, 1.0)
    short = short_names(whom(board, one, against) for one in board.differences)
    for one in board.differences:
        contrary = (
            not one.shown and one.low is not None and one.high is not None and (one.low > 0 or one.high < 0)
        )  # fmt: skip
        what, who = level(board, one.cell, against), whom(board, one, against)
        p = "–" if one.adjusted is None else probability(one.adjusted)
        told = _amount(one)
        yield ForestLine(
            who=short[who],
            full=f"{who} · {what}" if who else what,
            what=what,
            amount=decimal(one.value, signed=True),
            interval="" if one.low is None or one.high is None else bounds(one.low, one.high, signed=False),
            p=p,
            mood=one.mood,
            strip=_strip(one, scale, f"{who} {what}: {told}"),
            sort=one.value,
            needed=_needed(one),
            contrary=contrary,
        )  # fmt: skip


def _amount(one: Difference) -> str:
    told = decimal(one.value, signed=True)
    if one.low is not None and one.high is not None:
        told += f" {bounds(one.low, one.high, signed=False)}"
    return told


def _needed(one: Difference) -> str:
    if one.needed is None or one.needed > 1000 * one.n or one.needed <= one.n:
        return ""
    return f"about {count(rounded(one.needed))} samples"


def _strip(one: Difference, scale: tuple[float, float], told: str) -> Markup:
    """Dot and whisker with a line at no difference, all to one scale."""
    low, high = scale
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - low) / span * (_WIDE - 2 * _EDGE), 1)

    middle = _HIGH / 2
    parts = [Markup('<line class="base" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(x(0), _HIGH)]
    if one.low is not None and one.high is not None:
        line = Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(line.format(x(one.low), x(one.high), middle, middle))
    shape = "dot" if one.shown else "hollow"
    dot = Markup('<circle class="{}" cx="{}" cy="{}" r="4.5"/>')
    parts.append(dot.format(shape, x(one.value), middle))
    return svg(_WIDE, _HIGH, told, parts)


def _blank(board: Board) -> str:
    """One line on all cells that were shown a blank picture, beside what guessing earns."""
    guess = [f"{name} {number(value)}" for name, value in board.baselines.items()]
    beside = f" Without looking: {listed(guess)}." if guess else ""
    values = [one.value for one in board.blanks if one.value is not None and not one.apart]
    if not values:
        return beside.strip()
    low, high = number(min(values)), number(max(values))
    told = low if low == high else f"{low} to {high}"
    cells = "1 cell" if len(values) == 1 else f"{len(values)} cells"
    return f"Shown a blank picture: {board.title} {told} ({cells}).{beside}"


def _factors(board: Board) -> Iterator[tuple[str, float, str, str]]:
    for row in board.factors.rows if board.factors is not None else ():
        if not math.isnan(row.share):
            name = row.factor if row.factor != "rest" else "rest (their interaction)"
            told = f"{decimal(row.deviation)} {bounds(row.low, row.high, signed=False)}".strip()
            yield name, row.share, f"{row.share:.0%}", told


def _board_facts(board: Board) -> Iterator[str]:
    samples = {one.n for one in board.comparable or board.cells}
    most = max(samples, default=0)
    told = counted(most, "sample") if len(samples) < 2 else f"{count(min(samples))} to {count(most)} samples"  # fmt: skip
    if board.unit == "image":
        yield f"{told}; intervals over pictures (no subjects known)"
    else:
        yield f"{told}; intervals over {counted(board.clusters, board.unit)}"


def used(found: Overview) -> tuple[str, ...]:
    """Tokens and money of all cells."""
    return tuple(_used(found))


def _facts(view: RunView, found: Overview) -> Iterator[str]:
    """Samples, what was answered, tokens and money of the whole run.

    Blank pictures are counted apart: models refuse them, or answer them, for reasons of their own.
    """
    for board in found.boards[:1]:
        yield from _board_facts(board)
    seen = _outcomes(e for e in view.scores.outcomes if not is_blank(e["condition"]))
    blank = _outcomes(e for e in view.scores.outcomes if is_blank(e["condition"]))
    yield from [seen] if seen else []
    yield from [f"blank pictures: {blank}"] if blank else []
    yield from _used(found)


def _outcomes(entries: Iterable[Mapping[str, Any]]) -> str:
    """`answered 98.1% · refused 1.9%`; empty where there is no answer."""
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update(entry["counts"])
    total = counts.total()
    return " · ".join(f"{name} {_share(times / total)}" for name, times in counts.items() if times)


def _beaten(judged: Sequence[str]) -> Iterator[str]:
    known = [verdict for verdict in judged if verdict in {"above", "not-above"}]
    if known:
        yield f"{known.count('above')} of {len(known)} cells better than both baselines"


def _share(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 1 else f"{share:.0%}"


def _used(found: Overview) -> Iterator[str]:
    seen: dict[tuple[str, int], Cost] = {}
    for board in found.boards:
        for one in (*board.cells, *board.blanks):
            if one.cost is not None:
                seen[board.task, one.order] = one.cost
    costs: Sequence[Cost] = list(seen.values())
    tokens = sum(c.replies * ((c.prompt_tokens or 0) + (c.reply_tokens or 0)) for c in costs)
    if tokens:
        yield f"{_short(tokens)} tokens"
    for currency in sorted({c.currency for c in costs if c.money is not None}):
        paid = sum(c.replies * (c.money or 0) / 1000 for c in costs if c.currency == currency)
        yield money(paid, currency)


def _short(tokens: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if tokens >= size:
            return f"{tokens / size:.1f} {word}"
    return count(round(tokens))
