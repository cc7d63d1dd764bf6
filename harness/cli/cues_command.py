"""`harness cues`: audit which cues a model reports, and which ones change its answers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness cues`."""
    parser.add_argument("run", metavar="RUN", type=Path, help="a scored run folder")
    parser.add_argument(
        "--label", metavar="L",
        help="answer whose rate is tested for each cue or edit. Default: happiness; of edits where the task has no such "
        "label, its first",
    )  # fmt: skip
    parser.add_argument(
        "--seed", metavar="S", type=int, default=0, help="random seed of the resampling. Default: 0"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--no-page", action="store_true", help="do not write cues.html")


def execute(args: argparse.Namespace) -> int:
    """Audit one run: reported cues, effects of changed cues, reliance on covered regions, effects of edits."""
    from harness.core.errors import HarnessError
    from harness.cues import audit, causes, read_sheets, region_reliance
    from harness.cues.contrasts import lonely_regions
    from harness.cues.controls import controls
    from harness.cues.edits import edits
    from harness.cues.schema import cues_of
    from harness.cues.tables import audit_blocks, cause_blocks, edit_blocks, plain, region_blocks
    from harness.run.folder import open_run

    folder = open_run(args.run)
    tasks, sheets = read_sheets(folder)
    label = args.label or "happiness"
    audits = [
        audit(sheet, tasks[sheet.task].fields, label=label, seed=args.seed)
        for sheet in sheets
        if sheet.condition == "none" and cues_of(sheet.said)
    ]
    found = causes(sheets, label=label, seed=args.seed)
    regions = region_reliance(sheets, label=label, seed=args.seed)
    edited = edits(sheets, tasks, label=args.label, seed=args.seed)
    lonely = lonely_regions(sheets)
    if not (audits or found.effects or regions.effects or edited.effects or lonely):
        raise HarnessError(
            f"{args.run} has no cue reports, changed cues, covered regions or edited pictures",
            hint="run faces/introspection with a prompt from cues/, or use conditions such as cue:teeth_visible=yes "
            "and cue:teeth_visible=no, or none and region:all=blur",
        )
    placed = controls(folder) if regions.effects else {}
    if args.json:
        body = {"audits": plain(audits), "causes": plain(found), "regions": plain(regions)}
        body |= {"edits": plain(edited), "controls": placed}
        print(json.dumps(body, ensure_ascii=False, indent=1))
        return 0
    from harness.cli.compare_command import print_blocks

    blocks = [block for one in audits for block in audit_blocks(one)]
    effects = (*cause_blocks(found), *region_blocks(regions, lonely, placed), *edit_blocks(edited))
    print_blocks([*blocks, *effects])
    if not args.no_page:
        from harness.report.cue_page import write_cue_page

        print(f"\npage: {write_cue_page(folder, audits, found, regions, edited, controls=placed)}")
    return 0
