"""affect-harness: evaluate how well vision-language models read human faces, and which cues they rely on.

    import harness

    run = harness.evaluate("table/emotion", model="affect-tiny", source={"file": "labels.csv", "label": "emotion"})
    run.scores()

Names are loaded on first use, so `import harness` is cheap.
"""

import importlib
from typing import TYPE_CHECKING

from harness.version import __version__

if TYPE_CHECKING:
    from harness.api.draw import DrawnFace, draw
    from harness.api.evaluate import EvaluateOptions, aevaluate, evaluate
    from harness.api.run import Run, open_run
    from harness.api.tasks import load_task
    from harness.core.errors import HarnessError
    from harness.core.task import Task
    from harness.models.settings import ModelSettings

__all__ = [
    "DrawnFace",
    "EvaluateOptions",
    "HarnessError",
    "ModelSettings",
    "Run",
    "Task",
    "__version__",
    "aevaluate",
    "draw",
    "evaluate",
    "load_task",
    "open_run",
]

_HOMES = {
    "DrawnFace": "harness.api.draw",
    "EvaluateOptions": "harness.api.evaluate",
    "HarnessError": "harness.core.errors",
    "ModelSettings": "harness.models.settings",
    "Run": "harness.api.run",
    "Task": "harness.core.task",
    "aevaluate": "harness.api.evaluate",
    "draw": "harness.api.draw",
    "evaluate": "harness.api.evaluate",
    "load_task": "harness.api.tasks",
    "open_run": "harness.api.run",
}


def __getattr__(name: str) -> object:
    """A public name, loaded now."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
