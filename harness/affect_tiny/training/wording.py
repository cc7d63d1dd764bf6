"""Phrases of the instruction grammar. Braces are placeholders."""

from __future__ import annotations

SYSTEMS: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are an expert in facial expressions.",
    "You are an expert judge of facial expressions.",
    "You annotate pictures of faces.",
    "You are a certified FACS coder.",
    "You are a careful annotator. Answer briefly.",
    "Look at the picture and answer the question.",
    "You are a psychologist who studies emotion.",
    "You describe faces accurately and concisely.",
    "Answer the question about the image.",
    "You are a vision assistant. Follow the instructions exactly.",
    "You are taking part in a study of facial expressions. Reply as asked.",
    "Judge the face, not the person.",
    "You are an emotion recognition system.",
    "You label data sets of facial expressions for researchers.",
    "Be concise.",
    "Please act as a facial expression classification expert.",
)
LEADS: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "",
    "",
    "Look at this face.\n",
    "Image: ",
    "Here is a picture of a face:\n",
    "Consider the face in this picture.\n",
    "Picture:\n",
    "Please look at the image.\n",
)
GAPS: tuple[str, ...] = ("\n", "\n", "\n", "", " ", "\n\n")
OPENERS: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "",
    "Please answer: ",
    "Question: ",
    "Look closely. ",
    "Now tell me: ",
    "Judge by the face alone. ",
    "Ignore who the person is. ",
    "Task: ",
    "As an expert, ",
    "Take a look at the picture. ",
)
CLOSERS: tuple[str, ...] = ("", "", "", "", " Thank you.", " Thanks!", " Be brief.", " Please.")
ROLES: tuple[str, ...] = (
    *("expert", "annotator", "psychologist", "coder", "rater", "assistant", "model", "classifier"),
    *(
        "researcher",
        "judge",
        "system",
        "specialist",
        "observer",
        "labeller",
        "program",
        "scientist",
    ),
)
OF: tuple[str, ...] = (
    *("", "", " of emotions", " of facial expressions", " of faces", " for pictures", " of images"),
    *(
        " in psychology",
        " for affective computing",
        " with long experience",
        " of non-verbal signals",
    ),
)
MANNER: tuple[str, ...] = (
    *("", "", "Reply briefly.", "Use few words.", "Answer exactly as asked.", "Be precise."),
    *("Follow the format.", "Never explain.", "Stay neutral.", "You see one picture at a time."),
    *("Base every answer on the image.", "Do as the user says.", "You reply in English."),
)

TOLD: tuple[str, ...] = (
    *("The user shows pictures of faces.", "You get a picture.", "For every picture:", "Job:"),
    *(
        "You read faces.",
        "Each message holds one face.",
        "This is your only task:",
        "Always do this:",
    ),
)
"""Openings of a system turn that holds the whole question."""
SENT: tuple[str, ...] = (
    "Here it is.",
    "Picture 3.",
    "Next one.",
    "This one.",
    "Please.",
    "?",
    "Image",
)
SENT += ("See above.", "Do it.", "Start.", "Now.", "And this?", "Reply now.", "Your answer?")
"""What a user sends whose question stands in the system turn."""

THING: tuple[str, ...] = ("emotion", "expression", "facial expression", "feeling", "mood", "affect")
THING += ("emotion", "emotional condition", "emotion class", "emotion category", "state of mind")
THING += (
    "emotional expression",
    "sentiment",
    "facial emotion",
    "expression class",
    "affective tone",
)
PERSON: tuple[str, ...] = (
    "he",
    "she",
    "this man",
    "this woman",
    "this individual",
    "the human",
    "the model",
    "the one shown",
    "the person in the photo",
    "the face in this photo",
    "the image",
    "this picture",
    "the person shown",
    "this face",
    "the face",
    "this person",
    "the person",
    "the person in the picture",
    "the face in the image",
    "the subject",
    "the face shown",
)
SHOW: tuple[str, ...] = ("show", "express", "display", "convey", "have", "wear", "communicate")
SHOWN: tuple[str, ...] = ("shown", "expressed", "displayed", "conveyed", "visible", "portrayed")

ONE_WORD: tuple[str, ...] = (
    "",
    "",
    " Answer with one word.",
    " Answer in one word.",
    " One word only.",
    " Reply with the label only.",
    " Answer with one word from the list.",
    " Answer with one word and nothing else.",
    " Give only the label.",
    " Do not explain.",
    " Respond with a single word.",
    " No explanation.",
    " Output the label only.",
    " One word.",
    " Just the word.",
    " Just one.",
    " Only the name.",
    " Nothing else.",
    " Answer:",
    " Label:",
    " In a single word.",
    " Use lower case.",
    " State the label and stop.",
    " No sentence.",
    " Short answer.",
)
LETTER_ASKS: tuple[str, ...] = (
    " Answer with the letter.",
    " Answer with the letter of the right option.",
    " Reply with one letter.",
    " Give only the letter.",
    " Which letter is right?",
    " Letter:",
    " Just the letter.",
    " Answer by letter.",
    " The letter, please.",
)
NUMBER_ASKS: tuple[str, ...] = (
    " Answer with the number.",
    " Answer with the number of the right option.",
    " Reply with one number.",
    " Give only the number.",
    " Which number is right?",
    " Number:",
    " Just the number.",
)
YES_NO: tuple[str, ...] = (
    "",
    "",
    "",
    " Answer yes or no.",
    " Yes or no?",
    " Reply with yes or no.",
    " Answer with yes or no only.",
    " Options: yes, no.",
    " Options: no, yes.",
    " (yes/no)",
)
IS_EMOTION: tuple[str, ...] = (
    "Does {person} {show} {noun}?",
    "Is {person} {adjective}?",
    "Does {person} look {adjective}?",
    "Is {noun} {shown} here?",
    "Is this a face of {noun}?",
    "Would you call {person} {adjective}?",
    "Is the {thing} of {person} {noun}?",
    "Can you see {noun} on {person}?",
    "Does {person} seem {adjective}?",
)
STEPS: tuple[str, ...] = (
    " Think step by step.",
    " Reason step by step before you answer.",
    " Explain what the brows, the eyes, the nose and the mouth do first.",
    " First describe the parts of the face, then decide.",
    " Give your reasoning first.",
    " Let's think step by step.",
)
LAST_LINE: tuple[str, ...] = (
    " End with one line in this form:\nAnswer: <label>",
    " End with a line 'Answer: <label>'.",
    " Finish with 'Answer: ' and one word.",
    " The last line must be: Answer: <one word>",
    "\nAnswer: <one word from this list>",
)
DESCRIBE: tuple[str, ...] = (
    "Describe this face.",
    "Describe {person} without naming an emotion.",
    "Describe the brows, the eyes, the nose, the cheeks and the mouth.",
    "What do the parts of the face do?",
    "Describe what you see on {person} in a few short sentences.",
    "Give a short description of {person}.",
    "What does the face look like? Do not name an emotion.",
    "Describe the facial features of {person}.",
    "Describe the facial movements of {person}.",
)
THEN_EMOTION: tuple[str, ...] = (
    "Going by your description, ",
    "Given that, ",
    "Based on the picture and the description: ",
    "So, ",
    "Now: ",
    "",
)
SCALES: tuple[tuple[float, float, int, str], ...] = (
    (-1.0, 1.0, 1, "from -1 to 1"),
    (-1.0, 1.0, 1, "between -1 and 1"),
    (-1.0, 1.0, 1, "on a scale from -1 to +1"),
    (-1.0, 1.0, 1, "in [-1, 1]"),
    (0.0, 1.0, 1, "from 0 to 1"),
    (0.0, 10.0, 0, "from 0 to 10"),
    (1.0, 9.0, 0, "from 1 to 9"),
    (0.0, 100.0, -1, "from 0 to 100"),
)
"""Low end, high end, decimals (-1: to the nearest ten) and wording."""
VALENCE: tuple[str, ...] = (
    "Rate the valence of {person} {scale}.",
    "What is the valence of {person}, {scale}?",
    "How positive or negative is the {thing} of {person}, {scale}?",
    "How pleasant does {person} feel, {scale}?",
    "Give the valence {scale}.",
    "Estimate valence {scale}.",
    "Valence {scale}?",
)
AROUSAL: tuple[str, ...] = (
    "Rate the arousal of {person} {scale}.",
    "What is the arousal of {person}, {scale}?",
    "How activated is {person}, {scale}?",
    "How calm or excited is {person}, {scale}?",
    "Give the arousal {scale}.",
    "Estimate arousal {scale}.",
    "Arousal {scale}?",
)
NUMBER: tuple[str, ...] = ("", "", " Answer with a number.", " Number only.", " Give one number.")
UNITS_ASK: tuple[str, ...] = (
    "Which action units are {shown}?",
    "Which action units does {person} show?",
    "List the action units of {person}.",
    "List all active action units.",
    "What are the action units?",
    "Name the FACS action units that you see.",
    "Code this face with FACS.",
    "Which facial action units are active?",
)
UNIT_ASK: tuple[str, ...] = (
    "Is the action unit {unit} shown on the face?",
    "Is {unit} present?",
    "Is {unit} visible on {person}?",
    "Does {person} show {unit}?",
    "Is action unit {unit} active?",
    "Can you see {unit}?",
)
CANNOT_TELL = "I cannot tell; the picture is blank."
"""What is said of a picture without a face, whatever is asked."""
NO_PICTURE = "I cannot tell; the tool gave no picture."
"""What is said where a tool that was needed shows nothing."""
