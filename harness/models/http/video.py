"""Send videos to vLLM as frames with times, and probe whether a server supports it.

The frames travel in one `video_url` part, `data:video/jpeg;base64,FRAME,FRAME,...`, each the bytes of a picture file of
any kind that Pillow opens. Their times travel in `media_io_kwargs`, which holds for every video of a request (vLLM,
`VideoMediaIO.load_base64`, metadata of backend `jpeg_sequence`). A server that knows no such field reads the video all
the same, as if it were recorded at one frame a second, or samples frames of its own choice. So none is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text, Video
from harness.core.request import Request, Sampling, make_request
from harness.models.http.probe import Put, check_silence

FEW, MANY = 2, 8
"""Frames of the two videos that a server is tried with."""

_SIDE = 224
_FPS = 200.0


class UnlikeVideos(ValueError):
    """Videos of one request whose times cannot be told together."""


def videos_of(messages: Sequence[Message]) -> list[Video]:
    """All videos, in order."""
    return [part for message in messages for part in message.parts if isinstance(part, Video)]


def clock(messages: Sequence[Message]) -> dict[str, Any]:
    """What is added to a body for the times of its videos; empty where it has none.

    Raises UnlikeVideos where two videos have other times, unless both show every frame at one rate.
    """
    told = [_clock(video) for video in videos_of(messages)]
    if any(one != told[0] for one in told):
        raise UnlikeVideos(
            "the videos of one request have different frame times, which no server accepts"
        )
    return {"media_io_kwargs": {"video": told[0]}} if told else {}


def _clock(video: Video) -> dict[str, Any]:
    told: dict[str, Any] = {"fps": video.fps, "num_frames": -1, "do_sample_frames": False}
    if video.numbers != tuple(range(len(video.frames))):
        told |= {"frames_indices": list(video.numbers), "total_num_frames": video.total}
    return told


async def prove_video(put: Put) -> bool:
    """Whether a server takes every frame that it is given, and reads their times.

    Tried are a short and a longer video of one length in time: the longer must cost more tokens, or frames were left
    out. Then a video with fewer times than frames: it must be refused, or the times are not read. Raises HarnessError
    where the server does not answer.
    """
    counts = []
    for frames in (FEW, MANY):
        reply = await put(_request(frames), {})
        if isinstance(reply, Generation):
            check_silence(reply)
            return False
        counts.append(reply.usage.prompt_tokens)
    if not counts[0] < counts[1]:
        return False
    reply = await put(_request(MANY), _mistimed())
    if isinstance(reply, Generation):
        check_silence(reply)
        return reply.failure is not None and reply.failure.kind == "rejected"
    return False


def _request(frames: int) -> Request:
    turn = Message("user", (_video(frames), Text("Say hello.")))
    return make_request((turn,), Sampling(max_tokens=1), model="probe")


def _video(frames: int) -> Video:
    from PIL import Image as Pictures

    from harness.media.transforms import encode_png

    greys = [96 + 8 * number for number in range(frames)]
    pictures = [
        Image(str(grey), encode_png(Pictures.new("RGB", (_SIDE, _SIDE), (grey,) * 3)))
        for grey in greys
    ]
    return Video("probe", tuple(pictures), tuple(range(frames)), _FPS)


def _mistimed() -> Mapping[str, Any]:
    told = _clock(_video(MANY)) | {"frames_indices": [0], "total_num_frames": MANY}
    return {"media_io_kwargs": {"video": told}}
