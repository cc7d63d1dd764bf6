"""A sample of two pictures: both are shown as the condition has it, and a prompt prints each where it wants."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PIL import Image as Pillow

from harness.conditions.presentation import Presentation
from harness.core.field import FieldSpec
from harness.core.medium import Medium
from harness.core.message import Image, Text
from harness.core.picture import FilePicture
from harness.core.sample import Sample
from harness.core.task import Task
from harness.prompting.library import Library
from harness.run.axes import Axes
from harness.run.basis import accepted_bases
from harness.run.execute import execute
from harness.run.folder import RunFolder
from harness.run.journal import Journal
from harness.run.manifest import build_manifest
from harness.run.plan import Plan, make_plan
from harness.run.preview import preview
from harness.run.sample_file import read_samples
from harness.run.tally import Tally
from tests.run.bench import RuleModel

PROMPT = """\
---
description: Same person?
fields: [same]
---
{% user %}First: {{ image }} Second: {{ paired.image }} Do both show one person? Answer yes or no.{% enduser %}
"""


class Pairs:
    """Four pairs of pictures."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __iter__(self):
        for number in range(4):
            first, second = (self.root / f"{number}{side}.png" for side in "ab")
            yield Sample(
                id=str(number),
                medium=Medium("image", (FilePicture(first),)),
                second=Medium("image", (FilePicture(second),)),
                targets={"same": number % 2 == 0},
            )

    def digest(self) -> str:
        return "pairs"

    def skipped(self) -> tuple[()]:
        return ()


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    for number in range(4):
        for shade, side in enumerate("ab"):
            Pillow.new("RGB", (8, 8), (number * 40, shade * 90, 7)).save(
                tmp_path / f"{number}{side}.png"
            )
    (tmp_path / "prompts" / "mine").mkdir(parents=True)
    (tmp_path / "prompts" / "mine" / "same.j2").write_text(PROMPT)
    made = Pairs(tmp_path)
    monkeypatch.setattr("harness.run.planned_task.open_source", lambda *args, **kwargs: made)
    return made


def ask(model: RuleModel, plan: Plan, axes: Axes, library: Library, folder: RunFolder) -> Tally:
    manifest = build_manifest(plan, axes, {"rule": model.card}, command=["test"], fit_on=None)
    bases = accepted_bases(manifest)
    tally, journal = Tally(), Journal(folder)
    work = execute(
        plan,
        axes,
        model=model,
        name="rule",
        library=library,
        journal=journal,
        tally=tally,
        bases=bases,
    )
    asyncio.run(work)
    journal.close()
    return tally


def the_task() -> Task:
    return Task(
        name="pairs", source={"family": "table"}, fields={"same": FieldSpec(kind="yes-no")},
        prompts=("mine/same",),
    )  # fmt: skip


def test_both_pictures_are_sent_each_in_its_place(pairs: Pairs, tmp_path: Path) -> None:
    library = Library((tmp_path / "prompts",))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    axes = Axes(models=("rule",), conditions=("none", "blank"))
    plan = make_plan([the_task()], axes, library, folder, here=tmp_path)
    assert [len(row.media) for row in read_samples(folder.samples("pairs"))] == [2] * 4
    model = RuleModel(lambda request: "yes")
    tally = ask(model, plan, axes, library, folder)
    assert (tally.trials, tally.failed) == (8, 0)
    shown = [request.messages[-1].parts for request in model.asked]
    assert all(
        [type(part) for part in parts] == [Text, Image, Text, Image, Text] for parts in shown
    )
    plain = [parts for parts in shown if parts[1].digest != parts[3].digest]
    assert len(plain) == 4, "the blank condition hides both pictures"
    (tmp_path / "2b.png").unlink()
    again = RuleModel(lambda request: "yes")
    assert ask(again, plan, axes, library, folder).failed == 2
    assert again.asked == [], "a pair without its second picture fails, under both conditions"


def test_show_numbers_both(pairs: Pairs, tmp_path: Path) -> None:
    library = Library((tmp_path / "prompts",))
    sample = next(iter(pairs))
    found = preview(sample, the_task(), library.prompt("mine/same"), library, Presentation("none"))
    assert found is not None
    assert [(kind, Path(line.split("  ")[0]).name) for kind, line in found.shown] == [
        ("image", "0a.png"), ("image", "0b.png")
    ]  # fmt: skip
    assert "[image 1]" in found.turns[0][1] and "[image 2]" in found.turns[0][1]
