"""Find models by their name on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from harness.core.errors import HarnessError, refuse_unused
from harness.core.model import Model
from harness.core.prompt_family import CHAT, PromptFamily
from harness.core.registry import Listed, Registry
from harness.core.request import Sampling
from harness.models.http.endpoint import remote_host
from harness.models.retry import Patience
from harness.models.settings import BatchForm, ModelSettings

MODELS = Registry(
    "model",
    "harness.models",
    {
        "affect-tiny": "harness.models.transformers.opening:open_tiny",
        "clip": "harness.models.dual.model:open_dual",
        "langchain": "harness.models.langchain.opening:open_langchain",
        "langchain-agent": "harness.models.langchain.graph:open_graph",
        "openai": "harness.models.http.model:open_openai",
        "similarity": "harness.similarity.model:open_similarity",
        "specialist": "harness.models.specialists.model:open_specialist",
        "transformers": "harness.models.transformers.opening:open_local",
        "vllm": "harness.models.vllm.model:open_vllm",
    },
    expects=(Callable,),
)

BASELINES = ("majority", "prior")
"""Rows that need no model: scoring makes them from the targets alone."""

_FORMS = (
    (
        "affect-tiny",
        "affect-tiny",
        "the built-in model for drawn faces, on this machine; it was taught to use the tool zoom",
    ),
    (
        "transformers",
        "transformers:Qwen/Qwen2.5-VL-3B-Instruct",
        "a checkpoint folder or hub id, optionally with @REVISION, run by transformers on "
        "this machine",
    ),
    (
        "clip",
        "clip:openai/clip-vit-base-patch16",
        "a dual encoder (CLIP, SigLIP): a checkpoint folder or hub id, or clip:tiny, built in for drawn faces; "
        "clip:BASE+tuned:FILE with learned prompts",
    ),
    (
        "vllm",
        "vllm:Qwen/Qwen2.5-VL-7B-Instruct",
        "a checkpoint folder or hub id, served by a vLLM server that the run starts and stops",
    ),
    (
        "openai",
        "openai:qwen@http://127.0.0.1:8000",
        "a model on an OpenAI-compatible server (vLLM and others)",
    ),
    (
        "langchain",
        "langchain:anthropic:claude-sonnet-4-5",
        "any LangChain chat model, by provider; langchain:openai:MODEL@URL for a server",
    ),
    (
        "langchain-agent",
        "langchain-agent:MODULE:FACTORY",
        "an agent of your own: a compiled LangGraph graph that calls the tools itself",
    ),
    (
        "specialist",
        "specialist:fer",
        "a classifier of pictures on this machine: fer (seven emotions, built in), or a file with its card: "
        "specialist:onnx:FILE, specialist:tflite:FILE",
    ),
    (
        "similarity",
        "similarity:dlib",
        "a recogniser, which scores pairs of pictures: dlib, clip:PATH, tiny (built in for drawn faces; tells ages too), "
        "or a service on this machine, http://127.0.0.1:PORT/PATH",
    ),
    ("majority", "majority", "baseline: always the most common class"),
    ("prior", "prior", "baseline: classes drawn at their own frequency"),
)


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What the person who runs allows and wishes, for any kind of model; each takes what concerns it."""

    allow_remote: frozenset[str] = frozenset()
    """Host names that pictures may be sent to; loopback needs no leave."""
    key_file: Path | None = None
    """File that holds the server's key, instead of the environment."""
    key_env: str | None = None
    """Variable that holds the server's key, in place of OPENAI_API_KEY; it goes to this model's host alone."""
    usual_key: bool = True
    """Whether OPENAI_API_KEY may go to this model's host; not where several hosts are asked and it may be another's."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request to the server."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Added to the server's address."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Added to the body of every request."""
    trust_remote_code: bool = False
    """Whether code that lies beside the weights may run."""
    adapter: str | None = None
    """A PEFT adapter on top of the weights: a folder or a hub id."""
    adapters: Mapping[str, str] = field(default_factory=dict)
    """Fold -> folder of its adapter, or the name under which a server has it; a request names its fold."""
    folds: str = ""
    """Hex digest of which subjects are in which of these folds: part of the model's identity."""
    share: bool = True
    """Whether what prompts about one picture have in common is read once."""
    vllm_python: str | None = None
    """Python of the environment that vLLM is installed in; None means this one, else that of the command `vllm`."""
    vllm_args: tuple[str, ...] = ()
    """Arguments passed on to `vllm serve`."""
    log_folder: Path | None = None
    """Where the log of a server that was started may be kept; None means nowhere."""
    concurrency: int | None = None
    """Most requests in flight; None leaves it to the adapter."""
    timeout: float | None = None
    """Longest wait for one reply of a server, in seconds; None leaves it to the adapter."""
    sampling: Sampling = field(default_factory=Sampling)
    """With which replies will be drawn: what a server takes is tried with it."""
    rpm: float | None = None
    """Most requests to a server; None means no limit of ours."""
    tpm: float | None = None
    """Most tokens of conversations and replies together; None means no limit of ours."""
    give_up_after: float | None = None
    """Longest time without a reply that a rate limit is waited out, in seconds; None leaves it to the adapter."""
    batch: bool = False
    """Whether requests go through the server's batch API."""
    batch_api: BatchForm = "openai"
    """The form in which the server's batch API is spoken to."""
    batch_poll: float | None = None
    """Seconds between two questions about a batch; None leaves it to the adapter."""

    def of(self, settings: ModelSettings, *, sampling: Sampling) -> OpenOptions:
        """These for one model. Raises HarnessError for a setting that has no effect on models of its kind."""
        said = settings.model_dump(exclude_defaults=True)
        refuse_unused(
            f"with [models.{settings.called}], which is {settings.model}",
            {
                name: name in said
                for name, option in _SETTINGS.items()
                if not takes(settings.model, option)
            },
        )
        own_key = settings.key_env or settings.key_file
        return replace(
            self,
            key_file=settings.key_file if own_key else self.key_file,
            key_env=settings.key_env,
            headers=settings.headers,
            query=settings.query,
            body=settings.body,
            trust_remote_code=settings.trust_remote_code,
            adapter=settings.adapter,
            share=settings.share,
            batch_api=settings.batch_api,
            vllm_python=settings.python or self.vllm_python,
            vllm_args=(*self.vllm_args, *settings.arguments),
            sampling=sampling,
        )

    def patience(self) -> Patience:
        """How long is waited, by what is set here."""
        usual = Patience()
        return replace(
            usual,
            timeout=usual.timeout if self.timeout is None else self.timeout,
            give_up_after=usual.give_up_after if self.give_up_after is None else self.give_up_after,
        )


_REACHED = frozenset(
    {
        "allow_remote",
        "key_file",
        "concurrency",
        "timeout",
        "rpm",
        "tpm",
        "give_up_after",
    }
)
_TAKEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "affect-tiny": frozenset({"adapter", "share", "replicas"}),
        "clip": frozenset({"replicas"}),
        "similarity": frozenset({"replicas"}),
        "specialist": frozenset({"replicas"}),
        "transformers": frozenset({"trust_remote_code", "adapter", "share", "replicas"}),
        "vllm": frozenset({"vllm_python", "vllm_args", "concurrency", "timeout", "replicas"})
        | {"body", "trust_remote_code", "adapter", "details", "pictures_in_flight"},
        "openai": _REACHED
        | {"key_env", "headers", "query", "body", "details", "batch", "batch_poll"}
        | {"pictures_in_flight", "checkpoint", "batch_api", "batch_price"},
        "langchain": _REACHED | {"key_env", "pictures_in_flight"},
        "langchain-agent": frozenset({"allow_remote", "concurrency", "timeout"}),
        "majority": frozenset(),
        "prior": frozenset(),
    }
)
"""Kind of model -> the options of OpenOptions that concern it; `replicas`: whether it can have several."""


_FAMILIES: Mapping[str, tuple[PromptFamily, ...]] = MappingProxyType(
    {"clip": ("dual",), "similarity": ("none",), "specialist": ("none",)}
)
"""Kind of model -> the prompt families it takes, of those that are no chat models."""


def takes(spec: str, option: str) -> bool:
    """Whether an option of OpenOptions concerns a model as a person writes it; those of other packages take any."""
    taken = _TAKEN.get(spec.strip().partition(":")[0])
    return taken is None or option in taken


def families_of(spec: str) -> tuple[PromptFamily, ...]:
    """The prompt families that a model takes, as a person writes it; nothing is opened.

    A kind of another package says so by an attribute `families` of its entry point; otherwise it takes chat prompts. An
    unknown kind, which opening refuses, counts as chat.
    """
    kind = spec.strip().partition(":")[0]
    if kind in _FAMILIES or kind in _TAKEN or kind not in MODELS.names():
        return _FAMILIES.get(kind, CHAT)
    families: tuple[PromptFamily, ...] = getattr(MODELS.load(kind), "families", CHAT)
    return families


_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "python": "vllm_python",
        "arguments": "vllm_args",
        "key_env": "key_env",
        "key_file": "key_file",
        "headers": "headers",
        "query": "query",
        "body": "body",
        "trust_remote_code": "trust_remote_code",
        "adapter": "adapter",
        "share": "share",
        "detail": "details",
        "checkpoint": "checkpoint",
        "batch_api": "batch_api",
        "batch_price": "batch_price",
        "pictures_in_flight": "pictures_in_flight",
    }
)
"""Setting of a model -> the option of OpenOptions that it becomes."""


def runs_here(spec: str) -> bool:
    """Whether a model, as a person writes it, computes on this machine or answers from it, so that no one is paid."""
    kind, _, argument = spec.strip().partition(":")
    if kind == "openai":
        return "://" in argument and remote_host(spec) is None
    return kind in {"affect-tiny", "clip", "similarity", "specialist", "transformers", "vllm"}


def runs_in_place(spec: str) -> bool:
    """Whether a model, as a person writes it, is computed by this process."""
    return takes(spec, "share") and spec.strip().partition(":")[0] in _TAKEN


def outputs_of(spec: str) -> tuple[str, ...]:
    """What the outputs of a model stand for, as a person writes it, where these are fixed and known before it is opened;
    else none."""
    kind, _, argument = spec.strip().partition(":")
    if kind != "specialist":
        return ()
    from harness.models.specialists.model import labels_of

    return labels_of(argument)


def kinds_of(spec: str) -> tuple[str, ...]:
    """The kinds of fields that a model answers, as a person writes it, where these are some alone; else none."""
    kind, _, argument = spec.strip().partition(":")
    if kind != "similarity":
        return ()
    return ("pairs", "age") if argument == "tiny" else ("pairs",)


def has_own_loop(spec: str) -> bool:
    """Whether a model, as a person writes it, makes its calls of tools in a loop of its own."""
    return spec.strip().partition(":")[0] == "langchain-agent"


class Opener(Protocol):
    """What an entry point of the group `harness.models` names: it opens what stands after the colon."""

    def __call__(self, argument: str, *, name: str, options: OpenOptions) -> Model: ...


def describe_models() -> list[Listed]:
    """Every kind of model as it is written, with one line: baselines and those of other packages too."""
    known = {name for name, _, _ in _FORMS}
    return [
        *(Listed(form, line) for _, form, line in _FORMS),
        *(replace(one, name=f"{one.name}:...") for one in MODELS.listed(without=known)),
    ]


def open_model(
    spec: str, *, options: OpenOptions | None = None, called: str | None = None
) -> Model:
    """The model that `spec` names, ready to answer.

    `spec` is `NAME` or `NAME:ARGUMENT`; see `describe_models`. `called` is its name on the card; left out, `spec`.
    Without `options` nothing may leave this
    machine. Call it outside a running event loop, or in a thread: it reads files, or asks a server what
    it serves.

    Raises HarnessError for an unknown form, an absent checkpoint or package, an unreachable server,
    and a host that was not allowed.
    """
    name, _, argument = spec.strip().partition(":")
    if name in BASELINES:
        raise HarnessError(
            f"{spec!r} is a baseline, not a model",
            hint="leave it out: every table has the majority and prior rows anyway",
        )
    refuse_unknown_model(spec)
    model: Model = MODELS.make(
        name,
        argument.strip(),
        name=called or spec.strip(),
        options=options or OpenOptions(),
        expects=Model,
    )
    return model


def refuse_unknown_model(spec: str) -> None:
    """Raise HarnessError for a model, as a person writes it, of a form that is not known. Nothing is opened."""
    if spec.strip().partition(":")[0] not in MODELS.names():
        raise HarnessError(f"unknown model {spec!r}", hint=_choices())


def _choices() -> str:
    own = Listed("NAME", "one that harness.toml describes under [models.NAME]")
    rows = "\n".join(f"    {one.name:44}{one.line}" for one in (*describe_models(), own))
    return f"write one of:\n{rows}"
