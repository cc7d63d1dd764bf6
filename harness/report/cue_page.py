"""cues.html: effects of changed cues and covered regions as forests, stated reliance beside them, pairs side by side,
and every table of the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analyses.words import visible
from harness.compare.tables import Block
from harness.cues.audit import Audit
from harness.cues.interventions import Effects
from harness.cues.tables import audit_blocks, by_cell, cause_blocks, edit_blocks, region_blocks
from harness.report.concealed import concealed
from harness.report.cue_figures import forest, scatter
from harness.report.cue_pairs import RULE, pairs_shown
from harness.report.notices import run_notices
from harness.run.folder import RunFolder, write_atomically
from harness.run.scoring import scored_manifest
from harness.version import __version__

TEMPLATES = Path(__file__).parent / "templates"


def write_cue_page(
    folder: RunFolder,
    audits: Sequence[Audit],
    causes: Effects,
    regions: Effects,
    edits: Effects,
    *,
    controls: Mapping[str, float] | None = None,
) -> Path:
    """Write `cues.html` into the run folder; returns its path. Raises HarnessError when it cannot."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    manifest = scored_manifest(folder)
    pairs, notes = pairs_shown(folder, [*causes.effects, *regions.effects])
    page = environment.get_template("cues.html.j2").render(
        version=__version__,
        started=manifest["started"],
        notices=[said for said, _ in run_notices(manifest)],
        sections=list(_sections(causes, regions, edits, controls or {})),
        pairs=pairs,
        pair_notes=notes,
        pair_rule=RULE,
        audits=[[_view(block) for block in audit_blocks(one)] for one in audits],
        css=Markup("\n").join(_own(name) for name in ("page.css", "cues.css")),
    )
    path = folder.output / "cues.html"
    write_atomically(path, concealed(page, scored_manifest(folder)).encode("utf-8", "replace"))
    return path


def _own(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 (our own file)


def _sections(
    causes: Effects, regions: Effects, edits: Effects, controls: Mapping[str, float]
) -> Iterator[dict[str, object]]:
    """The three kinds of effect, each with its figures and tables; a kind without effects is left out."""
    kinds = (
        (causes, "causes", "Causes", "caused", list(cause_blocks(causes)),
         "Mean paired change with one cue changed and everything else equal. Left of the "
         "line, the first picture of a pair scores lower."),
        (regions, "regions", "Region reliance", "region minus control", list(region_blocks(regions, controls=controls)),
         "Mean paired difference: a region covered, less as much of the face covered elsewhere. For P(truth) and "
         "correct, left of the line means that the region is relied on; for how far an answer moved, right of it. A "
         "reliance, not a cause."),
        (edits, "edits", "Edited pictures", "edited minus unedited", list(edit_blocks(edits)),
         "Mean paired difference: a picture with one attribute edited, less the unedited picture of the same face. Right "
         "of the line, the edited picture scores higher."),
    )  # fmt: skip
    for found, anchor, title, moved, blocks, caption in kinds:
        if found.effects:
            yield {
                "id": anchor,
                "title": title,
                "caption": f"{caption} 95% intervals over subjects; filled dots: p at most .05 after Holm.",
                "forests": [
                    (visible(", ".join(cell)), forest([finding.effect for finding in some]))
                    for cell, some in by_cell(found.effects)
                ],
                "scatters": [
                    (visible(one.model), visible(one.measure), scatter(one.faithful, moved),
                     visible(one.faithful.cell[2]), visible(", ".join(one.faithful.stated_by)))
                    for one in found.faithful
                ],
                "blocks": [_view(block) for block in blocks],
            }  # fmt: skip


def _view(block: Block) -> dict[str, object]:
    return {
        "heading": visible(block.heading),
        "lines": [visible(line) for line in block.lines],
        "header": block.header,
        "rows": [[visible(cell) for cell in row] for row in block.rows],
        "remarks": [visible(remark) for remark in block.remarks],
    }
