"""Conversations that ask more of a model than it takes: the rules, and what is recorded of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from harness.analyses.words import fallback_lines
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.model import Card
from harness.core.request import Request
from harness.media.sheet import lay_out
from harness.run.fallback import (
    Fitter,
    count_pictures,
    declared_images,
    grouped,
    sheet_of,
    system_in_user,
)
from harness.run.log import read_log
from harness.run.manifest import read_manifest, write_details
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.bench import RuleModel, World, make_world

FRAMES_PROMPT = """---
fields: [emotion]
---
{% system %}You look at frames.{% endsystem %}
{% user %}{{ frames | join('\\n') }}
{{ n_frames }} frames. Which expression: {{ labels | join(', ') }}?{% enduser %}
"""
APART_PROMPT = """---
fields: [emotion]
---
{% user %}First {{ frames[0] }} then {{ frames[1] }}. Which expression?{% enduser %}
"""
ONE_PROMPT = """---
fields: [emotion]
---
{% user %}{{ image }} Which expression?{% enduser %}
"""
CLIP_TASK = """\
source: {family: table, file: clips.csv, frames: folder, label: emotion}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [clip/frames, clip/apart, clip/one]
"""


def shot(nth: int, size: tuple[int, int] = (40, 30)) -> Image:
    stream = io.BytesIO()
    Pillow.new("RGB", size, (nth * 30 % 256, 60, 90)).save(stream, "PNG")
    return Image(f"frame {nth}", stream.getvalue())


def user(*parts: Image | Text | str) -> Message:
    return Message("user", tuple(Text(p) if isinstance(p, str) else p for p in parts))


def fitter(most: int | None = 1, **card: Any) -> Fitter:
    return Fitter(lambda: Card("model", "id", **card), most=most)


def test_pictures_are_neighbours_where_only_white_space_is_between() -> None:
    a, b, c = (shot(n) for n in range(3))
    text = {name: Text(name) for name in ("see", "\n", " ", "and")}
    parts = (text["see"], a, text["\n"], b, text[" "], text["and"], c, text["\n"])
    assert grouped(parts) == [
        [text["see"]], [a, b], [text[" "]], [text["and"]], [c], [text["\n"]],
    ]  # fmt: skip
    assert grouped(()) == [] and grouped((text["\n"], a)) == [[text["\n"]], [a]]


async def test_what_fits_is_the_same_object() -> None:
    messages = (Message("system", (Text("s"),)), user(shot(1), "?"))
    fitted = await fitter().fit(messages)
    assert fitted.messages is messages and fitted.rules == ()
    many = (user(*(shot(n) for n in range(9))),)
    assert (await fitter(None).fit(many)).messages is many


async def test_neighbouring_frames_become_one_sheet_with_the_words_untouched() -> None:
    frames = [shot(n) for n in range(4)]
    spaced = [part for frame in frames for part in (frame, Text("\n"))][:-1]
    messages = (user("Look:\n", *spaced, "\n4 frames. Which?"), Message("assistant", (Text("hm"),)))
    one = fitter()
    fitted = await one.fit(messages)
    (before, sheet, after) = fitted.messages[0].parts
    assert (before, after) == (Text("Look:\n"), Text("\n4 frames. Which?"))
    assert isinstance(sheet, Image) and sheet.data == sheet_of(frames).data
    assert sheet.name == "contact sheet of 4: frame 0 ... frame 3"
    with Pillow.open(io.BytesIO(sheet.data)) as opened:
        assert opened.size == lay_out([(40, 30)] * 4).size
    assert fitted.rules == ("contact-sheet",) and fitted.messages[1:] == messages[1:]
    assert (await one.fit(messages)).messages == fitted.messages


async def test_a_few_more_than_the_limit_still_make_one_sheet() -> None:
    fitted = await fitter(2).fit((user(shot(0), shot(1), shot(2)),))
    assert count_pictures(fitted.messages) == 1
    pairs = (user(shot(0), shot(1), "then", shot(2), shot(3)),)
    assert count_pictures((await fitter(2).fit(pairs)).messages) == 2


async def test_pictures_that_the_prompt_sets_apart_stay_apart_and_fail_with_a_mend() -> None:
    for messages in [
        (user(shot(0), "and", shot(1)),),
        (user(shot(0), "?"), Message("assistant", (Text("a"),)), user(shot(1), "?")),
    ]:
        fitted = await fitter().fit(messages)
        assert fitted.failure is not None and fitted.failure.kind == "unsupported"
        assert (
            "2 pictures that cannot be combined" in fitted.failure.detail
            and "frames | join" in fitted.failure.detail
        )


async def test_the_lesser_of_card_and_declaration_holds() -> None:
    pair = (user(shot(0), shot(1)),)
    assert (await fitter(5, max_images=1).fit(pair)).rules == ("contact-sheet",)
    assert (await fitter(1, max_images=5).fit(pair)).rules == ("contact-sheet",)
    assert (await fitter(None, max_images=2).fit(pair)).rules == ()


async def test_a_broken_picture_in_a_sheet_is_a_failure_of_media() -> None:
    fitted = await fitter().fit((user(shot(0), Image("bad", b"nope")),))
    assert fitted.failure is not None and fitted.failure.kind == "media"


async def test_a_template_without_a_system_turn_gets_its_words_in_the_first_user_turn() -> None:
    messages = (Message("system", (Text("Be brief."),)), user(shot(0), "Which?"), user("again"))
    fitted = await fitter(None, system_role=False).fit(messages)
    assert fitted.rules == ("system-in-user",)
    assert fitted.messages == (user("Be brief.\n\n", shot(0), "Which?"), user("again"))
    alone = system_in_user((Message("system", (Text("s"),)), Message("assistant", (Text("a"),))))
    assert alone == (user("s"), Message("assistant", (Text("a"),)))


def test_declared_limits_are_read_for_every_model_or_one() -> None:
    models = ["affect-tiny", "openai:m=1@http://127.0.0.1:1"]
    assert declared_images(["2"], models) == dict.fromkeys(models, 2)
    assert declared_images(["2", f"{models[1]}=1"], models) == {models[0]: 2, models[1]: 1}
    assert declared_images([], models) == {}
    for wrong in ("", "x", "0", "other=1", "affect-tiny=", "affect-tiny=-1", "affect-tiny=0", "²"):
        with pytest.raises(HarnessError) as caught:
            declared_images([wrong], models)
        assert caught.value.hint


class Learner(RuleModel):
    """Refuses more than one picture, as servers do, and knows better afterwards."""

    told: int | None = None

    @property
    def card(self) -> Card:
        return Card("rule", "rule-1", window=4, max_images=self.told)

    async def reply(self, request: Request) -> Generation:
        if count_pictures(request.messages) > 1:
            self.asked.append(request)
            self.told = 1
            return Generation.failed(request.key, "rejected", "At most 1 image(s)")
        return await super().reply(request)


def clip_world(root: Path, clips: int = 3) -> World:
    """Clips of three frames in a table, and prompts that show them together, apart, or one alone."""
    world = make_world(root, count=2)
    lines = ["folder,emotion"]
    for nth in range(clips):
        folder = root / "clips" / f"c{nth}"
        folder.mkdir(parents=True)
        for frame in range(3):
            Pillow.new("RGB", (32, 24), (nth * 30, frame * 60, 9)).save(folder / f"{frame + 1}.png")
        lines.append(f"clips/c{nth},{('anger', 'happiness')[nth % 2]}")
    (root / "clips.csv").write_text("\n".join(lines) + "\n")
    (root / "task.yaml").write_text(CLIP_TASK)
    prompts = root / "prompts" / "clip"
    prompts.mkdir(parents=True)
    for name, text in (("frames", FRAMES_PROMPT), ("apart", APART_PROMPT), ("one", ONE_PROMPT)):
        (prompts / f"{name}.j2").write_text(text)
    world.prompts = (root / "prompts",)
    return world


def trial_lines(world: World) -> list[dict[str, Any]]:
    return [line for _, line in read_log(world.folder.trials)]


def shown(requests: Sequence[Request]) -> list[int]:
    return [count_pictures(request.messages) for request in requests]


def test_the_rule_that_fired_is_in_the_trial_the_records_and_the_report(tmp_path: Path) -> None:
    world = clip_world(tmp_path)
    model = RuleModel()
    model.max_images = 1
    plan, tally = world.run(model, prompts=("clip/frames", "clip/apart", "clip/one"))
    assert (tally.trials, tally.failed, tally.fallbacks) == (9, 3, {"contact-sheet": 3})
    assert set(shown(model.asked)) == {1}
    cells = {cell.id: cell.prompt for cell in plan.cells}
    by_prompt: dict[str, list[Any]] = {}
    for line in trial_lines(world):
        by_prompt.setdefault(cells[line["trial"].partition("/")[0]], []).append(line)
    assert [line.get("rules") for line in by_prompt["clip/frames"]] == [["contact-sheet"]] * 3
    assert not any("rules" in line for line in (*by_prompt["clip/one"], *by_prompt["clip/apart"]))
    assert {line["failure"]["kind"] for line in by_prompt["clip/apart"]} == {"unsupported"}
    scores = score_run(world.folder)
    rows = read_records(world.folder)
    assert {row["fallback"] for row in rows if row["prompt"] == "clip/frames"} == {"contact-sheet"}
    assert {row["fallback"] for row in rows if row["prompt"] != "clip/frames"} == {""}
    (state,) = scores.tasks
    assert list(fallback_lines(state)) == [
        "rule clip/frames: 3 trials showed their pictures as one numbered contact sheet (contact-sheet)"
    ]
    said = [message.text for request in model.asked for message in request.messages]
    assert (
        sum("3 frames. Which expression" in text for text in said) == 3
    )  # the words are unchanged


def test_a_limit_told_by_the_first_refusal_is_heeded_from_then_on(tmp_path: Path) -> None:
    world, model = clip_world(tmp_path, clips=8), Learner()
    _, tally = world.run(model, prompts=("clip/frames",))
    assert tally.failed == 0 and tally.fallbacks == {"contact-sheet": 8}
    assert shown(model.asked).count(1) == 8
    assert 1 <= shown(model.asked).count(3) <= 4  # those in flight when it was told
    write_details(world.folder, {"rule": model.card})
    entry = read_manifest(world.folder)["models"]["rule"]
    assert entry["max_images"] == {"known": 1, "declared": None}
    again = Learner()
    _, tally = world.run(again, prompts=("clip/frames",))
    assert shown(again.asked).count(1) == 0 and tally.reused >= 8  # sheets are found by their key


def test_what_was_sent_is_what_the_key_names(tmp_path: Path) -> None:
    world = clip_world(tmp_path)
    wide, narrow = RuleModel(), RuleModel()
    narrow.max_images = 1
    world.run(wide, prompts=("clip/frames",))
    world.run(narrow, prompts=("clip/frames",))
    keys = {request.key for request in (*wide.asked, *narrow.asked)}
    assert len(keys) == 6
    turns = [line["turns"] for _, line in read_log(world.folder.conversations)]
    assert sorted(json.dumps(t).count("[image") for t in turns) == [1, 3]
