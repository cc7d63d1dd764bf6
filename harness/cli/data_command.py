"""`harness data`: check the data of a task, choose a fixed subset of it, write its annotators' ratings, locate the faces in
its pictures, measure skin tones, or show a picture under several conditions."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from harness.cli.data_pictures import configure_sheet, configure_skin, refuse_file, sheet, skin
from harness.cli.data_ratings import configure_ratings, ratings
from harness.cli.numbers import positive
from harness.cli.options import add_changes, add_folders, opened_task
from harness.core.text import counted

if TYPE_CHECKING:
    from harness.sources.check import Checked
    from harness.sources.marking import MarksTable
    from harness.sources.picture_check import PictureFindings, SamePictures

T = TypeVar("T")
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness data`."""
    commands = parser.add_subparsers(
        dest="what", metavar="check|subset|ratings|marks|skin|sheet", required=True
    )
    check = commands.add_parser(
        "check",
        help="check labels, pictures, duplicates, subject splits and published counts",
        description="Read all annotations of a task and open every picture, of a clip its first, middle and last frame. Report missing and unreadable pictures, "
        "duplicate pictures, near-duplicates in different subsets, subjects in more than one subset, labels with "
        "several spellings, codes without names, values that are not among the task's labels, and counts that differ from the published ones. A subset is the value "
        "of an annotation called split, subset, partition, usage, set or fold. Exit status 1 if there is a problem; "
        "several spellings of one label are not a problem.",
    )
    check.add_argument(
        "--quick",
        action="store_true",
        help="check only that each picture file exists; do not open it",
    )
    check.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_changes(check)
    add_folders(check)
    subset = commands.add_parser(
        "subset",
        help="choose a random, balanced subset and write it to a file",
        description="Choose N samples, as equally as possible over the combinations of the --balance values, and write "
        "the list with a digest. Use it in a run with --set source.subset=FILE.",
    )
    subset.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    subset.add_argument("--n", type=int, required=True, metavar="N", help="number of samples")
    subset.add_argument(
        "--balance", default="", metavar="NAMES",
        help="fields or annotations to balance, separated by commas, such as emotion,gender",
    )  # fmt: skip
    subset.add_argument("--seed", type=int, default=0, help="random seed. Default: 0")
    subset.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="YAML file to write"
    )
    add_changes(subset)
    add_folders(subset)
    configure_ratings(commands)
    _configure_marks(commands)
    configure_skin(commands)
    configure_sheet(commands)


def _configure_marks(commands: Subparsers) -> None:
    marks = commands.add_parser(
        "marks",
        help="locate the faces in the pictures and write boxes and landmarks to a table",
        description="Look for faces in every picture (of a clip, in its first frame), on this machine, and write a CSV "
        "table with a box, 68 landmarks and 5 points for each sample. Where a picture has several faces, the largest one "
        "is described and the others are listed. Each row says what was found: found, profile (the head is turned "
        "by more than 30 degrees), uncertain (a box only), none, or unreadable. Use the table with --set source.marks=FILE. Needs "
        "the extra marks.",
    )
    marks.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    marks.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")
    marks.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        help="number of samples to look at, from the first. Default: all",
    )
    add_changes(marks)
    add_folders(marks)


def execute(args: argparse.Namespace) -> int:
    """Check the data, draw a subset, write annotators' ratings, locate faces, measure skin tones, or draw a sheet."""
    if args.what == "ratings":
        return ratings(args)
    if args.what == "marks":
        return _marks(args)
    if args.what == "skin":
        return skin(args)
    if args.what == "sheet":
        return sheet(args)
    return _subset(args) if args.what == "subset" else _check(args)


def _marks(args: argparse.Namespace) -> int:
    """Write the table and print what was found. Raises HarnessError."""
    from harness.core.errors import working
    from harness.detector import FaceDetector
    from harness.run.folder import write_atomically
    from harness.sources.marking import mark_samples

    refuse_file(args.out, ".csv", "the table is a CSV file")
    place, _, source = opened_task(args)
    detector = FaceDetector()
    detector.load()
    with working():
        table = mark_samples(islice(source, args.limit), detector, base=place.here)
        write_atomically(args.out, table.text.encode("utf-8", "surrogatepass"))
    print("\n".join(_marks_lines(args.out, table)))
    return 0


def _marks_lines(file: Path, table: MarksTable) -> Iterator[str]:
    from harness.analyses.words import visible
    from harness.detector import PROFILE

    yield f"{file}: {counted(table.findings.total(), 'sample')}"
    told = {
        "found": "box and landmarks",
        "profile": f"the head is turned by more than {PROFILE:.0f} degrees: landmarks are coarse",
        "uncertain": "a box without landmarks",
        "none": "no face was found",
        "unreadable": "the picture cannot be read",
    }
    for finding, meaning in told.items():
        if table.findings[finding]:
            yield f"  {finding}: {table.findings[finding]:,} ({meaning})"
    if table.several:
        yield f"  more than one face, of which the largest is described: {table.several:,}"
    if table.without:
        named = ", ".join(map(visible, _first(table.without)))
        yield f"  without a box: {named}{', ...' if len(table.without) > 5 else ''}"
    if table.findings.total() > len(table.without):
        yield f"use it with --set source.marks={file}"


def _subset(args: argparse.Namespace) -> int:
    """Write a frozen subset and print how many of each kind it holds. Raises HarnessError."""
    from harness.core.errors import HarnessError
    from harness.run.data_roots import naming_roots
    from harness.run.folder import write_atomically
    from harness.sources.subset import draw_subset, subset_text

    if args.n < 1:
        raise HarnessError(f"--n {args.n} is less than 1", hint="give a number of at least 1")
    if args.out.exists():
        raise HarnessError(
            f"{args.out} already exists", hint="choose another file; a subset is never overwritten"
        )
    place, task, source = opened_task(args)
    balance = [name.strip() for name in args.balance.split(",") if name.strip()]
    with naming_roots(task, place.data):
        subset = draw_subset(source, args.n, balance=balance, seed=args.seed)
    text = subset_text(
        subset, task=task.name, data=source.digest(), balance=balance, seed=args.seed
    )
    write_atomically(args.out, text.encode("utf-8", "surrogatepass"))
    print(f"{args.out}: {len(subset.samples):,} of {sum(subset.available.values()):,} samples")
    for stratum, of in subset.available.items():
        if stratum:
            print(f"  {', '.join(stratum)}: {subset.counts[stratum]:,} of {of:,}")
    if subset.left_out:
        print(f"  left out, no value for {' or '.join(balance)}: {subset.left_out:,}")
    print(f"use it with --set source.subset={args.out}")
    return 0


def _check(args: argparse.Namespace) -> int:
    """Print the findings; returns 1 if there is a problem."""
    from harness.run.data_roots import naming_roots
    from harness.sources.check import check_source

    place, task, source = opened_task(args)
    with naming_roots(task, place.data):
        found = check_source(source, task.fields, pictures=not args.quick)
    differences = found.differences()
    if args.json:
        _print_json(found, differences)
    else:
        from harness.analyses.words import visible

        print("\n".join(visible(line) for line in _lines(task.name, found, differences)))
    return 0 if found.is_sound else 1


def _print_json(found: Checked, differences: list[str]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps({**asdict(found), "differences": differences}, ensure_ascii=False, indent=1))


def _lines(name: str, found: Checked, differences: list[str]) -> Iterator[str]:
    several = found.clusters < found.samples
    inside = f" in {counted(found.clusters, 'cluster')}" if several else ", all independent"
    yield f"{name}: {counted(found.samples, 'sample')}{inside}"
    published = {p.field: p for p in found.published if set(p.counts) != {""}}
    for field, counts in found.counts.items():
        if not counts:
            yield f"  {field}: no values"
            continue
        known = published[field].counts if field in published else {}
        for label, count in counts.items():
            beside = f"  (published {known[label]:,})" if label in known else ""
            yield f"  {field}{' = ' + label if label else ''}: {count:,}{beside}"
    for skipped in found.skipped:
        yield f"  left out, {skipped.reason}: {skipped.count:,}"
    yield from (f"  note: {note}" for note in found.labels)
    for sizes in found.published:
        yield f"  published figures: {sizes.source}"
    if found.ceiling is not None:
        yield (
            f"  annotators: a single vote agrees with the label in {found.ceiling.accuracy:.3f} of cases "
            f"(class mean {found.ceiling.uar:.3f}; {found.ceiling.samples:,} samples with votes)"
        )
    yield from _label_lines(found)
    if found.missing:
        yield (
            f"  MISSING: pictures of {counted(found.missing, 'sample')}; first: {found.first_missing}"
        )
    else:
        yield "  no picture is missing"
    if found.pictures is not None and found.missing < found.samples:
        yield from _picture_lines(found.pictures, missing=bool(found.missing))
    if found.contrary:
        yield f"  CONTRARY: pairs whose subjects contradict their label: {len(found.contrary):,}"
        yield from (f"    {sample}: {why}" for sample, why in _first(found.contrary.items()))
    if found.shared:
        yield f"  SUBJECTS in more than one subset: {len(found.shared):,}"
        yield from (
            f"    {who}: {', '.join(subsets)}" for who, subsets in _first(found.shared.items())
        )
    for difference in differences:
        yield f"  DIFFERS: {difference}"


def _label_lines(found: Checked) -> Iterator[str]:
    if found.codes:
        yield f"  LABELS: {found.codes}"
    for field, values in found.foreign.items():
        yield f"  NOT A LABEL: values of {field} that the task does not list, and a run refuses: {len(values):,}"
        yield from (
            f"    {value!r}: {counted(count, 'sample')}" for value, count in _first(values.items())
        )


def _picture_lines(found: PictureFindings, *, missing: bool) -> Iterator[str]:
    if found.unreadable:
        yield f"  UNREADABLE: pictures of {counted(len(found.unreadable), 'sample')}"
        yield from (f"    {name}: {why}" for name, why in _first(found.unreadable.items()))
    for groups, title in (
        (found.same, "SAME: groups of samples with the same picture"),
        (found.near, "NEAR: pairs of nearly the same picture in different subsets"),
    ):
        if groups:
            yield f"  {title}: {len(groups):,}"
            yield from (f"    {_group_line(group)}" for group in _first(groups))
    if found.itself:
        yield f"  ITSELF: pairs of one picture with itself: {len(found.itself):,}"
        yield from (f"    {name}" for name in _first(found.itself))
    if not (found.unreadable or found.same or found.near or found.itself):
        there = " that are there" if missing else ""
        of_clips = " (of clips, the first, middle and last frame)" if found.clips else ""
        yield f"  all pictures{there} can be read{of_clips}; no duplicates"


def _group_line(group: SamePictures) -> str:
    named = ", ".join(group.samples[:4]) + (", ..." if len(group.samples) > 4 else "")
    subsets = f"; in {', '.join(group.subsets)}" if len(group.subsets) > 1 else ""
    labels = f"; labelled {', '.join(group.labels)}" if len(group.labels) > 1 else ""
    return f"{named}{subsets}{labels}"


def _first(items: Iterable[T]) -> Iterator[T]:
    """The first of many."""
    return islice(items, 5)
