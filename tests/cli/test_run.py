"""The command contract, by the command itself."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.interrupts import HEARING
from tests.models.stub import Stub, running_stub
from tests.run.bench import rows, write_pictures

TABLE = (
    "run", "table/emotion", "--set", "source.file=labels.csv", "--set", "source.image=image",
    "--set", "source.label=emotion",
)  # fmt: skip
KEYS = [
    "task", "model", "prompt", "condition", "slice", "field", "metric", "value", "low", "high", "n",
    "coverage", "estimator", "protocol", "tools",
]  # fmt: skip


def model(stub: Stub) -> str:
    return f"openai:stub@{stub.url}"


def test_json_is_all_of_standard_output_and_has_the_agreed_shape(
    data: Path, stub: Stub, harness: Run
) -> None:
    done = harness(*TABLE, "--model", model(stub), "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert list(body) == ["schema", "run", "scores", "against_baselines"]
    assert body["schema"] == 2
    assert {(r["protocol"], r["tools"]) for r in body["scores"]} == {
        ("single", "none"),
        ("-", "none"),
    }
    assert (data / body["run"] / "manifest.json").is_file()
    assert all(list(row) == KEYS for row in body["scores"])
    mine = {
        r["metric"]: r for r in body["scores"] if r["model"] == model(stub) and r["slice"] == "all"
    }
    assert {"accuracy", "uar", "war", "macro_f1", "uf1"} <= set(mine)
    assert mine["uar"]["n"] == 24
    assert mine["uar"]["prompt"] == "emotion/plain"
    assert mine["uar"]["condition"] == "none"
    assert {r["model"] for r in body["scores"]} == {model(stub), "majority", "prior"}
    assert stub.count == 24, "one request a row"


def test_the_table_and_the_page_are_what_a_person_gets(
    data: Path, stub: Stub, harness: Run
) -> None:
    done = harness(*TABLE, "--model", model(stub), "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "majority (in-sample)" in done.stdout
    assert "blank picture: not run" in done.stdout
    assert "24 trials, 24 requests, 0 already done" in done.stderr
    assert (data / "run" / "report.html").stat().st_size > 10_000


def test_baselines_open_no_media_and_ask_nothing(data: Path, harness: Run) -> None:
    for picture in data.glob("*.png"):
        picture.unlink()
    done = harness(*TABLE, "--model", "majority", "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    (accuracy,) = [
        r for r in body["scores"] if r["model"] == "majority" and r["metric"] == "accuracy"
    ]
    assert accuracy["value"] == 0.5
    assert body["run"].startswith(str(Path("results") / "runs"))


def test_baselines_are_fitted_on_other_data_when_they_are_named(data: Path, harness: Run) -> None:
    lines = (data / "labels.csv").read_text().splitlines()
    only_anger = [lines[0], *(line for line in lines[1:] if "anger" in line)]
    (data / "train.csv").write_text("\n".join(only_anger) + "\n")
    done = harness(*TABLE, "--fit-on", "train.csv", "--json")
    assert done.returncode == 0, done.stderr
    scores = {
        (r["model"], r["metric"]): r
        for r in json.loads(done.stdout)["scores"]
        if r["slice"] == "all"
    }
    assert scores["prior", "recall[anger]"]["value"] == 1.0
    assert "in-sample" not in scores["prior", "uar"]["estimator"]


def test_the_same_command_resumes_and_repeats_nothing(data: Path, stub: Stub, harness: Run) -> None:
    first = harness(*TABLE, "--model", model(stub), "--json")
    stub.reset()
    second = harness(*TABLE, "--model", model(stub), "--json")
    assert stub.count == 0
    assert second.stdout == first.stdout
    assert "24 already done" in second.stderr


def test_score_gives_the_same_bytes_without_a_model(data: Path, stub: Stub, harness: Run) -> None:
    harness(*TABLE, "--model", model(stub), "--out", "run")
    folder = data / "run"
    before = (folder / "records.parquet").read_bytes(), (folder / "scores.json").read_bytes()
    page = (folder / "report.html").read_bytes()
    (folder / "records.parquet").unlink()
    (folder / "scores.json").unlink()
    assert harness("score", "run").returncode == 0
    assert (
        (folder / "records.parquet").read_bytes(),
        (folder / "scores.json").read_bytes(),
    ) == before
    (folder / "report.html").unlink()
    assert harness("report", "run").returncode == 0
    assert (folder / "report.html").read_bytes() == page


def under_way(folder: Path, stub: Stub, *, at: int) -> subprocess.Popen[str]:
    """A run in a process of its own, once the stub has seen more than `at` requests; it answers only those."""
    stub.choose = lambda body: "hang" if stub.count > at else "ok"
    process = subprocess.Popen(
        [*HEARING, "-m", "harness.cli.main", *TABLE, "--model", model(stub), "--out", "run"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while stub.count <= at:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_a_killed_run_loses_nothing_finished(tmp_path: Path, harness: Run) -> None:
    write_pictures(tmp_path, rows(200))
    with running_stub(latency=0.05) as stub:
        process = under_way(tmp_path, stub, at=90)
        process.kill()
        process.communicate()
        stub.catch_up()
        finished = (tmp_path / "run" / "generations.jsonl").read_bytes().count(b"\n")
        assert 0 < finished <= 90
        stub.reset()
        stub.choose = None
        done = harness(*TABLE, "--model", model(stub), "--out", "run", "--json")
        assert done.returncode == 0, done.stderr
        assert stub.count == 200 - finished
        whole = harness(*TABLE, "--model", model(stub), "--out", "other", "--json")
        scores = [json.loads(run.stdout)["scores"] for run in (done, whole)]
        assert scores[0] == scores[1]


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    write_pictures(tmp_path, rows(200))
    with running_stub(latency=0.05) as stub:
        process = under_way(tmp_path, stub, at=50)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again" in errors
    assert "Traceback" not in errors


def test_two_models_prompts_and_conditions_make_a_grid(
    data: Path, stub: Stub, harness: Run
) -> None:
    done = harness(
        *TABLE, "--model", model(stub), "--prompt", "emotion/plain", "--prompt", "emotion/defined",
        "--condition", "none", "--condition", "blank", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = {
        (r["prompt"], r["condition"])
        for r in json.loads(done.stdout)["scores"]
        if r["model"] == model(stub)
    }
    assert cells == {
        (p, c) for p in ("emotion/plain", "emotion/defined") for c in ("none", "blank")
    }
    assert stub.count == 2 * 24 + 2, "blank pictures of one size are one request a prompt"


def test_a_secret_in_the_environment_reaches_no_file(
    data: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch, harness: Run
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY0123456789")
    done = harness(*TABLE, "--model", model(stub), "--out", "run")
    assert done.returncode == 0
    for path in (data / "run").rglob("*"):
        if path.is_file():
            assert b"CANARY" not in path.read_bytes(), path
    assert "CANARY" not in done.stdout + done.stderr


def test_a_remote_host_needs_leave(data: Path, harness: Run) -> None:
    done = harness(*TABLE, "--model", "openai:gpt@https://example.invalid/v1")
    assert done.returncode == 2
    assert "--allow-remote example.invalid" in done.stderr


def test_failed_trials_are_status_three_and_say_why(data: Path, harness: Run) -> None:
    for picture in data.glob("*.png"):
        picture.unlink()
    with running_stub() as stub:
        done = harness(*TABLE, "--model", model(stub), "--json")
    assert done.returncode == 3
    assert "24 of 24 trials failed; first failure: missing: picture not found" in done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert {r["coverage"] for r in scores if r["model"].startswith("openai")} == {0.0}


@pytest.mark.parametrize(
    ("arguments", "fault", "hint"),
    [
        (("run", "table/emotion"), "source.file", "--set source.file="),
        (("run", "nothing/here"), "unknown task 'nothing/here'", "table/emotion"),
        ((*TABLE, "--model", "gpt-4"), "unknown model 'gpt-4'", "affect-tiny"),
        ((*TABLE, "--model", "openai:stub@http://127.0.0.1:9"), "127.0.0.1:9", "vllm serve"),
        ((*TABLE, "--model", "affect-tiny", "--prompt", "emotion/plane"), "emotion/plane", "emotion/plain"),
        ((*TABLE, "--model", "affect-tiny", "--prompt", "vqa/plain"), "answers a field", "--prompt"),
        ((*TABLE, "--model", "affect-tiny", "--condition", "blink"), "unknown condition 'blink'", "blank"),
        (("run", "table/emotion", "--set", "source.file=gone.csv"), "gone.csv", ""),
        ((*TABLE, "--set", "source.colour=red"), "source.colour", "options:"),
        (("score", "nowhere"), "nowhere is not a run folder", "harness run"),
        (("show", "table/emotion", "--set", "source.file=labels.csv", "--set", "source.label=emotion",
          "--sample", "zzz"), "no sample 'zzz'", "--sample"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error_with_its_mend(
    data: Path, harness: Run, arguments: tuple[str, ...], fault: str, hint: str
) -> None:
    done = harness(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 1
    assert fault in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_bad_arguments_are_status_two(harness: Run) -> None:
    assert harness("run").returncode == 2
    assert harness(*TABLE, "--limit", "0").returncode == 2
    assert harness().returncode == 2


def test_a_run_folder_on_a_read_only_place_is_one_clear_error(data: Path, harness: Run) -> None:
    """/proc takes no files, from root either."""
    done = harness(*TABLE, "--out", "/proc/harness-run")
    assert done.returncode == 2
    assert "cannot make the run folder /proc/harness-run" in done.stderr
    assert "--out" in done.stderr


@pytest.mark.slow
def test_a_small_full_file_system_is_one_clear_error_and_the_run_goes_on_later(
    data: Path, harness: Run
) -> None:
    """A file system of 256 KiB, then the same command with room."""
    small = data / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount")
    try:
        with running_stub(answer=lambda body: "happiness " * 2000) as stub:
            done = harness(*TABLE, "--model", model(stub), "--out", "small/run", "--no-report")
            assert done.returncode == 1
            assert done.stderr.count("error: ") == 1
            assert "No space left" in done.stderr
            assert "same command again" in done.stderr
            subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
            asked = stub.count
            again = harness(*TABLE, "--model", model(stub), "--out", "small/run", "--no-report")
            assert again.returncode == 0, again.stderr
            assert stub.count - asked < 24
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
def test_a_run_folder_that_became_read_only_is_one_clear_error(data: Path, harness: Run) -> None:
    place = data / "place"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True
    ).returncode:
        pytest.skip("no right to mount")
    try:
        assert harness(*TABLE, "--out", "place/run", "--no-report").returncode == 0
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        done = harness(*TABLE, "--out", "place/run", "--no-report")
        assert done.returncode == 2
        assert done.stderr.count("error: ") == 1
        assert "place/run" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        subprocess.run(["umount", str(place)], check=True)
