"""The exception that users see."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Literal

MediaFault = Literal["missing", "empty", "corrupt", "too-large", "unsupported", "unenhanced"]


class HarnessError(Exception):
    """An error that the user can correct: names the thing, its place, and what to do.

    `message` says what is wrong and where; `hint` says what to do about it. `at_work` is True where a command had
    begun its work: it then ends with exit status 1, else with 2 (a wrong command, option or file; nothing touched).
    False is for good: a file that is found broken is a wrong file whenever it is read.
    """

    def __init__(self, message: str, *, hint: str = "", at_work: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at_work = at_work

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class MediaError(HarnessError):
    """One picture or clip cannot be used; the run goes on and the sample counts as failed."""

    def __init__(self, message: str, *, kind: MediaFault, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind: MediaFault = kind


@contextlib.contextmanager
def working() -> Iterator[None]:
    """A block in which a command does its work: an error that leaves it is `at_work`, one of a plug-in names it."""
    from harness.core.plugin_faults import naming_plugins

    try:
        with naming_plugins():
            yield
    except HarnessError as error:
        if error.at_work is None:
            error.at_work = True
        raise


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """A block that finds out whether the work can begin: an error that leaves it is of a wrong command, option or file."""
    try:
        yield
    except HarnessError as error:
        if error.at_work is None:
            error.at_work = False
        raise


def missing_extra(package: str, extra: str) -> HarnessError:
    """The error for a missing package of an optional extra."""
    return HarnessError(
        f"{package} is not installed",
        hint=f"pip install -c constraints.txt 'affect-harness[{extra}]'"
        f"  (in a checkout: pip install -c constraints.txt -e '.[{extra}]')",
    )


class Interrupted(KeyboardInterrupt):
    """An interrupt that was already reported."""


def refuse_unused(doing: str, given: Mapping[str, object], *, hint: str = "") -> None:
    """Raise HarnessError if an option was given that the command cannot use here.

    `given` maps an option as it is written to its value; None, False and no values mean not given. `doing` ends the
    sentence "--out has no effect ...".
    """
    unused = [
        name
        for name, value in given.items()
        if not (value is None or value is False or value in ([], ()))
    ]
    if unused:
        raise HarnessError(
            f"{', '.join(unused)} {'has' if len(unused) == 1 else 'have'} no effect {doing}",
            hint=hint or "leave it out" if len(unused) == 1 else hint or "leave them out",
        )
