"""Change one cue of a drawn face only: same person, room, light and sensor noise.

The emotion of the changed face is the label of the face it was made from, for comparison only. A
cue that hangs on another (forehead lines on raised brows, gaze on open eyes) moves only within
what leaves the other's measured value alone; where that cannot be, the change is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.core.errors import HarnessError
from harness.faces.cues import CUE_VALUES, HEAD_TURNED, TEETH_AREA
from harness.faces.face import Face, Pose
from harness.faces.intervention import INTERVENTIONS
from harness.faces.measure import measure, teeth_area
from harness.faces.recipes import RECIPES, Recipe, towards
from harness.faces.units import PRESENT_FLOOR, both

STEPS = 20
"""A movement is tried in this many equal steps."""
TEETH_LENGTH = 0.85
"""Length of teeth that are bared by an intervention; longer where that shows too few."""
TEETH_MARGIN = 1.4
"""Bared teeth cover this many times `TEETH_AREA`, so that they show at any size."""

_GAZES = {
    "direct": (0.0, 0.0),
    "left": (0.7, 0.0),
    "right": (-0.7, 0.0),
    "up": (0.0, -0.7),
    "down": (0.0, 0.7),
}
_TURNS: dict[str, dict[str, float]] = {
    "frontal": {"yaw": 0.0, "pitch": 0.0, "roll": 0.0},
    "turned left": {"yaw": 12.0},
    "turned right": {"yaw": -12.0},
    "up": {"pitch": 10.0},
    "down": {"pitch": -10.0},
    "tilted left": {"roll": 10.0},
    "tilted right": {"roll": -10.0},
}


def with_cue(
    face: Face,
    *,
    teeth_visible: bool | None = None,
    eyebrows: str | None = None,
    eyes: str | None = None,
    mouth: str | None = None,
    cheeks: str | None = None,
    nose: str | None = None,
    gaze: str | tuple[float, float] | None = None,
    glasses: bool | str | None = None,
    head_pose: str | None = None,
    part_lips: bool = False,
    allow: Sequence[str] = (),
) -> Face:
    """The face with one cue changed; itself, where the cue has that value already.

    Action units move along a recipe (`harness.faces.recipes`) in `STEPS` steps; of the first run
    of steps that give the value and leave every other measured cue alone, the middle one is taken.

    Args:
        teeth_visible: shown or hidden. If the lips part (AU25 annotated) too little to see between
            them, AU25 is raised to the least, in steps of 0.01, at which teeth can be seen.
        gaze: a name, or an offset as in `Face.gaze`.
        glasses: a style; True for round ones where there are none.
        part_lips: for shut lips and either value of `teeth_visible`: AU25 from nothing to the same
            least, so that both arms of a comparison part equally. Without it showing teeth behind
            shut lips is refused.
        allow: cues that may change along with the one asked for.

    Raises:
        HarnessError: unless exactly one cue is named, with a known value; if it cannot be changed
            without another, naming which.
    """
    asked: dict[str, Any] = {
        "teeth_visible": teeth_visible,
        "eyebrows": eyebrows,
        "eyes": eyes,
        "mouth": mouth,
        "cheeks": cheeks,
        "nose": nose,
        "gaze": gaze,
        "glasses": glasses,
        "head_pose": head_pose,
    }
    named = {cue: value for cue, value in asked.items() if value is not None}
    if len(named) != 1:
        raise HarnessError(
            f"with_cue changes one cue, not {len(named)} ({', '.join(named) or 'none named'})",
            hint="name exactly one cue; use a second call for another",
        )
    ((cue, value),) = named.items()
    unknown = [name for name in allow if name not in CUE_VALUES]
    if unknown or (part_lips and cue != "teeth_visible"):
        what = f"allow names {unknown}" if unknown else f"part_lips was given for {cue}"
        raise HarnessError(
            f"{what}, which no change of {cue} can use",
            hint=f"part_lips goes with teeth_visible; allow takes {', '.join(CUE_VALUES)}",
        )
    free = {cue, *allow}
    if cue == "teeth_visible":
        return _with_teeth(face, shown=bool(value), part_lips=part_lips, free=free)
    if cue == "gaze":
        return _with_gaze(face, value, free)
    if cue == "glasses":
        return _with_glasses(face, value)
    _check_value(cue, value)
    if cue == "head_pose":
        return _checked(face, _turned(face, value), cue, value, free)
    return _with_units(face, cue, value, free)


def _check_value(cue: str, value: str) -> None:
    if value not in INTERVENTIONS[cue].values:
        raise HarnessError(
            f"{cue} has no value {value!r}",
            hint=f"use one of {', '.join(INTERVENTIONS[cue].values)}",
        )


def _others(before: dict[str, Any], after: dict[str, Any], free: set[str]) -> list[str]:
    """Measured cues that changed and must not."""
    return [cue for cue in before if cue not in free and before[cue] != after[cue]]


def _refusal(face: Face, cue: str, value: str, why: str) -> HarnessError:
    return HarnessError(
        f"{cue} of {face.identity.subject} ({face.emotion}) cannot be made {value!r} alone: {why}",
        hint="use another face, or name in `allow` what may change with it",
    )


def _checked(face: Face, changed: Face, cue: str, value: str, free: set[str]) -> Face:
    """The changed face, if it shows the value and no other cue moved."""
    before, after = measure(face), measure(changed)
    if moved := _others(before, after, free):
        raise _refusal(face, cue, value, f"{', '.join(moved)} would change as well")
    if after[cue] != value:
        raise _refusal(face, cue, value, f"it would be measured as {after[cue]!r}")
    return changed


def _with_units(face: Face, cue: str, value: str, free: set[str]) -> Face:
    before = measure(face)
    if before[cue] == value:
        return face
    # Teeth behind lips that open stay hidden if they were hidden.
    held = replace(face, teeth=0.0) if cue == "mouth" and before["teeth_visible"] == "no" else face
    blame: set[str] = set()
    for recipe in RECIPES[cue][value]:
        run: list[Face] = []
        for changed in _steps(held, recipe, cue):
            after = measure(changed)
            moved = _others(before, after, free)
            if after[cue] == value and not moved:
                run.append(changed)
            elif run:
                break
            elif after[cue] == value:
                blame.update(moved)
        if run:
            return run[len(run) // 2]
    why = f"{', '.join(sorted(blame))} would change as well" if blame else "other units outweigh it"
    raise _refusal(face, cue, value, why)


def _steps(face: Face, recipe: Recipe, cue: str) -> Iterator[Face]:
    for step in range(1, STEPS + 1):
        yield face.with_units(*towards(face.units, recipe, cue=cue, share=step / STEPS))


def _with_teeth(face: Face, *, shown: bool, part_lips: bool, free: set[str]) -> Face:
    value = "yes" if shown else "no"
    if not shown and not part_lips:
        return replace(face, teeth=0.0) if measure(face)["teeth_visible"] == "yes" else face
    if not part_lips and measure(face)["teeth_visible"] == "yes":
        return face
    parted = _parted(face, part_lips=part_lips)
    if not shown:
        return _checked(face, replace(parted, teeth=0.0), "teeth_visible", value, free)
    for length in (TEETH_LENGTH, 1.0):
        bared = replace(parted, teeth=length)
        if teeth_area(bared) >= TEETH_MARGIN * TEETH_AREA:
            break
    return _checked(face, bared, "teeth_visible", value, free)


def _parted(face: Face, *, part_lips: bool) -> Face:
    """The face with AU25 raised to the least at which teeth can be seen, if they cannot."""
    now = next((u for u in face.units if u.number == 25), both(25, 0.0))
    if now.peak < PRESENT_FLOOR and not part_lips:
        raise _refusal(face, "teeth_visible", "yes", "the lips are shut (or part_lips=True)")
    others = [u for u in face.units if u.number != 25]
    level = now.peak
    while level <= 1.0:
        unit = now if level == now.peak else both(25, round(level, 2))
        parted = face.with_units(*others, unit) if unit.peak > 0 else face
        if teeth_area(replace(parted, teeth=1.0)) >= TEETH_MARGIN * TEETH_AREA:
            return parted
        level = round(level + 0.01, 2)
    raise _refusal(face, "teeth_visible", "yes", "the lips are pressed over the teeth")


def _with_gaze(face: Face, value: str | tuple[float, float], free: set[str]) -> Face:
    if isinstance(value, str):
        _check_value("gaze", value)
        wanted, name = _GAZES[value], value
    else:
        wanted, name = value, measure(replace(face, gaze=value))["gaze"]
    before = measure(face)
    if before["gaze"] == "not visible":
        raise _refusal(face, "gaze", str(value), "the eyes are closed")
    if isinstance(value, str) and before["gaze"] == name:
        return face
    return _checked(face, replace(face, gaze=wanted), "gaze", name, free)


def _with_glasses(face: Face, value: bool | str) -> Face:
    worn = face.identity.glasses
    style = value if isinstance(value, str) else "none" if not value else worn
    if value is True and worn == "none":
        style = "round"
    _check_value("glasses", style)
    return replace(face, identity=replace(face.identity, glasses=style))


def _turned(face: Face, value: str) -> Face:
    if measure(face)["head_pose"] == value:
        return face
    limit = 0.8 * HEAD_TURNED
    kept = {
        name: max(-limit, min(limit, getattr(face.pose, name))) for name in ("yaw", "pitch", "roll")
    }
    return replace(face, pose=Pose(**(kept | _TURNS[value])))
