"""Keep a call of `sys.exit()` in a graph from ending the run: asyncio lets it out of any task, and out of its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class GraphExitError(Exception):
    """The code of a graph called `sys.exit()`."""


def contain_exits(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, SystemExit in a task of this loop is the task's GraphExitError. A loop whose tasks are made in another
    way is left as it is."""
    if loop.get_task_factory() is None:
        loop.set_task_factory(_task)


def _task(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.Task(_Contained(coro), loop=loop, **options)


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine whose SystemExit is a GraphExitError."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner

    def send(self, value: Any, /) -> Any:
        try:
            return self._inner.send(value)
        except SystemExit as error:
            raise GraphExitError from error

    def throw(self, *given: Any) -> Any:
        try:
            return self._inner.throw(*given)
        except SystemExit as error:
            raise GraphExitError from error

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()
