"""Check option names; errors list similar names."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from harness.core.errors import HarnessError

P = ParamSpec("P")
R = TypeVar("R")


def known_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which raises HarnessError in place of TypeError for an option that it does not have."""
    names = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        for name in options:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise HarnessError(
                    f"{function.__name__}: no option is called {name!r}",
                    hint=f"{hint}its options are: {', '.join(names)}",
                )
        return function(*args, **options)

    return checked
