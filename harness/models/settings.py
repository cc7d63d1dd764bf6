"""The settings of one model: a table `[models.NAME]` of `harness.toml`, or the same in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from harness.core.errors import HarnessError
from harness.core.price import Price
from harness.core.sent_pictures import FULL, read_detail, read_pixels, spelled_pixels
from harness.core.text import digest_json
from harness.core.thinking import read_thinking
from harness.models.http.request_body import PARAMETERS

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET = re.compile(r"key|token|secret|sig|password|auth|cookie|credential", re.IGNORECASE)
_OURS = frozenset({*PARAMETERS, "model", "messages", "stream", "max_completion_tokens"})
"""Fields of a request's body that other settings decide."""


def is_secret(name: str) -> bool:
    """Whether what goes by this name (a header, a part of an address) may be a secret."""
    return _SECRET.search(name) is not None


BatchForm: TypeAlias = Literal["openai", "anthropic", "gemini"]
SystemTurns: TypeAlias = Literal["keep", "user", "none"]
Words = Annotated[str, Field(min_length=1)]


class ModelSampling(BaseModel):
    """Decoding parameters of one model, in place of the usual ones. An option of the command wins over each."""

    model_config = _STRICT

    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    """0 takes the likeliest word each time."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Words are drawn from the likeliest that together have this probability."""
    top_k: PositiveInt | None = None
    """Words are drawn from so many of the likeliest."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    """1 changes nothing; more makes words that were written before less likely."""
    seed: int | None = None
    """That of the first repeat."""
    max_tokens: PositiveInt | None = None
    """Most tokens of a reply, its reasoning included."""


class ModelSettings(BaseModel):
    """How one model is reached and asked. All but `model` may be left out."""

    model_config = _STRICT

    model: Words
    """As `--model` takes it: `openai:MODEL@URL`, `vllm:PATH_OR_ID`..."""
    name: str = ""
    """What `--model` calls it. In `harness.toml` it is the NAME of `[models.NAME]`; in Python, where it is left out,
    the display name, else `model`."""
    display_name: str = ""
    """What tables, plots and titles call it; left out: `name`."""
    python: str | None = None
    """For `vllm:`, the Python of the environment that vLLM is installed in."""
    arguments: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """For `vllm:`, arguments of `vllm serve`."""
    key_env: Words | None = None
    """The environment variable that holds the server's key."""
    key_file: Annotated[Path, Field(strict=False)] | None = None
    """The file that holds the server's key."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """Headers of every request to the server."""
    query: Mapping[str, str] = Field(default_factory=dict)
    """What stands behind the `?` of the server's address, such as `api-version`."""
    body: Mapping[str, Any] = Field(default_factory=dict)
    """Fields that are added to the body of every request."""
    thinking: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """`off`, `on`, `low`, `medium`, `high` or a number of tokens; several are an axis."""
    pixels: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The most pixels of each picture: `0.25MP`, `250000`, `full`; several are an axis."""
    detail: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """How closely a server is asked to look at pictures: `low`, `high`, `auto`; several are an axis."""
    max_images: PositiveInt | None = None
    """Most pictures in one request."""
    sampling: ModelSampling = ModelSampling()
    """Decoding parameters, in place of the usual ones."""
    system: SystemTurns = "keep"
    """What becomes of system turns: kept, put before the first user turn, or left out."""
    trust_remote_code: bool = False
    """Whether code that lies beside the weights may run."""
    adapter: Words | None = None
    """A PEFT adapter (LoRA) on top of the weights: a folder or a hub id."""
    share: bool = True
    """For `transformers:` and `affect-tiny`, whether what prompts about one picture have in common (the picture, the words
    before it) is read once. Replies are the same but for rounding."""
    checkpoint: Words | None = None
    """For `openai:`, the folder or hub id of the checkpoint behind the server: its processor counts prompts and pictures
    before they are asked. It does not change what is asked."""
    pictures_in_flight: PositiveInt | None = None
    """Most samples whose pictures a server is asked about at once; fewer than its cache of encoded pictures holds keep
    a picture there until all its prompts are asked. Left out, it follows from the log of a `vllm:` server."""
    batch_api: BatchForm = "openai"
    """For `--batch`, whose batch API the server has: that of `openai`, `anthropic` (Message Batches) or `gemini`. Direct
    requests are chat completions with all of them."""
    price: Price | None = None
    """What a million tokens cost."""
    batch_price: Price | None = None
    """What they cost with `--batch`; left out: half of the price."""

    @field_validator("thinking", mode="before")
    @classmethod
    def _levels(cls, given: Any) -> Any:
        several = given if isinstance(given, (list, tuple)) else [given]
        try:
            return tuple(dict.fromkeys(read_thinking(one) for one in several))
        except HarnessError as error:
            raise ValueError(f"{error.message}: {error.hint}") from None

    @field_validator("pixels", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        several = given if isinstance(given, (list, tuple)) else [given]
        try:
            found = [read_pixels(str(one), where="pixels") for one in several]
        except HarnessError as error:
            raise ValueError(f"{error.message}: {error.hint}") from None
        return tuple(dict.fromkeys(spelled_pixels(n) if n else FULL for n in found))

    @field_validator("detail", mode="before")
    @classmethod
    def _details(cls, given: Any) -> Any:
        several = given if isinstance(given, (list, tuple)) else [given]
        try:
            return tuple(dict.fromkeys(read_detail(str(o), where="detail") for o in several))
        except HarnessError as error:
            raise ValueError(f"{error.message}: {error.hint}") from None

    @field_validator("arguments", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return given if isinstance(given, (list, tuple)) else [given]

    @field_validator("headers")
    @classmethod
    def _lines(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not re.fullmatch(r"[ -~\t]*", value):
                raise ValueError(f"{name!r} is not a one-line ASCII header")
            if name.lower() in {"content-type", "content-length", "host", "accept-encoding"}:
                raise ValueError(f"the header {name} cannot be set")
        return headers

    @field_validator("query")
    @classmethod
    def _no_secret(cls, query: Mapping[str, str]) -> Mapping[str, str]:
        for name in query:
            if is_secret(name):
                raise ValueError(
                    f"{name} may be a secret, and addresses are shown: a key belongs in key_env, key_file or headers"
                )
        return query

    @field_validator("body")
    @classmethod
    def _added(cls, body: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in sorted(_OURS & set(body)):
            where = "under sampling" if name in PARAMETERS else "nowhere"
            raise ValueError(f"{name} is set by another setting ({where})")
        digest_json(body)  # raises where it is no JSON
        return body

    @model_validator(mode="after")
    def _one_key(self) -> ModelSettings:
        if self.key_env and self.key_file:
            raise ValueError("key_env and key_file both name a key: keep one")
        keyed = [
            name for name in self.secret_headers if name.lower() in {"authorization", "api-key"}
        ]
        if keyed and (self.key_env or self.key_file):
            raise ValueError(f"the header {keyed[0]} and a key are both given: keep one")
        return self

    @property
    def called(self) -> str:
        """The name in `--model` and in the files of a run."""
        return self.name or self.display_name or self.model

    @property
    def shown(self) -> str:
        """The name in tables, plots and titles."""
        return self.display_name or self.called

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """Headers whose value is treated as a secret, by their names."""
        return tuple(name for name in self.headers if is_secret(name))

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """What a manifest holds of it: all that is set, without secrets."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        if self.headers:
            said["headers"] = {
                n: "***" if n in self.secret_headers else v for n, v in self.headers.items()
            }
        said.pop("key_file", None)
        return said

    @cached_property
    def telling(self) -> dict[str, Any]:
        """What of it determines replies."""
        kept = {
            "model",
            "arguments",
            "query",
            "body",
            "thinking",
            "pixels",
            "detail",
            "max_images",
            "sampling",
            "system",
            "adapter",
        }
        return self.model_dump(mode="json", include=kept, exclude_defaults=True)
