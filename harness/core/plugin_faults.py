"""Which plug-in an unexpected error comes from: the entry points of the package whose code raised it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import HarnessError

_GROUPS = "harness."
"""What the names of entry-point groups begin with."""


@contextlib.contextmanager
def naming_plugins(*, at_work: bool | None = None) -> Iterator[None]:
    """A block in which an error of a plug-in becomes a HarnessError that names it; other errors stay as they are."""
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        found = plugin_fault(error)
        if found is None:
            raise
        found.at_work = at_work
        raise found from error


def plugin_fault(error: Exception) -> HarnessError | None:
    """The error that names package, plug-in and line; None where no code of a plug-in was running."""
    import traceback

    for one in _leaves(error):
        if isinstance(one, HarnessError):
            return one
        frames = list(traceback.walk_tb(one.__traceback__))
        for frame, line in reversed(frames):
            module = str(frame.f_globals.get("__name__", ""))
            found = _entries(module)
            if found:
                place = f"{Path(frame.f_code.co_filename).name}, line {line}"
                package, names = found
                return HarnessError(
                    f"{names} of package {package} failed in {place}: {type(one).__name__}: {one}",
                    hint=f"report it to the authors of {package}, or leave it out",
                )
    return None


def _leaves(error: BaseException) -> Iterator[Exception]:
    """The errors of a group, or the one error."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    elif isinstance(error, Exception):
        yield error


def _entries(module: str) -> tuple[str, str] | None:
    """Package, and its plug-ins that a module holds ("condition 'jpeg'"): all of them where the module has none."""
    from importlib.metadata import distributions  # slow to import, seldom needed

    top = module.partition(".")[0]
    if top == "harness":
        return None
    for package in distributions():
        points = [
            point
            for point in package.entry_points
            if point.group.startswith(_GROUPS) and point.module.partition(".")[0] == top
        ]
        if points:
            own = [point for point in points if point.module == module] or points
            return package.name, _named([(point.group, point.name) for point in own])
    return None


def _named(points: list[tuple[str, str]]) -> str:
    kinds: dict[str, list[str]] = {}
    for group, name in points:
        kinds.setdefault(group.removeprefix(_GROUPS), []).append(repr(name))
    names = [f"{_singular(kind)} {' or '.join(sorted(names))}" for kind, names in kinds.items()]
    return " or ".join(names)


def _singular(kind: str) -> str:
    return "analysis" if kind == "analyses" else kind.removesuffix("s")
