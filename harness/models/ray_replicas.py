"""Replicas of a model on Ray. No other file imports ray, and this one only where it is asked for.

Of Ray, actors are used and nothing else: it places processes and carries bytes. Its own restarts and retries are off,
since only the run knows what is in its journal. A Ray of this machine listens on loopback alone and asks nobody
anything; a cluster is joined as it is.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, missing_extra
from harness.core.model import CacheCounts
from harness.models.replica import Replica, ReplicaLost, too_few_gpus
from harness.models.replica_host import Host, here
from harness.models.wire import Counted, Order, Place, Told, pack, pack_error, unpack, unpack_error

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = 100_000_000
"""Bytes of Ray's object store on this machine: only requests above 100 kB pass through it."""
_OF_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",  # clusters report that reporting is off
}
_OF_LOCAL_RAY = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # otherwise it listens on every interface
    "RAY_AUTH_MODE": "token",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # its helpers outlive a killed run no longer than that
}
_FOLDER = "harness-ray-"
"""How folders of Ray's own files begin; the process that made one follows. Short, since sockets lie below them."""
_BOOTSTRAP = "ray_bootstrap_config.yaml"
"""Where it is in the home folder, Ray does not ask which cloud it runs in."""


class _Actor:
    """What runs on Ray: a host behind methods that take and give bytes."""

    def __init__(self) -> None:
        self._host = Host()

    async def place(self) -> bytes:
        return pack(Place, here())

    async def open(self, order: bytes) -> bytes:
        try:
            return b"t" + pack(Told, await self._host.open(unpack(Order, order)))
        except HarnessError as error:
            return b"e" + pack_error(error)

    async def ask(self, asked: bytes) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._host.ask(asked)) as given:
                async for reply in given:
                    yield b"g" + reply
        except HarnessError as error:
            yield b"e" + pack_error(error)

    async def counted(self) -> bytes:
        return pack(Counted, await self._host.counted())

    async def end(self) -> None:
        await self._host.close()


class RayReplica:
    """An actor that was placed."""

    def __init__(self, ray: Any, actor: Any, place: Place) -> None:
        self._ray, self._actor = ray, actor
        self.place = place

    async def open(self, order: Order) -> Told:
        """Open the model there. Raises HarnessError where that fails, and ReplicaLost."""
        with _lost(self._ray):
            answer = await self._actor.open.remote(pack(Order, order))
        return unpack(Told, _checked(answer))

    async def ask(self, asked: bytes) -> AsyncGenerator[bytes, None]:
        """Replies as they come. Raises HarnessError where no request can succeed, and ReplicaLost."""
        with _lost(self._ray):
            given = self._actor.ask.options(num_returns="streaming").remote(asked)
            async for one in given:
                yield _checked(await one)

    async def cache_counts(self) -> CacheCounts | None:
        """What the caches of its server did. Raises ReplicaLost."""
        with _lost(self._ray):
            return unpack(Counted, await self._actor.counted.remote()).counts

    async def end(self) -> None:
        """End the actor. One that cannot be reached is killed too: it may live and hold its GPUs."""
        self._ray.kill(self._actor, no_restart=True)


class RayStarts:
    """Places actors, on a Ray of this machine that ends with the run, or on a cluster."""

    def __init__(self, count: int, *, gpus_each: int | None, address: str = "") -> None:
        """`gpus_each`: GPUs of one replica; None: one where there are any."""
        self._count, self._gpus_each, self._address = count, gpus_each, address
        self._joining = asyncio.Lock()
        self._ray: Any = None
        self._folder: Path | None = None
        self.details: dict[str, str] = {"replicas": f"{count} on Ray"}

    async def begin(self) -> None:
        """Start Ray, or join the cluster. Raises HarnessError where that fails."""
        async with self._joining:
            if self._ray is None:
                self._ray = await asyncio.to_thread(self._join)

    async def start(self, number: int) -> Replica:
        """An actor that answers, after `begin`. Raises ReplicaLost where it ends first, and HarnessError where Ray has too
        few GPUs."""
        ray = self._ray
        each = self._each(ray)
        actor = (
            ray.remote(_Actor)
            .options(
                num_cpus=0, num_gpus=each, max_concurrency=1000, max_restarts=0, max_task_retries=0,
                scheduling_strategy="SPREAD", runtime_env={"env_vars": self._environment(each)},
            )
            .remote()
        )  # fmt: skip
        try:
            with _lost(ray):
                place = unpack(Place, await actor.place.remote())
        except BaseException:
            ray.kill(actor, no_restart=True)
            raise
        return RayReplica(ray, actor, place)

    async def close(self) -> None:
        """Leave Ray; one that was started here ends."""
        ray, self._ray = self._ray, None
        if ray is not None:
            await asyncio.to_thread(ray.shutdown)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _each(self, ray: Any) -> int:
        """GPUs of one replica. Raises HarnessError where there are too few: an actor would wait for ever."""
        there = int(ray.cluster_resources().get("GPU", 0))
        each = min(1, there) if self._gpus_each is None else self._gpus_each
        if each * self._count > there:
            raise too_few_gpus(self._count, each=each, there=there, place="Ray")
        return each

    def _environment(self, gpus: int) -> dict[str, str]:
        """Variables of an actor: as many threads as the model would have in this process, so that it computes the same."""
        chosen = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(_threads())}
        if not gpus:
            chosen["CUDA_VISIBLE_DEVICES"] = ""  # an actor without any would see all of them
        if not self._address:
            chosen["HOME"] = str(Path.home())
        return chosen

    def _join(self) -> Any:
        os.environ.update(_OF_RAY)
        if not self._address:
            os.environ.update(_OF_LOCAL_RAY)
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            import ray
        except ImportError as error:
            raise missing_extra("ray", "ray") from error
        self.details["ray"] = str(ray.__version__)
        try:
            return self._joined(ray) if self._address else self._begun(ray)
        except (OSError, RuntimeError, ValueError) as error:
            where = f"the cluster at {self._address}" if self._address else "Ray"
            raise HarnessError(
                f"{where} cannot be used: {error}",
                hint="the run must be started on a machine of the cluster, after `ray start`"
                if self._address
                else "",
            ) from error

    def _joined(self, ray: Any) -> Any:
        ray.init(address=self._address, log_to_driver=False, logging_level="ERROR")
        return ray

    def _begun(self, ray: Any) -> Any:
        _tidy()
        folder = self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        (folder / _BOOTSTRAP).write_text("{}\n", encoding="utf-8")
        with _home(folder):
            ray.init(
                address="local", num_cpus=self._count, object_store_memory=STORE, include_dashboard=False,
                log_to_driver=False, logging_level="ERROR", _temp_dir=str(folder / "r"),
            )  # fmt: skip
        outside = {node["NodeManagerAddress"] for node in ray.nodes()}
        outside = {address for address in outside if not ip_address(address).is_loopback}
        if outside:
            ray.shutdown()
            raise HarnessError(
                f"Ray would listen on {', '.join(sorted(outside))}, where other machines can reach it",
                hint="run the command by itself: ray was imported before it could be told to stay on loopback",
            )
        return ray


def _tidy() -> None:
    """Remove what Ray wrote for runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        process = folder.name.removeprefix(_FOLDER).partition("-")[0]
        with suppress(FileNotFoundError):  # another run may be at it too
            owner = folder.stat().st_uid
            if process.isdigit() and owner == os.getuid() and not _lives(int(process)):
                shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Ray's processes have this home folder; ours has its own again afterwards."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


@contextmanager
def _lost(ray: Any) -> Iterator[None]:
    """What Ray raises of an actor that is gone, or does not answer, as ReplicaLost."""
    try:
        yield
    except ray.exceptions.RayError as error:
        raise ReplicaLost(f"{type(error).__name__}: {error}".splitlines()[0][:300]) from None


def _checked(answer: bytes) -> bytes:
    """What an actor gave. Raises the HarnessError that it sent."""
    if answer[:1] == b"e":
        raise unpack_error(answer[1:])
    return answer[1:]


def _threads() -> int:
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch is not None else os.cpu_count() or 1
