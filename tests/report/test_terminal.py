from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.blocks import Number, Row, Table, Who
from harness.core.field import FieldSpec
from harness.report.inputs import RunView
from harness.report.plan_table import print_plan
from harness.report.scores_json import scores_json
from harness.report.tables import ScoreTable, TableLine, imputed_lines, shown
from harness.report.terminal import print_scores
from harness.report.writers.terminal import print_tables
from harness.score.scores import Scores
from harness.score.table import ScoreRow

MANIFEST = {
    "tasks": {
        "emotion/drawn": {
            "config": {
                "name": "emotion/drawn",
                "source": {"family": "faces"},
                "fields": {"emotion": {"kind": "label", "labels": ["a", "b"]}},
                "prompts": ["emotion/plain"],
            }
        }
    },
    "prompts": {"emotion/plain": {"head": {"fields": ["emotion"]}}},
    "cells": [
        {
            "task": "emotion/drawn",
            "model": "affect-tiny",
            "prompt": "emotion/plain",
            "condition": "none",
        }
    ],
}

GOLDEN = """
emotion/drawn: emotion
                                                                                                UAR
                               n  cov.              UAR   Accuracy = WAR   macro-F1 = UF1  answered
───────────────────────────────────────────────────────────────────────────────────────────────────
majority (in-sample)       1,200  100%             .500             .600             .375      .500
prior                      1,200  100%             .480             .520             .470      .480
affect-tiny emotion/plain  1,200   99%  .812 [.77, .85]  .820 [.78, .86]  .809 [.76, .84]      .823
blank picture: not run
  affect-tiny emotion/plain, emotion: refused 3, unparsed 1
  1,200 samples; 95% intervals resample images (900): independence assumed
  7 trials not finished: run the same command again to continue
"""


def scores() -> Scores:
    def rows(
        model: str, prompt: str, note: str, *values: tuple[float, float | None, float | None]
    ) -> list[ScoreRow]:
        names = ("accuracy", "uar", "war", "macro_f1", "uf1", "uar_answered")
        accuracy, uar, f1, answered = values
        return [
            ScoreRow(
                "emotion/drawn", model, prompt, "none", "all", "emotion", name, *value, 1200,
                0.99 if prompt != "-" else 1.0, f"estimator; {note}",
            )
            for name, value in zip(names, (accuracy, uar, accuracy, f1, f1, answered), strict=True)
        ]  # fmt: skip

    return Scores(
        scores=(
            *rows("majority", "-", "in-sample: fitted", (0.6, None, None), (0.5, None, None), (0.375, None, None), (0.5, None, None)),
            *rows("prior", "-", "", (0.52, None, None), (0.48, None, None), (0.47, None, None), (0.48, None, None)),
            *rows("affect-tiny", "emotion/plain", "", (0.82, 0.78, 0.86), (0.812, 0.77, 0.85), (0.809, 0.76, 0.84), (0.823, 0.78, 0.86)),
        ),
        outcomes=(
            {
                "task": "emotion/drawn", "model": "affect-tiny", "prompt": "emotion/plain", "condition": "none",
                "field": "emotion", "counts": {"unparsed": 1, "answered": 1196, "refused": 3},
            },
        ),
        confusions=(),
        tasks=({"task": "emotion/drawn", "samples": 1200, "clusters": 900, "cluster_unit": "image", "pending": 7, "left_out": []},),
    )  # fmt: skip


def printed(found: Scores, manifest: object) -> str:
    out = io.StringIO()
    print_scores(found, manifest, file=out)  # type: ignore[arg-type]
    return out.getvalue()


def test_the_score_table() -> None:
    assert printed(scores(), MANIFEST) == GOLDEN


def test_every_line_fits_and_carries_no_colour(view: RunView) -> None:
    text = printed(view.scores, view.manifest)
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    for said in (
        "vqa/table: presence",
        "vqa/table: valence",
        "CCC",
        "set F1",
        "(in-sample)",
        "refused 1",
    ):
        assert said in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_narrow_terminal_keeps_the_main_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    print_scores(scores(), MANIFEST, file=out)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert ".812 [.77, .85]" in text and ".820" in text and "[.78, .86]" not in text
    assert "affect-tiny emotion/plain" in text


def test_a_long_or_hostile_model_name_loses_nothing_and_hides_nothing() -> None:
    name = "openai:[red]Qwen/Qwen2.5-VL-72B-Instruct[/red]@http\x1b[31m://127.0.0.1:8000/v1"
    manifest = {**MANIFEST, "cells": [{**MANIFEST["cells"][0], "model": name}]}  # type: ignore[index]
    found = scores()
    renamed = tuple(
        ScoreRow(r.task, name, r.prompt, r.condition, r.slice, r.field, r.metric, r.value, r.low, r.high, r.n, r.coverage, r.estimator)
        if r.prompt != "-"
        else r
        for r in found.scores
    )  # fmt: skip
    text = printed(Scores(renamed, (), (), ()), manifest)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert ".812 [.77, .85]" in text
    folded = "".join(line[:26].strip() for line in text.splitlines())
    assert "[red]Qwen/Qwen2.5-VL-72B-Instruct[/red]@http⟨U+001B⟩[31m://127.0.0.1:8000/v1" in folded


def test_the_json_is_the_contract() -> None:
    body = json.loads(scores_json(Path("results/runs/x"), scores()))
    assert list(body) == ["schema", "run", "scores"]
    assert (body["schema"], body["run"]) == (2, "results/runs/x")
    assert list(body["scores"][0]) == [
        "task", "model", "prompt", "condition", "slice", "field", "metric", "value", "low", "high", "n",
        "coverage", "estimator", "protocol", "tools",
    ]  # fmt: skip
    assert body["scores"][0]["low"] is None
    assert len(body["scores"]) == 18


def test_a_number_that_is_none_cannot_slip_into_the_json() -> None:
    bad = ScoreRow("t", "m", "p", "none", "all", "f", "uar", float("nan"), None, None, 1, 1.0, "e")
    with pytest.raises(ValueError, match="not JSON compliant"):
        scores_json(Path("x"), Scores((bad,), (), (), ()))


PLAN = """task           model        prompt         condition  trials   done
───────────────────────────────────────────────────────────────────
emotion/drawn  affect-tiny  emotion/plain  none        1,200  1,000
emotion/drawn  affect-tiny  emotion/plain  blank       1,200      0
2,400 trials, 1,400 requests, 1,000 already done
run folder: results/runs/x
note: 3 rows without a label are left out
"""


def test_the_plan() -> None:
    cells = [
        {"task": "emotion/drawn", "model": "affect-tiny", "prompt": "emotion/plain", "condition": c, "trials": 1200, "done": d}
        for c, d in (("none", 1000), ("blank", 0))
    ]  # fmt: skip
    out = io.StringIO()
    summary = {
        "cells": cells, "trials": 2400, "requests": 1400, "done": 1000, "run": "results/runs/x",
        "notes": ["3 rows without a label are left out"],
    }  # fmt: skip
    print_plan(summary, file=out)
    assert out.getvalue() == PLAN


def test_samples_without_a_true_value_stand_below_the_table() -> None:
    found = scores()
    state = {**found.tasks[0], "without_truth": {"emotion": 1200, "valence": 3}}
    text = printed(replace(found, tasks=(state,)), MANIFEST)
    assert (
        "samples without a true value, which are not scored: 1,200 for emotion, 3 for valence"
        in text
    )


def test_rows_that_were_left_out_stand_below_the_table() -> None:
    entry = {
        **MANIFEST["tasks"]["emotion/drawn"],
        "skipped": [{"count": 3, "reason": "no label"}, {"count": 1, "reason": "no picture"}],
    }  # type: ignore[index]
    manifest = {**MANIFEST, "tasks": {"emotion/drawn": entry}}
    text = printed(scores(), manifest)
    assert "left out of the data: 3 rows (no label), 1 row (no picture)" in text
    assert "left out" not in printed(scores(), MANIFEST)


@pytest.mark.parametrize("width", [60, 100])
def test_a_wide_table_is_told_in_parts_that_keep_the_first_column_and_every_number(
    width: int,
) -> None:
    from rich.console import Console

    headings = ("MAE, years", "CS(10)", "Whipple", "MAE of decades", "Slope", "Bias", "Mean of all")
    table = Table(
        columns=("", *headings),
        rows=(Row((Who("a-model", "age/of-a-long-name", "none"), *[Number(-20.125, 1.0, 2.0)] * 2, *[Number(-20.125)] * 5)),),
    )  # fmt: skip
    out = io.StringIO()
    print_tables(Console(file=out, width=width, markup=False, highlight=False), [table])
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert out.getvalue().count("-20.125") == len(headings)
    assert all(word in out.getvalue() for heading in headings for word in heading.split())
    assert out.getvalue().count("age/of-a-long-name") >= 2, "the name is not broken"


def test_a_strict_error_of_few_answers_says_what_it_rests_on() -> None:
    spec = FieldSpec(kind="age", low=0, high=116)
    key = ("m", "p", "none")

    def told(metric: str, coverage: float) -> list[str]:
        row = ScoreRow("t", *key, "all", "age", metric, 15.8, None, None, 30, coverage, "")
        line = TableLine("model", key, "", 30, "", (shown(row),), (shown(None),))
        return list(imputed_lines(ScoreTable("t", "all", "age", spec, ((metric, metric),), (line,))))  # fmt: skip

    (said,) = told("age_mae", 0.07)
    assert "m p answered 7%" in said and "error of the median of the true ages" in said
    assert not told("age_mae", 0.9) and not told("cs5", 0.07)
