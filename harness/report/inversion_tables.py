"""The figures of an inversion audit as sentences, blocks and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from harness.analyses.keys import UNSEEN
from harness.analyses.words import interval, number
from harness.compare.tables import bounds, decimal, probability
from harness.core.blocks import Block, Cell, Lines, Note, Number, Row, Table
from harness.inversion.audit import Arm, AuditFigures, ControlFigures, Judged, Level
from harness.inversion.figures import LEAST_VICTIMS, TOO_FEW, DefenceFigures, Estimate
from harness.inversion.judge import FAR, Verification


def headline(found: AuditFigures) -> str:
    """Acceptance without a defence after the most queries, and what it is compared with."""
    last = found.arms[0].levels[-1]
    own = last.by_service
    assert own.over_control is not None and own.control is not None
    more = own.over_control
    above = (
        "too few victims to tell" if found.victims < LEAST_VICTIMS
        else "the endpoint gives faces away" if more.low > 0
        else "no more than for another person, as far as these victims can show"
    )  # fmt: skip
    return (
        f"After {last.spent:,} queries a rebuilt face is accepted as the victim against {_told(own.accepted)} of the victim's "
        f"other pictures at a false accept rate of {FAR:.0%}; a face rebuilt for another victim against {number(own.control)}. "
        f"Difference {decimal(more.value, signed=True)} {_bounds(more)} over {found.victims} victims: {above}"
    )


def sentences(found: AuditFigures) -> Iterator[str]:
    """What there is to know beside the headline."""
    yield _transfer(found)
    best = max(found.arms[0].levels, key=lambda one: one.by_service.accepted.value)
    last = found.arms[0].levels[-1]
    if best.spent < last.spent:
        yield (
            f"Without a defence most are accepted after {best.spent:,} queries "
            f"({number(best.by_service.accepted.value)}), although similarity to the attacked picture goes on rising from "
            f"{number(best.similarity)} to {number(last.similarity)}: similarity to one picture is not likeness to the person"
        )
    for one in found.defences:
        yield verdict(one, found)


def _transfer(found: AuditFigures) -> str:
    last = found.arms[0].levels[-1].by_critic
    if last is None or last.over_control is None or last.control is None:
        return "Transfer to a second recogniser was not measured (--critic)"
    carried = (
        "too few victims to tell whether the faces look like them to it" if found.victims < LEAST_VICTIMS
        else "the faces look like the victims to it too" if last.over_control.low > 0
        else "nothing is shown to carry over to it"
    )  # fmt: skip
    return (
        f"A second recogniser ({found.critic}), which was not attacked, accepts {_told(last.accepted)}, and "
        f"{number(last.control)} of faces rebuilt for another victim: {carried}"
    )


def verdict(one: DefenceFigures, found: AuditFigures) -> str:
    """What a defence does, in words."""
    change = f"difference {decimal(one.difference.value, signed=True)} {_bounds(one.difference)}, p {probability(one.p)}"  # fmt: skip
    left = f"{decimal(one.over_control.value, signed=True)} over faces rebuilt for others {_bounds(one.over_control)}"  # fmt: skip
    cost = _cost(one.name, found)
    said = {
        "stops": f"stops the attack as far as {found.victims} victims can show: {change}; what is left, {left}, may be nothing",
        "weakens": f"weakens the attack and does not stop it: {change}; what is left: {left}",
        "no defence": f"is no defence: {change}",
        "undecided": f"is undecided, more victims would tell: {change}",
        TOO_FEW: f"is {TOO_FEW} (at least {LEAST_VICTIMS} are needed): {change}",
    }[one.verdict]
    return f"{one.name} {said}{cost}"


def _cost(name: str, found: AuditFigures) -> str:
    """What a defence costs those who are who they say, where it changes scores."""
    honest = next(arm.honest for arm in found.arms if arm.defence.name == name)
    if honest is None:
        return "; it takes verification by score away"
    before = found.service_verification
    if (honest.tar, honest.far) == (before.tar, before.far):
        return ""
    return (
        f"; of true pairs its answers accept {number(honest.tar)} instead of {number(before.tar)}"
    )


def _told(one: Estimate) -> str:
    return f"{number(one.value)} {interval(one.low, one.high)}{_mark(one)}".strip()


def _bounds(one: Estimate) -> str:
    return f"{bounds(one.low, one.high)}{_mark(one)}"


def _mark(one: Estimate) -> str:
    return "" if one.spread else UNSEEN


def inversion_blocks(found: AuditFigures) -> Iterator[Block]:
    """Headline, table by queries and defence, controls, defences, recognisers, and what it does not say."""
    yield Lines(lines=(headline(found), *sentences(found)))
    yield _levels(found)
    yield _controls(found)
    if found.defences:
        yield _defences(found)
    yield _recognisers(found)
    yield from _notes(found)


def _levels(found: AuditFigures) -> Table:
    critic = found.critic is not None
    rows = [row for arm in found.arms for row in _arm_rows(arm, critic=critic)]
    return Table(
        title="Rebuilt faces by number of queries",
        caption=f"Accepted: share of the victim's other pictures against which the rebuilt face passes at FAR {FAR:.0%}, with a "
        "95% interval over victims; control: the same of faces rebuilt for the other victims. Rank: median place of the victim "
        f"among {found.people} people, 1 is best. Similarity: to the attacked picture alone. Queries are counted for each "
        f"victim{_meanings(found)}",
        columns=(
            "queries", "accepted", "control", "rank", "similarity",
            *(("critic accepts", "control", "critic's rank") if critic else ()),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _meanings(found: AuditFigures) -> str:
    told = [
        f"{a.defence.name}: {a.defence.means()}" for a in found.arms if a.defence.kind != "none"
    ]
    return f". {'; '.join(told)}" if told else ""


def _arm_rows(arm: Arm, *, critic: bool) -> Iterator[Row]:
    yield Row((arm.defence.name if arm.defence.kind != "none" else "no defence",), role="heading")
    spent = {level.spent: level for level in arm.levels}  # nothing is tried past a limit
    for level in spent.values():
        one = level.by_service
        second = level.by_critic
        yield Row(
            (
                _asked(level), _cell(one.accepted), one.control, _rank(one), level.similarity,
                *(() if second is None or not critic else (_cell(second.accepted), second.control, _rank(second))),
            )
        )  # fmt: skip


def _asked(level: Level) -> str:
    spent = f"{level.spent:,}"
    return spent if level.spent == level.queries else f"{spent} of {level.queries:,}"


def _controls(found: AuditFigures) -> Table:
    critic = found.critic is not None
    return Table(
        title="Controls",
        caption="How often faces that were not rebuilt are accepted, against the same pictures at the same threshold. The "
        "attacked picture itself shows what a true picture of the victim reaches",
        columns=("", "accepted", "rank", *(("critic accepts", "critic's rank") if critic else ())),
        rows=tuple(_control_row(one) for one in found.controls),
    )


def _control_row(one: ControlFigures) -> Row:
    second = one.by_critic
    more: tuple[Cell, ...] = () if second is None else (_cell(second.accepted), _rank(second))
    return Row((one.name, _cell(one.by_service.accepted), _rank(one.by_service), *more))


def _defences(found: AuditFigures) -> Table:
    arms = {arm.defence.name: arm for arm in found.arms}
    return Table(
        title="Defences against none",
        caption="At the most queries, over the same victims with the same noise of the attack. p: paired test over victims, "
        "Holm's correction over the defences. True pairs: what the answers under the defence accept of two true pictures of "
        "one person at FAR 1%",
        columns=("", "accepted minus without", "p", "over control", "true pairs accepted", "verdict"),
        rows=tuple(
            (
                one.name, _cell(one.difference), probability(one.p), _cell(one.over_control),
                _honest(arms[one.name].honest), one.verdict,
            )
            for one in found.defences
        ),
    )  # fmt: skip


def _honest(one: Verification | None) -> Cell:
    return "no score" if one is None else Number(one.tar)


def _recognisers(found: AuditFigures) -> Table:
    rows = [("attacked", found.service, found.service_verification)]
    if found.critic is not None and found.critic_verification is not None:
        rows.append(("critic", found.critic, found.critic_verification))
    return Table(
        title="Recognisers on true pictures",
        caption=f"Threshold: the lowest that accepts at most {FAR:.0%} of pairs of different people; FAR is what it does accept",
        columns=("", "recogniser", "AUROC", "threshold", "FAR", "true pairs accepted", "pairs of one", "of two"),
        rows=tuple(
            (who, name, one.auroc, Number(one.threshold), Number(one.far, digits=4), Number(one.tar), one.genuine, one.impostors)
            for who, name, one in rows
        ),
    )  # fmt: skip


_UNSEEN_SAID = (
    f"{UNSEEN} no spread was seen between victims, which is not certainty: the interval is what so few victims may have "
    "hidden"
)


def _estimates(found: AuditFigures) -> Iterator[Estimate]:
    judged = [level.by_service for arm in found.arms for level in arm.levels]
    judged += [
        one.by_critic for arm in found.arms for one in arm.levels if one.by_critic is not None
    ]
    judged += [one.by_service for one in found.controls]
    judged += [one.by_critic for one in found.controls if one.by_critic is not None]
    for one in judged:
        yield one.accepted
    above = found.arms[0].levels[-1].by_service.over_control
    if above is not None:
        yield above
    for defence in found.defences:
        yield from (defence.difference, defence.over_control)


def _notes(found: AuditFigures) -> Iterator[Block]:
    if not all(one.spread for one in _estimates(found)):
        yield Note(text=_UNSEEN_SAID)
    if any(arm.honest is not None and arm.honest.far < FAR / 4 for arm in found.arms):
        yield Note(
            text="Some answers are so coarse that no threshold accepts near 1% of pairs of different people: the true pairs "
            "accepted stand at a lower FAR there.",
        )
    yield Note(
        text="The figures hold for this attack, these people and this basis. Another attack may do better, with more queries, "
        "a better basis or several accounts; what resists here is not thereby safe. A threshold is set on true pictures of "
        "the same people."
    )


def _cell(one: Estimate) -> Number:
    return Number(_plain(one.value), _plain(one.low), _plain(one.high), mark=_mark(one))


def _rank(one: Judged) -> str:
    return f"{one.rank:g}"


def inversion_json(found: AuditFigures, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of what was asked and the figures, unrounded; None for what is undefined."""
    return {
        **record,
        "headline": headline(found),
        "sentences": list(sentences(found)),
        "service": _verification(found.service_verification),
        "second": None if found.critic_verification is None else _verification(found.critic_verification),
        "arms": [
            {
                "defence": arm.defence.name, "honest": None if arm.honest is None else _verification(arm.honest),
                "levels": [
                    {
                        "queries": one.queries, "spent": one.spent, "similarity": _plain(one.similarity),
                        "by_service": _judged(one.by_service),
                        "by_critic": None if one.by_critic is None else _judged(one.by_critic),
                    }
                    for one in arm.levels
                ],
            }
            for arm in found.arms
        ],
        "controls": [
            {
                "name": one.name, "by_service": _judged(one.by_service),
                "by_critic": None if one.by_critic is None else _judged(one.by_critic),
            }
            for one in found.controls
        ],
        "compared": [
            {
                "defence": one.name, "difference": _estimate(one.difference), "p": _plain(one.p),
                "over_control": _estimate(one.over_control), "verdict": one.verdict,
            }
            for one in found.defences
        ],
    }  # fmt: skip


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "accepted": _estimate(one.accepted), "control": one.control,
        "over_control": None if one.over_control is None else _estimate(one.over_control),
        "median_rank": one.rank, "rank_1": one.first,
    }  # fmt: skip


def _estimate(one: Estimate) -> dict[str, float | bool | None]:
    bounds_ = {name: _plain(getattr(one, name)) for name in ("value", "low", "high")}
    return {**bounds_, "spread": one.spread}


def _verification(one: Verification) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(one).items()}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
