"""`harness gate`: whether a run is worse than a baseline, for pipelines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.answer_files import is_answers, refuse_columns, task_of_answers
from harness.cli.options import add_changes, add_folders, add_id_key, workspace
from harness.cli.score_command import add_columns, asked_columns
from harness.cli.table_command import add_where
from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.core.cell import Cell
    from harness.core.cell_pattern import CellPattern

STATUSES = {"not worse": 0, "worse": 4, "undecided": 5}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness gate`."""
    parser.add_argument(
        "run", type=Path, metavar="RUN",
        help="run folder, export, or file of answers: a table, a log of inspect-ai, samples of lm-eval or lmms-eval",
    )  # fmt: skip
    parser.add_argument(
        "--against", type=Path, metavar="BASELINE", required=True,
        help="baseline to compare RUN with, of the same kinds",
    )  # fmt: skip
    parser.add_argument(
        "--margin", type=float, metavar="X", required=True,
        help="largest loss that still passes, in the unit of the metric, such as .02",
    )  # fmt: skip
    parser.add_argument(
        "--metric", metavar="NAME", help="metric. Default: the main one of each field"
    )
    parser.add_argument(
        "--field", metavar="NAME", help="field to judge. Default: each that is scored"
    )
    add_where(parser, "judge")
    parser.add_argument(
        "--unlike",
        action="store_true",
        help="judge even if data or fields differ; a note then says so",
    )
    parser.add_argument(
        "--junit",
        type=Path,
        metavar="FILE",
        help="write JUnit XML to this file; an earlier one is replaced",
    )
    parser.add_argument(
        "--summary", type=Path, metavar="FILE",
        help="add a summary in Markdown to the end of this file, such as $GITHUB_STEP_SUMMARY",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="random seed. Default: 0")
    tables = parser.add_argument_group("answers from other tools")
    tables.add_argument(
        "--task", metavar="TASK",
        help="task of the files of answers. Default: the task of the run folder given, otherwise table/emotion",
    )  # fmt: skip
    add_columns(tables)
    add_changes(tables)
    add_id_key(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Judge, print, and say by the exit status what was found."""
    import tempfile

    from harness.analyses.words import visible
    from harness.compare.candidates import open_sides
    from harness.compare.gate import gate, line
    from harness.compare.gate_report import junit, summary, to_json
    from harness.core.cell_pattern import read_patterns
    from harness.exports.pseudonyms import read_key
    from harness.run.folder import write_atomically

    place, paths = workspace(args), [args.run, args.against]
    where = read_patterns(args.where, option="--where")
    if not any(map(is_answers, paths)):
        refuse_columns(args)
    with tempfile.TemporaryDirectory(prefix="harness-gate-") as scratch:
        sides = open_sides(
            paths, task=task_of_answers(paths, args, place), asked=asked_columns(args), workspace=place,
            scratch=Path(scratch), secret=read_key(args.id_key),
        )  # fmt: skip
        if not any(side.exported for side in sides):
            refuse_unused("without an export", {"--id-key": args.id_key})
        found = gate(
            *sides, margin=args.margin, metric=args.metric, field=args.field,
            keep=_keep(where), unlike=args.unlike, seed=args.seed,
        )  # fmt: skip
    if args.junit is not None:
        write_atomically(args.junit, junit(found))
    if args.summary is not None:
        _append(args.summary, summary(found))
    if args.json:
        print(to_json(found))
    else:
        for said in (*map(line, found.judged), *(f"note: {note}" for note in found.notes)):
            print(visible(said))
        print(f"gate: {found.verdict} (margin {found.margin:g})")
    return STATUSES[found.verdict]


def _keep(where: Sequence[CellPattern]) -> Callable[[Cell], bool] | None:
    """Which cells are judged; those that were shown a blank picture only where a pattern names the condition."""
    from harness.analyses.keys import is_blank
    from harness.core.cell_pattern import fitting_any

    fits = fitting_any(where)
    if any(pattern.condition is not None for pattern in where):
        return fits
    return (lambda cell: fits(cell) and not is_blank(cell.condition)) if where else None


def _append(path: Path, text: str) -> None:
    from harness.run.folder import write_error

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise write_error(path, error) from None
