"""FERBench (arXiv 2511.00389): the results of a model in the layout of the published code, counted its way and strictly.

The files to be answered are the repository's question files (`rafdb_qa.json`...), read in November 2026; answers are the same
objects with `model_response`, and `error` where there is none, as its `infer_unifer.py` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.answers.reader import Reader
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.json_text import parse_json
from harness.core.outcome import Outcome
from harness.core.text import counted, digest_file
from harness.sources.ferbench import KEYS, question_of
from harness.sources.rows import open_table
from harness.submit.choice import Choice, Given
from harness.submit.ferbench_counting import (
    CANONICAL,
    macro_f1,
    macro_f1_rows,
    published_label,
)
from harness.submit.findings import Findings, name_rows
from harness.submit.form import Answers, Asked, Draft, Options, no_labels_or_fill
from harness.submit.items import (
    answers_to,
    order_faults,
    refuse_missing,
    refuse_unnamed,
    the_only,
    used,
)
from harness.submit.local_score import Figure, LocalScore, figure_of, figures_of, mean_of
from harness.submit.text import Decoded, decoded

REPLY, ERROR = "model_response", "error"
FIELD = "answer"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a file."""

    path: str
    truth: str
    labels: tuple[str, ...]
    cells: Mapping[str, Any]
    """The object as it stands in the file."""


@dataclass(frozen=True, slots=True)
class ResultForm:
    """One of the benchmark's four files."""

    name: str = "ferbench"
    description: str = "FERBench: replies to one of its four files, counted as published and strictly; nothing is submitted"
    files: tuple[str, ...] = field(default=())
    unconfirmed: str = ""

    def read(self, path: Path) -> Asked:
        """Read a file of questions. Raises HarnessError naming a row of another layout, or a picture that appears twice."""
        if path.suffix != ".json":
            raise HarnessError(
                f"{path.name} is no question file of FERBench",
                hint="use one of its files, such as rafdb_qa.json",
            )
        questions = []
        for row in open_table(path):
            place, truth, _, labels = question_of(row)
            questions.append(Question(place, truth, labels, row.cells))
        refuse_unnamed(path.name, [one.path for one in questions], what="picture", column="image_path")  # fmt: skip
        answers = f"{path.stem.removesuffix('_qa')}_results.json"
        return Asked(path, digest_file(path), answers, tuple(questions), False)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """Every reply as it stands; a request that failed is written as an error, as the published code does."""
        no_labels_or_fill(self.name, options)
        one = the_only(asked, self.name)
        questions: tuple[Question, ...] = one.content
        items = [question.path.lstrip("/") for question in questions]
        given = answers_to(one.path.name, items, runs, choice)
        refuse_missing(one.path.name, [at for at, item in enumerate(items, start=1) if item not in given], fill="")  # fmt: skip
        rows = [
            {**question.cells, **_told(given[item])}
            for question, item in zip(questions, items, strict=True)
        ]
        errors = sum(ERROR in row for row in rows)
        body = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
        notes = (f"{counted(len(rows) - errors, 'reply', 'replies')}, {counted(errors, 'error')}",)
        return Answers((Draft(one, body.encode("utf-8", "replace"), used(given), {"errors": errors}, notes),))  # fmt: skip

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Questions unchanged, in order, each with a reply. Warns of empty replies and of errors."""
        read = decoded(data)
        rows, fault = _results(read)
        if fault:
            return Findings(name, 0, (fault,), ())
        questions = {one.path: one for one in asked.content}
        paths = [str(row.get("image_path")) for row in rows]
        wanted = [one.path for one in asked.content]
        faults = [*read.faults, *order_faults(paths, wanted, what="picture")]
        changed: dict[str, list[int]] = {}
        lacking: list[int] = []
        empty: list[int] = []
        failed: list[int] = []
        for at, (row, path) in enumerate(zip(rows, paths, strict=True), start=1):
            known = questions.get(path)
            for key in KEYS[1:]:
                if known is not None and row.get(key) != known.cells[key]:
                    changed.setdefault(key, []).append(at)
            reply = row.get(REPLY)
            if row.get(ERROR):
                failed.append(at)
            elif not isinstance(reply, str):
                lacking.append(at)
            elif not reply.strip():
                empty.append(at)
        faults += [f"{name_rows(at)}: another {key} than the file to be answered" for key, at in changed.items()]  # fmt: skip
        if lacking:
            faults.append(f"{name_rows(lacking)}: no {REPLY}")
        warnings = []
        if empty:
            warnings.append(f"{name_rows(empty)}: an empty {REPLY}")
        if failed:
            warnings.append(f"{name_rows(failed)}: an error, which the published code leaves out")
        return Findings(name, len(rows), tuple(faults), tuple(warnings))

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """Accuracy and macro F1, as the published code counts and strictly, over pictures.

        `truth` is a question file, which holds the true labels. Raises HarnessError where it has none of the pictures.
        """
        right = {one.path: one for one in self.read(truth).content}
        rows, fault = _results(decoded(data))
        if fault:
            raise HarnessError(f"answers: {fault}", hint="correct the file")
        said = {str(row.get("image_path")): row for row in rows}
        known = [right[one.path] for one in asked.content if one.path in right]
        if not known:
            raise HarnessError(
                f"{truth.name} has no picture of {asked.path.name}",
                hint="give the same question file",
            )
        figures = [*_published(known, said), *_strict(known, said)]
        lost = sum(bool(said.get(one.path, {ERROR: True}).get(ERROR)) for one in known)
        notes = [
            "as published: the first label of the list that occurs anywhere counts, reasoning included without tags; "
            f"{counted(lost, 'error')} left out; replies without a label are a class of their own in macro F1",
            "strict: replies are read by this project's rules; whatever is no answer is a miss; macro F1 over the classes "
            "of the truth",
        ]
        return LocalScore(tuple(figures), "pictures", tuple(notes))


def _told(given: Given) -> dict[str, Any]:
    answer = given.answers.get(FIELD)
    if answer is not None and answer.outcome is Outcome.FAILED:
        return {REPLY: "ERROR: no reply", ERROR: True}
    return {REPLY: given.text}


def _results(read: Decoded) -> tuple[list[Mapping[str, Any]], str]:
    """The objects of a file of results, and what is wrong with it as a whole; empty for nothing."""
    if read.unreadable:
        return [], read.unreadable
    try:
        rows = parse_json(read.text, once=True)
    except ValueError as error:
        return [], f"not JSON: {error}"
    if not isinstance(rows, list):
        return [], "not an array of objects"
    odd = [at for at, row in enumerate(rows, start=1) if not isinstance(row, Mapping)]
    return (rows, "") if not odd else ([], f"{name_rows(odd)}: not an object")


def _published(known: Sequence[Question], said: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    kept = [one for one in known if one.path in said and not said[one.path].get(ERROR)]
    if not kept:
        return []
    told = [published_label(_reply(said[one.path]), one.labels) for one in kept]
    paths = [one.path for one in kept]
    truth = [CANONICAL.get(one.truth, one.truth) for one in kept]
    labels = [CANONICAL.get(label, label) for label in told]
    hits = [one == other for one, other in zip(labels, truth, strict=True)]
    return [
        mean_of(hits, paths, "accuracy, as published", "accuracy"),
        figure_of("macro F1, as published", "macro_f1", macro_f1_rows(truth, labels), paths, macro_f1),
    ]  # fmt: skip


def _strict(known: Sequence[Question], said: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    labels = tuple(dict.fromkeys(label for one in known for label in one.labels))
    spec = FieldSpec(kind="label", labels=labels)
    reader = Reader.build({FIELD: spec})
    told = []
    for one in known:
        row = said.get(one.path, {})
        answer = None if row.get(ERROR) else reader(_reply(row))[FIELD].value
        told.append(answer)
    metrics = (("accuracy", "accuracy, strict"), ("macro_f1", "macro F1, strict"))
    return figures_of(spec, [one.truth for one in known], told, [one.path for one in known], metrics)  # fmt: skip


def _reply(row: Mapping[str, Any]) -> str:
    reply = row.get(REPLY)
    return reply if isinstance(reply, str) else ""


FERBENCH = ResultForm()
