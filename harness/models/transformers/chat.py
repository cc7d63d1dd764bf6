"""A rendered conversation as a checkpoint's own chat template wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from harness.core.errors import HarnessError
from harness.core.message import Image, Message, Text

_PROBE = "zqxj probe zqxj"


@dataclass(frozen=True, slots=True)
class ChatForm:
    """What a chat template takes, found by trying it."""

    parts: bool
    """Whether a turn of text alone may be a list of parts; otherwise it goes in as a string."""
    system_role: bool
    """Whether a system turn may stand before pictures: Llama-3.2-Vision's template refuses that."""
    video: bool = False
    """Whether a video has a place of its own, with the token that the processor expands."""


def probe_chat(processor: Any) -> ChatForm:
    """Try a checkpoint's template. Raises HarnessError where it renders no turn at all."""
    parts = _renders(processor, [{"role": "user", "content": [{"type": "text", "text": _PROBE}]}])
    if not parts and not _renders(processor, [{"role": "user", "content": _PROBE}]):
        raise HarnessError(
            "the checkpoint has no chat template that renders a user's turn",
            hint="use an instruction-tuned checkpoint, or add chat_template.jinja to its folder",
        )

    def content(text: str) -> Any:
        return [{"type": "text", "text": text}] if parts else text

    system = [
        {"role": "system", "content": content(_PROBE)},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hello."}]},
    ]
    return ChatForm(parts, _renders(processor, system), _has_video(processor))


def _has_video(processor: Any) -> bool:
    token = getattr(processor, "video_token", None)
    if getattr(processor, "video_processor", None) is None or token is None:
        return False
    content = [{"type": "video"}, {"type": "text", "text": _PROBE}]
    return _renders(processor, [{"role": "user", "content": content}], holding=token)


def render_chat(processor: Any, messages: tuple[Message, ...], form: ChatForm) -> str:
    """The prompt with a placeholder for each picture and video. Raises TemplateError where the template objects."""
    turns = [{"role": m.role, "content": _content(m, form)} for m in messages]
    return str(processor.apply_chat_template(turns, add_generation_prompt=True))


def _content(message: Message, form: ChatForm) -> Any:
    if not form.parts and all(isinstance(part, Text) for part in message.parts):
        return message.text
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, Text)
        else {"type": "image" if isinstance(part, Image) else "video"}
        for part in message.parts
    ]


def _renders(processor: Any, turns: list[dict[str, Any]], *, holding: str = "") -> bool:
    """Whether the text arrives, beside what it is to hold, and not as the printed form of a list."""
    try:
        prompt = processor.apply_chat_template(turns, add_generation_prompt=True)
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError):
        return False
    return _PROBE in prompt and "'type'" not in prompt and holding in prompt
