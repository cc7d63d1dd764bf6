"""A kind of field and metrics of another package, from a table and a reply to the page: no line of this one knows them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.core.errors import HarnessError
from tests.example import Installed, write_package
from tests.models.abilities import able
from tests.models.stub import Stub, running_stub
from tests.run.bench import rows, write_pictures
from tests.run.test_clips_shown import pictured

GROUPS = ("0-2", "4-6", "8-13", "15-20", "25-32", "38-43", "48-53", "60-100")
TASK = """
source: {family: table, file: ages.csv, image: image, targets: {age: group, emotion: emotion}, subject: subject}
fields:
  age: {kind: interval, low: 0, high: 100, options: {widest: 41}, metrics: [iou, end_error, exact_interval]}
  emotion: {kind: label, labels: from-data, metrics: [g_mean, uar]}
prompts: [ages/plain]
slices: [emotion]
"""
PROMPT = """---
description: Age group and emotion as JSON.
fields: [age, emotion]
answer: json
---
{% user %}{{ image }}
Age group in years, at most {{ fields.age.options.widest }} of them, and emotion ({{ labels | join(", ") }})?
Answer as JSON with the keys age (written LOW-HIGH) and emotion.{% enduser %}
"""


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        yield running


def prepare(work: Path, count: int = 24) -> list[str]:
    """A task, a prompt and a table of `count` pictures with age groups; the true groups."""
    pictures = rows(count)
    write_pictures(work, pictures)
    draw = Random(3)
    groups = [draw.choice(GROUPS) for _ in pictures]
    lines = ["image,group,emotion,subject"]
    with (work / "labels.csv").open() as file:
        head = file.readline().strip().split(",")
        table = [dict(zip(head, line.strip().split(","), strict=True)) for line in file]
    for row, group in zip(table, groups, strict=True):
        cell = f'"({group.replace("-", ", ")})"'  # as Adience writes age groups
        lines.append(f"{row['image']},{cell},{row['emotion']},{row['image'][-6:-4]}")
    (work / "ages.csv").write_text("\n".join(lines) + "\n")
    (work / "tasks" / "ages").mkdir(parents=True)
    (work / "tasks" / "ages" / "groups.yaml").write_text(TASK)
    (work / "prompts" / "ages").mkdir(parents=True)
    (work / "prompts" / "ages" / "plain.j2").write_text(PROMPT)
    return groups


def said(body: dict[str, Any]) -> str:
    """A group and a label by the picture; now and then neither."""
    draw = Random(json.dumps(body["messages"][-1]["content"], sort_keys=True)[-4000:])
    if draw.random() < 0.2:
        return "I cannot tell the age of people."
    low, high = draw.choice(GROUPS).split("-")
    age: Any = draw.choice([f"{low}-{high}", f"{low} to {high} years", [int(low), int(high)]])
    return json.dumps({"age": age, "emotion": draw.choice(["anger", "happiness"])})


def test_from_a_table_and_replies_to_scores_and_page(example: Installed, stub: Stub) -> None:
    stub.answer = said
    prepare(example.work)
    folders = ("--tasks", "tasks", "--prompts", "prompts")
    model = f"openai:stub@{stub.url}"
    done = example.harness("run", "ages/groups", *folders, "--model", model, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "IoU" in done.stdout and "G-mean" in done.stdout
    assert "at most 41 of them" in json.dumps(stub.requests[-1])
    body = json.loads((example.work / "run" / "scores.json").read_text())
    found = {
        (r["metric"], r["model"]): r
        for r in body["scores"]
        if r["field"] == "age" and r["slice"] == "all"
    }
    records = pq.read_table(example.work / "run" / "records.parquet").to_pylist()
    pairs = [
        (json.loads(r["target"]), json.loads(r["value"]) if r["value"] else None)
        for r in records
        if r["field"] == "age"
    ]
    name = next(model for _, model in found if model.startswith("openai:"))
    assert found["iou", name]["value"] == pytest.approx(_iou(pairs), abs=1e-6)
    assert found["iou", name]["low"] < found["iou", name]["value"] < found["iou", name]["high"]
    assert "intersection over union" in found["iou", name]["estimator"]
    assert ("iou", "majority") in found and ("end_error_answered", name) in found
    assert {"answered", "refused"} <= {r["outcome"] for r in records}
    page = (example.work / "run" / "report.html").read_text()
    assert "IoU" in page and "error of the ends" in page and "25-32" in page
    again = example.harness("score", "run", "--set", "fields.age.metrics=[middle_held]")
    assert again.returncode == 0, again.stderr
    assert "middle held" in again.stdout


def test_held_to_the_kind_on_the_channel_choice(example: Installed) -> None:
    prepare(example.work, 8)
    with running_stub(**able(obeys={"structured_outputs"})) as stub:
        done = example.harness(
            "run", "ages/groups", "--tasks", "tasks", "--prompts", "prompts", "--out", "run",
            "--model", f"openai:stub@{stub.url}", "--channel", "choice", "--no-report",
        )  # fmt: skip
        sent = [body["structured_outputs"]["json"] for body in stub.requests if pictured(body)]
    assert done.returncode == 0, done.stderr
    assert sent[0]["properties"]["age"]["pattern"].startswith("^(0|1|2")
    records = pq.read_table(example.work / "run" / "records.parquet").to_pylist()
    ages = [(r["outcome"], r["value"]) for r in records if r["field"] == "age"]
    assert ages == [("answered", ages[0][1])] * 8


def test_it_is_listed_and_its_faults_are_named(example: Installed) -> None:
    assert "interval of whole numbers" in example.harness("list", "kinds").stdout
    metrics = example.harness("list", "metrics").stdout
    assert "IoU [interval fields; 0..1, higher is better]" in metrics and "g_mean" in metrics
    prepare(example.work)
    plan = (
        "plan",
        "ages/groups",
        "--tasks",
        "tasks",
        "--prompts",
        "prompts",
        "--model",
        "affect-tiny",
    )
    for change, told in (
        ("fields.age.options={wides: 3}", "wides is none of an interval's"),
        ("fields.age.low=-1", "whole numbers, 0 <= low < high"),
        ("fields.age.metrics=[iuo]", "did you mean iou?"),
        ("fields.age.kind=intervall", "did you mean interval?"),
        ("fields.age.high=50", "(60, 100)"),
        ("fields.emotion.options={widest: 3}", "a field of kind label has no such option"),
    ):
        done = example.harness(*plan, "--set", change)
        assert done.returncode == 2, (change, done.stdout, done.stderr)
        assert told in done.stderr, (change, done.stderr)


def test_without_the_package_a_run_says_which_kind_is_missing(
    example: Installed, stub: Stub, tmp_path: Path
) -> None:
    stub.answer = said
    prepare(example.work)
    folders = ("--tasks", "tasks", "--prompts", "prompts")
    run = ("run", "ages/groups", *folders, "--model", f"openai:stub@{stub.url}", "--out", "run")
    assert example.harness(*run).returncode == 0
    (tmp_path / "none").mkdir()
    bare = Installed(tmp_path / "none", example.work)
    for command in (("score", "run"), ("report", "run"), ("compare", "run"), run):
        done = bare.harness(*command)
        assert done.returncode == 2, (command, done.stderr)
        assert "unknown field kind 'interval'" in done.stderr, (command, done.stderr)
        assert "install the package" in done.stderr


@pytest.mark.parametrize(
    ("code", "value", "told"),
    [
        ("raise RuntimeError('boom')", "odd:KIND", "boom"),
        ("KIND = 3", "odd:KIND", "int"),
        ("", "odd:KIND", "KIND"),
        ("from harness.kinds.text import TEXT as KIND", "odd:KIND", "'text'"),
    ],
)
def test_a_broken_kind_is_named_and_stops_nothing_else(
    installed: Installed, code: str, value: str, told: str
) -> None:
    write_package(
        installed.packages, "odd",
        entry_points={"harness.kinds": {"odd": value}, "harness.metrics": {"odd": value}},
        files={"odd.py": code + "\n"},
    )  # fmt: skip
    for what in ("kinds", "metrics"):
        listed = installed.harness("list", what)
        assert listed.returncode == 1, listed.stderr
        (line,) = [line for line in listed.stdout.splitlines() if "broken" in line]
        assert "odd" in line and (told in line or what == "metrics")
    (installed.work / "x.yaml").write_text(
        "source: {family: table, file: x.csv}\nfields: {a: {kind: odd}}\nprompts: [emotion/plain]\n"
    )
    done = installed.harness("plan", "x.yaml", "--model", "affect-tiny")
    assert done.returncode == 2 and "odd" in done.stderr and told in done.stderr, done.stderr


def _iou(pairs: list[tuple[str, str | None]]) -> float:
    """By sets of years."""
    found = []
    for truth, answer in pairs:
        true, given = _years(truth), _years(answer) if answer else set()
        found.append(len(true & given) / len(true | given))
    return sum(found) / len(found)


def _years(text: str) -> set[int]:
    low, high = map(int, text.split("-"))
    return set(range(low, high + 1))


def test_the_metric_of_labels_is_that_of_imbalanced_learning(example_here: Installed) -> None:
    from harness.metrics import label_family, point, points

    draw = np.random.default_rng(4)
    truth = draw.choice(["a", "b", "c"], 200, p=[0.6, 0.3, 0.1]).tolist()
    said = [t if draw.random() < 0.6 else draw.choice(["a", "b", "c"]) for t in truth]
    family = label_family(truth, said)
    recalls = points(family, [f"recall[{label}]" for label in "abc"])
    assert point(family, "g_mean") == pytest.approx(math.prod(recalls.values()) ** (1 / 3))
    assert "g_mean" not in family.metrics, (
        "what is installed changes no number that was not asked for"
    )


def test_a_metric_with_terms_of_its_own_is_scored_sliced_and_paired(
    example_here: Installed,
) -> None:
    from harness.core.field import FieldSpec
    from harness.metrics import NumberFamily, family_for, point
    from harness.stats.bootstraps import bootstrap_many
    from harness.stats.paired import paired

    spec = FieldSpec(kind="number", low=0, high=100, metrics=("mae", "far_off"))
    draw = np.random.default_rng(1)
    truth = draw.integers(20, 60, 120).astype(float)
    said = [None if draw.random() < 0.1 else float(t + draw.integers(-15, 16)) for t in truth]
    far = np.array([s is None or abs(s - t) > 10 for s, t in zip(said, truth, strict=True)])
    family = family_for(spec, truth.tolist(), said)
    assert isinstance(family, NumberFamily)
    assert point(family, "far_off") == pytest.approx(far.mean())
    plain = family_for(FieldSpec(kind="number", low=0, high=100), truth.tolist(), said)
    for metric in plain.metrics:
        assert point(family, metric) == pytest.approx(point(plain, metric), nan_ok=True)
    half = np.arange(120) < 60
    assert point(family, "far_off", select=half) == pytest.approx(far[half].mean())
    values = {"far_off": lambda totals: family.value("far_off", totals)}
    (interval,) = bootstrap_many(family.rows(), None, values, seed=0).values()
    assert interval.low < far.mean() < interval.high
    other = family_for(spec, truth.tolist(), truth.tolist())
    found = paired(family, other, "far_off", seed=0)
    assert found.difference == pytest.approx(far.mean())
    with pytest.raises(HarnessError, match="name it among") as caught:
        point(plain, "far_off")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("needs", "terms", "told"),
    [
        ("number", lambda family: np.full(2, np.nan), "not finite"),
        ("number", lambda family: np.ones((2, 3)), "shape"),
        ("label", lambda family: np.ones(2), "have no terms"),
    ],
)
def test_terms_that_are_none_are_named(
    needs: str, terms: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.core.field import FieldSpec
    from harness.metrics import Metric, build, family_for

    odd = Metric(
        name="odd", title="odd", needs=needs, estimator="...", terms=terms,
        compute=lambda family, sums: sums[..., 0],
    )  # fmt: skip
    monkeypatch.setattr(build, "metric_of", lambda spec, name: odd)
    truth: list[Any] = [0.5, 1.0] if needs == "number" else ["a", "b"]
    with pytest.raises(HarnessError, match=told):
        family_for(FieldSpec(kind=needs, metrics=("odd",)), truth, truth).rows()


VERDICT = """
import dataclasses
from harness.kinds.label import LABEL
KIND = dataclasses.replace(LABEL, name="verdict", title="a label by another name", metrics=("uar", "mcc"))
"""


def test_a_kind_on_a_family_of_this_package_has_all_that_goes_with_it(installed: Installed) -> None:
    write_package(
        installed.packages, "verdicts", files={"verdicts.py": VERDICT},
        entry_points={"harness.kinds": {"verdict": "verdicts:KIND"}},
    )  # fmt: skip
    lines = [f"s{n},{'yes' if n % 3 else 'no'},{'Yes.' if n % 4 else 'no'}" for n in range(48)]
    (installed.work / "p.csv").write_text("\n".join(["id,t,a", *lines]) + "\n")
    for kind in ("verdict", "label"):
        (installed.work / f"{kind}.yaml").write_text(
            "source: {family: table, file: p.csv}\n"
            f"fields: {{said: {{kind: {kind}, labels: ['yes', 'no'], metrics: [uar, mcc]}}}}\n"
            "prompts: [emotion/plain]\n"
        )
        done = installed.harness(
            "score", "--predictions", "p.csv", "--task", f"{kind}.yaml", "--id", "id", "--truth", "t",
            "--answer", "a", "--out", kind,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "MCC" in done.stdout
    theirs, ours = (
        (installed.work / kind / "scores.json").read_text() for kind in ("verdict", "label")
    )
    assert json.loads(theirs)["confusions"] and "recall[yes]" in theirs
    assert theirs.replace("verdict", "label") == ours


def test_a_metric_under_a_name_that_is_taken_is_listed_as_broken(installed: Installed) -> None:
    write_package(
        installed.packages, "second",
        entry_points={"harness.metrics": {"uar": "second:UAR"}},
        files={"second.py": "from harness.metrics import find_metric\nUAR = find_metric('uar', 'label')\n"},
    )  # fmt: skip
    listed = installed.harness("list", "metrics")
    assert listed.returncode == 1 and "already has the name 'uar'" in listed.stdout


def test_a_field_is_described_and_read_without_numpy(installed: Installed) -> None:
    code = (
        "import sys\nfrom harness.answers.reader import Reader\nfrom harness.core.field import FieldSpec\n"
        "from harness.core.kind import KINDS\n"
        "for kind in KINDS.builtin:\n"
        "    Reader.build({'a': FieldSpec(kind=kind, labels=('x', 'y'), low=0, high=1)})('x')\n"
        "import harness.run.task_files\nprint('numpy' in sys.modules)"
    )
    done = installed.python("-c", code)
    assert done.stdout.split() == ["False"], done.stderr
