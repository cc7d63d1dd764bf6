"""What is said of a name or an option that is not there: what was meant, and how it is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.cli.test_run import TABLE

OWN = ("--prompts", "own")
PLAIN = """---
description: Names the labels.
fields: [emotion]
---
{% user %}{{ image }} Which of {{ lables | join(", ") }}?{% enduser %}
"""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("run", "t", "--modell", "m"), "harness run: error: unrecognized arguments: --modell m (did you mean --model?)"),
        (("data", "check", "t", "--fields", "x"), "harness data check: error: unrecognized arguments: --fields x"),
        (("runs", "list", "--sorted=time"), "did you mean --sort?"),
    ],
)  # fmt: skip
def test_an_unknown_option_is_refused_by_its_command(
    command: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(list(command))
    told = capsys.readouterr().err
    assert (stopped.value.code, told.startswith(f"usage: harness {command[0]}")) == (2, True), told
    assert said in told
    assert "--help?" not in told


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("plan", *TABLE[1:], "--model", "affect-tinny"), "unknown model 'affect-tinny'"),
        (("plan", *TABLE[1:], "--model", "affect-tiny", "--condition", "blnk"), "did you mean blank?"),
        (("plan", *TABLE[1:], "--model", "affect-tiny", "--adapter", "nowhere"), "nowhere: folder not found"),
        (("plan", *TABLE[1:], "--model", "affect-tiny", "--adapter", "./own"), "./own holds no adapter_config.json"),
        (("run", "labels.csv"), "table/emotion --set source.file=labels.csv --set source.image=COLUMN"),
        (("run", "own"), "folder/emotion --set source.root=own"),
        (("lint", "mine/*"), "--prompts DIR"),
        (("score", "runs/frist"), "did you mean runs/first?"),
        (("compare", "runs/first", "runs/frist"), "did you mean runs/first?"),
        (("lint", "own/mine/plain.j2"), "--prompts own and mine/plain"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there(
    command: tuple[str, ...],
    said: str,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(data)
    (data / "own" / "mine").mkdir(parents=True)
    (data / "own" / "mine" / "plain.j2").write_text(PLAIN)
    (data / "runs" / "first").mkdir(parents=True)
    (data / "runs" / "first" / "manifest.json").write_text("{}")
    assert main(list(command)) == 2
    assert said in capsys.readouterr().err


def test_lint_tells_the_variable_that_was_meant(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    (data / "own" / "mine").mkdir(parents=True)
    (data / "own" / "mine" / "plain.j2").write_text(PLAIN)
    assert main(["lint", "mine/plain", *OWN]) == 1
    told = capsys.readouterr().out
    assert "unknown variable lables" in told and "did you mean labels?" in told
    assert told.endswith("1 prompt, 1 error, 0 warnings\n")


@pytest.mark.parametrize(
    ("head", "said", "status"),
    [
        ("fields: [emotoin]", "mine/plain.j2: warning: no task that is known here has the field emotoin", 0),
        ("fields: [emotoin]", "did you mean emotion?", 0),
        ("felds: [emotion]", "mine/plain.j2:3: error: unknown key 'felds' in the front matter", 1),
    ],
)  # fmt: skip
def test_lint_tells_what_is_wrong_in_a_head(
    head: str,
    said: str,
    status: int,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(data)
    (data / "own" / "mine").mkdir(parents=True)
    text = PLAIN.replace("lables", "labels").replace("fields: [emotion]", head)
    (data / "own" / "mine" / "plain.j2").write_text(text)
    assert main(["lint", "mine/plain", *OWN]) == status
    assert said in capsys.readouterr().out


def test_a_check_finds_the_labels_that_a_run_refuses(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    table = (data / "labels.csv").read_text().replace("anger", "angr", 1)
    (data / "labels.csv").write_text(table)
    fixed = [*TABLE[1:], "--set", "fields.emotion.labels=[anger, happiness]"]
    assert main(["data", "check", *fixed, "--quick"]) == 1
    assert "'angr': 1 sample\n" in capsys.readouterr().out
    assert main(["run", *fixed, "--out", "run"]) == 2
    assert "'angr'" in capsys.readouterr().err
    assert main(["data", "check", *TABLE[1:], "--quick"]) == 0


def test_a_sidecar_says_which_truths_it_replaces(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    lines = (data / "labels.csv").read_text().splitlines()
    names = [name.partition(",")[0] for name in lines]
    label = lines[1].split(",")[lines[0].split(",").index("emotion")]
    other = {"anger": "happiness", "happiness": "anger"}[label]
    (data / "side.csv").write_text(f"image,emotion\n{names[1]},{other}\n")
    command = ["data", "check", *TABLE[1:], "--quick", "--set", "source.sidecar.file=side.csv"]
    main(command)
    assert "emotion: side.csv replaces 1 true value " in capsys.readouterr().out
    (data / "side.csv").write_text(f"image,emotion\n{names[1]},{label}\n")
    main(command)
    assert "replaces" not in capsys.readouterr().out


def test_a_folder_whose_name_is_not_utf8_is_told(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    before = sorted(data.rglob("*"))
    asked = (*TABLE, "--model", "openai:m@http://127.0.0.1:9", "--no-report")
    assert main([*asked, "--out", os.fsdecode(b"run\xff")]) in {1, 2}
    told = capsys.readouterr().err
    assert "error: run\u27e8U+DCFF\u27e9" in told and "is not written in UTF-8" in told
    assert sorted(data.rglob("*")) == before
