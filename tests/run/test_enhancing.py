"""Runs whose pictures an endpoint enhances: each is asked for once, and never shown as it was before."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.api.carry_out import carry_out
from harness.api.model_object import Lent
from harness.api.options import RunOptions, prepare
from harness.api.watchers import Noting
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.message import Image as Sent
from harness.media.decode import decode
from harness.report.notices import run_notices
from harness.run.doctor import check_enhancers
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.run.workspace import open_workspace
from tests.enhancers.server import Server, enhancing
from tests.models.stub import running_stub
from tests.run.bench import TASK, RuleModel, write_pictures
from tests.run.bench import rows as made_rows

BLURRED = "degrade:blur=2/enhance:mine"
PROBES = 1
"""Requests at a start that are not for a sample."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pictures(tmp_path, made_rows(24))
    (tmp_path / "task.yaml").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(place: Path) -> Iterator[Server]:
    with enhancing(Server()) as running:
        described(place, running)
        yield running


def described(place: Path, server: Server) -> None:
    (place / "harness.toml").write_text(f'[enhancers.mine]\nurl = "{server.url}"\n')


def run(model: RuleModel, *, out: str = "run", **options: Any) -> list[str]:
    """What a run told; `options` are those of a run."""
    usual: dict[str, Any] = {
        "tasks": ("task.yaml",), "models": ("rule",), "out": Path(out), "conditions": (BLURRED,),
        "prompts": ("emotion/plain",),
    }  # fmt: skip
    asked = prepare(
        RunOptions(**{**usual, **options}),
        command=["test"],
        models={"rule": Lent(model, ("chat",))},
    )
    watcher = Noting(None)
    carry_out(asked, watcher, report=False)
    return watcher.lines


def colours(model: RuleModel) -> set[tuple[int, ...]]:
    """The colours that a model was shown, of pictures of one colour."""
    shown = [p for r in model.asked for m in r.messages for p in m.parts if isinstance(p, Sent)]
    found = [decode(one.data, name="x").getpixel((9, 9)) for one in shown]
    return {one for one in found if isinstance(one, tuple)}


EXPECTED = {(255 - n * 7 % 256, 255 - n, 165) for n in range(24)}


def test_each_picture_is_asked_for_once_and_the_folder_keeps_it(
    place: Path, server: Server
) -> None:
    model = RuleModel()
    lines = run(model, prompts=("emotion/plain", "emotion/cot"))
    assert len(server.pictures) == PROBES + 24 and len(model.asked) == 48
    assert colours(model) == EXPECTED
    assert any(line.startswith("enhance:mine: 24 pictures enhanced; ") for line in lines)
    assert any("at most 24 samples to http://127.0.0.1" in line for line in lines)
    log = [line for _, line in read_log(place / "run" / "private" / "enhanced" / "asked.jsonl")]
    assert len(log) == 24 and not any(line["scaled"] for line in log)
    manifest = json.loads((place / "run" / "manifest.json").read_text())
    assert manifest["enhancers"]["mine"]["url"] == server.url
    assert main(["export", "run", "--out", "exported"]) == 0
    told = b"".join(p.read_bytes() for p in (place / "exported").rglob("*") if p.is_file())
    assert str(server.port).encode() not in told
    assert not list((place / "exported").rglob("*.png"))


def test_a_run_goes_on_with_what_it_has(place: Path) -> None:
    with enhancing(Server()) as server:
        described(place, server)
        run(RuleModel(), limit=10)
        run(RuleModel())
        assert len(server.pictures) == 2 * PROBES + 24
    run(again := RuleModel())  # nobody listens any more
    assert not again.asked


def test_what_is_not_enhanced_fails_as_such_and_is_asked_for_again(
    place: Path, server: Server
) -> None:
    fails = {2, 7, 11}

    def say(sent: bytes) -> tuple[int, bytes] | None:
        return (422, b"no face") if decode(sent, name="x").getpixel((9, 9))[1] in fails else None

    server.say = say
    first = RuleModel()
    lines = run(first)
    assert len(first.asked) == 21 and "3 not enhanced" in " ".join(lines)
    trials = [line for _, line in read_log(place / "run" / "trials.jsonl")]
    failed = [line["failure"] for line in trials if "failure" in line]
    assert len(failed) == 3
    assert all(one["kind"] == "rejected" and "HTTP 422: no face" in one["detail"] for one in failed)
    scores = json.loads((place / "run" / "scores.json").read_text())
    assert "failed" in json.dumps(scores["outcomes"])
    server.say, before, second = lambda sent: None, len(server.pictures), RuleModel()
    run(second)
    assert len(server.pictures) - before == PROBES + 3 and len(second.asked) == 3
    assert colours(first) | colours(second) == EXPECTED


def test_an_endpoint_that_gives_no_pictures_stops_the_run(place: Path, server: Server) -> None:
    server.say = lambda sent: (200, b"<html>hello</html>")
    model = RuleModel()
    with pytest.raises(HarnessError, match=r"stopped: .* requests failed .bad-reply") as raised:
        run(model)
    assert "unknown picture format" in raised.value.message and not model.asked


def test_another_size_is_scaled_back_and_counted(place: Path, server: Server) -> None:
    server.make = lambda image: image.resize((64, 64))
    model = RuleModel()
    lines = run(model, limit=6)
    assert any("6 pictures enhanced, 6 of another size scaled back" in line for line in lines)
    shown = [p for r in model.asked for m in r.messages for p in m.parts if isinstance(p, Sent)]
    assert {decode(one.data, name="x").size for one in shown} == {(32, 32)}
    said = "6 of the 6 pictures that enhance:"
    for _ in range(2):  # a start that asks nothing keeps the counts
        found = run_notices(read_manifest(RunFolder(place / "run")))
        assert any(sentence.startswith(said) for sentence, _ in found), found
        run(model, limit=6)


def test_another_version_is_asked_for_everything_again(place: Path, server: Server) -> None:
    server.version = "1"
    run(RuleModel(), limit=6)
    server.version, server.make = "2", lambda image: image
    before, model = len(server.pictures), RuleModel()
    run(model, limit=7)
    assert len(server.pictures) - before == PROBES + 7 and len(model.asked) == 7
    cells = json.loads((place / "run" / "manifest.json").read_text())["cells"]
    earlier = [one for one in cells if one.get("asked_as")]
    assert [one["changed"] for one in earlier] == [["enhancer"]]
    assert earlier[0]["enhancers"]["mine"].endswith("version 1")


def test_a_version_that_changes_under_way_ends_the_run(place: Path, server: Server) -> None:
    server.version = "1"

    def make(image: Image.Image) -> Image.Image:
        server.version = "2" if len(server.pictures) > 5 else "1"
        return image

    server.make = make
    with pytest.raises(HarnessError, match="come from version 2 now, and the run began with 1"):
        run(RuleModel())


def test_a_plan_asks_nothing(
    place: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--model", "openai:x@http://127.0.0.1:9", "--condition", BLURRED)
    assert main(["plan", "task.yaml", *words]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"will send the pictures of at most 24 samples to {server.url}" in told
    assert main(["show", "task.yaml", "--condition", BLURRED]) == 0
    assert "is done by an endpoint, which only a run asks" in capsys.readouterr().out
    assert main(["list", "conditions"]) == 0
    assert f"pictures enhanced by {server.url}" in capsys.readouterr().out
    (check,) = check_enhancers(open_workspace(place))
    assert check.what == f"enhance:mine: {server.url} is listening; no picture was sent"
    assert not server.pictures
    for command in ("plan", "show"):
        more = ("--model", "openai:x@http://127.0.0.1:9") if command == "plan" else ()
        assert main([command, "task.yaml", *more, "--condition", "enhance:mien"]) == 2
        assert "did you mean mine?" in capsys.readouterr().err


def test_nothing_is_begun_where_nobody_listens(place: Path) -> None:
    (place / "harness.toml").write_text('[enhancers.mine]\nurl = "http://127.0.0.1:9/"\n')
    with pytest.raises(HarnessError, match=r"enhance:mine: http://127\.0\.0\.1:9/") as raised:
        run(RuleModel())
    assert "start the server" in raised.value.hint and not (place / "run").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[enhancers.clahe]\nurl = "http://127.0.0.1:9/"\n', "already means a method"),
        ('[enhancers."My Own"]\nurl = "http://127.0.0.1:9/"\n', "cannot be the name"),
        ('[enhancers.mine]\nurl = "nowhere"\n', "is not an address"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(place: Path, text: str, words: str) -> None:
    (place / "harness.toml").write_text(text)
    with pytest.raises(HarnessError, match=words) as raised:
        run(RuleModel())
    assert "harness.toml:" in raised.value.message


@pytest.mark.slow
def test_a_killed_run_asks_for_no_picture_twice(tmp_path: Path) -> None:
    moments, released = random.Random(3), threading.Event()
    write_pictures(tmp_path, made_rows(60))
    (tmp_path / "task.yaml").write_text(TASK)
    kills = 1
    held = Server(latency=0.03)

    def say(sent: bytes) -> None:
        if len(held.pictures) > 40:  # so that no run ends before it is killed
            released.wait(60)

    held.say = say
    with running_stub() as stub, enhancing(held) as server:
        described(tmp_path, server)
        command = (
            "run", "task.yaml", "--model", f"openai:stub@{stub.url}", "--condition", BLURRED, "--out", "run",
        )  # fmt: skip
        for _ in range(kills):
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.cli.main", *command],
                cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            seen = len(server.pictures)
            while len(server.pictures) < seen + 8:
                assert process.poll() is None, "the run ended first"
                time.sleep(0.02)
            time.sleep(moments.uniform(0, 0.2))
            process.kill()
            process.wait()
        released.set()
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli.main", *command],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    kept = list((tmp_path / "run" / "private" / "enhanced").rglob("*.png"))
    assert len(kept) == 60
    told = re.search(r"(\d+) pictures? enhanced; (\d+) read from the run folder", done.stderr)
    assert told is not None and sum(map(int, told.groups())) == 60, "each picture counts once"
    own = [one for one in server.pictures if decode(one, name="x").size == (32, 32)]
    assert len(own) <= 60 + kills, "only what was in flight is repeated"
