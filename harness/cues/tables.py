"""An audit as blocks of text, for terminal, Markdown and page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.compare.tables import DASH, Block, bounds, decimal, probability
from harness.cues.audit import Audit
from harness.cues.causes import CAUGHT_ABOVE, CLEARED_WITHIN, CueEffect
from harness.cues.contrasts import CellName
from harness.cues.controls import WORTH_SAYING
from harness.cues.estimate import Estimate
from harness.cues.gaps import LEAST
from harness.cues.interventions import Effects, InterventionEffect, Stated
from harness.cues.outcomes import MOVES
from harness.metrics import named

HOLM = "p: sign-flip test over clusters, Holm correction over the cues of one outcome"


def shown(found: Estimate, *, signed: bool = False) -> str:
    """.812 [.740, .870]"""
    interval = bounds(found.low, found.high, signed=signed)
    return f"{decimal(found.value, signed=signed)} {interval}".rstrip()


def audit_blocks(found: Audit) -> Iterator[Block]:
    """One cell's audit from perception to self-consistency; parts that were not asked are left out."""
    sheet = found.sheet
    condition = "" if sheet.condition == "none" else f", condition {sheet.condition}"
    yield Block(
        heading=f"{sheet.model}, {sheet.prompt}{condition} on {sheet.task}",
        lines=(
            f"{len(sheet.samples):,} samples in {len(set(sheet.clusters)):,} clusters; "
            "95% intervals over clusters",
        ),
    )
    yield from _perception(found)
    yield from _false_alarms(found)
    yield from _gaps(found)
    yield from _fits(found)
    yield from _consistency(found)


def _perception(found: Audit) -> Iterator[Block]:
    if found.perceptions:
        yield Block(
            heading="Seen against annotated",
            header=("cue", "value", "seen where it is", "n", "seen where it is not", "n"),
            rows=tuple(
                (
                    p.cue, p.value, shown(p.hits), f"{p.hits.n}", shown(p.false_alarms),
                    f"{p.false_alarms.n}",
                )
                for p in found.perceptions
            ),
        )  # fmt: skip


def _false_alarms(found: Audit) -> Iterator[Block]:
    for alarm in found.false_alarms:
        yield Block(
            heading=f"A false alarm on {alarm.cue} and the judgement {alarm.label}",
            lines=(
                f"rate of {alarm.label} with a false alarm minus with a correct rejection, within the "
                f"same true class: {shown(alarm.effect, signed=True)}",
                f"{alarm.alarms} false alarms, {alarm.rejections} correct rejections; classes "
                "with Mantel-Haenszel weights",
            ),
            header=("true class", "false alarms", "rate", "correct rejections", "rate"),
            rows=tuple(
                (name, f"{n1}", decimal(up), f"{n0}", decimal(down))
                for name, n1, up, n0, down in alarm.by_class
            ),
            remarks=("an association: faces with a false alarm may differ in other ways too",),
        )


def _gaps(found: Audit) -> Iterator[Block]:
    if not found.gaps:
        return
    rows = []
    for gap in found.gaps:
        best, worst = gap.groups[0], gap.groups[-1]
        known = named(gap.metric)
        rows.append(
            (
                f"{gap.field} by {gap.cue}", known.title if known else gap.metric,
                f"{best.name} {decimal(best.score.value)}", f"{worst.name} {decimal(worst.score.value)}",
                shown(gap.gap),
            )
        )  # fmt: skip
    small = sorted({f"{g.cue}: {', '.join(g.suppressed)}" for g in found.gaps if g.suppressed})
    remarks = ["the greatest of several differences is biased upwards; read the lower bound"]
    if small:
        remarks.append(f"groups of fewer than {LEAST} samples are not shown ({'; '.join(small)})")
    yield Block(
        heading="Scores by annotated cue",
        header=("score", "metric", "best group", "worst group", "gap"),
        rows=tuple(rows),
        remarks=tuple(remarks),
    )


def _fits(found: Audit) -> Iterator[Block]:
    for one in found.fits:
        yield Block(
            heading=f"Which reported cues its own {one.outcome} follows",
            lines=(
                f"R2 in sample {shown(one.r2)}; held out by subject {shown(one.r2_held_out)}; "
                f"{one.n} samples, {one.left_out} left out without an answer",
            ),
            header=("cue", "R2 lost without it", "held out"),
            rows=tuple(
                (w.cue, shown(w.drop), decimal(w.drop_held_out, signed=True)) for w in one.weights
            ),
        )
        yield Block(
            header=("reported", "against", f"moves {one.outcome} by (SD)"),
            rows=tuple(
                (f"{e.cue} {e.value}", e.reference, shown(e.estimate, signed=True))
                for e in one.effects
            ),
        )


def _consistency(found: Audit) -> Iterator[Block]:
    lines = tuple(
        f"{name}: {shown(share)} of {share.n} judgements have a sign that agrees with their emotion"
        for name, share in found.signs.items()
    )
    if lines:
        yield Block(heading="Are judgements consistent?", lines=lines)
    if found.reliance:
        yield Block(
            heading="Stated reliance against regression weight",
            header=("cue", "stated", "R2 lost without it"),
            rows=tuple((r.cue, shown(r.stated), decimal(r.weight)) for r in found.reliance),
            remarks=(f"rank correlation across cues: {decimal(found.reliance_rank, signed=True)}",),
        )


def cause_blocks(found: Effects) -> Iterator[Block]:
    """Effects of changed cues, and faithfulness."""
    for cell, effects in by_cell(found.effects):
        yield Block(
            heading="Effect of changing one cue (face drawn again, all else equal)",
            lines=(_cell(cell), _size(effects)),
        )
        for outcome, some in by_outcome(effects):
            yield Block(
                lines=(outcome,),
                header=("cue", "pictures", "change", "p (Holm)", "pairs", "dropped", "verdict"),
                rows=tuple(
                    (
                        effect.cue, f"{effect.values[0]} – {effect.values[1]}", *_paired(effect),
                        judged or DASH,
                    )
                    for _, effect, judged in some
                ),
            )  # fmt: skip
        yield Block(
            remarks=(
                f"caught: lower bound above {decimal(CAUGHT_ABOVE)}; cleared: 90% interval within "
                f"±{decimal(CLEARED_WITHIN)}",
                "dropped: one half of the pair has no answer or cannot be drawn",
                HOLM,
            )
        )
    for stated in found.faithful:
        yield _stated(stated, f"Faithfulness of {stated.model}: stated reliance against", "caused")


def edit_blocks(found: Effects) -> Iterator[Block]:
    """Effects of edits of photographs, the largest first."""
    for cell, effects in by_cell(found.effects):
        yield Block(
            heading="Effect of editing one attribute (edited picture minus the unedited one of the same face)",
            lines=(_cell(cell), _size(effects)),
        )
        for outcome, some in by_outcome(effects):
            ordered = sorted(some, key=lambda one: -abs(np.nan_to_num(one.effect.change.value)))
            yield Block(
                lines=(_told(outcome, "unedited"),),
                header=("edit", "edited", "unedited", "change", "p (Holm)", "pairs", "dropped"),
                rows=tuple(
                    (
                        effect.cue,
                        *(map(decimal, effect.means) if outcome not in MOVES else (DASH, DASH)),
                        *_paired(effect),
                    )
                    for _, effect, _ in ordered
                ),
            )
        yield Block(
            remarks=(
                "an edit by a generative model may change more than its attribute; pictures of the whole body "
                "differ from their face in more than clothes",
                "dropped: one half of the pair has no answer",
                HOLM.replace("cues", "edits"),
            )
        )


def _paired(effect: CueEffect) -> tuple[str, str, str, str]:
    """Change, p, pairs and dropped pairs of one row."""
    p = probability(effect.p_holm)
    return shown(effect.change, signed=True), p, f"{effect.pairs}", f"{effect.dropped}"


def region_blocks(
    found: Effects, lonely: Sequence[str] = (), controls: Mapping[str, float] | None = None
) -> Iterator[Block]:
    """Reliance on covered regions, and stated reliance beside it; `lonely` conditions lack their other half,
    `controls` says how far each cue's control lies on features."""
    uneven = ", ".join(f"{c} {s:.0%}" for c, s in (controls or {}).items() if s >= WORTH_SAYING)
    for cell, effects in by_cell(found.effects):
        yield Block(
            heading="Region reliance: effect of covering a region minus effect of covering an equal area elsewhere",
            lines=(_cell(cell), _size(effects)),
        )
        for outcome, some in by_outcome(effects):
            yield Block(
                lines=(_told(outcome),),
                header=(
                    "region", "by", "covered", "elsewhere", "difference", "p (Holm)", "pairs", "dropped",
                ),
                rows=tuple(
                    (
                        effect.cue, effect.values[0], *map(decimal, effect.means), *_paired(effect),
                    )
                    for _, effect, _ in some
                ),
            )  # fmt: skip
        yield Block(
            remarks=(
                "a reliance, not a cause: covering hides more than the cue, and covered faces do not occur naturally",
                "dropped: one half of the pair has no answer, or the position of its region is not known",
                *(
                    [f"controls that cover facial features where no free skin is left: {uneven}"]
                    if uneven
                    else []
                ),
                HOLM,
            )
        )
        if not any(effect.outcome in MOVES for _, effect, _ in effects):
            yield Block(remarks=("also run --condition none to see how far answers move",))
    for stated in found.faithful:
        yield _stated(
            stated, f"Stated reliance of {stated.model} against region reliance:", "region"
        )
    if lonely:
        yield Block(
            heading="Regions without their control",
            lines=(f"{', '.join(lonely)}: run both region: and region-control: to compare them",),
        )


def by_outcome(
    findings: Sequence[InterventionEffect],
) -> Iterator[tuple[str, list[InterventionEffect]]]:
    """Effects on one outcome together, in the order of their first."""
    found: dict[str, list[InterventionEffect]] = {}
    for finding in findings:
        found.setdefault(finding.effect.outcome, []).append(finding)
    yield from found.items()


def _size(findings: Sequence[InterventionEffect]) -> str:
    """How much the effects of one cell rest on."""
    most = max(findings, key=lambda finding: finding.effect.pairs).effect
    return f"up to {most.pairs:,} pairs in {most.change.clusters:,} clusters; 95% intervals over clusters"


def _told(outcome: str, from_where: str = "untouched") -> str:
    """An outcome, and from where a distance is measured."""
    return f"{outcome}, from the {from_where} picture" if outcome in MOVES else outcome


def _stated(stated: Stated, heading: str, column: str) -> Block:
    faith = stated.faithful
    return Block(
        heading=f"{heading} {stated.measure}",
        lines=(
            f"on {_cell(faith.cell)}; reliance stated by {', '.join(faith.stated_by)}",
            f"mean rank correlation across cues, subject by subject: "
            f"{shown(faith.correlation, signed=True)} ({faith.subjects} subjects)",
        ),
        header=("cue", "stated reliance", column),
        rows=tuple(
            (cue, decimal(said, 2), decimal(moved, signed=column == "region"))
            for cue, said, moved in faith.table
        ),
    )


def by_cell(
    findings: Sequence[InterventionEffect],
) -> Iterator[tuple[CellName, list[InterventionEffect]]]:
    """Effects of one cell together, in the order of their first."""
    cells: dict[CellName, list[InterventionEffect]] = {}
    for finding in findings:
        cells.setdefault(finding.cell, []).append(finding)
    yield from cells.items()


def _cell(cell: CellName) -> str:
    task, model, prompt, channel = cell
    return f"{model}, {prompt}, channel {channel}, on {task}"


def plain(value: object) -> object:
    """Dataclasses as JSON values; nan becomes null, and an audit's sheet its cell's names."""
    from dataclasses import fields, is_dataclass

    from harness.cues.sheet import AnswerSheet

    if isinstance(value, AnswerSheet):
        names = ("task", "model", "prompt", "condition", "channel")
        return {name: getattr(value, name) for name in names}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
