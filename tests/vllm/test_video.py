"""Clips as video through a real vLLM: proved to take their times, and read as transformers reads them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.generation import Generation
from harness.core.model import Model, Probing
from harness.models.registry import open_model
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from tests.models.films import ask, film
from tests.vllm.serving import Served, harness

pytestmark = pytest.mark.vllm
LABELS = ("anger", "happiness", "surprise")
CLIP = film(0, 1, 2, 3, 4)
VIDEOS = (CLIP, replace(CLIP, fps=2.0, digest=""), film(0, 10, 20, 31), film(0, 1))


def put(model: Model) -> list[Generation]:
    async def run() -> list[Generation]:
        if isinstance(model, Probing):
            await model.probe(frozenset({"video", "logprob"}))
            model._scorer.selection = None  # type: ignore[attr-defined] # whole labels, as transformers scores them
        requests = [ask(video, "Which expression?", candidates=LABELS) for video in VIDEOS]
        replies = await asyncio.gather(*map(model.reply, requests))
        await model.close()
        return list(replies)

    return asyncio.run(run())


def test_a_video_is_read_as_by_transformers_frames_times_and_all(served: Served) -> None:
    remote = open_model(served.spec)
    theirs, ours = put(remote), put(open_model("affect-tiny"))
    assert remote.card.video
    for one, other in zip(theirs, ours, strict=True):
        assert one.scores is not None and other.scores is not None, (one, other)
        assert one.scores.logprobs == pytest.approx(other.scores.logprobs, abs=0.01)
    told = {one.scores.logprobs for one in theirs if one.scores is not None}
    assert len(told) == len(VIDEOS), "the same frames at another rate are another video"


def test_a_run_shows_clips_as_video(served: Served, tmp_path: Path) -> None:
    done = harness(
        "run", "faces/me-vqa", "--model", served.spec, "--condition", "video-4", "--limit", "4",
        "--no-report", "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = RunFolder(tmp_path / "run")
    lines = [line for _, line in read_log(folder.trials)]
    assert len(lines) >= 4
    assert not any("rules" in line or "failure" in line for line in lines)
    assert {line["shown"]["changes"][-1] for line in lines} == {"video-4-at-200-fps"}
    assert read_manifest(folder)["models"][served.spec]["video"] is True
