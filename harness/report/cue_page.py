"""cues.html: effects of changed cues as a forest, stated against caused reliance, and every table of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import harness
from harness.compare.tables import Block, decimal
from harness.cues.audit import Audit
from harness.cues.causes import CauseEffect, Faithfulness
from harness.cues.interventions import Causes
from harness.cues.tables import audit_blocks, cause_blocks, shown
from harness.report.figures import svg
from harness.report.words import visible
from harness.run.folder import RunFolder, write_atomically
from harness.run.manifest import read_manifest

TEMPLATES = Path(__file__).parent / "templates"
WIDTH, LEFT, RIGHT, ROW = 880, 330, 190, 28
SQUARE = 360


def write_cue_page(folder: RunFolder, audits: Sequence[Audit], found: Causes) -> Path:
    """Write `cues.html` into the run folder; returns its path. Raises HarnessError when it cannot."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    manifest = read_manifest(folder)
    page = environment.get_template("cues.html.j2").render(
        version=harness.__version__,
        started=manifest["started"],
        notices=[n for t in manifest["tasks"].values() if (n := t["config"].get("notice"))],
        forest=forest([effect for _, effect, _ in found.effects]),
        scatters=[(model, what, scatter(faith)) for model, what, faith in found.faithful],
        cause_blocks=[_view(block) for block in cause_blocks(found)],
        audits=[[_view(block) for block in audit_blocks(one)] for one in audits],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
    )
    path = folder.path / "cues.html"
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


def _view(block: Block) -> dict[str, object]:
    return {
        "heading": visible(block.heading),
        "lines": [visible(line) for line in block.lines],
        "header": block.header,
        "rows": [[visible(cell) for cell in row] for row in block.rows],
        "remarks": [visible(remark) for remark in block.remarks],
    }


def forest(effects: Sequence[CauseEffect]) -> Markup | None:
    """A dot and whisker for each effect around a line at nothing; None without effects."""
    if not effects:
        return None
    reach = max(
        [0.1] + [abs(v) for e in effects for v in (e.change.value, e.change.low, e.change.high) if not isnan(v)]
    )  # fmt: skip
    height = 30 + ROW * len(effects) + 30

    def x(value: float) -> float:
        return round(LEFT + (value + reach) / (2 * reach) * (WIDTH - LEFT - RIGHT), 1)

    parts = [
        Markup('<line class="grid" x1="{0}" x2="{0}" y1="20" y2="{1}"/>').format(
            x(tick), height - 28
        )
        for tick in (-reach, -reach / 2, reach / 2, reach)
    ]
    parts.append(
        Markup('<line class="base" x1="{0}" x2="{0}" y1="20" y2="{1}"/>').format(x(0), height - 28)
    )
    parts += [
        Markup('<text class="small" x="{0}" y="{1}" text-anchor="middle">{2}</text>').format(
            x(tick), height - 10, decimal(tick, 2, signed=True)
        )
        for tick in (-reach, -reach / 2, 0.0, reach / 2, reach)
    ]
    for place, effect in enumerate(effects):
        y = 30 + ROW * place + ROW / 2
        change = effect.change
        label = f"{effect.cue} {effect.values[0]} – {effect.values[1]}, {effect.outcome}"
        parts.append(
            Markup('<text x="{0}" y="{1}" text-anchor="end">{2}</text>').format(
                LEFT - 12, y + 4, visible(label)
            )
        )
        if isnan(change.value):
            continue
        if not isnan(change.low):
            parts.append(
                Markup('<line class="whisker" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(
                    x(change.low), x(change.high), y
                )
            )
        parts.append(
            Markup('<circle class="dot" cx="{0}" cy="{1}" r="4.5"/>').format(x(change.value), y)
        )
        parts.append(
            Markup('<text class="small" x="{0}" y="{1}">{2}</text>').format(
                WIDTH - RIGHT + 12, y + 4, shown(change, signed=True)
            )
        )
    return svg(WIDTH, height, "Effects of changed cues with 95% intervals", parts)


def scatter(found: Faithfulness) -> Markup:
    """Stated reliance across, caused change upwards; one dot a cue."""
    most_x = max([value for _, value, _ in found.table if not isnan(value)] + [1e-9])
    most_y = max([value for _, _, value in found.table if not isnan(value)] + [1e-9])
    pad, inner = 50, SQUARE - 90
    parts = [
        Markup('<line class="base" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(
            pad, pad + inner, SQUARE - 50
        ),
        Markup('<line class="base" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            pad, SQUARE - 50 - inner, SQUARE - 50
        ),
        Markup('<text class="small" x="{0}" y="{1}" text-anchor="middle">stated reliance (up to {2})</text>').format(
            pad + inner / 2, SQUARE - 20, decimal(most_x, 2)
        ),
        Markup('<text class="small" x="{0}" y="{1}">caused (up to {2})</text>').format(
            pad - 40, 14, decimal(most_y)
        ),
    ]  # fmt: skip
    for cue, stated, caused in found.table:
        if isnan(stated) or isnan(caused):
            continue
        cx, cy = pad + stated / most_x * inner, SQUARE - 50 - caused / most_y * inner
        anchor, dx = ("end", -8) if stated > most_x * 0.6 else ("start", 8)
        parts.append(
            Markup('<circle class="dot" cx="{0:.1f}" cy="{1:.1f}" r="4.5"/>').format(cx, cy)
        )
        parts.append(
            Markup(
                '<text class="small" x="{0:.1f}" y="{1:.1f}" text-anchor="{2}">{3}</text>'
            ).format(cx + dx, cy - 6, anchor, visible(cue))
        )
    return svg(SQUARE, SQUARE, "Stated reliance against caused change, one dot a cue", parts)
