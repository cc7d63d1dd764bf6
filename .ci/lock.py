"""Writes requirements.lock: every package of constraints.txt but torch, with the digests of its files.

`make lock` runs it. pip itself chooses the files and tells their digests, from whatever index it is configured for;
nothing is installed. torch is left out because people choose its build; so is what only its builds bring, and the extra
`dlib`, whose weights are 100 MB that have to be built.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("torch==", "dlib-bin==", "face-recognition-models==")
BESIDES = ("confidenceinterval==1.0.5",)
"""What the Makefile installs without its dependencies."""
HEAD = """\
# Written by `make lock` from constraints.txt: what .ci/run installs, each file by its digest. torch is not among them.
# For the Python and the system it was written on; people install with constraints.txt.
"""


def pins() -> list[str]:
    """The lines of constraints.txt that are locked."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if "==" in line and not line.startswith("#")]
    return sorted({pin for pin in (*wanted, *BESIDES) if not pin.startswith(LEFT_OUT)})


def digests(wanted: list[str]) -> dict[str, str]:
    """Pin -> `sha256=...` of the file that pip would install."""
    with tempfile.TemporaryDirectory() as place:
        report, names = Path(place) / "report.json", Path(place) / "pins.txt"
        names.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
             "--dry-run", "--ignore-installed", "--no-deps", "--report", report, "-r", names],
            check=True,
        )  # fmt: skip
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        f"{one['metadata']['name']}=={one['metadata']['version']}": _sha256(one) for one in found
    }


def _sha256(one: dict[str, dict[str, dict[str, object]]]) -> str:
    told = one["download_info"]["archive_info"]
    hashes = told.get("hashes")
    return str(hashes["sha256"] if isinstance(hashes, dict) else told["hash"]).rpartition("=")[2]


def main() -> None:
    """Write the file."""
    found = digests(pins())
    lines = [f"{pin} --hash=sha256:{found[pin]}" for pin in sorted(found, key=str.casefold)]
    (ROOT / "requirements.lock").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"requirements.lock: {len(lines)} packages")


if __name__ == "__main__":
    main()
