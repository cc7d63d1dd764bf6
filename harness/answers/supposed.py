"""Detect questions and hypotheticals, which name a label without claiming it.

"Is she happy?", "Do you want me to look for sadness?", "If he were smiling it would be happiness",
"Fear would need wider eyes", "One would expect sadness" name a label and claim nothing. "If I had
to choose, fear" does claim, and so does a guess with a question mark ("perhaps fear?").
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from harness.answers.tokens import Token
from harness.answers.words import BREAKS

Verdict: TypeAlias = Literal["supposed", "aside"]

_TRIGGERS = frozenset((
    "?", "whether", "people", "supposing", "provided", "if", "would", "unless", "had", "were", "could", "expect", "expected", "usually", "typically",
    "often", "generally", "commonly", "normally", "assuming", "told", "say", "case", "event", "when", "whenever", "another", "suppose", "imagine", "might", "'d",
))  # fmt: skip
_CONTRASTS = frozenset(("but", "however", "although", "though", "while", "whereas", "yet"))
_FORCED = frozenset((
    "must", "forced", "pressed", "pushed", "asked", "choose", "pick", "guess", "need", "needed",
    "answer", "say", "select", "decide", "name", "label", "force", "press",
))  # fmt: skip
_UNREAL = frozenset(("would", "could", "might", "wouldn't"))
_HEDGES = frozenset((
    "maybe", "perhaps", "probably", "possibly", "looks", "seems", "appears", "guess", "think",
    "right", "likely", "say", "assume", "suppose", "believe", "no",
))  # fmt: skip
_ASKING = frozenset((
    "is", "are", "was", "does", "do", "did", "can", "could", "would", "should", "shall", "may",
    "what", "which", "who", "why", "how", "whether", "will", "has", "have", "isn't", "aren't",
))  # fmt: skip
_YES = frozenset(
    ("yes", "yeah", "yep", "indeed", "definitely", "certainly", "absolutely", "correct")
)
_FITTING = frozenset((
    "be", "fit", "fits", "best", "describe", "suit", "make", "seem", "still", "match", "win", "say",
    "probably", "likely", "also", "apply",
))  # fmt: skip
_REAL = frozenset((("if", "anything"), ("as", "if"), ("if", "you"), ("even", "if"), ("if", "any")))
_PERSONS = frozenset(("he", "she", "they", "it", "his", "her", "their"))
_OTHERS = frozenset(
    [("was", "told"), ("some", "say"), ("they", "say"), ("people", "say"), ("others", "say")]
    + [
        (who, modal)
        for who in ("some", "many", "others", "people", "one")
        for modal in ("would", "might", "could")
    ]
)
"""What others say or would say."""
_BEARERS = frozenset(("person", "face", "expression", "look", "smile", "individual", "people"))
_TAKING = frozenset(("take", "need", "require"))
_RULES = frozenset(("usually", "typically", "often", "generally", "commonly", "normally"))
_MEANING = frozenset((
    "mean", "means", "signal", "signals", "indicate", "indicates", "suggest", "suggests", "express",
    "expresses", "denote", "denotes", "accompany", "accompanies", "show", "shows", "imply", "implies",
    "point", "points", "goes", "go", "reflect", "reflects", "convey", "conveys",
))  # fmt: skip
_CALLED = ("said", "picked", "guessed", "chosen", "called", "thought", "answered", "labelled", "labeled")  # fmt: skip
_POINTING = frozenset(("which", "this", "these", "that", "here", "such", "both", "what", "i", "the", "her", "his", "their"))  # fmt: skip
"""What a general sentence is about is here."""
_ANYBODY = frozenset(("people", "someone", "somebody", "humans", "one", "we", "anyone", "persons"))
_OBJECTS = frozenset(("he", "she", "they", "the", "a", "an", "someone", "somebody", "there", "this", "that"))  # fmt: skip
_SHOWING = frozenset((
    "would", "shows", "show", "involves", "involve", "requires", "require", "appears", "has",
    "means", "needs", "tends", "includes", "looks", "presents", "is", "comes", "features",
))  # fmt: skip


class Clauses:
    """The sentences and clauses of a reply, found only where something might be supposed."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._needed = any(t.word in _TRIGGERS for t in tokens)
        self._ends: list[int] = []
        self._cuts: list[int] = []
        self._known: dict[tuple[int, int], Verdict | None] = {}
        if self._needed:
            self._ends = [i for i, t in enumerate(tokens) if t.word in BREAKS]
            self._cuts = [
                i for i, t in enumerate(tokens) if t.word in BREAKS or t.word in _CONTRASTS
            ]

    def verdict(self, span: tuple[int, int]) -> Verdict | None:
        """What the sentence around a mention makes of it; None where it claims it."""
        if not self._needed:
            return None
        first, end = self._around(span[0], self._ends)
        if end < len(self._tokens) and self._tokens[end].word == "?":
            return self._remembered((first, end), self._asked)
        if self._as_rule(span) or self._embedded(span):
            return "supposed"
        general = self._in_general(span)
        if general is not None:
            return general
        return self._remembered(self._around(span[0], self._cuts), self._unreal)

    def _around(self, place: int, marks: Sequence[int]) -> tuple[int, int]:
        after = bisect_right(marks, place)
        first = marks[after - 1] + 1 if after else 0
        return first, marks[after] if after < len(marks) else len(self._tokens)

    def _remembered(
        self, bounds: tuple[int, int], rule: Callable[[int, int], Verdict | None]
    ) -> Verdict | None:
        if bounds not in self._known:
            self._known[bounds] = rule(*bounds)
        return self._known[bounds]

    def _asked(self, first: int, end: int) -> Verdict:
        """A question: its answer is yes, or it is a guess, or nobody says anything."""
        following = [t.word for t in self._tokens[end + 1 : end + 5]]
        if following and (following[0] in _YES or following[:3] == ["i", "think", "so"]):
            return "aside"
        words = [t.word for t in self._tokens[first:end] if t.word[0].isalnum()]
        if len(words) <= 1 and following and not _HEDGES & set(following):
            return "supposed" if following != ["\n"] else "aside"
        if words and words[0] in _ASKING and words[0] != "maybe":
            return "supposed"
        if any(pair in itertools.pairwise(words) for pair in (("do", "you"), ("you", "mean"), ("would", "you"), ("should", "i"))):  # fmt: skip
            return "supposed"
        if "whether" in words:
            return "supposed"
        return "aside" if len(words) <= 1 or any(w in _HEDGES for w in words) else "supposed"

    def _as_rule(self, span: tuple[int, int]) -> bool:
        """ "fear usually shows", "anger would need lowered brows"."""
        words = [t.word for t in self._tokens[span[1] + 1 : span[1] + 3]]
        if len(words) < 2:
            return False
        if words[0] == "people" and (not span[0] or self._tokens[span[0] - 1].word in BREAKS):
            return True
        if words[0] in _RULES:
            return words[1] in _SHOWING
        if words[0] in _BEARERS:
            words = [t.word for t in self._tokens[span[1] + 2 : span[1] + 4]] or [""]
            return words[0] == "would" and words[-1] not in _FITTING
        return words[0] == "would" and words[1] not in _FITTING and words[1][0].isalnum()

    def _in_general(self, span: tuple[int, int]) -> Verdict | None:
        """ "a frown usually means anger" claims nothing; "raised brows often signal surprise" does, where nothing
        else is claimed, and "..., which usually indicates fear" does."""
        first, _ = self._around(span[0], self._cuts)
        words = [t.word for t in self._tokens[max(first, span[0] - 12) : span[0]]]
        if words[:1] in (["a"], ["an"]) and "would" in words and _MEANING & set(words):
            return "supposed"
        at = next((k for k, pair in enumerate(itertools.pairwise(words)) if pair[0] in _RULES and pair[1] in _MEANING), -1)  # fmt: skip
        if at < 0 or set(words[:at]) & _POINTING:
            return None
        return "supposed" if words[0] in ("a", "an") else "aside"

    def _embedded(self, span: tuple[int, int]) -> bool:
        """ "whether she is happy", "in a happy face the cheeks would be raised"."""
        first, end = self._around(span[0], self._cuts)
        before = [t.word for t in self._tokens[max(first, span[0] - 16) : span[0]]]
        if "whether" in before:
            return True
        if before[-2:-1] == ["in"] and before[-1] in ("a", "an"):
            return any(t.word == "would" for t in self._tokens[span[1] : min(end, span[1] + 12)])
        return False

    def _unreal(self, first: int, end: int) -> Verdict | None:  # noqa: PLR0911
        """A condition that is not said to hold, and what would follow from it."""
        words = [t.word for t in self._tokens[first : min(end, first + 60)]]
        known = set(words)
        lead = next((w for w in words if w[0].isalnum()), "")
        unreal = bool(known & _UNREAL) or any(w.endswith("'d") for w in words)
        condition = bool(
            known & {"if", "unless", "assuming", "imagine", "suppose", "supposing", "provided"}
        )
        inverted = lead in ("had", "were", "should") or _had_it_been(words)
        inverted = inverted or (lead == "would" and words.count("would") > 1)
        if condition and (_forced(words) or _real(words)):
            return None
        if lead in ("when", "whenever") and _next_to(words, lead) in _ANYBODY:
            return "supposed"
        if lead in ("suppose", "supposing", "imagine") or words[:2] == ["if", "only"]:
            return "supposed"
        if unreal and ("in", "another") in itertools.pairwise(words):
            return "supposed"
        if not {("in", "case"), ("the", "event")}.isdisjoint(itertools.pairwise(words)):
            return "supposed"
        if lead == "if" and _open(words):
            return "supposed"
        if (unreal and (condition or inverted)) or ("if" in known and "were" in known):
            return "supposed"
        pairs = set(itertools.pairwise(words))
        if unreal and any(("have", word) in pairs for word in _CALLED):
            return "supposed"
        if lead in ("it", "that", "this") and any(("would", w) in pairs for w in _TAKING):
            return "supposed"
        if ("for", "this") in pairs or ("for", "it") in pairs or ("in", "order") in pairs:
            return "supposed" if known & {"would", "need", "needs", "must", "should"} else None
        if (unreal and "expect" in known and lead != "as") or not pairs.isdisjoint(_OTHERS):
            return "supposed"
        if (
            "would" in known
            and (lead.endswith("ing") or lead == "to")
            and ("i", "would") not in pairs
        ):
            return "supposed"
        return "supposed" if "would" in known and ("have", "been") in pairs else None


def _next_to(words: Sequence[str], word: str) -> str:
    """The word behind another; empty where there is none."""
    at = words.index(word) + 1
    return words[at] if at < len(words) else ""


def _open(words: Sequence[str]) -> bool:
    """ "If the mouth is open, it is surprise": a condition of which nothing is said."""
    return _next_to(words, "if") in _OBJECTS


def _forced(words: Sequence[str]) -> bool:
    """ "if I had to choose": the condition is only that an answer is wanted."""
    at = words.index("if") if "if" in words else 0
    condition = words[at + 1 : at + 8]
    ends = [k for k, word in enumerate(condition) if word in (",", "would") or word.endswith("'d")]
    condition = condition[: ends[0]] if ends else condition
    return any(word in _FORCED for word in condition)


def _real(words: Sequence[str]) -> bool:
    """ "if anything", "as if", "if you look at the eyes": no condition that fails."""
    pairs = set(itertools.pairwise(words))
    return not pairs.isdisjoint(_REAL)


def _had_it_been(words: Sequence[str]) -> bool:
    """ "had she smiled", "had the brows been lower", behind what would then hold."""
    for word, following in itertools.pairwise(words):
        if word == "had" and (following in _PERSONS or (following == "the" and "been" in words)):
            return True
    return False
