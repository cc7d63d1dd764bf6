"""How many answers changed when finished trials were asked again. Does not affect scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.conditions.label_order import in_order
from harness.core.answer import Answer
from harness.core.cell import Cell, sample_of
from harness.core.field import FieldSpec
from harness.core.kind import alike
from harness.core.prompt import PromptHead
from harness.run.again import AgainFolder, again_lines, used_anew
from harness.run.cell_entry import cell_of
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.usage import Used, price_of, priced
from harness.score.answer_parser import AnswerParser
from harness.score.records import TaskRecords
from harness.score.replies import Replies, TrialReply
from harness.stats.interval import wilson

AGAIN = "again"
"""The key of its rows in extras.json."""

LEVEL = 0.95


@dataclass(slots=True)
class _Round:
    """What one round brought of one cell."""

    compared: int = 0
    failed: int = 0
    otherwise: int = 0
    """Trials of which the first request is another one by now: an edited picture or prompt."""
    texts: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    """Field -> answers that changed."""
    asked: Counter[str] = field(default_factory=Counter)
    """Field -> answers compared."""
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(model and fingerprint that the earlier reply names, that of the new one) -> trials."""


def again_rows(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    records: Mapping[str, TaskRecords],
    heads: Mapping[str, PromptHead],
) -> Iterator[dict[str, Any]]:
    """One row for each cell and round, as plain JSON.

    `fields`: for each, how many answers were compared (`n`), how many `changed`, the `share` with its 95% interval
    (`low`, `high`; Wilson, each trial for itself). No answer is an answer of its own. `texts`: replies of another text.
    `sources`: what the replies name as their model, before and now.
    """
    asked: dict[str, dict[str, Mapping[str, Any]]] = {}
    for line in again_lines(folder):
        if "trial" in line:
            asked.setdefault(line["round"], {})[line["trial"]] = line
    if not asked:
        return
    standing = Replies.of_run(folder, manifest)
    spent = used_anew(folder)
    before = _keys(folder, {trial for lines in asked.values() for trial in lines})
    for day, lines in sorted(asked.items()):
        anew = Replies.of_round(AgainFolder(folder.path), manifest, day)
        for entry in manifest["cells"]:
            mine = {t: line for t, line in lines.items() if t.startswith(f"{entry['id']}/")}
            if not mine or entry.get("asked_as"):
                continue
            cell = cell_of(entry)
            found = _Round()
            compare = _Comparing(records[cell.task], cell, heads[cell.prompt], standing, anew)
            for trial, line in sorted(mine.items()):
                compare.add(found, trial, line, before.get(trial, ()))
            used = spent.get((day, cell.id), Used())
            price = price_of(manifest, cell.model)
            yield {**_row(cell, day, found), "usage": {**used.row(), **priced(used, price)}}


class _Comparing:
    """Answers of one cell before and now."""

    def __init__(
        self, records: TaskRecords, cell: Cell, head: PromptHead, before: Replies, now: Replies
    ) -> None:
        task = in_order(records.task, cell.label_order)
        self._records, self._head, self._before, self._now = records, head, before, now
        self._parsers = [
            AnswerParser(task, head, unopened=cell.id in replies.unopened)
            for replies in (before, now)
        ]
        self._places: dict[str, int] = {}

    def add(
        self, found: _Round, trial: str, line: Mapping[str, Any], before: Sequence[str]
    ) -> None:
        """Compare one trial, if both replies to it are there and were asked the same."""
        if "failure" in line:
            found.failed += 1
            return
        old, new = self._before.of(trial), self._now.of(trial)
        if old is None or new is None or old.failure is not None:
            return
        if list(before[:1]) != list(line["keys"][:1]):
            found.otherwise += 1
            return
        sample = self._records.samples[self._place(sample_of(trial))]
        asks = self._head.fills(sample.asks)
        found.compared += 1
        found.texts += _text(old) != _text(new)
        found.sources[_source(old), _source(new)] += 1
        answers = [p.of(sample, r, asks) for p, r in zip(self._parsers, (old, new), strict=True)]
        for name in sorted(answers[0]):
            found.asked[name] += 1
            spec = self._records.task.fields[name]
            found.changed[name] += not _same(spec, answers[0][name], answers[1][name])

    def _place(self, sample: str) -> int:
        if not self._places:
            self._places = {name: place for place, name in enumerate(self._records.samples.ids)}
        return self._places[sample]


def _same(spec: FieldSpec, before: Answer, now: Answer) -> bool:
    """Whether two answers say the same. Reasons why there is none are not told apart."""
    if before.value is None or now.value is None:
        return before.value is None and now.value is None
    return alike(spec, before.value, now.value)


def _text(reply: TrialReply) -> list[str]:
    return [one.generation.text for one in reply.each if one.generation is not None]


def _source(reply: TrialReply) -> str:
    generation = reply.generation
    if generation is None:
        return ""
    return " ".join(filter(None, (generation.served, generation.fingerprint)))


def _keys(folder: RunFolder, trials: set[str]) -> dict[str, Sequence[str]]:
    """Trial -> the keys of its requests, as the run asked it last."""
    return {
        line["trial"]: line["keys"]
        for _, line in read_log(folder.trials)
        if line["trial"] in trials and "failure" not in line
    }


def _row(cell: Cell, day: str, found: _Round) -> dict[str, Any]:
    return {
        "task": cell.task, "model": cell.model, "prompt": cell.prompt, "condition": cell.shown_condition,
        "channel": cell.taken, "round": day,
        "n": found.compared, "failed": found.failed, "otherwise": found.otherwise, "texts": found.texts,
        "fields": {name: _share(found.changed[name], n) for name, n in sorted(found.asked.items())},
        "sources": [[*pair, count] for pair, count in sorted(found.sources.items())],
    }  # fmt: skip


def _share(changed: int, n: int) -> dict[str, Any]:
    bounds = wilson(changed, n, level=LEVEL)
    return {
        "n": n, "changed": changed, "share": round(changed / n, 6),
        "low": round(bounds.low, 6), "high": round(bounds.high, 6),
    }  # fmt: skip
