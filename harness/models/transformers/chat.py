"""Convert a rendered conversation to a checkpoint's chat template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import TemplateError

from harness.core.errors import HarnessError
from harness.core.message import Message, Text, Visual, medium_word
from harness.core.thinking import EFFORTS, OFF, ON

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
    audio: bool = False
    """Whether a sound has: its processor has a part for sounds, and the template writes the token that is expanded."""
    reply_parts: bool = True
    """Whether an assistant's turn may be a list of parts: Pixtral's and LLaVA-1.5's templates want a string."""
    thinking: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How much the model can be asked to think (`off`, `on`, `low`...) -> the template's variables that ask for it."""


def probe_chat(processor: Any) -> ChatForm:
    """Try a checkpoint's template. Raises HarnessError where it renders no turn at all."""
    parts = _renders(processor, [{"role": "user", "content": [{"type": "text", "text": _PROBE}]}])
    if not parts and not _renders(processor, [{"role": "user", "content": _PROBE}]):
        raise HarnessError(
            "the checkpoint has no chat template that can render a user turn",
            hint="use an instruction-tuned checkpoint, or add chat_template.jinja to its folder",
        )

    def content(text: str) -> Any:
        return [{"type": "text", "text": text}] if parts else text

    system = [
        {"role": "system", "content": content(_PROBE)},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Hello."}]},
    ]
    user = {"role": "user", "content": content("Hello.")}
    spoken = {"role": "assistant", "content": content(_PROBE)}
    return ChatForm(
        parts,
        _renders(processor, system),
        _has_video(processor),
        _has_audio(processor),
        parts and _renders(processor, [user, spoken]),
        _thinking(processor, [user]),
    )


def _thinking(processor: Any, turns: list[dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The levels by which the template renders one prompt otherwise than by another: it has a variable for them."""

    def rendered(**variables: Any) -> str | None:
        try:
            return str(
                processor.apply_chat_template(turns, add_generation_prompt=True, **variables)
            )
        except (TemplateError, TypeError, ValueError, AttributeError, KeyError):
            return None

    found: dict[str, Mapping[str, Any]] = {}
    for name in ("enable_thinking", "thinking"):
        switched = [rendered(**{name: False}), rendered(**{name: True})]
        if None not in switched and switched[0] != switched[1]:
            found |= {OFF: {name: False}, ON: {name: True}}
            break
    efforts = {effort: {"reasoning_effort": effort} for effort in EFFORTS}
    graded = [rendered(**variables) for variables in efforts.values()]
    if None not in graded and len(set(graded)) == len(EFFORTS):
        found |= efforts
    return found


def _has_video(processor: Any) -> bool:
    token = getattr(processor, "video_token", None)
    if getattr(processor, "video_processor", None) is None or token is None:
        return False
    content = [{"type": "video"}, {"type": "text", "text": _PROBE}]
    return _renders(processor, [{"role": "user", "content": content}], holding=token)


def _has_audio(processor: Any) -> bool:
    token = getattr(processor, "audio_token", None)
    if getattr(processor, "feature_extractor", None) is None or token is None:
        return False
    content = [{"type": "audio"}, {"type": "text", "text": _PROBE}]
    return _renders(processor, [{"role": "user", "content": content}], holding=token)


def render_chat(
    processor: Any,
    messages: tuple[Message, ...],
    form: ChatForm,
    *,
    begins_reply: bool = True,
    thinking: str = "",
) -> str:
    """The prompt with a placeholder for each picture, video and sound. Raises TemplateError where the template objects, and
    KeyError for a level of thinking that it has no variable for."""
    turns = [{"role": m.role, "content": _content(m, form)} for m in messages]
    variables = form.thinking[thinking] if thinking else {}
    return str(
        processor.apply_chat_template(turns, add_generation_prompt=begins_reply, **variables)
    )


def reply_space(processor: Any, form: ChatForm) -> str:
    """The white space that the template writes between the beginning of a reply and its text.

    Idefics3 and LLaVA-1.5 begin a reply by `Assistant:` and write ` happy` behind it; most write nothing. Raises
    TemplateError where the template objects.
    """
    asked = (Message("user", (Text("?"),)),)
    begun = render_chat(processor, asked, form)
    turns = (*asked, Message("assistant", (Text("!"),)))
    whole = render_chat(processor, turns, form, begins_reply=False)
    between, mark, _ = whole.removeprefix(begun).partition("!")
    written = whole.startswith(begun) and mark and not between.strip()
    return between if written else ""


def _content(message: Message, form: ChatForm) -> Any:
    parts = form.parts and (form.reply_parts or message.role != "assistant")
    if not parts and all(isinstance(part, Text) for part in message.parts):
        return message.text
    return [
        {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": _kind(part)}
        for part in message.parts
    ]


def _kind(part: Visual) -> str:
    """What chat templates call it."""
    word = medium_word(part)
    return "audio" if word == "sound" else word


def _renders(processor: Any, turns: list[dict[str, Any]], *, holding: str = "") -> bool:
    """Whether the text arrives, beside what it is to hold, and not as the printed form of a list."""
    try:
        prompt = processor.apply_chat_template(turns, add_generation_prompt=True)
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError):
        return False
    return _PROBE in prompt and "'type'" not in prompt and holding in prompt
