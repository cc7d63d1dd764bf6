"""`harness tools`: offer tools to other agents."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_changes, add_folders, given_changes, tasks, workspace

if TYPE_CHECKING:
    from harness.core.marks import FaceFinder
    from harness.core.tool import Toolbox
    from harness.tools.serving import Answered


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness tools`."""
    commands = parser.add_subparsers(dest="what", metavar="serve", required=True)
    serve = commands.add_parser(
        "serve",
        help="offer tools over MCP, on standard input and output",
        description="Offer the tools over the Model Context Protocol on standard input and output, as the command of an MCP "
        "client. Only the pictures named here can be looked at. Runs until the client closes the connection.",
    )
    serve.add_argument(
        "pictures", nargs="*", type=Path, metavar="PICTURE", help="a picture or video file"
    )
    serve.add_argument("--task", metavar="TASK", help="offer samples of a task instead of files")
    serve.add_argument(
        "--sample", action="append", metavar="ID", help="id of a sample of --task. Repeatable"
    )
    serve.add_argument(
        "--tools",
        metavar="TOOL+TOOL[:ALTERATION]",
        help="tools to offer, such as zoom+measure. Default: all",
    )
    serve.add_argument(
        "--side", type=int, default=448, metavar="PX",
        help="longer side of pictures that tools show, in pixels. Default: 448",
    )  # fmt: skip
    serve.add_argument(
        "--log", type=Path, metavar="FILE", help="append each call to this file, as a line of JSON"
    )
    add_changes(serve)
    add_folders(serve)


def execute(args: argparse.Namespace) -> int:
    """Serve until the client goes."""
    import asyncio

    from harness.core.errors import HarnessError
    from harness.tools.serving import OfferedPictures, mcp_server, serve_stdio

    if not 16 <= args.side <= 4096:
        raise HarnessError(f"--side {args.side} is not from 16 to 4096", hint="--side 448 is usual")
    boxes = _boxes(args)
    with ExitStack() as stack:
        log = None
        if args.log is not None:
            try:
                log = stack.enter_context(args.log.open("a", encoding="utf-8"))
            except OSError as error:
                raise HarnessError(
                    f"--log {args.log}: {error.strerror}", hint="name a file that can be written"
                ) from None

        def note(answered: Answered) -> None:
            if log is not None:
                log.write(f"{answered.line}\n")
                log.flush()

        offered = OfferedPictures(boxes, side=args.side, on_call=note)
        mcp_server(offered)  # what is missing is told before anything is said on standard output
        print(f"tools over {', '.join(offered.names)}; waiting for an MCP client", file=sys.stderr)
        asyncio.run(serve_stdio(offered))
    return 0


def _boxes(args: argparse.Namespace) -> dict[str, Toolbox]:
    from harness.api.tools import asked_tools, toolboxes_of_files, toolboxes_of_samples
    from harness.core.errors import HarnessError, refuse_unused

    asked = asked_tools(args.tools)
    if args.task is None:
        refuse_unused("without --task", {"--sample": args.sample, **given_changes(args)})
        if not args.pictures:
            raise HarnessError(
                "no pictures to look at", hint="name picture files, or --task TASK --sample ID"
            )
        return toolboxes_of_files(args.pictures, asked, finder=_finder())
    refuse_unused("with --task", {"PICTURE": args.pictures})
    if not args.sample:
        raise HarnessError(
            f"no sample of {args.task} is named", hint=f"`harness show {args.task}` prints an id"
        )
    place = workspace(args)
    (task,) = tasks(args, [args.task], place)
    return toolboxes_of_samples(task, args.sample, asked, here=place.here)


def _finder() -> FaceFinder | None:
    """What looks for faces in photographs, where its extra is installed."""
    from harness.core.errors import HarnessError
    from harness.detector import FaceDetector

    detector = FaceDetector()
    try:
        detector.load()
    except HarnessError as error:
        print(f"faces are not looked for: {error.message} ({error.hint})", file=sys.stderr)
        return None
    return detector
