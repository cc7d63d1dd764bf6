"""Held-out wordings of the seven-label emotion question, never used in training."""

from __future__ import annotations

from dataclasses import dataclass

from harness.affect_tiny.training.exchange import PICTURE, Exchange
from harness.affect_tiny.training.labels import BASIC, FAMILIES


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask which of the seven emotions a face shows."""

    text: str
    system: str = ""
    before: bool = False
    """The question stands before the picture instead of behind it."""
    says: tuple[str, ...] = BASIC
    """What is answered for each of `BASIC`, in its order."""

    @property
    def name(self) -> str:
        """The wording in a line: what is asked, with the system turn before it."""
        text = " | ".join(part for part in (self.system, self.text) if part)
        return text.replace("\n", " ")

    def exchange(self, emotion: str) -> Exchange:
        """The wording as a conversation, with the answer for a face of this emotion."""
        lead, question = (PICTURE, "\n" + self.text)
        if self.before:
            lead, question = self.text + "\n" + PICTURE, ""
        return Exchange("exam", self.system, lead, question, self.says[BASIC.index(emotion)])


def _adjectives() -> tuple[str, ...]:
    return tuple(FAMILIES["adjective"][name] for name in BASIC)


_LIST = "anger, disgust, fear, happiness, sadness, surprise, neutral"
_BACK = "neutral, surprise, sadness, happiness, fear, disgust, anger"
_MIXED = "sadness, neutral, anger, surprise, fear, happiness, disgust"
_SLASHED = "fear/anger/neutral/happiness/disgust/sadness/surprise"
_STATES = "angry, disgusted, fearful, happy, sad, surprised, neutral"
_LETTERED = (
    "A = anger, B = disgust, C = fear, D = happiness, E = sadness, F = surprise, G = neutral"
)
_NUMBERED = "1 anger, 2 disgust, 3 fear, 4 happiness, 5 sadness, 6 surprise, 7 neutral"

_LISTED: tuple[str, ...] = (
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
    f"Match the face with a word: {_LIST}. Write only that word.",
    f"You see a face. Does it express {_LIST.replace(', neutral', ' or is it neutral')}?",
    f"Read the expression and write down the matching label out of: {_LIST}.",
    f"Work out the category. {_LIST}. Do not add anything else.",
    f"{_BACK}: one of these seven describes the sitter. Say which.",
    f"Decide between {_MIXED.replace(', disgust', ' and disgust')}.",
    f"Here are seven words ({_MIXED}). Only one belongs to this picture; return it.",
    f"Determine to which of the following groups the portrait belongs. {_BACK}",
    f"{_SLASHED}?",
    f"My colleague needs a tag for this image. Tags in use: {_SLASHED}",
    f"Would you be so kind as to tell me whether the person displays {_MIXED} at the moment?",
    f"Affective category of the depicted subject, chosen among {_LIST}, please.",
    f"Clinical note. Observed affect (one of {_BACK}):",
    f"Rating sheet, item 1. Tick one box: [ ] {_LIST.replace(', ', ' [ ] ')}",
    f"What is he or she going through? Your vocabulary is limited to {_LIST}.",
    f"Complete the sentence with a term from the list. List: {_MIXED}. The person shows ...",
    f"Expression of this one? ({_BACK})",
    f"Hi! Could you help me label my data? The classes are {_LIST}. What do I put for this sample?",
    f"Assume that the actor was told to play exactly one of {_MIXED}. Which instruction was given?",
    f"which emotion is it {_LIST.replace(',', '')}",
    f"please what is emotion of the face, from {_LIST}, i need only one",
    f"Wich emotion do you recognise in the pictur? Chose from {_LIST}",
    f"In this picture the person is having which feeling? {_MIXED}, only one is correct.",
    f"LABEL THE EXPRESSION. LABELS: {_LIST.upper()}. ANSWER IN LOWER CASE.",
    f"Set of admissible outputs: {{{_LIST}}}. Input: the image above. Output:",
    f"Your job is simple: look, then type one of {_BACK}.",
    "Sort the face into a bin.\nBins:\n* " + _BACK.replace(", ", "\n* "),
    "Pick exactly one item of this menu, according to the face.\n" + _MIXED.replace(", ", "\n"),
    f"Considering mouth, eyes and brows altogether, settle on one entry of [{_LIST}].",
    f"A photographer asked for a certain mood. Was it {_LIST.replace(', neutral', ', or neutral')}?",
    f"Give a verdict on the facial display; the verdict must be among: {_BACK}.",
    f"Zero-shot classification. Candidate classes = {_SLASHED}. Prediction =",
    f"Without any explanation, name the entry of this list that the image illustrates: {_MIXED}.",
    f"How would people call this expression? {_LIST}; take the most likely one.",
)
_OPEN: tuple[str, ...] = (
    "What emotion is on display?",
    "Could you say what this person seems to feel? One word, please.",
    "Summarise the emotional expression with a single noun.",
    "In one word, the emotion here is?",
    "Put a name to this emotion.",
    "What would you call the emotion in this portrait?",
    "Which feeling can be read from these features?",
    "Emotional expression of the sitter, as a noun:",
    "Be so good as to state the emotion that you perceive.",
)
_OTHER: tuple[Wording, ...] = (
    Wording(f"Which of these is shown in the next image: {_LIST}?", before=True),
    Wording(f"I will send you a portrait. Reply with its emotion ({_BACK}).", before=True),
    Wording(f"Options -> {_MIXED}. The image to be judged:", before=True),
    Wording("Name the emotion in the photo that comes now.", before=True),
    Wording(
        f"Please code the image with one of {_MIXED}.",
        system="You are an experienced annotator in an affective computing laboratory.",
    ),
    Wording(
        f"Output one of {_LIST}.",
        system="The user sends portraits. Your output: the portrait's emotion, one word.",
    ),
    Wording(
        "Go.",
        system=f"You classify portraits into {_LIST}. Whatever the user writes, send the class.",
    ),
    Wording(f"The person must be one of {_STATES}. Which?", says=_adjectives()),
    Wording(f"How is this human doing: {_STATES}? Just the adjective.", says=_adjectives()),
    Wording(
        f"Multiple choice test: what does the face tell us? {_LETTERED}. Write the letter only.",
        says=tuple("ABCDEFG"),
    ),
    Wording(
        f"Which number describes the emotion? {_NUMBERED}. Write the number only.",
        says=tuple("1234567"),
    ),
)
EXAM: tuple[Wording, ...] = (
    *(Wording(text) for text in (*_LISTED, *_OPEN)),
    *_OTHER,
)
"""None of these, nor its frame, stands in the training grammar."""
