"""A table for a paper as data: rows and columns by axes, a score with its interval in each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analyses.words import count, number, percent
from harness.compare.board import Board, ScoredCell
from harness.compare.candidates import Side
from harness.compare.overview import overview_of
from harness.core.cell_pattern import CellPattern, fitting_any, refuse_unmatched
from harness.core.errors import HarnessError
from harness.core.sent_pictures import spelled_pixels
from harness.core.text import sentence
from harness.metrics import missing_said
from harness.run.cell_entry import cell_of

AXES = (
    "model", "prompt", "condition", "task", "metric", "channel", "thinking", "shots", "label_order", "pixels", "detail",
    "protocol", "tools", "run",
)  # fmt: skip
"""What may stand down or across. `run` is the folder that a cell comes from."""
_TOLD = ("condition", "channel", "thinking", "tools", "shots", "label_order", "pixels", "detail")
"""Axes that change what was asked: where one of them varies, the table shows it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of the table."""

    cell: ScoredCell
    board: Board
    best: bool
    """The best, and significantly different from every other cell of its board: bold."""
    tied: bool
    """The best or not significantly different from the best, where the best is not alone: marked."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table, ready to be written in any format."""

    title: str
    corner: str
    """What stands down, in words: `model`, `model, condition`."""
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    entries: Mapping[tuple[str, str], Entry]
    notes: tuple[str, ...]
    """What the numbers are: metric, interval, n, clusters, what bold means."""
    boards: tuple[Board, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a table is to show."""

    rows: tuple[str, ...] = ()
    """Axes that stand down; empty: the model, and what else is needed to tell cells apart."""
    columns: tuple[str, ...] = ()
    """Axes that stand across; empty: the prompt."""
    metrics: tuple[str, ...] = ()
    """Empty: the main metric of each field."""
    where: tuple[CellPattern, ...] = ()
    """The cells that are shown are those that match any; empty: all, but for those that were shown a blank picture."""
    field: str | None = None


def boards_of(
    sides: Sequence[Side], wish: Wish, *, against: CellPattern | None = None, seed: int = 0
) -> list[Board]:
    """The boards that the runs have, one for each metric that was wished for. Raises HarnessError where none is left."""
    cells = [cell_of(entry) for side in sides for entry in side.manifest["cells"]]
    refuse_unmatched(wish.where, cells)
    found = [
        board
        for metric in wish.metrics or (None,)
        for board in overview_of(
            sides,
            against=against,
            metric=metric,
            keep=fitting_any(wish.where),
            field=wish.field,
            seed=seed,
        ).boards
    ]
    if not found:
        said = f" of {' or '.join(map(str, wish.where))}" if wish.where else ""
        raise HarnessError(
            f"there is no score{said}{f' for the field {wish.field}' if wish.field else ''}",
            hint="see what the run holds: harness score RUN",
        )
    return found


def tables(boards: Sequence[Board], wish: Wish) -> list[PaperTable]:
    """One table for each field of each task, or for several where `task` or `metric` is an axis.

    Raises HarnessError for an axis that there is not, and where cells differ in what the table has no place for.
    """
    rows = wish.rows or (("prompt",) if "model" in wish.columns else ("model",))
    columns = wish.columns or (("model",) if "prompt" in rows else ("prompt",))
    for axis in (*rows, *columns):
        if axis not in AXES:
            raise HarnessError(f"no axis {axis!r}", hint=f"the axes are {', '.join(AXES)}")
    if twice := sorted(set(rows) & set(columns)):
        raise HarnessError(f"{twice[0]} cannot stand both down and across", hint="name two axes")
    named = (*rows, *columns)
    groups: dict[tuple[str, ...], list[Board]] = {}
    for board in boards:
        key = (
            "" if "task" in named else board.task,
            board.field,
            board.part,
            "" if "metric" in named else board.metric,
        )
        groups.setdefault(key, []).append(board)
    return [_table(group, rows, columns, wish) for group in groups.values()]


def _table(
    group: Sequence[Board], rows: tuple[str, ...], columns: tuple[str, ...], wish: Wish
) -> PaperTable:
    asked = any(pattern.condition is not None for pattern in wish.where)
    blanks = asked or "condition" in {*wish.rows, *wish.columns}
    members = [
        (one, board) for board in group for one in (*board.cells, *(board.blanks if blanks else ()))
    ]
    if not members:
        raise HarnessError(
            f"{group[0].name}: only blank pictures were shown",
            hint="show them: --rows model,condition",
        )
    members.sort(key=lambda member: member[0].order)
    rows = _with_place_for_all(members, rows, columns, given=bool(wish.rows and wish.columns))
    entries: dict[tuple[str, str], Entry] = {}
    for one, board in members:
        place = (_label(one, board, rows), _label(one, board, columns))
        if place in entries:
            raise _collision(place, (one, board), (entries[place].cell, entries[place].board), rows)
        alone = sum(other.tied for other in board.cells) == 1
        best = one.rank == 1 and alone and len(board.cells) > 1
        entries[place] = Entry(one, board, best, one.tied and not alone)
    return PaperTable(
        title=_title(group),
        corner=", ".join(_word(axis) for axis in rows),
        across=", ".join(_word(axis) for axis in columns),
        rows=tuple(dict.fromkeys(row for row, _ in entries)),
        columns=tuple(dict.fromkeys(column for _, column in entries)),
        entries=entries,
        notes=tuple(_notes(entries, group)),
        boards=tuple(group),
    )


def _with_place_for_all(
    members: Sequence[tuple[ScoredCell, Board]],
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    *,
    given: bool,
) -> tuple[str, ...]:
    """The axes down, with those that are needed so that the table says what each number is of."""
    named = (*rows, *columns)
    vary = [
        a for a in _TOLD if a not in named and len({axis_value(c, b, a) for c, b in members}) > 1
    ]
    if vary and given:
        values = list(dict.fromkeys(axis_value(c, b, vary[0]) for c, b in members))
        raise HarnessError(
            f"the cells differ in {_word(vary[0])} ({', '.join(values)}), for which the table has no place",
            hint=f"show one of them with --where {vary[0]}={values[0]}, or add it: --rows {','.join((*rows, vary[0]))}",
        )
    rows = (*rows, *vary)
    for axis in ("protocol", "run"):
        named = (*rows, *columns)
        places: dict[tuple[str, str], set[str]] = {}
        for one, board in members:
            place = (_label(one, board, rows), _label(one, board, columns))
            places.setdefault(place, set()).add(axis_value(one, board, axis))
        if not given and axis not in named and any(len(values) > 1 for values in places.values()):
            rows = (*rows, axis)
    return rows


def _collision(
    place: tuple[str, str],
    one: tuple[ScoredCell, Board],
    other: tuple[ScoredCell, Board],
    rows: Sequence[str],
) -> HarnessError:
    differ = [axis for axis in AXES if axis_value(*one, axis) != axis_value(*other, axis)]
    axis = differ[0] if differ else "run"
    return HarnessError(
        f"two cells stand at {place[0]}, {place[1]}: they differ in {', '.join(map(_word, differ))}",
        hint=f"add an axis, --rows {','.join((*rows, axis))}, or show fewer: --where {axis}=...",
    )


def axis_value(one: ScoredCell, board: Board, axis: str) -> str:
    """What a cell has on an axis, in words."""
    cell = one.cell
    words = {
        "task": board.name,
        "metric": board.title,
        "run": one.folder or "-",
        "pixels": spelled_pixels(cell.pixels) if cell.pixels else "full size",
        "thinking": f"thinking {cell.thinking or 'unasked'}",
        "tools": f"tools {cell.tools}" if cell.tools else "no tools",
        "shots": f"{cell.shots} examples",
        "detail": f"detail {cell.detail or 'unsaid'}",
    }
    return words.get(axis) or str(getattr(cell, axis))


def _label(one: ScoredCell, board: Board, axes: Sequence[str]) -> str:
    return " · ".join(axis_value(one, board, axis) for axis in axes)


def _word(axis: str) -> str:
    return axis.replace("_", " ")


def _title(group: Sequence[Board]) -> str:
    names = list(dict.fromkeys(board.name for board in group))
    titles = list(dict.fromkeys(board.title for board in group))
    return f"{' and '.join(titles)} on {', '.join(names)}"


def _notes(entries: Mapping[tuple[str, str], Entry], group: Sequence[Board]) -> Iterator[str]:
    """The note line: what the numbers are, and what must not be read into them."""
    shown = list(entries.values())
    cells = [entry.cell for entry in shown]
    low, high = min(one.n for one in cells), max(one.n for one in cells)
    n = count(low) if low == high else f"{count(low)} to {count(high)}"
    units = dict.fromkeys(
        f"{count(b.clusters)} {b.unit}s" + (", independence assumed" if b.unit == "image" else "")
        for b in group
    )
    methods = dict.fromkeys(
        part for one in cells for part in one.estimator.split("; ") if part.startswith("95%")
    )
    yield f"n = {n} ({'; '.join(units)}) in each cell. Brackets: {'; '.join(methods) or 'no interval'}."
    thin = dict.fromkeys(
        part
        for one in cells
        for part in one.estimator.split("; ")
        if part.startswith("small sample")
    )
    if thin:
        yield f"{sentence('; '.join(thin))}."
    if any(entry.best for entry in shown):
        yield (
            "Bold: significantly different from every other cell (paired tests over the shared samples, Bonferroni over all pairs, "
            "p at most .05)."
        )
    if any(entry.tied for entry in shown):
        yield "†: the best, or not significantly different from the best."
    covered = [one.coverage for one in cells if one.coverage is not None]
    if covered and min(covered) < 1:
        said = dict.fromkeys(missing_said(board.metric) for board in group)
        told = (
            " or ".join(said)
            if len(said) < 2
            else "; ".join(f"{missing_said(b.metric)} ({b.title})" for b in group)
        )
        yield f"Answered: {percent(min(covered))} to {percent(max(covered))}; what was not answered {told}."
    for board in group:
        told = ", ".join(f"{name} {number(value)}" for name, value in board.baselines.items())
        if told:
            yield f"Guessing{f', {board.name} ({board.title})' if len(group) > 1 else ''}: {told}."
    if any(board.sign < 0 for board in group):
        lower = dict.fromkeys(board.title for board in group if board.sign < 0)
        yield f"{', '.join(lower)}: lower is better."
