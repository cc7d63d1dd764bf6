"""`harness rate`: let people rate the samples of a task on a local page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, workspace

if TYPE_CHECKING:
    from harness.core.sample import Scalar
    from harness.core.task import Task
    from harness.rating.items import Item
    from harness.rating.journal import RatingJournal, Study
    from harness.rating.seats import Seat


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness rate`."""
    parser.usage = "harness rate TASK --raters NAMES --out FILE [options]"
    parser.description = (
        "Serve a page on 127.0.0.1 where people rate the samples of a task. Each rater has an address and a random "
        "order of their own and sees no truths, model answers or file names. Answers are saved at once to a journal "
        "next to --out; after Ctrl-C or a crash, run the same command again to continue. At the end, --out holds all "
        "answers, one per row (rater, item, condition, field, value, seconds), and NAME-agreed next to it holds the "
        "agreed answers. Use these in any task with --set source.sidecar.file=FILE."
    )
    parser.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    parser.add_argument(
        "--field", metavar="FIELD", action="append", default=[],
        help="what to rate: a field of the task, or a new one: NAME=yes-no, NAME=label:A,B,C, NAME=set:A,B,C, "
        "NAME=number:LOW,HIGH or NAME=text. Repeatable. Default: the fields in the journal, otherwise all fields of "
        "the task",
    )  # fmt: skip
    parser.add_argument(
        "--raters", metavar="NAMES",
        help="names separated by commas, or a table with a column `rater`; its other columns are saved with every "
        "answer",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help="table to write, such as ratings.csv or ratings.parquet",
    )  # fmt: skip
    parser.add_argument(
        "--condition", metavar="CONDITION", action="append", default=[],
        help="how samples are shown, such as face-crop, resize:64 or apex. Repeatable. Default: none (as they are; "
        "clips with all frames)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, metavar="S", help="random seed of the orders. Default: 0"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--report", action="store_true",
        help="collect no ratings: write the tables, print the raters' agreement and the items in dispute",
    )  # fmt: skip
    what.add_argument(
        "--adjudicate", action="store_true",
        help="show only items and fields that raters disagree about; the answer chosen here is final",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="port to listen on. Default: any free port"
    )
    parser.add_argument(
        "--serve-only", action="store_true", help="print the addresses without opening a browser"
    )
    add_changes(parser)
    add_folders(parser)


def execute(args: argparse.Namespace) -> int:
    """Collect ratings, or report on them. Raises HarnessError."""
    from harness.rating.tables import check_out

    check_out(args.out)
    return _report(args) if args.report else _collect(args)


def _report(args: argparse.Namespace) -> int:
    """Write the tables anew and print what they say; the data are not opened."""
    from harness.core.errors import HarnessError
    from harness.rating.journal import journal_path, read_journal

    useless = [
        name
        for name in ("field", "raters", "condition", "seed", "port", "serve_only")
        if getattr(args, name)
    ]
    if useless:
        option = "--" + useless[0].replace("_", "-")
        raise HarnessError(f"{option} has no effect with --report", hint=f"leave {option} out")
    ratings = read_journal(journal_path(args.out))
    if Path(args.task).stem != Path(ratings.study.task).name:
        raise HarnessError(
            f"{journal_path(args.out)} holds ratings of {ratings.study.task}, not of {args.task}",
            hint=f"harness rate {ratings.study.task} --report --out {args.out}",
        )
    _tell(args, in_full=True)
    return 0


def _tell(args: argparse.Namespace, *, in_full: bool) -> None:
    from harness.core.text import visible
    from harness.rating.agreed import verdicts
    from harness.rating.agreement import agreement_of
    from harness.rating.journal import journal_path, read_journal
    from harness.rating.report import agreement_lines, dispute_lines, study_lines, written_lines
    from harness.rating.tables import write_tables

    ratings = read_journal(journal_path(args.out))
    found = verdicts(ratings)
    written = write_tables(args.out, ratings, found)
    lines = [*study_lines(ratings)]
    raters = {rater for rater, _, _ in ratings.given}
    if in_full:
        lines += agreement_lines(agreement_of(ratings))
        lines += dispute_lines(found, task=args.task, out=args.out)
    lines += written_lines(written, raters=len(raters))
    if not in_full:
        lines.append(f"agreement and disputes: harness rate {args.task} --report --out {args.out}")
    print("\n".join(visible(line) for line in lines))


def _collect(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, then write the tables."""
    from harness.core.errors import HarnessError
    from harness.rating.journal import RatingJournal, journal_path, read_journal, writing
    from harness.rating.tables import wide_path

    if not args.raters:
        raise HarnessError("who rates?", hint="--raters ANNA, or --raters ANNA,BEN")
    about = _raters(args.raters)
    path = journal_path(args.out)
    if args.adjudicate:
        read_journal(path)
    for table in (args.out, wide_path(args.out)):
        if table.exists() and not path.exists():
            raise HarnessError(
                f"{table} already exists, and {path.name} with its ratings does not",
                hint="choose another file; none is overwritten",
            )
    task, items, study = _study(args, path)
    with writing(path):
        journal = RatingJournal(path, study)
        try:
            if journal.data_changed:
                print("note: the annotations have changed since these ratings were begun")
            seats = _seats(args, about, items, journal)
            if not args.adjudicate:
                for rater, known in about.items():
                    journal.know(rater, known)
            _serve(args, task, seats, journal)
        finally:
            journal.close()
    print()
    if path.exists():
        _tell(args, in_full=False)
    else:
        print("there are no answers: nothing is written")
    return 0


def _study(args: argparse.Namespace, path: Path) -> tuple[Task, list[Item], Study]:
    """The task, its items, and what is asked; what the command leaves open is that of a journal that is there."""
    from harness.rating.form import form_of
    from harness.rating.items import PLAIN, items_of
    from harness.rating.journal import Study, read_journal
    from harness.run.preview import with_labels
    from harness.run.task_files import load_task

    place = workspace(args)
    known = read_journal(path).study if path.exists() and path.stat().st_size else None
    task = _without_missing_sidecar(load_task(args.task, place, changes=args.changes), place.here)
    task, source = with_labels(task, here=place.here)
    fields = known.fields if known and not args.field else form_of(args.field, task.fields)
    conditions = tuple(dict.fromkeys(args.condition)) or (known.conditions if known else (PLAIN,))
    seed = args.seed if args.seed is not None else known.seed if known else 0
    names = [field.name for field in fields]
    items = items_of(source, conditions, fields=names, task=task)
    study = Study(task.name, source.digest(), fields, conditions, seed, len(items))
    return task, items, study


def _without_missing_sidecar(task: Task, here: Path) -> Task:
    """The task without a side table that is not there yet: it may be what is to be made."""
    written = task.source.get("sidecar")
    file = written.get("file") if isinstance(written, Mapping) else written
    if not isinstance(file, str) or (here / file).exists():
        return task
    print(f"note: source.sidecar: {file} is not there; its truths are rated without it")
    source = {key: value for key, value in task.source.items() if key != "sidecar"}
    return task.model_copy(update={"source": source})


def _raters(written: str) -> dict[str, dict[str, Scalar]]:
    """Rater -> further columns. Raises HarnessError for names that are empty, twice there or not printable."""
    from harness.core.errors import HarnessError
    from harness.sources.cells import annotation, is_blank, plain
    from harness.sources.rows import TABLE_SUFFIXES, open_table

    found: dict[str, dict[str, Scalar]] = {}
    rows: list[tuple[str, dict[str, Scalar]]]
    if Path(written).suffix.lower() in TABLE_SUFFIXES:
        table = open_table(Path(written))
        if "rater" not in table.columns:
            raise HarnessError(
                f"--raters {written}: no column `rater`",
                hint=f"columns: {', '.join(table.columns)}",
            )
        rows = [
            (plain(row.cells["rater"]), {n: annotation(c) for n, c in row.cells.items() if n != "rater"})
            for row in table
            if not is_blank(row.cells["rater"])
        ]  # fmt: skip
    else:
        rows = [(name.strip(), {}) for name in written.split(",") if name.strip()]
    for name, about in rows:
        if name in found or not name.isprintable() or len(name) > 64:
            raise HarnessError(
                f"--raters: {name[:70]!r} is twice there, too long, or holds signs that cannot be printed",
                hint="give each rater a short name of their own",
            )
        found[name] = about
    if not found:
        raise HarnessError(f"--raters {written!r}: no names", hint="--raters ANNA,BEN")
    return found


def _seats(
    args: argparse.Namespace,
    about: Mapping[str, Mapping[str, Scalar]],
    items: list[Item],
    journal: RatingJournal,
) -> list[Seat]:
    from harness.core.errors import HarnessError
    from harness.rating.seats import adjudicator_seat, rater_seat

    if not args.adjudicate:
        return [rater_seat(rater, items, journal) for rater in about]
    if len(about) > 1:
        raise HarnessError("--adjudicate: one person decides", hint="--raters NAME")
    return [adjudicator_seat(rater, items, journal) for rater in about]


def _serve(args: argparse.Namespace, task: Task, seats: list[Seat], journal: RatingJournal) -> None:
    """Serve until Ctrl-C."""
    from harness.core.text import counted
    from harness.local_page import HOST, open_browser, until_interrupt
    from harness.rating.seats import Desk
    from harness.rating.server import RatingServer

    server = RatingServer(task, [Desk(seat, journal) for seat in seats])

    def ready(port: int) -> None:
        print(f"{counted(len(seats[0].items), 'item')}; each rater has an address:")
        for seat in seats:
            print(f"  {seat.rater}: http://{HOST}:{port}/{seat.token}/")
        print(
            "Ctrl-C ends and writes the tables; run the same command again to continue.", flush=True
        )
        if len(seats) == 1 and not args.serve_only:
            open_browser(f"http://{HOST}:{port}/{seats[0].token}/")

    until_interrupt(server.serve(args.port or 0, ready=ready))
