"""Cells against each other over the samples they share."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from harness.compare import Report, Side, compare, open_sides
from harness.compare.markdown import markdown
from harness.compare.tables import blocks, bounds, decimal, probability
from harness.core.errors import HarnessError
from harness.core.request import Request
from harness.imports.columns import PredictionMap
from harness.run.manifest import read_manifest
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from tests.run.bench import RuleModel, World, make_world

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recorded"


def truthful(share: int) -> Callable[[Request], str]:
    """Right on the pictures whose digest is not a multiple of `share` (the red channel tells the label)."""

    def rule(request: Request) -> str:
        image = next(p for p in request.messages[-1].parts if hasattr(p, "digest"))
        text = request.messages[-1].text
        seed = int(image.digest[:8], 16) + len(text)
        return "anger" if seed % share else "happiness"

    return rule


def side(folder: Path, label: str = "") -> Side:
    from harness.run.folder import open_run

    run = open_run(folder)
    return Side(label or str(folder), run, read_manifest(run))


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("name", "gt", "said"), *rows])
    return path


def tables(folder: Path, *files: Path, task: str = "table/emotion") -> list[Side]:
    place = open_workspace(folder)
    return open_sides(
        files,
        task=load_task(task, place, references=False),
        asked=PredictionMap(),
        workspace=place,
        scratch=Path(mkdtemp(dir=folder)),
    )


def answers(wrong: set[int], count: int = 40) -> list[tuple[str, str, str]]:
    """Alternating labels, the answers at `wrong` being the other label."""
    names = ("anger", "happiness")
    return [(f"s{i}", names[i % 2], names[(i + (i in wrong)) % 2]) for i in range(count)]


def test_difference_discordant_counts_and_exact_test(tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", answers({0, 1}))
    b = write(tmp_path / "b.csv", answers({1, 2, 3, 4, 5, 6, 7, 8}))
    (one,) = compare(tables(tmp_path, a, b)).comparisons
    accuracy = next(c for c in one.metrics if c.of == "accuracy")
    assert (one.axis, one.n, one.unit) == ("model", 40, "image")
    assert (accuracy.only_a, accuracy.only_b) == (7, 1)
    assert accuracy.difference == pytest.approx(6 / 40)
    assert accuracy.p == pytest.approx(2 * (1 + 8) / 2**8)
    assert accuracy.test == "exact McNemar"
    assert accuracy.low < accuracy.difference < accuracy.high
    assert one.metrics[0].of == "uar"
    assert {c.of: (c.n, c.only_a, c.only_b) for c in one.classes} == {
        "anger": (20, 4, 1), "happiness": (20, 3, 0),
    }  # fmt: skip


def test_unshared_ids_are_counted_dropped_and_told(tmp_path: Path) -> None:
    rows = answers({0})
    a, b = write(tmp_path / "a.csv", rows[:30]), write(tmp_path / "b.csv", rows[10:])
    report = compare(tables(tmp_path, a, b))
    (one,) = report.comparisons
    assert (one.n, one.dropped_a, one.dropped_b) == (20, 10, 10)
    assert "dropped: 10 samples of A and 10 of B" in markdown(blocks(report))
    c = write(tmp_path / "c.csv", [(f"t{i}", *row[1:]) for i, row in enumerate(rows)])
    with pytest.raises(HarnessError, match="no sample of table/emotion in common"):
        compare(tables(tmp_path, a, c))


def test_other_truths_of_the_same_ids_are_refused(tmp_path: Path) -> None:
    rows = answers(set())
    a = write(tmp_path / "a.csv", rows)
    b = write(tmp_path / "b.csv", [(rows[0][0], "happiness", "anger"), *rows[1:]])
    with pytest.raises(HarnessError, match="truth of 1 shared samples, such as s0"):
        compare(tables(tmp_path, a, b))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One model, two prompts, two conditions."""
    made = make_world(tmp_path, count=48)
    made.run(
        RuleModel(rule=truthful(3)),
        prompts=("emotion/plain", "emotion/cot"),
        conditions=("none", "blank"),
    )
    return made


def test_a_sweep_pairs_cells_that_differ_in_one_axis(world: World) -> None:
    report = compare([side(world.folder.path)])
    assert sorted(c.axis for c in report.comparisons) == ["condition"] * 2 + ["prompt"] * 2
    for one in report.comparisons:
        assert (one.unit, one.clusters, one.n) == ("subject", 16, 48)
        assert {c.of for c in one.slices} == {"light=dim", "light=bright"}
        for change in one.metrics:
            assert math.isnan(change.p_holm) or change.p_holm >= change.p_bh >= change.p
            assert "McNemar" not in change.test, "samples of one subject are not independent"
    (ranks,) = report.ranks
    assert [row.place for row in ranks.rows] == [1, 2, 3, 4]
    assert all(row.best <= row.place for row in ranks.rows)
    (factors,) = report.factors
    assert [row.factor for row in factors.rows] == ["prompt", "condition", "rest"]
    assert factors.cells == 4


def test_two_runs_of_one_cell_are_compared_as_such(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=48)
    made.run(RuleModel(rule=truthful(3)))
    first = side(made.folder.path)
    made.out = "again"
    made.run(RuleModel(rule=truthful(5)))
    (one,) = compare([first, side(made.folder.path)]).comparisons
    assert one.axis == "run"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("tasks", "task", "data_digest"), "0" * 64, "data digest"),
        (("packages", "numpy"), "0.0.1", "packages.numpy (0.0.1"),
        (("packages", "affect-harness"), "9", "packages.affect-harness"),
        (("parser",), "0", "parser"),
        (("cells", 0, "sampling", "temperature"), 0.7, "sampling.temperature (0.7"),
        (("tasks", "task", "config", "media", "resize"), 64, "task.media.resize (64"),
    ],
)
def test_what_else_differs_is_refused_by_name_and_said_with_unlike(
    tmp_path: Path, path: tuple[str | int, ...], value: object, named: str
) -> None:
    made = make_world(tmp_path, count=24)
    made.run(RuleModel(rule=truthful(3)))
    first = side(made.folder.path, "first")
    changed = json.loads(made.folder.manifest.read_text())
    spot = changed
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    other = replace(first, label="other", manifest=changed)
    with pytest.raises(HarnessError) as caught:
        compare([other, first])
    assert named in str(caught.value)
    report = compare([other, first], unlike=True)
    assert named in report.unlike[0]
    assert named in json.loads(report.to_json())["unlike"][0]
    assert named in json.loads(report.to_json())["comparisons"][0]["unlike"][0]
    told = [block for block in blocks(report) if block.warning]
    assert named in told[0].lines[0]


def test_two_axes_at_once_are_refused(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=24)
    made.run(RuleModel(rule=truthful(3)))
    first = side(made.folder.path, "first")
    made.out = "other"
    made.run(RuleModel(rule=truthful(3), identity="rule-2"), prompts=("emotion/cot",))
    with pytest.raises(HarnessError, match=r"differ in more than .*prompt \(emotion/plain against"):
        compare([first, side(made.folder.path, "other")])


def test_a_run_is_compared_with_answers_made_elsewhere(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=24)
    made.run(RuleModel(rule=truthful(3)))
    names = ("anger", "happiness")
    path = tmp_path / "said.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("name", "said"), *((f"p{i}.png", names[i % 2]) for i in range(24))]
        )
    elsewhere = tables(tmp_path, path, task=str(tmp_path / "task.yaml"))
    (one,) = compare([side(made.folder.path), *elsewhere]).comparisons
    assert (one.axis, one.n, one.unit, one.unlike) == ("model", 24, "subject", ())
    assert one.metrics[0].b == 1.0
    assert "prompt and sampling are not known: B" in markdown(blocks(Report((one,), (), (), ())))


def test_a_run_without_samples_and_a_folder_that_is_no_run_are_refused(
    tmp_path: Path, world: World
) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(HarnessError, match="not a run folder"):
        tables(tmp_path, tmp_path / "nothing")
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "manifest.json").write_bytes(world.folder.manifest.read_bytes())
    with pytest.raises(HarnessError, match=r"private/\) are missing"):
        tables(tmp_path, bare)


def test_names_from_outside_cannot_break_markdown(tmp_path: Path) -> None:
    a = write(tmp_path / "a|b<script>.csv", answers({0, 1}))
    b = write(tmp_path / "b.csv", answers({2}))
    text = markdown(blocks(compare(tables(tmp_path, a, b))))
    assert "<script>" not in text.replace("\\<script\\>", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows[:5]}) == 1


def test_equal_answers_and_no_answers_make_no_nan_in_json(tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", answers(set()))
    b = write(tmp_path / "b.csv", [(n, t, "") for n, t, _ in answers(set())])
    for other in (a, b):
        copy = write(tmp_path / f"copy-{other.name}", [])
        copy.write_bytes(other.read_bytes())
        body = json.loads(compare(tables(tmp_path, other, copy)).to_json())
        assert body["comparisons"][0]["metrics"][1]["p"] in (None, 1.0)
    assert compare(tables(tmp_path, a, b)).comparisons[0].metrics[0].difference == 1.0


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    a, b = (write(tmp_path / f"{n}.csv", answers({i, 5})) for i, n in enumerate("ab"))
    first, second = (compare(tables(tmp_path, a, b)).to_json() for _ in range(2))
    assert first == second


def test_numbers_are_written_as_the_reports_write_them() -> None:
    assert decimal(0.0153, signed=True) == "+.015"
    assert decimal(-0.5) == "-.500"
    assert decimal(math.nan) == "–"
    assert bounds(-0.01, 0.2) == "[-.010, +.200]"
    assert probability(0.0001) == "<.001"
    assert decimal(-0.0001, signed=True) == ".000"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded answers are not here")
def test_recorded_answers_to_colour_and_grey(tmp_path: Path) -> None:
    files = [RECORDED / f"rafdb_gpt4v_{name}.csv" for name in ("rgb", "grey")]
    (one,) = compare(tables(tmp_path, *files)).comparisons
    accuracy = next(c for c in one.metrics if c.of == "accuracy")
    assert (one.n, one.dropped_a, one.dropped_b) == (3067, 0, 1)
    assert (accuracy.only_a, accuracy.only_b) == (257, 210)
    assert accuracy.p == pytest.approx(0.033, abs=5e-4)
    assert "exact McNemar" in accuracy.test


def test_numbers_are_compared_and_ranked_alike(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text(
        "source: {family: table}\nprompts: [emotion/plain]\nfields: {valence: {kind: number}}\n"
    )
    files = []
    for name, noise in (("a", 0.1), ("b", 0.4), ("c", 0.9)):
        rows = []
        for i in range(60):
            truth = math.sin(i)
            said = truth * (1 - noise) + noise * math.cos(7 * i)
            rows.append((f"s{i}", f"{truth:.3f}", f"{said:.3f}"))
        files.append(write(tmp_path / f"{name}.csv", rows))
    report = compare(tables(tmp_path, *files, task=str(tmp_path / "v.yaml")))
    assert len(report.comparisons) == 3
    first = report.comparisons[0].metrics[0]
    assert (first.of, first.only_a) == ("ccc", None)
    (ranks,) = report.ranks
    assert [row.party.side[-5:] for row in ranks.rows] == ["a.csv", "b.csv", "c.csv"]
    assert ranks.rows[0].value == pytest.approx(first.a, abs=1e-9)
    assert ranks.rows[1].value == pytest.approx(first.b, abs=1e-9)
    assert not report.factors, "one factor varies"
