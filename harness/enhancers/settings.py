"""The settings of one endpoint that enhances pictures: a table `[enhancers.NAME]` of `harness.toml`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.core.enhancer import METHODS
from harness.core.errors import HarnessError
from harness.core.text import digest_json
from harness.models.http.endpoint import is_loopback

FIELD = "image"
"""The field of a JSON body that holds the picture, in the request and in the reply."""
SILENT = frozenset({"unreachable", "timeout"})
"""Kinds of failure of an endpoint that gives no reply at all."""


class EnhancerSettings(BaseModel):
    """An endpoint that gets a picture and returns it enhanced. All but `url` may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url: str
    """Where pictures are posted: `http://127.0.0.1:9000/enhance`. Another machine must be allowed with `--allow-remote`."""
    form: Literal["picture", "json"] = "picture"
    """`picture`: the body of the request is a PNG file, that of the reply a picture. `json`: both are JSON with the
    picture in base64 under `image`."""
    body: Mapping[str, Any] = Field(default_factory=dict)
    """With `form = "json"`, further fields of every request, such as `{upscaler_1 = "GFPGAN"}`."""
    version: str = ""
    """The version of the model behind the endpoint, where it does not say so itself. Pictures are asked for again where it
    changes."""
    key_env: Annotated[str, Field(min_length=1)] | None = None
    """The environment variable that holds the endpoint's key, which is sent as a bearer token."""
    timeout: Annotated[float, Field(gt=0, le=3600, strict=False)] = 60.0
    """Longest wait for one picture, in seconds."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} is not an address: {error}") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:9000/enhance")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError(
                "the address may hold no password, query or fragment, since it is shown; a key belongs in key_env"
            )
        return url

    @field_validator("body")
    @classmethod
    def _json(cls, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if FIELD in body:
            raise ValueError(f"{FIELD} is the picture, and cannot be set")
        digest_json(body)  # raises where it is no JSON
        return body

    @model_validator(mode="after")
    def _used(self) -> EnhancerSettings:
        if self.body and self.form != "json":
            raise ValueError('body has no effect without form = "json"')
        return self

    @property
    def host(self) -> str:
        """The host that pictures are sent to."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def loopback(self) -> bool:
        """Whether that is this machine."""
        return is_loopback(self.host)

    @property
    def stated(self) -> str:
        """What is known of the endpoint's identity before it is asked: its address, and what of the settings changes
        pictures."""
        more = {"form": self.form, "body": dict(self.body)} if self.form == "json" else {}
        told = f" {digest_json(more)[:8]}" if more else ""
        return f"{self.url}{told}" + (f" {self.version}" if self.version else "")


def settings_of(
    conditions: Collection[str], known: Mapping[str, EnhancerSettings]
) -> dict[str, EnhancerSettings]:
    """The settings of the endpoints that conditions name. Raises HarnessError for one that `harness.toml` does not have."""
    from harness.conditions.enhance import endpoints_of  # numpy; settings are read without

    found: dict[str, EnhancerSettings] = {}
    for condition in conditions:
        for name in endpoints_of(condition):
            if name not in known:
                choices = [*METHODS, *known]
                near = difflib.get_close_matches(name, choices, n=1)
                raise HarnessError(
                    f"condition {condition}: unknown enhancement {name!r}",
                    hint=(f"did you mean {near[0]}? " if near else "")
                    + f"Use one of {', '.join(choices)}, or describe an endpoint in harness.toml: "
                    f'[enhancers.{name}] url = "http://127.0.0.1:9000/enhance"',
                )
            found[name] = known[name]
    return found
