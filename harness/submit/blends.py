"""Blends of one or two emotions: read from answers, from files in BLEMORE's layout, and from tables of truths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.answers.vocabulary import canonicaliser
from harness.core.errors import HarnessError
from harness.sources.blemore import CODES as SET_CODES
from harness.sources.blemore import salience
from harness.sources.cells import plain
from harness.sources.rows import TableFile, open_table
from harness.submit.choice import Given
from harness.submit.items import read_text, refuse_unnamed

CODES: Mapping[str, str] = MappingProxyType({label: code for code, label in SET_CODES.items()})
"""Emotion -> the challenge's name."""
SINGLE = 0.85
"""From this share on, the first emotion stands alone."""
DOMINANT = 0.6
"""From this share of the first two on, the first has a salience of 70; below, both have 50."""
FIELDS = ("emotion", "emotions")

Blend = Mapping[str, float]
"""Emotion code -> salience, per cent."""


def blend_of(given: Given) -> Blend | None:
    """The challenge's answer for what a reply says; None without a usable one."""
    table = canonicaliser(tuple(CODES))
    for name in FIELDS:
        answer = given.answers.get(name)
        if answer is None or answer.value is None:
            continue
        if answer.shares:
            shares = {
                label: share
                for told, share in answer.shares
                if (label := table.label(told)) is not None
            }
            return _of_shares(shares)
        told = [answer.value] if isinstance(answer.value, str) else answer.value
        if not isinstance(told, Iterable):
            return None
        names = [label for one in told if (label := table.label(str(one))) is not None]
        if len(names) == 1:
            return {CODES[names[0]]: 100.0}
        if len(names) == 2 and "neutral" not in names:
            return {CODES[one]: 50.0 for one in names}
        return None
    return None


def _of_shares(shares: Mapping[str, float]) -> Blend | None:
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or ranked[0][1] <= 0:
        return None
    first = ranked[0][0]
    others = [item for item in ranked if item[0] != "neutral" and item[1] > 0]
    if first == "neutral" or ranked[0][1] >= SINGLE or len(others) < 2:
        return {CODES[first]: 100.0}
    (one, large), (two, small) = others[:2]
    if large / (large + small) >= DOMINANT:
        return {CODES[one]: 70.0, CODES[two]: 30.0}
    return {CODES[one]: 50.0, CODES[two]: 50.0}


def read_clips(text: str, name: str) -> tuple[dict[str, Any], list[str]]:
    """Clip -> what is told of it, and clips named twice. Raises HarnessError where there is no object of clips."""
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                doubled.append(key)
            found[key] = value
        return found

    try:
        data = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        why = f" ({error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise HarnessError(f"{name}{place}: not JSON{why}", hint="use the template's layout") from None  # fmt: skip
    clips = data.get("predictions") if isinstance(data, dict) else None
    if not isinstance(clips, dict):
        raise HarnessError(f"{name} has no object `predictions`", hint="use the template's layout: {\"predictions\": {CLIP: [...]}}")  # fmt: skip
    return clips, doubled


def read_blend(told: Any) -> tuple[Blend, str]:
    """Saliences by emotion, and what is wrong with them; empty for nothing."""
    if not isinstance(told, list) or not 1 <= len(told) <= 2:
        return {}, "not a list of one or two emotions"
    found: dict[str, float] = {}
    for one in told:
        fault = _entry_fault(one, found)
        if fault:
            return {}, fault
        found[one["emotion"]] = float(one["salience"])
    if "neu" in found and len(found) == 2:
        return found, "neutral as part of a blend"
    if abs(sum(found.values()) - 100) > 0.5:
        return found, "saliences that do not add up to 100"
    return found, ""


def _entry_fault(one: Any, found: Blend) -> str:
    if not isinstance(one, dict) or set(one) != {"emotion", "salience"}:
        return "an entry is not an object of emotion and salience"
    emotion, salience = one["emotion"], one["salience"]
    if emotion not in CODES.values():
        return f"an emotion other than {', '.join(CODES.values())}"
    if (
        isinstance(salience, bool)
        or not isinstance(salience, (int, float))
        or not 0 < salience <= 100
    ):
        return "a salience that is not a number from 0 to 100"
    return "the same emotion twice" if emotion in found else ""


def rounded(blend: Blend) -> dict[str, int]:
    return {emotion: round(salience) for emotion, salience in blend.items()}


def true_blends(path: Path) -> dict[str, Blend]:
    """Clip -> its true blend. Raises HarnessError naming a clip that stands there twice or has no blend."""
    if path.suffix.lower() == ".json":
        clips, doubled = read_clips(read_text(path, "--truth"), path.name)
        if doubled:
            raise HarnessError(f"{path.name}: the clip {doubled[0]!r} appears twice", hint="keep one of them")  # fmt: skip
        return dict(_true(path, clips))
    rows = list(clip_table(path))
    names = [plain(row.cells["filename"]) for row in rows]
    refuse_unnamed(path.name, names, what="clip", column="filename")
    told = [{CODES[e]: share for e, share in salience(row).items()} for row in rows]
    return dict(zip(names, told, strict=True))


def _true(path: Path, clips: Mapping[str, Any]) -> Iterator[tuple[str, Blend]]:
    for clip, told in clips.items():
        blend, fault = read_blend(told)
        if fault:
            raise HarnessError(f"{path.name}, clip {clip!r}: {fault}", hint="correct the true answer, or remove the clip")  # fmt: skip
        yield clip, blend


def clip_table(path: Path) -> TableFile:
    """The data set's table of clips. Raises HarnessError where it lacks a column."""
    table = open_table(path)
    for column in ("filename", "emotion_1"):
        if column not in table.columns:
            raise HarnessError(f"{path.name} has no column {column!r}", hint="give filename, emotion_1, emotion_2, emotion_1_salience, emotion_2_salience")  # fmt: skip
    return table
