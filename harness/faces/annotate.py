"""Ground truth of drawn pictures and clips, as plain JSON values."""

from __future__ import annotations

from typing import Any

from harness.faces.clip import ClipSpec
from harness.faces.face import Face, Identity
from harness.faces.long import LongSpec
from harness.faces.mixture import Mixture, mixed_affect
from harness.faces.paint import Drawing
from harness.faces.prototypes import COARSE, affect
from harness.faces.units import PRESENT_FLOOR, UNIT_TABLE, present


def annotate(face: Face, drawing: Drawing) -> dict[str, Any]:
    """Ground truth of one picture.

    Returns:
        emotion; valence and arousal in [-1, 1] (`harness.faces.prototypes`); action_units, FACS
        names in order of number; au_intensity, name to the stronger side's intensity in [0, 1];
        one entry per cue of `harness.faces.cues.CUE_VALUES`; subject, age (years), age_group, skin_tone
        (Monk, 1 to 10), glasses, beard, hair ("yes" or "no" and style names).
    """
    shown = present(face.units)
    valence, arousal = affect(face.emotion, face.units)
    person = face.identity
    return {
        "emotion": face.emotion,
        "valence": valence,
        "arousal": arousal,
        "action_units": [UNIT_TABLE[u.number].facs for u in shown],
        "au_intensity": {UNIT_TABLE[u.number].facs: u.peak for u in shown},
        **drawing.cues,
        "subject": person.subject,
        "age": person.years,
        "age_group": person.age_group,
        "skin_tone": person.skin_tone,
        "glasses": "no" if person.glasses == "none" else "yes",
        "beard": person.beard,
        "hair": person.hair_style,
    }


def annotate_clip(clip: ClipSpec) -> dict[str, Any]:
    """Ground truth of one clip.

    Returns:
        emotion (fine), coarse (negative, positive or surprise), action_units (MEGC names in order
        of number), au_intensity at the apex, onset, apex and offset (frames from 0), fps, frames
        (their number), subject, age (years), age_group, skin_tone, glasses.
    """
    shown = present(clip.apex_units)
    return {
        "emotion": clip.emotion,
        "coarse": COARSE[clip.emotion],
        "action_units": [UNIT_TABLE[u.number].megc for u in shown],
        "au_intensity": {UNIT_TABLE[u.number].megc: u.peak for u in shown},
        "onset": clip.onset,
        "apex": clip.apex,
        "offset": clip.offset,
        "fps": clip.fps,
        "frames": clip.frames,
        **_about(clip.rest.identity),
    }


def annotate_long(spec: LongSpec) -> dict[str, Any]:
    """Ground truth of one long video.

    Returns:
        events, in order, each with onset, apex and offset (frames from 0), type
        (micro-expression or macro-expression), emotion, coarse, action_units and au_intensity at
        the apex; expressions, micro_expressions and macro_expressions (their numbers); the
        distinct action_units over all events (MEGC names in order of number); blinks (onset and
        offset frames, no expressions); fps, frames (their number), seconds; subject, age, age_group,
        skin_tone, glasses.
    """
    peaks: dict[int, float] = {}
    for event in spec.events:
        for u in event.units:
            peaks[u.number] = max(u.peak, peaks.get(u.number, 0.0))
    events = [
        {
            "onset": event.onset,
            "apex": event.apex,
            "offset": event.offset,
            "type": event.kind,
            "emotion": event.emotion,
            "coarse": COARSE[event.emotion],
            "action_units": [UNIT_TABLE[u.number].megc for u in present(event.units)],
            "au_intensity": {UNIT_TABLE[u.number].megc: u.peak for u in present(event.units)},
        }
        for event in spec.events
    ]
    micro = sum(event.kind == "micro-expression" for event in spec.events)
    shown = sorted(n for n, peak in peaks.items() if peak >= PRESENT_FLOOR)
    return {
        "events": events,
        "expressions": len(events),
        "micro_expressions": micro,
        "macro_expressions": len(events) - micro,
        "action_units": [UNIT_TABLE[n].megc for n in shown],
        "blinks": [{"onset": b.onset, "offset": b.offset} for b in spec.blinks],
        "fps": spec.fps,
        "frames": spec.frames,
        "seconds": round(spec.frames / spec.fps, 3),
        **_about(spec.rest.identity),
    }


def annotate_mixture(mixture: Mixture, drawing: Drawing) -> dict[str, Any]:
    """Ground truth of one blended face: `annotate` with `soft_label`, emotion to share.

    Valence and arousal are the means of the two unblended expressions', weighted by share.
    """
    valence, arousal = mixed_affect(mixture)
    return {
        **annotate(mixture.face, drawing),
        "valence": valence,
        "arousal": arousal,
        "soft_label": mixture.soft_label,
    }


def _about(person: Identity) -> dict[str, Any]:
    return {
        "subject": person.subject,
        "age": person.years,
        "age_group": person.age_group,
        "skin_tone": person.skin_tone,
        "glasses": "no" if person.glasses == "none" else "yes",
    }
