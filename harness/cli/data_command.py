"""`harness data check`: is the copy of a data set the one that its authors published?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, workspace

if TYPE_CHECKING:
    from harness.sources.check import Checked


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness data check`."""
    commands = parser.add_subparsers(dest="what", metavar="check", required=True)
    check = commands.add_parser(
        "check",
        help="count classes, look for every picture, compare with the published counts",
        description="Reads a task's annotations through, looks for every picture, and compares the "
        "counts with those that the set's authors published. Opens no picture. "
        "Exit status 1 where something is missing or differs.",
    )
    check.add_argument("task", metavar="TASK", help="a task's name or YAML file")
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_changes(check)
    add_folders(check)


def execute(args: argparse.Namespace) -> int:
    """Print what is there; 1 where something is missing or differs from what was published."""
    from harness.run.task_files import load_task
    from harness.sources import open_source
    from harness.sources.check import check_source

    place = workspace(args)
    task = load_task(args.task, place, changes=args.changes)
    source = open_source(task.source, fields=task.fields, base=place.here)
    found = check_source(source, task.fields)
    differences = found.differences()
    if args.json:
        _print_json(found, differences)
    else:
        print("\n".join(_lines(task.name, found, differences)))
    return 1 if found.missing or differences else 0


def _print_json(found: Checked, differences: list[str]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps({**asdict(found), "differences": differences}, ensure_ascii=False, indent=1))


def _lines(name: str, found: Checked, differences: list[str]) -> Iterator[str]:
    unit = "clusters" if found.clusters < found.samples else "independent samples"
    yield f"{name}: {found.samples:,} samples in {found.clusters:,} {unit}"
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
    for sizes in found.published:
        yield f"  published figures: {sizes.source}"
    if found.ceiling is not None:
        yield (
            f"  annotators: one of them agrees with the label in {found.ceiling.accuracy:.3f} of the "
            f"votes (class mean {found.ceiling.uar:.3f}; {found.ceiling.samples:,} samples with votes)"
        )
    if found.missing:
        yield (
            f"  MISSING: the pictures of {found.missing:,} samples; the first: {found.first_missing}"
        )
    else:
        yield "  every picture is there"
    for difference in differences:
        yield f"  DIFFERS: {difference}"
