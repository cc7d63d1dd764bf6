"""The rating page by real requests: who may ask, what is told, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.rating.agreed import disputed, verdicts
from harness.rating.items import ItemKey
from harness.rating.journal import read_journal

from .conftest import Serve, samples


async def test_nothing_that_tells_a_truth_is_sent(serve: Serve) -> None:
    async with serve("anna") as page:
        told = [json.dumps(await page.get("state"))]
        for at in range(4):
            told.append(json.dumps(await page.get(f"items/{at}")))
        async with page.visitor.get(page.address()) as reply:
            html = await reply.text()
            assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
            assert reply.headers["Cache-Control"] == "no-store"
        assert "http://" not in html and "https://" not in html
        for text in told[1:]:
            assert "anger-" not in text and "person" not in text
        assert "anger-" not in html + told[0]


async def test_pictures_and_clips(serve: Serve) -> None:
    async with serve("anna") as page:
        seen = [await page.get(f"items/{at}") for at in range(4)]
        (clip,) = [one for one in seen if one["clip"]]
        assert clip["media"] == [3] and clip["times"] == [0, 0.1, 0.2]
        url = page.address(path=f"items/{clip['at']}/0/2")
        async with page.visitor.get(url) as reply:
            assert reply.content_type == "image/png" and (await reply.read()).startswith(b"\x89PNG")
        async with page.visitor.get(page.address(path=f"items/{clip['at']}/0/3")) as reply:
            assert reply.status == 404


async def test_strangers_are_refused(serve: Serve, tmp_path: Path) -> None:
    async with serve("anna") as page:
        at = f"http://127.0.0.1:{page.port}"
        for path in ("/", "/x/", "/x/state", f"/{page.desks[0].seat.token}x/state"):
            async with page.visitor.get(at + path) as reply:
                assert reply.status == 404
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{page.port}"},
                        {"Origin": "http://evil.example"}):  # fmt: skip
            async with page.visitor.get(page.address(path="state"), headers=headers) as reply:
                assert reply.status == 403, headers
        assert (await page.post(0, {"teeth": "yes"}, Origin="http://evil.example"))[0] == 403
        assert (await page.post(0, {"teeth": "yes"}, Origin="null"))[0] == 403
        url = page.address(path="items/0")
        async with page.visitor.post(url, json={"answers": {}, "seconds": 0}) as reply:
            assert reply.status == 403  # no origin
        async with page.visitor.post(url, data="{}", headers={"Origin": at}) as reply:
            assert reply.status == 415
        async with page.visitor.post(
            url, data="x" * 70_000, headers={"Origin": at, "Content-Type": "application/json"}
        ) as reply:
            assert reply.status == 413
        assert page.journal.ratings.given == {}


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"teeth": "maybe"}, "neither yes nor no"),
        ({"emotion": "fear"}, "not one of the options"),
        ({"emotion": ["joy"]}, "a list is not an answer"),
        ({"emotion": ""}, "no answer"),
        ({"teeth": True}, "no answer"),
        ({"other": "x"}, "not asked here"),
        ({"teeth": "yes", "emotion": "fear"}, "emotion"),
    ],
)
async def test_wrong_answers_leave_nothing(serve: Serve, answers: dict[str, object], why: str) -> None:  # fmt: skip
    async with serve("anna") as page:
        status, said = await page.post(0, answers)
        assert status == 422 and why in said["error"]
        assert page.journal.ratings.given == {}


async def test_answers_are_kept_and_the_last_one_stands(serve: Serve, tmp_path: Path) -> None:
    journal = tmp_path / "r.journal.jsonl"
    async with serve("anna", "ben") as page:
        status, said = await page.post(0, {"teeth": "yes"})
        assert (status, said) == (200, {"done": 0, "next": 1})
        status, said = await page.post(0, {"teeth": "no", "emotion": None})
        assert (status, said) == (200, {"done": 1, "next": 1})
        assert (await page.get("state", desk=1))["done"] == 0
        orders = [[item.key for item in desk.seat.items] for desk in page.desks]
        assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])
        first = orders[0][0]
    with journal.open("ab") as file:  # a line that a kill tore
        file.write(b'{"rater":"anna","sam')
    async with serve("anna") as page:  # the same order, the same answers
        state = await page.get("state")
        assert (state["done"], state["next"]) == (1, 1)
        assert (await page.get("items/0"))["answers"] == {"teeth": "no", "emotion": None}
    ratings = read_journal(journal)
    assert {k: r.value for k, r in ratings.given.items()} == {
        ("anna", first, "teeth"): "no",
        ("anna", first, "emotion"): None,
    }


async def test_what_cannot_be_shown_is_passed_over(serve: Serve) -> None:
    from dataclasses import replace

    from harness.core.medium import image
    from harness.core.picture import FilePicture

    broken = replace(samples()[0], medium=image(FilePicture(Path("/nowhere/anger.png"))))
    async with serve("anna", given=[broken]) as page:
        item = await page.get("items/0")
        assert item["failure"] == "missing" and item["next"] is None
        assert "anger" not in json.dumps(item["failure"])


async def test_an_adjudicator_sees_what_is_in_dispute_alone(serve: Serve, tmp_path: Path) -> None:
    async with serve("anna", "ben") as page:
        for desk in (0, 1):
            for at, item in enumerate(page.desks[desk].seat.items):
                other = desk == 1 and item.key.sample == "anger-1"
                await page.post(at, {"teeth": "no" if other else "yes", "emotion": "joy"}, desk)
        assert disputed(page.journal.ratings) == {ItemKey("anger-1", "none"): ("teeth",)}
    async with serve("carol", adjudicate=True) as page:
        assert (await page.get("state"))["total"] == 1
        item = await page.get("items/0")
        assert item["asks"] == ["teeth"] and item["answers"] == {}
        assert (await page.post(0, {"teeth": "no"}))[1] == {"done": 1, "next": None}
        assert (await page.post(0, {"emotion": "anger"}))[0] == 422
        (settled,) = [v for v in verdicts(page.journal.ratings) if v.standing == "adjudicated"]
        assert settled.value == "no"
        assert {rater for rater, _, _ in page.journal.ratings.given} == {"anna", "ben"}
