"""The basis of a cell: a hash of everything, except the sample, that determines its replies.

A trial that was finished on another basis (an edited prompt, another revision of the model) is not finished. What
concerns scoring alone (metrics, slices, synonyms, clusters...) is no part of it, and an option that a later version
adds changes no hash while it has its default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from harness.conditions.enhance import endpoints_of
from harness.core.cell import Cell
from harness.core.field import FieldSpec
from harness.core.prompt import Prompt
from harness.core.protocol import UsingTools
from harness.core.request import Sampling
from harness.core.task import Task
from harness.core.text import digest_json
from harness.core.tool import SECOND_OPINION
from harness.core.tools_asked import read_tools
from harness.protocols.registry import load_protocol
from harness.tools.registry import load_tools

_TAKES = re.compile(r"\{%[-+]?\s*(?:extends|include|import|from)\b")
"""A template that takes something from another file."""

DIGITS = 8
"""Hex digits of a basis."""

FIELD_KEYS = frozenset(
    {"kind", "labels", "low", "high", "words", "definitions", "member_of", "options"}
)
"""What of a field prompts show, or a reply is held to; definitions where the prompt may show them."""
TASK_KEYS = frozenset({"fields", "media", "max_tokens", "shots", "channel", "exemplars"})
"""What of a task counts: of fields the keys above, of media every key, `max_tokens` through the sampling, `shots` and
`channel` through the cell, `exemplars` where few-shot examples are shown; of `spotting` the digest of intervals that were
given. Samples are not part of it: what changes of a
sample shows in the keys of its requests."""

_FIELD_KEYS_0_2 = (
    "kind", "labels", "low", "high", "words", "member_of", "synonyms", "definitions", "metrics", "scored",
)  # fmt: skip
_MEDIA_KEYS_0_2 = ("frames", "resize", "fps")
_SAMPLING_0_2 = ("temperature", "top_p", "top_k", "repetition_penalty", "seed", "max_tokens")


def basis(
    cell: Cell,
    task: Task,
    prompt: Prompt,
    identity: str,
    sampling: Sampling,
    *,
    max_images: int | None = None,
    system: str = "keep",
    second: str = "",
    enhancers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Eight hex digits over what determines the replies of a cell.

    `identity` is that of the model's card; `max_images` what was declared for the model, if anything was, and
    `system` what becomes of system turns by its settings; `second` the identity of the second model, where there is one; `enhancers` those of
    endpoints that enhance pictures, by their names.
    """
    return basis_of(
        cell, task, prompt.digest, identity, _said_sampling(sampling), max_images=max_images,
        system=system, defining=may_define(prompt.source), second=second, enhancers=enhancers,
    )  # fmt: skip


def basis_of(
    cell: Cell,
    task: Task,
    prompt_digest: str,
    identity: str,
    sampling: dict[str, Any],
    *,
    max_images: int | None = None,
    system: str = "keep",
    defining: bool = True,
    second: str = "",
    tools: Mapping[str, Any] | None = None,
    enhancers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """`basis`, of what a manifest holds of a prompt and its sampling (parameters that are not the default).

    `defining` says whether the prompt may show definitions of labels; `tools` are the settings of tools that a manifest
    holds (`tool_settings`), in place of those of today.
    """
    keys = FIELD_KEYS if defining else FIELD_KEYS - {"definitions"}
    asked = {
        "condition": cell.condition,
        "shots": cell.shots,
        "label_order": cell.label_order,
        "protocol": cell.protocol,
        "channel": cell.channel,
        "prompt": prompt_digest,
        "model": identity,
        "sampling": sampling,
        "media": _said(task.media),
        "fields": {name: _said(spec, keys) for name, spec in task.fields.items()},
    }
    if max_images is not None:
        asked["max_images"] = max_images
    if cell.thinking:
        asked["thinking"] = cell.thinking
    asked |= {"pixels": cell.pixels} if cell.pixels else {}
    asked |= {"detail": cell.detail} if cell.detail else {}
    if cell.tools:
        asked["tools"] = tool_settings(cell, second=second) if tools is None else dict(tools)
    asked |= {"enhancers": used} if (used := enhancers_used(cell, enhancers)) else {}
    if system != "keep":
        asked["system"] = system
    if cell.shots:
        asked["exemplars"] = dict(task.exemplars)
    if task.spotting is not None and task.spotting.given is not None:
        asked["spots"] = task.spotting.given.digest
    return digest_json(asked)[:DIGITS]


def enhancers_used(cell: Cell, enhancers: Mapping[str, str]) -> dict[str, str]:
    """The identities of the endpoints that enhance the pictures of a cell, by their names; mostly none."""
    return {name: enhancers.get(name, "") for name in endpoints_of(cell.condition)}


def tool_settings(cell: Cell, *, second: str = "") -> dict[str, Any]:
    """What of a cell's tools determines its replies besides their names: versions, the limits of its protocol, and the
    identity of the second model where they ask one.

    Raises HarnessError for a tool that is unknown here.
    """
    from harness.tools.toolbox import TOOLBOX_VERSION

    asked, protocol = read_tools(cell.tools), load_protocol(cell.protocol)
    names = () if asked is None else asked.names
    asks = SECOND_OPINION in names and second
    return {
        "asked": cell.tools,
        "versions": {tool.name: tool.version for tool in load_tools(names)},
        "toolbox": TOOLBOX_VERSION,
        "protocol": dict(protocol.settings) if isinstance(protocol, UsingTools) else {},
        **({"second": second} if asks else {}),
    }


def basis_0_2(
    cell: Cell,
    task: Task,
    prompt: Prompt,
    identity: str,
    sampling: Sampling,
    *,
    max_images: int | None = None,
) -> str:
    """The basis as version 0.2.0 took it: trials that were finished under it count as finished."""
    parameters, media = asdict(sampling), task.media.model_dump(mode="json")
    return digest_json(
        [
            cell.as_row(),
            prompt.digest,
            identity,
            {name: parameters[name] for name in _SAMPLING_0_2},
            {name: media[name] for name in _MEDIA_KEYS_0_2},
            {name: _field_0_2(spec) for name, spec in task.fields.items()},
            *([] if max_images is None else [max_images]),
            *([dict(task.exemplars)] if cell.shots else []),
        ]
    )[:DIGITS]


def may_define(source: str) -> bool:
    """Whether a prompt may show definitions of labels, by its file: where that takes from other files, it may."""
    return "definitions" in source or _TAKES.search(source) is not None


def accepted(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The bases on which trials of a manifest's cell count as finished: its own, and earlier spellings of it."""
    return (entry["basis"], *entry.get("also", ()))


def accepted_bases(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Cell id -> the bases on which its trials count as finished, of the cells that the last command named."""
    return {e["id"]: accepted(e) for e in manifest["cells"] if e.get("named", True)}


def said_sampling(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a sampling, as a manifest holds them, that are not the default."""
    usual = {f.name: f.default for f in fields(Sampling) if f.default is not MISSING}
    return {n: v for n, v in sorted(parameters.items()) if n not in usual or v != usual[n]}


def _said_sampling(sampling: Sampling) -> dict[str, Any]:
    return said_sampling(asdict(sampling))


def _said(model: BaseModel, keys: frozenset[str] | None = None) -> dict[str, Any]:
    """What is not the default, so that an option that is added later changes no hash."""
    include = None if keys is None else set(keys & set(type(model).model_fields))
    found: dict[str, Any] = model.model_dump(mode="json", include=include, exclude_defaults=True)
    return found


def _field_0_2(spec: FieldSpec) -> dict[str, Any]:
    written = spec.model_dump(mode="json")
    return {name: written[name] for name in _FIELD_KEYS_0_2}
