"""The audit: attacks under each defence, what the recognisers make of the faces, and the controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError
from harness.core.text import counted
from harness.inversion.attack import AttackSettings, Trace, invert, random_coordinates
from harness.inversion.basis import Basis, Floats, Pictures, fit_basis
from harness.inversion.defences import NONE, Defence
from harness.inversion.figures import (
    DefenceFigures,
    Estimate,
    difference_of,
    judge_defences,
    mean_of,
)
from harness.inversion.judge import Judge, Verification
from harness.inversion.people import People, check_apart
from harness.inversion.service import Service
from harness.similarity import Recogniser

LEAST_VICTIMS = 5


@dataclass(frozen=True, slots=True, eq=False)
class AuditInputs:
    """What an audit works on, checked."""

    service: Recogniser
    critic: Recogniser | None
    """A second recogniser, which was not attacked."""
    people: People
    """The scored people, the victims first."""
    victims: int
    basis: Basis
    defences: tuple[Defence, ...]
    """`none` first."""
    settings: AttackSettings


@dataclass(frozen=True, slots=True)
class Judged:
    """What one recogniser makes of one face for each victim."""

    accepted: Estimate
    """Share of the victim's other pictures against which it is accepted at FAR 1%."""
    over_control: Estimate | None
    """The same minus that of the faces that were rebuilt for the other victims; None for controls."""
    control: float | None
    rank: float
    """Median place of the victim among the scored people; 1 is best."""
    first: float
    """Share of victims at place 1."""


@dataclass(frozen=True, slots=True)
class Level:
    """An attack after so many queries."""

    queries: int
    spent: int
    """Counted; fewer where the endpoint answers no more."""
    similarity: float
    """Mean similarity of the rebuilt to the attacked picture by the service, undefended."""
    by_service: Judged
    by_critic: Judged | None


@dataclass(frozen=True, slots=True)
class Arm:
    """The attack under one defence."""

    defence: Defence
    levels: tuple[Level, ...]
    honest: Verification | None
    """How well the answers tell true pictures apart; None where no score is told."""


@dataclass(frozen=True, slots=True)
class ControlFigures:
    """Faces that were not rebuilt."""

    name: str
    by_service: Judged
    by_critic: Judged | None


@dataclass(frozen=True, slots=True)
class AuditFigures:
    """All figures of an audit; no picture and no name."""

    service: str
    critic: str | None
    people: int
    victims: int
    service_verification: Verification
    critic_verification: Verification | None
    arms: tuple[Arm, ...]
    controls: tuple[ControlFigures, ...]
    defences: tuple[DefenceFigures, ...]


def choose_victims(people: People, victims: int, *, seed: int) -> People:
    """The people in an order drawn by the seed, of whom the first are the victims. Raises HarnessError for too few."""
    if victims < LEAST_VICTIMS:
        raise HarnessError(
            f"{counted(victims, 'victim')} give no interval",
            hint=f"use --victims of at least {LEAST_VICTIMS}",
        )
    if victims > len(people):
        raise too_many_victims(victims, len(people))
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
    return people.ordered([int(place) for place in rng.permutation(len(people))])


def too_many_victims(victims: int, people: int) -> HarnessError:
    """The error."""
    return HarnessError(
        f"{victims} victims are more than the {people} people with enough pictures",
        hint="use fewer --victims, or more people",
    )


def make_basis(people: People, basis: People, components: int) -> Basis:
    """Eigenfaces of other people than those who are scored. Raises HarnessError where one is in both."""
    check_apart(people, basis)
    return fit_basis(basis.every(), components, subjects=basis.names)


def attacked(inputs: AuditInputs) -> Callable[[Defence], Trace]:
    """The attack under a defence, against one endpoint with all scored people enrolled."""
    first = np.stack([held[0] for held in inputs.people.pictures])
    service = Service(inputs.service, first)

    def trace(defence: Defence) -> Trace:
        ask = service.defended(defence, seed=inputs.settings.seed)
        return invert(inputs.basis, ask, inputs.victims, inputs.settings, limit=defence.limit)

    return trace


def figures_of(inputs: AuditInputs, traces: Sequence[Trace]) -> AuditFigures:
    """What the recognisers make of the faces of each defence's attack, in the order of `inputs.defences`."""
    seed = inputs.settings.seed
    service = Judge(inputs.service, inputs.people, seed=seed)
    critic = None if inputs.critic is None else Judge(inputs.critic, inputs.people, seed=seed)
    victims = np.arange(inputs.victims)
    shown = np.stack([held[0] for held in inputs.people.pictures[: inputs.victims]])
    own = Service(inputs.service, shown)
    arms, last = [], []
    for defence, trace in zip(inputs.defences, traces, strict=True):
        levels = []
        for queries, spent, at in zip(inputs.settings.queries, trace.spent, trace.coordinates, strict=True):  # fmt: skip
            faces = inputs.basis.render(at)
            by_service, accepted, control = _judged(service, faces, seed=seed)
            by_critic = None if critic is None else _judged(critic, faces, seed=seed)[0]
            alike = float(own.scores(faces, victims).mean())
            levels.append(Level(queries, spent, alike, by_service, by_critic))
        last.append((accepted, control))
        arms.append(Arm(defence, tuple(levels), _honest(service, defence, seed=seed)))
    defended = [(d, found) for d, found in zip(inputs.defences, last, strict=True) if d != NONE]
    return AuditFigures(
        service.name, None if critic is None else critic.name, len(inputs.people), inputs.victims,
        service.verification, None if critic is None else critic.verification, tuple(arms),
        tuple(_controls(inputs, service, critic, shown)),
        judge_defences(
            [d.name for d, _ in defended], [a for _, (a, _) in defended], [c for _, (_, c) in defended],
            last[0][0], seed=seed,
        ),
    )  # fmt: skip


def _judged(judge: Judge, faces: Pictures, *, seed: int) -> tuple[Judged, NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Faces rebuilt for each victim: figures, acceptance (victims,) as the victim, and of the others' faces as the victim."""
    victims = np.arange(len(faces))
    table = judge.table(faces)
    each = judge.accepted(table)[:, : len(faces)]
    own = each.diagonal().copy()
    control = (each.sum(axis=0) - own) / (len(faces) - 1)
    rank = judge.rank(table, victims)
    found = Judged(
        mean_of(own, seed=seed), difference_of(own, control, seed=seed), float(control.mean()),
        float(np.median(rank)), float((rank == 1).mean()),
    )  # fmt: skip
    return found, own, control


def _honest(service: Judge, defence: Defence, *, seed: int) -> Verification | None:
    return None if defence.places is not None else service.told(defence.answers(seed=seed))


def _controls(inputs: AuditInputs, service: Judge, critic: Judge | None, shown: Pictures) -> list[ControlFigures]:  # fmt: skip
    """The mean face, random faces of the basis, and the attacked pictures themselves."""
    count, size = inputs.victims, len(inputs.basis)
    mean: Floats = np.zeros((count, size), dtype=np.float32)
    faces = {
        "mean face": inputs.basis.render(mean),
        "random face of the basis": inputs.basis.render(
            random_coordinates(count, size, seed=inputs.settings.seed)
        ),
        "the attacked picture itself": shown,
    }
    return [
        ControlFigures(
            name, _as_control(service, made, seed=inputs.settings.seed),
            None if critic is None else _as_control(critic, made, seed=inputs.settings.seed),
        )
        for name, made in faces.items()
    ]  # fmt: skip


def _as_control(judge: Judge, faces: Pictures, *, seed: int) -> Judged:
    victims = np.arange(len(faces))
    table = judge.table(faces)
    accepted = judge.accepted(table)[victims, victims]
    rank = judge.rank(table, victims)
    return Judged(mean_of(accepted, seed=seed), None, None, float(np.median(rank)), float((rank == 1).mean()))  # fmt: skip
