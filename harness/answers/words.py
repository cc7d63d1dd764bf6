"""English function words used by the rules; words of other languages are mapped to them."""

from __future__ import annotations

BREAKS = frozenset(".!?;\n")
"""Marks that end a sentence or clause."""
STOPS = frozenset((
    "but", "yet", "however", "though", "although", "whereas", "while", "because", "since",
    "instead", "rather", "just", "still", "nevertheless", "nonetheless", "so", "therefore",
    "thus", "then", "whether", ":", "(", ")",
))  # fmt: skip
"""A denial does not reach past these."""
NEGATORS = frozenset((
    "not", "no", "never", "without", "neither", "nor", "cannot", "cant", "lacks", "lacking", "lack",
    "unlike", "hardly", "scarcely", "barely", "excluding", "excludes", "excluded", "except",
    "denies", "non", "isnt", "arent", "wasnt", "doesnt", "dont", "didnt", "wont", "wouldnt",
    "shouldnt", "couldnt", "unlikely", "nothing", "nobody", "fails", "fail", "failed", "zero", "un", "minus", "exclude",
    "rarely", "seldom", "nowhere", "none", "disproves", "contradicts", "contradict", "argues",
))  # fmt: skip
LISTING = frozenset((
    "no", "without", "neither", "nor", "lacks", "lacking", "except", "excluding", "non", "none",
))  # fmt: skip
"""Negators that hold for a whole list."""
FILL = frozenset((
    "a", "an", "the", "any", "some", "even", "much", "very", "overly", "or", "nor", "and",
    "either", "neither", "of", "really", "particularly", "sign", "signs", "evidence", "hint",
    "trace", "traces", "indication", "indications", "clear", "overt", "visible", "obvious",
    "strong", "feeling", "feelings", "slight", "least", "slightest", "with",
))  # fmt: skip
NOT_BEFORE = "\u2260"
"""Stands for a negator that denies what comes before it, as in Japanese and Korean."""
JOINS = FILL | {",", "/", "&"}
AUX = frozenset((
    "is", "are", "was", "were", "seems", "appears", "can", "does", "do", "did", "would",
    "could", "should", "has", "will", "seem", "appear", "looks", "remains", "may", "might", "must",
))  # fmt: skip


def negates(word: str) -> bool:
    """A word that denies what comes after it."""
    return word in NEGATORS or word.endswith("n't")
