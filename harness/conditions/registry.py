"""Conditions by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.conditions.chain import SIGN, Chain
from harness.conditions.family import ConditionFamily, Worded
from harness.conditions.joined import Joined
from harness.conditions.label_order import ORDERS
from harness.conditions.label_order import PREFIX as ORDER_PREFIX
from harness.conditions.shots import FORM as SHOTS_FORM
from harness.conditions.shots import MOST_SHOTS
from harness.conditions.sound import wants_sound
from harness.core.condition import Condition
from harness.core.errors import HarnessError
from harness.core.registry import Listed, Registry, call
from harness.core.sent_pictures import DETAIL, DETAILS, PIXELS

CONDITIONS = Registry(
    "condition",
    "harness.conditions",
    {
        "none": "harness.conditions.none:NONE",
        "blank": "harness.conditions.blank:BLANK",
        "audio": "harness.conditions.sound:AUDIO",
        "both": "harness.conditions.sound:BOTH",
        "picture": "harness.conditions.sound:PICTURE",
        "cue": "harness.conditions.cue:CUE",
        "degrade": "harness.conditions.degrade:DEGRADE",
        "enhance": "harness.conditions.enhance:ENHANCE",
        "face-crop": "harness.conditions.crop:FACE_CROP",
        "mix": "harness.conditions.mixture:MIX",
        "region": "harness.conditions.region:REGION",
        "region-control": "harness.conditions.region:REGION_CONTROL",
        "resize": "harness.conditions.resize:RESIZE",
        "all": "harness.conditions.frames:ALL",
        "apex": "harness.conditions.frames:APEX",
        "onset-apex-offset": "harness.conditions.frames:ONSET_APEX_OFFSET",
        "uniform-N": "harness.conditions.frames:UNIFORM",
        "around-apex-N": "harness.conditions.frames:AROUND_APEX",
        "contact-sheet": "harness.conditions.sheet:CONTACT_SHEET",
        "contact-sheet-N": "harness.conditions.sheet:SHEET_OF",
        "difference": "harness.conditions.motion:DIFFERENCE",
        "optical-flow": "harness.conditions.motion:OPTICAL_FLOW",
        "optical-flow-tvl1": "harness.conditions.motion:OPTICAL_FLOW_TVL1",
        "magnified-N": "harness.conditions.motion:MAGNIFIED",
        "video": "harness.conditions.video:VIDEO",
        "video-N": "harness.conditions.video:VIDEO_OF",
        "video-slowed-N": "harness.conditions.video:SLOWED",
    },
    expects=(Condition, ConditionFamily, Worded),
)
"""Name -> a Condition; a name that ends in `-N` -> a Family of them, one for each number; or a name -> the Worded family of
all that have words behind it and a colon."""

_NUMBERED = re.compile(r"(.+)-([0-9]{1,6}(?:\.[0-9]{1,3})?)", re.ASCII)


def load_condition(name: str) -> Condition:
    """The condition of that name: registered, one of a family (`uniform-8`, `resize:224`), several in a chain by `/`
    (each applied to what the one before it shows), or several joined by `+` (their pictures follow each other).

    Few-shot examples and label orders are no conditions of pictures: `read_presentation` takes them apart. Raises HarnessError listing the names there are, and for a parameter that does not suit.
    """
    if "+" in name:
        parts = tuple(load_condition(part) for part in name.split("+"))
        film = next((part.name for part in parts if needs_video(part)), None)
        if film is not None:
            raise HarnessError(
                f"condition {name}: {film} shows a clip as one video and cannot be combined",
                hint=f"run it as a condition of its own: --condition {film} --condition ...",
            )
        sound = next((part.name for part in parts if wants_sound(part)), None)
        if sound is not None:
            raise HarnessError(
                f"condition {name}: {sound} is about the sound of a sample and cannot be joined by +",
                hint="write picture changes before it: apex/both",
            )
        return Joined(name, parts)
    if SIGN in name:
        chained = tuple(load_condition(part) for part in name.split(SIGN))
        if any(part.name == "audio" for part in chained):
            raise HarnessError(
                f"condition {name}: audio shows no picture that another condition could change",
                hint="write --condition audio, or both in place of audio",
            )
        return Chain(name, chained)
    return _single(name)


def _single(name: str) -> Condition:
    """One that is neither joined nor a change of the prompt: registered, or one of a family."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered and f"{numbered[1]}-N" in CONDITIONS.names():
        family: ConditionFamily = CONDITIONS.load(f"{numbered[1]}-N")
        family.check(name, float(numbered[2]))
        return _made(family, name, float(numbered[2]))
    head, colon, words = name.partition(":")
    found: Condition | ConditionFamily | Worded = CONDITIONS.load(head if colon else name)
    if isinstance(found, Worded):
        if colon:
            return _made(found, name, words)
        if found.bare is None:
            raise HarnessError(
                f"condition {name}: a value is missing after it", hint=f"write {found.form}"
            )
        return found.bare
    if isinstance(found, ConditionFamily):
        raise HarnessError(
            f"condition {name}: replace N by a number", hint=found.description.split(": ")[-1]
        )
    if colon:
        raise HarnessError(f"condition {name}: {head} takes no value", hint=f"write {head}")
    return found


def _made(family: ConditionFamily | Worded, name: str, parameter: float | str) -> Condition:
    """The condition of a family. Raises HarnessError where another package's family makes none, or one of another name."""
    entry = CONDITIONS.entry(family.name)
    made: Condition = call(entry, family.make, name, parameter, expects=Condition)
    if made.name != name:
        raise HarnessError(
            f"{entry} returned a condition called {made.name!r} for {name!r}", hint=entry.remedy
        )
    return made


def needs_video(condition: Condition) -> bool:
    """Whether a condition shows clips as video."""
    return bool(getattr(condition, "needs_video", False))


def describe_conditions() -> Iterator[Listed]:
    """Each condition and family as it is written, with one line, sorted; label orders and few-shot examples too."""
    told = [
        Listed(SHOTS_FORM, f"N few-shot examples (at most {MOST_SHOTS}), if the prompt shows them: shots-4"),
        Listed(f"{PIXELS}0.25MP", "pictures of more pixels (width times height; any number) made smaller, none larger"),
        Listed(f"{DETAIL}low", f"how closely a server is asked to look at pictures: {', '.join(DETAILS)}"),
        Listed(f"{ORDER_PREFIX}ORDER", f"another order of the labels in the prompt: {ORDERS}"),
        *CONDITIONS.listed(),
    ]  # fmt: skip
    yield from sorted(told, key=lambda one: one.name)
