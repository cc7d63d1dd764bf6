"""Rows in the forms that trainers read.

messages: columns `messages` and `images`. Each content is a list of parts, `{"type": "image"}` and `{"type": "text", "text":
...}`, pictures in the order of `images`. TRL's SFTTrainer fills the pictures into such parts
(`trl.prepare_multimodal_messages`), and the chat templates of transformers take them.

sharegpt: columns `conversations` and `images`. Turns are `{"from": "system" | "human" | "gpt", "value": text}` with `<image>`
at each picture: human and gpt in turn, the system turn first, as many marks as pictures. LLaMA-Factory finds the files by
`dataset_info.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from harness.core.message import Image, Message, Text
from harness.exports.training_set.examples import Example

Form: TypeAlias = Literal["messages", "sharegpt"]
FORMS: tuple[Form, ...] = ("messages", "sharegpt")
DATASET_INFO = "dataset_info.json"

_FROM: Mapping[str, str] = {"system": "system", "user": "human", "assistant": "gpt"}
_MARK = "<image>"
_MARKS = (_MARK, "<video>", "<audio>")
"""What LLaMA-Factory takes for media wherever it stands."""

Place: TypeAlias = Callable[[Image], str]
"""A picture -> its path."""


def unfit(example: Example, form: Form) -> str:
    """Why the form cannot hold an example; empty where it can."""
    if form == "messages":
        return ""
    for message in example.messages:
        said = next((m for m in _MARKS if any(m in p.text for p in message.parts if isinstance(p, Text))), "")  # fmt: skip
        if said:
            return f"its text holds {said}, which sharegpt reads as a picture, video or sound"
    roles = [message.role for message in example.messages]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    if turns != (["user", "assistant"] * len(turns))[: len(turns)] or len(turns) % 2 == 0:
        return "its turns are not user and assistant in turn, as sharegpt wants them"
    return ""


def row(example: Example, form: Form, place: Place) -> dict[str, Any]:
    """One line of a file."""
    images = [place(p) for m in example.messages for p in m.parts if isinstance(p, Image)]
    about = {
        "sample": example.sample,
        "subject": example.subject,
        "prompt_name": example.cell.prompt,  # trainers take a column `prompt` for a text to be continued
        "condition": example.cell.shown_condition,
    }
    if form == "messages":
        turns = [{"role": m.role, "content": _parts(m)} for m in example.messages]
        answer = [{"type": "text", "text": example.answer}]
        turns.append({"role": "assistant", "content": answer})
        return {"messages": turns, "images": images, **about}
    said = [{"from": _FROM[m.role], "value": _marked(m)} for m in example.messages]
    said.append({"from": "gpt", "value": example.answer})
    return {"conversations": said, "images": images, **about}


def _parts(message: Message) -> list[dict[str, str]]:
    return [
        {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image"}
        for part in message.parts
    ]


def _marked(message: Message) -> str:
    return "".join(part.text if isinstance(part, Text) else _MARK for part in message.parts)


def dataset_info(files: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """LLaMA-Factory's description of files: (name of the data set, path of its file)."""
    return {
        name: {
            "file_name": path,
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "images"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                "system_tag": "system",
            },
        }
        for name, path in files
    }
