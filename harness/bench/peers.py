"""Other tools on the same pictures, each in its own environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.bench.fixture import IN_FLIGHT, Measured, Stand
from harness.bench.server import MODEL

PEERS: Mapping[str, str] = {"inspect-ai": "peer_inspect.py", "lmms-eval": "peer_lmms.py"}
"""Name, which is its environment's folder -> the script that runs in it."""


SETTINGS: Mapping[str, tuple[str, ...]] = {
    # Its default for pictures, PNG, costs it twice as much.
    "lmms-eval": ("LMMS_IMAGE_ENCODE_FORMAT=JPEG", "OPENAI_API_KEY=stub", "HF_HUB_OFFLINE=1"),
}
"""Name -> what its environment variables are set to."""


def installed(folder: Path) -> list[str]:
    """The tools that have an environment in `folder`."""
    return [name for name in PEERS if (folder / name / "bin" / "python").exists()]


def run_peer(name: str, folder: Path, stand: Stand, table: Path) -> Measured:
    """One tool over a table. Raises HarnessError where it ends badly."""
    script = Path(__file__).with_name(PEERS[name])
    place = stand.fresh("peer")
    command = [
        "env", *SETTINGS.get(name, ()), f"HF_HOME={place}-hf", str(folder / name / "bin" / "python"), str(script),
        f"{stand.url}/v1", MODEL, str(table), str(IN_FLIGHT), str(place),
    ]  # fmt: skip
    return stand.run(f"{name}.log", command)
