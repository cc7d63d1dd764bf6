"""`harness.evaluate` and `harness.aevaluate`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

from harness.api.carry_out import carry_out
from harness.api.changes import changes, per_model
from harness.api.experiment import experiment_file, with_experiment
from harness.api.model_object import split_models
from harness.api.options import Evaluation, RunOptions, prepare
from harness.api.run import Run
from harness.api.watchers import Noting, chosen
from harness.core.cell import Channel
from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.core.task import Task
from harness.models import ModelSettings
from harness.run.loop import Stop, in_thread
from harness.run.provenance import redact
from harness.run.yaml_file import validated

AnyPath: TypeAlias = str | PathLike[str]
Asked: TypeAlias = str | PathLike[str] | Task
AnyModel: TypeAlias = str | Model | ModelSettings | Mapping[str, Any]


class EvaluateOptions(TypedDict, total=False):
    """The options of `evaluate` and `aevaluate`, with the defaults of `harness run`. One text stands for a list of one."""

    model: AnyModel
    """A name (`affect-tiny`, `vllm:MODEL`, `openai:MODEL@URL`, that of a `[models.NAME]` in harness.toml...),
    `harness.ModelSettings` or the same as a dict, or an object of `harness.core.model.Model`."""
    models: Sequence[AnyModel]
    """Several models, in place of `model`. None at all: only the baselines are scored."""
    prompts: str | Sequence[str]
    """Names of prompts, or `all`; default: the task's first."""
    conditions: str | Sequence[str]
    """What the pictures are shown as: `none` (default), `blank`...; exactly those named are run."""
    channels: Channel | Sequence[Channel]
    """How answers are taken: `free`, `choice`, `logprob`; default: the task's own."""
    max_images: int | Mapping[str, int]
    """The most pictures that one request may hold: to any model, or model -> number."""
    pixels: str | int | Sequence[str | int]
    """The most pixels of each picture sent (`"0.25MP"`, 250000; `"full"`: as they are); several are an axis."""
    details: str | Sequence[str]
    """How closely servers are asked to look at pictures: `low`, `high`, `auto`; several are an axis."""
    prices: str | Mapping[str, str]
    """What tokens cost, `INPUT/OUTPUT` for a million each (`2.50/10`, `2.50/10EUR`): of any model, or model -> price."""
    max_cost: float | str
    """The most that the replies in the run folder may cost, in the currency of the prices; `"5EUR"` names it."""
    label_orders: str | Sequence[str]
    """`as-written` (default), `reversed`, `rotated-K`, `shuffled-SEED`."""
    shots: int | Sequence[int]
    """Few-shot examples before each sample, 0 and up; default: the task's own."""
    thinking: str | int | Sequence[str | int]
    """How much a model is to think before it answers: `off`, `on`, `low`, `medium`, `high`, or a number of tokens. Several
    are an axis. A model that cannot be asked so is an error before anything is asked."""
    protocol: str
    """How a sample becomes an answer, in place of what prompts say (`harness list protocols`)."""
    repeats: int
    """How often each sample is asked, with the seeds S, S+1...; default 1."""
    temperature: float
    """0 to 10; 0 (default): the likeliest word each time."""
    limit: int
    """A seeded random choice of so many samples of each task; default: all."""
    max_tokens: int
    """Most tokens of a reply, its reasoning included, for all prompts; default: each prompt's own limit, else the task's."""
    seed: int
    """Seed of everything drawn; default 0."""
    source: Mapping[str, object]
    """Source options of the tasks: `{"file": "labels.csv", "image": "image", "label": "emotion"}`."""
    fields: Mapping[str, Mapping[str, object]]
    """Field -> key -> value: `{"emotion": {"metrics": ["uar"]}}`."""
    set: Mapping[str, object]
    """Any other values of the tasks by dotted path, as `--set` has them: `{"slices": ["gender"]}`."""
    prompts_folders: AnyPath | Sequence[AnyPath]
    """Folders of your own prompts, searched before the shipped ones."""
    tasks_folders: AnyPath | Sequence[AnyPath]
    """Folders of your own tasks, searched before the shipped ones."""
    out: AnyPath
    """The run folder; default under `results/runs/`. The same options go on in the same folder."""
    fit_on: AnyPath
    """What the baselines are fitted on: a path for the source, or source options (`split=train`)."""
    allow_remote: str | Sequence[str]
    """Hosts that pictures may be sent to; this machine needs no leave."""
    key_file: AnyPath
    """File that holds a server's key; default: the variable OPENAI_API_KEY."""
    vllm_python: AnyPath | Sequence[AnyPath]
    """Python of the environment that holds vLLM; `"MODEL=PYTHON"` for one model."""
    vllm_args: str | Sequence[str]
    """Arguments of `vllm serve`; `"MODEL=--flag"` for one model."""
    adapters: AnyPath | Sequence[AnyPath]
    """PEFT adapters (LoRA) to put upon models of transformers or vLLM; `"MODEL=PATH"` where several could take it."""
    trust_remote_code: str | Sequence[str]
    """Models whose own code may be run."""
    concurrency: int
    """Most requests in flight."""
    rpm: float
    """Most requests a minute to each server or provider."""
    tpm: float
    """Most tokens a minute, of conversations and replies together, to each server or provider."""
    give_up_after: float
    """Seconds without a reply after which a rate limit of a server is no longer waited out; default 900."""
    timeout: float
    """Seconds: the longest wait for one reply."""
    max_error_rate: float
    """0 to 1: the run stops when more than this share of the last 100 requests failed; default 0.2."""
    stop_after: float
    """Seconds after which nothing more is asked."""
    again: int
    """How many finished trials of each cell are asked anew, to see whether answers change; scores stay as they are."""
    reuse: AnyPath | Sequence[AnyPath]
    """Other run folders: their finished replies are taken where a request is the same (model, prompt, picture,
    sampling), and copied into this run with where they came from."""
    name: str
    """Title of the experiment; without `out` the run folder is called by it."""
    exclude: Mapping[str, str] | Sequence[Mapping[str, str]]
    """Cells that are left out, such as `{"model": "llama", "prompt": "mine/long*"}`."""
    against: Mapping[str, str]
    """The cells that all others are compared with, such as `{"prompt": "emotion/plain"}`."""
    select: Mapping[str, Any]
    """Source options: prompts are chosen `on` some samples and reported on others, such as
    `{"on": {"split": "train"}, "report": {"split": "test"}}`; `metric` decides."""
    preview: int
    """Ask so many samples of each task first; they count as part of the run."""
    check_models: bool
    """Whether a model of which nothing is left to ask is opened too; default False."""
    report: bool
    """Whether report.html is written; default True."""
    progress: bool
    """Whether the plan and the progress are shown; default True. `Run.notes` holds what was said either way."""


_LISTS = (
    "prompts", "conditions", "details", "channels", "label_orders", "shots", "thinking", "allow_remote", "vllm_args",
    "vllm_python", "adapters", "trust_remote_code",
    "prompts_folders", "tasks_folders", "exclude", "reuse",
)  # fmt: skip
_TEXTS = ("fit_on", "max_cost")
_OWN = (
    "model", "models", "max_images", "pixels", "prices", "source", "fields", "set", "report", "progress",
)  # fmt: skip


def _signed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its options in its signature, for `help` and the tips of a notebook."""
    defaults = {name: field.default for name, field in RunOptions.model_fields.items()}
    defaults |= {"report": True, "progress": True}
    kinds = inspect.Parameter
    task = kinds(
        "task", kinds.POSITIONAL_OR_KEYWORD, annotation="str | Task | Sequence[str | Task]"
    )
    options = [
        kinds(
            name, kinds.KEYWORD_ONLY, annotation=str(annotation),
            default=defaults.get(name) or (None if name in _LISTS else defaults.get(name)),
        )
        for name, annotation in EvaluateOptions.__annotations__.items()
    ]  # fmt: skip
    function.__signature__ = inspect.Signature([task, *options], return_annotation="Run")  # type: ignore[attr-defined]
    return function


def evaluate(task: Asked | Sequence[Asked], **options: Unpack[EvaluateOptions]) -> Run:
    """Ask models about every sample of one or more tasks, score the replies, write the report.

    Args:
        task: a task's name (`harness list tasks`), its YAML file, a Task, or several of these.
        **options: as in `harness run`; each is described in `harness.EvaluateOptions`. The most used: `model` (a
            name, or an object of your own that satisfies `harness.core.model.Model`), `prompts`, `conditions`,
            `source` (options of the data source: file, image, label...), `limit`, `out`.

    Returns:
        The finished run. Trials that failed are in `Run.failed()`; the same call asks them again.

    Raises:
        HarnessError: for an unknown task, prompt, model, metric or option, an option without effect, wrong data, a
            model that cannot be reached. Nothing in a folder is changed before the first request. Hints name the
            options of the command, `--allow-remote HOST`, which is `allow_remote=HOST` here.
        KeyboardInterrupt: what was finished is kept; the same call goes on from there.

    It may be called where an event loop is running (in a notebook): the work then has a thread and a loop of its own.
    """
    asked, watcher, report = _asked("evaluate", task, options)
    return _finished(asked, watcher, report=report, stop=Stop())


async def aevaluate(task: Asked | Sequence[Asked], **options: Unpack[EvaluateOptions]) -> Run:
    """As `evaluate`, without holding up the event loop that awaits it: the work is done in a thread.

    Takes and returns what `evaluate` takes and returns, and raises the same errors. Where the awaiting task is
    cancelled, the run is stopped, its end is waited for, and what was finished is kept. A model object is asked in
    another event loop than the one that awaits.
    """
    asked, watcher, report = _asked("aevaluate", task, options)
    return await in_thread(lambda stop: _finished(asked, watcher, report=report, stop=stop))


_signed(evaluate)
_signed(aevaluate)


def _finished(asked: Evaluation, watcher: Noting, *, report: bool, stop: Stop) -> Run:
    done = carry_out(asked, watcher, report=report, stop=stop)
    return Run(done.folder.path.absolute(), notes=tuple(watcher.lines))


def _asked(
    function: str, task: Asked | Sequence[Asked], options: Mapping[str, Any]
) -> tuple[Evaluation, Noting, bool]:
    """What a call asks for, who is told, and whether a report is written."""
    refuse_unknown(function, options, tuple(EvaluateOptions.__annotations__))
    given = {name: value for name, value in options.items() if value is not None}
    if "model" in given and "models" in given:
        raise HarnessError("model and models cannot be combined", hint="list all models in models")
    models = split_models(_models(given))
    plain = {name: value for name, value in given.items() if name not in _OWN}
    plain |= {name: _listed(plain[name]) for name in _LISTS if name in plain}
    plain |= {name: str(plain[name]) for name in _TEXTS if name in plain}
    body = {
        **plain,
        "tasks": tuple(one if isinstance(one, Task) else str(one) for one in _listed(task)),
        "models": models.names,
        "max_images": per_model(given.get("max_images")),
        "pixels": tuple(map(str, _listed(given.get("pixels", ())))),
        "prices": per_model(given.get("prices")),
        "changes": changes(
            source=given.get("source"), fields=given.get("fields"), set=given.get("set")
        ),
    }
    asked = validated(RunOptions, body, lambda keys: f"harness.{function}", "options")
    described: Mapping[str, ModelSettings] = {}
    if (
        path := experiment_file([str(one) for one in asked.tasks if not isinstance(one, Task)])
    ) is not None:
        asked, described = with_experiment(path, asked, spelled=_spelled)
    command = ["python", f"harness.{function}", *_written(task, options)]
    evaluation = prepare(
        asked,
        command=command,
        models=models.opening,
        settings={**described, **models.settings},
        spelled=_spelled,
    )
    watcher = Noting(chosen(bool(given.get("progress", True))))
    return evaluation, watcher, bool(given.get("report", True))


def refuse_unknown(function: str, options: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise HarnessError for an option that a function does not have."""
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=2)
            raise HarnessError(
                f"harness.{function} has no option {name!r}",
                hint=f"did you mean {' or '.join(near)}?"
                if near
                else f"options: {', '.join(known)}",
            )


def _spelled(name: str) -> str:
    return "model" if name == "models" else name


def _listed(given: Any) -> tuple[Any, ...]:
    """What was given as several: one text, path, number, task or model is a list of one."""
    if isinstance(given, Mapping):
        return (given,)
    if isinstance(given, (list, tuple, set, frozenset)):
        return tuple(given)
    if isinstance(given, (str, PathLike, Task, int, float)) or not hasattr(given, "__iter__"):
        return (given,)
    return tuple(given)


def _models(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The models: a dict is the settings of one."""
    found = given.get("models", given.get("model", ()))
    return (found,) if isinstance(found, (Mapping, ModelSettings)) else _listed(found)


def _written(task: object, options: Mapping[str, Any]) -> list[str]:
    """The arguments as the manifest has them: models that are objects by their names, no secret."""
    said = [", ".join(repr(getattr(one, "name", one)) for one in _listed(task))]
    for name, value in options.items():
        shown = value
        if name in {"model", "models"}:
            shown = list(split_models(_models({"models": value})).names)
        said.append(f"{name}={_shown(shown)}")
    return [redact(text) for text in said]


def _shown(value: Any) -> str:
    return repr(str(value) if isinstance(value, Path) else value)
