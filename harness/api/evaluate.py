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
    """Options of `evaluate` and `aevaluate`, with the defaults of `harness run`. A single value stands for a list of one."""

    model: AnyModel
    """Model to evaluate: a name (`affect-tiny`, `vllm:MODEL`, `openai:MODEL@URL`, or a `[models.NAME]` of harness.toml),
    `harness.ModelSettings` or the same as a dict, or an object that implements `harness.core.model.Model`."""
    models: Sequence[AnyModel]
    """Several models, instead of `model`. Without any model, only the baselines are scored."""
    prompts: str | Sequence[str]
    """Names of prompts, or `all`. Default: the task's first prompt."""
    conditions: str | Sequence[str]
    """How samples are shown: `none` (default), `blank` and others. Only the conditions named are run."""
    channels: Channel | Sequence[Channel]
    """How the answer is taken: `free`, `choice`, `logprob`. Default: the task's own channel."""
    max_images: int | Mapping[str, int]
    """Maximum number of pictures per request: for all models, or model -> number."""
    pixels: str | int | Sequence[str | int]
    """Maximum number of pixels per picture (`"0.25MP"`, 250000; `"full"`: no limit). Several values are an axis."""
    details: str | Sequence[str]
    """Image detail asked of a server: `low`, `high`, `auto`. Several values are an axis."""
    prices: str | Mapping[str, str]
    """Price of a million tokens, `INPUT/OUTPUT` (`2.50/10`, `2.50/10EUR`): for all models, or model -> price."""
    max_cost: float | str
    """Maximum cost of the replies in the run folder, in the currency of the prices; `"5EUR"` names one."""
    label_orders: str | Sequence[str]
    """Order of the labels in prompts: `as-written` (default), `reversed`, `rotated-K`, `shuffled-SEED`."""
    shots: int | Sequence[int]
    """Number of few-shot examples, 0 or more. Default: the task's own number."""
    thinking: str | int | Sequence[str | int]
    """How much a model reasons before it answers: `off`, `on`, `low`, `medium`, `high`, or a number of tokens. Several
    values are an axis. Raises an error before the first request if a model cannot be asked for it."""
    tools: str | Sequence[str]
    """Tools that a model may use before it answers: `none` (default), `"zoom+measure"`, or altered ones such as
    `"zoom+measure:swap"` (`harness list tools`). Several values are an axis."""
    second_model: str
    """Model whose answer the tool `second_opinion` gives: a name as in `models`, or one of harness.toml."""
    protocol: str
    """Protocol to use instead of the prompts' own (`harness list protocols`)."""
    repeats: int
    """Number of times each sample is asked, with seeds S, S+1, and so on. Default: 1."""
    temperature: float
    """Sampling temperature, 0 to 10. Default: 0, greedy decoding."""
    spots: AnyPath
    """For spotting tasks: the intervals of a spotter, in place of windows: a table (video, onset, offset), a run folder, or
    `"truth"`."""
    limit: int
    """Use a seeded random choice of this many samples per task. Default: all."""
    skip_missing: bool
    """Leave out tasks whose data root harness.toml does not define, instead of stopping; they are named. Default: False."""
    max_tokens: int
    """Maximum number of tokens in a reply, reasoning included. Default: the prompt's limit, otherwise the task's."""
    seed: int
    """Random seed. Default: 0."""
    source: Mapping[str, object]
    """Source options of the tasks: `{"file": "labels.csv", "image": "image", "label": "emotion"}`."""
    fields: Mapping[str, Mapping[str, object]]
    """Field -> key -> value: `{"emotion": {"metrics": ["uar"]}}`."""
    set: Mapping[str, object]
    """Other values of the tasks, by dotted path as in `--set`: `{"slices": ["gender"]}`."""
    prompts_folders: AnyPath | Sequence[AnyPath]
    """Folders with your own prompts, searched before the built-in ones."""
    tasks_folders: AnyPath | Sequence[AnyPath]
    """Folders with your own tasks, searched before the built-in ones."""
    out: AnyPath
    """Run folder; an existing one is continued. Default: a folder under `results/runs/`."""
    fit_on: AnyPath
    """Data to fit the baselines on: a path for the source, or source options (`split=train`)."""
    allow_remote: str | Sequence[str]
    """Hosts that pictures may be sent to, besides this machine."""
    key_file: AnyPath
    """File with the API key. Default: the environment variable OPENAI_API_KEY."""
    vllm_python: AnyPath | Sequence[AnyPath]
    """Python interpreter of the environment with vLLM; `"MODEL=PYTHON"` for one model."""
    vllm_args: str | Sequence[str]
    """Arguments of `vllm serve`; `"MODEL=--flag"` for one model."""
    adapters: AnyPath | Sequence[AnyPath]
    """LoRA or other PEFT adapters for transformers or vLLM models; `"MODEL=PATH"` if several models could take it. `{fold}` in
    the path: one for each fold of subjects."""
    folds: AnyPath
    """The folds of such adapters: `folds.json` of an export of training data. Default: next to the adapters."""
    trust_remote_code: str | Sequence[str]
    """Models whose own Python code may be run."""
    concurrency: int
    """Maximum number of requests in flight."""
    rpm: float
    """Maximum number of requests per minute to each server or provider."""
    tpm: float
    """Maximum number of tokens per minute, prompts and replies together, to each server or provider."""
    give_up_after: float
    """Seconds to wait out a server's rate limit without any reply. Default: 900."""
    timeout: float
    """Maximum time to wait for one reply, in seconds."""
    max_error_rate: float
    """Stop when more than this share of the last 100 requests failed, 0 to 1. Default: 0.2."""
    batch: bool
    """Send the requests to an `openai:` model through its server's batch API, at half the price; replies may take a day.
    Default: False."""
    batch_poll: float
    """Seconds between two questions about a batch. Default: 60."""
    on: str
    """Where replicas run: `processes` (this machine), `ray` (this machine) or `ray:HOST:PORT` (a cluster)."""
    replicas: int
    """Number of replicas of each model that computes where it is opened. Default: none besides this process."""
    gpus_per_replica: int
    """GPUs of each replica. Default: 1 if there are any."""
    shard: str
    """`"I/N"`: ask only this part of the samples. `harness merge` makes one run of all N folders."""
    stop_after: float
    """Seconds after which no more requests are sent."""
    again: int
    """How many finished trials of each cell are asked anew, to see whether answers change; scores stay as they are."""
    reuse: AnyPath | Sequence[AnyPath]
    """Other run folders: their finished replies are taken where a request is the same (model, prompt, picture,
    sampling), and copied into this run with where they came from."""
    name: str
    """Title of the experiment; without `out`, the run folder is named after it."""
    exclude: Mapping[str, str] | Sequence[Mapping[str, str]]
    """Cells to leave out, such as `{"model": "llama", "prompt": "mine/long*"}`."""
    against: Mapping[str, str]
    """Cells to compare all others with, such as `{"prompt": "emotion/plain"}`."""
    select: Mapping[str, Any]
    """Source options: prompts are chosen `on` some samples and reported on others, such as
    `{"on": {"split": "train"}, "report": {"split": "test"}}`; `metric` decides."""
    preview: int
    """Ask only this many samples per task now; they count as part of the run."""
    check_models: bool
    """Open every model, even if no request is left for it. Default: False."""
    report: bool
    """Write report.html. Default: True."""
    progress: bool
    """Show the plan and the progress. Default: True. `Run.notes` holds the messages either way."""


_LISTS = (
    "prompts", "conditions", "details", "channels", "label_orders", "shots", "thinking", "tools", "allow_remote", "vllm_args",
    "vllm_python", "adapters", "trust_remote_code",
    "prompts_folders", "tasks_folders", "exclude", "reuse",
)  # fmt: skip
_TEXTS = ("fit_on", "max_cost", "spots")
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
