"""What a dual encoder compares: pictures, and one or more texts for each label, as turns of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.message import Message, Text, Visual


@dataclass(frozen=True, slots=True)
class LabelTexts:
    """Pictures, and for each label its texts."""

    pictures: tuple[Visual, ...]
    texts: tuple[tuple[str, ...], ...]
    """For each label in the order of the request's candidates its texts, one at least."""


def label_turns(
    pictures: Sequence[Visual], texts: Mapping[str, Sequence[str]]
) -> tuple[Message, ...]:
    """A turn with the pictures, then one for each label: its name, and its texts line by line."""
    shown = (Message("user", tuple(pictures)),) if pictures else ()
    return (
        *shown,
        *(
            Message("user", (Text(f"{label}: "), Text("\n".join(lines))))
            for label, lines in texts.items()
        ),
    )


def read_label_turns(messages: Sequence[Message]) -> LabelTexts:
    """What `label_turns` wrote. Raises ValueError for turns that it did not write."""
    pictures: list[Visual] = []
    texts: list[tuple[str, ...]] = []
    for message in messages:
        parts = message.parts
        if parts and not any(isinstance(part, Text) for part in parts) and not texts:
            pictures += [part for part in parts if not isinstance(part, Text)]
        elif len(parts) == 2 and isinstance(parts[0], Text) and isinstance(parts[1], Text):
            texts.append(tuple(parts[1].text.split("\n")))
        else:
            raise ValueError(
                "a dual encoder takes pictures and a turn for each label, and this is another conversation: "
                "use a prompt with `family: dual`"
            )
    return LabelTexts(tuple(pictures), tuple(texts))
