"""Local scores of MEGC answer files. The official scorer is not public; what it may count otherwise is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness.answers.vocabulary import canonicaliser
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Value
from harness.core.text import counted
from harness.imports.spot_tables import COLUMNS, read_spots
from harness.metrics.spots import Spot
from harness.metrics.spotting import spotting_family
from harness.sources.megc_questions import answers_of
from harness.submit.local_score import Figure, LocalScore, figure_of, figures_of, mean_of
from harness.submit.megc.labels import labels_for
from harness.submit.megc.questions import Question, Questions
from harness.submit.megc.spots import Videos
from harness.submit.text import decoded, table_of, whole_number

_LABELS = {"coarse": "coarse", "fine": "fine", "au_shown": "unit shown", "au_side": "side", "event_type": "event type"}  # fmt: skip
_COUNTS = {"event_count": "events", "micro_count": "micro-expressions", "macro_count": "macro-expressions"}  # fmt: skip
_UNITS = {"action_units": "action units", "distinct_units": "distinct units"}
_TEXT = (
    ("sacrebleu1", "BLEU-1 (sacreBLEU)"),
    ("nltk_bleu4", "BLEU-4 (NLTK)"),
    ("rouge1_f1", "ROUGE-1 F"),
)
_NOTES = (
    "the official scorer is not public: which BLEU and ROUGE it takes, and whether UF1 and UAR are over the classes of "
    "the truth (here) or of truth and answers together, is not known",
    "classes and units here are those of the questions that ask for one of them; the combined question counts in BLEU "
    "and ROUGE only",
)


def score_questions(data: bytes, asked: Questions, truth: Path) -> LocalScore:
    """UF1 and UAR of labels, F1 of unit sets, error of counts, BLEU and ROUGE of all answers; clips are resampled.

    Raises HarnessError where `truth` has no answer to any question.
    """
    right = _truths(truth, asked)
    said = _said(data)
    rows = [question for question in asked.rows if question.video_id in right]
    given = [said.get(question.video_id) for question in rows]
    figures: list[Figure] = []
    for kind in dict.fromkeys(question.kind for question in rows if question.kind):
        places = [at for at, question in enumerate(rows) if question.kind == kind]
        figures += _of_kind(
            kind, asked, [rows[at] for at in places], right, [given[at] for at in places]
        )
    truths = [right[question.video_id] for question in rows]
    clips = [question.video for question in rows]
    figures += figures_of(FieldSpec(kind="text"), truths, given, clips, _TEXT)
    notes = list(_NOTES)
    if len(rows) < len(asked.rows):
        notes.insert(0, f"{len(rows)} of {len(asked.rows)} questions have a true answer in {truth.name}")  # fmt: skip
    return LocalScore(tuple(figures), "clips", tuple(notes))


def _of_kind(
    kind: str,
    asked: Questions,
    rows: Sequence[Question],
    right: Mapping[str, str],
    given: Sequence[str | None],
) -> list[Figure]:
    clips = [question.video for question in rows]
    truths = [right[question.video_id] for question in rows]
    if kind in _COUNTS:
        counts = [_count(text, row) for text, row in zip(truths, rows, strict=True)]
        return _count_figures(_COUNTS[kind], counts, given, clips)
    known = labels_for(asked.path.name)
    if kind in _UNITS:
        table = canonicaliser(known["action_units"])
        sets = [_names(text, table) or () for text in truths]
        found = [_names(text, table) for text in given]
        spec = FieldSpec(kind="set", labels=known["action_units"])
        return figures_of(spec, sets, found, clips, (("set_f1", f"{_UNITS[kind]} F1"),))
    if kind not in _LABELS:
        return []
    table = canonicaliser(known[kind])
    labels: list[Value] = [table.label(f := _field(kind, text)) or f.casefold() for text in truths]
    spec = FieldSpec(kind="label", labels=tuple(dict.fromkeys((*known[kind], *map(str, labels)))))
    table = canonicaliser(spec.labels)  # a label that only the truth has can be answered too
    answers = [None if text is None else table.label(_field(kind, text)) for text in given]
    metrics = (("uf1", f"{_LABELS[kind]} UF1"), ("uar", f"{_LABELS[kind]} UAR"))
    return figures_of(spec, labels, answers, clips, metrics, part=kind)


def _count_figures(
    what: str, counts: Sequence[float], given: Sequence[str | None], clips: Sequence[str]
) -> list[Figure]:
    """The share of right counts, an answer without a number being wrong, and the mean error of those with one."""
    told = [None if t is None else whole_number(t.strip()) for t in given]
    right = [said == count for said, count in zip(told, counts, strict=True)]
    some = [at for at, said in enumerate(told) if said is not None]
    return [
        mean_of(right, clips, f"{what}, right", "count_accuracy"),
        *figures_of(
            FieldSpec(kind="number", low=0, high=10**9),
            [counts[at] for at in some], [told[at] for at in some], [clips[at] for at in some],
            (("mae", f"{what}, mean absolute error of answers with a number"),),
        ),
    ]  # fmt: skip


def _count(text: str, question: Question) -> float:
    number = whole_number(text.strip())
    if number is None:
        raise HarnessError(
            f"the true answer to {question.video_id!r} is {text[:60]!r}, and a number is asked",
            hint="write it in digits",
        )
    return number


def _field(kind: str, text: str) -> str:
    try:
        (value,) = answers_of(kind, text).values()
    except ValueError:
        return text
    return value.strip()


def _names(text: str | None, table: Any) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(table.label(part.strip()) or part.strip().lower() for part in text.split(","))


def _said(data: bytes) -> dict[str, str]:
    """`video_id` -> answer, of what can be read; structure is the check's business."""
    found: dict[str, str] = {}
    for cells in _rows(data):
        key, answer = cells.get("video_id"), cells.get("answer")
        if isinstance(key, str) and isinstance(answer, str) and answer.strip():
            found.setdefault(key, answer)
    return found


def _truths(path: Path, asked: Questions) -> dict[str, str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}", hint="check --truth FILE") from None  # fmt: skip
    wanted = {question.video_id: question for question in asked.rows}
    found: dict[str, str] = {}
    for row, cells in _true_rows(path, data):
        key, answer = cells.get("video_id", cells.get("id")), cells.get("answer")
        if not (isinstance(key, str) and key in wanted and isinstance(answer, str)):
            continue
        question = cells.get("question")
        if isinstance(question, str) and question.split() != wanted[key].question.split():
            raise HarnessError(
                f"{path.name}, row {row}: another question than {asked.path.name} has for {key!r}",
                hint="give the true answers to the same file; another year's has other questions",
            )
        if answer.strip() and found.setdefault(key, answer) != answer:
            raise HarnessError(f"{path.name}: two true answers to {key!r}", hint="keep one of them")
    if not found:
        raise HarnessError(
            f"{path.name} has no answer to any question of {asked.path.name}",
            hint="give JSON lines with video_id (as in the questions) and answer",
        )
    return found


def _true_rows(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Row number and object of each line. Raises HarnessError naming a row that is none."""
    read = decoded(data)
    if read.unreadable:
        raise HarnessError(f"{path.name}: {read.unreadable}", hint="check --truth FILE")
    for row, line in enumerate(read.text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError):
            cells = None
        if not isinstance(cells, dict):
            raise HarnessError(f"{path.name}, row {row}: not a JSON object", hint="give JSON lines with video_id (as in the questions) and answer")  # fmt: skip
        yield row, cells


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode("utf-8-sig", "replace").split("\n"):
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(cells, dict):
            yield cells


def score_spots(data: bytes, asked: Videos, truth: Path) -> LocalScore:
    """F1 of spotting, F1 of recognition over spotted intervals, STRS (Liong, See and Chan 2023); videos are resampled.

    Raises HarnessError where the table of true intervals cannot be read.
    """
    table = read_spots(truth)
    right = [spot for spot in table.spots if (spot.subject, spot.video) in set(asked.videos)]
    if not right:
        raise HarnessError(
            f"{truth.name} has no interval in the videos of {asked.path.name}",
            hint="give subject,video,onset,offset,emotion, with subjects and videos spelt alike",
        )
    said = list(_spots(data))
    ours, perfect = spotting_family(said, right), spotting_family(right, right)
    best = perfect.counted.sum(axis=0)
    figures = tuple(
        figure_of(
            shown, metric, ours.counted, range(len(ours.counted)), partial(ours.value, metric),
            perfect=float(perfect.value(metric, best)),
        )
        for metric, shown in (
            ("f1_spotting", "spotting F1"),
            ("f1_analysis", "recognition F1"),
            ("strs", "STRS"),
        )
    )  # fmt: skip
    notes = ["here without the faults of the reference implementation; `harness score` prints its numbers too (compat)"]  # fmt: skip
    if left := len(table.spots) - len(right):
        notes.append(f"left out, in videos that are not asked: {counted(left, 'true interval')} of {len(table.spots)}")  # fmt: skip
    if silent := set(asked.videos) - {(spot.subject, spot.video) for spot in right}:
        notes.append(f"{counted(len(silent), 'video')} without a true interval, such as {' '.join(min(silent))!r}")  # fmt: skip
    return LocalScore(figures, "videos", tuple(notes))


def _spots(data: bytes) -> Iterator[Spot]:
    rows, _ = table_of(decoded(data).text, COLUMNS)
    for cells in rows:
        if len(cells) != len(COLUMNS):
            continue
        onset, offset = whole_number(cells[2]), whole_number(cells[3])
        if onset is not None and offset is not None:
            yield Spot(cells[0], cells[1], onset, offset, cells[4])
