"""`harness audit`: what a service gives away."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError

if TYPE_CHECKING:
    from harness.inversion.audit import AuditFigures
    from harness.inversion.prepare import Asked

DEFENCES = ("round:.01", "round:.1", "noise:.05", "rate-limit:200", "top-k:5")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness audit`."""
    actions = parser.add_subparsers(dest="action", metavar="AUDIT", required=True)
    invert = actions.add_parser(
        "invert",
        help="rebuild faces from the scores of a similarity endpoint of your own, and compare defences",
        allow_abbrev=False,
    )
    _what(invert)
    _how(invert)
    invert.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the audit. Default: one under results/runs/"
    )  # fmt: skip
    invert.add_argument("--json", action="store_true", help="print the figures as JSON")


def _what(invert: argparse.ArgumentParser) -> None:
    """The endpoint, the pictures and the defences."""
    invert.add_argument(
        "--endpoint", default="similarity:tiny", metavar="NAME",
        help="recogniser that is attacked: similarity:tiny, similarity:dlib, similarity:clip:PATH, "
        "similarity:http://127.0.0.1:PORT/PATH (this machine only) or fisherfaces. Default: similarity:tiny",
    )  # fmt: skip
    invert.add_argument(
        "--critic", metavar="NAME",
        help="second recogniser, which is not attacked, or none. Default: fisherfaces for drawn faces, else none",
    )  # fmt: skip
    invert.add_argument(
        "--pictures", type=Path, metavar="DIR",
        help="your own pictures, DIR/PERSON/PICTURE.jpg; needs --basis and --consented. Default: drawn faces",
    )  # fmt: skip
    invert.add_argument(
        "--basis", type=Path, metavar="DIR",
        help="pictures of other people, DIR/PERSON/PICTURE.jpg, from which the eigenfaces are computed. Default: drawn faces",
    )  # fmt: skip
    invert.add_argument(
        "--consented", metavar="STATEMENT",
        help="who of the people shown agreed to what, when, and where that is kept; it stays in the private record",
    )  # fmt: skip
    invert.add_argument(
        "--defence", action="append", metavar="D",
        help="defence of the endpoint: round:STEP, noise:SD, rate-limit:N, top-k:N, or none. Repeatable. "
        f"Default: {', '.join(DEFENCES)}",
    )  # fmt: skip
    invert.add_argument("--people", type=int, metavar="N", help="drawn people who are scored. Default: 40")  # fmt: skip
    invert.add_argument(
        "--basis-people", type=int, metavar="N", help="drawn people of the basis. Default: 70"
    )
    invert.add_argument("--victims", type=int, default=12, metavar="N", help="people who are attacked. Default: 12")  # fmt: skip


def _how(invert: argparse.ArgumentParser) -> None:
    """The attack."""
    invert.add_argument(
        "--queries", default="200,500,1000", metavar="N,N,...",
        help="numbers of queries per victim after which the face is judged. Default: 200,500,1000",
    )  # fmt: skip
    invert.add_argument("--sigma", type=float, default=0.3, metavar="S", help="noise of a step. Default: 0.3, as published")  # fmt: skip
    invert.add_argument(
        "--gain", type=float, default=0.37632, metavar="G",
        help="length of a step: published learning rate times published pixel values. Default: 0.37632",
    )  # fmt: skip
    invert.add_argument(
        "--restarts", type=int, default=1, metavar="N",
        help="number of starts, of which the best is continued; published: 10. Default: 1",
    )  # fmt: skip
    invert.add_argument(
        "--restart-steps", type=int, metavar="N", help="steps of each start. Default: 500, as published"
    )  # fmt: skip
    invert.add_argument(
        "--components", type=int, default=200, metavar="K", help="eigenfaces; published: 1,024 of 70,000 faces. Default: 200"
    )  # fmt: skip
    invert.add_argument(
        "--size", type=int, default=64, metavar="PX", help="side of the pictures; published: 112. Default: 64"
    )  # fmt: skip
    invert.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the attack and of who is a victim. Default: 0")  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Attack, judge, write, print."""
    import json

    from harness.core.errors import working
    from harness.core.text import digest_json
    from harness.inversion.audit import figures_of
    from harness.inversion.prepare import prepare
    from harness.inversion.record import AuditFolder, make_traces
    from harness.report.inversion_page import inversion_page
    from harness.report.inversion_tables import inversion_json
    from harness.run.folder import write_atomically
    from harness.run.job import RUNS

    tell = _tell
    inputs, record = prepare(_asked(args), tell=tell)
    mark = digest_json({**record, "consented": args.consented})[:8]
    folder = AuditFolder(args.out or RUNS / f"audit-invert-{mark}")
    with folder.claimed(record, args.consented), working():
        traces = make_traces(folder, inputs, tell=tell)
        tell("judging the rebuilt faces")
        found = figures_of(inputs, traces)
        told = inversion_json(found, record)
        text = json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)
        write_atomically(folder.page, inversion_page(found, record).encode("utf-8", "replace"))
        write_atomically(folder.figures, f"{text}\n".encode())
    if args.json:
        print(text)
        return 0
    _show(found)
    print(f"\nfigures: {folder.figures}\npage:    {folder.page}")
    print(f"faces:   {folder.private / 'faces'} (private: not for others)")
    return 0


def _asked(args: argparse.Namespace) -> Asked:
    """What is asked for. Raises HarnessError for values that make no audit, and for options without effect."""
    from harness.core.errors import refuse_unused
    from harness.inversion.attack import STEPS, AttackSettings
    from harness.inversion.defences import read_defences
    from harness.inversion.prepare import Asked

    if args.restarts == 1:
        refuse_unused("with one start", {"--restart-steps": args.restart_steps})
    if args.pictures is not None:
        refuse_unused(
            "with --pictures", {"--people": args.people, "--basis-people": args.basis_people}
        )
    attack = AttackSettings(
        queries=_numbers(args.queries), sigma=args.sigma, gain=args.gain, restarts=args.restarts,
        restart_steps=STEPS if args.restart_steps is None else args.restart_steps, seed=args.seed,
    )  # fmt: skip
    return Asked(
        endpoint=args.endpoint, critic=args.critic, pictures=args.pictures, basis=args.basis, consented=args.consented,
        people=_people("--people", args.people, 40), basis_people=_people("--basis-people", args.basis_people, 70),
        victims=args.victims, size=args.size, components=args.components, defences=read_defences(_defences(args.defence)),
        attack=attack,
    )  # fmt: skip


def _people(name: str, given: int | None, default: int) -> int:
    count = default if given is None else given
    if not 2 <= count <= 2000:
        raise HarnessError(f"{name} {count} is outside 2 to 2,000", hint=f"the default is {default}")  # fmt: skip
    return count


def _defences(given: Sequence[str] | None) -> Sequence[str]:
    if given is None:
        return DEFENCES
    if "none" in given:
        if len(given) > 1:
            raise HarnessError("--defence none stands alone", hint="no defence is always measured; leave none out")  # fmt: skip
        return ()
    return given


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise HarnessError(f"--queries {text!r} is no list of numbers", hint="write 200,500,1000") from None  # fmt: skip


def _tell(line: str) -> None:
    """Says how far the work is, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r{line:<60}", end="", file=sys.stderr, flush=True)


def _show(found: AuditFigures) -> None:
    from harness.core.blocks import Lines, Note
    from harness.report.inversion_tables import inversion_blocks
    from harness.report.writers.terminal import open_console, print_lines, print_tables

    console = open_console(sys.stdout)
    for block in inversion_blocks(found):
        if isinstance(block, Lines | Note):
            print_lines(console, [block])
        else:
            print_tables(console, [block])
