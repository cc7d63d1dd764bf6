"""What a server says it serves: its list of models and its version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from harness.core.errors import HarnessError
from harness.core.text import visible
from harness.models.http.connection import Http, TooLarge, Unreadable, run_apart, trust_hint
from harness.models.http.endpoint import KEY_MEND, Endpoint
from harness.models.http.json_body import read_json
from harness.models.http.waiting import waiting_for


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of itself; empty where it does not say."""

    root: str = ""
    """What the served name stands for: a checkpoint's path or id."""
    version: str = ""
    """The server's own version."""
    window: int | None = None
    """Most tokens of one conversation."""
    note: str = ""
    """What the person who runs should know of it."""


def ask_served(endpoint: Endpoint, *, seconds: float = 10.0, listing: bool = False) -> Served:
    """Ask the server what it serves, for `seconds` in all.

    `listing` says that the key must open the list, where nothing else tries the key before the run. A model that its
    list does not name is taken all the same, with a note: proxies and Azure list other names than they
    take. A server without a list, or one that shows it to nobody, is taken at its word. Raises HarnessError where
    nothing answers.
    """

    async def ask() -> Served:
        with waiting_for(endpoint.place, most=seconds):
            return await _ask_served(endpoint, seconds, listing=listing)

    return run_apart(ask())


async def _ask_served(endpoint: Endpoint, seconds: float, *, listing: bool) -> Served:
    http = Http(
        endpoint.headers, proxy=endpoint.proxy, timeout=seconds / 2, window=2, mask=endpoint.mask
    )
    try:
        status, listed = await _get(endpoint, http, f"{endpoint.base}/models")
        if status in {401, 403} and endpoint.key:
            status, listed = await _get(
                endpoint, http, f"{endpoint.base}/models", endpoint.key_elsewhere
            )
        if listing and status in {401, 403}:
            raise HarnessError(f"{endpoint.base} rejected the key (HTTP {status})", hint=KEY_MEND)
        if status >= 500:
            raise HarnessError(
                f"{endpoint.base}/models answered HTTP {status}",
                hint="wait until the server is ready",
            )
        about: Mapping[str, Any] = {}
        if not endpoint.deployment:
            root = endpoint.base.removesuffix("/v1")
            _, about = await _get(endpoint, http, f"{root}/version")
    finally:
        await http.close()
    rows = listed.get("data") if status == 200 else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    row = _find(endpoint, rows)
    _refuse_missing(endpoint, rows)
    window = row.get("max_model_len")
    return Served(
        root=_said(endpoint, row.get("root")),
        version=_said(endpoint, about.get("version"))[:80],
        window=window if isinstance(window, int) else None,
        note="" if row or not rows or endpoint.deployment else _unlisted(endpoint, rows),
    )


def _said(endpoint: Endpoint, value: object) -> str:
    """What a server says of itself, as it may be shown."""
    return visible(endpoint.mask.text(str(value or "")))[:500]


def _find(endpoint: Endpoint, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The listed model; some services list `models/NAME` and take `NAME`. Empty where it is not listed."""
    for row in rows:
        name = str(row.get("id"))
        if name == endpoint.model or name.endswith(f"/{endpoint.model}"):
            return row
    return {}


def _refuse_missing(endpoint: Endpoint, rows: list[dict[str, Any]]) -> None:
    """Raise HarnessError where a server lists the adapters of some folds and not of others; one that lists none may list
    other names than it takes."""
    found = {
        fold: _find(replace(endpoint, model=name), rows) for fold, name in endpoint.adapters.items()
    }
    missing = [fold for fold, row in found.items() if not row]
    if missing and len(missing) < len(found):
        raise HarnessError(
            f"{endpoint.base} serves no adapter for {len(missing)} of {len(found)} folds: {', '.join(missing[:5])}"
            + (f" and {len(missing) - 5} more" if len(missing) > 5 else ""),
            hint=f"start it with all of them, such as --lora-modules {endpoint.adapters[missing[0]]}=FOLDER",
        )


def _unlisted(endpoint: Endpoint, rows: list[dict[str, Any]]) -> str:
    names = ", ".join(sorted(_said(endpoint, row.get("id"))[:80] for row in rows)[:20])
    return f"{endpoint.base} does not list {endpoint.model!r}; trying it anyway (listed: {names})"


async def _get(
    endpoint: Endpoint, http: Http, url: str, more: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, Mapping[str, Any]]:
    """(status, JSON object or empty). Raises HarnessError where nothing answers."""
    import aiohttp

    try:
        answer = await http.get(url, more)
    except TimeoutError as error:
        raise HarnessError(f"{url} timed out", hint="wait until the server is ready") from error
    except (TooLarge, Unreadable):
        return 200, {}
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise HarnessError(
            f"no server answers at {endpoint.base}: {http.words(error)}",
            hint=trust_hint(error) or _start(endpoint),
        ) from error
    try:
        body = read_json(answer.data)
    except (ValueError, RecursionError):
        return answer.status, {}
    return answer.status, body if isinstance(body, dict) else {}


def _start(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.base)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (
        "start the server and wait until it listens, for example: vllm serve CHECKPOINT "
        f"--served-model-name {endpoint.model} --host {endpoint.host} --port {port} "
        "--generation-config vllm"
    )
