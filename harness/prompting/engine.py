"""The template engine: Jinja's immutable sandbox with turns, meters and safe output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, cast

import jinja2
from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.core.errors import HarnessError
from harness.core.message import Message
from harness.core.prompt import Rendering
from harness.prompting.controls import MARK, OPEN
from harness.prompting.faults import PromptError, PromptFault
from harness.prompting.filters import (
    BOUNDED_METHODS,
    FILTERS,
    METHODS,
    Names,
    indent,
    join,
    metered,
    replace,
    tojson,
    total,
)
from harness.prompting.meters import Meters
from harness.prompting.slots import MAX_SIZE, PictureSlots, printed
from harness.prompting.turns import RECORD, AwaitReply, Record, Turns, record_of, tidy
from harness.prompting.weight import MAX_BITS, weight

_GLOBALS = ("range", "dict", "cycler", "joiner", "namespace")
_OPERATORS = frozenset({"+", "*", "**", "%"})
_SCOPES = ("_loop_vars", "_block_vars")
"""Names under which compiled templates hand the variables of a loop and a block along."""
_LONGEST_MESSAGE = 300
_FAULTS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,  # RecursionError among them
    TypeError,
    ValueError,
    PromptFault,
)


_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        jinja2.TemplateSyntaxError,
        "see the Jinja documentation; turns are {% user %}{% enduser %}",
    ),
    (SecurityError, "remove this; templates may only print, loop and use filters"),
    (jinja2.UndefinedError, "use a variable that prompts have, or the name of an earlier reply"),
    (RecursionError, "remove the recursion"),
    (OverflowError, "loop over the given variables, not over long ranges"),
)


class TemplateEngine(ImmutableSandboxedEnvironment):
    """One environment per library; holds compiled templates and nothing of any rendering."""

    intercepted_binops = _OPERATORS

    def __init__(self, loader: Callable[[str], str]) -> None:
        super().__init__(
            loader=jinja2.FunctionLoader(loader),
            undefined=jinja2.StrictUndefined,
            finalize=pass_context(_printed),
            extensions=[Turns],
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self.globals = {name: self.globals[name] for name in _GLOBALS} | {"namespace": Names}
        own = {"join": join, "replace": replace, "indent": indent, "tojson": tojson, "sum": total}
        kept: dict[str, Callable[..., Any]] = {
            name: self.filters[name] for name in FILTERS.split()
        } | own
        self.filters = {name: metered(name, kept[name]) for name in kept}
        tests: dict[str, Any] = {**self.tests}
        self.tests = {name: metered(name, tests[name]) for name in tests}
        self._turns = cast(Turns, self.extensions[Turns.identifier])

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        Meters().visit(tree)
        tree.set_environment(self)
        return tree

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        owner = getattr(__obj, "__self__", None)
        given = {name: value for name, value in kwargs.items() if name not in _SCOPES}
        if owner is __self._turns:  # a tag or a meter, which no template can name
            return __obj(*args, **given)
        record = record_of(__context)
        record.step()
        for argument in (*args, *given.values()):
            record.weigh(argument)
        if isinstance(__obj, LoopContext) and args:
            args = (__self._turns.rounds(__context, args[0]), *args[1:])
        method = BOUNDED_METHODS.get(getattr(__obj, "__name__", "")) if args else None
        if method is not None and isinstance(owner, str):
            return method(owner, *args, **given)
        result = super().call(__context, __obj, *args, **kwargs)
        if type(result) is str:
            record.spend(len(result))
        return result

    def wrap_str_format(self, value: Any) -> None:
        """No wrapped `format`: the method itself is refused, since it can blow a text up."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`+`, `*`, `**` and `%`, refused where the result could be very long."""
        size = _size_of(operator, left, right)
        record_of(context).spend(size)
        if size > MAX_SIZE:
            raise PromptFault(
                f"`{operator}` gives a value over the limit of {MAX_SIZE:,}", hint="print less"
            )
        if _bits_of(operator, left, right) > MAX_BITS:
            raise PromptFault(
                f"`{operator}` makes a number of more than {MAX_BITS:,} bits",
                hint="count with smaller numbers",
            )
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Adds to the sandbox's rules that of plain values only a few methods are had."""
        for kind, allowed in METHODS.items():
            if isinstance(obj, kind):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def run(
        self,
        template: jinja2.Template,
        variables: Mapping[str, object],
        *,
        album: PictureSlots,
        replies: Mapping[str, str],
    ) -> Rendering:
        """One rendering. Raises PromptError naming template, line and hint."""
        record = Record(album, replies)
        awaiting: str | None = None
        outside: list[str] = []
        try:
            for chunk in self._chunks(template, {**replies, **variables}, record):
                if not chunk.isspace():
                    outside.append(chunk)
        except AwaitReply as pause:
            awaiting = pause.name
        stray = "".join(outside).replace(MARK, "").replace(OPEN, "").strip()
        if stray:
            raise StrayText(stray)
        return Rendering(tuple(record.messages), awaiting)

    def lines(self, template: jinja2.Template, variables: Mapping[str, object]) -> tuple[str, ...]:
        """The lines that a template without turns prints, but for empty ones. Raises PromptError as `run` does, and
        for a turn."""
        record = Record(PictureSlots(), {})
        try:
            text = tidy("".join(self._chunks(template, variables, record)))
        except AwaitReply:
            record.messages.append(Message("assistant", ()))
            text = ""
        if record.messages:
            raise PromptError(
                template.name or "",
                0,
                "a prompt of the family dual has no turns",
                hint="write the texts of one label without {% user %}, a line each",
            )
        return tuple(line for line in (" ".join(one.split()) for one in text.split("\n")) if line)

    def _chunks(
        self, template: jinja2.Template, variables: Mapping[str, object], record: Record
    ) -> Iterator[str]:
        """What a template prints outside its turns, which go into the record."""
        context = template.new_context({**variables, RECORD: record})
        try:
            for chunk in template.root_render_func(context):
                record.grow(len(chunk))
                yield chunk
        except _FAULTS as error:
            raise located(error, template.name or "") from None


class StrayText(Exception):
    """Text was printed outside every turn."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def _printed(context: Context, value: Any) -> Any:
    """What an expression prints, counted."""
    record = record_of(context)
    if type(value) is not str:
        record.weigh(value)
    text = printed(value)
    if type(text) is str:
        record.spend(len(text))
    return text


def located(error: BaseException, file: str) -> HarnessError:
    """The error a person reads: the innermost template line, what is wrong, and the hint."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        place, line = error.name or file, error.lineno
    else:
        place, line = _innermost(error.__traceback__, file)
    message, hint = _wording(error)
    return PromptError(place, line, message, hint=hint)


def _innermost(trace: TracebackType | None, file: str) -> tuple[str, int]:
    line = 0
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            file = template.name or file
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return file, line


def _wording(error: BaseException) -> tuple[str, str]:
    if isinstance(error, PromptFault):
        return error.message, error.hint
    text = str(error) or type(error).__name__
    if isinstance(error, jinja2.TemplateSyntaxError):
        text = error.message or text
    if isinstance(error, RecursionError):
        text = "the template calls itself without end"
    text = " ".join(text.split())
    if len(text) > _LONGEST_MESSAGE:
        text = text[: _LONGEST_MESSAGE - 3] + "..."
    hints = (hint for kind, hint in _HINTS if isinstance(error, kind))
    return text, next(hints, "correct the expression on this line")


def _size_of(operator: str, left: Any, right: Any) -> int:
    """An upper bound of the characters and items of the result."""
    if operator == "%" and isinstance(left, (str, bytes)):
        return MAX_SIZE + 1
    if operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (str, bytes, list, tuple)) and isinstance(other, int):
                return weight(one) * max(other, 0)
    if operator == "+" and isinstance(left, (str, bytes, list, tuple)):
        return weight(left) + weight(right)
    return 0


def _bits_of(operator: str, left: Any, right: Any) -> int:
    """An upper bound of the bits of a whole number that two others make."""
    if not isinstance(left, int) or not isinstance(right, int):
        return 0
    if operator == "**":
        return left.bit_length() * max(right, 0)
    return left.bit_length() + right.bit_length() if operator == "*" else 0
