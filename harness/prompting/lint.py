"""Lint: find problems of a prompt by trial renderings.

A trial gives the prompt made-up labels, a made-up question and one or three made-up pictures, and
looks at what comes out; nothing is guessed from the template's text alone.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.label_texts import read_label_turns
from harness.core.message import Image, Message, Text
from harness.core.prompt import ANY_FIELD, Prompt
from harness.core.task import Task
from harness.prompting.faults import PromptError
from harness.prompting.library import Library
from harness.prompting.turns import MAX_SECONDS
from harness.prompting.variables import PROMPT_VARIABLES, field_variables, made_up_examples

_QUESTION = "made-up question"
_MAX_REPLIES = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a prompt."""

    prompt: str
    file: str
    """The file it is in, which may be a part that the prompt extends or includes."""
    line: int
    """From 1; 0 where no line is to blame."""
    code: str
    """`unknown-variable`, `does-not-render`, `field-never-asked`, `contract-mismatch`,
    `media-missing`, `media-twice`, `varies-before-media`, `protocol-mismatch`, `reply-mismatch`, `ends-unasked`."""
    level: Literal["error", "warning"]
    message: str
    hint: str


Turns: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A prompt rendered to its end: one conversation, or several that a tag sets apart."""

    conversations: tuple[Turns, ...]
    pictures: tuple[Image, ...]

    @property
    def messages(self) -> Turns:
        """The last conversation, which asks for the answer."""
        return self.conversations[-1]

    def count(self, picture: Image) -> int:
        """How often one conversation shows a picture, at most."""
        return max(
            sum(part is picture for message in turns for part in message.parts)
            for turns in self.conversations
        )

    @property
    def text(self) -> str:
        return "\n".join(m.text for turns in self.conversations for m in turns).casefold()


def lint(library: Library, prompt: Prompt, *, task: Task | None = None) -> list[Finding]:
    """Everything found, in order of line. With a task, its fields stand in for made-up ones and
    the two contracts are held against each other."""
    unknown = list(_unknown_variables(library, prompt))
    findings = [*unknown, *_protocol(library, prompt), *_contract(prompt, task)]
    findings += _named_replies(library, prompt)
    if not unknown:  # a trial would only fail on the same variable
        findings += _trials(library, prompt, task)
    return sorted(findings, key=lambda finding: (finding.line, finding.code, finding.message))


def _find(
    prompt: Prompt,
    code: str,
    message: str,
    *,
    hint: str,
    line: int = 0,
    file: str = "",
    level: Literal["error", "warning"] = "error",
) -> Finding:
    return Finding(prompt.name, file or f"{prompt.name}.j2", line, code, level, message, hint)


def _unknown_variables(library: Library, prompt: Prompt) -> Iterator[Finding]:
    for name in sorted(library.variables(prompt) - PROMPT_VARIABLES.keys()):
        file, line = library.survey(prompt).place(name)
        near = difflib.get_close_matches(name, PROMPT_VARIABLES, n=1)
        yield _find(
            prompt,
            "unknown-variable",
            f"unknown variable {name}",
            hint=(f"did you mean {near[0]}? " if near else "")
            + f"use one of {', '.join(PROMPT_VARIABLES)}, or the name of an earlier reply",
            line=line,
            file=file,
        )


def _protocol(library: Library, prompt: Prompt) -> Iterator[Finding]:
    replies = library.survey(prompt).replies
    line = _head_line(prompt, "protocol")
    if prompt.head.protocol == "single" and replies:
        yield _find(
            prompt,
            "protocol-mismatch",
            f"`reply as {replies[0]}` needs a protocol with several requests, but the "
            "protocol is single",
            hint="write `protocol: describe-then-answer` in the front matter",
            line=line,
        )
    if prompt.head.protocol == "describe-then-answer" and not replies:
        yield _find(
            prompt,
            "protocol-mismatch",
            "the protocol is describe-then-answer, but there is no reply between turns",
            hint="add {% reply as description %} between two user turns",
            line=line,
        )


def _named_replies(library: Library, prompt: Prompt) -> Iterator[Finding]:
    """`replies:` names every reply tag, in the order in which they stand."""
    tags = library.survey(prompt).replies
    named = tuple(prompt.head.replies)
    if named and named != tuple(tags):
        yield _find(
            prompt,
            "reply-mismatch",
            f"`replies:` lists {', '.join(named)}; the reply tags are {', '.join(tags) or 'none'}",
            hint="list every reply tag, in order; use `name: []` for one from which no field "
            "is read",
            line=_head_line(prompt, "replies"),
        )


def _contract(prompt: Prompt, task: Task | None) -> Iterator[Finding]:
    if task is not None and not prompt.head.fills(task.fields):
        yield _find(
            prompt,
            "contract-mismatch",
            f"the prompt answers {', '.join(prompt.head.fields)}; the task "
            f"{task.name or 'given'} has {', '.join(task.fields)}",
            hint="choose another prompt, or list the task's fields in `fields:`",
            line=_head_line(prompt, "fields"),
        )


def _trials(library: Library, prompt: Prompt, task: Task | None) -> Iterator[Finding]:
    fields = _trial_fields(prompt, task)
    try:
        one = _trial(library, prompt, fields, pictures=1)
        three = _trial(library, prompt, fields, pictures=3)
        if "exemplars" in library.variables(prompt):
            _trial(library, prompt, fields, pictures=1, examples=made_up_examples(fields, 2))
    except PromptError as error:
        yield _find(
            prompt,
            "does-not-render",
            error.fault,
            hint=error.hint,
            line=error.line,
            file=error.file,
        )
        return
    except HarnessError as error:
        yield _find(prompt, "does-not-render", error.message, hint=error.hint)
        return
    if prompt.head.family == "dual":
        yield from _texts(prompt, one, fields)
        return
    yield from _media(library, prompt, one, three)
    if prompt.head.family == "none":
        return
    yield from _asked(library, prompt, one, fields)
    yield from _order(library, prompt, one)
    if one.messages[-1].role != "user":
        yield _find(
            prompt,
            "ends-unasked",
            f"the conversation ends with a turn of the {one.messages[-1].role}",
            hint="end with a user turn, which the model then answers",
        )


def _texts(prompt: Prompt, one: _Trial, fields: dict[str, FieldSpec]) -> Iterator[Finding]:
    """Labels whose texts are those of another label, which no model can tell apart."""
    found = read_label_turns(one.messages).texts
    if len(found) > 1 and len(set(found)) == 1:
        yield _find(
            prompt,
            "field-never-asked",
            f"the texts are the same for every label of {', '.join(fields)}",
            hint="print {{ label }} or {{ definition }}, which differ between labels",
        )


def _media(library: Library, prompt: Prompt, one: _Trial, three: _Trial) -> Iterator[Finding]:
    used = library.variables(prompt)
    every = bool(used & {"frames", "images"})
    trials = [one, three] if every else [one]
    counts = {trial.count(picture) for trial in trials for picture in trial.pictures}
    name = "frames" if every else "image"
    file, line = library.survey(prompt).place(name)
    if 0 in counts:
        yield _find(
            prompt,
            "media-missing",
            "not all frames are shown" if every else "the picture is not shown",
            hint="write {{ frames | join('\\n') }}" if every else "write {{ image }}",
            line=line,
            file=file,
        )
    if max(counts) > 1:
        yield _find(
            prompt,
            "media-twice",
            "a picture is shown more than once",
            hint="print each picture once; it stays in the conversation",
            line=line,
            file=file,
        )


def _asked(
    library: Library, prompt: Prompt, trial: _Trial, fields: dict[str, FieldSpec]
) -> Iterator[Finding]:
    if "question" in library.variables(prompt):
        return  # the sample's own question says what is asked
    for name, spec in fields.items():
        spellings = {name, name.replace("_", " "), *_shown_labels(spec)}
        if not any(spelling.casefold() in trial.text for spelling in spellings):
            yield _find(
                prompt,
                "field-never-asked",
                f"the front matter lists the field {name}, but the text does not ask for it",
                hint=f"ask for it, or remove {name} from `fields:`",
                line=_head_line(prompt, "fields"),
            )


def _order(library: Library, prompt: Prompt, trial: _Trial) -> Iterator[Finding]:
    for message in trial.messages:
        for part in message.parts:
            if not isinstance(part, Text):
                return
            if _QUESTION in part.text:
                file, line = library.survey(prompt).place("question")
                yield _find(
                    prompt,
                    "varies-before-media",
                    "the question, which changes with every sample, comes before the picture",
                    hint="print the pictures first; servers can then cache a picture that "
                    "several questions share",
                    line=line,
                    file=file,
                    level="warning",
                )
                return


def _trial_fields(prompt: Prompt, task: Task | None) -> dict[str, FieldSpec]:
    """The fields both sides name, each with made-up labels that no wording contains by chance."""
    known = task.fields if task is not None else {}
    listed = tuple(known) or ("answer",) if prompt.head.fields == ANY_FIELD else prompt.head.fields
    names = [name for name in listed if not known or name in known]
    return {
        name: FieldSpec(
            kind=known[name].kind if name in known else "label",
            labels=tuple(f"made-up-{name}-{k}" for k in range(3)),
            low=known[name].low if name in known else -1.0,
            high=known[name].high if name in known else 1.0,
            options=known[name].options if name in known else {},
        )
        for name in names or listed
    }


def _shown_labels(spec: FieldSpec) -> tuple[str, ...]:
    return spec.classes if spec.labelled else ()


def _trial(
    library: Library,
    prompt: Prompt,
    fields: dict[str, FieldSpec],
    *,
    pictures: int,
    examples: tuple[dict[str, Any], ...] = (),
) -> _Trial:
    shown = tuple(Image(f"trial-{k}", b"trial %d" % k) for k in range(pictures))
    variables = field_variables(fields, question=_QUESTION, exemplars=examples)
    beside: tuple[Image, ...] = ()
    if "paired" in library.variables(prompt):
        beside = (Image("trial-second", b"trial second"),)
        variables = {**variables, "paired": {"image": beside[0], "frames": beside}}
    replies: dict[str, str] = {}
    conversations: list[Turns] = []
    start = time.thread_time()
    for _ in range(_MAX_REPLIES):
        if time.thread_time() - start > MAX_SECONDS:
            raise HarnessError(
                f"rendering it takes more than {MAX_SECONDS:g} seconds",
                hint="loop less; work on shorter texts",
            )
        rendering = library.render(prompt, variables=variables, pictures=shown, replies=replies)
        if conversations and rendering.messages[: len(conversations[-1])] == conversations[-1]:
            conversations.pop()  # the same conversation, longer
        conversations.append(rendering.messages)
        if rendering.awaiting is None:
            break
        replies[rendering.awaiting] = "A face."
    return _Trial(tuple(conversations), (*shown, *beside))


def _head_line(prompt: Prompt, key: str) -> int:
    """The line of the front matter that sets `key`, else its first."""
    for k, line in enumerate(prompt.source.split("\n")):
        if line.startswith(f"{key}:"):
            return k + 1
    return 1
