"""Options of `harness run` and `harness.evaluate`, checked in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

from harness.api.adapters import with_adapters
from harness.api.named_models import open_named, options_for, settings_for, spec_of
from harness.api.per_model import opened_as, refuse_in_batches
from harness.api.present_tasks import present_tasks
from harness.api.select import Select
from harness.core.cell import Channel
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError, refuse_unused
from harness.core.model import Model
from harness.core.price import read_money
from harness.core.prompt_family import CHAT
from harness.core.task import Task
from harness.core.thinking import read_thinking
from harness.core.tools_asked import NO_TOOLS, spelled_tools
from harness.models import ModelSettings, OpenOptions, families_of, takes
from harness.models.spread import Spread, can_spread, read_spread, spread
from harness.run.job import Job, make_job
from harness.run.stop import Limits
from harness.run.workspace import open_workspace

if TYPE_CHECKING:
    from harness.api.model_object import Opener

Thinking = Annotated[str, BeforeValidator(read_thinking)]
Tools = Annotated[str, BeforeValidator(lambda written: spelled_tools(str(written)) or NO_TOOLS)]
MOST_REPEATS = 10_000
MOST_TOKENS = 10_000_000
Seconds = Annotated[PositiveFloat, FiniteFloat]

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "models": "--model", "prices": "--price", "details": "--detail", "prompts": "--prompt", "conditions": "--condition", "channels": "--channel",
        "label_orders": "--label-order", "vllm_args": "--vllm-arg", "check_models": "--check-model",
        "adapters": "--adapter",
    }
)  # fmt: skip
"""Options whose flag of the command is not their name with dashes."""


def flag(name: str) -> str:
    """An option as the command writes it."""
    return FLAGS.get(name, "--" + name.replace("_", "-"))


class RunOptions(BaseModel):
    """What is to be run and how. The defaults are those of the command and of Python."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    tasks: Annotated[tuple[str | Task, ...], Field(min_length=1)]
    """Names or YAML files, or tasks that were made or loaded."""
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    max_images: tuple[str, ...] = ()
    """`N` or `MODEL=N`."""
    pixels: tuple[str, ...] = ()
    """The most pixels of each picture: `0.25MP`, `250000`, `full`."""
    details: tuple[str, ...] = ()
    """How closely servers are asked to look at pictures: `low`, `high`, `auto`."""
    prices: tuple[str, ...] = ()
    """`INPUT/OUTPUT` or `MODEL=INPUT/OUTPUT`, for a million tokens each (`harness.core.price`)."""
    max_cost: str | None = None
    """The most that the replies in the folder may cost: `5`, or `5EUR`."""
    label_orders: tuple[str, ...] = ()
    shots: tuple[NonNegativeInt, ...] = ()
    thinking: tuple[Thinking, ...] = ()
    """`off`, `on`, `low`, `medium`, `high`, or a number of tokens."""
    tools: tuple[Tools, ...] = ()
    """`none`, `zoom+measure`, `zoom:swap`: what models may use before they answer."""
    second_model: str | None = None
    """The model whose answer the tool `second_opinion` gives."""
    protocol: str | None = None
    """In place of the prompts' own. Of `vote`, `repeats` says how many replies vote."""
    repeats: Annotated[PositiveInt, Field(le=MOST_REPEATS)] = 1
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    max_tokens: Annotated[PositiveInt, Field(le=MOST_TOKENS)] | None = None
    limit: PositiveInt | None = None
    skip_missing: bool = False
    """Whether tasks are left out whose source names a data root that harness.toml does not define."""
    seed: NonNegativeInt = 0
    spots: str | None = None
    """A table or a run whose intervals are asked about in place of windows, or `truth`."""
    changes: tuple[str, ...] = ()
    """`source.file=labels.csv`: what is changed in the task files."""
    prompts_folders: tuple[Path, ...] = ()
    tasks_folders: tuple[Path, ...] = ()
    out: Path | None = None
    fit_on: str | None = None
    allow_remote: tuple[str, ...] = ()
    key_file: Path | None = None
    vllm_python: tuple[str, ...] = ()
    """`PYTHON`, or `MODEL=PYTHON` for one model."""
    vllm_args: tuple[str, ...] = ()
    """`--flag`, or `MODEL=--flag` for one model."""
    adapters: tuple[str, ...] = ()
    """`PATH`, or `MODEL=PATH` where several models could take it; with `{fold}` in it, one for each fold."""
    folds: Path | None = None
    """The folds of such adapters: `folds.json` of an export of training data."""
    trust_remote_code: tuple[str, ...] = ()
    """Models whose own code may be run."""
    concurrency: PositiveInt | None = None
    timeout: Seconds | None = None
    rpm: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Most requests a minute to each server or provider."""
    tpm: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Most tokens a minute, of conversations and replies together."""
    give_up_after: Seconds | None = None
    """Longest time without a reply that a rate limit is waited out."""
    batch: bool = False
    """Whether requests go through the server's batch API, at the batch price and within a day."""
    batch_poll: Seconds | None = None
    """How often a batch is asked about."""
    on: str | None = None
    """Where replicas run: `processes`, `ray` or `ray:HOST:PORT`."""
    replicas: PositiveInt | None = None
    """How many replicas each model has that can have several."""
    gpus_per_replica: NonNegativeInt | None = None
    max_error_rate: Annotated[float, Field(ge=0, le=1)] = 0.2
    stop_after: Seconds | None = None
    again: PositiveInt | None = None
    """How many finished trials of each cell are asked anew; nothing that is pending is asked then."""
    check_models: bool = False
    """Whether models are opened of which nothing is left to ask."""
    shard: str | None = None
    """`I/N`: only this part of the plan is asked."""
    reuse: tuple[Path, ...] = ()
    """Other run folders: their replies are taken where a request is the same."""
    name: str = ""
    """Title of the experiment; the run folder is called by it."""
    exclude: tuple[CellPattern, ...] = ()
    """Cells that are left out."""
    against: CellPattern | None = None
    """The cells that all others are compared with."""
    select: Select | None = None
    """Prompts are chosen on some samples and reported on others."""
    preview: PositiveInt | None = None
    """Ask so many samples of each task first; they count as part of the run."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A job, and what opens its models where the person who asks brought any."""

    job: Job
    opening: Opener | None = None
    """None leaves it to `harness.models`."""
    select: Select | None = None
    """How prompts are chosen, where they are."""


_HANDED_ON = (
    "models", "prompts", "channels", "max_images", "pixels", "details", "prices", "label_orders", "shots", "thinking", "tools",
    "second_model", "protocol", "repeats", "temperature", "max_tokens", "seed", "out", "fit_on", "changes", "again", "check_models",
    "exclude", "reuse", "shard",
)  # fmt: skip
"""Options that a job takes as they are."""


def prepare(
    asked: RunOptions,
    *,
    command: Sequence[str],
    models: Mapping[str, Opener] = MappingProxyType({}),
    settings: Mapping[str, ModelSettings] = MappingProxyType({}),
    spelled: Callable[[str], str] = flag,
) -> Evaluation:
    """The job that the options ask for, checked as far as that can be done without reading data.

    `models` opens those among `asked.models` that are objects; `settings` are those of models that are described in
    Python, beside those of harness.toml; `spelled` writes an option's name as the person who
    asks knows it. Raises HarnessError for an option that has no effect here, an unknown task, change, condition or
    folder.
    """
    _refuse_without_models(asked, spelled)
    _refuse_together(asked, spelled)
    place = open_workspace(Path.cwd(), prompts=asked.prompts_folders, tasks=asked.tasks_folders)
    given = frozenset(name for name in asked.model_fields_set if getattr(asked, name) is not None)
    seconds = (asked.second_model,) if asked.second_model else ()
    named = settings_for((*asked.models, *seconds), {**place.models, **settings}, given=given)
    refuse_in_batches(asked.models if asked.batch else (), named, spelled=spelled)
    opened = [spec_of(n, named) for n in (*asked.models, *seconds) if n not in models]
    remote = any(one.host in asked.allow_remote for one in place.enhancers.values())
    _refuse_unopened(asked, spelled, opened, enhancing=remote)
    tasks, left_out = present_tasks(asked, place, option=spelled("skip_missing"))
    job = make_job(
        tasks,
        place,
        **{name: getattr(asked, name) for name in _HANDED_ON},
        conditions=asked.conditions or ("none",),
        limit=asked.preview or asked.limit,
        options=_open_options(asked),
        limits=Limits(
            max_error_rate=asked.max_error_rate,
            seconds=asked.stop_after,
            cost=None if asked.max_cost is None else read_money(asked.max_cost),
        ),
        command=command,
        settings=named,
        families={
            name: getattr(models[name], "families", CHAT)
            if name in models
            else families_of(spec_of(name, named))
            for name in asked.models
        },
        experiment=_experiment(asked, left_out),
    )
    _refuse_own_spots(asked, job)
    mine = list(dict.fromkeys(n for n in (*job.axes.models, *seconds) if n not in models))
    options = opened_as(
        options_for(mine, named, job.options, job.axes),
        {name: spec_of(name, named) for name in mine},
        pythons=asked.vllm_python,
        arguments=asked.vllm_args,
        adapters=asked.adapters,
        trusted=asked.trust_remote_code,
        spelled=spelled,
    )
    options, job = with_adapters(
        options, {name: spec_of(name, named) for name in mine}, job, given=asked.folds, second=seconds, spelled=spelled
    )  # fmt: skip
    how = read_spread(
        asked.on, asked.replicas, asked.gpus_per_replica, allow_remote=frozenset(asked.allow_remote)
    )
    return Evaluation(
        job,
        partial(_open, models, named, options, how=how, second=asked.second_model),
        asked.select,
    )


def _refuse_together(asked: RunOptions, spelled: Callable[[str], str]) -> None:
    """Raise HarnessError for options that do not go together."""
    if asked.batch:
        refuse_unused(
            f"with {spelled('batch')}",
            {spelled(n): getattr(asked, n) for n in ("again", "max_cost", "rpm", "tpm")},
            hint="a batch is submitted as a whole: see what it costs with harness plan, and use limit for less",
        )
    elif asked.batch_poll:
        refuse_unused(f"without {spelled('batch')}", {spelled("batch_poll"): asked.batch_poll})
    if asked.again:
        refuse_unused(
            f"with {spelled('again')}",
            {spelled("reuse"): asked.reuse},
            hint="again sends requests to a model",
        )
    if asked.shard:
        refuse_unused(
            f"with {spelled('shard')}",
            {
                spelled("again"): asked.again,
                spelled("preview"): asked.preview,
                spelled("select"): asked.select,
            },
            hint="use it on the merged run",
        )
    if asked.spots:
        refuse_unused(
            f"with {spelled('spots')}, whose intervals are scored as a whole",
            {spelled(n): getattr(asked, n) for n in ("limit", "preview", "select")},
            hint="give a table with fewer videos, or fewer videos of the task",
        )
    if asked.preview and asked.limit and asked.preview >= asked.limit:
        raise HarnessError(
            f"{spelled('preview')} {asked.preview} is no first look at the {asked.limit} samples of {spelled('limit')}",
            hint="a preview asks fewer: give it a smaller number, or leave it out",
        )
    if asked.second_model and asked.max_cost is not None:
        raise HarnessError(
            f"{spelled('max_cost')} cannot be enforced with {spelled('second_model')}, whose replies have no price",
            hint="leave one of them out",
        )


def _experiment(asked: RunOptions, left_out: Mapping[str, str]) -> dict[str, Any]:
    """What the manifest records of an experiment."""
    found: dict[str, Any] = {"name": asked.name} if asked.name else {}
    if left_out:
        found["left_out"] = dict(left_out)
    if asked.against is not None:
        found["against"] = dict(asked.against.named)
    return found


def _open_options(asked: RunOptions) -> OpenOptions:
    return OpenOptions(
        allow_remote=frozenset(asked.allow_remote),
        key_file=asked.key_file,
        concurrency=asked.concurrency,
        timeout=asked.timeout,
        rpm=asked.rpm,
        tpm=asked.tpm,
        give_up_after=asked.give_up_after,
        batch=asked.batch,
        batch_poll=asked.batch_poll,
    )


def _refuse_own_spots(asked: RunOptions, job: Job) -> None:
    if asked.spots is not None:
        from harness.api.given_spots import refuse_own_run

        refuse_own_run(asked.spots, job.folder.path)


def _open(
    models: Mapping[str, Opener],
    settings: Mapping[str, ModelSettings],
    options: Mapping[str, OpenOptions],
    name: str,
    *,
    how: Spread | None,
    second: str | None,
) -> Model:
    """The model of a name, over replicas where it can have several. The second model of a run has none."""
    if name in models:
        return models[name](name)
    model, spec = open_named(name, settings, options), spec_of(name, settings)
    if how is None or name == second or not can_spread(spec):
        return model
    return spread(model, spec, options[name], how)


_ASKING = (
    "prompts", "channels", "max_images", "label_orders", "shots", "temperature", "protocol", "thinking", "tools", "second_model",
    "max_tokens", "pixels", "details", "prices", "max_cost", "max_error_rate", "stop_after", "again", "reuse", "shard", "repeats",
    "exclude", "against", "select", "preview",
)  # fmt: skip
"""Options that say how a model is asked, besides conditions."""


def _refuse_without_models(asked: RunOptions, spelled: Callable[[str], str]) -> None:
    """Raise HarnessError for options that say how a model is asked, where none is named."""
    if asked.models:
        return
    given = {name: getattr(asked, name) for name in _ASKING if name in asked.model_fields_set}
    given["conditions"] = [name for name in asked.conditions if name != "none"]
    refuse_unused(
        f"without {spelled('models')}",
        {spelled(name): value for name, value in given.items()},
        hint=f"name a model with {spelled('models')}, such as affect-tiny",
    )


_CONCERNS = {"adapters": "adapter", "on": "replicas", "gpus_per_replica": "replicas"}
"""Option of a run -> what it is called where a kind of model says what it takes."""


def _refuse_unopened(
    asked: RunOptions, spelled: Callable[[str], str], opened: Sequence[str], *, enhancing: bool
) -> None:
    """Raise HarnessError for options of opening that none of the models opened can use; `enhancing` says that pictures may
    be sent to an allowed host to be enhanced."""
    named = spelled("models")
    doing = f"with {named} {', '.join(asked.models)}" if asked.models else f"without {named}"
    for option in (
        "allow_remote",
        "key_file",
        "vllm_python",
        "concurrency",
        "timeout",
        "rpm",
        "tpm",
        "give_up_after",
        "batch",
        "batch_poll",
        "vllm_args",
        "adapters",
        "trust_remote_code",
        "on",
        "replicas",
        "gpus_per_replica",
    ):
        if option == "allow_remote" and (asked.on or "").startswith("ray:"):
            continue  # it may be for the machines of a cluster (`read_spread`)
        if option == "allow_remote" and enhancing:
            continue
        taken = _CONCERNS.get(option, option)
        if not any(takes(model, taken) for model in opened):
            refuse_unused(doing, {spelled(option): getattr(asked, option)})
    objects = len(opened) < len(asked.models)  # each says for itself what it takes
    if not objects and not any(takes(model, "details") for model in opened):
        refuse_unused(doing, {spelled("details"): asked.details})
    if not asked.models:
        refuse_unused(doing, {spelled("check_models"): asked.check_models})
