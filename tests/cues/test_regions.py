"""Reliance on covered regions: planted effects are found, none are not, and prompts are pooled one by one."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from harness.cli.main import main
from harness.cues import causes, read_sheets, region_reliance
from harness.cues.causes import CuePair, effect_of, examples
from harness.cues.contrasts import contrasts, lonely_regions
from harness.cues.sheet import AnswerSheet
from harness.cues.tables import cause_blocks, plain, region_blocks
from harness.report.cue_figures import forest, round_up, scatter
from harness.score.folder import score_run
from tests.run.bench import RuleModel, World

LABELS = ("happiness", "neutral", "anger")
PARTS = ("eyes", "nose", "mouth")


def sheet(condition, probabilities, *, said=None, truth="happiness", prompt="p", channel="logprob",
          subjects=20, model="m", reliance=None):  # fmt: skip
    """A cell of `len(probabilities)` samples whose label distributions put the given mass on happiness."""
    n = len(probabilities)
    rest = [(1 - p) / 2 for p in probabilities]
    held = {
        "emotion": [
            {"happiness": p, "neutral": r, "anger": r}
            for p, r in zip(probabilities, rest, strict=True)
        ]
    }
    answers = said or [max(h, key=h.get) for h in held["emotion"]]
    stated = {f"reliance_{cue}": [number] * n for cue, number in (reliance or {}).items()}
    return AnswerSheet(
        task="t", model=model, prompt=prompt, condition=condition, channel=channel,
        samples=tuple(f"s{i:03d}" for i in range(n)),
        clusters=tuple(f"c{i % subjects}" for i in range(n)),
        truth={"emotion": [truth] * n},
        said={"emotion": answers, **stated},
        probabilities=held if channel == "logprob" else {},
        annotations=[{}] * n,
    )  # fmt: skip


def world(effects, *, n=100, seed=0, noise=0.05, **more):
    """Untouched cells and, for each part, the covered one (which loses its effect) and its control."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.6, 0.9, n)

    def seen(loss):
        return np.clip(base - loss + rng.normal(0, noise, n), 0, 1).tolist()

    cells = [sheet("none", base.tolist(), **more)]
    for part, loss in effects.items():
        cells.append(sheet(f"region:{part}=blur", seen(loss), **more))
        cells.append(sheet(f"region-control:{part}=blur", seen(0.0), **more))
    return cells


def found_in(cells, outcome="P(truth)"):
    return {
        f.effect.cue: f.effect
        for f in region_reliance(cells).effects
        if f.effect.outcome == outcome
    }


def test_a_planted_reliance_is_found_and_none_is_not() -> None:
    found = found_in(world({"eyes": 0.0, "nose": 0.0, "mouth": 0.3, "teeth": 0.0}))
    assert list(found) == ["eyes", "nose", "mouth", "teeth_visible"]
    assert found["mouth"].change.high < -0.25
    assert found["mouth"].p_holm < 0.01
    assert found["mouth"].values == ("blur", "blur elsewhere")
    assert found["mouth"].means[0] == pytest.approx(found["mouth"].means[1] - 0.3, abs=0.03)
    for cue in ("eyes", "nose", "teeth_visible"):
        assert found[cue].change.low < 0 < found[cue].change.high
        assert found[cue].p_holm > 0.05
        assert found[cue].p_holm >= found[cue].p


def test_what_moves_an_answer_is_measured_from_the_untouched_picture() -> None:
    cells = world({"mouth": 0.3, "eyes": 0.0})
    moved = found_in(cells, "shift of the label distribution")
    assert moved["mouth"].change.low > 0.2
    assert abs(moved["eyes"].change.value) < 0.02
    assert found_in(cells[1:], "shift of the label distribution") == {}
    told = "\n".join(str(b) for b in region_blocks(region_reliance(cells[1:])))
    assert "--condition none" in told


def test_free_answers_are_right_or_wrong_and_no_answer_is_wrong() -> None:
    n = 40
    plain_answers = ["happiness"] * n
    covered = [None if i % 4 == 0 else "happiness" for i in range(n)]
    cells = [
        sheet("none", [0.8] * n, said=plain_answers, channel="free"),
        sheet("region:mouth=mean", [0.8] * n, said=covered, channel="free"),
        sheet("region-control:mouth=mean", [0.8] * n, said=plain_answers, channel="free"),
    ]
    effects = {f.effect.outcome: f.effect for f in region_reliance(cells).effects}
    assert effects.keys() == {"correct", "share happiness", "label changed"}
    assert effects["correct"].change.value == -0.25
    assert effects["correct"].dropped == 0
    assert effects["share happiness"].dropped == n / 4


def test_under_the_null_few_cues_are_called() -> None:
    """Holm keeps the chance of any false call among four cues at .05: 30 worlds of 12 subjects."""
    wrong = 0
    for seed in range(30):
        cells = world(dict.fromkeys((*PARTS, "cheeks"), 0.0), n=24, seed=seed, subjects=12)[1:]
        wrong += any(e.p_holm <= 0.05 for e in found_in(cells).values())
    assert wrong <= 5  # 1.5 expected


def test_stated_reliance_is_held_beside_what_regions_move() -> None:
    losses = {"eyes": 0.02, "nose": 0.1, "mouth": 0.4}
    for order, sign in (((1, 5, 9), 1), ((9, 5, 1), -1)):
        stated = dict(zip(losses, order, strict=True))
        cells = world(losses, noise=0.005, reliance=stated)
        (one,) = region_reliance(cells).faithful
        assert one.measure == "shift of the label distribution, blur"
        assert one.faithful.correlation.value == pytest.approx(sign, abs=0.05)
        assert one.faithful.stated_by == ("p",)
        assert {cue: said for cue, said, _ in one.faithful.table} == stated


def test_controls_that_lie_on_features_are_told() -> None:
    found = region_reliance(world({"mouth": 0.3, "eyes": 0.0}))
    told = "\n".join(str(b) for b in region_blocks(found, controls={"mouth": 0.21, "eyes": 0.01}))
    assert "mouth 21%" in told and "eyes 1%" not in told


def test_a_half_without_the_other_is_told() -> None:
    cells = [sheet("region:mouth=blur", [0.5] * 9), sheet("region-control:eyes=blur", [0.5] * 9)]
    assert contrasts(cells) == []
    assert lonely_regions(cells) == ["region-control:eyes=blur", "region:mouth=blur"]
    ((block),) = region_blocks(region_reliance(cells), lonely_regions(cells))
    assert "region:mouth=blur" in block.lines[0]


def cue_cells(prompt, moved, stated=None, n=60):
    """A prompt under which each cue moves P(happiness) by so much, and what it states."""
    cells = [sheet("none", [0.5] * n, prompt=prompt, reliance=stated)]
    for (cue, first, second), by in moved.items():
        cells.append(sheet(f"cue:{cue}={first}", [0.5 + by] * n, prompt=prompt))
        cells.append(sheet(f"cue:{cue}={second}", [0.5] * n, prompt=prompt))
    return cells


CHANGED = (("teeth_visible", "yes", "no"), ("mouth", "smile", "neutral"), ("eyebrows", "raised", "neutral"))  # fmt: skip


def moves(*by):
    return dict(zip(CHANGED, by, strict=True))


def test_prompts_are_not_pooled_into_one() -> None:
    """Two prompts move by the cues in opposite orders and state the same: one is faithful, the other is not."""
    stated = {"teeth_visible": 9, "mouth": 5, "eyebrows": 1}
    cells = [
        *cue_cells("honest", moves(0.4, 0.2, 0.1), stated),
        *cue_cells("liar", moves(0.1, 0.2, 0.4), stated),
    ]
    found = {s.faithful.cell[2]: s.faithful for s in causes(cells).faithful}
    assert found["honest"].correlation.value == pytest.approx(1)
    assert found["liar"].correlation.value == pytest.approx(-1)
    assert [f.stated_by for f in found.values()] == [("honest",), ("liar",)]
    swapped = {s.faithful.cell[2]: s.faithful for s in causes(cells[::-1]).faithful}
    assert {k: v.correlation.value for k, v in swapped.items()} == {
        k: v.correlation.value for k, v in found.items()
    }


def test_what_is_stated_elsewhere_is_averaged_over_prompts() -> None:
    """The prompt whose judgement moves asks for no reliance: those that do count once each, whatever their number
    of answers."""
    cells = [
        *cue_cells("plain", moves(0.4, 0.2, 0.1)),
        sheet("none", [0.5] * 60, prompt="a", reliance={"teeth_visible": 9, "mouth": 1, "eyebrows": 2}),
        sheet("none", [0.5] * 20, prompt="b", reliance={"teeth_visible": 1, "mouth": 9, "eyebrows": 2}),
    ]  # fmt: skip
    (one,) = causes(cells).faithful
    assert one.faithful.stated_by == ("a", "b")
    table = {cue: said for cue, said, _ in one.faithful.table}
    assert table == {"teeth_visible": 5, "mouth": 5, "eyebrows": 2}


def test_several_values_of_a_cue_are_pooled_pair_by_pair() -> None:
    n = 40
    stated = {"eyebrows": 1, "mouth": 5, "teeth_visible": 9}
    cells = [
        sheet("none", [0.5] * n, reliance=stated),
        sheet("cue:eyebrows=raised", [0.6] * n), sheet("cue:eyebrows=lowered", [0.5] * n),
        sheet("cue:eyebrows=asymmetrical", [0.5] * n),
        sheet("cue:mouth=smile", [0.6] * n), sheet("cue:teeth_visible=yes", [0.7] * n),
    ]  # fmt: skip
    (one,) = causes(cells).faithful
    table = {cue: moved for cue, _, moved in one.faithful.table}
    assert table["eyebrows"] == pytest.approx(
        0.1 / 3
    )  # three contrasts against the picture as drawn
    assert table["mouth"] == pytest.approx(0.1)
    assert one.faithful.correlation.value == pytest.approx(1)


def test_examples_are_the_largest_median_and_smallest_change() -> None:
    pairs = [CuePair(f"s{i}", "c", c, 0.0) for i, c in enumerate((0.1, -0.9, 0.3, 0.2, 0.1))]
    assert [(e.rule, e.sample) for e in examples(pairs)] == [
        ("largest", "s1"), ("median", "s3"), ("smallest", "s4")]  # fmt: skip
    assert [e.rule for e in examples(pairs[:1])] == ["largest"]
    assert list(examples([])) == []


def test_effects_without_pairs_are_nothing() -> None:
    found = effect_of("mouth", ("a", "b"), "valence", [CuePair("x", "c", None, 0.1)], seed=0)
    assert (found.pairs, found.dropped, found.examples) == (0, 1, ())
    assert np.isnan([found.p, *found.means]).all()
    assert plain(found)["p"] is None
    assert "no pair" in forest([found])


def test_figures_escape_what_they_are_given() -> None:
    evil = '"><script>alert(1)</script>'
    effect = effect_of(evil, (evil, evil), evil, [CuePair("x", "c", 0.3, 0.1)] * 3, seed=0)
    assert "<script" not in forest([effect])
    cells = world(
        {"eyes": 0.1, "nose": 0.2, "mouth": 0.4}, reliance={"eyes": 1, "nose": 2, "mouth": 3}
    )
    (one,) = region_reliance(cells).faithful
    assert "<script" not in scatter(one.faithful, evil)
    assert forest([]) is None


@pytest.mark.parametrize(
    ("value", "top"), [(0.05, 0.05), (0.07, 0.08), (0.23, 0.25), (0.9, 1), (1.0, 1), (11, 20)]
)
def test_scales_end_on_round_numbers(value, top) -> None:
    assert round_up(value) == pytest.approx(top)


TASK = """\
source: {family: faces, kind: image, n: 28, seed: 3, split: test, size: 64}
fields:
  emotion: {kind: label, labels: basic-7}
  valence: {kind: number, low: -1, high: 1}
prompts: [cues/report]
notice: "<b>careful</b>"
"""


def mouth_reader(request):
    """A model that loses the emotion with the mouth and nothing with any other region."""
    picture = next(p for m in request.messages for p in m.parts if hasattr(p, "data"))
    dice = random.Random(picture.name.partition(" (")[0])
    happy = dice.random() < 0.7
    hidden = "region:mouth=" in picture.name
    return json.dumps({
        "emotion": "neutral" if hidden or not happy else "happiness",
        "valence": round(0.0 if hidden else 0.8 * happy, 2),
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("regions")
    (root / "task.yaml").write_text(TASK)
    place = World(root)
    conditions = [f"{p}{part}=occlude" for part in ("mouth", "eyes") for p in ("region:", "region-control:")]  # fmt: skip
    place.run(RuleModel(mouth_reader), conditions=("none", *conditions))
    score_run(place.folder)
    return place.folder


def test_the_command_tells_which_region_is_relied_on(folder, capsys) -> None:
    assert main(["cues", str(folder.path), "--json", "--no-page"]) == 0
    told = json.loads(capsys.readouterr().out)
    regions = told["regions"]
    assert told["controls"].keys() == {"mouth", "eyes"}
    assert all(0 <= share < 0.3 for share in told["controls"].values())
    effects = {(e["cue"], e["outcome"]): e for _, e, _ in regions["effects"]}
    assert effects["mouth", "label changed"]["change"]["low"] > 0.3
    assert effects["eyes", "label changed"]["change"]["value"] == 0
    assert effects["mouth", "change of valence"]["change"]["value"] > 0.3
    assert effects["mouth", "share happiness"]["change"]["high"] < 0


def test_the_page_shows_regions_and_pairs_and_calls_them_no_cause(folder, capsys) -> None:
    assert main(["cues", str(folder.path)]) == 0
    said = capsys.readouterr().out
    assert "Region reliance" in said and "not a cause" in said
    assert "cause" not in said.replace("not a cause", "")
    assert max(map(len, said.splitlines())) <= 100
    page = (folder.path / "cues.html").read_text()
    assert 'id="regions"' in page and 'id="pairs"' in page and 'id="causes"' not in page
    assert page.count('<img src="data:image/webp;base64,') == 2 * 3 * 3
    assert "<b>careful" not in page
    assert "<script" not in page


def test_photographs_are_not_shown(tmp_path, capsys) -> None:
    """Pairs of a set of people are named, their pictures left out."""
    import csv

    from PIL import Image

    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion", "landmarks"])
        for i in range(8):
            Image.new("RGB", (120, 120), (20 * i, 90, 60)).save(tmp_path / f"p{i}.png")
            writer.writerow([f"p{i}.png", "anger", "40 40 80 40 60 60 45 85 75 85"])
    (tmp_path / "task.yaml").write_text(
        "source: {family: table, file: labels.csv, label: emotion}\n"
        "fields: {emotion: {kind: label, labels: [anger, happiness]}}\nprompts: [emotion/plain]\n"
    )
    place = World(tmp_path)
    place.run(RuleModel(), conditions=("none", "region:mouth=blur", "region-control:mouth=blur"))
    score_run(place.folder)
    assert main(["cues", str(place.folder.path)]) == 0
    page = (place.folder.path / "cues.html").read_text()
    assert "<img" not in page
    assert "faces are people" in page
    assert "Region reliance" in capsys.readouterr().out
    (found, *_) = region_reliance(read_sheets(place.folder)[1]).effects
    assert (found.effect.pairs, found.effect.dropped) == (8, 0)
    assert list(cause_blocks(causes(read_sheets(place.folder)[1]))) == []


@pytest.mark.slow
def test_affect_tiny_reads_the_mouth_and_not_the_cheeks(tmp_path, capsys) -> None:
    """A real model on drawn faces: the mouth covered moves its answers, cheeks covered move them less."""
    out = tmp_path / "run"
    asked = ["--limit", "14", "--channel", "logprob", "--out", str(out), "--condition", "none"]
    for part in ("mouth", "cheeks"):
        for prefix in ("region:", "region-control:"):
            asked += ["--condition", f"{prefix}{part}=blur"]
    assert main(["run", "faces/emotion", "--model", "affect-tiny", *asked]) == 0
    assert main(["score", str(out)]) == 0
    capsys.readouterr()
    assert main(["cues", str(out), "--json", "--no-page"]) == 0
    regions = json.loads(capsys.readouterr().out)["regions"]
    moved = {
        e["cue"]: e["change"]["value"]
        for _, e, _ in regions["effects"]
        if e["outcome"] == "shift of the label distribution"
    }
    assert moved["mouth"] > 0.1
    assert moved["mouth"] > moved["cheeks"]
