"""`--channel` by the command, against a server that can and one that cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.models.abilities import able
from tests.models.stub import Stub, running_stub

TABLE = (
    "run", "table/emotion", "--set", "source.file=labels.csv", "--set", "source.image=image",
    "--set", "source.label=emotion", "--limit", "6", "--out", "run",
)  # fmt: skip


def model(stub: Stub) -> str:
    return f"openai:stub@{stub.url}"


@pytest.fixture(autouse=True)
def _here(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)


def test_a_server_that_passes_over_constraints_stops_the_run(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TABLE, "--model", model(stub), "--channel", "choice", "--no-report"]) == 2
    told = capsys.readouterr().err
    assert "does not enforce constraints (choice)" in told and "--set unconstrained=free" in told
    free = [*TABLE, "--set", "unconstrained=free", "--model", model(stub), "--channel", "choice"]
    assert main([*free, "--no-report"]) == 0
    shown = capsys.readouterr()
    assert "warning: table/emotion, emotion/plain" in shown.err
    assert "these are free-text replies" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--channel", "logprob"), "gives no log-probabilities"),
        (("--thinking", "on"), "cannot be asked for thinking on"),
        (("--tools", "zoom", "--protocol", "agent:native"), "drops tools"),
    ],
)
def test_what_a_server_cannot_do_is_refused_before_the_start(
    data: Path, stub: Stub, capsys: pytest.CaptureFixture[str], option: tuple[str, ...], said: str
) -> None:
    """The status is that of a wrong option, and nothing is kept."""
    assert main([*TABLE, "--model", model(stub), *option, "--no-report"]) == 2
    assert said in capsys.readouterr().err
    assert not (data / "run" / "manifest.json").exists()


def test_after_another_model_was_asked_a_refusal_is_a_failure_at_work(
    data: Path, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_stub(**able(obeys={"structured_outputs"})) as first:
        both = ("--model", model(first), "--model", model(stub))
        assert main([*TABLE, *both, "--channel", "choice", "--no-report"]) == 1
    assert "does not enforce constraints (choice)" in capsys.readouterr().err
    assert (data / "run" / "manifest.json").exists()


def test_three_channels_of_an_able_server(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = able(
        obeys={"structured_outputs"},
        scores={"ids", "prompt", "tokenize"},
        logprobs={"anger": -0.4, "happiness": -1.5},
    )
    with running_stub(**options) as stub:
        every = [arg for c in ("free", "choice", "logprob") for arg in ("--channel", c)]
        assert main([*TABLE, "--model", model(stub), *every, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["scores"]
        manifest = json.loads((data / "run" / "manifest.json").read_text())
        found = manifest["models"][model(stub)]
        before = stub.count
        assert main([*TABLE, "--model", model(stub), *every, "--no-report"]) == 0
        assert stub.count == before, "nothing is asked twice, and nothing is probed again"
    assert found["constraints"] == {"choice": "structured_outputs"}
    assert found["estimators"] == ["first-token", "continuation"]
    assert {row.get("channel") for row in rows} == {None, "choice", "logprob"}
    told = {row["metric"] for row in rows if row.get("channel") == "logprob"}
    assert {"uar", "brier", "log_loss", "ece", "captured_mass"} <= told
    assert "uar_length_normalised" not in told  # first tokens have no length
    assert "give the same answer" in " ".join(capsys.readouterr().out.split())
    assert "Probabilities of the labels" in (data / "run" / "report.html").read_text()
