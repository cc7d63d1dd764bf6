"""`harness view` as a command: the address it prints is served, Ctrl-C ends it, a wrong folder is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.interrupts import HEARING


def test_the_address_is_served_until_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*HEARING, "-m", "harness.cli.main", "view", str(tmp_path), "--serve-only"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", line)
        assert found and line.startswith("0 runs in"), line
        with urllib.request.urlopen(found[0], timeout=120) as reply:
            assert b"affect-harness" in reply.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
        assert process.stderr is not None and process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no such folder: nowhere"),
        ([".", "--with-pictures", "5000"], "between 32 and 1024"),
        ([".", "--port", "99999"], "port 99999"),
    ],
)
def test_what_cannot_be_served_is_told(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["view", *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2 and said in capsys.readouterr().err
