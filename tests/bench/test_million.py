"""The measurements over many samples, on few."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bench import million, scoring
from harness.bench.measured_process import spend
from harness.bench.million import Size, Step, cut_last
from harness.bench.million_data import write_many
from harness.bench.scoring import Scored
from harness.bench.scoring import Step as ScoringStep
from harness.cli.main import main

EXECUTE = "execute, from the first request to the last"


def test_samples_ask_different_questions_about_pictures_that_are_shared(tmp_path: Path) -> None:
    write_many(tmp_path / "data", 2100)
    with (tmp_path / "data" / "samples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == 2100
    assert len({row["image"] for row in rows}) == 1000
    pictures = {path.read_bytes() for path in (tmp_path / "data" / "faces").iterdir()}
    assert len(pictures) == 1000


def test_the_last_lines_of_a_log_are_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {n}\n" for n in range(5000)))
    assert cut_last(log, 64) == 64
    assert log.read_text().splitlines()[-1] == "line 4935"
    log.write_text("one\ntwo\n")
    assert (cut_last(log, 64), log.read_bytes()) == (2, b"")


def test_what_was_taken_by_a_moment_is_noted(tmp_path: Path) -> None:
    flag, noted = tmp_path / "flag", tmp_path / "noted"
    work = (
        f"import time, pathlib\nx = bytearray(40_000_000)\npathlib.Path({str(flag)!r}).touch()\n"
        f"while not pathlib.Path({str(noted)!r}).exists(): time.sleep(0.01)"
    )

    def never() -> bool:
        """Looked for once the moment before it is noted."""
        noted.touch()
        return False

    spent = spend(
        [sys.executable, "-c", work], folder=tmp_path, log=tmp_path / "log",
        moments={"flag": flag.exists, "never": never},
    )  # fmt: skip
    assert set(spent.marks) == {"flag"}
    assert 40 <= spent.marks["flag"].peak <= spent.peak
    assert 0 <= spent.marks["flag"].cpu <= spent.cpu + 0.01


def test_a_moment_that_a_quick_process_outran_is_noted_at_its_end(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    work = f"import pathlib; pathlib.Path({str(flag)!r}).touch()"
    spent = spend(
        [sys.executable, "-c", work], folder=tmp_path, log=tmp_path / "log",
        moments={"flag": flag.exists, "never": lambda: False},
    )  # fmt: skip
    assert spent.marks["flag"].cpu <= spent.cpu


def test_a_step_that_took_less_than_the_clock_shows_has_no_multiple() -> None:
    tenth, whole = (
        size(100, resume=1, peak=100, execute=0),
        size(1000, resume=1, peak=100, execute=0.4),
    )
    assert "| 0.00 | 0.40 | too short to tell |" in million.markdown(tenth, whole, rounds=1)
    assert "too short to tell" in {one.measured for one in million.targets(tenth, whole)}


def size(samples: int, *, resume: float, peak: float, execute: float) -> Size:
    steps = (
        Step(EXECUTE, execute, peak), Step("resume, until the first request", resume, peak), Step("score", 1.0, peak),
    )  # fmt: skip
    return Size(samples, steps, once=True, repeated=0, disk={"trials.jsonl": 1.0})


def test_targets_are_judged_at_a_million_alone() -> None:
    tenth = size(100_000, resume=2, peak=150, execute=30)
    whole = size(1_000_000, resume=25, peak=260, execute=290)
    assert [one.held for one in million.targets(tenth, whole)] == [
        False,
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    few_targets = million.targets(size(10, resume=1, peak=1, execute=1), tenth)
    assert {one.held for one in few_targets} == {None}
    page = million.markdown(tenth, whole, rounds=5)
    assert "| resume: CPU until the first request | at most 20 s | 25.0 s | **no** |" in page
    few = million.markdown(size(10_000, resume=1, peak=1, execute=1), tenth, rounds=5)
    assert "not judged" in few and "**no**" not in few


def test_rounds_are_medians_and_the_worst_of_what_must_hold() -> None:
    rounds = [size(10, resume=n, peak=100 - n, execute=2) for n in (9, 1, 5)]
    found = million.medians([*rounds[:2], replace(rounds[2], once=False, repeated=2)])
    assert found.step("resume, until the first request") == Step(
        "resume, until the first request", 5, 95
    )
    assert (found.once, found.repeated, found.samples) == (False, 2, 10)


def test_scoring_is_measured_beside_a_bare_reader(capsys: pytest.CaptureFixture[str]) -> None:
    def step(name: str, cpu: float) -> ScoringStep:
        return ScoringStep(name, cpu, 100.0)

    found = Scored(1_000_000, 5, step("bring", 50), step("score", 20), step("bare", 4), step("resample", 6))  # fmt: skip
    assert found.ratio == 5
    assert [one.held for one in scoring.targets(found)] == [True, True, False]
    assert "| score | 20.00 | 20.0 | 5.0 | 100 |" in scoring.markdown(found)
    assert main(["bench", "scoring", "--requests", "5"]) == 2
    assert "--requests has no effect with bench scoring" in capsys.readouterr().err
    assert main(["bench", "million", "--samples", "5"]) == 2


@pytest.mark.slow
def test_the_commands_print_their_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "scoring", "--samples", "2000", "--rounds", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["x_bare"] > 1
    assert main(["bench", "million", "--samples", "1000", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["samples"] for one in found["sizes"]] == [100, 1000]
    assert found["sizes"][1]["once"] and found["sizes"][1]["repeated"] == 0
