"""The result of an experiment in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analyses.words import count, interval, listed, number
from harness.compare.board import Board, Difference, Mood, ScoredCell, Sentence
from harness.compare.tables import bounds, decimal

NAMED = 3
"""Cells or values that are named in a sentence; of more only the number is told."""
LEVELS = 4
"""Values of an axis that have a sentence each; of more the best and the worst."""

Part = tuple[str, Mood]


def answer(boards: Sequence[Board], against: Mapping[str, str]) -> tuple[Sentence, ...]:
    """A few sentences for each board: what beats the reference, and which cell is the best."""
    return tuple(sentence for board in boards for sentence in _of_board(board, against))


def _of_board(board: Board, against: Mapping[str, str]) -> Iterator[Sentence]:
    if not board.sign:
        return
    yield from _compared(board, against)
    parts = _best(board) or _alone(board)
    if parts:
        yield Sentence(board.name, parts)
    yield from _apart(board)


def _compared(board: Board, against: Mapping[str, str]) -> Iterator[Sentence]:
    groups: dict[str, list[Difference]] = {}
    for one in board.differences:
        groups.setdefault(level(board, one.cell, against), []).append(one)
    told = list(groups.items())
    if len(told) > LEVELS:
        told = [told[0], told[-1]]
    for name, group in told:
        yield Sentence(board.name, tuple(_level(board, name, group, against)))
    shown = sum(one.shown for one in board.differences)
    if len(board.differences) > 1:
        differences = (
            f"{shown} of {len(board.differences)} differences from {reference(board, against)}"
        )
        are = "is" if shown == 1 else "are"
        said = f"{differences} {are} larger than chance explains (5% level, Holm over all of them)."
        yield Sentence(board.name, ((said, ""),))


def level(board: Board, cell: ScoredCell, against: Mapping[str, str]) -> str:
    """What a cell has on the axes that are compared: its prompt, its model..."""
    return ", ".join(_said(board, axis, cell) for axis in against)


def reference(board: Board, against: Mapping[str, str]) -> str:
    """What the others are compared with, in words."""
    return level(board, board.differences[0].reference, against)


def _said(board: Board, axis: str, cell: ScoredCell) -> str:
    if axis == "prompt":
        return board.short(cell.column)
    if axis == "condition":
        return "the pictures as they are" if cell.key[2] == "none" else cell.key[2]
    value = str(getattr(cell.cell, axis))
    return (
        value
        if axis in {"model", "channel", "protocol"}
        else f"{axis.replace('_', ' ')} {value or 'unasked'}"
    )


def _level(
    board: Board, name: str, group: Sequence[Difference], against: Mapping[str, str]
) -> Iterator[Part]:
    """`defined beats plain for qwen7 by .031 [.012, .050]; not shown for llama11.`"""
    other = level(board, group[0].reference, against)
    alone = len(group) == 1 and not whom(board, group[0], against)
    said = False
    for mood, verb in (("better", "beats"), ("worse", "is worse than")):
        some = [one for one in group if one.mood == mood]
        if some:
            yield (f"; it {verb} it" if said else f"{name} {verb} {other}"), ""
            for place, one in enumerate(some[:NAMED]):
                between = "" if not place else " and" if place == len(some[:NAMED]) - 1 else ","
                whose = "" if alone else f" for {whom(board, one, against)}"
                yield f"{between}{whose} by {_margin(one)}", one.mood
            if len(some) > NAMED:
                yield f" and {len(some) - NAMED} more", ""
            said = True
    unclear = [one for one in group if one.mood == "unclear"]
    if unclear and said:
        yield f"; not shown for {_names(board, unclear, against)}", "unclear"
    elif unclear:
        most = max(unclear, key=lambda one: abs(one.value))
        whose = "" if alone else f" for {_names(board, unclear, against)}"
        if len(unclear) > 1:
            whose = f" in any of {len(unclear)} cells"
        yield f"{name} does not differ significantly from {other}{whose}", "unclear"
        yield f" ({'' if len(unclear) == 1 else 'at most '}{_amount(most)}{_needed(most)})", ""
    yield ".", ""


def whom(board: Board, one: Difference, against: Mapping[str, str]) -> str:
    """Which cells the two are, besides what is compared; empty where the board has no others."""
    parts = [one.cell.row] if "model" not in against and len(board.rows) > 1 else []
    if "prompt" not in against and len(board.columns) > 1:
        parts.append(board.short(one.cell.column))
    return " · ".join(parts)


def _names(board: Board, some: Sequence[Difference], against: Mapping[str, str]) -> str:
    names = [whom(board, one, against) for one in some]
    return listed(names) if len(names) <= NAMED else f"{len(names)} others"


def _amount(one: Difference) -> str:
    """`+.031 [.012, .050]`."""
    if one.low is None or one.high is None:
        return decimal(one.value, signed=True)
    return f"{decimal(one.value, signed=True)} {bounds(one.low, one.high, signed=False)}"


def _margin(one: Difference) -> str:
    """`.031 [.012, .050]`: the size of a difference whose direction a verb tells."""
    if one.low is None or one.high is None:
        return decimal(abs(one.value))
    sizes = (one.low, one.high) if one.value >= 0 else (-one.high, -one.low)
    return f"{decimal(abs(one.value))} {bounds(*sizes, signed=False)}"


def _needed(one: Difference) -> str:
    if one.needed is None or one.needed <= one.n or one.needed > 1000 * one.n:
        return ""
    return f"; about {count(rounded(one.needed))} samples would be needed to decide"


def rounded(samples: float) -> int:
    """Two significant digits, upwards: the estimate is no better."""
    step: int = 10 ** max(0, len(str(int(samples))) - 2)
    return -int(-samples // step) * step


def _best(board: Board) -> tuple[Part, ...]:
    best = board.best
    cells = board.comparable
    if best is None or len(cells) < 2 or best.value is None:
        return ()
    said = f"{number(best.value)} {interval(best.low, best.high)}".strip()
    ties = [board.called(one) for one in cells if one.tied and one is not best]
    if not ties:
        rest = ", significantly different from every other cell."
    elif len(ties) == len(cells) - 1:
        rest = ", but no other cell differs from it significantly."
    elif len(ties) <= NAMED:
        rest = f"; not significantly different: {listed(ties)}."
    else:
        rest = f"; {len(ties)} of the other {len(cells) - 1} cells are not significantly different from it."
    called = board.called(best)
    return (("Best: ", ""), (called, "better"), (f" with {board.title} {said}{rest}", ""))


def _apart(board: Board) -> Iterator[Sentence]:
    """Which cells are not ranked, and why."""
    some = [one for one in board.cells if one.apart]
    if not some:
        return
    told = "; ".join(f"{board.called(one)} (n={one.n:,}): {one.apart}" for one in some[:NAMED])
    more = f"; and {len(some) - NAMED} more" if len(some) > NAMED else ""
    whose = (
        "None of the cells"
        if len(some) == len(board.cells)
        else f"{len(some)} of {len(board.cells)} cells"
    )
    verb = "is" if len(some) in {1, len(board.cells)} else "are"
    said = (
        f"{whose} {verb} ranked" if len(some) == len(board.cells) else f"{whose} {verb} not ranked"
    )
    yield Sentence(
        board.name,
        (
            (
                f"{said}, because scores over other samples or classes cannot be compared: {told}{more}.",
                "unclear",
            ),
        ),
    )


def _alone(board: Board) -> tuple[Part, ...]:
    """Of a single cell its score, beside what is earned without looking."""
    one = board.best
    if one is None or one.value is None:
        return ()
    score = f"{board.title} {number(one.value)} {interval(one.low, one.high)}".strip()
    guess = listed([f"{name} {number(value)}" for name, value in board.baselines.items()])
    return (
        (f"{board.called(one)}: ", ""),
        (score, ""),
        (f"; without looking at the picture: {guess}." if guess else ".", ""),
    )
