"""Replies of runs to a challenge's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.errors import HarnessError
from harness.run.sample_file import PlannedSample
from harness.submit.choice import Choice, Given, that_replied, trials
from harness.submit.megc.questions import Question


def read_given(
    runs: Sequence[Path], asked: Mapping[str, Question], choice: Choice
) -> dict[str, list[Given]]:
    """`video_id` -> what the cells chosen said. Every id of `asked` is a key, unanswered ones with none.

    A sample is the question whose `video_id` is the sample's id or its annotation `video_id` or `video`.
    Raises HarnessError for a folder that is no run, a sample whose question is worded otherwise than the
    file has it, and runs that hold none of the questions.
    """
    found: dict[str, list[Given]] = {video_id: [] for video_id in asked}
    matched = 0
    for run in runs:
        for video_id, sample, given in trials(run, choice, lambda one: _video_id(one, asked)):
            question = asked[video_id]
            if sample.question is not None and sample.question.split() != question.question.split():
                raise HarnessError(
                    f"{run}, sample {sample.sample}: the run asked {sample.question[:80]!r}, "
                    f"but row {question.row} asks {question.question[:80]!r}",
                    hint="run the task on the file that is to be answered",
                )
            matched += 1
            found[video_id].append(given)
    if not matched:
        raise HarnessError(
            f"{', '.join(map(str, runs))}: no finished answer to any of the {len(asked)} questions",
            hint="run the task on the question file (--set source.file=..._to_answer.jsonl), "
            "so that sample ids are video_ids; or choose other cells with --prompt, "
            "--model, --condition",
        )
    return {video_id: that_replied(given) for video_id, given in found.items()}


def _video_id(sample: PlannedSample, asked: Mapping[str, Question]) -> str | None:
    for name in (
        sample.sample,
        sample.annotations.get("video_id"),
        sample.annotations.get("video"),
    ):
        if isinstance(name, str) and name in asked:
            return name
    return None
