"""A server's address: whether pictures may be sent to it, and which models it serves."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from harness.core.errors import HarnessError
from harness.models.http.key_mask import Mask
from harness.models.settings import is_secret

_FORM = "write openai:MODEL@URL, such as openai:qwen@http://127.0.0.1:8000"
_PLAIN_QUERY = re.compile(r"(?:api-version=[A-Za-z0-9.-]+)?")
_KEY_FORM = "a key is one ASCII word, alone in its file or in OPENAI_API_KEY"
KEY_MEND = "set OPENAI_API_KEY to a key that this server accepts, or name a file with --key-file"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server and the model asked of it."""

    model: str
    base: str
    """URL up to and with `/v1`, without a closing slash."""
    host: str
    loopback: bool
    key: str = field(default="", repr=False)
    """Bearer token, or empty. Never shown."""
    query: str = ""
    """What stands behind the `?` of the address, such as Azure's `api-version`; no secret."""
    more: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that the person who runs adds; they may hold a key."""
    adapters: Mapping[str, str] = field(default_factory=dict)
    """Fold -> the name under which its adapter is served."""
    folds: str = ""
    """Digest of who is in which fold."""

    def asked_as(self, fold: str) -> str:
        """The name of the model that replies in a fold; empty: outside any. Raises KeyError for an unknown fold."""
        return self.adapters[fold] if fold else self.model

    @property
    def chat(self) -> str:
        """Where conversations are posted."""
        return f"{self.base}/chat/completions{self.query and '?'}{self.query}"

    @property
    def place(self) -> str:
        """Host and port."""
        return urlsplit(self.base).netloc

    @property
    def deployment(self) -> bool:
        """Whether the address is that of one deployed model, as Azure writes it: there is no list of models."""
        return "/deployments/" in self.base

    @property
    def proxy(self) -> str | None:
        """The proxy that the machine names for this host; loopback is never sent through one."""
        if self.loopback or proxy_bypass(self.host):
            return None
        return getproxies().get(urlsplit(self.base).scheme)

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every request."""
        named = {"Content-Type": "application/json", "Accept": "application/json", **self.more}
        if not self.key:
            return named
        if self.deployment:
            return named | {"api-key": self.key}
        return named | {"Authorization": f"Bearer {self.key}"}

    @property
    def key_elsewhere(self) -> dict[str, str]:
        """The key in the headers of services whose list of models is not opened by a bearer token."""
        return {"x-api-key": self.key, "api-key": self.key, "anthropic-version": "2023-06-01"}

    @property
    def mask(self) -> Mask:
        """What hides the key, and headers that may be one, in whatever the server sends."""
        held = [value.rpartition(" ")[2] for name, value in self.more.items() if is_secret(name)]
        return Mask([secret for secret in (self.key, *held) if secret])


def parse_endpoint(
    argument: str,
    *,
    allow_remote: frozenset[str],
    key_file: Path | None = None,
    key_env: str | None = None,
    usual_key: bool = True,
    headers: Mapping[str, str] = MappingProxyType({}),
    query: Mapping[str, str] = MappingProxyType({}),
) -> Endpoint:
    """Read `MODEL@URL`, and the key from `key_file` or the environment.

    `key_env` names a variable in place of OPENAI_API_KEY, which is read only with `usual_key`. A header that says who
    asks takes the place of a key. Raises HarnessError where it is no such thing, the host was not allowed, or the
    file is no key's.
    """
    found = re.fullmatch(r"(?P<model>.+?)@(?P<url>[a-z]+://.*)", argument)
    if found is None:  # what stands after the @ may hold a password, and is not repeated
        raise HarnessError(f"openai:{argument.partition('@')[0]} has no URL", hint=_FORM)
    model, url = found.group("model"), found.group("url")
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise HarnessError(f"the text after openai:{model}@ is not a URL", hint=_FORM) from error
    if parts.scheme not in ("http", "https") or not host:
        raise HarnessError(f"the text after openai:{model}@ is not an http URL", hint=_FORM)
    if parts.fragment or parts.username is not None or not _PLAIN_QUERY.fullmatch(parts.query):
        raise HarnessError(
            f"the URL of openai:{model} has a fragment, a password, or a query other than "
            "api-version=...",
            hint=f"{_FORM}; put a key in OPENAI_API_KEY or in a file (--key-file)",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    loopback = is_loopback(host)
    keyed = any(map(is_secret, headers))
    key = ""
    if key_file or key_env or (usual_key and not keyed):
        key = find_key(key_file, variable=key_env)
    if not loopback:
        _check_remote(host, keyed or bool(key), allow_remote)
    base = f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
    behind = "&".join(filter(None, (parts.query, urlencode(query))))
    return Endpoint(model, base, host, loopback, key, behind, headers)


def undated(endpoint: Endpoint) -> str:
    """A note where a hosted model is asked by a name that says no date or version."""
    if endpoint.loopback or re.search(r"\d{4}|\d\d-\d\d|@|:", endpoint.model):
        return ""
    return (
        f"{endpoint.model} has no date: the model behind this name at {endpoint.host} may change; use a "
        f"dated version if there is one"
    )


def remote_host(spec: str) -> str | None:
    """The host that an `openai:MODEL@URL` sends pictures to; None for this machine, or another form."""
    return (key_host(spec, named_file=False) or None) if spec.startswith("openai:") else None


def key_host(spec: str, *, named_file: bool) -> str | None:
    """The host that a key without a host of its own would go to: "" for this machine, None where none is sent.

    `named_file` says that a file holds the key; left to the environment, a provider of LangChain has its own variable.
    """
    kind, _, rest = spec.partition(":")
    provider, _, after = rest.partition(":") if kind == "langchain" else ("openai", "", rest)
    _, _, url = after.partition("@")
    if "://" not in url:
        return provider if named_file and kind == "langchain" else None
    try:
        host = (urlsplit(url[url.rfind("@", 0, url.index("://")) + 1 :]).hostname or "").lower()
    except ValueError:
        return None
    return "" if is_loopback(host) else host


def usual_key_is_set() -> bool:
    """Whether OPENAI_API_KEY holds anything."""
    return bool(os.environ.get("OPENAI_API_KEY", "").strip())


def find_key(file: Path | None, *, variable: str | None = None) -> str:
    """The bearer token in `file`, else in the variable, else in OPENAI_API_KEY; empty where there is none.

    Raises HarnessError for a file that cannot be read, that others may read, or that is not one word, and for a
    variable that was named and is not set.
    """
    if file is None:
        where = variable or "OPENAI_API_KEY"
        text = os.environ.get(where, "")
        if variable and not text.strip():
            raise HarnessError(
                f"the variable {variable}, which key_env names, is not set",
                hint=f"export {variable}=..., or name a file that holds the key with key_file",
            )
    else:
        where = str(file)
        try:
            mode, text = file.stat().st_mode, file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            kind = type(error).__name__  # its own words may hold what the file holds
            raise HarnessError(f"{file}: cannot read the key ({kind})", hint=_KEY_FORM) from None
        if mode & 0o077:
            raise HarnessError(
                f"{file} holds a key and can be read by other users", hint=f"run chmod 600 {file}"
            )
        if not text.strip():
            raise HarnessError(f"{file} is empty", hint=_KEY_FORM)
    key = text.strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise HarnessError(f"{where} does not hold a valid key", hint=_KEY_FORM)
    return key


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine: 127.0.0.0/8, ::1, localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_remote(host: str, allow_remote: frozenset[str]) -> None:
    """Raise HarnessError where pictures may not be sent to a host that is not this machine."""
    if host not in {name.lower() for name in allow_remote}:
        raise HarnessError(
            f"pictures of faces would be sent from this machine to {host}",
            hint="if the data sets' licences and the people shown allow it, add "
            f"--allow-remote {host}",
        )


def _check_remote(host: str, keyed: bool, allow_remote: frozenset[str]) -> None:
    refuse_remote(host, allow_remote)
    if not keyed:
        raise HarnessError(
            f"{host} is not this machine, and no key is set",
            hint="put the key in OPENAI_API_KEY or in a file (--key-file), or, with several hosts, set key_env of "
            "each in [models.NAME] of harness.toml; any word works if that server needs no key",
        )
