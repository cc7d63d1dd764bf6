"""Clips as video through plan, engine and journal: what was sent, what stood in for it, and what is recorded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from harness.analyses.words import fallback_lines
from harness.core.constraint import Need
from harness.core.message import Image, Message, Text, Video
from harness.core.model import Card
from harness.run.capability_check import check, find_out, recorded_offers, unconstrained
from harness.run.fallback import Fitter, video_as_frames
from harness.run.journal import conversation_turns
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from tests.models.films import film, frame
from tests.run.bench import RuleModel, World

CLIPS = """\
source: {family: table, file: clips.csv, frames: folder, label: emotion%s}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [clip/emotion]
"""


@dataclass
class Viewer(RuleModel):
    """A model that takes video, or is found to take none."""

    video: bool = True
    probed: list[frozenset[Need]] = field(default_factory=list)

    @property
    def card(self) -> Card:
        return Card(name="rule", identity="viewer", window=4, video=self.video)


def write_clips(root: Path, *, told: str = ", fps: 200") -> World:
    """Two clips of five frames, numbered from 41."""
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(5):
            level = number * 20 + (name == "b")
            Pillow.new("RGB", (32, 24), (level, 90, 90)).save(root / name / f"{41 + number}.png")
    (root / "clips.csv").write_text("folder,emotion\na,anger\nb,happiness\n")
    (root / "task.yaml").write_text(CLIPS % told)
    return World(root)


def trials(world: World) -> list[dict[str, Any]]:
    return [line for _, line in read_log(world.folder.trials)]


def videos(model: RuleModel) -> list[Video]:
    return [p for r in model.asked for m in r.messages for p in m.parts if isinstance(p, Video)]


def test_a_clip_goes_as_one_video_with_its_own_times(tmp_path: Path) -> None:
    world, model = write_clips(tmp_path), Viewer()
    world.run(model, conditions=("video", "video-3"))
    shown = sorted(videos(model), key=lambda video: len(video.frames))
    assert [video.numbers for video in shown] == [(0, 2, 4)] * 2 + [(0, 1, 2, 3, 4)] * 2
    assert {video.fps for video in shown} == {200.0}
    own = {(tmp_path / name / f"{n}.png").read_bytes() for name in "ab" for n in range(41, 46)}
    assert {one.data for video in shown for one in video.frames} == own, "the files' own bytes"
    for line in trials(world):
        kept = line["shown"]
        assert kept["changes"][-1] in ("video-at-200-fps", "video-3-at-200-fps")
        assert kept["frames"] in ([0, 2, 4], [0, 1, 2, 3, 4]) and "rules" not in line
    said = [turn for _, line in read_log(world.folder.conversations) for turn in line["turns"]]
    assert any("[video 1]" in text for _, text in said)
    text = model.asked[-1].messages[-1].text
    assert "frames of one clip in order of time" in text, "true of a video too"


def test_a_model_without_video_gets_the_frames_and_that_is_recorded(tmp_path: Path) -> None:
    world, model = write_clips(tmp_path), Viewer(video=False)
    world.run(model, conditions=("video-3",))
    assert videos(model) == []
    pictures = [p for p in model.asked[0].messages[-1].parts if isinstance(p, Image)]
    assert [p.name.rpartition("/")[2] for p in pictures] == ["41.png", "43.png", "45.png"]
    assert [line["rules"] for line in trials(world)] == [["video-as-frames"]] * 2
    state = score_run(world.folder).tasks[0]
    assert "showed the frames of their video one by one" in " ".join(fallback_lines(state))


def test_frames_become_a_sheet_where_only_one_picture_is_taken() -> None:
    turns = (Message("user", (film(0, 1, 2), Text("?"))),)
    fitted = asyncio.run(Fitter(lambda: Card("m", "i"), most=1).fit(turns))
    assert fitted.rules == ("video-as-frames", "contact-sheet")
    assert [type(part) for part in fitted.messages[0].parts] == [Image, Text]


def test_what_a_model_was_found_to_take_counts_not_what_its_card_says_now() -> None:
    """So a finished run is looked up again without a server that is tried."""
    turns = (Message("user", (film(0, 1), Text("?"))),)
    fitted = asyncio.run(Fitter(lambda: Card("m", "i"), video=True).fit(turns))
    assert fitted.messages is turns


def test_frames_stand_where_the_video_stood() -> None:
    one = film(0, 1)
    turns = (
        Message("system", (Text("s"),)),
        Message("user", (Text("a"), one, frame(3), Text("b"))),
    )
    system, user = video_as_frames(turns)
    assert system == turns[0]
    assert user.parts == (
        Text("a"), one.frames[0], Text("\n"), one.frames[1], turns[1].parts[2], Text("b"),
    )  # fmt: skip


def test_without_a_known_rate_the_trial_fails_and_says_what_to_do(tmp_path: Path) -> None:
    world, model = write_clips(tmp_path, told=""), Viewer()
    _, tally = world.run(model, conditions=("video", "none"))
    assert (tally.trials, tally.failed, len(model.asked)) == (4, 2, 2)
    (failure, *_) = [line["failure"] for line in trials(world) if "failure" in line]
    assert failure["kind"] == "media"
    assert "gives no frames per second" in failure["detail"]
    assert "--set media.fps=200" in failure["detail"]


def test_the_rate_may_be_stated_for_sources_that_tell_none(tmp_path: Path) -> None:
    world, model = write_clips(tmp_path, told=""), Viewer()
    (tmp_path / "task.yaml").write_text(CLIPS % "" + "media: {fps: 30}\n")
    world.run(model, conditions=("video", "video-slowed-4"))
    assert {video.fps for video in videos(model)} == {30.0, 7.5}


def test_a_video_and_a_picture_in_its_place_are_two_conversations() -> None:
    shown = (Message("user", (film(0, 1), Text("?"))),)
    assert conversation_turns(shown) == [["user", "[video 1]?"]]
    assert shown[0].text == "[video: a clip]?"


class Server(Viewer):
    """Must be tried before it is known what it takes."""

    async def probe(self, needs: frozenset[Need]) -> None:
        self.probed.append(needs)


@pytest.mark.parametrize("takes", [True, False])
def test_video_is_a_need_that_is_tried_noted_and_remembered(tmp_path: Path, takes: bool) -> None:
    world, model = write_clips(tmp_path), Server(video=takes)
    plan, _ = world.run(model, conditions=("none", "video", "video+label-order:reversed"))
    needs = {cell.shown_condition: plan.needs.get(cell.id) for cell in plan.cells}
    assert needs == {
        "none": None, "video": {"video"}, "video+label-order:reversed": {"video"},
    }  # fmt: skip
    held = asyncio.run(find_out(plan, model, "rule", done={}, recorded=frozenset()))
    assert model.probed == [frozenset({"video"})]
    notes = check(plan, "rule", held)
    assert len(notes) == (0 if takes else 2)
    assert all("clips are sent as frames" in note for note in notes)
    manifest = read_manifest(world.folder)
    assert recorded_offers(manifest, "rule", "viewer") == ({"video"} if takes else set())
    assert not any(unconstrained(manifest, cell) for cell in manifest["cells"])
