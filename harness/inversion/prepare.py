"""From what a command asks to the inputs of an audit: pictures, recognisers, basis. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.faces import BASIC_7
from harness.inversion.attack import AttackSettings
from harness.inversion.audit import (
    AuditInputs,
    choose_victims,
    make_basis,
    too_many_victims,
)
from harness.inversion.basis import too_many_components
from harness.inversion.defences import Defence
from harness.inversion.fisherfaces import Look, learn_fisherfaces
from harness.inversion.people import (
    LEAST_PICTURES,
    People,
    check_consent,
    drawn_people,
    folder_people,
)
from harness.similarity import Recogniser, open_recogniser

FISHERFACES = "fisherfaces"
NO_CRITIC = "none"
SIZES = (32, 224)
_VICTIMS, _BASIS, _LEARNERS = 7, 8101, {"grey": 8102, "gradients": 8103}
"""Seeds of drawn people. Those below 100 are kept for evaluation (`harness.faces.TEST_SEEDS`): no recogniser of this
package was trained on them."""
_LEARNED_ON, _EACH = 90, 5

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asks for."""

    endpoint: str
    critic: str | None
    """None: Fisherfaces for drawn faces, none for others."""
    pictures: Path | None
    """Folder of the scored people; None: drawn ones."""
    basis: Path | None
    """Folder of the people of the basis; None: drawn ones."""
    consented: str | None
    people: int
    """Drawn people who are scored."""
    basis_people: int
    """Drawn people of the basis."""
    victims: int
    size: int
    components: int
    defences: tuple[Defence, ...]
    attack: AttackSettings


def prepare(asked: Asked, *, tell: Tell) -> tuple[AuditInputs, dict[str, Any]]:
    """The inputs, and the record of what they are.

    Raises HarnessError for an endpoint that is not on this machine, for pictures that are neither drawn nor declared
    consented, for a victim in the basis, and for whatever cannot be read.
    """
    folders = [one for one in (asked.pictures, asked.basis) if one is not None]
    check_consent(folders, asked.consented)
    _check_places(asked)
    service, critic = _recognisers(asked, tell)
    tell("drawing and reading pictures")
    people = choose_victims(_people(asked), asked.victims, seed=asked.attack.seed)
    others = (
        drawn_people(asked.basis_people, seed=_BASIS, split="train", size=asked.size)
        if asked.basis is None
        else folder_people(asked.basis, size=asked.size, least=1)
    )
    basis = make_basis(people, others, asked.components)
    inputs = AuditInputs(
        service, critic, people, asked.victims, basis, asked.defences, asked.attack
    )
    return inputs, _record(asked, inputs, others)


def _check_places(asked: Asked) -> None:
    if not SIZES[0] <= asked.size <= SIZES[1]:
        raise HarnessError(
            f"--size {asked.size} is outside {SIZES[0]} to {SIZES[1]}", hint="published: 112"
        )
    if asked.pictures is None and asked.victims > asked.people:
        raise too_many_victims(asked.victims, asked.people)
    if asked.pictures is None and asked.components >= asked.basis_people * len(BASIC_7):
        raise too_many_components(asked.components, asked.basis_people * len(BASIC_7))
    if asked.pictures is not None and asked.basis is None:
        raise HarnessError(
            "--pictures needs --basis: a basis of drawn faces would rebuild photographs badly and make the endpoint look safe",
            hint="add --basis FOLDER with pictures of other people who agreed: FOLDER/PERSON/PICTURE.jpg",
        )
    if asked.pictures is None and asked.basis is not None:
        raise HarnessError(
            "--basis has no effect without --pictures: the basis of drawn faces is drawn",
            hint="add --pictures FOLDER, or leave --basis out",
        )
    if asked.pictures is not None and FISHERFACES in (asked.endpoint, asked.critic):
        raise HarnessError(
            "fisherfaces are learned from drawn faces here and know no photographs",
            hint="use similarity:dlib, or a service on this machine",
        )
    if asked.endpoint == asked.critic and asked.critic != FISHERFACES:
        raise HarnessError(
            f"--critic {asked.critic} is the endpoint itself, so that nothing is transferred",
            hint="name another recogniser, or --critic none",
        )


def _recognisers(asked: Asked, tell: Tell) -> tuple[Recogniser, Recogniser | None]:
    critic = asked.critic or (FISHERFACES if asked.pictures is None else NO_CRITIC)
    opened = (
        None if asked.endpoint == FISHERFACES else open_recogniser(asked.endpoint),
        None if critic in (FISHERFACES, NO_CRITIC) else open_recogniser(critic),
    )  # before anything is drawn, so that a wrong name is told at once
    if FISHERFACES in {asked.endpoint, critic}:
        tell("learning fisherfaces")
    service = opened[0] or _learn("grey", asked.size)
    second = _learn("gradients", asked.size) if critic == FISHERFACES else opened[1]
    if second is not None and second.identity == service.identity:
        raise HarnessError(
            f"--critic {critic} is the endpoint itself, so that nothing is transferred",
            hint="name another recogniser, or --critic none",
        )
    return service, second


def _learn(look: Look, size: int) -> Recogniser:
    """Fisherfaces of drawn people who are in neither the scored set nor the basis."""
    return learn_fisherfaces(
        drawn_people(_LEARNED_ON, seed=_LEARNERS[look], split="train", size=size, each=_EACH), look
    )


def _people(asked: Asked) -> People:
    if asked.pictures is not None:
        return folder_people(asked.pictures, size=asked.size, least=LEAST_PICTURES)
    return drawn_people(asked.people, seed=_VICTIMS, split="test", size=asked.size)


def _record(asked: Asked, inputs: AuditInputs, others: People) -> dict[str, Any]:
    """What determines the figures; no name of a person."""
    return {
        "schema": 1, "audit": "invert",
        "endpoint": {"name": inputs.service.name, "identity": inputs.service.identity},
        "critic": None if inputs.critic is None
        else {"name": inputs.critic.name, "identity": inputs.critic.identity},
        "pictures": "drawn" if asked.pictures is None else "declared consented",
        "people": {"count": len(inputs.people), "victims": inputs.victims, "digest": inputs.people.digest()},
        "basis": {
            "people": len(others), "pictures": sum(map(len, others.pictures)), "components": len(inputs.basis),
            "digest": others.digest(),
        },
        "size": asked.size, "defences": [one.name for one in inputs.defences], "attack": asked.attack.details(),
    }  # fmt: skip
