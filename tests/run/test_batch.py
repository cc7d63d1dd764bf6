"""`--batch`: requests go through a batch API, no batch twice, and what is missing is asked in a further one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.models.http.batch_ledger import Ledger, Submission
from tests.models.batch_server import BatchServer, running_batches
from tests.models.stub import running_stub
from tests.run.keeping import Desk, make_desk
from tests.run.test_usage import TWO_STEPS

LEDGER = Path("private") / "batches" / "batches.jsonl"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


def command(server: BatchServer, *more: str, out: str = "run", verb: str = "run") -> list[str]:
    return [
        verb, "task.yaml", "--model", f"openai:stub@{server.url}/v1", "--prompts", "prompts", "--out", out, *more
    ]  # fmt: skip


def batched(server: BatchServer, *more: str, out: str = "run") -> int:
    return main(command(server, "--batch", "--batch-poll", "0.01", "--no-report", *more, out=out))


def direct(server: BatchServer, out: str) -> int:
    return main(command(server, "--no-report", out=out))


def events(name: str, out: str = "run") -> list[dict[str, Any]]:
    lines = (Path(out) / LEDGER).read_text().splitlines()
    return [told for line in lines if (told := json.loads(line))["event"] == name]


def test_scores_are_those_of_direct_requests(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY0123456789")
    with running_batches() as server:
        assert batched(server) == 0
        assert len(server.batches) == 1 and len(server.lines[0]) == 12 and not server.direct
        assert server.keys == {"Bearer sk-CANARY0123456789"}
        assert server.deleted == ["file-in-0", "file-output_file_id-0"], "pictures do not stay"
        assert not list(Path("run/private/batches").glob("*.requests.jsonl"))
        assert direct(server, "other") == 0
        assert len(server.direct) == 12
        assert direct(server, "run") == 0 and len(server.direct) == 12, "nothing is asked twice"
    for name in ("records.parquet", "trials.jsonl", "conversations.jsonl"):
        ours, theirs = (Path(out, name).read_bytes() for out in ("run", "other"))
        assert sorted(ours.splitlines()) == sorted(theirs.splitlines()), name
    assert (events("ended")[0]["replies"], events("ended")[0]["missing"]) == (12, 0)
    held = [path.read_bytes() for path in Path("run").rglob("*") if path.is_file()]
    assert not any(b"CANARY" in data for data in held)
    assert "CANARY" not in "".join(capsys.readouterr())


def test_each_step_is_a_batch_and_equal_requests_are_one(desk: Desk) -> None:
    desk.write_prompt("two", TWO_STEPS)
    with running_batches() as server:
        shown = ("--condition", "blank", "--condition", "none")
        assert batched(server, "--prompt", "own/two", *shown) == 0
        assert [len(one) for one in server.lines] == [13, 13]


@pytest.mark.slow
def test_concurrency_is_the_size_of_a_batch(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    make_desk(tmp_path, 140)
    with running_batches() as server:
        assert batched(server, "--concurrency", "64") == 0
        sizes = [len(one) for one in server.lines]
    assert sum(sizes) == 140 and len(sizes) > 1


def test_a_setting_that_a_batch_cannot_heed_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    described = 'model = "openai:stub@http://127.0.0.1:9/v1"'
    Path("harness.toml").write_text(f"[models.m]\n{described}\npictures_in_flight = 2\n")
    assert main(["plan", "task.yaml", "--model", "m", "--prompts", "prompts", "--batch"]) == 2
    assert "pictures_in_flight of [models.m] has no effect with --batch" in capsys.readouterr().err


def test_what_an_expired_batch_lacks_is_asked_in_a_further_one(desk: Desk) -> None:
    def line(batch: int, at: int, body: dict[str, Any]) -> str:
        return ("ok", "expired", "missing", "500")[at % 4] if batch == 0 else "ok"

    def end(batch: int) -> str:
        return "expired" if batch == 0 else "completed"

    with running_batches(line=line, end=end) as server:
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 9]
        assert len(server.paid) == 12
    counts = [
        {n: e[n] for n in ("status", "replies", "errors", "missing")} for e in events("ended")
    ]
    assert counts[0] == {"status": "expired", "replies": 3, "errors": 3, "missing": 6}
    assert counts[1] == {"status": "completed", "replies": 9, "errors": 0, "missing": 0}


@pytest.mark.slow
def test_a_line_that_never_comes_is_a_failed_trial_and_asked_again_by_the_next_command(
    desk: Desk,
) -> None:
    def line(batch: int, at: int, body: dict[str, Any]) -> str:
        return "expired" if batch < 3 and (at == 0 or batch) else "ok"

    with running_batches(line=line) as server:
        assert batched(server) == 3
        assert [len(one) for one in server.lines] == [12, 1, 1], "three batches at most"
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 1, 1, 1]


@pytest.mark.slow
def test_a_rejected_line_is_a_failed_trial_in_one_batch(desk: Desk) -> None:
    with running_batches(line=lambda batch, at, body: "ok" if at or batch else "400") as server:
        assert batched(server) == 3
        assert len(server.batches) == 1
        assert batched(server) == 0, "the next command asks it again"
        assert [len(one) for one in server.lines] == [12, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("end", "said"), [("failed", "token_limit"), ("cancelled", "cancelled")])
def test_a_batch_that_is_refused_or_cancelled_stops_the_run_and_can_be_continued(
    desk: Desk, end: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def line(batch: int, at: int, body: dict[str, Any]) -> str:
        return "ok" if at < 5 or batch else "missing"

    with running_batches(line=line, end=lambda b: "completed" if b else end) as server:
        assert batched(server) != 0
        assert said in capsys.readouterr().err
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 12 if end == "failed" else 7]


@pytest.mark.slow
def test_a_batch_whose_answer_is_lost_is_found_and_not_made_twice(desk: Desk) -> None:
    with running_batches(lose=1) as server:
        assert batched(server) == 0
        assert len(server.batches) == 1


@pytest.mark.parametrize("kept", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_a_command_that_ended_at_any_point_continues_with_the_same_batch(
    desk: Desk, kept: int
) -> None:
    """Prepared only (its id never came back), submitted, ended; in the first two the request file is still there."""
    with running_batches() as server:
        assert batched(server) == 0
        server.batches += [{"id": f"batch_{n}", "metadata": None} for n in (1, 2)]  # of others
        orphan = Path("run/private/batches/0123.requests.jsonl")
        ledger = Path("run") / LEDGER
        lines = ledger.read_bytes().splitlines(keepends=True)
        torn = b'{"event": "subm' if kept < 3 else b""
        ledger.write_bytes(b"".join(lines[:kept]) + torn)
        for name in ("generations.jsonl", "trials.jsonl"):
            (Path("run") / name).unlink()
        server.files["file-output_file_id-0"] = (
            next(Path("run/private/batches").glob("*.results.jsonl")).read_bytes()
        )  # fmt: skip
        assert batched(server) == 0
        assert len(server.batches) == 3 and not server.direct
        assert len(events("prepared")) == len(events("ended")) == 1
        (Path("run") / "trials.jsonl").unlink()
        (Path("run") / "generations.jsonl").unlink()
        shutil.rmtree("run/private/batches")
        orphan.parent.mkdir()
        orphan.write_text("left by a killed command")
        os.utime(orphan, (1, 1))
        server.batches = server.batches[:1]
        assert batched(server) == 0 and len(server.batches) == 2
        assert not orphan.exists(), "it holds pictures"


def test_a_server_without_batches_is_said_and_can_be_asked_directly(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_stub() as stub:
        asked = ["run", "task.yaml", "--model", f"openai:stub@{stub.url}/v1", "--out", "run"]
        asked += ["--prompts", "prompts", "--no-report"]
        assert main([*asked, "--batch"]) != 0 and not stub.count
        assert "may have no batch API: leave out --batch" in capsys.readouterr().err
        assert not list(Path("run/private/batches").glob("*.requests.jsonl"))
        assert main(asked) == 0 and stub.count == 12


@pytest.mark.slow
def test_a_batch_that_the_service_forgot_is_submitted_anew_by_the_next_command(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_batches() as server:
        assert batched(server) == 0
        ledger = Path("run") / LEDGER
        ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
        for name in ("generations.jsonl", "trials.jsonl"):
            (Path("run") / name).unlink()
        server.batches.clear()
        assert batched(server) != 0 and not server.batches
        assert "no longer there" in capsys.readouterr().err
        assert batched(server) == 0 and len(server.batches) == 1


@pytest.mark.slow
def test_a_killed_run_waits_for_its_batch(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with running_batches(held=True) as server:
        line = [
            sys.executable, "-m", "harness.cli.main",
            *command(server, "--batch", "--batch-poll", "0.05"),
        ]  # fmt: skip
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert server.made.wait(120)
        process.kill()
        process.wait()
        assert direct(server, "run") == 2, "it would be paid twice"
        assert "in progress (batch_0)" in capsys.readouterr().err
        server.held = False
        assert batched(server) == 0
        assert len(server.batches) == 1 and len(server.paid) == 12 and not server.direct


def test_the_forecast_is_what_the_server_counts_at_half_the_price(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    price = ("--price", "2/10")
    with running_batches() as server:
        assert batched(server, *price, "--preview", "4") == 0
        first = len(server.paid)
        capsys.readouterr()
        assert main(command(server, "--batch", *price, "--json", verb="plan")) == 0
        (row,) = json.loads(capsys.readouterr().out)["plan"]["tokens"]
        assert batched(server, *price) == 0
    rest = server.paid[first:]
    paid = sum(u["prompt_tokens"] * 1.0 + u["completion_tokens"] * 5.0 for u in rest) / 1e6
    assert len(rest) == 8 and all(cost == pytest.approx(paid, rel=0.1) for cost in row["cost"])
    (used,) = json.loads(Path("run/extras.json").read_text())["usage"]
    whole = sum(u["prompt_tokens"] * 1.0 + u["completion_tokens"] * 5.0 for u in server.paid) / 1e6
    assert used["cost"] == pytest.approx(whole, rel=1e-6)


def test_a_batch_price_of_its_own(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    Path("harness.toml").write_text(
        '[models.cheap]\nmodel = "openai:stub@http://127.0.0.1:9/v1"\n'
        "price = {input = 2, output = 10}\nbatch_price = {input = 0.5, output = 4}\n"
    )
    from harness.api.options import RunOptions, prepare

    for batch, wanted in ((True, (0.5, 4)), (False, (2, 10))):
        asked = RunOptions(
            tasks=("task.yaml",), models=("cheap",), prompts_folders=(Path("prompts"),), batch=batch
        )
        found = prepare(asked, command=[]).job.axes.prices["cheap"]
        assert (found.input, found.output) == wanted


@pytest.mark.parametrize(
    "more", [("--batch", "--max-cost", "1"), ("--batch", "--again", "2"), ("--batch-poll", "5")]
)
def test_options_that_have_no_effect_are_refused(desk: Desk, more: tuple[str, ...]) -> None:
    assert main(["run", "task.yaml", "--model", "openai:stub@http://127.0.0.1:9/v1", *more]) == 2


def test_a_broken_ledger_is_said_by_its_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "b")
    ledger.prepared(Submission("m", "here", ("a", "b")))
    ledger.submitted("m", "batch_1")
    again = Ledger.read(tmp_path / "b")
    assert [one.id for one in again.open("here")] == ["batch_1"] and not again.open("there")
    (tmp_path / "b" / "batches.jsonl").write_text("{}\n")
    with pytest.raises(Exception, match="line 1"):
        Ledger.read(tmp_path / "b")


def test_lines_of_another_shape_are_missing_and_asked_in_a_further_batch(desk: Desk) -> None:
    def odd(batch: int, lines: list[bytes]) -> list[bytes]:
        if batch:
            return lines
        for at, said in enumerate((b"[1]", b"null", b"NaN", b"[" * 99_999, b'{"custom_id": []}')):
            lines[at] = said
        lines[5] = lines[5].replace(b"200", b"1e999")
        lines[6] = lines[6].replace(b'"response": {', b'"response": [{').replace(b"}}", b"}}]")
        lines[7] = lines[7].replace(b'"custom_id": "', b'"custom_id": "of another batch')
        lines[8] = b"\xef\xbb\xbf" + lines[8].replace(b'"content": "', b'"content": "\xff\\ud83d ')
        return lines

    with running_batches(written=odd) as server:
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 8]
    assert [(e["replies"], e["missing"]) for e in events("ended")] == [(4, 8), (8, 0)]


def test_of_a_request_that_comes_back_twice_the_first_reply_counts(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def twice(batch: int, lines: list[bytes]) -> list[bytes]:
        return [*lines, *(one.replace(b'"content": "', b'"content": "not ') for one in lines[:5])]

    with running_batches(written=twice) as server:
        assert batched(server) == 0
        assert direct(server, "direct") == 0 and len(server.batches) == 1
    assert "5 requests came back several times with different replies" in capsys.readouterr().err
    assert (Path("run") / "records.parquet").read_bytes() == (
        Path("direct") / "records.parquet"
    ).read_bytes()


@pytest.mark.slow
def test_a_limit_of_rate_is_waited_for_and_results_that_are_gone_are_asked_anew(desk: Desk) -> None:
    with running_batches(busy=2) as server:
        finish = server.finish

        def losing(number: int) -> str:
            end = finish(number)
            if number == 0:
                server.files.pop(server.batches[0]["output_file_id"])
            return end

        server.finish = losing  # type: ignore[method-assign]
        assert batched(server) == 1
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 12]


@pytest.mark.parametrize("said", [b"[]", b'{"status": "completed", "errors": [1]}'])
def test_a_state_in_another_form_stops_the_run_which_can_be_continued(
    desk: Desk, said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_batches(told=said) as server:
        assert batched(server) == 1
        assert "batch API" in capsys.readouterr().err
        server.told = b""
        assert batched(server) == 0 and len(server.batches) == 1
