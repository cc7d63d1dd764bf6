"""Filters, tests and methods of Jinja that templates can use, each with limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jinja2
from jinja2 import pass_context, pass_environment, pass_eval_context
from jinja2.runtime import Context
from jinja2.utils import Namespace

from harness.prompting.faults import PromptFault
from harness.prompting.slots import MAX_SIZE
from harness.prompting.turns import MAX_STEPS, record_of
from harness.prompting.weight import MAX_BITS, weight

# Left out of Jinja's filters: what draws at random, what makes markup, what can blow up a text.
FILTERS = (
    "abs batch capitalize count d default dictsort first float groupby int items last length list"
    " lower map max min reject rejectattr reverse round select selectattr slice sort string"
    " title trim truncate unique upper wordcount"
)
_WALKING = frozenset(
    ["groupby", "join", "map", "max", "min", "rejectattr", "selectattr", "sort", "sum", "unique"]
)  # their texts may be paths into each item
_MAX_DEPTH, _MAX_DIGITS = 16, 100

_TEXT = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric"
    " isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition"
    " rsplit rstrip split splitlines startswith strip swapcase title upper"
)
METHODS: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        str: frozenset(_TEXT.split()),
        list: frozenset({"copy", "count", "index"}),
        tuple: frozenset({"count", "index", "grouper", "list"}),  # the last two are groupby's
        dict: frozenset({"copy", "get", "items", "keys", "values"}),
        int: frozenset({"bit_length"}),
        float: frozenset({"is_integer"}),
        bytes: frozenset(),
        complex: frozenset(),
    }
)
"""What may be called of plain values; all else of theirs is refused, whatever later versions of Python bring."""


class Names(Namespace):
    """Jinja's namespace, which does not print what it holds."""

    def __repr__(self) -> str:
        return "<namespace>"


def metered(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter or test as a step, with its arguments and what it makes weighed.

    Given the context, it is never run while a template is compiled.
    """
    wanted = getattr(function, _PASSED, None)

    @pass_context
    def run(context: Context, value: Any = "", *args: Any, **options: Any) -> Any:
        record = record_of(context)
        record.step()
        record.weigh(value)
        for argument in (*args, *options.values()):
            record.weigh(argument)
            _check_argument(name, argument)
        first = _FIRST[wanted](context) if wanted is not None else ()
        result = function(*first, value, *args, **options)
        if isinstance(result, int) and result.bit_length() > MAX_BITS:
            raise _too_long(name)
        record.spend(weight(result))
        return result

    return run


_PASSED = "jinja_pass_arg"


def _passing(decorate: Callable[[Callable[[], None]], Callable[[], None]]) -> Any:
    """What one of Jinja's decorators marks a function with."""
    return getattr(decorate(lambda: None), _PASSED)


_FIRST: Mapping[Any, Callable[[Context], tuple[Any, ...]]] = MappingProxyType(
    {
        _passing(pass_context): lambda context: (context,),
        _passing(pass_eval_context): lambda context: (context.eval_ctx,),
        _passing(pass_environment): lambda context: (context.environment,),
    }
)
"""What a function asks for first -> that, of a context."""


def _check_argument(name: str, argument: Any) -> None:
    if isinstance(argument, int):
        most = _MAX_DIGITS if name == "round" else MAX_STEPS
        if abs(argument) > most:
            raise PromptFault(
                f"the filter {name} is given {argument:.6g}; {most:,} is the most",
                hint="give it a smaller number",
            )
    if name in _WALKING and isinstance(argument, str) and argument.count(".") > _MAX_DEPTH:
        raise PromptFault(
            f"the filter {name} is given a path of more than {_MAX_DEPTH} names",
            hint="name an attribute of the items",
        )


def _too_long(name: str) -> PromptFault:
    return PromptFault(
        f"`{name}` makes a number of more than {MAX_BITS:,} bits", hint="count with smaller numbers"
    )


def bounded(size: int) -> None:
    """Raise PromptFault for a text that would be longer than MAX_SIZE."""
    if size > MAX_SIZE:
        raise PromptFault(
            f"a filter makes a text of more than {MAX_SIZE:,} characters", hint="print less"
        )


def join(values: Any, d: str = "", attribute: str | None = None) -> str:
    """Jinja's join, of texts, numbers and pictures, within limits."""
    items = list(values)
    if attribute is not None:
        items = [item[attribute] for item in items]
    for item in items:
        if isinstance(item, jinja2.Undefined) or item is None:
            raise PromptFault("join meets a missing value", hint="leave the missing item out")
    bounded(sum(map(weight, items)) + len(d) * len(items))
    texts = [str(item) for item in items]
    bounded(sum(map(len, texts)) + len(d) * len(texts))
    return d.join(texts)


def replace(text: Any, old: str, new: str) -> str:
    """Every `old` in `text` made `new`, within limits."""
    before = str(text)
    bounded(len(before) + before.count(old) * len(new))
    return before.replace(old, new)


def indent(text: str, width: int = 4, first: bool = False) -> str:
    """Lines of `text` moved right by `width`."""
    lines = str(text).split("\n")
    bounded(len(text) + len(lines) * max(width, 0))
    pad = " " * width
    return (pad if first else "") + f"\n{pad}".join(lines)


def tojson(value: Any) -> str:
    """JSON as models write it: no escapes for other scripts, none for mark-up."""
    return json.dumps(value, ensure_ascii=False)


def total(values: Any, attribute: str | None = None, start: float = 0) -> float:
    """Jinja's sum, of numbers alone: lists added up would be copied again for each."""
    items = [item[attribute] for item in values] if attribute is not None else list(values)
    for item in (start, *items):
        if not isinstance(item, int | float):
            raise PromptFault(
                "sum meets what is no number", hint="join texts and lists with | join"
            )
    return sum(items, start)


def _method_join(glue: str, values: Any) -> str:
    return join(values, glue)


BOUNDED_METHODS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {"join": _method_join, "replace": replace}
)
"""Methods of texts that are put through the filters' limits."""
