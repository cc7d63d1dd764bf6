"""`harness compare` of several cells: ranking first, in a screen or two; and which samples two cells answer differently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.cli.main import main
from tests.run.bench import RuleModel, rows, write_pictures

SOURCE = {"file": "labels.csv", "image": "image", "label": "emotion", "subject": "person"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four prompts, shown and blank; `plain` is answered anger, the others happiness: half of each is right."""
    folder = tmp_path_factory.mktemp("brief")
    write_pictures(folder, rows(40))

    def rule(request: Any) -> str:
        said = "".join(
            part.text for m in request.messages for part in m.parts if hasattr(part, "text")
        )
        return "happiness" if "brows" in said or "step" in said else "anger"

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        harness.evaluate(
            "table/emotion", model=RuleModel(rule=rule), source=SOURCE, out="run", progress=False, report=False,
            prompts=["emotion/plain", "emotion/defined", "emotion/cot", "emotion/role"], conditions=["none", "blank"],
        )  # fmt: skip
    return folder / "run"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["compare", *arguments]) == 0
    return capsys.readouterr().out


def test_the_ranking_comes_first_and_all_fits_on_a_screen_or_two(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, str(run))
    lines = text.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
    assert text.index("ranking by UAR") < text.index("UAR difference")
    assert "blank picture:" in text and "--all shows every pair" in text
    ranking = text[text.index("ranking by UAR") : text.index("UAR difference")]
    assert "rule" not in ranking, "what all cells have in common is left out of their names"
    assert len(said(capsys, str(run), "--all").splitlines()) > 60


def test_what_is_compared_may_be_narrowed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, str(run), "--against", "prompt=emotion/role", "--metric", "accuracy")
    assert "ranking by Accuracy" in text and "Accuracy difference" in text
    two = [
        "--where",
        "prompt=emotion/plain",
        "--where",
        "prompt=emotion/role",
        "--condition",
        "none",
    ]
    assert "compared: prompt" in said(capsys, str(run), *two)
    body = json.loads(said(capsys, str(run), *two, "--json", "--metric", "accuracy"))
    (one,) = body["comparisons"]
    assert [m["of"] for m in one["metrics"]] == ["accuracy"]
    turned = json.loads(said(capsys, str(run), *two, "--json", "--against", "prompt=emotion/plain"))
    assert turned["comparisons"][0]["b"]["prompt"] == "emotion/plain"


def test_which_samples_differ(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = [
        "--where",
        "prompt=emotion/plain",
        "--where",
        "prompt=emotion/defined",
        "--condition",
        "none",
    ]
    body = json.loads(said(capsys, str(run), *two, "--samples", "--json"))
    assert len(body["only_a"]) == 20 and len(body["only_b"]) == 20 and body["otherwise"] == []
    assert {(one["truth"], one["a"], one["b"]) for one in body["only_a"]} == {
        ("anger", "anger", "happiness")
    }
    text = said(capsys, str(run), *two, "--samples")
    assert "right under A alone (20)" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--samples"], ["--all", "--json"], ["--samples", "--all"], ["--against", "prompt=none"], ["--where", "promt=a"],
        ["--metric", "nonsense"], ["--select", "loso", "--metric", "uar"], ["--condition", "nowhere"],
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    run: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(run), *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_former_name_of_an_option_is_refused_with_its_name(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["compare", str(run), "--only", "prompt=emotion/plain"])
    assert "did you mean --where?" in capsys.readouterr().err
