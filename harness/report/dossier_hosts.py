"""Where a run sent its pictures, in words."""

from __future__ import annotations

from collections.abc import Iterator

from harness.exports.hosts import hosts_of_model
from harness.exports.manifest import HIDDEN
from harness.report.inputs import RunView

HERE = "this machine"
UNKNOWN = "unknown: ask the provider"


def host_rows(view: RunView) -> Iterator[tuple[str, str, str]]:
    """(model, where its pictures went, what is known of how long they are kept)."""
    for name in view.manifest["models"]:
        hosts = hosts_of_model(view.manifest, name)
        if hosts is None:
            yield name, "unknown: its answers were made elsewhere", UNKNOWN
        elif not hosts:
            yield name, HERE, "not sent anywhere"
        elif HIDDEN in hosts:
            yield name, "a server whose address this export does not hold", UNKNOWN
        else:
            yield name, ", ".join(hosts), UNKNOWN
