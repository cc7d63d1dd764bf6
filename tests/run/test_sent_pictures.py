"""How pictures are sent: at most so many pixels, at which detail."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from harness.cli.main import main
from harness.conditions.presentation import read_presentation
from harness.conditions.registry import load_condition
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.message import Image
from harness.core.request import Request
from harness.core.sent_pictures import read_pixels, spelled_pixels
from harness.core.task import Task
from harness.media.transforms import fit_pixels
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from tests.models.stub import Stub, running_stub
from tests.run.keeping import Desk, RuleModel, make_desk

SIZES = {"p0.png": (640, 480), "p1.png": (100, 300), "p2.png": (32, 32)}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    desk = make_desk(tmp_path, 3)
    for name, size in SIZES.items():
        Pillow.new("RGB", size, (9, 80, 9)).save(tmp_path / name)
    return desk


def sizes(requests: list[Request]) -> set[tuple[int, int]]:
    pictures = [p for r in requests for m in r.messages for p in m.parts if isinstance(p, Image)]
    return {Pillow.open(io.BytesIO(picture.data)).size for picture in pictures}


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(64, 4_000_000))
def test_a_picture_is_made_smaller_and_never_larger(width: int, height: int, most: int) -> None:
    class Sized:
        size = (width, height)
        made: tuple[int, int] | None = None

        def resize(self, size: tuple[int, int], how: object) -> tuple[int, int]:
            return size

    image: Any = Sized()
    found = fit_pixels(image, most)
    if width * height <= most:
        assert found is image
        return
    across, down = tuple(found)  # type: ignore[misc]
    assert 1 <= across <= width
    assert 1 <= down <= height
    assert across * down <= most
    if min(across, down) > 20:
        assert (across + 1) * (down + 1) > most, "no smaller than need be"
        assert across / down == pytest.approx(width / height, rel=0.06)


def test_pixels_are_an_axis_and_small_pictures_keep_their_bytes(desk: Desk) -> None:
    model = RuleModel()
    desk.run(model, pixels=("full", "10000"))
    assert sizes(model.asked[:6]) == {*SIZES.values(), (115, 86), (57, 173)}
    assert len(model.asked) == 5, "one picture is the same under both, and asked once"
    cells = desk.cells()
    assert [cell["condition"] for cell in cells] == ["none", "pixels:0.01MP"]
    assert [cell.get("pixels") for cell in cells] == [None, 10_000]
    plain = Cell("task", "rule", "own/plain", "none", "single")
    assert cells[0]["id"] == plain.id, "what is not named changes no id"
    report = __import__("harness").open_run(desk.folder.path).compare(pixels=("full", "0.01MP"))
    assert set(report["axis"]) == {"pixels"}


def test_one_number_is_written_in_one_way() -> None:
    assert (
        read_pixels("0.25MP")
        == read_pixels("250000")
        == read_pixels(" .25mp".replace(".", "0."))
        == 250_000
    )
    assert spelled_pixels(250_000) == "0.25MP"
    assert spelled_pixels(200_704) == "200704"
    for pixels in (64, 10_000, 200_704, 1_003_520, 64_000_000):
        assert read_pixels(spelled_pixels(pixels)) == pixels
    shown = read_presentation("blank+shots-2+pixels:250000+detail:low+label-order:reversed")
    assert shown.name == "blank+shots-2+pixels:0.25MP+detail:low+label-order:reversed"
    assert read_presentation(shown.name) == shown
    for wrong in ("", "0", "63", "-1", "1.5", "0.00000001MP", "65MP", "big", "224x224", "nan"):
        with pytest.raises(HarnessError, match="not a number of pixels"):
            read_pixels(wrong)
    with pytest.raises(HarnessError, match="twice"):
        read_presentation("pixels:0.25MP+pixels:1MP")


def at_most(task: str, size: str) -> str:
    return task.replace("fields:", f"media: {{resize: {size}}}\nfields:", 1)


def test_a_task_may_make_pictures_smaller_alone(desk: Desk) -> None:
    text = (desk.root / "task.yaml").read_text()
    (desk.root / "task.yaml").write_text(at_most(text, "{at_most: 224}"))
    model = RuleModel()
    desk.run(model)
    assert sizes(model.asked) == {(224, 168), (75, 224), (32, 32)}
    (desk.root / "task.yaml").write_text(at_most(text, "224"))
    model = RuleModel()
    desk.run({"rule": model})
    assert sizes(model.asked) == {(224, 224)}, (
        "a number alone enlarges the small one; the others look as they did"
    )
    (desk.root / "task.yaml").write_text(at_most(text, "{at_least: 224}"))
    with pytest.raises(HarnessError, match=r"at_most|at_least"):
        desk.run(model)


def test_a_number_of_old_tasks_has_the_basis_it_had() -> None:
    body = {"source": {"family": "table"}, "fields": {"e": {"kind": "text"}}, "prompts": ["p"]}
    old = Task.model_validate({**body, "media": {"resize": 448}})
    assert old.media.model_dump(mode="json", exclude_defaults=True) == {"resize": 448}


@pytest.mark.parametrize("size", ["resize:40", "resize:at-most-40"])
def test_the_condition_resize_has_both_forms(desk: Desk, size: str) -> None:
    assert load_condition(size).name == size
    model = RuleModel()
    desk.run(model, conditions=(size,))
    small = (40, 40) if size == "resize:40" else (32, 32)
    assert sizes(model.asked) == {(40, 30), (13, 40), small}


def details(stub: Stub) -> list[str | None]:
    parts = [
        p
        for r in stub.requests
        for m in r["messages"]
        for p in m["content"]
        if not isinstance(p, str)
    ]
    return [p["image_url"].get("detail") for p in parts if p["type"] == "image_url"]


def tokens(by: Callable[[str | None], int]) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Counts the prompt tokens by the detail of the first picture."""

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        shown = [p for m in body["messages"] for p in m["content"] if isinstance(p, dict)]
        found = [p["image_url"].get("detail") for p in shown if p["type"] == "image_url"]
        completion["usage"] = {
            "prompt_tokens": by(found[0] if found else None),
            "completion_tokens": 1,
        }

    return extend


def run(stub: Stub, *more: str) -> int:
    return main([
        "run", "task.yaml", "--prompts", "prompts", "--model", f"openai:stub@{stub.url}", "--out", "run", "--no-report", *more
    ])  # fmt: skip


def test_detail_is_sent_proved_and_recorded(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with running_stub(extend=tokens(lambda d: 85 if d == "low" else 765)) as stub:
        assert run(stub, "--detail", "low", "--detail", "high") == 0
        assert sorted(map(str, details(stub))) == ["high"] * 3 + ["low"] * 3
        assert "no effect" not in capsys.readouterr().err
        manifest = read_manifest(RunFolder(desk.folder.path))
        (model,) = manifest["models"].values()
        assert model["details"]["detail"] == "prompt tokens: low 85, high 765"
        stub.reset()
        assert run(stub) == 0
        assert details(stub) == [None] * 3, "where nothing is said, nothing is sent"


def test_a_detail_that_is_refused_or_ignored(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def choose(body: dict[str, Any]) -> str:
        return "unknown:messages" if '"detail"' in json.dumps(body) else "ok"

    with running_stub(choose=choose) as stub:
        assert run(stub, "--detail", "low") in {1, 2}
        assert "does not accept image detail 'low'" in capsys.readouterr().err
        assert not (desk.folder.path / "manifest.json").exists()
    with running_stub(extend=tokens(lambda _: 100)) as stub:
        assert run(stub, "--detail", "low") == 0
        assert "it seems to have no effect" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(HarnessError, match="does not accept --detail"):
        desk.run(RuleModel(), details=("low",))
    assert (
        main(
            [
                "run",
                "task.yaml",
                "--prompts",
                "prompts",
                "--model",
                "affect-tiny",
                "--detail",
                "low",
            ]
        )
        == 2
    )
    assert "--detail has no effect with --model affect-tiny" in capsys.readouterr().err
