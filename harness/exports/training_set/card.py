"""The card of an export of training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.task import SUBJECT
from harness.core.text import counted, markdown_escaped, visible
from harness.core.training_folds import FOLDS, TrainingFolds
from harness.exports.training_set.examples import Passed
from harness.version import __version__

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says besides the folds."""

    form: str
    samples: int
    rows: int
    labels: Counter[str]
    """`field=label` -> answers."""
    passed: Passed
    copied: int
    pictures: int
    source: Mapping[str, Any]
    public: bool
    notice: str
    reasoning: tuple[str, ...] = ()
    """Prompts that ask for reasoning before a last line."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person who trains has to know, one sentence each."""
        return tuple(_warnings(self))


def card(folds: TrainingFolds, facts: Facts) -> str:
    """The card as Markdown."""
    return "\n".join(_lines(folds, facts)) + "\n"


def _lines(folds: TrainingFolds, facts: Facts) -> Iterator[str]:
    yield f"# Training data of {folds.task}"
    yield ""
    yield (
        f"{counted(facts.rows, 'answer')} to {counted(facts.samples, 'sample')} of "
        f"{counted(len(folds.fold_of), 'subject')}, in the form `{facts.form}`, written by affect-harness {__version__}. "
        "Prompts and pictures are those that `harness run` sends. Answers are the true values, in the words that the task's "
        "reader reads back."
    )
    yield ""
    yield "## Terms"
    yield ""
    yield (
        "Pictures and labels remain under the terms of the data set they come from "
        f"({', '.join(f'{k}: {visible(str(v))}' for k, v in facts.source.items())}). "
        "Pictures are not to be redistributed, here neither as files nor as paths, unless those terms allow it; that may also "
        "hold for a model trained on them."
    )
    if facts.public:
        yield "The samples are a published set, on which a base model may have been trained already."
    if facts.notice:
        yield visible(facts.notice)
    yield ""
    yield "## Folds"
    yield ""
    how = (
        "one subject is left out in each fold"
        if folds.by == SUBJECT
        else f"{folds.by} groups of subjects"
    )
    yield (
        f"By subject: {how}. `folds/NAME/train.jsonl` is for training; `validation.jsonl` may decide when to stop. The subjects "
        f"that a fold is asked about are in neither file. `{FOLDS}` lists all: copy it next to the "
        "folders of the adapters, and `folds/NAME/fold.json` into the folder of the adapter that is trained on that fold."
    )
    yield ""
    yield "| fold | asked | training subjects | rows | validation subjects | rows |"
    yield "|---|---|---|---|---|---|"
    for name, fold in folds.folds.items():
        more = " ..." if len(fold.asked) > 5 else ""
        asked = ", ".join(map(markdown_escaped, fold.asked[:5])) + more
        yield (
            f"| {markdown_escaped(name)} | {asked} | {len(fold.train)} | {fold.rows} | {len(fold.validation)} | "
            f"{fold.validation_rows} |"
        )
    yield ""
    yield from _labels(facts)
    yield "## Prompts"
    yield ""
    yield "| prompt | SHA-256 of its files | condition | answers | SHA-256 of what was written |"
    yield "|---|---|---|---|---|"
    for cell in folds.cells:
        yield (
            f"| {markdown_escaped(cell.prompt)} | `{cell.prompt_digest}` | {markdown_escaped(cell.condition)} | {cell.rows} | `{cell.digest}` |"
        )
    yield ""
    yield f"Digest of the whole: `{folds.digest}`. Paths are not part of it."
    warnings = facts.warnings
    if warnings:
        yield ""
        yield "## Take note"
        yield ""
        yield from (f"- {one}" for one in warnings)


def _labels(facts: Facts) -> Iterator[str]:
    if not facts.labels:
        return
    yield from ("## Labels", "", "| field | label | answers |", "|---|---|---|")
    for told, count in sorted(facts.labels.items()):
        name, _, label = told.partition("=")
        yield f"| {markdown_escaped(name)} | {markdown_escaped(label)} | {count} |"
    yield ""


def _warnings(facts: Facts) -> Iterator[str]:
    passed = facts.passed
    for reason, count in passed.left_out.most_common():
        yield f"{counted(count, 'answer')} not written: {reason} (first: {visible(passed.first[reason])})."
    if passed.without:
        named = ", ".join(f"{n} ({count:,})" for n, count in sorted(passed.without.items()))
        yield f"Asked for, without a true value, and therefore not in the answers: {named}."
    if passed.rounded:
        yield f"{counted(passed.rounded, 'answer')} hold the word of a scale that is nearest to the true number."
    if facts.reasoning:
        yield (
            f"{', '.join(facts.reasoning)}: the prompt asks for reasoning before the answer; the answers written hold the last "
            "line alone, so a model trained on them no longer reasons."
        )
    if facts.copied:
        yield (
            f"{facts.copied:,} of {facts.pictures:,} pictures were changed, drawn, or read out of a table, and lie in `media/`; "
            "the others are named where they are."
        )
    yield "Paths are absolute: export again instead of moving the folder."
