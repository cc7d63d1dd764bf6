"""Scores of answers as texts, for a terminal: BLEU and ROUGE-1 beside what a perfect answer reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.metrics.text import CEILING
from harness.report.words import number
from harness.score import ScoreRow
from harness.score.sentences import FIELD

_SHOWN = (
    ("exact_match", "exact"),
    ("sacrebleu1", "sacreBLEU-1"),
    ("sacrebleu4", "sacreBLEU-4"),
    ("nltk_bleu4", "NLTK BLEU-4"),
    ("rouge1_f1", "ROUGE-1 F"),
    ("rouge1_recall", "ROUGE-1 R"),
)


def text_lines(rows: Sequence[ScoreRow], task: str) -> Iterator[str]:
    """A line for each baseline and cell over the whole task, then what a perfect answer reaches."""
    found: dict[tuple[str, ...], dict[str, ScoreRow]] = {}
    for row in rows:
        if row.task == task and row.field == FIELD and row.slice == "all":
            key = (row.model, row.prompt, row.condition, row.channel)
            found.setdefault(key, {})[row.metric] = row
    if not found:
        return
    yield ""
    yield f"{task}: answers in the challenge's sentences, as texts (no official score)"
    yield f"{'':28}" + "".join(f"{heading:>12}" for _, heading in _SHOWN)
    for who_said, metrics in found.items():
        idle = {"-", "none", "free"}
        who = " ".join(word for word in who_said if word not in idle)
        shown = "".join(f"{number(metrics[name].value):>12}" for name, _ in _SHOWN)
        yield f"{who[:28]:28}{shown}"
    reached = ""
    for name, _ in _SHOWN:
        ceiling = next(iter(found.values())).get(name + CEILING)
        reached += f"{number(1.0 if ceiling is None else ceiling.value):>12}"
    yield f"{'a perfect answer':28}{reached}"
