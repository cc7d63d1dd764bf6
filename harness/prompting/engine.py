"""The template engine: Jinja's immutable sandbox with turns, meters and safe printing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, cast

import jinja2
from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from harness.core.errors import HarnessError
from harness.core.prompt import Rendering
from harness.prompting.controls import MARK
from harness.prompting.faults import PromptError, PromptFault
from harness.prompting.slots import MAX_SIZE, PictureSlots, printed
from harness.prompting.turns import RECORD, AwaitReply, Record, Turns, record_of

# Left out of Jinja's filters: what draws at random, what makes markup, what can blow up a text.
_FILTERS = (
    "abs batch capitalize count d default dictsort first float groupby int items last length list"
    " lower map max min reject rejectattr reverse round select selectattr slice sort string sum"
    " title trim truncate unique upper wordcount"
)
_GLOBALS = ("range", "dict", "cycler", "joiner", "namespace")
_GROWING = {"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"}
_OPERATORS = frozenset({"+", "*", "**", "%"})
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
        "see Jinja's template language; turns are {% user %}{% enduser %}",
    ),
    (SecurityError, "templates may only print, loop and use filters; take this out"),
    (jinja2.UndefinedError, "use a variable that prompts are given, or an earlier reply's name"),
    (RecursionError, "end the recursion"),
    (OverflowError, "loop over the variables given, not over long ranges"),
)


class Meters(NodeTransformer):
    """Puts loops and the `~` operator through the meters; lets imports see the variables."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 (Jinja's naming)
        self.generic_visit(node)
        size = nodes.Const(sum(map(_text_size, node.body)), lineno=node.lineno)
        items = cast(nodes.Expr, node.iter)
        node.iter = _metered("rounds", items, size, line=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _metered("joined", nodes.List(node.nodes, lineno=node.lineno), line=node.lineno)

    def visit_Import(self, node: nodes.Import) -> nodes.Node:  # noqa: N802
        node.with_context = True
        return node

    def visit_FromImport(self, node: nodes.FromImport) -> nodes.Node:  # noqa: N802
        node.with_context = True
        return node


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
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.filters = {name: self.filters[name] for name in _FILTERS.split()}
        self.filters |= {"join": _join, "replace": _replace, "indent": _indent, "tojson": _tojson}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        Meters().visit(tree)
        tree.set_environment(self)
        return tree

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        record_of(__context).step()
        method = _METHODS.get(getattr(__obj, "__name__", "")) if args else None
        if method is not None and isinstance(getattr(__obj, "__self__", None), str):
            return method(__obj.__self__, *args, **kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> None:
        """No wrapped `format`: the method itself is refused, since it can blow a text up."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`+`, `*`, `**` and `%`, refused where the result could be very long."""
        size = _size_of(operator, left, right)
        record_of(context).spend(size)
        if size > MAX_SIZE:
            raise PromptFault(
                f"`{operator}` makes a value over the limit of {MAX_SIZE:,}", hint="print less"
            )
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Adds to the sandbox's rules the text methods that can blow a text up."""
        if isinstance(obj, str) and attr in _GROWING:
            return False
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
        context = template.new_context({**replies, **variables, RECORD: record})
        awaiting: str | None = None
        outside: list[str] = []
        try:
            for chunk in template.root_render_func(context):
                record.grow(len(chunk))
                if not chunk.isspace():
                    outside.append(chunk)
        except AwaitReply as pause:
            awaiting = pause.name
        except _FAULTS as error:
            raise located(error, template.name or "") from None
        stray = "".join(outside).replace(MARK, "").strip()
        if stray:
            raise StrayText(stray)
        return Rendering(tuple(record.messages), awaiting)


class StrayText(Exception):
    """Text was printed outside every turn."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def _printed(context: Context, value: Any) -> Any:
    """What an expression prints, counted."""
    text = printed(value)
    if type(text) is str:
        record_of(context).spend(len(text))
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
    hints = (hint for kind, hint in _HINTS if isinstance(error, kind))
    return text, next(hints, "correct the expression on this line")


def _metered(name: str, *arguments: nodes.Expr, line: int) -> nodes.Call:
    method = nodes.ExtensionAttribute(Turns.identifier, name, lineno=line)
    return nodes.Call(method, [nodes.ContextReference(), *arguments], [], None, None, lineno=line)


def _text_size(node: nodes.Node) -> int:
    """Characters of the template's own text in a loop's body, inner loops left to themselves."""
    if isinstance(node, nodes.TemplateData):
        return len(node.data)
    if isinstance(node, nodes.For):
        return 0
    return sum(map(_text_size, node.iter_child_nodes()))


def _size_of(operator: str, left: Any, right: Any) -> int:
    """An upper bound of the length of the result, in characters, items or bits."""
    if operator == "%" and isinstance(left, (str, bytes)):
        return MAX_SIZE + 1
    if operator == "**":
        exact = isinstance(left, int) and isinstance(right, int)
        return left.bit_length() * max(right, 0) if exact else 0
    if operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (str, bytes, list, tuple)) and isinstance(other, int):
                return len(one) * max(other, 0)
        both = isinstance(left, int) and isinstance(right, int)
        return left.bit_length() + right.bit_length() if both else 0
    if (
        operator == "+"
        and isinstance(left, (str, bytes, list, tuple))
        and hasattr(right, "__len__")
    ):
        return len(left) + len(right)
    return 0


def _bounded(size: int) -> None:
    if size > MAX_SIZE:
        raise PromptFault(
            f"a filter makes a text of more than {MAX_SIZE:,} characters", hint="print less"
        )


def _join(values: Any, d: str = "", attribute: str | None = None) -> str:
    """Jinja's join, of texts, numbers and pictures, within limits."""
    items = list(values)
    if attribute is not None:
        items = [item[attribute] for item in items]
    for item in items:
        if isinstance(item, jinja2.Undefined) or item is None:
            raise PromptFault("join meets a missing value", hint="leave the missing item out")
    texts = [str(item) for item in items]
    _bounded(sum(map(len, texts)) + len(d) * len(texts))
    return d.join(texts)


def _replace(text: Any, old: str, new: str) -> str:
    """Every `old` in `text` made `new`, within limits."""
    before = str(text)
    _bounded(len(before) + before.count(old) * len(new))
    return before.replace(old, new)


def _indent(text: str, width: int = 4, first: bool = False) -> str:
    """Lines of `text` moved right by `width`."""
    lines = str(text).split("\n")
    _bounded(len(text) + len(lines) * max(width, 0))
    pad = " " * width
    return (pad if first else "") + f"\n{pad}".join(lines)


def _tojson(value: Any) -> str:
    """JSON as models write it: no escapes for other scripts, none for mark-up."""
    return json.dumps(value, ensure_ascii=False)


def _method_join(glue: str, values: Any) -> str:
    return _join(values, glue)


_METHODS: Mapping[str, Callable[..., str]] = {"join": _method_join, "replace": _replace}
"""Methods of texts that are put through the filters' limits."""
