"""One request to an endpoint: both forms, retries, and replies that cannot be used."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from harness.core.enhancer import EnhancerError
from harness.core.errors import HarnessError
from harness.enhancers.client import Answer, Client
from harness.enhancers.settings import EnhancerSettings, settings_of
from harness.models.retry import Patience
from tests.enhancers.server import Server, enhancing

QUICK = Patience(tries=3, base=0.01)


def picture(width: int = 40, height: int = 30) -> Image.Image:
    down, across = np.mgrid[:height, :width]
    values = np.stack([across * 5, down * 7, across + down], axis=-1)
    return Image.fromarray(values.astype(np.uint8))


def png(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


async def ask(server: Server, sent: Image.Image | None = None, **settings: Any) -> Answer:
    found = EnhancerSettings(url=server.url, **settings)
    return await Client("x", found, patience=QUICK).ask(png(sent or picture()))


@pytest.mark.parametrize("form", ["picture", "json"])
async def test_a_picture_comes_back_enhanced(form: str) -> None:
    with enhancing(Server(version="1.4")) as server:
        more = {"body": {"upscaler_1": "GFPGAN"}} if form == "json" else {}
        found = await ask(server, form=form, **more)
        assert (pixels(found.png) == 255 - np.asarray(picture())).all()
        assert (found.version, found.scaled, found.came) == ("1.4", False, (40, 30))
        headers, body = server.requests[0]
        if form == "json":
            assert json.loads(body)["upscaler_1"] == "GFPGAN"
        else:
            assert headers["Content-Type"] == "image/png" and body == png(picture())


async def test_the_base64_may_be_a_data_address() -> None:
    coded = base64.b64encode(png(picture())).decode()
    body = json.dumps({"image": f"data:image/png;base64,{coded}"}).encode()
    with enhancing(Server(say=lambda sent: (200, body))) as server:
        assert (pixels((await ask(server, form="json")).png) == np.asarray(picture())).all()


@pytest.mark.parametrize("size", [(160, 120), (81, 60), (39, 30), (20, 15)])
async def test_another_size_is_scaled_back_and_said(size: tuple[int, int]) -> None:
    with enhancing(Server(make=lambda image: image.resize(size))) as server:
        found = await ask(server)
    assert (found.scaled, found.came) == (True, size)
    assert pixels(found.png).shape == (30, 40, 3)


def bomb() -> bytes:
    """A PNG that says it has 8,100 million pixels."""
    made = [b"\x89PNG\r\n\x1a\n"]
    head = struct.pack(">IIBBBBB", 90_000, 90_000, 8, 2, 0, 0, 0)
    for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(999)))):
        made += [
            struct.pack(">I", len(data)),
            kind,
            data,
            struct.pack(">I", zlib.crc32(kind + data)),
        ]
    return b"".join(made)


def said(data: bytes, status: int = 200) -> dict[str, Any]:
    return {"say": lambda sent: (status, data)}


@pytest.mark.parametrize(
    ("server", "settings", "kind", "words", "asked"),
    [
        (said(b"no picture"), {}, "bad-reply", "unknown picture format", 1),
        (said(b""), {}, "bad-reply", "the reply is empty", 1),
        (said(bomb()), {}, "bad-reply", "more than 50 million pixels", 1),
        (said(png(picture())[:60]), {}, "bad-reply", "damaged", 1),
        (said(b'{"image": "abcd"}'), {}, "bad-reply", 'JSON, not a picture: set form = "json" under [enhancers.x]', 1),
        (said(png(picture())), {"form": "json"}, "bad-reply", 'a picture, not JSON: set form = "picture"', 1),
        (said(b"{", 200), {"form": "json"}, "bad-reply", "is not JSON", 1),
        (said(b'{"picture": ""}'), {"form": "json"}, "bad-reply", "no field 'image'", 1),
        (said(b'{"image": "%%"}'), {"form": "json"}, "bad-reply", "is not base64", 1),
        ({"make": lambda image: image.resize((40, 40))}, {}, "bad-reply", "40x40 pixels, and 40x30 were sent", 1),
        ({"make": lambda image: image.resize((4, 3))}, {}, "bad-reply", "too small", 1),
        (said(b'{"error": "no face found"}', 422), {}, "rejected", "HTTP 422: no face found", 1),
        (said(b"out of memory", 500), {}, "server", "HTTP 500: out of memory (after 3 tries)", 3),
        (said(b"busy", 503), {}, "server", "HTTP 503: busy (after 3 tries)", 3),
        ({"latency": 0.4}, {"timeout": 0.05}, "timeout", "no picture within 0.05 s (after 3 tries)", 3),
    ],
)  # fmt: skip
async def test_a_reply_that_cannot_be_used_is_an_error_of_its_kind(
    server: dict[str, Any], settings: dict[str, Any], kind: str, words: str, asked: int
) -> None:
    with enhancing(Server(**server)) as running:
        with pytest.raises(EnhancerError) as raised:
            await ask(running, **settings)
        assert raised.value.failure.kind == kind
        assert words in raised.value.message and raised.value.message.startswith("enhance:x: ")
        assert len(running.pictures) == asked


async def test_a_fault_that_passes_is_tried_again() -> None:
    faults = iter([(500, b"once"), (429, b"slower")])
    with enhancing(Server(say=lambda sent: next(faults, None))) as server:
        assert (pixels((await ask(server)).png) == 255 - np.asarray(picture())).all()
        assert len(server.pictures) == 3


@pytest.mark.parametrize("status", [301, 401, 404])
async def test_where_no_request_can_succeed_the_run_ends(status: int) -> None:
    with enhancing(Server(**said(b"no", status))) as server:
        with pytest.raises(HarnessError, match=f"HTTP {status}") as raised:
            await ask(server)
        assert not isinstance(raised.value, EnhancerError)
        assert "[enhancers.x]" in raised.value.hint and len(server.pictures) == 1


async def test_nobody_listens() -> None:
    settings = EnhancerSettings(url="http://127.0.0.1:9/enhance")
    with pytest.raises(EnhancerError) as raised:
        await Client("x", settings, patience=QUICK).ask(png(picture()))
    assert raised.value.failure.kind == "unreachable"


async def test_after_a_picture_without_any_reply_the_next_has_one_try_until_one_is_answered() -> (
    None
):
    with enhancing(Server()) as server:
        client = Client("x", EnhancerSettings(url=server.url), patience=QUICK)
        dead = Client("x", EnhancerSettings(url="http://127.0.0.1:9/enhance"), patience=QUICK)
        for words in ("(after 3 tries)", "Connect call failed"):
            with pytest.raises(EnhancerError, match=re.escape(words)) as raised:
                await dead.ask(png(picture()))
        assert "tries" not in raised.value.message
        faults = iter([None, (500, b"once"), None])
        server.say = lambda sent: next(faults)
        assert await client.ask(png(picture())) == await client.ask(png(picture()))
    with pytest.raises(EnhancerError, match="after 3 tries"):
        await client.ask(png(picture()))
    with enhancing(Server()) as again:
        client.settings = client.settings.model_copy(update={"url": again.url})
        await client.ask(png(picture()))
        faults = iter([(500, b"once"), None])
        again.say = lambda sent: next(faults)
        await client.ask(png(picture()))


def test_pictures_go_to_another_machine_only_where_it_is_allowed() -> None:
    settings = EnhancerSettings(url="https://gpu.example.org/enhance")
    with pytest.raises(HarnessError, match=r"pictures of faces .* to gpu\.example\.org") as raised:
        Client("x", settings)
    assert "--allow-remote gpu.example.org" in raised.value.hint
    Client("x", settings, allow_remote=frozenset({"gpu.example.org"}))


async def test_a_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_KEY", "secret-word-123")
    with enhancing(Server(**said(b"the key secret-word-123 is wrong", 422))) as server:
        with pytest.raises(EnhancerError) as raised:
            await ask(server, key_env="GPU_KEY")
        assert server.requests[0][0]["Authorization"] == "Bearer secret-word-123"
    assert "the key *** is wrong" in raised.value.message
    monkeypatch.delenv("GPU_KEY")
    with pytest.raises(HarnessError, match="GPU_KEY, which key_env names, is not set"):
        Client("x", EnhancerSettings(url="http://127.0.0.1:9/", key_env="GPU_KEY"))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://127.0.0.1/x"},
        {"url": "127.0.0.1:9000"},
        {"url": "http://me:secret@127.0.0.1/x"},
        {"url": "http://127.0.0.1/x?key=secret"},
        {"url": "http://127.0.0.1:99999/x"},
        {"url": "http://127.0.0.1/x", "body": {"scale": 2}},
        {"url": "http://127.0.0.1/x", "form": "json", "body": {"image": "mine"}},
        {"url": "http://127.0.0.1/x", "timeout": 0},
        {"url": "http://127.0.0.1/x", "retries": 2},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EnhancerSettings(**settings)


def test_what_changes_pictures_is_in_the_identity() -> None:
    at = "http://127.0.0.1:9000/x"
    stated = {
        EnhancerSettings(url=at, **more).stated
        for more in ({}, {"version": "2"}, {"form": "json"}, {"form": "json", "body": {"scale": 2}})
    }
    assert len(stated) == 4
    assert (
        EnhancerSettings(url=at, timeout=5, key_env="K").stated == EnhancerSettings(url=at).stated
    )


def test_an_unknown_name_says_what_there_is() -> None:
    known = {"gfpgan": EnhancerSettings(url="http://127.0.0.1:9000/x")}
    assert list(settings_of(["degrade:blur=3/enhance:gfpgan", "enhance:clahe"], known)) == [
        "gfpgan"
    ]
    with pytest.raises(HarnessError, match="unknown enhancement 'gfpgn'") as raised:
        settings_of(["none+enhance:gfpgn"], known)
    assert "did you mean gfpgan?" in raised.value.hint
