"""Parts from which the emotion question is built: speaker, wording, subject, answer format."""

from __future__ import annotations

from random import Random

EMOTION_ASKS: tuple[str, ...] = (
    "Which {thing} does {person} {show}?",
    "What {thing} does {person} {show}?",
    "What is the {thing} of {person}?",
    "Which {thing} is {shown} here?",
    "Which {thing} is {shown} by {person}?",
    "Name the {thing} {shown} by {person}.",
    "Identify the {thing} of {person}.",
    "Classify the {thing} of {person}.",
    "Classify the {thing}.",
    "Classify the facial expression.",
    "Recognise the {thing} in the picture.",
    "Determine the {thing} that {person} shows.",
    "Label the {thing} of {person}.",
    "How does {person} feel?",
    "How is {person} feeling?",
    "What is {person} feeling?",
    "What does {person} express?",
    "What does {person} show?",
    "Tell me the {thing} of {person}.",
    "Describe the {thing} of {person} in one word.",
    "Give the {thing} of {person}.",
    "What {thing} do you see on {person}?",
    "What {thing} can you see?",
    "What is the dominant {thing}?",
    "Which label describes the {thing} of {person} best?",
    "What best describes the {thing} of {person}?",
    "Choose the {thing} that fits {person} best.",
    "Assign one label to the {thing} of {person}.",
    "Predict the {thing} of {person}.",
    "Read the {thing} of {person}.",
    "Is there an {thing} on {person}, and which?",
    "Annotate the {thing}.",
    "Emotion?",
    "Which basic emotion does {person} {show}?",
    "Which of the basic emotions is {shown}?",
)
KIND: tuple[str, ...] = ("", "", "", "", "main ", "dominant ", "overall ", "visible ", "likely ")
KIND += ("facial ", "basic ", "strongest ", "apparent ", "current ", "underlying ")
VERBS: tuple[str, ...] = (
    *("name", "identify", "classify", "recognise", "recognize", "determine", "label", "give"),
    *("tell me", "read", "predict", "annotate", "report", "choose", "find", "detect", "judge"),
    *("infer", "estimate", "mark", "categorise", "categorize", "specify", "indicate", "say"),
    *("guess", "reveal", "code", "rate", "interpret", "assess", "evaluate"),
)
LINKS: tuple[str, ...] = (
    "of",
    "on",
    "shown by",
    "expressed by",
    "displayed by",
    "in",
    "visible on",
)
WISHES: tuple[str, ...] = (
    *("", "", "", "", "", "", "Please ", "Please ", "Can you ", "Could you ", "Will you "),
    *("You should ", "You have to ", "Try to ", "I want you to ", "I ask you to ", "Now "),
    *("Look at the image and ", "Look at the face and ", "Study the face, then ", "First, "),
    *("We need you to ", "Your task is to ", "The task is to ", "Help me to ", "As an expert, "),
)
NEEDS: tuple[str, ...] = (
    *("I want to know", "I need", "We are looking for", "We want", "This is about", "Let us find"),
    *("Tell me about", "I ask for", "The question is", "Of interest is", "Report on", "Think of"),
)
ASKS: tuple[str, ...] = (
    "Which {kind}{thing} does {person} {show}?",
    "What {kind}{thing} does {person} {show}?",
    "What is the {kind}{thing} of {person}?",
    "What's the {kind}{thing}?",
    "Which {kind}{thing} is {shown}?",
    "Which {kind}{thing} is {shown} here?",
    "Which {kind}{thing} is {shown} by {person}?",
    "Which {kind}{thing} do you see on {person}?",
    "What {kind}{thing} can you see?",
    "What {kind}{thing} is this?",
    "Which {kind}{thing} is it?",
    "Which {kind}{thing} fits {person} best?",
    "Which label describes the {thing} of {person} best?",
    "What best describes the {thing} of {person}?",
    "What best describes {person}?",
    "How does {person} feel?",
    "How does {person} look?",
    "How is {person} feeling?",
    "What is {person} feeling?",
    "What does {person} express?",
    "What does {person} show?",
    "What {kind}{thing} has {person}?",
    "With which {thing} does {person} look at us?",
    "Is there a {kind}{thing} on {person}, and which?",
    "The {kind}{thing} of {person} is",
    "The {kind}{thing} {shown} is:",
    "{kind}{thing} of {person}:",
    "{kind}{thing}:",
    "{kind}{thing}?",
    "{kind}{thing} classification.",
    "{kind}{thing} labelling.",
    "Subject: {kind}{thing}.",
    "One face, one {thing}.",
    "{person} feels",
    "{person} looks",
)
NOUNS: tuple[str, ...] = (
    *("labels", "options", "classes", "categories", "choices", "candidates", "answers", "words"),
    *("emotions", "feelings", "terms", "names", "possibilities", "alternatives", "expressions"),
)
TAKE: tuple[str, ...] = (
    *("choose", "choose one", "pick", "pick one", "select", "select one", "take one", "use one"),
    *("answer with one", "reply with one", "respond with one", "decide for one", "give one"),
    *("return one", "print one", "name one", "write one", "choose the best", "pick the right one"),
)
FROM: tuple[str, ...] = ("from", "of", "out of", "among", "from the list", "of these:", "from:")
FROM += ("from the following:", "of the following:", "from these {nouns}:", "of the {nouns}")
BEFORE: tuple[str, ...] = (
    "{Nouns}: {list}. ",
    "{Nouns} = {list}. ",
    "Given the {nouns} {list}, ",
    "Out of {list}, ",
    "Among {list}: ",
    "There are these {nouns}: {list}. ",
    "The {nouns} are {list}. ",
    "You know the {nouns} {list}. ",
    "{list}. ",
    "({list}) ",
    "{list}: ",
)
BEHIND: tuple[str, ...] = (
    " {Take} {from} {list}.",
    " {Take} {from} {list}.",
    " {Take} {from} {list}.",
    " {Take}: {list}.",
    " {Nouns}: {list}.",
    " {Nouns}: {list}",
    " {Nouns} = {list}",
    " The {nouns} are {list}.",
    " Possible {nouns}: {list}.",
    " Your answer must be one of {list}.",
    " It is one of {list}.",
    " It must be {list}.",
    " ({list})",
    " {list}",
    " {list}?",
    ": {list}?",
    ": {list}.",
    ", {list}?",
    " - {list}",
)
EITHER: tuple[str, ...] = (
    "Is {person} {list}?",
    "Is it {list}?",
    "Is the {thing} {list}?",
    "Does {person} {show} {list}?",
    "Does {person} look {list}?",
    "Do you see {list}?",
    "{list}?",
    "{list}",
    "{list}: which?",
    "{list}. Which one?",
    "What is it: {list}?",
    "Which of {list} is {shown}?",
    "Which of {list} fits {person}?",
    "Which one of {list} does {person} {show}?",
)
"""Questions in which the list itself stands."""


BULLET_ASKS: tuple[str, ...] = (
    "\nChoose one:\n{list}\n",
    "\nOptions:\n{list}\n",
    "\nThe labels are\n{list}\n",
    "\nPick from this list:\n{list}\n",
    "\n{list}\n",
)


def emotion_ask(rng: Random) -> str:
    """The question without a list; `{person}` and the like are still to be filled."""
    draw = rng.random()
    if draw < 0.3:
        return rng.choice(EMOTION_ASKS)
    kind = rng.choice(KIND)
    if draw < 0.65:
        text = rng.choice(ASKS).replace("{kind}", kind)
    elif draw < 0.93:
        link, verb, wish = rng.choice(LINKS), rng.choice(VERBS), rng.choice(WISHES)
        about = f" {link} {{person}}" if rng.random() < 0.75 else ""
        end = "?" if wish.split(" ")[0] in ("Can", "Could", "Will") else rng.choice((".", ".", ""))
        text = f"{wish}{verb} the {kind}{{thing}}{about}{end}"
    else:
        text = f"{rng.choice(NEEDS)} the {kind}{{thing}} of {{person}}."
    return text[:1].upper() + text[1:]


def with_list(rng: Random, ask: str, shown: str) -> str:
    """The question with a list of labels before or behind it."""
    nouns = rng.choice(NOUNS)
    before = rng.random() < 0.2
    frame = rng.choice(BEFORE if before else BEHIND)
    take = rng.choice(TAKE)
    frame = frame.replace("{from}", rng.choice(FROM)).replace("{Take}", take.capitalize())
    frame = frame.replace("{nouns}", nouns).replace("{Nouns}", nouns.capitalize())
    frame = frame.replace("{list}", shown)
    if before:
        lower = frame.endswith(", ") and ask[:1].isupper() and ask[1:2].islower()
        return frame + (ask[0].lower() + ask[1:] if lower else ask)
    return (ask.rstrip("?.: ") if frame[0] in ":," else ask) + frame
