"""`harness view`: all runs of a folder on a page of this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

RESULTS = Path("results")
PIXELS = 160


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness view`."""
    parser.usage = "harness view [FOLDER] [options]"
    parser.description = (
        "Serve a page on 127.0.0.1 that shows all runs in a folder: search and sort them, follow running ones, page "
        "through samples, compare two runs or two cells, keep notes and tags. Only this machine can open it, with the "
        "address that is printed. Nothing but notes (notes.json in the run folder) is written. Ctrl-C ends."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=RESULTS, metavar="FOLDER",
        help="folder to search for runs, or one run folder. Default: results",
    )  # fmt: skip
    parser.add_argument(
        "--with-pictures", metavar="PIXELS", nargs="?", type=_side, const=PIXELS,
        help="show your own pictures too, read from where the run found them, with the longer side reduced to PIXELS "
        f"(default {PIXELS}). Without this, only drawn faces are shown",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="port to listen on. Default: any free port"
    )
    parser.add_argument(
        "--serve-only", action="store_true", help="print the address without opening a browser"
    )


def _side(text: str) -> int:
    from harness.view.pictures import SIDES

    side = int(text)
    if not SIDES[0] <= side <= SIDES[1]:
        raise argparse.ArgumentTypeError(f"{text} is not between {SIDES[0]} and {SIDES[1]} pixels")
    return side


def execute(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Raises HarnessError."""
    from harness.local_page import HOST, open_browser, until_interrupt
    from harness.run.catalog import run_paths
    from harness.view.server import ViewServer

    found = sum(1 for _ in run_paths(args.folder))
    server = ViewServer(args.folder, side=args.with_pictures)

    def ready(port: int) -> None:
        address = f"http://{HOST}:{port}/{server.token}/"
        print(f"{found:,} run{'s' if found != 1 else ''} in {args.folder}: {address}")
        print("Ctrl-C ends.", flush=True)
        if not args.serve_only:
            open_browser(address)

    until_interrupt(server.serve(args.port or 0, ready=ready))
    print()
    return 0
