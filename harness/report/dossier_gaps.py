"""What a run did not test: conditions, channels, groups and data that it lacks, each with what stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.analyses.keys import is_blank
from harness.analyses.words import count, listed
from harness.report.inputs import RunView
from harness.score.baselines import CEILINGS
from harness.score.columns import BASELINE, NO_PROMPT


def meaning(view: RunView) -> str:
    """What a score says, and what it does not."""
    specs = [spec for task in view.tasks.values() for spec in task.fields.values() if spec.scored]
    if all(spec.categorical for spec in specs):
        return "A score says how often a model gives the label that annotators gave to a picture. It does not say what a person feels."
    return (
        "A score says how near the answers of a model come to those that the data set holds for true. It does not say what a "
        "person is or feels."
    )


def untested(view: RunView, cues: bool) -> Iterator[str]:
    """One sentence for each thing that is missing; `cues`: whether the run has a cue audit."""
    manifest, cells = view.manifest, view.manifest["cells"]
    yield from _pictures([str(cell["condition"]) for cell in cells])
    if not any(state.get("label_orders") for state in view.scores.tasks):
        yield "Other orders of the labels (--label-order): whether an answer depends on where its label stands in the list."
    if not cues:
        yield "Cues (faces/introspection, --condition cue:... or region:...): what the judgements rest on."
    if not view.scores.found.get("risk_coverage"):
        yield "Confidence (--channel logprob, --repeats, votes): which answers to leave to a person."
    if all(int(cell.get("repeats", manifest.get("repeats", 1))) < 2 for cell in cells):
        yield "Repeats (--repeats): how often the same question gets another answer."
    yield from _choice(view)
    yield from _groups(view)
    yield from _data(view)


def _pictures(conditions: list[str]) -> Iterator[str]:
    if not any(is_blank(one) for one in conditions):
        yield "Blank pictures (--condition blank): how much the wording alone gives away."
    if not any(part in one for one in conditions for part in ("resize", "pixels")):
        yield "Other sizes of the pictures (--condition resize:..., --pixels): whether smaller or larger ones are read as well."
    if not any("crop" in one or "region" in one for one in conditions):
        yield "Cropped or covered faces (--condition crop:..., region:...): hands, masks, profiles and other cuts."


def _choice(view: RunView) -> Iterator[str]:
    """Whether the best of several prompts was chosen on the samples it is scored on."""
    for name in view.tasks:
        prompts = {str(c["prompt"]) for c in view.cells(name) if c["prompt"] != NO_PROMPT}
        if len(prompts) > 1 and not view.manifest.get("select"):
            yield (
                f"{name}: {len(prompts)} prompts were asked on the same samples, so the best score is optimistic (an "
                "experiment with select chooses on other samples)."
            )
    asked = [c for c in view.manifest["cells"] if not c["model"].startswith(BASELINE)]
    if asked and all(c["prompt"] == NO_PROMPT for c in asked):
        yield "Prompt and settings: the answers were made elsewhere, so what was asked is unknown."


def _groups(view: RunView) -> Iterator[str]:
    for name, task in view.tasks.items():
        state: Mapping[str, Any] = next((s for s in view.scores.tasks if s["task"] == name), {})
        left = [str(one) for one in state.get("left_out", ())]
        if not task.slices:
            yield f"{name}: groups of people (the task names no slices): whether some are read less well."
        elif left:
            yield f"{name}: groups that are left out: {'; '.join(left)}."
        if view.manifest["tasks"][name]["cluster_unit"] == "image":
            yield f"{name}: who is in which picture is not known, so intervals may be too narrow."


def _data(view: RunView) -> Iterator[str]:
    if len(view.tasks) == 1:
        yield "Other data: one task only; other cameras, places, cultures and ages than those in it."
    if not any(row.model in CEILINGS for row in view.scores.scores):
        yield "What people reach: no votes of annotators are known, so there is no ceiling to compare with."
    if view.manifest.get("limit") is not None:
        yield f"The whole set: {count(int(view.manifest['limit']))} samples of each task were chosen (--limit)."
    pending = [
        f"{state['task']} ({count(state['pending'])} trials)"
        for state in view.scores.tasks
        if state.get("pending")
    ]
    if pending:
        yield f"The rest of the run: {listed(pending)} not finished."
    yield "Live use: people who know that they are watched, other languages of a reply, and change of a model over time."
