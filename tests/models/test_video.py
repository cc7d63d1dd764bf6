"""Videos on the wire: the frames' own bytes, their own times, and servers that are not believed."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.model import Probing
from harness.models.http.video import UnlikeVideos, clock
from harness.models.retry import Patience
from tests.models.films import ask, film, frames_in, seeing, urls
from tests.models.stub import Stub, running_stub
from tests.models.test_openai import opened

CLIP = film(0, 1, 2, 3, 4)
SOME = film(0, 10, 20, 31)


async def takes_video(stub: Stub) -> bool:
    async with opened(stub) as model:
        assert isinstance(model, Probing)
        await model.probe(frozenset({"video"}))
        return bool(model.card.video and "video" in model.card.offers)


async def test_frames_go_as_they_are_in_one_part_with_the_times_of_the_recording() -> None:
    with running_stub(**seeing()) as stub:
        async with opened(stub) as model:
            got = await model.reply(ask("Look: ", CLIP, "which expression?"))
    assert got.failure is None
    body = stub.requests[-1]
    assert [part["type"] for part in body["messages"][0]["content"]] == [
        "text",
        "video_url",
        "text",
    ]
    (url,) = urls(body)
    assert frames_in(url) == [one.data for one in CLIP.frames]
    assert body["media_io_kwargs"] == {
        "video": {"fps": 200.0, "num_frames": -1, "do_sample_frames": False}
    }


async def test_frames_that_were_left_out_are_told() -> None:
    with running_stub(**seeing()) as stub:
        async with opened(stub) as model:
            await model.reply(ask(SOME, "?"))
    told = stub.requests[-1]["media_io_kwargs"]["video"]
    assert (told["frames_indices"], told["total_num_frames"]) == ([0, 10, 20, 31], 41)
    assert len(SOME.frames) / told["total_num_frames"] * told["fps"] == pytest.approx(
        200 / (31 / 3), rel=0.01
    )


async def test_a_request_without_video_says_nothing_of_videos() -> None:
    with running_stub(**seeing()) as stub:
        async with opened(stub) as model:
            await model.reply(ask("hello"))
    assert stub.count == 1 and "media_io_kwargs" not in stub.requests[0]


@pytest.mark.parametrize(
    ("server", "held"),
    [
        ({}, True),
        ({"times": False}, False),
        ({"sampled": 2}, False),
        ({"refuses": "400"}, False),
        ({"refuses": "422"}, False),
    ],
)
async def test_a_server_is_believed_only_where_frames_and_times_arrive(
    server: dict[str, Any], held: bool
) -> None:
    with running_stub(**seeing(**server)) as stub:
        assert await takes_video(stub) is held
        assert stub.count <= 3


async def test_a_server_that_passes_over_videos_is_found_out() -> None:
    with running_stub() as stub:  # as many tokens for two frames as for eight
        assert await takes_video(stub) is False


async def test_without_proof_no_video_is_sent() -> None:
    with running_stub(**seeing(times=False)) as stub:
        async with opened(stub) as model:
            got = await model.reply(ask(CLIP, "?"))
    assert got.failure is not None and got.failure.kind == "unsupported"
    assert all(
        len(frames_in(url)) != len(CLIP.frames) for body in stub.requests for url in urls(body)
    )


async def test_a_silent_server_is_no_proof_of_anything() -> None:
    with running_stub(**seeing(refuses="hang")) as stub:
        async with opened(stub, Patience(tries=1, timeout=0.3)) as model:
            assert isinstance(model, Probing)
            with pytest.raises(HarnessError, match="did not answer"):
                await model.probe(frozenset({"video"}))


def test_videos_of_one_request_share_a_clock_or_are_refused() -> None:
    again = film(0, 1, 2, begin=50)
    assert clock(ask(CLIP, again, "?").messages) == clock(ask(CLIP, "?").messages)
    for other in (film(0, 1, 2, fps=30.0), film(0, 2, 4)):
        with pytest.raises(UnlikeVideos):
            clock(ask(CLIP, other, "?").messages)
    assert clock(ask("?").messages) == {}


async def test_unlike_videos_fail_their_request_alone() -> None:
    with running_stub(**seeing()) as stub:
        async with opened(stub) as model:
            bad = await model.reply(ask(CLIP, film(0, 2, 4), "?"))
            good = await model.reply(ask(CLIP, CLIP, "?"))
    assert bad.failure is not None and bad.failure.kind == "unsupported"
    assert good.failure is None
