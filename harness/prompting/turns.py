"""The turn tags: `{% system %}`, `{% user %}`, `{% assistant %}`, `{% reply as NAME %}`, and
`{% new conversation %}`, behind which nothing said before is sent.

Turns are recorded when they run, so they may repeat, stand in loops, conditions, macros and
includes, and inherit through blocks; the order of turns is the order of execution.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from harness.core.message import Message, Role, Text
from harness.prompting.controls import MARK, neutralise, settle
from harness.prompting.faults import PromptFault
from harness.prompting.slots import MAX_SIZE, PictureSlots
from harness.prompting.variables import PROMPT_VARIABLES
from harness.prompting.weight import weight

RECORD = "record of this rendering"
"""Where the context holds the Record: a name with spaces, which no template can spell."""

MAX_STEPS = 100_000
"""Loop rounds, calls, filters and included files allowed in one rendering."""

MAX_SECONDS = 1.0
"""Processor time allowed in one rendering, looked at now and then; one takes well under 1 ms."""

_LARGE = 10_000
"""Size of a value that is worth a look at the clock."""

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
_INDENT = re.compile(f"\n([ \t]*)(?=[^\\s{MARK}])|\n([ \t]+)(?={MARK})")


class AwaitReply(Exception):
    """The rendering has come to a reply that the model has not given yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Record:
    """What one rendering has produced so far, and what it may still use up."""

    __slots__ = (
        "_reached",
        "_role",
        "_size",
        "_spent",
        "_start",
        "_steps",
        "album",
        "messages",
        "replies",
    )

    def __init__(self, album: PictureSlots, replies: Mapping[str, str]) -> None:
        self.album = album
        self.replies = replies
        self.messages: list[Message] = []
        self._role: Role | None = None
        self._steps = 0
        self._size = 0
        self._spent = 0
        self._start = 0.0
        self._reached: set[str] = set()

    def step(self) -> None:
        """Counts a loop round or a call. Raises PromptFault when the template runs away."""
        self._steps += 1
        if self._steps % 64 == 0 and self._steps <= MAX_STEPS:
            self._look_at_the_clock()
        if self._steps > MAX_STEPS:
            raise PromptFault(
                f"the template takes more than {MAX_STEPS:,} steps",
                hint="loop over the given variables, not over long ranges",
            )

    def _look_at_the_clock(self) -> None:
        self._start = self._start or time.thread_time()
        if time.thread_time() - self._start > MAX_SECONDS:
            raise PromptFault(
                f"the template runs longer than {MAX_SECONDS:g} seconds",
                hint="use shorter loops and texts",
            )

    def turn(self, role: Role, body: Callable[[], str]) -> None:
        """Runs the body of a turn and records it."""
        if self._role is not None:
            raise PromptFault(
                f"a {role} turn is inside a {self._role} turn",
                hint=f"close the first one with {{% end{self._role} %}}",
            )
        self._role = role
        text = tidy(body())
        self._role = None
        self.grow(len(text))
        if not text:
            raise PromptFault(
                f"the {role} turn is empty",
                hint="give it text, or move the condition around the turn",
            )
        self.messages.append(Message(role, self.album.split(text)))

    def reply(self, name: str) -> None:
        """The model speaks here: its text becomes an assistant turn, or the rendering pauses."""
        if self._role is not None:
            raise PromptFault(
                f"`reply as {name}` is inside a {self._role} turn",
                hint="move it between turns",
            )
        if name in self._reached:
            raise PromptFault(
                f"`reply as {name}` is reached twice", hint="give every reply its own name"
            )
        self._reached.add(name)
        if name not in self.replies:
            raise AwaitReply(name)
        text = neutralise(self.replies[name]).strip()
        self.grow(len(text))
        self.messages.append(Message("assistant", (Text(text),)))

    def anew(self) -> None:
        """A conversation of its own begins: what was said so far is not sent with what follows."""
        if self._role is not None:
            raise PromptFault(
                f"`new conversation` is inside a {self._role} turn", hint="move it between turns"
            )
        self.messages.clear()

    def spend(self, size: int) -> None:
        """Counts characters made on the way, printed or not. Raises PromptFault above a multiple
        of MAX_SIZE."""
        self._spent += size
        if size > _LARGE:
            self._look_at_the_clock()
        if self._spent > 8 * MAX_SIZE:
            raise PromptFault(
                f"the template gives more than {8 * MAX_SIZE:,} characters", hint="print less"
            )

    def weigh(self, value: Any) -> None:
        """Counts a value with all that it holds. Raises PromptFault above MAX_SIZE."""
        size = weight(value)
        self.spend(size)
        if size > MAX_SIZE:
            raise PromptFault(
                f"a value holds more than {MAX_SIZE:,} characters and items",
                hint="make less of it",
            )

    def grow(self, size: int) -> None:
        """Counts rendered characters. Raises PromptFault above MAX_SIZE."""
        self._size += size
        if self._size > MAX_SIZE:
            raise PromptFault(
                f"the conversation is longer than {MAX_SIZE:,} characters", hint="print less"
            )


def record_of(context: Context) -> Record:
    """The record of the rendering that `context` belongs to."""
    return cast(Record, context.parent[RECORD])  # quicker than asking the context


class Turns(Extension):
    """The tags, and the meters that keep a template from running away."""

    tags = {*ROLES, "reply", "new"}  # noqa: RUF012 (Jinja's own declaration is a plain set)

    def parse(self, parser: Parser) -> nodes.Node:
        """Reads one tag. Raises TemplateSyntaxError."""
        token = next(parser.stream)
        if token.value == "reply":
            return self._parse_reply(parser, token.lineno)
        if token.value == "new":
            return self._parse_new(parser, token.lineno)
        arguments: list[nodes.Expr] = [nodes.ContextReference(), nodes.Const(token.value)]
        body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        call = self.call_method("turn", arguments, lineno=token.lineno)
        return nodes.CallBlock(call, [], [], body).set_lineno(token.lineno)

    def _parse_reply(self, parser: Parser, line: int) -> nodes.Node:
        if not parser.stream.skip_if("name:as"):
            parser.fail("a reply needs a name: {% reply as description %}", line)
        name = parser.stream.expect("name").value
        if name in PROMPT_VARIABLES or name in parser.environment.globals:
            parser.fail(f"a reply cannot be called {name}: the name is already used", line)
        arguments: list[nodes.Expr] = [nodes.ContextReference(), nodes.Const(name)]
        call = self.call_method("reply", arguments, lineno=line)
        return nodes.ExprStmt(call).set_lineno(line)

    def _parse_new(self, parser: Parser, line: int) -> nodes.Node:
        if not parser.stream.skip_if("name:conversation"):
            parser.fail("expected {% new conversation %}", line)
        call = self.call_method("anew", [nodes.ContextReference()], lineno=line)
        return nodes.ExprStmt(call).set_lineno(line)

    def turn(self, context: Context, role: Role, caller: Callable[[], str]) -> str:
        """Called by a turn tag."""
        record_of(context).turn(role, caller)
        return ""

    def reply(self, context: Context, name: str) -> None:
        """Called by a reply tag."""
        record_of(context).reply(name)

    def anew(self, context: Context) -> None:
        """Called by `new conversation`."""
        record_of(context).anew()

    def rounds(self, context: Context, items: Iterable[Any]) -> Iterator[Any]:
        """`items`, each counted as a step."""
        record = record_of(context)
        for item in items:
            record.step()
            yield item

    def ran(self, context: Context, size: int, steps: int) -> None:
        """Called where a body begins that prints `size` characters of the template's own."""
        record = record_of(context)
        record.spend(size)
        if steps:
            record.step()

    def weighed(self, context: Context, value: Any) -> Any:
        """`value`, counted with all that it holds."""
        record_of(context).weigh(value)
        return value

    def joined(self, context: Context, parts: Sequence[Any]) -> str:
        """The `~` operator, within limits."""
        record = record_of(context)
        for part in parts:
            record.weigh(part)
        texts = [str(part) for part in parts]
        size = sum(map(len, texts))
        record.spend(size)
        if size > MAX_SIZE:
            raise PromptFault(
                f"`~` gives a text of more than {MAX_SIZE:,} characters", hint="print less"
            )
        return "".join(texts)


def called(node: nodes.Node) -> Literal["turn", "reply", "anew"] | None:
    """Which tag a node of the parsed template is."""
    if isinstance(node, nodes.CallBlock):
        target = node.call.node
    elif isinstance(node, nodes.ExprStmt) and isinstance(node.node, nodes.Call):
        target = node.node.node
    else:
        return None
    if isinstance(target, nodes.ExtensionAttribute) and target.identifier == Turns.identifier:
        return _TAGS.get(target.name)
    return None


_TAGS: Mapping[str, Literal["turn", "reply", "anew"]] = {
    name: name for name in ("turn", "reply", "anew")
}
"""The tags by the method that they call; the meters' calls are none."""


def reply_names(tree: nodes.Template) -> tuple[str, ...]:
    """The names in the template's reply tags, in the order written."""
    return tuple(
        cast(nodes.Const, cast(nodes.Call, node.node).args[1]).value
        for node in tree.find_all(nodes.ExprStmt)
        if called(node) == "reply"
    )


def tidy(text: str) -> str:
    """A turn's text without the white space around it and without the indentation that all its
    lines share. Lines that data brought are marked and keep theirs."""
    if "\n" in text and ("\n " in text or "\n\t" in text):
        text = _dedent("\n" + text)
    text = text.strip()
    return settle(text.replace(MARK, "").strip() if MARK in text else text)


def _dedent(text: str) -> str:
    margin: str | None = None
    for match in _INDENT.finditer(text):
        indent = match[1] or match[2] or ""
        if margin is None:
            margin = indent
        while not indent.startswith(margin):
            margin = margin[:-1]
        if not margin:
            return text
    return re.sub("\n" + re.escape(margin), "\n", text) if margin else text
