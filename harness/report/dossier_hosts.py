"""Where a run sent its pictures, read off what the manifest says of each model."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from harness.exports.manifest import HIDDEN
from harness.models.http.endpoint import is_loopback, remote_host
from harness.report.inputs import RunView
from harness.score.columns import NO_PROMPT

HERE = "this machine"
UNKNOWN = "unknown: ask the provider"


def host_rows(view: RunView) -> Iterator[tuple[str, str, str]]:
    """(model, where its pictures went, what is known of how long they are kept)."""
    cells = view.manifest["cells"]
    for name, entry in view.manifest["models"].items():
        mine = [cell for cell in cells if cell["model"] == name]
        if mine and all(cell["prompt"] == NO_PROMPT for cell in mine):
            yield name, "unknown: its answers were made elsewhere", UNKNOWN
            continue
        hosts = _hosts(name, entry.get("details") or {})
        if not hosts:
            yield name, HERE, "not sent anywhere"
        elif HIDDEN in hosts:
            yield name, "a server whose address this export does not hold", UNKNOWN
        else:
            yield name, ", ".join(hosts), UNKNOWN


def _hosts(name: str, details: dict[str, object]) -> list[str]:
    """The machines besides this one."""
    found = [host for host in str(details.get("remote") or "").split(", ") if host]
    url = str(details.get("url") or "")
    if HIDDEN in url:
        return [HIDDEN]
    host = (urlsplit(url).hostname or "") if "://" in url else ""
    named = remote_host(name) or ""
    return list(dict.fromkeys(h for h in (*found, named, host) if h and not is_loopback(h)))
