"""An experiment at a glance: boards, ranks over tasks and the answer in words."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.analyses.keys import heading, row_key
from harness.analyses.tool_use import NO_CALL
from harness.compare.answer import answer
from harness.compare.board import Board, Overview, Sentence
from harness.compare.candidates import Side, contenders, run_side
from harness.compare.mean_ranks import mean_ranks
from harness.compare.measure_board import Entered, board
from harness.core.cell import Cell
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.run.cell_entry import cell_of
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from harness.score.scores import Scores, is_scored, read_scores

ORDER = ("prompt", "model", "condition", "thinking", "tools", "label_order", "channel", "shots", "pixels", "detail", "protocol")  # fmt: skip
"""Where nothing is said, cells are compared along the first of these axes that varies."""


MANY = 1_000_000
"""More cells than a run has."""


def overview(
    folders: RunFolder | Sequence[RunFolder],
    *,
    against: CellPattern | None = None,
    metric: str | None = None,
    scores: Scores | None = None,
    keep: Callable[[Cell], bool] = lambda cell: True,
    seed: int = 0,
) -> Overview:
    """One or more run folders or exports at a glance.

    Args:
        folders: what is looked at; cells of one task stand on one board.
        against: the cells that all others are compared with. Left out: what the experiment says, else the first prompt,
            or, of one prompt, the first of the next axis that varies.
        metric: the metric of all boards; left out, the main one of each field.
        scores: what is known of the scores of a single folder, where it need not be read.
        keep: which cells are looked at; left out, all of them.
        seed: of resampling.

    Raises HarnessError for what is no run, a metric by which a run was not scored, or a pattern that no cell fits.
    """
    listed = [folders] if isinstance(folders, RunFolder) else list(folders)
    known = {listed[0].path: scores} if scores is not None and len(listed) == 1 else {}
    return overview_of(
        [run_side(folder) for folder in listed], against=against, metric=metric, scores=known, keep=keep, seed=seed
    )  # fmt: skip


def overview_of(
    sides: Sequence[Side],
    *,
    against: CellPattern | None = None,
    metric: str | None = None,
    scores: Mapping[Path, Scores] = MappingProxyType({}),
    keep: Callable[[Cell], bool] = lambda cell: True,
    field: str | None = None,
    seed: int = 0,
) -> Overview:
    """The same of runs, exports and tables of answers as `open_sides` gives them.

    `scores`: folder -> its scores, of those that need not be read; `field`: the only one that is looked at. Raises
    HarnessError as `overview` does.
    """
    known = [scores.get(side.folder.path) or _read(side.folder) for side in sides]
    groups: dict[tuple[str, str], list[Entered]] = {}
    paraphrases: dict[str, str] = {}
    for side, found in zip(sides, known, strict=True):
        paraphrases |= _paraphrases(side.manifest)
        names = {entry["id"] + entry["prompt"]: n for n, entry in enumerate(side.manifest["cells"])}
        for one in contenders([side], recorded=True):
            if keep(one.cell) and field in {None, one.field}:
                order = names[one.entry["id"] + one.entry["prompt"]] + MANY * sides.index(side)
                label = side.label if len(sides) > 1 else ""
                entered = Entered(one, one.entry, found, label, order)
                groups.setdefault((one.cell.task, one.field), []).append(entered)
    cells = [e.cell for group in groups.values() for e in group]
    families = {e.cell: e.contender.family for group in groups.values() for e in group}
    pattern = against or _said(sides[0].manifest) or default_pattern(cells, families=families)
    if against is not None and cells and not against.fitting(cells):
        raise HarnessError(f"no cell that has answers fits {against}")
    notes: list[str] = []
    found_boards: list[Board] = []
    for group in groups.values():
        for part in _parts(group):
            try:
                made = board(
                    group, part, metric=metric, against=pattern, paraphrases=paraphrases, seed=seed
                )
            except HarnessError as error:
                if metric is not None:
                    raise
                notes.append(f"{group[0].cell.task}, {group[0].contender.field}: {error.message}")
                continue
            found_boards += [] if made is None else [made]
    boards = tuple(found_boards)
    over = _comparable(boards)
    ranks = mean_ranks([(one, _members(groups, one)) for one in over], seed=seed)
    named = dict(pattern.named) if pattern is not None else {}
    title = str(sides[0].manifest.get("experiment", {}).get("name", "")) if len(sides) == 1 else ""
    return Overview(
        name=title,
        against=named,
        boards=boards,
        answer=(*answer(boards, named), *_uncalled(known, boards)),
        ranks=ranks,
        ranked_over=tuple(one.name for one in over) if ranks else (),
        notes=tuple(dict.fromkeys((*notes, *(note for one in boards for note in one.notes)))),
    )


def _uncalled(known: Sequence[Scores], boards: Sequence[Board]) -> Iterator[Sentence]:
    """For each board, that cells of it with tools made no call at all."""
    for one in boards:
        shown = {cell.key for cell in one.cells}
        rows = [
            row for scores in known for state in scores.tasks if state["task"] == one.task for row in state.get("tools", ())
            if row["what"] == "use" and not row["calls"] and row["field"] == one.field and row_key(row) in shown
        ]  # fmt: skip
        names = dict.fromkeys(" ".join(heading(row_key(row))) for row in rows)
        if names:
            yield Sentence(one.name, ((f"{'; '.join(names)}: {NO_CALL}.", "unclear"),))


def default_pattern(
    cells: Sequence[Cell], *, families: Mapping[Cell, str] = MappingProxyType({})
) -> CellPattern | None:
    """The first value of the first axis that varies within a task, of prompts those of one family; None where none
    does. `families`: cell -> family of its prompt."""
    for axis in ORDER:
        for task, family in dict.fromkeys(
            (cell.task, families.get(cell, "") if axis == "prompt" else "") for cell in cells
        ):
            mine = [
                cell
                for cell in cells
                if cell.task == task and (axis != "prompt" or families.get(cell, "") == family)
            ]
            values = list(dict.fromkeys(str(getattr(cell, axis)) for cell in mine))
            if len(values) > 1:
                first = "none" if axis == "condition" and "none" in values else values[0]
                return CellPattern(**{axis: glob.escape(first)})
    return None


def _said(manifest: Mapping[str, Any]) -> CellPattern | None:
    """What the experiment compares with, where a cell of it is like that."""
    found = manifest.get("experiment", {}).get("against")
    if not found:
        return None
    pattern = CellPattern(**found)
    return pattern if any(pattern.fits(cell_of(entry)) for entry in manifest["cells"]) else None


def _read(folder: RunFolder) -> Scores:
    """The scores; a run that was not scored since its last reply is scored first."""
    exported = "export" in read_manifest(folder)
    return read_scores(folder) if exported or is_scored(folder) else score_run(folder)


def _paraphrases(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Prompt -> the prompt that it is a paraphrase of; that one is among its own."""
    heads = {name: entry["head"] for name, entry in manifest["prompts"].items()}
    found = {name: str(head["paraphrase_of"]) for name, head in heads.items() if head.get("paraphrase_of")}  # fmt: skip
    return found | {root: root for root in found.values() if root in heads}


def _parts(group: Sequence[Entered]) -> list[str]:
    """`all`, or the parts of the task, as its scores name them."""
    task, field = group[0].cell.task, group[0].contender.field
    rows = (row for e in group for row in e.scores.scores if (row.task, row.field) == (task, field))
    return [name for name in dict.fromkeys(row.slice for row in rows) if "=" not in name]


def _comparable(boards: Sequence[Board]) -> list[Board]:
    """The first board of each task, of tasks that have the most cells in common with the first; at least two, else none."""
    first = list({board.task: board for board in reversed(boards) if board.best}.values())[::-1]
    if len(first) < 2 or len(first[0].cells) < 2:
        return []
    shared = {one.name for one in first[0].cells}
    kept = [one for one in first if one.sign and len(shared & {c.name for c in one.cells}) > 1]
    return kept if len(kept) > 1 else []


def _members(groups: Mapping[tuple[str, str], Sequence[Entered]], one: Board) -> list[Entered]:
    return list(groups[one.task, one.field])
