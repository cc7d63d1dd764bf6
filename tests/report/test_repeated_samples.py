"""The page of a run with repeats: several entries of one sample and standing, which have no order of their own."""

from __future__ import annotations

from pathlib import Path

from harness.core.request import Request
from harness.report.page import write_report
from harness.score.folder import score_run
from tests.run.bench import RuleModel, make_world

from .pages import parse


def test_repeats_that_are_wrong_in_different_words_stand_side_by_side(tmp_path: Path) -> None:
    replies = iter(["disgust", "fear", "sadness"] * 100)

    def rule(request: Request) -> str:
        return next(replies)

    world = make_world(tmp_path, 12)
    world.run(RuleModel(rule), repeats=3, temperature=0.7)
    score_run(world.folder)
    first = write_report(world.folder).read_bytes()
    data = parse(first.decode()).data
    trials = [len(cell) for row in data["tasks"][0]["samples"] for cell in row[4]]
    assert set(trials) == {3} and "sadness" in data["strings"]
    assert write_report(world.folder).read_bytes() == first
