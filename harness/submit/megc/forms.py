"""The forms of the Micro-Expression Grand Challenge, editions of 2025 and 2026."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.text import visible
from harness.sources.megc_questions import ASKED
from harness.submit.choice import Choice
from harness.submit.findings import Findings, name_rows
from harness.submit.form import Answers, Asked, Draft, Options
from harness.submit.local_score import LocalScore
from harness.submit.megc.assemble import Assembled, Fill, assemble, rows_of
from harness.submit.megc.check import check_rows
from harness.submit.megc.labels import FILES, labels_for
from harness.submit.megc.questions import read_questions
from harness.submit.megc.replies import read_given
from harness.submit.megc.scores import score_questions, score_spots
from harness.submit.megc.spots import (
    check_spots,
    emotions_for,
    read_spotted,
    read_videos,
    spot_bytes,
    spots_for,
    with_emotions,
)


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """Questions about clips or videos, one JSON object a line."""

    name: str
    description: str
    unconfirmed: str = "the layout of the zip file and the lists of labels are"

    @property
    def files(self) -> tuple[str, ...]:
        """The published names of its files of questions."""
        return FILES[self.name]

    def read(self, path: Path) -> Asked:
        """Read a file of questions; see :func:`read_questions`."""
        questions = read_questions(path, self.name)
        return Asked(path, questions.digest, questions.answers_to, questions)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """Answers in the challenge's words, in the order of the questions."""
        fill = read_fill(options.fill)
        for one in asked:
            labels_for(one.path.name, options.labels)
        every = {question.video_id: question for one in asked for question in one.content.rows}
        given = read_given(runs, every, choice)
        parts = [assemble(one.content, given, fill) for one in asked]
        drafts = tuple(
            Draft(
                one,
                rows_of(part),
                Counter((given.run, given.cell) for given in part.given),
                {"filled": [asdict(filled) for filled in part.filled]},
                tuple(_spread(part)),
            )
            for one, part in zip(asked, parts, strict=True)
        )
        return Answers(drafts, {"fill": asdict(fill)})

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Structure and content; see :func:`check_rows`."""
        return check_rows(data, asked.content, options.labels, name=name)

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """UF1 and UAR by field, and text scores; see :func:`score_questions`."""
        return score_questions(data, asked.content, truth)


@dataclass(frozen=True, slots=True)
class SpotForm:
    """Tables of intervals in videos, made from runs over windows."""

    name: str
    description: str
    files: tuple[str, ...] = ()
    unconfirmed: str = "the table columns, the layout of the zip file and the lists of emotions are"

    def read(self, path: Path) -> Asked:
        """Read a table of videos; see :func:`read_videos`."""
        videos = read_videos(path)
        return Asked(path, videos.digest, videos.answers_to, videos)

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """The intervals spotted in the videos, in their order."""
        if len(options.fill) > 1:
            raise HarnessError("--fill takes one emotion for tables of intervals", hint="name one")
        fill = options.fill[0] if options.fill else ""
        for one in asked:
            emotions_for(one.path.name, options.labels)
        spotted = read_spotted(runs, choice)
        drafts = []
        for one in asked:
            spots, used = spots_for(one.content, spotted)
            cells = Counter((cell.run, cell.cell) for cell in used for _ in cell.videos)
            named, filled = with_emotions(spots, fill)
            told = {"filled": filled} if filled else {}
            drafts.append(Draft(one, spot_bytes(named), cells, told))
        if fill and not any(draft.entry for draft in drafts):
            raise HarnessError(
                "--fill has no effect: every interval has an emotion", hint="leave it out"
            )
        return Answers(tuple(drafts), {"fill": fill} if fill else {})

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Columns, intervals and videos; see :func:`check_spots`."""
        return check_spots(data, asked.content, options.labels, name=name)

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """F1 of spotting, F1 of recognition and STRS; see :func:`score_spots`."""
        return score_spots(data, asked.content, truth)


def read_fill(given: Sequence[str]) -> Fill:
    """`words`, and FIELD=TEXT. Raises HarnessError for anything else and for a field that no question asks."""
    values: dict[str, str] = {}
    known = sorted({field for fields in ASKED.values() for field in fields})
    for text in given:
        if text == "words":
            continue
        name, equals, value = text.partition("=")
        if not (name and equals and value.strip()):
            raise HarnessError(
                f"--fill {text!r} is neither `words` nor FIELD=TEXT",
                hint="for example: --fill coarse=negative",
            )
        if name not in known:
            raise HarnessError(
                f"--fill: unknown field {name!r}",
                hint=f"use `words`, or one of: {', '.join(known)}",
            )
        values[name] = value.strip()
    return Fill(words="words" in given, values=values)


def _spread(part: Assembled) -> Iterator[str]:
    """How often each answer to the questions with few answers, and what was filled in."""
    kinds: dict[str, Counter[str]] = {}
    for question, answer in zip(part.questions.rows, part.answers, strict=True):
        kinds.setdefault(question.kind or "unknown", Counter())[answer] += 1
    for kind, counted in kinds.items():
        shown = ", ".join(f"{text} {n}" for text, n in counted.most_common(4) if len(text) < 60)
        yield f"{kind}: {visible(shown or f'{len(counted)} different answers')}"
    grouped: dict[tuple[str, str], list[int]] = {}
    for one in part.filled:
        why = ", ".join(f"{name} {outcome}" for name, outcome in one.outcomes.items())
        wrote = one.wrote if len(one.wrote) <= 200 else f"{one.wrote[:197]}..."
        grouped.setdefault((why, wrote), []).append(one.row)
    for (why, wrote), rows in grouped.items():
        yield f"filled in {name_rows(rows)} ({why}): {visible(wrote)}"


ME_VQA_2025 = QuestionForm("megc2025-me-vqa", "MEGC 2025: questions about micro-expression clips")
ME_VQA_2026 = QuestionForm("megc2026-me-vqa", "MEGC 2026: questions about micro-expression clips")
ME_LVQA_2026 = QuestionForm("megc2026-me-lvqa", "MEGC 2026: questions about long videos")
ME_STR_2025 = SpotForm(
    "megc2025-me-str",
    "MEGC 2025: intervals in long videos and their emotions; the upload's columns were not seen",
)
