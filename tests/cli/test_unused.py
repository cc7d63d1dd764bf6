"""No option is silently without effect: what a command cannot use it refuses, and touches nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.cli.test_run import TABLE

RUN = (*TABLE, "--out", "run", "--no-report")


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ((*RUN, "--prompt", "emotion/cot"), "--prompt has no effect without --model"),
        ((*RUN, "--condition", "blank", "--shots", "2"), "--shots, --condition have no effect"),
        ((*RUN, "--repeats", "3", "--temperature", ".5"), "--repeats, --temperature|--temperature, --repeats"),
        (("baseline", "flow", "faces/me-str", "--epochs", "0", "--out", "f"), "--epochs has no effect for a spotting task"),
        (("export", "run", "--validation", "0", "--out", "f"), "--validation has no effect"),
        ((*RUN, "--label-order", "reversed"), "--label-order has no effect"),
        ((*RUN, "--concurrency", "3"), "--concurrency has no effect without --model"),
        ((*RUN, "--temperature", "0"), "--temperature has no effect without --model"),
        ((*RUN, "--repeats", "1"), "--repeats has no effect without --model"),
        ((*RUN, "--stop-after", "3"), "--stop-after has no effect without --model"),
        ((*RUN, "--max-error-rate", ".2"), "--max-error-rate has no effect without --model"),
        ((*RUN, "--model", "affect-tiny", "--concurrency", "3"), "--concurrency has no effect with --model affect-tiny"),
        ((*RUN, "--model", "affect-tiny", "--vllm-arg=--x=1"), "--vllm-arg has no effect"),
        ((*RUN, "--model", "affect-tiny", "--allow-remote", "h"), "--allow-remote has no effect"),
        ((*RUN, "--model", "openai:m@http://127.0.0.1:9", "--vllm-python", "p"), "--vllm-python has no effect"),
        (("plan", *TABLE[1:], "--discordance", ".2"), "--discordance has no effect without --power"),
        (("compare", "answers.csv", "answers.csv", "--id-key", "key"), "--id-key has no effect"),
        (("lint", "--set", "slices=[]"), "--set has no effect without --task"),
        (("lint", "--allow-outside"), "--allow-outside has no effect without --task"),
        (("list", "metrics", "--tasks", "."), "--tasks has no effect with list metrics"),
        (("list", "tasks", "--prompts", "."), "--prompts has no effect with list tasks"),
        (("doctor", "--model", "affect-tiny", "--vllm-python", "p"), "--vllm-python has no effect with --model affect-tiny"),
        (("faces", "draw", "--kind", "image", "--n", "1", "--seconds", "1", "2", "--out", "f"), "--seconds has no effect"),
        (("faces", "sheet", "--what", "units", "--rows", "2", "--out", "s.png"), "--rows has no effect"),
        (("score", "--predictions", "answers.csv", "--task", "table/emotion", "--refresh"), "--refresh has no effect"),
        (("score", "--predictions", "answers.csv", "--task", "table/emotion", "--truth", "gt", "--set", "source.subject=who"),
         "--set source.subject=who has no effect with --truth"),
        (("score", "--predictions", "spots.csv", "--events", "spots.csv", "--out", "o"), "--out has no effect"),
        (("score", "--predictions", "spots.csv", "--events", "spots.csv", "--task", "faces/me-str"), "--task has no effect"),
        (("score", "--predictions", "spots.csv", "--events", "spots.csv", "--truth", "t"), "--truth has no effect"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_refused(
    data: Path,
    command: tuple[str, ...],
    named: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(data)
    (data / "answers.csv").write_text("name,gt,answer\na,anger,anger\nb,happiness,anger\n")
    (data / "spots.csv").write_text("subject,video,onset,offset,emotion\n1,a,3,9,anger\n")
    (data / "key").write_text("0123456789abcdef0123456789abcdef")
    (data / "key").chmod(0o600)
    before = sorted(data.rglob("*"))
    assert main(list(command)) == 2
    told = capsys.readouterr()
    assert any(name in told.err for name in named.split("|")), told.err
    assert told.out == ""
    assert sorted(data.rglob("*")) == before


def test_an_option_is_written_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", "table/emotion", "--task", "no/such"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: --task" in capsys.readouterr().err


def test_a_limit_chooses_samples_and_not_classes(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    assert main([*RUN, "--limit", "1"]) == 0
    manifest = json.loads((data / "run" / "manifest.json").read_text())
    labels = manifest["tasks"]["table/emotion"]["config"]["fields"]["emotion"]["labels"]
    assert labels == ["anger", "happiness"]
    assert manifest["tasks"]["table/emotion"]["samples"] == 1


def test_control_characters_of_a_data_set_reach_no_terminal(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    table = (data / "labels.csv").read_text().replace("anger", "an\x1b[31mger")
    (data / "labels.csv").write_text(table)
    assert main(["show", *TABLE[1:]]) == 0
    main(["data", "check", *TABLE[1:]])
    assert "\x1b" not in capsys.readouterr().out
