"""`harness data skin` and `harness data sheet`: measured skin tones, and one picture under several conditions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness.cli.numbers import positive
from harness.cli.options import add_changes, add_folders, given_changes, opened_task, workspace
from harness.core.text import counted

if TYPE_CHECKING:
    from harness.core.medium import Medium
    from harness.sources.skin_table import SkinTable

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
SIZE = 160


def configure_skin(commands: Subparsers) -> None:
    """Arguments of `harness data skin`."""
    skin = commands.add_parser(
        "skin",
        help="measure skin tones (ITA) on the pictures and write them to a table",
        description="Measure the individual typology angle (ITA) on cheeks and forehead of every picture, on this machine, and "
        "write a CSV table with the angle and its group for each sample. The place of the face comes from the data set, from "
        "--set source.marks=FILE, or from the detector (--set source.marks=auto). Light and exposure go into the angle as much as "
        "skin does. Use the table with --set source.sidecar.file=FILE.",
    )
    skin.add_argument("task", metavar="TASK", help="name of a task, or its YAML file")
    skin.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")
    skin.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        help="number of samples to measure, from the first. Default: all",
    )
    add_changes(skin)
    add_folders(skin)


def configure_sheet(commands: Subparsers) -> None:
    """Arguments of `harness data sheet`."""
    sheet = commands.add_parser(
        "sheet",
        help="draw one picture under several conditions, as one PNG",
        description="Show one sample of a task under several conditions side by side, to look at what they do: a row for "
        "each --condition, in which KIND=all is every severity. For a picture of your own, name its file.",
    )
    sheet.add_argument(
        "task", metavar="TASK|PICTURE", help="name of a task, its YAML file, or a picture"
    )
    sheet.add_argument(
        "--condition", metavar="CONDITION", action="append", default=[],
        help="what is shown; see `harness list conditions`. Repeatable. Default: degrade:all=all, without occlude where "
        "nothing says where the face lies",
    )  # fmt: skip
    sheet.add_argument("--sample", metavar="ID", help="show this sample. Default: the first")
    sheet.add_argument(
        "--size", type=positive, default=SIZE, metavar="PX",
        help=f"side of each picture on the sheet, in pixels. Default: {SIZE}",
    )  # fmt: skip
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="file to write")
    add_changes(sheet)
    add_folders(sheet)


def skin(args: argparse.Namespace) -> int:
    """Write the table and print what was measured. Raises HarnessError."""
    from harness.core.errors import working
    from harness.run.folder import write_atomically
    from harness.sources.skin_table import measure_samples

    refuse_file(args.out, ".csv", "the table is a CSV file")
    _, _, source = opened_task(args)
    with working():
        table = measure_samples(islice(source, args.limit))
        write_atomically(args.out, table.text.encode("utf-8", "surrogatepass"))
    print("\n".join(_skin_lines(args.out, table)))
    return 0


def _skin_lines(file: Path, table: SkinTable) -> Iterator[str]:
    from harness.analyses.words import visible
    from harness.media.skin import DARKEST, GROUPS

    yield f"{file}: {counted(table.groups.total() + table.unmeasured.total(), 'sample')}"
    for group in (*GROUPS, DARKEST):
        if table.groups[group]:
            yield f"  {group}: {table.groups[group]:,}"
    for why, samples in table.unmeasured.most_common():
        yield f"  not measured, {visible(why)}: {samples:,}"
    if table.groups:
        yield "light and exposure go into the angle as much as skin does: compare pictures taken alike"
        yield f"use it with --set source.sidecar.file={file} --set 'slices=[ita_group]'"


def sheet(args: argparse.Namespace) -> int:
    """Write the sheet. Raises HarnessError."""
    import io

    from harness.conditions.degrade import expanded
    from harness.conditions.enhance import asking
    from harness.conditions.registry import load_condition
    from harness.core.errors import MediaError
    from harness.media.decode import decode
    from harness.media.severity_sheet import picture_sheet
    from harness.run.enhancing import unkept
    from harness.run.folder import write_atomically

    known = workspace(args).enhancers
    refuse_file(args.out, ".png", "the sheet is a PNG file")
    medium = _medium(args)
    usual = not args.condition
    rows = []
    for written in args.condition or ["degrade:all=all"]:
        conditions: dict[str, list[str]] = {}
        for name in expanded(written):
            conditions.setdefault(name.partition("=")[0] if name != written else name, []).append(
                name
            )
        for names in conditions.values():
            try:
                shown = [
                    (name, decode(frame.read(), name=frame.name))
                    for name in ("none", *names)
                    for frame in asking(load_condition(name), unkept(name, known))
                    .apply(medium)
                    .frames[:1]
                ]
            except MediaError as error:
                if usual and error.kind == "unsupported":
                    print(f"left out: {error.message}")
                    continue
                raise
            rows.append(shown)
    page = picture_sheet(rows, size=args.size)
    held = io.BytesIO()
    page.save(held, "PNG")
    write_atomically(args.out, held.getvalue())
    print(f"{args.out}: {page.width} by {page.height} pixels")
    return 0


def _medium(args: argparse.Namespace) -> Medium:
    """The medium of the sample that is named, or a picture. Raises HarnessError."""
    from harness.core.errors import HarnessError
    from harness.core.medium import image
    from harness.core.picture import FilePicture
    from harness.media.decode import IMAGE_SUFFIXES
    from harness.media.video_file import opened

    if Path(args.task).suffix.lower() in IMAGE_SUFFIXES:
        from harness.core.errors import refuse_unused

        refuse_unused("with a picture", {"--sample": args.sample, **given_changes(args)})
        return image(FilePicture(workspace(args).here / args.task))
    _, _, source = opened_task(args)
    for sample in source:
        if args.sample in (None, sample.id):
            return opened(sample.medium)
    raise HarnessError(
        f"the source has no sample {args.sample!r}", hint="leave out --sample to see the first one"
    )


def refuse_file(path: Path, suffix: str, why: str) -> None:
    """Raise HarnessError for a file of another kind, and for one that is there."""
    from harness.core.errors import HarnessError

    if path.suffix.lower() != suffix:
        raise HarnessError(f"--out {path}: {why}", hint=f"end its name in {suffix}")
    if path.exists():
        raise HarnessError(
            f"{path} already exists", hint="choose another file; none is overwritten"
        )
