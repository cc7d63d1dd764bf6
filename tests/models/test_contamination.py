"""Servers that take one picture for another are found before a run; those that are merely inexact are not."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.models.registry import OpenOptions, open_model
from harness.models.replica_host import Host
from harness.models.wire import Order
from tests.models.stub import Stub, contents, running_stub

Body = dict[str, Any]
COLOURS = ("red", "blue", "green", "white", "black", "grey", "brown")


def seen(picture: bytes, text: str = "") -> float:
    """A number between 0 and 1 that hangs on a picture, and a little on the words."""
    digest = hashlib.sha256(picture).digest()[0] / 256
    return digest + hashlib.sha256(text.encode()).digest()[0] / 256e2


def word(body: Body) -> str:
    return COLOURS[int(7 * seen(contents(body)[1][0]))]


class Sticky:
    """A cache whose name for a prompt leaves the picture out."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def picture(self, body: Body) -> bytes:
        text, pictures = contents(body)
        return self.kept.setdefault(text, pictures[0])

    def answer(self, body: Body) -> str:
        return COLOURS[int(7 * seen(self.picture(body)))]


def scores(picture: Callable[[Body], bytes], *, noise: float = 0.0) -> Callable[[Body, Body], None]:
    draw = random.Random(5)

    def extend(body: Body, completion: Body) -> None:
        if not body.get("logprobs"):
            return
        value = -seen(picture(body), contents(body)[0]) - noise * draw.random()
        likely = [{"token": "The", "logprob": value}, {"token": "A", "logprob": -2.0}]
        completion["choices"][0]["logprobs"] = {"content": [{"top_logprobs": likely}]}

    return extend


def found(**options: Any) -> str:
    with running_stub(**options) as stub:
        model: Any = open_model(f"openai:{stub.model}@{stub.url}")

        async def prove() -> None:
            try:
                await model.prove_apart()
            finally:
                await model.close()

        asyncio.run(prove())
        assert not stub.requests, "none of these are requests of the run"
        return str(model.card.details["pictures_apart"])


def test_a_cache_that_leaves_the_picture_out_is_found_by_words_and_by_log_probabilities() -> None:
    sticky = Sticky()
    with pytest.raises(HarnessError, match="mixes pictures up: asked about a second picture"):
        found(answer=sticky.answer)
    sticky = Sticky()
    with pytest.raises(HarnessError, match="mixes pictures up: asked about a second picture"):
        found(answer=lambda body: "The face", extend=scores(sticky.picture, noise=1e-3))


def test_replies_that_are_swapped_where_pictures_come_together_are_found() -> None:
    lock, flying = threading.Lock(), list[Body]()

    def answer(body: Body) -> str:
        with lock:
            other = next((b for b in flying if contents(b)[1] != contents(body)[1]), body)
        return word(other)

    async def slow(stub: Any, request: Any, body: Body) -> Any:
        with lock:
            flying.append(body)
        try:
            await asyncio.sleep(0.02)
            return await plain(stub, request, body)
        finally:
            with lock:
                flying.remove(body)

    plain = Stub._respond
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stub, "_respond", slow)
        with pytest.raises(
            HarnessError, match="mixes pictures up: asked about two pictures at once"
        ):
            found(answer=answer)


@pytest.mark.parametrize("seed", [0])
def test_honest_servers_are_not_stopped(seed: int) -> None:
    draw = random.Random(seed)
    assert found(answer=word) == "yes"
    exact = scores(lambda body: contents(body)[1][0])
    assert found(answer=lambda body: "The face", extend=exact) == "yes"
    noisy = scores(lambda body: contents(body)[1][0], noise=0.2)
    assert found(answer=lambda body: "The face", extend=noisy) == "yes"
    found(answer=lambda body: draw.choice(COLOURS))  # says anything
    found(answer=lambda body: draw.choice(COLOURS[:2]))
    constant = found(answer=lambda body: "happiness")
    assert constant == "not known: two pictures get the same reply"
    blind = scores(lambda body: b"")
    assert "not known" in found(answer=lambda body: "The face", extend=blind)
    assert found(answer=word, always={"": "unknown:logprobs"}) == "yes"


def test_a_server_that_takes_one_temperature_alone_is_tried_with_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = Stub._respond

    async def strict(stub: Any, request: Any, body: Body) -> Any:
        if body.get("temperature", 1) != 1:
            said = "'temperature' does not support 0.0. Only the default (1) value is supported."
            told = {"message": said, "param": "temperature", "code": "unsupported_value"}
            return web.json_response({"error": told}, status=400)
        return await plain(stub, request, body)

    monkeypatch.setattr(Stub, "_respond", strict)
    with running_stub(answer=word) as stub:
        asked = ["run", "faces/emotion", "--limit", "2", "--no-report", "--out", "out"]
        asked += ["--model", f"openai:{stub.model}@{stub.url}"]
        assert main([*asked, "--temperature", "1"]) == 0, capsys.readouterr().err
        asked[asked.index("out")] = "other"
        assert main([*asked, "--temperature", "0.5"]) == 2
    assert "does not accept temperature, which is set to 0.5" in capsys.readouterr().err


def test_each_replica_is_tried() -> None:
    with running_stub(answer=Sticky().answer) as stub:
        order = Order(f"openai:{stub.model}@{stub.url}", "m", OpenOptions(), apart=True)

        async def open_one() -> None:
            host = Host()
            try:
                await host.open(order)
            finally:
                await host.close()

        with pytest.raises(HarnessError, match="mixes pictures up"):
            asyncio.run(open_one())


def test_a_server_that_mixes_pictures_up_stops_the_run_before_its_first_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running_stub(answer=Sticky().answer) as stub:
        asked = ["run", "faces/emotion", "--limit", "3", "--no-report", "--out", "out"]
        assert main([*asked, "--model", f"openai:{stub.model}@{stub.url}"]) not in (0, 3)
        assert not stub.requests
    told = capsys.readouterr().err
    assert "the server mixes pictures up" in told and "--no-enable-prefix-caching" in told
    with running_stub(answer=word) as stub:
        asked[-1] = "honest"
        assert main([*asked, "--model", f"openai:{stub.model}@{stub.url}"]) == 0
        assert len(stub.requests) == 3 * len(
            {r["messages"][-1]["content"][-1]["text"] for r in stub.requests}
        )
    manifest = json.loads((tmp_path / "honest" / "manifest.json").read_text())
    (entry,) = manifest["models"].values()
    assert entry["details"]["pictures_apart"] == "yes"
