from __future__ import annotations

import csv
import json
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import f1_score, recall_score

from harness.core.request import Request
from harness.run.files import RUN_FILES
from harness.run.folder import RunFolder
from harness.score.folder import score_run
from harness.score.records import read_records
from harness.score.scores import Scores
from harness.score.table import DRAWS, ScoreRow
from tests.run.bench import TASK, RuleModel, World, make_world

REPLIES = (
    "happiness", "anger", "Answer: happiness", "I'm sorry, I can't identify emotions.", "happiness or anger",
    "disgust", "", "It is not anger but happiness.",
)  # fmt: skip


def by_picture(request: Request) -> str:
    """A reply that hangs on the picture alone, as a real model's would."""
    image = next(part for part in request.messages[-1].parts if hasattr(part, "digest"))
    return REPLIES[int(image.digest, 16) % len(REPLIES)]


@pytest.fixture
def scored(tmp_path: Path) -> tuple[World, Scores]:
    world = make_world(tmp_path, count=60)
    world.run(RuleModel(rule=by_picture), conditions=("none", "blank"))
    return world, score_run(world.folder)


def pick(scores: Scores, **wanted: str) -> ScoreRow:
    rows = [r for r in scores.scores if all(getattr(r, k) == v for k, v in wanted.items())]
    assert len(rows) == 1, (wanted, len(rows))
    return rows[0]


def answers(world: World, condition: str = "none") -> tuple[list[str], list[str | None]]:
    rows = [r for r in read_records(world.folder) if r["condition"] == condition]
    return (
        [json.loads(r["target"]) for r in rows],
        [json.loads(r["value"]) if r["value"] else None for r in rows],
    )


def test_scores_agree_with_scikit_learn_over_the_records(scored: tuple[World, Scores]) -> None:
    world, scores = scored
    truth, said = answers(world)
    filled = [a or "none" for a in said]
    where = {"model": "rule", "condition": "none", "slice": "all", "field": "emotion"}
    classes = ["anger", "happiness"]
    uar = recall_score(truth, filled, labels=classes, average="macro")
    assert pick(scores, metric="uar", **where).value == pytest.approx(uar, abs=1e-6)
    uf1 = f1_score(truth, filled, labels=classes, average="macro", zero_division=0)
    assert pick(scores, metric="uf1", **where).value == pytest.approx(uf1, abs=1e-6)
    kept = [(t, a) for t, a in zip(truth, said, strict=True) if a is not None]
    answered = pick(scores, metric="accuracy_answered", **where)
    assert answered.value == pytest.approx(sum(t == a for t, a in kept) / len(kept), abs=1e-6)
    assert answered.n == len(kept)
    assert answered.coverage == pytest.approx(len(kept) / 60, abs=1e-6)


def test_every_number_carries_what_it_rests_on(scored: tuple[World, Scores]) -> None:
    _, scores = scored
    for row in scores.scores:
        assert row.n > 0 or row.metric.endswith("_answered")
        if row.value is not None and row.low is not None and row.high is not None:
            assert row.low <= row.value + 1e-9 or "[" in row.metric
        if row.model == "prior":
            assert "expectation of answers drawn by how often each occurs" in row.estimator
            continue
        if not row.spread:
            assert "Clopper-Pearson" in row.estimator and "no spread was seen" in row.estimator
            continue
        assert "bootstrap" in row.estimator
        assert "by subject" in row.estimator
        assert f"{DRAWS} draws" in row.estimator


def test_baselines_stand_in_every_table_and_are_marked(scored: tuple[World, Scores]) -> None:
    world, scores = scored
    truth, _ = answers(world)
    most = Counter(truth).most_common(1)[0][1]
    where = {"slice": "all", "field": "emotion", "metric": "accuracy"}
    majority = pick(scores, model="majority", **where)
    assert majority.value == pytest.approx(most / 60, abs=1e-6)
    assert majority.prompt == "-"
    assert "in-sample" in majority.estimator
    prior = pick(scores, model="prior", **where)
    shares = np.array(list(Counter(truth).values())) / 60
    assert prior.value == pytest.approx((shares**2).sum(), abs=1e-6)
    assert prior.low is not None and prior.low < prior.value


def test_outcomes_are_counted_and_none_is_lost(scored: tuple[World, Scores]) -> None:
    _, scores = scored
    (entry,) = [o for o in scores.outcomes if o["condition"] == "none"]
    assert sum(entry["counts"].values()) == 60
    assert set(entry["counts"]) >= {"answered", "refused", "ambiguous", "off-list", "empty"}


def test_slices_hold_their_samples_and_small_ones_are_left_out(
    scored: tuple[World, Scores],
) -> None:
    _, scores = scored
    names = {row.slice for row in scores.scores}
    assert names == {"all", "light=bright", "light=dim"}
    assert pick(scores, model="rule", condition="none", slice="light=dim", metric="uar").n == 30
    assert not [r for r in scores.scores if "=" in r.slice and "[" in r.metric]


def test_the_same_journal_gives_the_same_bytes(scored: tuple[World, Scores]) -> None:
    world, _ = scored
    before = world.folder.scores.read_bytes(), world.folder.records.read_bytes()
    score_run(world.folder)
    assert (world.folder.scores.read_bytes(), world.folder.records.read_bytes()) == before


def test_records_are_sorted_and_hold_no_timing(scored: tuple[World, Scores]) -> None:
    world, _ = scored
    table = pq.read_table(world.folder.records)
    keys = list(zip(table["trial"].to_pylist(), table["field"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert "latency" not in table.column_names
    assert table.num_rows == 120


def test_scoring_needs_neither_pictures_nor_table(scored: tuple[World, Scores]) -> None:
    world, scores = scored
    for path in world.root.glob("*.png"):
        path.unlink()
    (world.root / "labels.csv").unlink()
    assert score_run(world.folder) == scores


def test_trials_of_an_older_prompt_are_pending_not_scored(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.run(RuleModel())
    manifest = json.loads(world.folder.manifest.read_text())
    manifest["cells"][0]["basis"] = "00000000"
    world.folder.manifest.write_text(json.dumps(manifest))
    scores = score_run(world.folder)
    assert scores.tasks[0]["pending"] == 12
    assert {row.model for row in scores.scores} == {"majority", "prior"}


def test_a_failed_trial_is_a_miss_and_says_so(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (tmp_path / "p1.png").unlink()
    world.run(RuleModel())
    scores = score_run(world.folder)
    row = pick(scores, model="rule", slice="all", metric="recall[happiness]")
    assert row.value == pytest.approx(5 / 6, abs=1e-6)
    assert row.coverage == pytest.approx(11 / 12, abs=1e-6)
    (failed,) = [r for r in read_records(world.folder) if r["outcome"] == "failed"]
    assert failed["failure"].startswith("media: missing")


PARTS = """\
source: {family: table, file: q.csv, image: image, targets: {coarse: coarse, shown: shown}, asks: asks}
fields:
  coarse: {kind: label, labels: megc-coarse}
  shown: {kind: yes-no}
prompts: [own/q]
parts: kind
"""


def test_parts_are_scored_apart_under_their_own_name(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=8)
    with (tmp_path / "q.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "kind", "asks", "coarse", "shown"])
        for i in range(8):
            writer.writerow(
                [f"c{i}", f"p{i}.png", "coarse", "coarse", ["negative", "positive"][i % 2], ""]
            )
            writer.writerow([f"s{i}", f"p{i}.png", "shown", "shown", "", ["yes", "no"][i % 2]])
    (tmp_path / "parts.yaml").write_text(PARTS)
    own = tmp_path / "prompts" / "own"
    own.mkdir(parents=True)
    (own / "q.j2").write_text(
        "---\nfields: [coarse, shown]\n---\n"
        "{% user %}{{ image }} {{ labels | join('/') }}?{% enduser %}\n"
    )
    world.prompts = (tmp_path / "prompts",)

    def rule(request: Request) -> str:
        return "yes" if "yes" in request.messages[-1].text else "negative"

    world.run(RuleModel(rule=rule), task="parts.yaml")
    scores = score_run(world.folder)
    assert {(r.slice, r.field) for r in scores.scores} == {("coarse", "coarse"), ("shown", "shown")}
    row = pick(scores, model="rule", slice="coarse", metric="uf1")
    assert row.n == 8
    assert row.value == pytest.approx((2 * 4 / (2 * 4 + 4) + 0) / 2, abs=1e-6)


def test_samples_without_a_true_value_are_counted(tmp_path: Path) -> None:
    task = TASK.replace("label: emotion,", "targets: {emotion: emotion, lit: light},")
    task = task.replace(
        "prompts:", "  lit: {kind: label, labels: [dim, bright], scored: true}\nprompts:"
    )
    world = make_world(tmp_path, task=task)
    table = tmp_path / "labels.csv"
    lines = table.read_text().splitlines()
    lines[1] = lines[1].replace(",anger,", ",,")
    table.write_text("\n".join(lines) + "\n")
    world.run(RuleModel())
    state = score_run(world.folder).tasks[0]
    assert state["samples"] == 12
    assert state["without_truth"] == {"emotion": 1}


def test_nothing_is_said_where_every_sample_has_a_true_value(
    scored: tuple[World, Scores],
) -> None:
    assert "without_truth" not in scored[1].tasks[0]


@pytest.mark.parametrize(
    ("place", "value"), [("none", None), ("task", "happiness"), ("prompt", "happiness")]
)
def test_a_task_or_a_prompt_names_languages(tmp_path: Path, place: str, value: str | None) -> None:
    prompt = tmp_path / "prompts" / "own" / "q.j2"
    prompt.parent.mkdir(parents=True)
    head = "languages: [de]\n" if place == "prompt" else ""
    prompt.write_text(
        f"---\nfields: [emotion]\n{head}---\n{{% user %}}{{{{ image }}}} Name the emotion.{{% enduser %}}\n"
    )
    task = TASK.replace("[emotion/plain, emotion/cot]", "[own/q]")
    world = make_world(tmp_path, task=task + ("languages: [de]\n" if place == "task" else ""))
    world = World(tmp_path, prompts=(tmp_path / "prompts",))
    world.run(RuleModel(lambda request: "Die Person ist nicht wütend, sondern fröhlich."))
    score_run(world.folder)
    found = {row["value"] for row in read_records(world.folder)}
    assert found == {json.dumps(value) if value else None}


def test_every_file_of_a_run_folder_is_described(scored: tuple[World, Scores]) -> None:
    world, _ = scored
    written = [p.relative_to(world.folder.path) for p in world.folder.path.rglob("*")]
    unknown = [
        name.as_posix()
        for name in written
        if (world.folder.path / name).is_file()
        and not any(fnmatchcase(name.as_posix(), one.name) for one in RUN_FILES)
    ]
    assert unknown == []
    stated = [name for name, value in vars(RunFolder).items() if isinstance(value, property)]
    for name in stated:
        place = getattr(world.folder, name).relative_to(world.folder.path).as_posix()
        if place == ".":
            continue
        assert any(place == one.name or one.name.startswith(f"{place}/") for one in RUN_FILES), name
