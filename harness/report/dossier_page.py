"""A dossier as one self-contained page to print, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from harness.compare.tables import Block as CueBlock
from harness.report.concealed import concealed
from harness.report.dossier import SCHEMA, Dossier, dossier
from harness.report.inputs import RunView, is_export
from harness.report.page import TEMPLATES, environment
from harness.report.writers.html import blocks_html
from harness.report.writers.json import blocks_json
from harness.version import __version__


def cue_audit(view: RunView) -> list[CueBlock]:
    """The blocks of a run's cue audit, whose effects come first; none where it has none, and of an export."""
    from harness.cues import audit, causes, read_sheets, region_reliance
    from harness.cues.schema import cues_of
    from harness.cues.tables import audit_blocks, cause_blocks, region_blocks

    if is_export(view.manifest):
        return []
    tasks, sheets = read_sheets(view.folder)
    found = causes(sheets)
    regions = region_reliance(sheets)
    audits = [
        audit(sheet, tasks[sheet.task].fields)
        for sheet in sheets
        if sheet.condition == "none" and cues_of(sheet.said)
    ]
    blocks = [*(cause_blocks(found) if found.effects else ())]
    blocks += [*(region_blocks(regions) if regions.effects else ())]
    return [*blocks, *(block for one in audits for block in audit_blocks(one))]


def dossier_html(views: Sequence[RunView], found: Sequence[Dossier]) -> str:
    """The page of several runs, without paths of this machine."""
    env = environment()
    runs = [
        (one, [(p.title, _titled(blocks_html(p.blocks, env))) for p in one.parts]) for one in found
    ]
    styles = "".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "dossier.css")
    )
    style = Markup(styles)  # noqa: S704 (our own files)
    page = env.get_template("dossier.html.j2").render(runs=runs, version=__version__, style=style)
    for view in views:
        page = concealed(page, view.manifest)
    return page


def _titled(blocks: Markup) -> Markup:
    """Blocks whose titles stand right below the heading of a part, so that no level is left out."""
    made = str(blocks).replace("<h5>", "<h4>").replace("</h5>", "</h4>")
    return Markup(made)  # noqa: S704 - what is in the blocks is escaped, so these are our own tags


def dossier_json(views: Sequence[RunView], found: Sequence[Dossier]) -> str:
    """The same as blocks with unrounded numbers."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "runs": [
            {
                "title": one.title, "started": one.started, "notices": list(one.notices),
                "parts": [{"title": p.title, "blocks": blocks_json(p.blocks)} for p in one.parts],
            }
            for one in found
        ],
    }  # fmt: skip
    text = json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    for view in views:
        text = concealed(text, view.manifest)
    return text


def dossiers(views: Sequence[RunView]) -> list[Dossier]:
    """The dossier of each run."""
    return [dossier(view, cue_audit(view)) for view in views]
