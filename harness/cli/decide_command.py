"""`harness decide`: a threshold of confidence chosen on some samples and reported on others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_id_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.candidates import Side
    from harness.compare.deciding import Decided, Part

SIGNALS = ("probability", "stated", "field", "votes", "repeats")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness decide`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder or export")
    parser.add_argument(
        "--dev", metavar="NAME=VALUE", required=True,
        help="samples that the threshold is chosen on: an annotation with its value, such as split=train; of a run with one "
        "task for each part, task=NAME. Several are separated by commas",
    )  # fmt: skip
    parser.add_argument(
        "--test", metavar="NAME=VALUE",
        help="samples that it is reported on. Each use is counted in the run folder. Default: none, only choose",
    )  # fmt: skip
    parser.add_argument(
        "--cost", metavar="FILE", type=Path, required=True,
        help="costs of a wrong label and of an abstention: a YAML file (wrong, abstain, no_answer, right, mistakes) or a "
        "matrix in a CSV file",
    )  # fmt: skip
    parser.add_argument(
        "--confidence", choices=SIGNALS,
        help="confidence to sort by. Default: the first of these that a cell has",
    )  # fmt: skip
    parser.add_argument(
        "--field", metavar="NAME", help="field to judge. Default: each that has labels"
    )
    parser.add_argument(
        "--where", metavar="AXIS=VALUE",
        help="judge only some cells, such as --where prompt=emotion/plain. Default: all that were shown the pictures",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="random seed. Default: 0")
    add_id_key(parser)


def execute(args: argparse.Namespace) -> int:
    """Choose, count the use of the test part, and print."""
    from harness.compare.decide_report import decided_blocks, decided_json
    from harness.compare.deciding import read_part
    from harness.core.blocks import Lines, Note
    from harness.exports.pseudonyms import read_key
    from harness.publish.runs import opened
    from harness.report.writers.terminal import open_console, print_lines, print_tables

    dev = read_part(args.dev, option="--dev")
    test = read_part(args.test, option="--test") if args.test else None
    with opened([args.run], secret=read_key(args.id_key)) as (side,):
        found = _decided(args, side, dev, test)
        times = _count(args, side, found) if test is not None else None
    if args.json:
        told = decided_json(found, dev=dev, test=test, costs=args.cost.name, opened=times)
        print(told)
        return 0
    console = open_console(sys.stdout)
    for block in decided_blocks(found, dev=dev, test=test, opened=_told(times, side, test)):
        if isinstance(block, Lines | Note):
            print_lines(console, [block])
        else:
            print_tables(console, [block])
    return 0


def _decided(
    args: argparse.Namespace, side: Side, dev: Part, test: Part | None
) -> Sequence[Decided]:
    from functools import cache

    from harness.analyses.keys import is_blank
    from harness.compare.candidates import Contender, contenders
    from harness.compare.costs import Costs, read_costs
    from harness.compare.deciding import decide
    from harness.core.cell_pattern import read_pattern
    from harness.core.errors import HarnessError

    where = read_pattern(args.where, option="--where") if args.where else None

    def wanted(one: Contender) -> bool:
        if one.cell.asked_as or args.field not in {None, one.field} or not one.spec.categorical:
            return False
        return where.fits(one.cell) if where else not is_blank(one.cell.condition)

    also = (*dev.annotations, *(test.annotations if test else ()))
    cells = [one for one in contenders([side], also=also) if wanted(one)]
    if not cells:
        raise HarnessError(
            f"{side.label}: none of the requested cells has an answer to a field of labels",
            hint="check its content: harness score RUN",
        )

    @cache
    def of_labels(labels: tuple[str, ...]) -> Costs:
        return read_costs(args.cost, labels)

    return decide(
        cells, lambda one: of_labels(one.spec.classes), dev=dev, test=test, signal=args.confidence, seed=args.seed
    )  # fmt: skip


def _count(args: argparse.Namespace, side: Side, found: Sequence[Decided]) -> int | None:
    """How often the test part has been used, this time included; None where the folder is an export."""
    from harness.api.select import note_use

    if side.exported:
        return None
    chosen = [
        {
            "task": one.contender.cell.task, "model": one.contender.cell.model, "prompt": one.contender.cell.prompt,
            "threshold": one.threshold,
        }
        for one in found
    ]  # fmt: skip
    with side.folder.locked():
        return note_use(side.folder, {"decided": chosen, "dev": args.dev, "test": args.test})


def _told(times: int | None, side: Side, test: Part | None) -> str:
    if test is None:
        return "Only chosen: these numbers are optimistic. --test reports the threshold on other samples."
    if times is None:
        return f"{side.label} is an export: uses of the test part are not counted."
    if times == 1:
        return "The test part is used for the first time."
    return f"The test part has now been used {times} times after a choice: each use makes the best result more optimistic."
