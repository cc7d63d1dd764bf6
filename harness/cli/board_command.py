"""`harness board`: a leaderboard from runs and exports, and the check of an export for one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_id_key
from harness.core.errors import HarnessError, refuse_unused

if TYPE_CHECKING:
    from harness.run.folder import RunFolder

OUT = Path("results/leaderboard")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness board`."""
    parser.usage = "harness board build RUN [RUN ...] [--out DIR]\n       harness board check EXPORT [EXPORT ...]"
    parser.add_argument(
        "action", choices=("build", "check"),
        help="build: write README.md, index.html and leaderboard.json from run folders and exports. check: say whether "
        "exports may go onto a public board; exit status 1 where one may not",
    )  # fmt: skip
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="run folders and exports (folder or .zip)"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"folder to write. Default: {OUT}")
    parser.add_argument("--seed", metavar="S", type=int, help="random seed. Default: 0")
    add_id_key(parser)


def execute(args: argparse.Namespace) -> int:
    """Check, or build and print the paths."""
    if args.action == "check":
        unused = {"--out": args.out, "--seed": args.seed, "--id-key": args.id_key}
        refuse_unused("with check", unused)
        return _check(args.runs)
    return _build(args)


def _check(paths: list[Path]) -> int:
    from harness.analyses.words import visible
    from harness.publish.check import faults

    failed = False
    for path, folder in _exports(paths):
        found = faults(folder, public=True)
        failed |= bool(found)
        print(visible(f"{path}: {'may not go onto a board' if found else 'may go onto a board'}"))
        for fault in found:
            print(visible(f"  {fault}"))
    return int(failed)


def _exports(paths: list[Path]) -> Iterator[tuple[Path, RunFolder]]:
    """Each path with its folder; zips are unpacked while they are looked at."""
    import tempfile

    from harness.exports.reader import is_zip, unpack
    from harness.run.folder import RunFolder, open_run

    for path in paths:
        if not is_zip(path):
            yield path, open_run(path)
            continue
        with tempfile.TemporaryDirectory(prefix="harness-board-") as scratch:
            yield path, RunFolder(unpack(path, Path(scratch) / "export"))


def _build(args: argparse.Namespace) -> int:
    import json

    from harness.core.text import visible
    from harness.exports.pseudonyms import read_key
    from harness.publish.check import faults
    from harness.publish.leaderboard import FILES, board_html, board_json, board_markdown, standings
    from harness.publish.runs import opened
    from harness.report.inputs import is_export
    from harness.run.folder import write_atomically, write_error
    from harness.run.manifest import read_manifest

    out = OUT if args.out is None else args.out
    if out.is_dir() and (stray := sorted({p.name for p in out.iterdir()} - set(FILES))):
        raise HarnessError(
            f"{out} is there already and is no leaderboard: it holds {stray[0]}",
            hint="name another folder with --out",
        )
    for path, folder in _exports(args.runs):
        if is_export(read_manifest(folder)) and (found := faults(folder, public=False)):
            raise HarnessError(
                f"{path}: {found[0]}", hint=f"see all of it: harness board check {path}"
            )
    with opened(args.runs, secret=read_key(args.id_key)) as sides:
        made = standings(sides, seed=args.seed or 0)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(out, error) from None
    data = json.dumps(board_json(made), ensure_ascii=False, indent=1, allow_nan=False)
    texts = (board_markdown(made), board_html(made), f"{data}\n")
    for name, text in zip(FILES, texts, strict=True):
        write_atomically(out / name, text.encode("utf-8", "replace"))
        print(visible(str(out / name)))
    return 0
