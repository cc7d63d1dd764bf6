"""Replies that reason, are cut off or refused, from the journal to the scores and the page."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from harness.analyses.words import limit_words
from harness.core.generation import Generation, Refusal, Usage
from harness.core.request import Request
from harness.report.page import write_report
from harness.report.terminal import print_scores
from harness.run.journal import generation_from, reply_record
from harness.run.log import read_log
from harness.run.manifest import keep_sources, read_manifest
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.bench import RuleModel, World, make_world
from tests.run.test_channels import run


@dataclass
class Scripted(RuleModel):
    """Gives the replies of a list in turn, one a sample."""

    script: tuple[Generation, ...] = ()

    async def reply(self, request: Request) -> Generation:
        self.asked.append(request)
        given = self.script[(len(self.asked) - 1) % len(self.script)]
        record = {**reply_record(given), "key": request.key}
        return generation_from(record)


def reply(text: str, finish: str = "stop", **more: object) -> Generation:
    return Generation("", text, finish, **more)  # type: ignore[arg-type]


def world_of(folder: Path, *script: Generation) -> World:
    world = make_world(folder, count=12)
    run(world, Scripted(rule=lambda request: "", script=script))
    return world


def outcomes(world: World) -> list[tuple[str, str]]:
    score_run(world.folder)
    found = {(row["outcome"], row["rule"]) for row in read_records(world.folder)}
    return sorted(found)


def test_reasoning_is_kept_apart_from_the_answer_and_shown(tmp_path: Path) -> None:
    world = world_of(tmp_path, reply("<think>It is happiness.</think>anger"))
    score = score_run(world.folder)
    assert score.outcomes[0]["counts"] == {"answered": 12}
    rows = read_records(world.folder)
    assert {(row["text"], row["reasoning"], row["value"]) for row in rows} == {
        ("anger", "It is happiness.", '"anger"')
    }
    lines = [line for _, line in read_log(world.folder.generations)]
    assert all(line["reasoning"] == "It is happiness." for line in lines)
    write_report(world.folder)
    page = world.folder.report.read_text("utf-8")
    assert "It is happiness." in page and "Reasoning (not read as the answer)" in page


def test_a_platforms_refusal_is_a_reply_that_is_counted_apart(tmp_path: Path) -> None:
    blocked = reply("", "filtered", refusal=Refusal("platform", "flagged"))
    declined = reply("I can't help with that.")
    world = world_of(tmp_path, blocked, declined, reply("anger"))
    score = score_run(world.folder)
    (entry,) = score.outcomes
    assert entry["counts"] == {"answered": 4, "refused": 8} and entry["failures"] == {}
    assert entry["refused_by"] == {"model": 4, "platform": 4}
    assert ("refused", "refused/platform") in outcomes(world)
    again = Scripted(rule=lambda request: "", script=(reply("anger"),))
    run(world, again)
    assert again.asked == [], "a refusal is a reply: it is not asked again"
    out = io.StringIO()
    print_scores(score, read_manifest(world.folder), file=out)
    assert "refused 8 (4 by the model and 4 by the platform)" in " ".join(out.getvalue().split())


def test_replies_that_end_at_the_limit_are_told_with_the_limit(tmp_path: Path) -> None:
    world = world_of(tmp_path, reply("", "length", reasoning="The brows"), reply("anger"))
    score = score_run(world.folder)
    (entry,) = score.outcomes
    assert entry["counts"] == {"answered": 6, "truncated": 6}
    tokens = read_manifest(world.folder)["cells"][0]["sampling"]["max_tokens"]
    assert entry["at_limit"] == {"replies": 6, "of": 12, "tokens": tokens}
    out = io.StringIO()
    print_scores(score, read_manifest(world.folder), file=out)
    assert f"6 of 12 replies ended at the limit of {tokens} tokens" in " ".join(
        out.getvalue().split()
    )
    assert "--max-tokens raises it" in limit_words(entry)
    entry["at_limit"]["tokens"] = (
        0  # as of predictions made elsewhere, which no option of ours can lengthen
    )
    assert limit_words(entry) == "6 of 12 replies ended at the token limit"


def test_replies_of_reasoning_alone_are_told(tmp_path: Path) -> None:
    world = world_of(tmp_path, reply("", "stop", reasoning="It is anger."), reply("anger"))
    score = score_run(world.folder)
    (entry,) = score.outcomes
    assert entry["counts"] == {"answered": 6, "empty": 6}
    assert entry["only_reasoning"] == {"replies": 6, "of": 12}
    out = io.StringIO()
    print_scores(score, read_manifest(world.folder), file=out)
    assert "6 of 12 replies are empty and hold reasoning" in " ".join(out.getvalue().split())


def test_a_cut_reply_is_unfinished_reasoning_where_others_close_what_they_never_opened(
    tmp_path: Path,
) -> None:
    cut = reply("Anger.\nNo, the mouth smiles, so", "length")
    alone = world_of(tmp_path / "alone", cut, reply("anger"))
    assert {outcome for outcome, _ in outcomes(alone)} == {"answered"}
    beside = world_of(tmp_path / "beside", cut, reply("Maybe happiness.\n</think>\n\nanger"))
    assert outcomes(beside) == [("answered", "exact/label"), ("truncated", "think/unopened")]


def test_what_a_reply_carries_survives_the_journal_and_absent_values_take_no_room() -> None:
    full = reply(
        "fear", "length", usage=Usage(9, 256, 200), latency=0.5, reasoning="hm", thought="unopened",
        word="max_tokens", refusal=Refusal("model", "no"), served="gpt-4o-2024-08-06", fingerprint="fp_1",
    )  # fmt: skip
    record = json.loads(json.dumps({**reply_record(full), "key": ""}))
    assert generation_from(record) == full
    plain = reply_record(reply("fear"))
    assert sorted(plain) == ["finish", "latency", "text", "usage"] and len(plain["usage"]) == 2
    old = {"key": "k", "text": "fear", "finish": "stop", "usage": [1, 2], "latency": 0.1}
    assert generation_from(old) == Generation("k", "fear", "stop", Usage(1, 2), 0.1)


def test_replies_of_several_versions_are_told_over_starts(tmp_path: Path) -> None:
    world = make_world(tmp_path, count=12)
    told: list[str] = []
    first = reply("anger", served="gpt-4o-2024-05-13", fingerprint="fp_1")
    run(world, Scripted(rule=lambda r: "", script=(first,)), on_note=told.append)
    assert told == []
    assert read_manifest(world.folder)["models"]["rule"]["served"] == {"gpt-4o-2024-05-13 fp_1": 12}
    told = keep_sources(world.folder, {"rule": {"gpt-4o-2024-08-06": 3}})
    assert len(told) == 1 and "gpt-4o-2024-08-06 (3)" in told[0] and "fp_1 (12)" in told[0]
    assert len(read_manifest(world.folder)["models"]["rule"]["served"]) == 2
