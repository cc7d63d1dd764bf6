"""The pages on vocabularies and on outcomes."""

from __future__ import annotations

from harness.answers.lexicon import lexicon
from harness.answers.vocabulary import VOCABULARIES, definitions
from harness.core.languages import LANGUAGES
from harness.core.outcome import Outcome

from .markdown import code, page, table
from .members import docstrings

_VOCABULARIES = """
# Vocabularies

A vocabulary is a named list of labels. A task names one under `fields.NAME.labels`, or writes its labels as a list, or
writes `from-data`: then the labels are those of the data. `harness list labels` prints this list.
"""

_WORDS = """
## Words of the labels

A label is read in any of the words below, in any of their forms, and in the spelling of the task. Words of neighbouring
states (annoyed, gloomy, horrified) are not synonyms: they make an answer off-list. A task adds words of its own with
`synonyms`. The words of other languages are in `harness/answers/lexicons/`, one file a language. An action unit is read
as `AU12`, as `12`, or by its FACS name. How replies are read is told on [a page of its own](../replies.md).
"""

_OUTCOMES = """
# Outcomes

Every question that was put to a model has exactly one outcome: an answer, or one of seven reasons why there is none.
Nothing is dropped and nothing is guessed. The strict value of a metric counts each of the seven as a miss. The value
over answered samples (`_answered`) leaves them out and stands beside the coverage. The report shows the outcome and the
rule that decided, for every reply.
"""

_MORE = """
The rules are on the page [How replies are read](../replies.md). A refusal may come from the model, in words, or from
the platform, by a field or status of the reply. Both are replies: they are kept and not asked again. Failed requests are
not kept; the same command asks them again.
"""


def vocabularies_page() -> str:
    """Every vocabulary with its labels, what they look like, and the words that are read for them."""
    labels = tuple(dict.fromkeys(one for labels in VOCABULARIES.values() for one in labels))
    english = lexicon("en").affect
    words = [
        (code(name), "; ".join(", ".join(family) for family in families))
        for name, families in english.items()
    ]
    return page(
        _VOCABULARIES,
        table(
            ("name", "labels"),
            [(code(name), ", ".join(labels)) for name, labels in VOCABULARIES.items()],
        ),
        "## Definitions of the labels",
        "Prompts that explain labels (`emotion/defined`) print these texts, unless the task has `definitions` of its own.",
        table(("label", "how it shows on a face"), definitions(labels).items()),
        _WORDS,
        table(("label", "English words"), words),
        "## Languages",
        table(("code", "language"), [(code(one), name) for one, name in LANGUAGES.items()]),
    )


def outcomes_page() -> str:
    """Every outcome with its meaning."""
    told = docstrings_of_outcomes()
    return page(
        _OUTCOMES,
        table(("outcome", "meaning"), [(code(one.value), told[one.name]) for one in Outcome]),
        _MORE,
    )


def docstrings_of_outcomes() -> dict[str, str]:
    """Name of an outcome -> its meaning."""
    return {"ANSWERED": "A value of the field's kind was read.", **docstrings(Outcome)}
