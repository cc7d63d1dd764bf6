"""One broken file of a person's own stops neither `list` nor `lint`; patterns and `all` find own prompts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PROMPT = "---\nfields: [emotion]\n---\n{% user %}{{ image }} One of {{ labels | join(', ') }}?{% enduser %}\n"
TASK = "source: {family: table}\nfields: {emotion: {kind: label, labels: [anger, joy]}}\nprompts: [mine/one]\n"


@pytest.fixture
def own(data: Path) -> Path:
    """A workspace with folders of its own, and pictures with labels."""
    (data / "harness.toml").write_text('prompts = "prompts"\ntasks = "tasks"\n')
    for folder, files in {
        "tasks/mine": {"good.yaml": TASK, "mistyped.yaml": TASK + "colour: red\n", "torn.yaml": "a: [1\n"},
        "prompts/mine": {
            "one.j2": PROMPT, "two.j2": PROMPT.replace("One of", "Which of"),
            "other.j2": PROMPT.replace("[emotion]", "[arousal]"), "torn.j2": PROMPT + "{% if",
            "lost.j2": PROMPT.replace("[emotion]", "[emotion]\nprotocol: ask-twice"),
        },
    }.items():  # fmt: skip
        (data / folder).mkdir(parents=True)
        for name, text in files.items():
            (data / folder / name).write_text(text)
    return data


def test_list_names_the_broken_and_goes_on(own: Path, harness: Run) -> None:
    listed = harness("list", "tasks", cwd=own)
    assert listed.returncode == 1
    rows = {row.split()[0]: row for row in listed.stdout.splitlines()}
    assert "broken" in rows["mine/torn"] and "torn.yaml:" in rows["mine/torn"]
    assert "broken" in rows["mine/mistyped"] and "colour" in rows["mine/mistyped"]
    assert "broken" not in rows["mine/good"] and "broken" not in rows["faces/emotion"]
    prompts = harness("list", "prompts", cwd=own)
    assert prompts.returncode == 1
    assert [r.split()[0] for r in prompts.stdout.splitlines() if "broken:" in r] == ["mine/torn"]


def test_lint_names_the_broken_and_goes_on(own: Path, harness: Run) -> None:
    linted = harness("lint", cwd=own)
    assert linted.returncode == 1
    for said in ("mistyped.yaml", "torn.yaml", "torn.j2", "ask-twice", "4 errors"):
        assert said in linted.stdout
    some = harness("lint", "mine/t*", cwd=own)
    assert "2 prompts" in some.stdout
    for unknown in (["mine/nothing"], ["--task", "mine/nothing"], ["--task", "nothing.yaml"]):
        assert harness("lint", *unknown, cwd=own).returncode == 2


def test_patterns_and_all_take_own_prompts(own: Path, harness: Run) -> None:
    (own / "prompts/mine/torn.j2").unlink()
    (own / "prompts/mine/lost.j2").unlink()

    def shown(*prompts: str) -> list[str]:
        options = [word for prompt in prompts for word in ("--prompt", prompt)]
        source = ("source.file=labels.csv", "source.image=image", "source.label=emotion")
        changes = [word for change in source for word in ("--set", change)]
        told = harness("show", "table/emotion", *changes, *options, cwd=own)
        assert told.returncode == 0, told.stderr
        lines = [line.split() for line in told.stdout.splitlines()]
        return [line[1] for line in lines if line and line[0] == "prompt"]

    assert shown("mine/*") == ["mine/one", "mine/two"]
    assert shown("mine/t[w]o", "emotion/pl?in") == ["mine/two", "emotion/plain"]
    assert shown("all")[-2:] == ["mine/one", "mine/two"] and "emotion/plain" in shown("all")
    missed = harness(
        "show", "table/emotion", "--prompt", "mnie/*", "--set", "source.file=x", cwd=own
    )
    assert missed.returncode == 2
    assert "unknown prompt 'mnie/*'" in missed.stderr and "mine/" in missed.stderr
