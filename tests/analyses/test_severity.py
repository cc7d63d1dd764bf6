"""Scores by severity of scripted subjects whose losses, repairs and gaps are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.analyses.rows.severity import severity_entries
from harness.analyses.severity import ANALYSIS, verdict
from harness.core.answer import Answer
from harness.core.blocks import Points, Table
from harness.core.cell import FREE, Cell, Channel
from harness.core.outcome import Outcome
from harness.core.task import Task
from harness.run.sample_columns import gather
from harness.run.sample_file import PlannedSample
from harness.score.analysis import ScoredTask
from harness.score.columns import group
from harness.score.records import TaskRecords

LABELS = ("anger", "happiness", "neutral", "sadness")
TASK = Task.model_validate({
    "name": "t", "source": {"family": "faces"}, "prompts": ["p"], "slices": ["tone"],
    "fields": {"emotion": {"kind": "label", "labels": list(LABELS), "metrics": ["uar"]}},
})  # fmt: skip


class Subject:
    """240 samples of 80 people in two tones; how often it is right follows from condition and tone."""

    def __init__(self, seed: int = 0, model: str = "m") -> None:
        self.rng = np.random.default_rng(seed)
        self.samples = [
            PlannedSample(
                sample=f"s{i}", cluster=f"p{i // 3}", asks=("emotion",), targets={"emotion": LABELS[i % 4]},
                annotations={"tone": "dark" if (i // 3) % 2 else "light"}, question=None, media=(),
            )
            for i in range(240)
        ]  # fmt: skip
        self.records = TaskRecords(TASK, "subject", gather(iter(self.samples)))
        self.cells: list[Cell] = []

    def asked(
        self, condition: str, light: float, dark: float | None = None, *, model: str = "m", like: Any = None,
        prompt: str = "p", channel: Channel = FREE,
    ) -> list[Answer]:  # fmt: skip
        """Answer under a condition, right with these chances; a miss is a refusal or another label in turn."""
        cell = Cell("t", model, prompt, condition, "single", channel)
        self.cells.append(cell)
        answers = like or []
        for i, sample in enumerate(self.samples if not like else ()):
            chance = light if dark is None or sample.annotations["tone"] == "light" else dark
            truth = str(sample.targets["emotion"])
            if self.rng.random() < chance:
                answers.append(Answer(Outcome.ANSWERED, truth, "r"))
            elif i % 2:
                answers.append(Answer(Outcome.REFUSED, None, "refused"))
            else:
                other = LABELS[(LABELS.index(truth) + 1) % 4]
                answers.append(Answer(Outcome.ANSWERED, other, "r"))
        for i, answer in enumerate(answers):
            self.records.put(cell, "emotion", i, answer)
        return answers

    def entries(self, **more: Any) -> list[dict[str, Any]]:
        found = severity_entries(self.records, group(self.records), self.cells, seed=1, **more)
        return [dict(entry) for entry in found]


def curve(entries: list[dict[str, Any]], repair: str = "") -> dict[str, Any]:
    return next(e for e in entries if e["what"] == "curve" and e["repair"] == repair)


def test_a_run_without_degradation_has_no_rows() -> None:
    subject = Subject()
    subject.asked("none", 0.9)
    subject.asked("blank", 0.2)
    assert subject.entries() == []


def test_the_curve_and_its_area_are_those_of_an_independent_sum() -> None:
    subject = Subject()
    rights = [
        [a.value == s.targets["emotion"] for a, s in zip(subject.asked(name, chance), subject.samples, strict=True)]
        for name, chance in [("none", 0.95), *((f"degrade:blur={s}", 0.95 - 0.15 * s) for s in range(1, 6))]
    ]  # fmt: skip
    uars = [np.mean([np.mean(right[k::4]) for k in range(4)]) for right in rights]
    found = curve(subject.entries())
    values = [point["value"] for point in found["points"]]
    assert values == pytest.approx(uars, abs=1e-6)
    assert found["area"]["value"] == pytest.approx(np.trapezoid(uars) / 5, abs=1e-6)
    assert found["area"]["low"] < found["area"]["value"] < found["area"]["high"]
    for point in found["points"]:
        assert point["low"] < point["value"] < point["high"]
        assert point["answered"] + point["refused"] == pytest.approx(1)
        assert point["wrong"] > 0


def test_an_area_needs_both_ends() -> None:
    subject = Subject()
    subject.asked("none", 0.9)
    subject.asked("degrade:blur=2", 0.6)
    assert curve(subject.entries())["area"] is None


def test_a_repair_that_changes_nothing_restores_exactly_nothing_and_a_known_share_is_covered() -> (
    None
):
    subject = Subject()
    clean = subject.asked("none", 0.95)
    bad = subject.asked("degrade:blur=3", 0.35)
    subject.asked("degrade:blur=3/none", 0, like=bad)
    subject.asked("degrade:blur=3/enhance:wiener", 0, like=clean)
    subject.asked("degrade:blur=3/enhance:unsharp", 0.65)
    entries = subject.entries()
    (nothing,) = curve(entries, "none")["restored"]
    assert (nothing["value"], nothing["low"], nothing["said"]) == (0.0, None, "")
    assert curve(entries, "enhance:wiener")["restored"][0]["value"] == 1.0
    (half,) = curve(entries, "enhance:unsharp")["restored"]
    assert half["low"] < 0.5 < half["high"]


@pytest.mark.parametrize("bad", [0.95, 0.91])
def test_where_nothing_was_lost_there_is_nothing_to_restore(bad: float) -> None:
    subject = Subject()
    subject.asked("none", 0.94)
    subject.asked("degrade:jpeg=1", bad)
    subject.asked("degrade:jpeg=1/enhance:unsharp", 0.94)
    (one,) = curve(subject.entries(), "enhance:unsharp")["restored"]
    assert (one["value"], one["said"]) == (None, "no loss to restore")


def test_the_mean_corruption_error_is_the_ratio_of_summed_errors() -> None:
    subject = Subject()
    for kind, steep in (("blur", 0.15), ("dark", 0.05)):
        for s in range(1, 6):
            subject.asked(f"degrade:{kind}={s}", 0.95 - steep * s)
            subject.asked(f"degrade:{kind}={s}", 0.95 - steep * s / 2, model="other")
    entries = subject.entries()
    errors = {
        (e["model"], e["kind"]): sum(1 - p["value"] for p in e["points"])
        for e in entries
        if e["what"] == "curve"
    }
    told = {e["model"]: e for e in entries if e["what"] == "mce"}
    assert told["m"]["reference"] == "other" and told["m"]["kinds"] == ["blur", "dark"]
    expected = np.mean([errors["m", k] / errors["other", k] for k in ("blur", "dark")])
    assert told["m"]["value"] == pytest.approx(expected, abs=1e-5)
    assert told["m"]["low"] > 1 > told["other"]["high"]
    against = [e for e in subject.entries(reference="m") if e["what"] == "mce"]
    assert against == [told["other"]]


@pytest.mark.parametrize(
    ("answers", "said"),
    [([Answer(Outcome.FAILED, None, "server")] * 240, "never answers"),
     ([Answer(Outcome.ANSWERED, LABELS[i % 4], "r") for i in range(240)], "makes no error")],
)  # fmt: skip
def test_a_reference_that_never_answers_or_never_errs_gives_no_mean_corruption_error(
    answers: list[Answer], said: str
) -> None:
    subject = Subject()
    for condition in ["none", *(f"degrade:blur={s}" for s in range(1, 6))]:
        subject.asked(condition, 0.7)
        subject.asked(condition, 1.0, model="other", like=answers)
    entries = subject.entries(reference="other")
    found = next(e for e in entries if e["what"] == "mce")
    assert found["value"] is None and said in found["said"]
    steady = next(e for e in entries if e["what"] == "curve" and e["model"] == "other")
    assert steady["area"]["low"] is None  # no spread was seen, which is no certainty


def test_a_classifier_without_prompts_is_set_beside_each_prompt_of_a_model() -> None:
    subject = Subject()
    for s in range(1, 6):
        subject.asked(f"degrade:blur={s}", 0.9 - 0.05 * s)
        subject.asked(f"degrade:blur={s}", 0.8 - 0.05 * s, prompt="q")
        subject.asked(f"degrade:blur={s}", 0.6, model="c", prompt="none", channel="logprob")
    found = [e for e in subject.entries() if e["what"] == "mce"]
    assert sorted((e["model"], e["prompt"], e["reference"]) for e in found) == [
        ("c", "none", "m p"), ("c", "none", "m q"), ("m", "p", "c"), ("m", "q", "c"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_a_subject_that_fails_on_dark_tones_in_the_dark_is_found_and_an_equal_one_cleared(
    seed: int,
) -> None:
    planted, equal = Subject(seed), Subject(seed + 50)
    for subject, dark in ((planted, 0.2), (equal, 0.75)):
        subject.asked("none", 0.9)
        subject.asked("degrade:dark=4", 0.75, dark)
    (found,) = curve(planted.entries())["groups"]
    assert verdict(found) == "widens"
    assert 0 < found["low"] < found["widened"] < found["high"]
    (cleared,) = curve(equal.entries())["groups"]
    assert verdict(cleared) == "not shown"
    assert cleared["low"] < 0 < cleared["high"]


def test_what_is_told_is_drawn() -> None:
    subject = Subject()
    subject.asked("none", 0.95)
    subject.asked("blank", 0.25)
    for s in range(1, 6):
        bad = subject.asked(f"degrade:blur={s}", 0.95 - 0.15 * s)
    subject.asked("degrade:blur=5/none", 0, like=bad)
    blocks = list(ANALYSIS.blocks(subject.entries(), ScoredTask(TASK, (), {})))
    (drawn,) = (b for b in blocks if isinstance(b, Points))
    assert [p.x for p in drawn.points] == [0, 1, 2, 3, 4, 5] and drawn.most == 5
    first = next(b for b in blocks if isinstance(b, Table))
    assert len(first.rows) == 2
