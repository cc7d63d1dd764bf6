"""Scripted models that call tools, and a small world of drawn faces to ask them about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.core.message import Image
from harness.core.request import Request
from harness.report.film_pictures import collect_strips
from harness.report.inputs import read_run
from harness.run.folder import RunFolder
from tests.run.bench import World

TASK = """\
source: {family: faces, n: %d, size: 64, seed: 3, labels: [anger, happiness]}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain]
"""


def call(name: str, **arguments: object) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def turn(request: Request) -> int:
    """How many replies came before."""
    return sum(message.role == "assistant" for message in request.messages)


def pictures(request: Request) -> int:
    return sum(isinstance(part, Image) for m in request.messages for part in m.parts)


def script(*replies: str) -> Callable[[Request], str]:
    """The reply of each turn; the last one again and again."""
    return lambda request: replies[min(turn(request), len(replies) - 1)]


def film_steps(folder: Path) -> list[list[tuple[str, str]]]:
    """What the page of a run shows of its trials with calls: kind and text of each step."""
    found = collect_strips(read_run(RunFolder(folder)))
    strips = [one for cells in found.tasks.values() for _, some in cells for one in some]
    return [
        [(shot.step.kind, shot.step.text or shot.step.code) for shot in one.shots] for one in strips
    ]


def drawn_world(root: Path, count: int = 4) -> World:
    (root / "task.yaml").write_text(TASK % count)
    return World(root)
