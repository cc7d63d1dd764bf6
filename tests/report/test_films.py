"""Filmstrips: which trials are shown, in which order their steps stand, and that pictures are those the model was shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.core.message import Image
from harness.core.picture import HeldPicture
from harness.core.request import Request
from harness.report.film_pictures import Strip, collect_strips
from harness.report.inputs import read_run
from harness.report.page import write_report
from harness.report.pictures import data_url, thumbnail
from harness.score.folder import score_run
from tests.report.pages import parse
from tests.run.agents import call, drawn_world, turn
from tests.run.bench import TASK, RuleModel, World, rows, write_pictures

LOOK = call("zoom", region="mouth")


def rule(request: Request) -> str:
    """One look says anger; after the first call happiness is said, or one more call is made for ever."""
    told = request.messages[-1].text
    if "No more calls" in told or '"name": "zoom"' not in request.messages[1].text:
        return "anger"
    if turn(request) == 0:
        return f"I look again. {LOOK}"
    return "happiness" if turn(request) == 1 and "another call" in told else call("facs", unit=4)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, RuleModel]:
    world = drawn_world(tmp_path_factory.mktemp("films"), 8)
    model = RuleModel(rule)
    world.run(model, tools=("", "zoom", "zoom:swap"))
    score_run(world.folder)
    return world, model


def table_world(root: Path) -> World:
    write_pictures(root, rows(4))
    (root / "task.yaml").write_text(TASK.replace("labels.csv", f"{root}/labels.csv"))
    return World(root)


def strips(world: World) -> list[Strip]:
    found = collect_strips(read_run(world.folder))
    return [one for cells in found.tasks.values() for _, some in cells for one in some]


def test_kinds_follow_from_answers(drawn: tuple[World, RuleModel]) -> None:
    found = strips(drawn[0])
    kinds = {(one.film.cell["tools"], one.film.kind) for one in found}
    assert kinds == {("zoom", "right"), ("zoom", "wrong"), ("zoom:swap", "followed"), ("zoom:swap", "own")}  # fmt: skip
    for one in found:
        film = one.film
        assert film.right == (film.truth == film.answer == "happiness")
        if film.kind in {"right", "wrong"}:
            assert film.look == "anger"
            assert film.right == (film.kind == "right")
    assert max(sum(o.film.kind == k for o in found) for _, k in kinds) <= 2


def test_steps_stand_in_order_with_the_pictures_that_were_sent(
    drawn: tuple[World, RuleModel],
) -> None:
    world, model = drawn
    sent = {
        data_url(thumbnail(HeldPicture("sent", part.data)))
        for one in model.asked for m in one.messages for part in m.parts if isinstance(part, Image)
    }  # fmt: skip
    for one in strips(world):
        assert [shot.step.kind for shot in one.shots] == ["shown", "call", "seen", "reply"]
        shown, called, seen, reply = one.shots
        assert (called.step.text, called.step.code) == ("I look again.", 'zoom {"region": "mouth"}')
        assert seen.step.text == "zoom: mouth"
        assert reply.step.text == "happiness"
        assert len(shown.pictures) == len(seen.pictures) == 1
        assert {*shown.pictures, *seen.pictures} <= sent
        assert ("another sample" in seen.step.note) == (one.film.cell["tools"] == "zoom:swap")


def test_the_page_shows_them_with_words_for_every_picture(
    drawn: tuple[World, RuleModel],
) -> None:
    page = parse(write_report(drawn[0].folder).read_text(encoding="utf-8"))
    pictures = [known for tag, known in page.elements if tag == "img"]
    assert pictures and all(known["alt"] for known in pictures)
    assert "Filmstrips: what agents did" in page.words
    assert "Wrong at one look, right with tools" in page.words


def test_a_limit_is_shown(tmp_path: Path) -> None:
    world = drawn_world(tmp_path, 2)
    model = RuleModel(lambda r: "anger" if "No more calls" in r.messages[-1].text else LOOK)
    world.run(model, tools=("zoom",), protocol="agent:text,turns=2")
    score_run(world.folder)
    first, *_ = strips(world)
    assert first.film.kind == "limit"
    notes = [shot.step.note for shot in first.shots if shot.step.kind == "call"]
    assert notes == ["", "repeated"]


def test_pictures_of_people_are_shown_only_where_they_are_asked_for(tmp_path: Path) -> None:
    world = table_world(tmp_path)
    model = RuleModel(lambda r: call("contrast") if turn(r) == 0 else "<script>happiness</script>")
    world.run(model, tools=("contrast",), prompts=("emotion/plain",))
    score_run(world.folder)
    page = write_report(world.folder).read_text(encoding="utf-8")
    assert "data:image" not in page
    assert "not shown here" in page
    assert "&lt;script&gt;happiness" in page
    own = write_report(world.folder, with_pictures=True).read_text(encoding="utf-8")
    films = own[own.index('id="films"') : own.index('id="samples"')]
    assert len(re.findall(r"<img ", films)) == 4
    assert "not shown here" not in films
