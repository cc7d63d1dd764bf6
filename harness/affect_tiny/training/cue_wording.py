"""Questions about single cues and about the person, with their possible answers."""

from __future__ import annotations

from harness.faces import CUE_VALUES

CUE_ASKS: dict[str, tuple[str, ...]] = {
    "eyebrows": (
        "What is the position of the eyebrows?",
        "What is the eyebrow position?",
        "How are the eyebrows?",
        "How are the brows?",
        "What do the brows do?",
        "Describe the eyebrows.",
        "In which position are the brows?",
        "Are the eyebrows raised, lowered or neutral?",
        "Eyebrow position?",
        "eyebrows",
    ),
    "eyes": (
        "How are the eyes?",
        "How open are the eyes?",
        "What do the eyes do?",
        "Describe the eyes.",
        "Are the eyes wide, normal, narrowed or closed?",
        "What is the state of the eyes?",
        "Eye opening?",
        "eyes",
    ),
    "mouth": (
        "How is the mouth?",
        "What is the shape of the mouth?",
        "What does the mouth do?",
        "Describe the mouth.",
        "What is the mouth doing?",
        "Which shape has the mouth?",
        "Mouth shape?",
        "mouth",
    ),
    "teeth_visible": (
        "Are the teeth visible?",
        "Are teeth visible?",
        "Can you see teeth?",
        "Can you see the teeth?",
        "Does the face show teeth?",
        "Does {person} show teeth?",
        "Is this face showing any teeth?",
        "Are any teeth visible in the picture?",
        "Does the mouth show teeth?",
        "Are the teeth shown?",
        "Is {person} baring teeth?",
        "Teeth visible?",
        "teeth_visible",
    ),
    "cheeks": (
        "How are the cheeks?",
        "Are the cheeks raised or neutral?",
        "What do the cheeks do?",
        "Describe the cheeks.",
        "cheeks",
    ),
    "nose": (
        "How is the nose?",
        "Is the nose wrinkled or neutral?",
        "What does the nose do?",
        "Describe the nose.",
        "nose",
    ),
    "forehead": (
        "How is the forehead?",
        "Is the forehead lined or smooth?",
        "What does the forehead look like?",
        "Describe the forehead.",
        "forehead",
    ),
    "gaze": (
        "Where does {person} look?",
        "What is the direction of the gaze?",
        "Where is {person} looking?",
        "Gaze direction?",
        "gaze",
    ),
    "head_pose": (
        "What is the head pose?",
        "How is the head held?",
        "How is the head turned?",
        "Head pose?",
    ),
    "glasses": (
        "Does {person} wear glasses?",
        "Is {person} wearing glasses?",
        "Are there glasses on the face?",
        "Can you see glasses?",
        "Glasses?",
    ),
    "beard": (
        "What kind of beard does {person} have?",
        "Which beard does {person} wear?",
        "Facial hair?",
        "What facial hair is visible?",
    ),
    "age_group": (
        "How old is {person}?",
        "What is the age group of {person}?",
        "Estimate the age of {person}.",
        "Age group?",
    ),
}
"""Entry of an annotation to questions about it; the answer is the annotation's own word."""

CUE_ANSWERS: dict[str, tuple[str, ...]] = {
    **CUE_VALUES,
    "glasses": ("yes", "no"),
    "beard": ("none", "stubble", "moustache", "goatee", "full"),
    "age_group": ("18-29", "30-49", "50-69", "70+"),
}
NOT_GIVEN: dict[str, str] = {
    "eyebrows": "not visible",
    "eyes": "not visible",
    "mouth": "not visible",
    "teeth_visible": "unsure",
}
"""A further option that a list may hold and that is never right for a drawn face."""
WEIGHTS: dict[str, float] = {"teeth_visible": 3.0, "eyebrows": 2.0, "mouth": 1.5, "eyes": 1.2}
WEIGHTS |= {"head_pose": 0.3, "gaze": 0.4, "beard": 0.3, "age_group": 0.3, "glasses": 0.5}
"""How often a cue is asked about, where not 0.8."""

CUE_CHECKS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("eyebrows", ("raised",), ("Are the eyebrows raised?", "Are the brows raised?")),
    ("eyebrows", ("lowered",), ("Are the eyebrows lowered?", "Are the brows drawn down?")),
    (
        "eyebrows",
        ("inner-raised",),
        ("Are the inner ends of the brows raised?", "Are the inner brows raised?"),
    ),
    ("eyebrows", ("asymmetrical",), ("Are the brows asymmetrical?",)),
    ("eyes", ("wide",), ("Are the eyes wide open?", "Are the eyes wide?")),
    ("eyes", ("narrowed",), ("Are the eyes narrowed?", "Does {person} squint?")),
    ("eyes", ("closed",), ("Are the eyes closed?", "Are the eyes shut?")),
    ("mouth", ("open",), ("Is the mouth open?", "Is the mouth wide open?")),
    (
        "mouth",
        ("smile",),
        ("Is {person} smiling?", "Does {person} smile?", "Is the mouth a smile?"),
    ),
    ("mouth", ("frown",), ("Is the mouth a frown?", "Do the lip corners point down?")),
    ("mouth", ("pressed",), ("Are the lips pressed together?", "Are the lips pressed?")),
    ("cheeks", ("raised",), ("Are the cheeks raised?", "Are the cheeks lifted?")),
    ("nose", ("wrinkled",), ("Is the nose wrinkled?", "Does {person} wrinkle the nose?")),
    ("forehead", ("lined",), ("Is the forehead lined?", "Are there lines on the forehead?")),
    ("gaze", ("direct",), ("Does {person} look at the camera?", "Is the gaze direct?")),
    (
        "beard",
        ("stubble", "moustache", "goatee", "full"),
        ("Does {person} have a beard?", "Is there facial hair?"),
    ),
)
"""Annotation, the values that make it true, and yes/no questions."""

JSON_ASKS: tuple[str, ...] = (
    "Report this face as one JSON object with these keys, in this order:\n{schema}",
    "Fill this JSON schema for the face:\n{schema}",
    "Return JSON with these keys:\n{schema}",
    "Describe the face as JSON. Keys and values:\n{schema}",
    "Give one JSON object:\n{schema}",
    "Annotate the face. Reply with a JSON object that has these keys:\n{schema}",
)
JSON_SHORT: tuple[str, ...] = (
    "Report {keys} as JSON.",
    "Return a JSON object with the keys {keys}.",
    "Give {keys} of the face in JSON.",
    "Reply with JSON only: {keys}.",
    "JSON with {keys}, please.",
)
JSON_END: tuple[str, ...] = (
    "",
    "",
    "\nReply with the JSON object only.",
    "\nOutput valid JSON only.",
    "\nNo other text.",
    "\nDo not add explanations.",
)
REPORT_KEYS: tuple[str, ...] = (
    "emotion",
    "valence",
    "arousal",
    "teeth_visible",
    "eyebrows",
    "eyes",
    "mouth",
    "cheeks",
    "nose",
    "forehead",
)
PROSE: dict[str, dict[str, str]] = {
    "eyebrows": {
        "raised": "The brows are raised",
        "neutral": "The brows are at rest",
        "lowered": "The brows are lowered",
        "inner-raised": "The inner brows are raised",
        "asymmetrical": "The brows are uneven",
    },
    "eyes": {
        "wide": "the eyes are wide",
        "normal": "the eyes are at rest",
        "narrowed": "the eyes are narrowed",
        "closed": "the eyes are closed",
    },
    "nose": {"wrinkled": "The nose is wrinkled", "neutral": "The nose is at rest"},
    "cheeks": {"raised": "the cheeks are raised", "neutral": "the cheeks are at rest"},
    "mouth": {
        "smile": "the mouth is a smile",
        "neutral": "the mouth is at rest",
        "frown": "the mouth is a frown",
        "open": "the mouth is open",
        "pressed": "the lips are pressed",
        "pursed": "the lips are pursed",
    },
    "teeth_visible": {"yes": "the teeth show", "no": "no teeth show"},
}
"""Cue values in words that name no emotion."""
