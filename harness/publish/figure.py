"""Figures for a paper, drawn with matplotlib: heat maps, forests, confusion matrices, reliability."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from harness.analyses.keys import is_baseline, row_key
from harness.analyses.words import interval, number
from harness.compare.board import Board, Difference, ScoredCell
from harness.compare.candidates import Side
from harness.core.errors import HarnessError, missing_extra
from harness.core.text import visible
from harness.score.folder import score_run
from harness.score.scores import Scores, read_scores

Kind = Literal["heatmap", "forest", "confusion", "reliability"]
KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "heatmap": "scores of prompts by models",
        "forest": "paired differences from what all are compared with",
        "confusion": "true against answered labels, one matrix a cell",
        "reliability": "stated or computed probability against the share right",
    }
)
SUFFIXES = (".pdf", ".svg", ".png")
MOST = 12
"""Panels of one figure."""
_STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "svg.hashsalt": "affect-harness", "svg.fonttype": "none", "pdf.fonttype": 42,
    "text.usetex": False, "text.parse_math": False,
}  # fmt: skip
"""Text stays text; a name with a dollar sign is no formula; the same run gives the same bytes."""
_MOODS = {"better": "#0072b2", "worse": "#d55e00", "unclear": "#555555", "": "#555555"}
"""After Okabe and Ito (2008). Marks differ in shape too."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One matrix or curve: the cell that it is of, and its entry in scores.json."""

    name: str
    entry: Mapping[str, Any]


def heatmap(board: Board) -> Callable[[str], bytes]:
    """Rows by columns, each with value and interval; the best is bold or, where it is not alone, marked."""

    def paint(plt: Any) -> Any:
        rows, columns = board.rows, board.columns
        alone = sum(one.tied for one in board.cells) == 1
        width = 2.2 + 0.17 * max(map(len, rows)) * 0.45 + 1.35 * len(columns)
        figure, axes = plt.subplots(figsize=(width, 1.5 + 0.55 * len(rows)), layout="constrained")
        values = [[_value(board.at(row, column)) for column in columns] for row in rows]
        low, high = _scale(board, values)
        picture = axes.imshow(values, cmap="cividis", vmin=low, vmax=high, aspect="auto")
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                _heat_cell(axes, x, y, board.at(row, column), (low, high), dagger=not alone)
        axes.set_xticks(range(len(columns)), [visible(one) for one in columns])
        axes.set_yticks(range(len(rows)), [visible(one) for one in rows])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        figure.colorbar(picture, ax=axes, label=board.title)
        axes.set_title(f"{board.title} on {visible(board.name)}", loc="left")
        _foot(figure, f"{_marks(board)}Brackets: 95% interval. {_size(board)}")
        return figure

    return _drawn(paint)


def _heat_cell(
    axes: Any, x: int, y: int, one: ScoredCell | None, scale: tuple[float, float], *, dagger: bool
) -> None:
    if one is None or one.value is None:
        axes.text(x, y, "–", ha="center", va="center", color="#555555")
        return
    low, high = scale
    ink = "black" if (one.value - low) > 0.5 * (high - low) else "white"
    mark = "†" if one.tied and dagger else ""
    axes.text(x, y - 0.12, f"{number(one.value)}{mark}", ha="center", va="center", color=ink, weight="bold" if one.tied and not dagger else "normal")  # fmt: skip
    axes.text(x, y + 0.22, interval(one.low, one.high), ha="center", va="center", color=ink, size=7)


def forest(board: Board) -> Callable[[str], bytes]:
    """A line a difference, best first. Raises HarnessError where nothing is compared."""
    found = board.differences
    if not found:
        raise HarnessError(
            f"{board.name}: there is nothing to compare",
            hint="name what all are compared with: --against prompt=emotion/plain",
        )

    def paint(plt: Any) -> Any:
        names = [f"{visible(d.cell.name)} – {visible(_other(d))}" for d in found]
        height = 1.5 + 0.32 * len(found)
        figure, axes = plt.subplots(
            figsize=(4.2 + 0.062 * max(map(len, names)), height), layout="constrained"
        )
        axes.axvline(0, color="#555555", linewidth=0.8)
        for y, one in enumerate(found):
            _whisker(axes, y, one)
        axes.set_yticks(range(len(found)), names)
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlabel(f"difference of {board.title}, 95% interval")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(visible(board.name), loc="left")
        _foot(
            figure,
            "Filled: significant (p at most .05 after Holm). ▲ higher, ▼ lower, ○ not significant. Each interval is of one difference alone. "
            f"{'Higher' if board.sign > 0 else 'Lower'} is better. {_size(board)}",
        )
        return figure

    return _drawn(paint)


def _other(one: Difference) -> str:
    """What differs in the reference, in few words."""
    if one.cell.row == one.reference.row:
        return one.reference.column
    return one.reference.row if one.cell.column == one.reference.column else one.reference.name


def _whisker(axes: Any, y: int, one: Difference) -> None:
    colour = _MOODS[one.mood]
    if one.low is not None and one.high is not None:
        axes.plot([one.low, one.high], [y, y], color=colour, linewidth=1.5)
    marker = ("^" if one.value > 0 else "v") if one.shown else "o"
    axes.plot([one.value], [y], marker, color=colour, markerfacecolor=colour if one.shown else "white")  # fmt: skip


def confusion(panels: Sequence[Panel], title: str) -> Callable[[str], bytes]:
    """A matrix a cell: rows are true labels, columns answers; shares of each row."""

    def paint(plt: Any) -> Any:
        classes = [visible(str(label)) for label in panels[0].entry["classes"]]
        side = 1.3 + 0.36 * len(classes)
        figure, grid = _grid(plt, len(panels), side + 1.0, side + 0.6)
        for axes, panel in zip(grid, panels, strict=True):
            counts = panel.entry["counts"]
            shares = [[n / sum(row) if sum(row) else math.nan for n in row] for row in counts]
            axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
            for y, row in enumerate(counts):
                for x, n in enumerate(row):
                    if not n:
                        continue
                    ink = "black" if sum(row) and n / sum(row) > 0.5 else "white"
                    axes.text(x, y, n, ha="center", va="center", color=ink, size=7)
            axes.set_xticks(range(len(classes) + 1), [*classes, "none"], rotation=60, ha="right", rotation_mode="anchor")  # fmt: skip
            axes.set_yticks(range(len(classes)), classes)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            axes.set_title(_heading(panel.name), loc="left")
            axes.set_ylabel("true")
            axes.set_xlabel("answered")
        figure.suptitle(visible(title), ha="left", x=0.01)
        _foot(
            figure,
            "Counts, zeros left out; colour: share of the true label. none: no answer that is a label.",
        )
        return figure

    return _drawn(paint)


def reliability(panels: Sequence[Panel], title: str) -> Callable[[str], bytes]:
    """A curve a cell: the share right over the probability of the answer; points sized by samples."""

    def paint(plt: Any) -> Any:
        figure, grid = _grid(plt, len(panels), 3.2, 3.2)
        for axes, panel in zip(grid, panels, strict=True):
            bins = panel.entry["bins"]
            most = max(one["n"] for one in bins)
            axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8, linestyle="--")
            x, y = [b["confidence"] for b in bins], [b["accuracy"] for b in bins]
            axes.plot(x, y, color="#0072b2", linewidth=0.8)
            axes.scatter(x, y, s=[12 + 90 * b["n"] / most for b in bins], color="#0072b2", alpha=0.8, clip_on=False)  # fmt: skip
            axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the answer", ylabel="share right", aspect="equal")  # fmt: skip
            axes.set_title(_heading(panel.name), loc="left")
        figure.suptitle(visible(title), ha="left", x=0.01)
        _foot(figure, "15 bins of equal width; area: samples. Below the line: surer than right.")
        return figure

    return _drawn(paint)


def panels_of(sides: Sequence[Side], board: Board, key: str) -> list[Panel]:
    """The entries of scores.json under `confusions` or `reliability` of the cells of a board.

    Raises HarnessError where there is none, and for more than MOST.
    """
    shown = {(one.folder, one.key): one for one in board.cells}
    found = []
    for side in sides:
        for entry in _entries(side, key):
            one = shown.get((side.label if len(sides) > 1 else "", row_key(entry)))
            at = (entry["task"], entry["slice"], entry["field"])
            mine = one is not None and at == (board.task, board.part, board.field)
            if mine and not is_baseline(row_key(entry)) and one is not None:
                found.append((one.order, Panel(one.name, entry)))
    if not found:
        what = "probabilities" if key == "reliability" else "confusion matrices"
        raise HarnessError(
            f"{board.name}: there are no {what}",
            hint="probabilities need --channel logprob, or a prompt that asks for percentages"
            if key == "reliability"
            else "only fields of labels have one",
        )
    if len(found) > MOST:
        raise HarnessError(
            f"{len(found)} panels do not fit on one figure (at most {MOST})",
            hint="show fewer: --where model=...,prompt=...",
        )
    return [panel for _, panel in sorted(found, key=lambda pair: pair[0])]


def _entries(side: Side, key: str) -> Sequence[Mapping[str, Any]]:
    scores: Scores = (
        read_scores(side.folder) if side.folder.scores.is_file() else score_run(side.folder)
    )
    if key == "confusions":
        return scores.confusions
    return [one for one in scores.found.get(key, ()) if one["scheme"] == "equal-width"]


def _grid(plt: Any, count: int, width: float, height: float) -> tuple[Any, list[Any]]:
    """A figure of so many panels, at most three a row."""
    across = 2 if count == 4 else min(3, count)
    down = math.ceil(count / across)
    figure, grid = plt.subplots(
        down, across, figsize=(width * across, height * down + 0.7), layout="constrained", squeeze=False
    )  # fmt: skip
    flat = list(grid.flat)
    for axes in flat[count:]:
        axes.set_visible(False)
    return figure, flat[:count]


def _heading(name: str) -> str:
    """The name of a panel, on two lines where it is long."""
    shown = visible(name)
    return shown.replace(" · ", "\n", 1) if len(shown) > 36 else shown


def _foot(figure: Any, text: str) -> None:
    import textwrap

    width = int(figure.get_size_inches()[0] * 19)
    figure.supxlabel("\n".join(textwrap.wrap(text, width)), size=7, ha="left", x=0.01)


def _size(board: Board) -> str:
    sizes = sorted({one.n for one in board.cells})
    n = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    assumed = ", independence assumed" if board.unit == "image" else ""
    return f"n = {n} ({board.clusters:,} {board.unit}s{assumed})."


def _marks(board: Board) -> str:
    """What bold and † mean, where they stand."""
    tied = sum(one.tied for one in board.cells)
    if tied == 1 and len(board.cells) > 1:
        return "Bold: significantly different from every other cell. "
    return "†: the best, or not significantly different from the best. " if tied else ""


def _value(one: ScoredCell | None) -> float:
    return math.nan if one is None or one.value is None else one.value


def _scale(board: Board, values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The range of the metric, or of what is shown where it has none."""
    low, high = board.range
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    known = [one for row in values for one in row if not math.isnan(one)]
    least, most = min(known), max(known)
    return (least, most) if least < most else (least - 0.5, most + 0.5)


def _drawn(paint: Callable[[Any], Any]) -> Callable[[str], bytes]:
    """The bytes of a figure for a suffix; the same figure gives the same bytes."""

    def draw(suffix: str) -> bytes:
        try:
            import matplotlib as mpl
            from matplotlib.figure import Figure
        except ImportError:
            raise missing_extra("matplotlib", "figures") from None
        kinds: dict[str, dict[str, Any]] = {
            ".pdf": {"CreationDate": None, "Producer": None, "Creator": "affect-harness"},
            ".svg": {"Date": None, "Creator": "affect-harness"},
            ".png": {"Software": None},
        }
        with mpl.rc_context(_STYLE):
            figure = paint(_Plain(Figure))
            data = io.BytesIO()
            figure.savefig(data, format=suffix[1:], dpi=200, metadata=kinds[suffix])
        return data.getvalue()

    return draw


@dataclass(frozen=True, slots=True)
class _Plain:
    """Makes figures without pyplot, which would keep them and choose a window system."""

    figure: Any

    def subplots(self, down: int = 1, across: int = 1, *, figsize: tuple[float, float], layout: str, squeeze: bool = True) -> tuple[Any, Any]:  # fmt: skip
        made = self.figure(figsize=figsize, layout=layout)
        return made, made.subplots(down, across, squeeze=squeeze)


def suffix_of(path: Path) -> str:
    """`.pdf`, `.svg` or `.png`. Raises HarnessError for any other."""
    found = path.suffix.lower()
    if found not in SUFFIXES:
        raise HarnessError(
            f"--out {path}: no figure is written as {found or 'a file without a suffix'}",
            hint=f"name a file that ends in {', '.join(SUFFIXES)}",
        )
    return found
