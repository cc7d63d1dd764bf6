"""A job: the request of a command, and the folder for its results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.conditions import degrade, region
from harness.conditions.label_order import ordered
from harness.conditions.presentation import read_presentation
from harness.core.cell import AS_WRITTEN, Channel
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.core.price import Price, read_price
from harness.core.prompt_family import PromptFamily
from harness.core.sent_pictures import read_detail, read_pixels
from harness.core.task import Task
from harness.core.text import digest_json
from harness.models import BASELINES, ModelSettings, OpenOptions, takes
from harness.run.axes import Axes
from harness.run.fallback import declared_images
from harness.run.folder import RunFolder
from harness.run.numbering import Shard, read_shard
from harness.run.per_model import declared
from harness.run.provenance import redact
from harness.run.request_count import protocol_asked
from harness.run.second_model import asked_second
from harness.run.stop import Limits
from harness.run.task_files import split_change
from harness.run.tools_check import offered_tools
from harness.run.workspace import Workspace

RUNS = Path("results") / "runs"


@dataclass(frozen=True, slots=True)
class Job:
    """What a command asks for, checked as far as that can be done without reading data."""

    tasks: tuple[Task, ...]
    axes: Axes
    workspace: Workspace
    folder: RunFolder
    command: tuple[str, ...]
    fit_on: str | None
    options: OpenOptions
    """For the models that are opened, where they have no settings of their own."""
    limits: Limits
    again: int | None = None
    """How many finished trials of each cell are asked anew, in place of what is pending; None: the run as it is."""
    check_models: bool = False
    """Whether models are opened of which nothing is left to ask."""
    adapted: Mapping[str, OpenOptions] = field(default_factory=dict)
    """How models are opened that have adapters which lie here."""
    shard: Shard | None = None
    """The part of the plan that is asked; None: all of it."""
    reuse: tuple[Path, ...] = ()
    """Other run folders whose replies are taken where a request is the same."""


def make_job(
    tasks: Sequence[Task],
    workspace: Workspace,
    *,
    models: Sequence[str],
    prompts: Sequence[str],
    conditions: Sequence[str],
    channels: Sequence[Channel] = (),
    max_images: Sequence[str] = (),
    pixels: Sequence[str] = (),
    details: Sequence[str] = (),
    prices: Sequence[str] = (),
    label_orders: Sequence[str] = (),
    shots: Sequence[int] = (),
    thinking: Sequence[str] = (),
    tools: Sequence[str] = (),
    second_model: str | None = None,
    protocol: str | None = None,
    repeats: int = 1,
    temperature: float = 0.0,
    max_tokens: int | None = None,
    limit: int | None,
    seed: int,
    out: Path | None,
    fit_on: str | None,
    options: OpenOptions,
    limits: Limits,
    command: Sequence[str],
    changes: Sequence[str],
    again: int | None = None,
    check_models: bool = False,
    shard: str | None = None,
    reuse: Sequence[Path] = (),
    settings: Mapping[str, ModelSettings] = MappingProxyType({}),
    families: Mapping[str, tuple[PromptFamily, ...]] = MappingProxyType({}),
    exclude: Sequence[CellPattern] = (),
    experiment: Mapping[str, Any] = MappingProxyType({}),
) -> Job:
    """A job and its folder, which need not exist. Without `out` the same arguments give the same folder.

    `settings` are those of models that have any, `families` the prompt families of those that are no chat models. `max_images` are written `N` or `MODEL=N`, `prices` in the same way
    (`harness.core.price.read_price`); an option wins over a setting. Of the protocol `vote`, `repeats` says how many vote. Raises
    HarnessError for an unknown condition or protocol, or a model written with a secret.
    """
    protocol, repeats = protocol_asked(protocol, repeats)
    _refuse_secrets((*models, second := asked_second(second_model, tools)))
    axes = Axes(
        models=tuple(dict.fromkeys(m for m in models if m not in BASELINES)),
        prompts=tuple(dict.fromkeys(prompts)),
        conditions=tuple(dict.fromkeys(_shown(conditions, label_orders))),
        channels=tuple(dict.fromkeys(channels)),
        shots=tuple(dict.fromkeys(shots)),
        pixels=tuple(dict.fromkeys(map(read_pixels, pixels))),
        details=tuple(dict.fromkeys(map(read_detail, details))),
        max_images=_most_images(max_images, models, settings),
        prices=_prices(prices, models, settings, batch=options.batch),
        limit=limit, seed=seed, repeats=repeats, temperature=temperature, protocol=protocol,
        max_tokens=max_tokens, thinking=tuple(dict.fromkeys(thinking)),
        tools=offered_tools(tools, protocol), second=second,
        settings=dict(settings),
        changed=frozenset(split_change(change)[0][0] for change in changes),
        exclude=tuple(exclude), families=dict(families), experiment=dict(experiment),
    )  # fmt: skip
    part = None if shard is None else read_shard(shard)
    folder = out or RUNS / (_folder_name(tasks, axes, changes) + _of_part(part))
    return Job(
        tuple(tasks), axes, workspace, RunFolder(folder), tuple(command), fit_on, replace(options, log_folder=folder),
        limits, again=again, check_models=check_models, shard=part, reuse=tuple(reuse),
    )  # fmt: skip


def _of_part(shard: Shard | None) -> str:
    """What the name of a shard's folder ends with."""
    return "" if shard is None else f"-shard-{shard.number}-of-{shard.count}"


def _shown(conditions: Sequence[str], label_orders: Sequence[str]) -> list[str]:
    """Every condition in every label order, in one word each."""
    return [
        _in_order(condition, order)
        for name in conditions
        for part in region.expanded(name)
        for condition in degrade.expanded(part)
        for order in label_orders or (AS_WRITTEN,)
    ]


def _most_images(
    written: Sequence[str], models: Sequence[str], settings: Mapping[str, ModelSettings]
) -> dict[str, int]:
    own = {name: one.max_images for name, one in settings.items() if one.max_images}
    return {**own, **declared_images(written, models)}


def _prices(
    written: Sequence[str],
    models: Sequence[str],
    settings: Mapping[str, ModelSettings],
    *,
    batch: bool,
) -> dict[str, Price]:
    """Model -> what its tokens cost; those asked in batches by their batch price, half of the usual where none is set."""
    own = {name: one.price for name, one in settings.items() if one.price}
    prices = {**own, **declared(written, models, option="--price", read=read_price)}
    if not batch:
        return prices
    asked = [n for n in models if takes(settings[n].model if n in settings else n, "batch")]
    halved = {name: prices[name].halved for name in asked if name in prices}
    set_ = {n: p for n in asked if n in settings and (p := settings[n].batch_price)}
    return {**prices, **halved, **set_}


def _in_order(condition: str, order: str) -> str:
    """A written condition with a label order of its own or that asked for. Raises HarnessError for an unknown one."""
    written = read_presentation(condition)
    if order == AS_WRITTEN:
        return written.name
    ordered((), order)
    return replace(written, label_order=order).name


def _refuse_secrets(models: Sequence[str]) -> None:
    """A model's name stands in every file of a run, so a key must be stopped before the first is written."""
    for model in models:
        if redact(model) != model:
            raise HarnessError(
                f"the model name {redact(model)} contains a key or a password",
                hint="leave it out; put the key in OPENAI_API_KEY or in a file (--key-file)",
            )


def _folder_name(tasks: Sequence[Task], axes: Axes, changes: Sequence[str]) -> str:
    """The name of the experiment, else the same for the same arguments; those left out do not enter."""
    if name := axes.experiment.get("name"):
        return _slug(name)
    names = [task.name for task in tasks]
    asked: list[Any] = [
        names, axes.models, axes.prompts, axes.conditions, axes.limit, axes.seed, sorted(changes)
    ]  # fmt: skip
    asked += [axes.channels] if axes.channels else []
    asked += [["shots", *axes.shots]] if axes.shots else []
    asked += [dict(axes.max_images)] if axes.max_images else []
    asked += [["pixels", *axes.pixels]] if axes.pixels else []
    asked += [["detail", *axes.details]] if axes.details else []
    asked += [["protocol", axes.protocol]] if axes.protocol is not None else []
    asked += [["max_tokens", axes.max_tokens]] if axes.max_tokens else []
    asked += [["thinking", *axes.thinking]] if axes.thinking else []
    asked += [["tools", *axes.tools]] if any(axes.tools) else []
    asked += [["second", axes.second]] if axes.second else []
    spots = [t.spotting.given.digest for t in tasks if t.spotting and t.spotting.given]
    asked += [["spots", *spots]] if spots else []
    if axes.settings:
        asked += [["settings", *(one.telling for _, one in sorted(axes.settings.items()))]]
    drawn = (axes.repeats, axes.temperature)
    asked += list(drawn) if drawn != (1, 0.0) else []
    return f"{_slug('-'.join([*names[:3], *axes.models[:2]]))}-{digest_json(asked)[:8]}"


def _slug(words: str) -> str:
    """Words as a part of a path."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", redact(words)).strip("-.")[:80] or "experiment"
