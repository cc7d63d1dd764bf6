"""A small world to run in: a table of pictures, a task over it, and a model that answers by rule."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image as Pillow

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Card, Model
from harness.core.request import Request
from harness.prompting.library import Library
from harness.run.axes import Axes
from harness.run.basis import accepted_bases
from harness.run.execute import execute
from harness.run.folder import RunFolder
from harness.run.journal import Journal
from harness.run.manifest import build_manifest, write_manifest
from harness.run.plan import Plan, make_plan
from harness.run.tally import Tally
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace

TASK = """\
source: {family: table, file: labels.csv, image: image, label: emotion, subject: person}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain, emotion/cot]
slices: [light]
"""


@dataclass
class RuleModel:
    """Answers by a rule; remembers what it was asked."""

    rule: Callable[[Request], str] = lambda request: "happiness"
    identity: str = "rule-1"
    fail: Callable[[Request], bool] = lambda request: False
    asked: list[Request] = field(default_factory=list)
    window: int = 4
    max_images: int | None = None

    @property
    def card(self) -> Card:
        return Card(
            name="rule", identity=self.identity, window=self.window, max_images=self.max_images
        )

    async def reply(self, request: Request) -> Generation:
        await asyncio.sleep(0)
        self.asked.append(request)
        if self.fail(request):
            return Generation.failed(request.key, "server", "scripted failure")
        return Generation(key=request.key, text=self.rule(request), finish="stop")

    async def close(self) -> None:
        pass


def write_pictures(folder: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """`labels.csv` and one distinct picture a row (name, emotion, person)."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion", "person", "light"])
        for number, (name, emotion, person) in enumerate(rows):
            Pillow.new("RGB", (32, 32), (number * 7 % 256, number % 256, 90)).save(folder / name)
            writer.writerow([name, emotion, person, "dim" if number % 2 else "bright"])


def rows(count: int) -> list[tuple[str, str, str]]:
    return [(f"p{i}.png", ("anger", "happiness")[i % 2], f"s{i // 3}") for i in range(count)]


@dataclass
class World:
    """A folder with data and a task; `run` plans and runs it."""

    root: Path
    out: str = "run"
    prompts: tuple[Path, ...] = ()

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.root / self.out)

    def run(
        self,
        model: Model,
        *,
        prompts: tuple[str, ...] = (),
        conditions: tuple[str, ...] = ("none",),
        limit: int | None = None,
        repeats: int = 1,
        temperature: float = 0.0,
        protocol: str | None = None,
        tools: tuple[str, ...] = (),
        task: str = "task.yaml",
    ) -> tuple[Plan, Tally]:
        place = open_workspace(self.root, prompts=self.prompts)
        axes = Axes(
            models=("rule",),
            prompts=prompts,
            conditions=conditions,
            limit=limit,
            repeats=repeats,
            temperature=temperature,
            protocol=protocol,
            tools=tools,
        )
        self.folder.create()
        library = Library(place.prompts)
        plan = make_plan(
            [load_task(str(self.root / task), place)], axes, library, self.folder, here=self.root
        )
        manifest = build_manifest(plan, axes, {"rule": model.card}, command=["test"], fit_on=None)
        write_manifest(self.folder, manifest)
        journal = Journal(self.folder)
        tally = Tally()
        try:
            asyncio.run(
                execute(
                    plan,
                    axes,
                    model=model,
                    name="rule",
                    library=library,
                    journal=journal,
                    tally=tally,
                    bases=accepted_bases(manifest),
                )
            )
        finally:
            journal.close()
        return plan, tally


def make_world(root: Path, count: int = 12, task: str = TASK) -> World:
    write_pictures(root, rows(count))
    (root / "task.yaml").write_text(task)
    return World(root)


__all__ = ["HarnessError", "RuleModel", "World", "make_world", "rows", "write_pictures"]
