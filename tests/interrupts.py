"""Processes that hear Ctrl-C, also where the tests run in the background, whose processes ignore it from the start."""

from __future__ import annotations

import sys

HEARING = (
    sys.executable, "-I", "-S", "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
)  # fmt: skip
"""Stands in a command in place of the interpreter."""
