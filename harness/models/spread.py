"""`--on`, `--replicas` and `--gpus-per-replica`: where the replicas of a model run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.core.model import Model
from harness.models.registry import OpenOptions, takes

if TYPE_CHECKING:
    from harness.models.replica import Starts
    from harness.models.replicas import Replicated, Worker

PROCESSES, RAY = "processes", "ray"


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the replicas of a model run, and how many there are."""

    on: str
    """`processes` or `ray`."""
    replicas: int = 1
    gpus_each: int | None = None
    """None: one each where there are GPUs."""
    address: str = ""
    """`HOST:PORT` of a Ray cluster; empty: one on this machine alone, for this run."""


def read_spread(
    on: str | None,
    replicas: int | None,
    gpus_each: int | None,
    *,
    allow_remote: frozenset[str] = frozenset(),
) -> Spread | None:
    """What the options say; None where they say nothing.

    Raises HarnessError for an unknown place, and for a cluster on a host that pictures may not be sent to.
    """
    if on is None and replicas is None:
        if gpus_each is not None:
            raise HarnessError(
                "--gpus-per-replica has no effect without --replicas or --on",
                hint="add --replicas N",
            )
        return None
    place, _, address = (on or PROCESSES).partition(":")
    if place not in {PROCESSES, RAY} or (address and place != RAY):
        raise HarnessError(
            f"--on {on}: unknown place",
            hint="write processes (this machine), ray (this machine), or ray:HOST:PORT (a Ray cluster)",
        )
    if place == RAY and address:
        _allow(address, allow_remote)
    return Spread(place, replicas or 1, gpus_each, address)


def _allow(address: str, allowed: frozenset[str]) -> None:
    host, mark, port = address.rpartition(":")
    if not mark or not port.isdigit() or not host:
        raise HarnessError(
            f"--on ray:{address}: not HOST:PORT", hint="write it as `ray start --head` prints it"
        )
    if host not in allowed:
        raise HarnessError(
            f"--on ray:{address}: pictures would be sent to the machines of this cluster, unencrypted unless Ray uses TLS",
            hint=f"if they may leave this machine, add --allow-remote {host}",
        )


def spread(model: Model, spec: str, options: OpenOptions, how: Spread) -> Replicated:
    """The model over replicas; what it is named by and measured with stays here. Raises HarnessError where there are
    too few GPUs on this machine."""
    from harness.models.replica_log import LOG_NAME, ReplicaLog
    from harness.models.replicas import replicated
    from harness.models.wire import Order

    folder = options.log_folder
    order = Order(spec, model.card.name, replace(options, log_folder=None))
    note: Callable[[Worker], None] = (
        (lambda worker: None) if folder is None else ReplicaLog(folder / LOG_NAME, model.card.name)
    )
    return replicated(model, order, _starts(how, folder), how.replicas, note=note)


def _starts(how: Spread, folder: Path | None) -> Callable[[], Starts]:
    if how.on == RAY:
        from harness.models.ray_replicas import RayStarts

        return lambda: RayStarts(how.replicas, gpus_each=how.gpus_each, address=how.address)
    from harness.models.replica_process import Processes

    processes = Processes(how.replicas, gpus_each=how.gpus_each, log_folder=folder)
    return lambda: processes


def can_spread(spec: str) -> bool:
    """Whether a model, as a person writes it, can have replicas: it computes where it is opened."""
    return takes(spec, "replicas")
