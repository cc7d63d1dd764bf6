"""Questions about and events of a drawn long video, in the form of ME-LVQA and ME-STR."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from harness.core.errors import HarnessError
from harness.faces.annotate import annotate_long
from harness.faces.long import EventKind, LongSpec

COUNT_QUESTION = "How many expression events appear in this video?"
MICRO_QUESTION = "How many micro-expression events appear in this video?"
MACRO_QUESTION = "How many macro-expression events appear in this video?"
UNITS_QUESTION = "What distinct action units appear in this video?"
TYPE_QUESTION = "What is the expression type of the {nth} expression event in this video?"


def lvqa_rows(spec: LongSpec, video: str) -> list[dict[str, str]]:
    """Six rows: three counts, the distinct action units, the type of two events.

    Keys in the order of the ME-LVQA files: video_id, video, question, answer. The two events are
    drawn from the video's name; a video of one event has five rows, of none four.
    """
    truth = annotate_long(spec)
    parts = np.random.SeedSequence([zlib.crc32(video.encode()), spec.rest.nuisance.seed])
    rng = np.random.Generator(np.random.PCG64(parts))
    events = truth["events"]
    asked = sorted(rng.permutation(len(events))[:2].tolist())
    pairs = [
        (COUNT_QUESTION, str(truth["expressions"])),
        (MICRO_QUESTION, str(truth["micro_expressions"])),
        (MACRO_QUESTION, str(truth["macro_expressions"])),
        (UNITS_QUESTION, ", ".join(truth["action_units"])),
        *((TYPE_QUESTION.format(nth=ordinal(n + 1)), events[n]["type"]) for n in asked),
    ]
    return [
        {"video_id": f"{video}_{number}", "video": video, "question": question, "answer": answer}
        for number, (question, answer) in enumerate(pairs, start=1)
    ]


def str_rows(
    spec: LongSpec,
    video: str,
    *,
    kinds: Sequence[EventKind] = ("micro-expression",),
    coarse: bool = False,
) -> list[dict[str, str | int]]:
    """Events as ME-STR tables hold them: subject, video, onset, offset (frames from 0), emotion.

    Args:
        kinds: ME-STR spots micro-expressions; name both kinds for all events.
        coarse: negative, positive or surprise instead of the emotion.
    """
    truth = annotate_long(spec)
    return [
        {
            "subject": truth["subject"],
            "video": video,
            "onset": event["onset"],
            "offset": event["offset"],
            "emotion": event["coarse" if coarse else "emotion"],
        }
        for event in truth["events"]
        if event["type"] in kinds
    ]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ...; numbers from 1.

    Raises:
        HarnessError: for a number below 1.
    """
    if number < 1:
        raise HarnessError(f"there is no event number {number}", hint="count events from 1")
    last = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{last or 'th'}"
