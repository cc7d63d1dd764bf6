"""Commands given again and again into one run folder, with models that answer by rule."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.api.carry_out import Finished, carry_out
from harness.api.options import RunOptions, prepare
from harness.api.watchers import Noting
from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from tests.run.bench import TASK, RuleModel, rows, write_pictures

PLAIN = (
    "---\nfields: [emotion]\n---\n"
    "{% user %}{{ image }} One of {{ labels | join(', ') }}?{% enduser %}\n"
)


def contents(folder: Path) -> dict[str, str]:
    """Each file and folder of a run but the lock, and the digest of what a file holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if path.name != ".lock"
    }


@dataclass
class Desk:
    """A folder of data, a task, prompts of one's own, and a run folder `run`."""

    root: Path
    notes: list[str] = field(default_factory=list)
    """What the last command told."""
    opened: list[str] = field(default_factory=list)
    """Models that were opened, in order."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.root / "run")

    @property
    def manifest(self) -> dict[str, Any]:
        return read_manifest(self.folder)

    def write_prompt(self, name: str, text: str = PLAIN) -> None:
        path = self.root / "prompts" / "own" / f"{name}.j2"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(
        self, models: Mapping[str, Model | HarnessError] | Model, *prompts: str, **options: Any
    ) -> Finished:
        """`harness run task.yaml --model ... --prompt own/P ... --out run`; an error is raised where it is to be opened."""
        named = models if isinstance(models, Mapping) else {"rule": models}
        self.notes, self.opened = [], []

        def opening(name: str) -> Model:
            self.opened.append(name)
            found = named[name]
            if isinstance(found, HarnessError):
                raise found
            return found

        asked = RunOptions(
            tasks=("task.yaml",), models=tuple(named), out=Path("run"),
            prompts=tuple(f"own/{name}" for name in prompts or ("plain",)),
            prompts_folders=(Path("prompts"),), **options,
        )  # fmt: skip
        watcher = Noting(None)
        try:
            return carry_out(
                prepare(asked, command=["harness", "run"], models=dict.fromkeys(named, opening)),
                watcher,
                report=False,
            )
        finally:
            self.notes = watcher.lines

    def cells(self, **wanted: Any) -> list[dict[str, Any]]:
        """The manifest's cells with these values."""
        return [
            cell
            for cell in self.manifest["cells"]
            if all(cell.get(name) == value for name, value in wanted.items())
        ]


def make_desk(root: Path, count: int = 12) -> Desk:
    write_pictures(root, rows(count))
    (root / "task.yaml").write_text(TASK.replace("emotion/plain, emotion/cot", "own/plain"))
    desk = Desk(root)
    desk.write_prompt("plain")
    return desk


__all__ = ["PLAIN", "Desk", "RuleModel", "contents", "make_desk"]
