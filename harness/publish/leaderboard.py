"""A leaderboard from runs and exports: one table for each field of each task, as data, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.analyses.keys import BLANK, RowKey, is_baseline, row_key
from harness.analyses.words import count, interval, metric_name, number, percent
from harness.compare.board import Board
from harness.compare.candidates import Side
from harness.compare.measure_board import score_key
from harness.compare.overview import overview_of
from harness.core.errors import HarnessError
from harness.core.task import Task
from harness.core.text import markdown_escaped
from harness.metrics import main_metric, metric_of, missing_said
from harness.publish.check import place_of
from harness.publish.page import said, whole_page
from harness.score.folder import score_run
from harness.score.scores import Scores, read_scores
from harness.score.table import ScoreRow

SCHEMA = 1
FILES = ("README.md", "index.html", "leaderboard.json")


@dataclass(frozen=True, slots=True)
class Line:
    """One cell of one run on the board."""

    rank: int | None
    """1 is the best; equal values share a rank. None for a cell that was shown a blank picture."""
    tied: bool
    """Whether it is the best or not significantly different from the best."""
    model: str
    prompt: str
    condition: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    coverage: float | None
    run: str
    """The last part of its folder's name."""
    started: str
    """Day of the run."""
    prompt_digest: str
    version: str
    """Of this program."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One table of the board."""

    task: str
    part: str
    field: str
    metric: str
    title: str
    unit: str
    clusters: int
    paired: bool
    """Whether ties come from paired tests; else from intervals that overlap."""
    lines: tuple[Line, ...]
    baselines: Mapping[str, float]

    @property
    def name(self) -> str:
        """Task and field, and the part where that says more."""
        part = "" if self.part in {"all", self.field} else f" ({self.part})"
        return f"{self.task}: {self.field}{part}"


def standings(sides: Sequence[Side], *, seed: int = 0) -> list[Standing]:
    """The tables of a board. Ties come from paired tests where every run has its samples, else from intervals.

    Raises HarnessError where runs hold other data for one task, or two runs have one name.
    """
    _refuse_unlike(sides)
    names = {side.label: place_of(Path(side.label)) for side in sides}
    if len(set(names.values())) < len(names):
        raise HarnessError("two runs have the same folder name", hint="rename one of the folders")
    if all(side.manifest["export"]["samples"] for side in sides if side.exported):
        boards = overview_of(sides, seed=seed).boards
        return [_from_board(board, sides, names) for board in boards]
    return list(_from_scores(sides, names))


def _refuse_unlike(sides: Sequence[Side]) -> None:
    first: dict[str, tuple[str, str, Any]] = {}
    for side in sides:
        for name, entry in side.manifest["tasks"].items():
            mine = (side.label, str(entry["data_digest"]), entry["config"]["fields"])
            other = first.setdefault(name, mine)
            if mine[1:] != other[1:]:
                what = "data" if mine[1] != other[1] else "fields or labels"
                raise HarnessError(
                    f"{other[0]} and {side.label} have other {what} for {name}, so they share no board",
                    hint="build a board of each, or run both on the same data",
                )


def _from_board(board: Board, sides: Sequence[Side], names: Mapping[str, str]) -> Standing:
    by_label = {side.label: side for side in sides}
    lines = []
    for one in (*board.cells, *board.blanks):
        side = by_label[one.folder] if one.folder else sides[0]
        line = _line(one.key, side, names[side.label], one.cell.prompt)
        lines.append(
            replace(
                line, rank=one.rank, tied=one.tied, value=one.value, low=one.low, high=one.high, n=one.n,
                coverage=one.coverage,
            )
        )  # fmt: skip
    return Standing(
        board.task, board.part, board.field, board.metric, board.title, board.unit, board.clusters, True,
        tuple(_with_ranks(lines, board.sign)), dict(board.baselines),
    )  # fmt: skip


def _line(key: RowKey, side: Side, run: str, prompt: str) -> Line:
    model, shown, condition = key
    manifest = side.manifest
    return Line(
        None, False, model, shown, condition, None, None, None, 0, None, run, str(manifest["started"])[:10],
        str(manifest["prompts"].get(prompt, {}).get("digest", ""))[:8],
        str(manifest["packages"].get("affect-harness", "")),
    )  # fmt: skip


def _with_ranks(lines: Sequence[Line], sign: int) -> list[Line]:
    """Equal values share a rank; cells that were shown a blank picture have none, and stand last."""
    seen = [one for one in lines if one.condition != BLANK]
    ranked = []
    for one in seen:
        if one.value is None or not sign:
            ranked.append(replace(one, rank=None))
            continue
        better = sum(o.value is not None and sign * o.value > sign * one.value for o in seen)
        ranked.append(replace(one, rank=1 + better))
    ranked.sort(key=lambda one: (one.rank is None, one.rank or 0, one.model, one.prompt, one.run))
    return ranked + [one for one in lines if one.condition == BLANK]


def _from_scores(sides: Sequence[Side], names: Mapping[str, str]) -> Iterator[Standing]:
    """Of scores alone: no two cells can be paired."""
    found: dict[tuple[str, str, str], list[tuple[ScoreRow, Side, str]]] = {}
    baselines: dict[tuple[str, str, str], dict[str, float]] = {}
    states: dict[str, Mapping[str, Any]] = {}
    for side in sides:
        scores = _scores(side)
        states |= {state["task"]: state for state in scores.tasks}
        prompts = {row_key(entry): entry["prompt"] for entry in side.manifest["cells"]}
        for row in scores.scores:
            task = Task.model_validate(side.manifest["tasks"][row.task]["config"])
            if "=" in row.slice or row.metric != main_metric(task.fields[row.field]):
                continue
            place = (row.task, row.slice, row.field)
            key = score_key(row)
            if is_baseline(key):
                if row.value is not None:
                    baselines.setdefault(place, {})[row.model] = row.value
            elif key in prompts:
                found.setdefault(place, []).append((row, side, prompts[key]))
    for place, rows in found.items():
        yield _overlapping(place, rows, baselines.get(place, {}), states[place[0]], names)


def _overlapping(
    place: tuple[str, str, str],
    rows: Sequence[tuple[ScoreRow, Side, str]],
    baselines: Mapping[str, float],
    state: Mapping[str, Any],
    names: Mapping[str, str],
) -> Standing:
    task, part, field = place
    first, side, _ = rows[0]
    spec = Task.model_validate(side.manifest["tasks"][task]["config"]).fields[field]
    sign = metric_of(spec, first.metric).sign
    lines = [
        replace(
            _line(score_key(row), one, names[one.label], prompt), value=row.value, low=row.low, high=row.high, n=row.n,
            coverage=row.coverage,
        )
        for row, one, prompt in rows
    ]  # fmt: skip
    ranked = _with_ranks(lines, sign)
    best = next((one for one in ranked if one.rank == 1), None)
    ranked = [replace(one, tied=one.rank is not None and _overlap(one, best)) for one in ranked]
    return Standing(
        task, part, field, first.metric, metric_name(first.metric, spec), str(state["cluster_unit"]),
        int(state["clusters"]), False, tuple(ranked), dict(baselines),
    )  # fmt: skip


def _overlap(one: Line, best: Line | None) -> bool:
    if best is None or one.rank == 1:
        return best is not None
    if None in {one.low, one.high, best.low, best.high}:
        return True
    return bool(one.high >= best.low and one.low <= best.high)  # type: ignore[operator]


def _scores(side: Side) -> Scores:
    return read_scores(side.folder) if side.folder.scores.is_file() else score_run(side.folder)


HEADS = ("rank", "model", "prompt", "condition", "score", "answered", "n", "run", "day", "prompt digest", "version")  # fmt: skip


def _words(line: Line) -> tuple[str, ...]:
    rank = "–" if line.rank is None else f"{line.rank}{'†' if line.tied else ''}"
    score = f"{number(line.value)} {interval(line.low, line.high)}".rstrip()
    return (
        rank, line.model, line.prompt, line.condition, score, percent(line.coverage), count(line.n), line.run,
        line.started, line.prompt_digest, line.version,
    )  # fmt: skip


def _notes(found: Standing) -> str:
    how = (
        "paired tests over the samples that both have, Bonferroni over all pairs"
        if found.paired
        else "intervals that overlap; nothing could be paired, since an export has no samples"
    )
    assumed = ", independence assumed" if found.unit == "image" else ""
    guess = ", ".join(f"{name} {number(value)}" for name, value in found.baselines.items())
    return (
        f"{found.title} with 95% intervals over {count(found.clusters)} {found.unit}s{assumed}. †: the best, or not told "
        f"apart from the best, by {how}. What was not answered {missing_said(found.metric)}."
        + (f" Guessing: {guess}." if guess else "")
    )


def board_markdown(found: Sequence[Standing]) -> str:
    """README.md of the board."""
    lines = ["# Leaderboard", ""]
    for one in found:
        lines += [f"## {markdown_escaped(one.name)}", "", f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]  # fmt: skip
        lines += [f"| {' | '.join(map(markdown_escaped, _words(line)))} |" for line in one.lines]
        lines += ["", markdown_escaped(_notes(one)), ""]
    return "\n".join(lines).rstrip() + "\n"


def board_html(found: Sequence[Standing]) -> str:
    """index.html of the board."""
    body = ""
    for one in found:
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        rows = "".join(
            f"<tr>{''.join(f'<td>{said(word)}</td>' for word in _words(line))}</tr>\n"
            for line in one.lines
        )
        body += f"""\
<section>
<h2>{said(one.name)}</h2>
<div class="wide" tabindex="0" role="region" aria-label="{said(one.name)}"><table class="words board">
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}</tbody></table></div>
<p>{said(_notes(one))}</p>
</section>
"""
    return whole_page("Leaderboard", body)


def board_json(found: Sequence[Standing]) -> dict[str, Any]:
    """The same as data."""
    return {"schema": SCHEMA, "boards": [asdict(one) for one in found]}
