"""An audit as blocks of text, for terminal, Markdown and page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.compare.tables import DASH, Block, bounds, decimal
from harness.cues.audit import Audit
from harness.cues.causes import CAUGHT_ABOVE, CLEARED_WITHIN
from harness.cues.estimate import Estimate
from harness.cues.gaps import LEAST
from harness.cues.interventions import Causes


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
                f"{alarm.alarms} false alarms, {alarm.rejections} correct rejections; classes weighted "
                "as Mantel and Haenszel do",
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
        rows.append(
            (
                f"{gap.field} by {gap.cue}", gap.metric.upper() if gap.metric == "ccc" else gap.metric,
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
            heading=f"What its own {one.outcome} follows from, among the cues it reports",
            lines=(
                f"R2 in sample {shown(one.r2)}; held out by subject {shown(one.r2_held_out)}; "
                f"{one.n} samples, {one.left_out} left out for want of an answer",
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
        f"{name}: {shown(share)} of {share.n} judgements have a sign that does not contradict their emotion"
        for name, share in found.signs.items()
    )
    if lines:
        yield Block(heading="Does the judgement hold together?", lines=lines)
    if found.reliance:
        yield Block(
            heading="Stated reliance against regression weight",
            header=("cue", "stated", "R2 lost without it"),
            rows=tuple((r.cue, shown(r.stated), decimal(r.weight)) for r in found.reliance),
            remarks=(f"rank correlation across cues: {decimal(found.reliance_rank, signed=True)}",),
        )


def cause_blocks(found: Causes) -> Iterator[Block]:
    """Effects of changed cues, and faithfulness."""
    if found.effects:
        yield Block(
            heading="What changing one cue causes (drawn again, all else equal)",
            header=("cue", "pictures", "outcome", "change", "pairs", "dropped", "verdict"),
            rows=tuple(
                (
                    effect.cue, f"{effect.values[0]} – {effect.values[1]}", effect.outcome,
                    shown(effect.change, signed=True), f"{effect.pairs}", f"{effect.dropped}",
                    judged or DASH,
                )
                for _, effect, judged in found.effects
            ),
            remarks=(
                *_cells(found.effects),
                f"caught: lower bound above {decimal(CAUGHT_ABOVE)}; cleared: 90% interval within "
                f"±{decimal(CLEARED_WITHIN)}; dropped: half a pair was not answered or cannot be drawn",
            ),
        )  # fmt: skip
    for model, measure, faith in found.faithful:
        yield Block(
            heading=f"Faithfulness of {model}: stated reliance against the {measure}",
            lines=(
                "mean rank correlation across cues, subject by subject: "
                f"{shown(faith.correlation, signed=True)} ({faith.subjects} subjects)",
            ),
            header=("cue", "stated reliance", "caused"),
            rows=tuple(
                (cue, decimal(stated, 2), decimal(caused)) for cue, stated, caused in faith.table
            ),
        )


def _cells(effects: Sequence[tuple[tuple[str, str, str, str], object, object]]) -> tuple[str, ...]:
    cells = dict.fromkeys(cell for cell, _, _ in effects)
    return tuple(
        f"{model}, {prompt}, channel {channel}, on {task}" for task, model, prompt, channel in cells
    )


def plain(value: object) -> object:
    """Dataclasses as JSON values; nan becomes null, and an audit's sheet its cell's names."""
    from dataclasses import fields, is_dataclass

    from harness.cues.sheet import Sheet

    if isinstance(value, Sheet):
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
