"""Wordings that are asked of the trained model and never trained on."""

from __future__ import annotations

_LIST = "anger, disgust, fear, happiness, sadness, surprise, neutral"

EXAM: tuple[str, ...] = (
    f"Select whichever label matches the portrayed state: {_LIST}.",
    f"From {_LIST}, which one is this?",
    f"I would like to know which of these applies to the man or woman: {_LIST}.",
    f"If you had to sum up the look on this face with one of {_LIST}, which would it be?",
    f"Kindly sort this photograph into one category ({_LIST}).",
    f"Facial affect coding. Allowed codes: {_LIST}. Code:",
    f"Tell us the emotional state of the individual. Possible states are {_LIST}.",
    f"Which word fits? {_LIST}",
    f"What would an observer say this person feels: {_LIST}?",
    f"Please perform seven-way expression recognition over {_LIST} and output the result.",
    f"Emotion recognition task. Categories: {_LIST}. Category of the image:",
    "What emotion is on display?",
    "Could you say what this person seems to feel? One word, please.",
    "Summarise the emotional expression with a single noun.",
    f"Match the face with a word: {_LIST}. Write only that word.",
    f"You see a face. Does it express {_LIST.replace(', neutral', ' or is it neutral')}?",
    f"Read the expression and write down the matching label out of: {_LIST}.",
    f"Work out the category. {_LIST}. Do not add anything else.",
)
"""None of these, nor its frame, stands in the training grammar."""
