"""`harness tools serve`: tools over MCP, asked by the client of the package `mcp` in a process of its own."""

from __future__ import annotations

import base64
import json
import sys
from contextlib import AbstractAsyncContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from harness.cli.main import main
from harness.core.tool import Call
from harness.core.tools_asked import ToolsAsked

pytest.importorskip("mcp")

from mcp import Client
from mcp.client.stdio import StdioServerParameters

from harness.api.tools import toolboxes_of_files
from harness.core.errors import HarnessError
from harness.tools.serving import OfferedPictures, mcp_server

TASK = """\
source: {family: faces, n: 4, size: 64, seed: 3, labels: [anger, happiness]}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "task.yaml").write_text(TASK)
    for number in range(2):
        Pillow.new("RGB", (60, 40), (90 * number, 50, 200)).save(tmp_path / f"p{number}.png")
    (tmp_path / "other").mkdir()
    Pillow.new("RGB", (60, 40), (9, 9, 9)).save(tmp_path / "other" / "p0.png")
    (tmp_path / "text.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def serving(place: Path, *words: str) -> AbstractAsyncContextManager[Client]:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "harness.cli.main", "tools", "serve", *words], cwd=place
    )
    return Client(parameters)


async def test_a_client_sees_the_tools_and_calls_them_over_a_sample(place: Path) -> None:
    words = ["--task", "task.yaml", "--sample", "test-3-0000001", "--tools", "zoom+measure"]
    async with serving(place, *words, "--log", "calls.jsonl", "--side", "64") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"zoom", "measure"}
        assert "picture" not in tools["zoom"].input_schema["properties"]
        looked = await client.call_tool("zoom", {"region": "mouth"})
        text, picture = looked.content
        assert text.text == "zoom: mouth"
        assert Pillow.open(BytesIO(base64.b64decode(picture.data))).size[0] == 64
        assert not looked.is_error
        measured = await client.call_tool("measure", {"unit": 12})
        assert measured.content[0].text.startswith("AU12")
        wrong = await client.call_tool("zoom", {"region": "mouth", "path": "/etc/passwd"})
        assert wrong.is_error and "path is no argument" in wrong.content[0].text
        unknown = await client.call_tool("open", {"path": "/etc/passwd"})
        assert unknown.is_error and "There is no tool 'open'" in unknown.content[0].text
    lines = [json.loads(line) for line in (place / "calls.jsonl").read_text().splitlines()]
    assert [(one["tool"], one["status"], one["pictures"]) for one in lines] == [
        ("zoom", "ok", 1), ("measure", "ok", 0), ("zoom", "bad-arguments", 0), ("open", "unknown-tool", 0),
    ]  # fmt: skip
    assert {one["picture"] for one in lines} == {"test-3-0000001"}


async def test_only_named_pictures_are_reached(place: Path) -> None:
    boxes = toolboxes_of_files(
        [place / "p0.png", place / "p1.png", place / "other" / "p0.png"], ToolsAsked(("zoom",))
    )
    called: list[Any] = []
    offered = OfferedPictures(boxes, on_call=called.append)
    box = [0, 0, 0.5, 1]
    async with Client(mcp_server(offered)) as client:
        (tool,) = (await client.list_tools()).tools
        assert tool.input_schema["properties"]["picture"]["enum"] == [
            "1-p0.png",
            "p1.png",
            "3-p0.png",
        ]
        assert "picture" in tool.input_schema["required"]
        seen = [
            await client.call_tool("zoom", {"picture": name, "box": box})
            for name in ("p1.png", "3-p0.png", str(place / "text.png"), "../other/p0.png")
        ]
        missing = await client.call_tool("zoom", {"box": box})
    assert [one.is_error for one in seen] == [False, False, True, True]
    assert missing.is_error
    assert str(place) not in json.dumps(
        [one.model_dump(mode="json") for one in (*seen[:2], missing)]
    )
    shades = [
        Pillow.open(BytesIO(base64.b64decode(one.content[1].data))).getpixel((0, 0))
        for one in seen[:2]
    ]
    assert shades == [(90, 50, 200), (9, 9, 9)]
    assert [one.picture for one in called] == ["p1.png", "3-p0.png", "", "", ""]


def test_lying_tools_are_those_of_a_run(place: Path) -> None:
    from harness.api.tools import asked_tools, toolboxes_of_samples
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace

    task = load_task("task.yaml", open_workspace(place))
    boxes = toolboxes_of_samples(task, ["test-3-0000000"], asked_tools("measure:swap"), here=place)
    seen = boxes["test-3-0000000"].use(Call("measure", {"unit": 12}), side=64)
    assert seen.donor and seen.donor != "test-3-0000000"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no pictures to look at"),
        (["p0.png", "--task", "task.yaml"], "PICTURE has no effect with --task"),
        (["p0.png", "--sample", "x"], "--sample has no effect without --task"),
        (["--task", "task.yaml"], "no sample of task.yaml"),
        (["--task", "task.yaml", "--sample", "nobody"], "has no sample 'nobody'"),
        (["absent.png"], "picture not found"),
        (["text.png"], "text.png"),
        (["p0.png", "--tools", "knife"], "unknown tool"),
        (["p0.png", "--tools", "none"], "offers nothing"),
        (["p0.png", "--tools", "zoom:swap"], "files have no labels"),
        (["p0.png", "--side", "1"], "--side 1"),
        (["p0.png", "--log", "absent/calls.jsonl"], "--log"),
    ],
)
def test_what_cannot_be_is_refused(
    place: Path,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.cli.tools_command._finder", lambda: None)
    assert main(["tools", "serve", *words]) in {1, 2}
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out


def test_a_missing_package_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = toolboxes_of_files([place / "p0.png"], ToolsAsked(("zoom",)))
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    with pytest.raises(HarnessError, match="mcp is not installed"):
        mcp_server(OfferedPictures(boxes))
