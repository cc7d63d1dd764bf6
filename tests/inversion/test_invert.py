"""Inversion audits: a planted leak is found, a null is cleared, what is refused leaves nothing, a killed one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.cli.main import main
from harness.core.blocks import Row, Table
from harness.core.errors import HarnessError, MediaError
from harness.inversion.attack import AttackSettings, invert
from harness.inversion.audit import attacked, choose_victims, figures_of, make_basis
from harness.inversion.basis import fit_basis
from harness.inversion.defences import NONE, read_defence
from harness.inversion.figures import Estimate, difference_of, judge_defences, mean_of, verdict_of
from harness.inversion.judge import verify
from harness.inversion.people import People, check_apart
from harness.inversion.record import AuditFolder, make_traces
from harness.inversion.service import Service, embedded
from harness.report.inversion_page import inversion_page
from harness.report.inversion_tables import headline, inversion_blocks, inversion_json, verdict
from tests.inversion.planted import (
    COMPONENTS,
    VICTIMS,
    Linear,
    Random,
    inputs,
    made_people,
    similarity_service,
)

RECORD = {"pictures": "drawn", "attack": {"seed": 0}}
SAID = "all of them agreed on paper"
SMALL = [
    "audit", "invert", "--victims", "5", "--size", "32", "--components", "12", "--queries", "6,12",
]  # fmt: skip
OFF = ["--endpoint", "similarity:http://127.0.0.1:9/"]


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """Options that name pictures of one's own."""
    mine = picture_folder(tmp_path / "mine", made_people(8, seed=1))
    theirs = picture_folder(tmp_path / "theirs", made_people(10, seed=2, first=50))
    return ["--pictures", str(mine), "--basis", str(theirs), "--consented", SAID]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with similarity_service() as name:
        yield name


def picture_folder(root: Path, people: People) -> Path:
    for name, pictures in zip(people.names, people.pictures, strict=True):
        (root / name).mkdir(parents=True)
        for k, picture in enumerate(pictures):
            Image.fromarray(picture).save(root / name / f"{k}.png")
    return root


def test_an_endpoint_that_is_linear_in_the_basis_is_inverted_and_rounding_stops_nothing() -> None:
    found_in = inputs("linear", defences=["round:.01", "rate-limit:20", "noise:1", "top-k:3"])
    run = attacked(found_in)
    traces = [run(defence) for defence in found_in.defences]
    found = figures_of(found_in, traces)
    last = found.arms[0].levels[-1]
    true = found_in.basis.coordinates(np.stack([p[0] for p in found_in.people.pictures[:VICTIMS]]))
    won = traces[0].coordinates[-1]
    alike = (won * true).sum(axis=1) / np.linalg.norm(won, axis=1) / np.linalg.norm(true, axis=1)
    assert alike.min() > 0.9 and last.similarity == pytest.approx(alike.mean(), abs=0.02)
    assert last.by_service.over_control is not None and last.by_service.over_control.low > 0.7
    assert last.by_service.rank == 1 and "gives faces away" in headline(found)
    said = {one.name: one.verdict for one in found.defences}
    assert said["round:.01"] == "undecided" and said["rate-limit:20"] in {"weakens", "stops"}
    assert said["noise:1"] in {"weakens", "stops"}
    words = {one.name: verdict(one, found) for one in found.defences}
    assert ".000 [-.265, +.265]*" in words["round:.01"] and "attack" in words["rate-limit:20"]
    assert "takes verification by score away" in words["top-k:3"]
    assert "of true pairs its answers accept" in words["noise:1"]
    controls = {one.name: one.by_service.accepted.value for one in found.controls}
    assert controls["mean face"] < 0.3 and controls["the attacked picture itself"] > 0.9
    told = inversion_json(found, RECORD)
    assert len(told["arms"]) == 5 and json.dumps(told, allow_nan=False)
    assert len(list(inversion_blocks(found))) >= 6
    tables = [block for block in inversion_blocks(found) if isinstance(block, Table)]
    rows = [str(row.cells[0]) for table in tables for row in table.rows if isinstance(row, Row)]
    at = rows.index("rate-limit:20")
    assert (
        " of " in rows[at + 1] and rows[at + 2] == "noise:1"
    )  # one row: nothing is tried past a limit
    page = inversion_page(found, RECORD)
    assert page == inversion_page(found, RECORD) and "<img" not in page and "https:" not in page


def test_an_endpoint_of_random_scores_is_cleared() -> None:
    asked = inputs("random", settings=AttackSettings(queries=(100,)))
    found = figures_of(asked, [attacked(asked)(NONE)])
    one = found.arms[0].levels[-1].by_service
    assert one.over_control is not None and one.over_control.low <= 0 <= one.over_control.high
    assert abs(one.accepted.value - found.service_verification.far) < 0.05
    assert found.service_verification.auroc == pytest.approx(0.5, abs=0.1)
    assert "no more than for another person" in headline(found)


def test_queries_are_counted_exactly_those_of_restarts_and_limits_too() -> None:
    for settings, limit, wanted in (
        (AttackSettings(queries=(10, 41)), None, (10, 40)),
        (AttackSettings(queries=(53, 62), restarts=3, restart_steps=8), None, (53, 61)),
        (AttackSettings(queries=(10, 40)), 15, (10, 14)),
        (AttackSettings(queries=(60, 80), restarts=3, restart_steps=8), 20, (20, 20)),
        (AttackSettings(queries=(10, 20)), 1, (0, 0)),
    ):
        asked = inputs("random", settings=settings)
        assert isinstance(asked.service, Random)
        ask = Service(asked.service, np.stack([p[0] for p in asked.people.pictures])).scores
        found = invert(asked.basis, ask, VICTIMS, settings, limit=limit)
        assert found.spent == wanted and asked.service.asked == wanted[-1] * VICTIMS
        assert (limit == 1) == (not found.coordinates.any())
    with pytest.raises(HarnessError, match="fewer than the 53"):
        AttackSettings(queries=(52,), restarts=3, restart_steps=8)


def test_the_best_start_goes_on_and_one_step_is_the_published_one() -> None:
    asked = inputs("linear", settings=AttackSettings(queries=(2,)))
    seen = []

    def ask(pictures: np.ndarray, who: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        seen.append(asked.basis.coordinates(pictures))
        return np.repeat([0.5, 0.1], VICTIMS).astype(np.float32)

    found = invert(asked.basis, ask, VICTIMS, asked.settings)
    noise = (seen[0][:VICTIMS] - seen[0][VICTIMS:]) / 2
    np.testing.assert_allclose(found.coordinates[0], 0.37632 * 0.4 / 0.6 * noise, atol=0.02)
    assert noise.std() == pytest.approx(0.3, rel=0.2)
    scores = iter([0.2, 0.9, 0.5])

    def staged(pictures: np.ndarray, who: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        if len(pictures) == VICTIMS:  # the choice among starts
            tried.append(asked.basis.coordinates(pictures))
            return np.full(VICTIMS, next(scores), dtype=np.float32)
        return np.repeat([0.5, 0.1], VICTIMS).astype(np.float32)

    tried: list[np.ndarray] = []  # type: ignore[type-arg]
    found = invert(
        asked.basis, staged, VICTIMS, AttackSettings(queries=(17,), restarts=3, restart_steps=2)
    )
    distance = [np.abs(found.coordinates[0] - one).mean() for one in tried]
    assert np.argmin(distance) == 1


def test_the_basis_is_the_principal_components_and_never_of_the_victims() -> None:
    people = made_people(30, seed=3)
    pictures = people.every()
    basis = fit_basis(pictures, 5, subjects=people.names)
    flat = pictures.reshape(len(pictures), -1) / 255
    _, values, vectors = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    lengths = values[:5] / np.sqrt(len(pictures) - 1)
    np.testing.assert_allclose(np.linalg.norm(basis.faces, axis=1), lengths, rtol=1e-4)
    np.testing.assert_allclose(np.abs((basis.faces / lengths[:, None]) @ vectors[:5].T), np.eye(5), atol=1e-3)  # fmt: skip
    assert basis.coordinates(pictures).std(axis=0) == pytest.approx(np.ones(5), rel=0.02)
    with pytest.raises(HarnessError, match="p29 is among the pictures and in the basis"):
        make_basis(people, People(("p29",), (people.pictures[0],)), 2)
    other = People(("q",), (people.pictures[4],))
    with pytest.raises(HarnessError, match="p4 \\(as q\\)"):
        check_apart(people, other)
    with pytest.raises(HarnessError, match="cannot be made of 120 pictures"):
        fit_basis(pictures, 120, subjects=people.names)


def test_thresholds_accept_at_most_one_percent_and_coarse_scores_say_what_they_reach() -> None:
    rng = np.random.default_rng(0)
    impostor, genuine = rng.normal(0, 1, 10_000), rng.normal(2, 1, 2_000)
    found = verify(genuine.astype(np.float32), impostor.astype(np.float32))
    assert 0.0098 <= found.far <= 0.01
    assert found.auroc == pytest.approx(0.9214, abs=0.01)  # Phi(2 / sqrt 2)
    assert found.tar == pytest.approx(0.372, abs=0.03)  # 1 - Phi(2.326 - 2)
    coarse = verify(np.ones(10, np.float32), np.repeat([0, 1], [900, 100]).astype(np.float32))
    assert coarse.far == 0 and coarse.tar == 0 and coarse.auroc == pytest.approx(0.95)


def test_defences_are_read_and_change_what_is_told() -> None:
    scores = np.array([0.123, -0.567], dtype=np.float32)
    np.testing.assert_allclose(
        read_defence("round:.1").answers(seed=0)(scores), [0.1, -0.6], atol=1e-6
    )
    noisy = read_defence("noise:.5").answers(seed=0)
    draws = np.stack([noisy(scores) for _ in range(2000)])
    assert draws.mean(axis=0) == pytest.approx(scores, abs=0.05)
    assert draws.std() == pytest.approx(np.sqrt(0.25 + scores.std() ** 2), rel=0.05)
    assert read_defence("rate-limit:500").limit == 500 and read_defence("top-k:5").places == 5
    people = made_people(6, seed=4)
    basis = fit_basis(people.every(), COMPONENTS, subjects=people.names)
    first = np.stack([p[0] for p in people.pictures])
    ask = Service(Linear(basis), first).defended(read_defence("top-k:2"), seed=0)
    assert ask(first, np.arange(6)).tolist() == [1.0] * 6
    other = ask(first, (np.arange(6) + 1) % 6)
    assert set(other.tolist()) <= {0.0, 0.5} and 0.5 in other
    for wrong in (
        "round",
        "round:0",
        "noise:nan",
        "top-k:1.5",
        "rate-limit:0",
        "blur:3",
        "round:3",
    ):
        with pytest.raises(HarnessError, match="is no defence"):
            read_defence(wrong)


def test_verdicts_and_intervals_say_no_more_than_the_victims_can_show() -> None:
    e = Estimate
    assert verdict_of(e(-0.5, -0.6, -0.4), 0.001, e(0.1, -0.02, 0.2), victims=10) == "stops"
    assert verdict_of(e(-0.5, -0.6, -0.4), 0.001, e(0.3, 0.2, 0.4), victims=10) == "weakens"
    assert verdict_of(e(-0.02, -0.05, 0.01), 0.4, e(0.5, 0.4, 0.6), victims=10) == "no defence"
    assert verdict_of(e(-0.1, -0.3, 0.1), 0.4, e(0.5, 0.4, 0.6), victims=10) == "undecided"
    assert verdict_of(e(0.2, 0.1, 0.3), 0.01, e(0.5, 0.4, 0.6), victims=10) == "no defence"
    for low in (-0.6, 0):
        too_few = verdict_of(e(low, low, 0), 1.0, e(0, 0, 0.4), victims=9)
        assert too_few == "undecided: too few victims to tell"
    same = difference_of(np.full(12, 0.5), np.full(12, 0.5), seed=0)
    assert same.value == 0 and -0.3 < same.low < -0.2 < 0.2 < same.high < 0.3 and not same.spread
    many = np.full(40, 0.5)
    assert judge_defences(["same"], [many], [many], many, seed=0)[0].verdict == "no defence"
    half = mean_of(np.full(12, 0.5), seed=0)
    assert half.low < 0.4 and half.high > 0.6 and not half.spread
    nobody = mean_of(np.zeros(16), seed=0)
    assert nobody.value == nobody.low == 0 and 0.15 < nobody.high < 0.25
    all_ = difference_of(np.ones(16), np.zeros(16), seed=0)
    assert all_.value == 1 and all_.low < 0.7


def test_a_picture_without_a_face_is_never_accepted() -> None:
    people = made_people(6, seed=5)
    basis = fit_basis(people.every(), COMPONENTS, subjects=people.names)

    class Blind(Linear):
        def embed(self, pictures: list[np.ndarray]) -> np.ndarray:  # type: ignore[type-arg, override]
            if any(one.max() == 0 for one in pictures):
                raise MediaError("no face is found in picture 1", kind="unsupported")
            return super().embed(pictures)

    blind = Blind(basis)
    seen = np.stack([people.pictures[0][0], np.zeros_like(people.pictures[0][0])])
    found = embedded(blind, seen)
    assert found is not None and np.isnan(found[1]).all()
    service = Service(blind, np.stack([p[0] for p in people.pictures]))
    assert service.scores(seen, np.array([0, 0])).tolist() == [pytest.approx(1), -1.0]
    with pytest.raises(HarnessError, match="no face in the enrolled picture"):
        Service(blind, seen)


def test_victims_are_chosen_by_the_seed() -> None:
    people = made_people(20, seed=6)
    one, again, other = (choose_victims(people, 5, seed=s).names for s in (0, 0, 1))
    assert one == again and one != other and sorted(one) == sorted(people.names)
    with pytest.raises(HarnessError, match="give no interval"):
        choose_victims(people, 4, seed=0)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["--endpoint", "similarity:http://example.org/compare"], "not on this machine"),
        (["--endpoint", "similarity:http://127.0.0.1@example.org/"], "is no address"),
        ([*OFF, "--critic", "similarity:https://10.0.0.1/"], "not on this machine"),
        ([*OFF, "--critic", OFF[1]], "is the endpoint itself"),
        ([*OFF, "--pictures", "mine"], "not declared consented"),
        ([*OFF, "--pictures", "mine", "--basis", "mine", "--consented", "yes"], "says too little"),
        ([*OFF, "--pictures", "mine", "--basis", "mine", "--consented", SAID, "--victims", "5"], "in the basis: the attacker"),
        (["--pictures", "mine", "--basis", "mine", "--consented", SAID, "--endpoint", "fisherfaces"], "know no photographs"),
        ([*OFF, "--consented", SAID], "no effect on drawn faces"),
        ([*OFF, "--pictures", "mine", "--consented", SAID], "needs --basis"),
        ([*OFF, "--defence", "round:.1", "--defence", "round:0.1"], "given twice"),
        ([*OFF, "--defence", "none", "--defence", "round:0.1"], "stands alone"),
        ([*OFF, "--restart-steps", "10"], "no effect with one start"),
        ([*OFF, "--queries", "40,20"], "do not ascend"),
        ([*OFF, "--people", "14", "--victims", "30"], "more than the 14 people"),
        ([*OFF, "--basis-people", "12", "--components", "84"], "cannot be made of 84"),
        ([*OFF, "--size", "8"], "outside 32 to 224"),
    ],
)  # fmt: skip
def test_what_is_refused_ends_with_2_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    picture_folder(tmp_path / "mine", made_people(6, seed=1))
    assert main(["audit", "invert", *command, "--out", "out"]) == 2
    assert said in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_same_seed_same_bytes_and_private_matter_stays_private(
    tmp_path: Path, own: list[str], service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*SMALL, *own, "--endpoint", service, "--defence", "noise:.1"]
    for name in ("a", "b"):
        assert main([*command, "--out", str(tmp_path / name)]) == 0
    assert "is accepted as the victim" in " ".join(capsys.readouterr().out.split())
    files = {p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()}
    assert {str(p) for p in files} == {
        ".lock", "audit.html", "audit.json", "private/settings.json", "private/attacks/none.npz",
        "private/attacks/noise-0.1.npz", "private/faces/none.png", "private/faces/noise-0.1.png",
    }  # fmt: skip
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    public = (tmp_path / "a" / "audit.json").read_text() + (tmp_path / "a" / "audit.html").read_text()  # fmt: skip
    assert SAID not in public and str(tmp_path) not in public and "<img" not in public
    assert SAID in (tmp_path / "a" / "private" / "settings.json").read_text()
    told = json.loads((tmp_path / "a" / "audit.json").read_text())
    assert told["attack"]["seed"] == 0 and told["pictures"] == "declared consented"
    assert [arm["defence"] for arm in told["arms"]] == ["none", "noise:.1"] and told[
        "critic"
    ] is None
    before = (tmp_path / "a" / "audit.json").read_bytes()
    assert main([*command, "--seed", "1", "--out", str(tmp_path / "a")]) == 2
    assert "other settings" in capsys.readouterr().err
    assert (tmp_path / "a" / "audit.json").read_bytes() == before
    assert main([*command, "--out", str(tmp_path / "a"), "--json"]) == 0  # no attack is made again
    assert json.loads(capsys.readouterr().out) == told


def test_an_audit_that_failed_before_its_first_attack_leaves_no_folder(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "audit")
    with pytest.raises(HarnessError, match="no scores"), folder.claimed(RECORD, None):
        raise HarnessError("the endpoint gives no scores", hint="check that it runs")
    assert not folder.path.exists()
    with folder.claimed(RECORD | {"seed": 1}, None):  # so another one may take its place
        pass


def test_an_audit_that_ended_between_two_attacks_goes_on(tmp_path: Path) -> None:
    asked = inputs("linear", defences=["round:.1"], settings=AttackSettings(queries=(20,)))
    folder = AuditFolder(tmp_path / "audit")

    def stop(line: str) -> None:
        if "2 of 2" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), folder.claimed(RECORD, None):
        make_traces(folder, asked, tell=stop)
    assert not folder.figures.exists() and folder.attack(NONE).exists()
    said: list[str] = []
    with folder.claimed(RECORD, None):
        resumed = make_traces(folder, asked, tell=said.append)
    assert said == ["attack 2 of 2: round:.1"]
    run = attacked(asked)
    for one, whole in zip(resumed, [run(d) for d in asked.defences], strict=True):
        assert np.array_equal(one.coordinates, whole.coordinates) and one.spent == whole.spent
    folder.attack(NONE).write_bytes(b"PK broken")
    with folder.claimed(RECORD, None), pytest.raises(HarnessError, match="cannot be read"):
        make_traces(folder, asked, tell=said.append)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(HarnessError, match=r"holds thesis\.tex and no audit"), AuditFolder(tmp_path / "other").claimed(RECORD, None):  # fmt: skip
        pass
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["thesis.tex"]


@pytest.mark.slow
def test_a_killed_command_leaves_a_folder_that_goes_on_to_the_same_bytes(
    tmp_path: Path, own: list[str], service: str
) -> None:
    out = tmp_path / "killed"
    run = [
        sys.executable, "-m", "harness.cli.main", *SMALL, *own, "--endpoint", service, "--queries", "100",
        "--defence", "round:.1", "--defence", "noise:.1", "--out",
    ]  # fmt: skip
    run[run.index("6,12") - 1 : run.index("6,12") + 1] = []
    process = subprocess.Popen([*run, str(out)])
    while process.poll() is None and not (out / "private" / "attacks" / "none.npz").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "audit.json").exists()
    for place in (out, tmp_path / "whole"):
        done = subprocess.run([*run, str(place)], check=True, capture_output=True, text=True)
        assert "is accepted as the victim" in " ".join(done.stdout.split())
    for name in ("audit.json", "audit.html", "private/attacks/none.npz", "private/faces/none.png"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_drawn_faces_are_audited_without_more_words(tmp_path: Path) -> None:
    """A small one: Fisherfaces, no defences; its faces are accepted more often than those of others."""
    out = tmp_path / "drawn"
    asked = ["--endpoint", "fisherfaces", "--critic", "none", "--defence", "none", "--people", "12"]
    sized = ["--basis-people", "30", "--victims", "10", "--size", "32", "--components", "100"]
    assert main(["audit", "invert", *asked, *sized, "--queries", "400", "--out", str(out)]) == 0
    told = json.loads((out / "audit.json").read_text())
    assert told["arms"][0]["levels"][0]["by_service"]["over_control"]["low"] > 0
    assert "test-7-" not in (out / "audit.json").read_text()  # no name of a person
