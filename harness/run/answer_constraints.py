"""How a cell's channel shapes each request of a conversation."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.answers.constraints import Unfit, Wanted, wanted
from harness.core.cell import Channel
from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.message import Message
from harness.core.prompt import Prompt
from harness.core.protocol import Ask
from harness.core.task import Task

_NOTHING = Wanted()


class Asking:
    """What one cell wants of each reply. `held`: what the model was found to be able to do."""

    def __init__(
        self, task: Task, prompt: Prompt, channel: Channel, held: Collection[Need] | None = None
    ) -> None:
        self._task, self._head, self._channel, self._held = task, prompt.head, channel, held
        self._known: dict[tuple[str | None, tuple[str, ...]], Wanted] = {}

    def of(self, ask: Ask, asks: tuple[str, ...]) -> Wanted:
        """What is wanted of the reply to `ask`, in a trial that asks the fields `asks`. Raises Unfit."""
        if self._channel == "free":
            return _NOTHING
        order = asks
        if self._head.answer == "json" and (ask.reply is None or ask.reply in self._head.replies):
            order = as_told(self._keys(asks, ask.messages), ask.messages)
        found = self._known.get((ask.reply, order))
        if found is None:
            found = self._known[ask.reply, order] = self._wanted(ask.reply, order)
        return found

    def _keys(self, asks: tuple[str, ...], messages: Sequence[Message]) -> tuple[str, ...]:
        """The keys of a JSON reply: all that the conversation names, and asked fields that none of these settles.

        Several questions about one clip that are put in the same words are so held to the same schema, and one
        reply serves them all.
        """
        text = messages[-1].text if messages else ""
        fields = self._task.fields
        told = [name for name in self._head.fills(fields) if f'"{name}"' in text]
        rest = [name for name in asks if name not in told and fields[name].member_of not in told]
        return (*told, *rest)

    def _wanted(self, reply: str | None, asks: tuple[str, ...]) -> Wanted:
        if reply is None or reply in self._head.replies:
            here = self._head.read_from(reply, asks)
            found = (
                wanted(self._channel, self._fields(here), self._head.answer) if here else Wanted()
            )
        elif reply in asks:  # a named reply that is a field is that field's value and nothing else
            found = wanted(self._channel, self._fields((reply,)), "text")
        else:
            found = Wanted()
        held = self._held is None or found.need is None or found.need in self._held
        return found if held else Wanted()

    def _fields(self, names: Sequence[str]) -> dict[str, FieldSpec]:
        return {name: self._task.fields[name] for name in names}


def as_told(asks: tuple[str, ...], messages: Sequence[Message]) -> tuple[str, ...]:
    """The fields in the order in which the conversation last names them as keys.

    Whether cues come before the judgement is what a prompt is about; the order of a schema must not undo it.
    """
    text = messages[-1].text if messages else ""
    places = {name: text.rfind(f'"{name}"') for name in asks}
    return tuple(sorted(asks, key=lambda name: (places[name] < 0, places[name])))


def need_of(
    task: Task, prompt: Prompt, channel: Channel, asks: tuple[str, ...], awaited: Sequence[str]
) -> frozenset[Need]:
    """What a channel needs for trials that ask `asks`; `awaited` are the prompt's named replies.

    Raises HarnessError where the channel cannot take these fields by this prompt.
    """
    asking = Asking(task, prompt, channel)
    try:
        found = [asking.of(Ask((), name), asks).need for name in (*awaited, None)]
    except Unfit as reason:
        if prompt.head.family != "chat":  # nobody chose the channel
            raise HarnessError(
                f"a model that writes no text cannot answer task {task.name} (prompt {prompt.name}): {reason}",
                hint="use a model that writes text, or a task of labels",
            ) from None
        raise HarnessError(
            f"--channel {channel} cannot be used with prompt {prompt.name} on task "
            f"{task.name}: {reason}",
            hint=_HINTS[channel],
        ) from None
    return frozenset(need for need in found if need is not None)


_HINTS = {
    "choice": "use a prompt that asks for one field, or for JSON (answer: json), or leave out "
    "--channel choice",
    "logprob": "use a prompt that asks for one field in plain text: labels, yes or no, or a number "
    "with words (such as emotion/plain or affect/valence-word); or leave out --channel "
    "logprob",
}
