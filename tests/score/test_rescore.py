"""A finished run scored otherwise than it was asked."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.run.scoring import scored_manifest
from harness.run.workspace import open_workspace
from harness.score.folder import score_run
from harness.score.rescore import Rescoring, rescore
from harness.score.scores import Scores
from tests.run.bench import RuleModel, World, make_world
from tests.score.test_folder import answers, by_picture, pick


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path, count=60)
    made.run(RuleModel(rule=by_picture))
    score_run(made.folder)
    return made


def again(world: World, *changes: str, **asked: object) -> Scores:
    return rescore(world.folder, Rescoring(changes, **asked), open_workspace(world.root))  # type: ignore[arg-type]


def contents(world: World) -> dict[str, str]:
    """Each file of the run but the lock, and the digest of what it holds."""
    folder = world.folder.path
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_another_metric_than_was_asked(world: World) -> None:
    before = contents(world)
    scores = again(world, "fields.emotion.metrics=[kappa]")
    truth, said = answers(world)
    kappa = cohen_kappa_score(truth, [a or "none" for a in said])
    where = {"model": "rule", "slice": "all", "field": "emotion"}
    assert pick(scores, metric="kappa", **where).value == pytest.approx(kappa, abs=1e-6)
    assert not [row for row in scores.scores if row.metric == "uar"]
    untouched = (
        "manifest.json",
        "trials.jsonl",
        "generations.jsonl",
        "private/samples/task.parquet",
    )
    now = contents(world)
    assert all(now[name] == before[name] for name in untouched)


def test_without_options_a_run_is_scored_as_it_was_asked(world: World) -> None:
    before = contents(world)
    again(world, "fields.emotion.metrics=[kappa]", "slices=[]")
    assert contents(world) != before
    again(world)
    assert contents(world) == before


def test_the_report_and_later_commands_see_the_scoring(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(world.folder.path)
    assert main(["score", run, "--set", "fields.emotion.metrics=[macro_f1]"]) == 0
    assert "scored with --set fields.emotion.metrics=[macro_f1]" in capsys.readouterr().out
    assert main(["report", run]) == 0
    page = world.folder.report.read_text()
    assert "scored with --set fields.emotion.metrics=[macro_f1]" in page
    config = scored_manifest(world.folder)["tasks"]["task"]["config"]
    assert config["fields"]["emotion"]["metrics"] == ["macro_f1"]


def test_corrected_truths_count_and_blank_cells_change_nothing(world: World) -> None:
    file = table(
        world.root / "corrected.csv", ["sample", "emotion", "who"],
        [["p0.png", "Happiness", "x"], ["p1.png", "happiness", "x"], ["p2.png", "", "x"]],
    )  # fmt: skip
    before = answers(world)[0]
    again(world, truths=file)
    after = answers(world)[0]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert "1 of them differ" in " ".join(scored_manifest(world.folder)["scoring"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["p0.png", "anger"], ["gone.png", "anger"]], "'gone.png', which is not a sample"),
        ([["p0.png", "anger"], ["p0.png", "anger"]], "'p0.png' appears twice"),
        ([["p0.png", "joy and fear"]], "not one of: anger, happiness"),
        ([["p0.png", ""]], "no column with the name of a field"),
    ],
)
def test_a_bad_table_of_truths_changes_nothing(
    world: World, rows: list[list[str]], message: str
) -> None:
    before = contents(world)
    file = table(world.root / "corrected.csv", ["sample", "emotion"], rows)
    with pytest.raises(HarnessError, match=message) as caught:
        again(world, truths=file)
    assert contents(world) == before
    assert "--set" not in caught.value.hint, "what scoring refuses is no advice"


def test_refresh_reads_truths_and_annotations_again(world: World) -> None:
    table(
        world.root / "second.csv", ["image", "emotion", "person", "hat"],
        [[f"p{n}.png", "anger", f"s{n // 3}", "ab"[n % 2]] for n in range(50)] + [["new.png", "anger", "s1", "a"]],
    )  # fmt: skip
    requests = world.folder.generations.read_bytes()
    again(world, "source.file=second.csv", "slices=[hat]", refresh=True)
    assert set(answers(world)[0]) == {"anger"}
    manifest = scored_manifest(world.folder)
    assert manifest["tasks"]["task"]["samples"] == 50
    said = " ".join(manifest["scoring"])
    assert "10 samples that are gone from it are left out" in said
    assert "1 samples that were not asked about are left out" in said
    assert world.folder.generations.read_bytes() == requests


def test_clusters_are_taken_from_an_annotation(world: World) -> None:
    scores = again(world, "cluster=light")
    assert scores.tasks[0]["clusters"] == 2
    assert scores.tasks[0]["cluster_unit"] == "light"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "nonsense=1"), "a task has no key 'nonsense'"),
        (("--set", "media.resize=64"), "would change the requests"),
        (("--set", "prompts=[emotion/cot]"), "would change the requests"),
        (("--set", "fields.emotion.labels=[anger]"), "would change the requests"),
        (("--set", "fields.mood.metrics=[uar]"), "no task of the run has a field 'mood'"),
        (("--set", "fields.emotion.metrics=[mood]"), "no metric 'mood'"),
        (("--set", "source.file=other.csv"), "scoring does not read the source"),
        (("--set", "slices=[hat]"), "no sample of task in .* has an annotation 'hat'"),
        (("--set", "cluster=hat"), "has no 'hat'"),
        (("--task", "no/such", "--set", "slices=[]"), "the run has no such task"),
        (("--task", "task"), "--task has no effect without"),
        (("--events", "x.csv"), "--events has no effect"),
        (("--truth", "gt"), "--truth has no effect"),
        (("--prompts", "."), "--prompts has no effect"),
        (("--truths", "absent.csv"), "absent.csv"),
    ],
)
def test_what_scoring_cannot_use_is_refused_and_changes_nothing(
    world: World,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(world.root)
    before = contents(world)
    assert main(["score", str(world.folder.path), *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(message, told.err.replace("\n", " ")), told.err
    assert contents(world) == before


def test_definitions_that_a_prompt_shows_cannot_be_changed(tmp_path: Path) -> None:
    made = make_world(tmp_path)
    made.run(RuleModel(), prompts=("emotion/defined",))
    with pytest.raises(HarnessError, match=r"emotion/defined shows definitions"):
        again(made, "fields.emotion.definitions.anger=cross")


def test_a_killed_rescoring_leaves_a_folder_that_scores(world: World) -> None:
    (world.folder.private / ".scoring-killed" / "scoring").mkdir(parents=True)
    (world.folder.path / ".records.parquet.new").write_bytes(b"half")
    (world.folder.path / ".scores.json.unfinished-1").write_bytes(b"half")
    (world.folder.private / ".scoring.unfinished-999999999-ab").mkdir()
    with world.folder.locked():
        again(world, "fields.emotion.metrics=[kappa]")
    assert not [p.name for p in world.folder.path.rglob(".*") if p.name != ".lock"]


def test_options_reach_every_task_of_the_run_that_has_the_field(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads(world.folder.manifest.read_text())
    other = json.loads(json.dumps(manifest["tasks"]["task"]))
    other["config"]["name"] = "other"
    other["config"]["fields"] = {"valence": {"kind": "number"}}
    other["config"]["slices"] = []
    manifest["tasks"]["other"] = other
    world.folder.manifest.write_text(json.dumps(manifest))
    samples = world.folder.samples("task").read_bytes()
    world.folder.samples("other").write_bytes(samples)
    again(world, "fields.emotion.metrics=[kappa]", "fields.valence.metrics=[mae]")
    tasks = scored_manifest(world.folder)["tasks"]
    assert tasks["task"]["config"]["fields"]["emotion"]["metrics"] == ["kappa"]
    assert tasks["other"]["config"]["fields"]["valence"]["metrics"] == ["mae"]


def test_a_tolerance_is_chosen_afterwards(tmp_path: Path) -> None:
    file = table(
        tmp_path / "ages.csv", ["name", "gt", "answer"],
        [["a", "30", "33"], ["b", "30", "40"], ["c", "51", "50"], ["d", "20", "20"]],
    )  # fmt: skip
    (tmp_path / "age.yaml").write_text(
        "source: {family: table}\nprompts: [question/plain]\n"
        "fields:\n  age: {kind: number, low: 0, high: 120, metrics: [mae, within]}\n"
    )
    run = tmp_path / "run"
    asked = ["score", "--predictions", str(file), "--task", str(tmp_path / "age.yaml")]
    assert main([*asked, "--truth", "gt", "--out", str(run)]) == 0
    for tolerance, share in ((0, 0.25), (3, 0.75)):
        assert main(["score", str(run), "--set", f"fields.age.tolerance={tolerance}"]) == 0
        rows = json.loads((run / "scores.json").read_text())["scores"]
        (found,) = [r for r in rows if r["metric"] == "within" and r["model"].startswith("pred")]
        assert found["value"] == share
