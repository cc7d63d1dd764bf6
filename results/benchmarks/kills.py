"""Kill runs at random moments, and see that nothing finished is lost or asked again.

    python results/benchmarks/kills.py --on processes --kills 20
    python results/benchmarks/kills.py --on ray --kills 20
    python results/benchmarks/kills.py --on nodes
    python results/benchmarks/kills.py --on head

affect-tiny reads 120 drawn faces in two channels, 240 requests. With `processes` and `ray` it has two replicas, and
`kill -9` falls on the run or on one of its replicas, at moments drawn by the seed; a run that was killed is started
again, and one that ended begins anew. `nodes` and `head` make a Ray cluster of two nodes in a network namespace that has
only loopback (Linux, and the right to make one): one loses its second node in the middle, the other its head. In the end
records and scores must have the bytes of a run in one process. Runs against a server: `tests/cli/test_kills.py`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ASKED = (
    "faces/emotion", "--model", "affect-tiny", "--limit", "120", "--no-report", "--channel", "free", "--channel", "logprob",
)  # fmt: skip
REQUESTS = 240
PORT = 6379
RAY = {
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/", "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "a" * 64,
}  # fmt: skip
"""The token guards nothing: the namespace has no other machine."""
LONGEST = 900.0


class Trouble(Exception):
    """What must hold does not."""


def start(root: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness.cli.main", "run", *ASKED, "--out", "run", *more]
    with (root / "output.txt").open("ab") as log:
        return subprocess.Popen(
            command, cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=log, stderr=log
        )


def lines(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a log."""
    whole = file.read_bytes().splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in whole if line.endswith(b"\n")]


def keys(root: Path) -> list[str]:
    """Of the replies in the journal."""
    return [line["key"] for line in lines(root / "run" / "generations.jsonl")]


def ended(run: subprocess.Popen[bytes], root: Path) -> None:
    if run.wait(LONGEST) != 0:
        raise Trouble(
            f"the run ended with {run.returncode}: {(root / 'output.txt').read_text()[-2000:]}"
        )


def check(root: Path, reference: Path) -> None:
    """What a complete run must hold."""
    found = keys(root)
    if len(found) != REQUESTS or len(set(found)) != REQUESTS:
        raise Trouble(f"{len(found)} replies, {len(set(found))} of them distinct, not {REQUESTS}")
    for name in ("records.parquet", "scores.json"):
        if (root / "run" / name).read_bytes() != (reference / "run" / name).read_bytes():
            raise Trouble(
                f"{name} differs from that of a run in one process: {_differences(root, reference)}"
            )


def _differences(root: Path, reference: Path) -> str:
    """Which replies are not equal, by how much, and what was said of replicas."""
    ours, theirs = (
        {line["key"]: line for line in lines(one / "run" / "generations.jsonl")}
        for one in (root, reference)
    )
    if ours.keys() != theirs.keys():
        return "their requests are not the same"
    texts = sum(ours[key]["text"] != theirs[key]["text"] for key in theirs)
    apart = [
        max(
            abs(a - b)
            for a, b in zip(
                ours[key]["scores"]["logprobs"], told["scores"]["logprobs"], strict=True
            )
        )
        for key, told in theirs.items()
        if told.get("scores")
    ]
    lost = [line for line in (root / "output.txt").read_text().splitlines() if "was lost" in line]
    return (
        f"{texts} texts, {sum(one > 0 for one in apart)} of {len(apart)} log-probabilities by at most {max(apart, default=0):.1e}; "
        f"{lost}"
    )


def replicas(run: subprocess.Popen[bytes], root: Path) -> list[int]:
    """Ids of the replicas' processes that live."""
    states = {line["replica"]: line for line in lines(root / "run" / "replicas.jsonl")}
    named = (str(line["place"]).rpartition(" ")[2] for line in states.values() if line["place"])
    below = {process.pid for process in psutil.Process(run.pid).children(recursive=True)}
    return [int(one) for one in named if one.isdigit() and int(one) in below]


def wait_a_while(run: subprocess.Popen[bytes], root: Path, moments: random.Random) -> None:
    """Until some time of the start has passed, one time in four; else until some replies have come. Or the run ended."""
    if moments.random() < 0.25:
        time.sleep(moments.uniform(0.5, 12.0))
        return
    wanted = len(keys(root)) + moments.randint(1, 60)
    until(lambda: run.poll() is not None or len(keys(root)) >= wanted, what=f"{wanted} replies")
    time.sleep(moments.uniform(0.0, 0.3))


def random_kills(root: Path, reference: Path, *, on: str, kills: int, seed: int) -> dict[str, Any]:
    """Kill the run and its replicas; counts of what was done."""
    moments = random.Random(seed)  # noqa: S311
    asked = ("--on", on, "--replicas", "2")
    done = {"kills of the run": 0, "kills of a replica": 0, "complete runs": 0}
    kept: list[str] = []
    run = start(root, *asked)
    while done["kills of the run"] + done["kills of a replica"] < kills:
        wait_a_while(run, root, moments)
        if run.poll() is not None:
            ended(run, root)
            check(root, reference)
            done["complete runs"] += 1
            shutil.rmtree(root / "run")
            kept, run = [], start(root, *asked)
            continue
        alive = replicas(run, root)
        if alive and moments.random() < 0.5:
            os.kill(moments.choice(alive), signal.SIGKILL)
            done["kills of a replica"] += 1
            continue
        run.kill()
        run.wait()
        done["kills of the run"] += 1
        now = keys(root)
        if now[: len(kept)] != kept or len(set(now)) != len(now):
            raise Trouble("a reply that was finished is gone, or was asked again")
        kept, run = now, start(root, *asked)
    ended(run, root)
    check(root, reference)
    return {**done, "complete runs": done["complete runs"] + 1, "resumed with": len(kept)}


def until(holds: Callable[[], bool], *, what: str) -> None:
    end = time.monotonic() + LONGEST
    while not holds():
        if time.monotonic() > end:
            raise Trouble(f"{what}: not within {LONGEST:g} s")
        time.sleep(0.1)


class Cluster:
    """A head and a second node on loopback."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.nodes: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short, since sockets lie below it
        self._node("--head", f"--port={PORT}", "--include-dashboard=false", f"--temp-dir={folder}")
        until(self._answers, what="the head")
        self._node(f"--address=127.0.0.1:{PORT}")
        until(lambda: self._has(1, "raylet"), what="the second node")
        time.sleep(3)

    def _node(self, *arguments: str) -> None:
        command = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=2",
            "--object-store-memory=100000000",
            "--node-ip-address=127.0.0.1", "--disable-usage-stats", *arguments,
        ]  # fmt: skip
        with (self._root / "ray.txt").open("ab") as log:
            self.nodes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", PORT)) == 0

    def _named(self, node: int, name: str) -> list[psutil.Process]:
        below = psutil.Process(self.nodes[node].pid).children(recursive=True)
        return [process for process in below if process.name().startswith(name)]

    def _has(self, node: int, name: str) -> bool:
        return bool(self._named(node, name))

    def holds(self, node: int, root: Path) -> int:
        """How many replicas of a run are on a node."""
        below = {process.pid for process in self._named(node, "")}
        told = {
            line["replica"]: str(line["place"]) for line in lines(root / "run" / "replicas.jsonl")
        }
        return sum(int(one.rpartition(" ")[2] or 0) in below for one in told.values())

    def kill(self, node: int, name: str) -> None:
        """kill -9 to a process of a node."""
        for process in self._named(node, name):
            process.kill()

    def end(self) -> None:
        """End all that was started here."""
        for node in self.nodes:
            try:
                below = [
                    psutil.Process(node.pid),
                    *psutil.Process(node.pid).children(recursive=True),
                ]
            except psutil.NoSuchProcess:
                continue
            for process in below[::-1]:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            node.wait()
        self.nodes.clear()


def cluster_deaths(root: Path, reference: Path, *, dies: str) -> dict[str, Any]:
    """Kill the second node, or the head, of a cluster while a run goes over it."""
    loopback_up()
    os.environ.update(RAY)
    asked = ("--on", f"ray:127.0.0.1:{PORT}", "--replicas", "4", "--allow-remote", "127.0.0.1")
    cluster = Cluster(root)
    try:
        cluster.begin()
        run = start(root, *asked)
        until(lambda: run.poll() is not None or len(keys(root)) >= 40, what="40 replies")
        before, begun = keys(root), time.monotonic()
        held = [cluster.holds(node, root) for node in range(2)]
        if dies == "nodes":
            cluster.kill(1, "raylet")
        else:
            cluster.kill(0, "gcs_server")
            run.wait(LONGEST)
        passed = time.monotonic() - begun
        told: dict[str, Any] = {"replies before": len(before), "replicas on the nodes": held}
        if dies == "head":
            told |= {"run ended with": run.returncode, "seconds until it ended": round(passed)}
            told["replies kept"] = len(keys(root))
            cluster.end()
            if run.returncode != 0:
                cluster.begin()
                run = start(root, *asked)
        ended(run, root)
        if keys(root)[: len(before)] != before:
            raise Trouble("a reply that was finished is gone")
        check(root, reference)
        return told
    finally:
        cluster.end()


def loopback_up() -> None:
    """Bring up the only interface of a new network namespace. Raises Trouble where there is another one."""
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if others:
        raise Trouble(f"this is no namespace of its own: it has {', '.join(others)}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        flags = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(made, 0x8914, flags)  # SIOCSIFFLAGS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", choices=["processes", "ray", "nodes", "head"], required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.on in {"nodes", "head"} and not asked.inside:
        again = ["unshare", "--net", sys.executable, __file__, *sys.argv[1:], "--inside"]
        return subprocess.run(again, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        reference, root = Path(folder, "reference"), Path(folder, "killed")
        reference.mkdir(), root.mkdir()
        begun = time.monotonic()
        ended(start(reference), reference)
        if asked.on in {"nodes", "head"}:
            found = cluster_deaths(root, reference, dies=asked.on)
        else:
            found = random_kills(root, reference, on=asked.on, kills=asked.kills, seed=asked.seed)
        said = (root / "output.txt").read_text()
        found["replicas lost, as the runs said"] = said.count(" was lost: ")
        print(json.dumps({"on": asked.on, **found, "seconds": round(time.monotonic() - begun)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
