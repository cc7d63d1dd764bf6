"""Ground truth of drawn pictures and clips, as plain JSON values."""

from __future__ import annotations

from typing import Any

from harness.faces.clip import ClipSpec
from harness.faces.face import Face
from harness.faces.paint import Drawing
from harness.faces.prototypes import COARSE, affect
from harness.faces.units import UNIT_TABLE, present


def annotate(face: Face, drawing: Drawing) -> dict[str, Any]:
    """Ground truth of one picture.

    Returns:
        emotion; valence and arousal in [-1, 1] (`harness.faces.prototypes`); action_units, FACS
        names in order of number; au_intensity, name to the stronger side's intensity in [0, 1];
        one entry per cue of `harness.faces.cues.CUE_VALUES`; subject, age_group, skin_tone
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
        (their number), subject, age_group, skin_tone, glasses.
    """
    shown = present(clip.apex_units)
    person = clip.rest.identity
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
        "subject": person.subject,
        "age_group": person.age_group,
        "skin_tone": person.skin_tone,
        "glasses": "no" if person.glasses == "none" else "yes",
    }
