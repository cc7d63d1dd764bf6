"""Answers in the challenge's sentences, scored as texts.

MEGC ranks by BLEU and ROUGE besides UF1 and UAR, over the answers as written. A model's answers are written the
way a submission would write them, and so are the truths, so that what differs is the content and not the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.answers.megc_sentences import sentence_for
from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.metrics.family import plain_names
from harness.metrics.text import CEILING, NEEDS
from harness.run.dictionary_encoding import coded
from harness.score.baselines import Fitted, fit
from harness.score.columns import NO_PROMPT, FieldAnswers, FieldFits, Groups, baseline_fits
from harness.score.guessing import EXPECTED as GUESSED
from harness.score.guessing import Guesses
from harness.score.records import TaskRecords

FIELD = "sentence"
"""The field that these scores stand under; no task has it."""

SHOWN = tuple(
    name for name in plain_names(NEEDS) if CEILING not in name or not name.startswith("rouge")
)
"""All text metrics; the ceilings of ROUGE are left out, being 1."""

DRAWS = 64
"""Sentences that the prior says of each sample; a sentence of three fields has too many to list."""

SPEC = FieldSpec(kind="text", metrics=SHOWN)

_NOTE = "of answers in the challenge's sentences; no official score"


def sentence_columns(
    records: TaskRecords,
    groups: Groups,
    cells: Sequence[Cell],
    fits: Mapping[tuple[str | None, str], Fitted],
    *,
    seed: int,
) -> Iterator[FieldAnswers]:
    """A column for each baseline and cell of a task with `sentences`; none for other tasks."""
    if records.task.sentences is None:
        return
    name = records.task.name
    found = baseline_fits(records, fits)
    note = f"{_NOTE}; each field by itself"
    common: dict[str, dict[int, list[Value | None]]] = {
        field: {p: [v] for p, v in zip(one.places.tolist(), one.majority(), strict=True)}
        for field, one in found.items()
    }
    yield from _column(
        records, groups, common, names=(name, "majority", NO_PROMPT, "none"), note=note
    )
    drawn = {field: _draws(records, one, seed=seed) for field, one in found.items()}
    for column in _column(
        records, groups, drawn, names=(name, "prior", NO_PROMPT, "none"), note=f"{GUESSED}; {note}"
    ):
        fits_of = [
            fit("text", (v or "" for v in said)) for said in zip(*column.repeats, strict=True)
        ]
        codes = np.arange(len(fits_of), dtype=np.int32)
        yield replace(column, repeats=(), guesses=Guesses(fits_of, codes))
    for cell in cells:
        by_field = {
            field: _repeated(records.of_repeats(cell, field)) for field in records.task.fields
        }
        yield from _column(
            records, groups, by_field,
            names=(cell.task, cell.model, cell.prompt, cell.shown_condition), note=_NOTE, channel=cell.taken,
        )  # fmt: skip


def _draws(records: TaskRecords, fitted: FieldFits, *, seed: int) -> dict[int, list[Value | None]]:
    """Position -> `DRAWS` answers drawn by how often each occurs."""
    places = fitted.places.tolist()
    said: dict[int, list[Value | None]] = {}
    for place, name in zip(places, records.samples.ids.at(fitted.places), strict=True):
        one = fitted.fits[fitted.codes[place]]
        said[place] = list(one.draws((f"{name}\x1f{n}" for n in range(DRAWS)), seed=seed))
    return said


def _repeated(repeats: Sequence[Mapping[int, object]]) -> dict[int, list[Value | None]]:
    """Position -> the value of each repeat, of positions that every repeat finished."""
    return {
        p: [getattr(answers[p], "value", None) for answers in repeats]
        for p in repeats[0]
        if all(p in answers for answers in repeats)
    }


def _column(
    records: TaskRecords,
    groups: Groups,
    by_field: Mapping[str, Mapping[int, Sequence[Value | None]]],
    *,
    names: tuple[str, str, str, str],
    note: str,
    channel: str = "free",
) -> Iterator[FieldAnswers]:
    from harness.sources.megc_questions import ASKED  # brings the patterns of all questions

    places, truth, answers = [], [], []
    for position, sample in enumerate(records.samples):
        kind = records.part(sample)
        asked = ASKED.get(kind or "", ())
        said = [by_field.get(field, {}).get(position) for field in asked]
        if not asked or not all(f in sample.targets for f in asked) or all(s is None for s in said):
            continue
        many = max((len(s) for s in said if s is not None), default=1)
        true = {field: sample.targets[field] for field in asked}
        places.append(position)
        truth.append(_sentence(str(kind), true, true))
        answers.append(
            [_sentence(str(kind), _values(asked, said, repeat), true) for repeat in range(many)]
        )
    if not places:
        return
    most = max(map(len, answers))
    at = np.asarray(places, dtype=np.int64)
    whole = [("all", np.ones(len(at), dtype=np.bool_))]
    parts = [(name, mask[at]) for name, mask in groups.slices.items() if name != "all"]
    yield FieldAnswers(
        names=names,
        field=FIELD,
        spec=SPEC,
        truth=coded([text or "" for text in truth]),
        repeats=[coded([(a + a[-1:] * most)[repeat] for a in answers]) for repeat in range(most)],
        clusters=groups.clusters[at],
        slices=[(name, mask) for name, mask in [*whole, *parts] if mask.any()],
        unit=records.cluster_unit,
        note=note,
        channel=channel,
    )


def _values(
    asked: Sequence[str], said: Sequence[Sequence[Value | None] | None], repeat: int
) -> dict[str, Value | None]:
    return {
        field: None if values is None else values[repeat]
        for field, values in zip(asked, said, strict=True)
    }


def _sentence(
    kind: str, values: Mapping[str, Value | None], true: Mapping[str, Value]
) -> str | None:
    """The answer's sentence, in the number that the question has; None where a value is lacking."""
    if any(value is None for value in values.values()):
        return None
    units = true.get("action_units")
    number = "action unit" if isinstance(units, tuple) and len(units) == 1 else "action units"
    return sentence_for(kind, values, question=number)
