"""Training sets in which people of dark skin tones are rare, and sets balanced by tone and age; both photograph them too dark.

The gap that is planted: pictures of people of Monk's tones 8 to 10 are taken with four stops less light, as by a camera
that meters for light skin. Whether a model learns to read them depends on how many it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.affect_tiny.training.biased import TrainingSet
from harness.affect_tiny.training.dataset_cache import DRAWN_AT, refuse_test_faces, shrink
from harness.affect_tiny.training.landmarks import points_of
from harness.faces import BASIC_8, Face, Identity, Split, annotate, draw, face_at, identity_at
from harness.faces.balance import balanced
from harness.media.degrade import DEGRADATIONS, Chance, digest_of

Arm = Literal["unbalanced", "balanced"]
DARK_FROM = 8
"""The least tone that is photographed too dark."""
STOPS = 4
"""Stops of light that these pictures lack: the severity of `degrade:dark`."""
RARE = 40
"""In the unbalanced set one person in so many has such a tone."""
BY = ("skin_tone", "age_group")


def is_dark(person: Identity) -> bool:
    """Whether pictures of a person are taken too dark."""
    return person.skin_tone >= DARK_FROM


def photographed(face: Face) -> NDArray[np.uint8]:
    """The picture (side, side, 3) of a face, too dark where its person is."""
    return taken(draw(face, size=DRAWN_AT).pixels, dark=is_dark(face.identity))


def taken(pixels: NDArray[np.uint8], *, dark: bool) -> NDArray[np.uint8]:
    """A drawn picture as the camera takes it."""
    if not dark:
        return pixels
    image = Image.fromarray(pixels)
    own = digest_of(image)
    return np.asarray(DEGRADATIONS["dark"](image, STOPS, Chance(own, own)))


def people_of(arm: Arm, people: int, *, seed: int, split: Split = "train") -> list[int]:
    """Numbers of the people of a set, of one endless sequence: as many of each combination of tone and age as of any
    other, or one in RARE with a dark tone."""
    if arm == "balanced":
        size = len(BASIC_8)
        found = balanced(size * people, by=BY, emotions=size, seed=seed, split=split)
        return list(dict.fromkeys(index // size for index in found.indices))
    few = -(-people // RARE)
    wanted = Counter({True: few, False: people - few})
    chosen: list[int] = []
    for number in count():
        dark = is_dark(identity_at(number, seed=seed, split=split))
        if wanted[dark]:
            wanted[dark] -= 1
            chosen.append(number)
        if len(chosen) == people:
            return chosen
    raise AssertionError("the sequence is endless")


def drawn_set(
    people: Sequence[int], *, seed: int, side: int, labels: Sequence[str] = BASIC_8
) -> tuple[TrainingSet, NDArray[np.uint8]]:
    """Every person of the training split with every emotion: what is true, and pictures (n, side, side, 3).

    Raises HarnessError for a seed that is kept for evaluation.
    """
    refuse_test_faces(seed, "train")
    told: list[dict[str, Any]] = []
    seen: list[NDArray[np.uint8]] = []
    for face in faces_of(people, seed=seed, split="train", labels=labels):
        drawing = draw(face, size=DRAWN_AT)
        units = {str(u.number): [u.left, u.right] for u in face.units}
        truth = {**annotate(face, drawing), "units": units}
        told.append({**truth, "points": points_of(drawing.landmarks, DRAWN_AT)})
        seen.append(shrink(taken(drawing.pixels, dark=is_dark(face.identity)), side))
    return TrainingSet(np.arange(len(told)), tuple(told)), np.stack(seen)


def faces_of(
    people: Sequence[int], *, seed: int, split: Split, labels: Sequence[str]
) -> Iterator[Face]:
    """The faces of these people, each label once."""
    for person in people:
        for place in range(len(labels)):
            index = person * len(labels) + place
            yield face_at(index, seed=seed, split=split, labels=labels)
