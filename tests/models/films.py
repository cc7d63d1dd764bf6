"""Videos for tests, and a stub server's way with them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

import PIL.Image

from harness.core.message import Image, Message, Text, Video
from harness.core.request import Request, Sampling, make_request


def frame(level: int, size: tuple[int, int] = (140, 140)) -> Image:
    """A face of two discs and a bar, which moves with `level`."""
    picture = PIL.Image.new("RGB", size, (90, 110, 130))
    picture.paste((230, 200, 180), (size[0] // 4, 10 + level % 40, size[0] // 2, 60 + level % 40))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Image(f"frame {level}", stream.getvalue())


def film(*numbers: int, fps: float = 200.0, begin: int = 0) -> Video:
    """A video of frames with these numbers."""
    return Video("a clip", tuple(frame(begin + 9 * n) for n in numbers), numbers, fps)


def ask(*parts: Video | Image | str, **options: Any) -> Request:
    turn = Message("user", tuple(Text(p) if isinstance(p, str) else p for p in parts))
    sampling = Sampling(max_tokens=options.pop("max_tokens", 8))
    return make_request((turn,), sampling, model="x", **options)


def urls(body: Mapping[str, Any]) -> list[str]:
    """The addresses of a body's videos, in order."""
    return [
        part["video_url"]["url"]
        for turn in body["messages"] if not isinstance(turn["content"], str)
        for part in turn["content"] if part["type"] == "video_url"
    ]  # fmt: skip


def frames_in(url: str) -> list[bytes]:
    """The frames in the address of a video."""
    head, _, data = url.partition(",")
    assert head == "data:video/jpeg;base64"
    return [base64.b64decode(one, validate=True) for one in data.split(",")]


def seeing(
    *, times: bool = True, sampled: int | None = None, refuses: str = ""
) -> dict[str, Callable[..., Any]]:
    """Options of `running_stub` for a server that takes videos as vLLM does.

    `times`: it reads `media_io_kwargs`; `sampled`: it keeps so many frames of each video; `refuses`: the status with
    which it takes none.
    """

    def choose(body: dict[str, Any]) -> str:
        told = body.get("media_io_kwargs", {}).get("video", {})
        counts = [len(frames_in(url)) for url in urls(body)]
        if counts and refuses:
            return refuses
        wrong = any(len(told.get("frames_indices", range(n))) != n for n in counts)
        return "400" if times and wrong else "ok"

    def extend(body: dict[str, Any], completion: dict[str, Any]) -> None:
        seen = sum(min(len(frames_in(url)), sampled or 1000) for url in urls(body))
        completion["usage"]["prompt_tokens"] = 11 + 4 * seen

    return {"choose": choose, "extend": extend}
