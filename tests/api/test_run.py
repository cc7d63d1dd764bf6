"""`harness.Run`: tables of plain values, comparisons, scoring again, reports, a notebook's view."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import harness
from harness.run.folder import RunFolder
from tests.api.conftest import SOURCE
from tests.run.bench import RuleModel


def unchanged(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_scores_are_those_of_the_file_as_plain_values(run: harness.Run) -> None:
    scores = run.scores()
    rows = json.loads((run.path / "scores.json").read_text())["scores"]
    assert len(scores) == len(rows)
    for name in ("value", "low", "high", "coverage"):
        assert scores[name].dtype == "float64"
        assert [None if math.isnan(v) else v for v in scores[name]] == [row[name] for row in rows]
    assert scores["n"].tolist() == [row["n"] for row in rows]
    for name in ("task", "model", "prompt", "condition", "slice", "field", "metric", "channel"):
        assert isinstance(scores[name].dtype, pd.CategoricalDtype)
        assert scores[name].tolist() == [row[name] for row in rows]
    wanted = scores.query("model == 'rule' and metric == 'uar' and slice == 'all'")
    assert wanted["value"].tolist() == [0.5, 0.5]


def test_records_hold_values_as_they_are(data: Path) -> None:
    task = """
source: {family: table, file: labels.csv, image: image, targets: {emotion: emotion}}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
  units: {kind: set, labels: [AU1, AU2]}
  valence: {kind: number}
  teeth: {kind: yes-no}
prompts: [own/all]
"""
    prompt = """---
description: Everything.
fields: [emotion, units, valence, teeth]
answer: json
---
{% user %}{{ image }} JSON.{% enduser %}
"""
    (data / "mine.yaml").write_text(task)
    (data / "own").mkdir()
    (data / "own" / "all.j2").write_text(prompt)
    said = '{"emotion": "anger", "units": ["AU2", "AU1"], "valence": 1, "teeth": "yes"}'
    run = harness.evaluate(
        data / "mine.yaml", model=RuleModel(rule=lambda request: said), limit=3, prompts_folders=".", progress=False
    )  # fmt: skip
    values = run.records().groupby("field", observed=True)["value"].first()
    assert values.to_dict() == {
        "emotion": "anger",
        "teeth": True,
        "units": ("AU1", "AU2"),
        "valence": 1.0,
    }
    assert type(values["valence"]) is float
    assert type(values["teeth"]) is bool
    targets = run.records().set_index("field")["target"]
    assert targets["valence"].isna().all()
    assert set(targets["emotion"]) <= {"anger", "happiness"}


def test_records_outcomes_cells_and_samples(run: harness.Run) -> None:
    records = run.records()
    assert len(records) == 48
    assert records["repeat"].tolist() == [0] * 48
    assert set(records["value"]) == {"anger"}
    assert run.outcomes()[["prompt", "outcome", "n", "share"]].to_dict("records") == [
        {"prompt": name, "outcome": "answered", "n": 24, "share": 1.0} for name in ("emotion/plain", "emotion/defined")
    ]  # fmt: skip
    cells = run.cells()
    assert cells[["trials", "done", "failed"]].to_numpy().tolist() == [[24, 24, 0]] * 2
    samples = run.samples()
    assert len(samples) == 24
    assert samples["target.emotion"].tolist() == ["anger", "happiness"] * 12
    assert samples["annotation.light"].tolist() == ["bright", "dim"] * 12
    assert [Path(name).name for name in samples["media"][0]] == ["p0.png"]
    assert run.samples("table/emotion").equals(samples)


def test_an_edited_prompt_leaves_its_earlier_version_as_a_cell_of_its_own(data: Path) -> None:
    (data / "own").mkdir()
    prompt = "---\ndescription: D.\nfields: [emotion]\n---\n{{% user %}}{{{{ image }}}} {0}{{% enduser %}}\n"
    for words in ("Which?", "Which one?"):
        (data / "own" / "mine.j2").write_text(prompt.format(words))
        run = harness.evaluate(
            "table/emotion", model=RuleModel(), prompts="own/mine", prompts_folders=".", source=SOURCE, out="run",
            limit=5, progress=False,
        )  # fmt: skip
    cells = run.cells()
    assert cells[["trials", "done"]].to_numpy().tolist() == [[5, 5], [5, 5]]
    versions = set(cells["prompt"])
    assert "own/mine" in versions
    assert set(run.records()["prompt"]) == versions
    assert set(run.outcomes()["prompt"]) == versions
    assert versions < set(run.scores()["prompt"])
    assert not run.compare(prompt=tuple(versions)).empty


def test_a_run_without_answers_has_empty_tables(data: Path) -> None:
    run = harness.evaluate("table/emotion", source=SOURCE, progress=False)
    assert run.records().empty
    assert run.failed().empty
    assert run.cells().empty
    assert run.outcomes().empty
    assert not run.scores().empty
    assert "majority" in run._repr_html_()


def test_compare_along_an_axis_is_a_less_b_in_the_order_named(run: harness.Run, data: Path) -> None:
    other = harness.evaluate(
        "table/emotion", models=[RuleModel(), RuleModel(rule=lambda request: "anger", identity="x")][:1],
        conditions=["none", "blank"], source=SOURCE, set={"slices": ["light"]}, out="other", progress=False,
    )  # fmt: skip
    found = run.compare(prompt=("emotion/defined", "emotion/plain"))
    main = found.query("what == 'metric' and of == 'uar'")
    assert main[["a_prompt", "b_prompt", "axis", "n"]].to_numpy().tolist() == [
        ["emotion/defined", "emotion/plain", "prompt", 24]
    ]
    assert main["difference"].tolist() == [0.0]
    assert found["difference"].equals(found["a"] - found["b"])
    assert set(found["what"]) == {"metric", "class"}
    assert set(other.compare(condition=("blank", "none"))["axis"]) == {"condition"}
    assert not run.compare(other, unlike=True).empty
    assert not run.compare(other.path, unlike=True).empty
    assert not run.compare(other, by="content", unlike=True).empty


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"prompt": ("emotion/plain", "emotion/nope")}, "'emotion/nope'"),
        ({"prompt": "emotion/plain"}, "at least two"),
        ({"prompt": ("emotion/plain", "emotion/plain")}, "at least two"),
        ({"prompt": ("a", "b"), "model": ("a", "b")}, "one axis"),
        ({"by": "name"}, "by='name' is not supported"),
    ],
)
def test_what_cannot_be_compared_is_refused(run: harness.Run, axes: Any, said: str) -> None:
    with pytest.raises(harness.HarnessError, match=said):
        run.compare(**axes)


def test_rescore_with_other_metrics_slices_and_truths_and_back(run: harness.Run) -> None:
    before = run.scores()
    assert {"uar", "kappa", "accuracy"} & set(run.rescore(metrics=["uar", "kappa"]).scores()["metric"]) == {"uar", "kappa"}  # fmt: skip
    assert "mcc" in set(run.rescore(metrics={"emotion": "mcc"}).scores()["metric"])
    assert not any("light=" in name for name in run.rescore(slices=[]).scores()["slice"])
    wrong = {name: "happiness" for name, truth in zip(run.samples()["sample"], run.samples()["target.emotion"], strict=True) if truth == "anger"}  # fmt: skip
    first = dict(list(wrong.items())[:6])
    frame = pd.DataFrame({"sample": list(first), "emotion": list(first.values())})
    for truths in (first, {name: {"emotion": value} for name, value in first.items()}, frame):
        scored = run.rescore(truths=truths).scores()
        accuracy = scored.query("model == 'rule' and metric == 'accuracy' and slice == 'all'")[
            "value"
        ]
        assert accuracy.tolist() == [0.25, 0.25]
    assert run.rescore().scores().equals(before)


@pytest.mark.parametrize(
    "asked",
    [
        {"metrics": ["uarr"]}, {"metrics": []}, {"metrics": {"nope": ["uar"]}}, {"metrics": {"emotion": ["ccc"]}},
        {"slices": ["nope"]}, {"truths": {"nope": "anger"}}, {"truths": {}}, {"truths": 3}, {"truths": "nowhere.csv"},
        {"set": {"nonsense": 1}}, {"set": {"max_tokens": 3}}, {"fields": {"emotion": {"labels": ["a"]}}},
        {"source": {"file": "labels.csv"}}, {"task": "no/such"}, {"task": "table/emotion"},
        {"task": "no/such", "metrics": ["uar"]},
    ],
)  # fmt: skip
def test_what_scoring_cannot_use_is_refused_and_nothing_changes(
    run: harness.Run, asked: Any
) -> None:
    before = unchanged(run.path)
    with pytest.raises(harness.HarnessError) as told:
        run.rescore(**asked)
    assert told.value.hint
    assert unchanged(run.path) == before


def test_a_list_of_metrics_goes_to_the_fields_that_have_them() -> None:
    from harness.api.rescoring import metric_changes

    task = harness.load_task("faces/affect")
    kinds = {name: spec.kind for name, spec in task.fields.items()}
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    assert numbers
    labels = harness.load_task("table/emotion")
    made = metric_changes(["ccc", "kappa"], {task.name: task, labels.name: labels})
    assert made["emotion"] == {"metrics": ["kappa"]}
    assert {name: found["metrics"] for name, found in made.items() if name in numbers} == {
        name: ["ccc"] for name in numbers
    }


def test_reports(run: harness.Run, data: Path) -> None:
    assert run.report() == run.path / "report.html"
    assert "<html" in run.report(data / "page.html").read_text()
    assert run.report("tables.md").read_text().startswith("# ")
    assert json.loads(run.report("tables.json").read_text())["schema"] == 1
    with pytest.raises(harness.HarnessError, match=r"\.html"):
        run.report("page.pdf")


def test_what_a_notebook_shows_is_escaped(data: Path) -> None:
    class Nasty(RuleModel):
        @property
        def card(self) -> Any:
            from harness.core.model import Card

            return Card(name="<script>alert(1)</script>", identity="x")

    run = harness.evaluate("table/emotion", model=Nasty(), source=SOURCE, out="run", progress=False)
    shown = run._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "UAR" in shown
    assert "run folder" in shown


def test_repr_is_short_and_survives_a_folder_that_is_gone(run: harness.Run, tmp_path: Path) -> None:
    assert repr(run) == f"<Run '{run.path}': table/emotion; rule; 48 trials>"
    assert repr(harness.Run(tmp_path / "gone")) == f"Run('{tmp_path / 'gone'}')"


def test_open_run_refuses_what_is_none(data: Path, run: harness.Run) -> None:
    assert harness.open_run("run") == run
    with pytest.raises(harness.HarnessError, match="not a run folder"):
        harness.open_run(data)


def test_a_run_is_scored_first_where_it_was_not(run: harness.Run) -> None:
    scores = run.scores()
    RunFolder(run.path).scores.unlink()
    assert run.scores().equals(scores)
