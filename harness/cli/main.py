"""The command `harness`. Imports only the module of the command that runs."""

from __future__ import annotations

import argparse
import atexit
import difflib
import gc
import importlib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from harness.core.errors import HarnessError, Interrupted
from harness.core.plugin_faults import naming_plugins
from harness.core.text import visible
from harness.version import __version__

COMMANDS = {
    "run": "evaluate models on tasks, score the replies and write a report",
    "plan": "show what a run would ask, without asking; with --power, what it could detect",
    "baseline": "train a small network on the clips of a task, fold by fold, as a row to compare with",
    "score": "score a run folder again, or score answers from another tool; needs no model",
    "merge": "make one run of the shards of a run (`harness run --shard`)",
    "compare": "compare models, prompts or conditions on the samples they share",
    "gate": "say by the exit status whether a run is worse than a baseline, for pipelines",
    "decide": "choose a threshold of confidence on some samples and report it on others, by cost",
    "dossier": "write one printable page of a run for those who decide about its use",
    "table": "write the table of a paper: LaTeX, Markdown, CSV, XLSX or HTML",
    "figure": "draw a figure for a paper: heat map, differences, confusion matrices, reliability",
    "board": "build a leaderboard from runs and exports, or check an export for one",
    "report": "write the report of a run folder again",
    "cues": "audit which facial cues a model says it used, and which ones change its answers",
    "audit": "test what a similarity service gives away: rebuild faces from its scores, compare defences",
    "identify": "search for one person among many with a recogniser: ranks, and errors with strangers",
    "survive": "test whether a risk read off faces goes with survival: concordance, curves, hazard ratios",
    "view": "browse all runs on a page of this machine: progress, samples, comparisons, notes",
    "runs": "list run folders with their sizes, or delete old ones",
    "export": "write a copy of a run to share, without ids, paths or pictures; or training data of a task",
    "submit": "write the answer files of a challenge from finished runs, or check existing ones",
    "list": "list tasks, prompts, models, conditions, metrics and other names",
    "show": "show one sample of a task with the exact messages a model would get",
    "data": "check the data of a task, or choose a fixed subset of it",
    "lint": "check prompts for errors before running them",
    "tools": "offer tools to other agents over MCP",
    "rate": "let people rate the samples of a task in a browser, and measure their agreement",
    "tune": "learn prompts for a dual encoder (CLIP, SigLIP) from labelled samples",
    "faces": "draw annotated faces",
    "schema": "print the JSON schema of experiment, task or prompt files, for editors",
    "doctor": "check this installation and say how to fix it",
    "bench": "measure what a run costs on this machine besides the model: client, sweeps, scoring",
}

EXIT_STATUSES: Mapping[int, str] = MappingProxyType(
    {
        0: "done",
        1: "failed while working, or a check found problems",
        2: "wrong command, option or file; nothing was changed",
        3: "some trials failed",
        4: "harness gate: worse than the baseline",
        5: "harness gate: undecided",
        130: "interrupted",
    }
)
"""Meaning of each exit status."""

RENAMED: Mapping[str, str] = MappingProxyType({"--only": "--where"})
"""Former name of an option -> its name."""

_SURROGATE = re.compile("[\udc80-\udcff]")

GARBAGE = 200_000
"""Objects made between two looks for garbage in cycles, of which there is little: more than the modules of a command
make, so that these are not looked through while they load."""

BLAS_WAIT = "20"
"""Threads of numpy's OpenBLAS sleep after 2 to this power clock ticks without work (.4 ms). By default they spin for much
longer, also right after their start: .04 CPU-s for each core but one, in each command that loads numpy."""

ARROW_POOL = "system"
"""Where Arrow takes memory from: malloc, which gives large blocks back at once. A pool of its own keeps them: 9 MB more in a
run of 2,000 samples, 10 in one of 50,000."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status, one of `EXIT_STATUSES`."""
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", BLAS_WAIT)  # read when numpy is loaded
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", ARROW_POOL)  # read when pyarrow is loaded
    gc.set_threshold(GARBAGE, 10, 10)
    atexit.register(gc.freeze)  # what is left at the end goes with the process, unsearched
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(arguments[0] if arguments else None)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return 2
    try:
        with ending_as_interrupt(), naming_plugins(), _naming_paths():
            return int(parsed.execute(parsed))
    except HarnessError as error:
        print(f"error: {visible(str(error))}", file=sys.stderr)
        return 1 if error.at_work else 2
    except Interrupted:
        return 130
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        return 1


@contextmanager
def _naming_paths() -> Iterator[None]:
    """A block in which a name of bytes that are no UTF-8, which libraries for tables do not take, is an error."""
    try:
        yield
    except UnicodeEncodeError as error:
        if not _SURROGATE.search(error.object):
            raise
        raise HarnessError(
            f"{error.object[:300]} is not written in UTF-8",
            hint="rename the file or folder, or set a UTF-8 locale (LC_ALL=C.UTF-8)",
        ) from None


class Parser(argparse.ArgumentParser):
    """A parser that refuses an option of one value which is given twice, where argparse takes the last one.

    Options may stand between the arguments of a command. An option that a command does not have is refused by that
    command, with its usage and the option that was meant.
    """

    _within = False
    """Whether argparse reads options and arguments one after the other, and asks this parser for each."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in (None, "store"):
            self.register("action", name, StoreOnce)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        whole = any(one.nargs in {argparse.PARSER, argparse.REMAINDER} for one in self._actions)
        if self._within or whole or "--" in (args or ()):  # behind `--` all are arguments
            parsed, rest = super().parse_known_args(args, namespace)
        else:
            self._within = True
            try:
                parsed, rest = super().parse_known_intermixed_args(args, namespace)
            finally:
                self._within = False
        if rest and not self._within:
            self.error(f"unrecognized arguments: {' '.join(rest)}{self._meant(rest)}")
        return parsed, rest

    def _meant(self, rest: Sequence[str]) -> str:
        """What is meant by the first option that is not known; empty where nothing is like it."""
        known = [name for action in self._actions for name in action.option_strings]
        written = next((one.partition("=")[0] for one in rest if one.startswith("--")), "")
        near = [new for old, new in RENAMED.items() if old == written and new in known]
        near = near or (
            difflib.get_close_matches(written, known, n=1, cutoff=0.7) if written else []
        )
        return f" (did you mean {near[0]}?)" if near else ""


class StoreOnce(argparse.Action):
    """Stores a value, once."""

    given = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if self.given and option_string is not None:
            parser.error(f"argument {option_string}: given twice; it takes one value")
        self.given = True
        setattr(namespace, self.dest, values)


@contextmanager
def ending_as_interrupt() -> Iterator[None]:
    """A request to end (SIGTERM), as schedulers and containers send it, ends a command as Ctrl-C does.

    So it does where Ctrl-C is ignored, as in a command that a script started in the background.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only there may a signal be handled
        return

    def end(number: int, frame: object) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def build_parser(wanted: str | None) -> Parser:
    """The wanted command with its arguments; else all of them without, so that help costs no import."""
    parser = Parser(
        allow_abbrev=False,  # `--task` is no short form of `--tasks`
        prog="harness",
        description="Evaluate how well vision-language models read human faces, and which cues they rely on.",
        epilog="Run `harness COMMAND --help` for the options of a command. Exit status: "
        + "; ".join(f"{status} {meaning}" for status, meaning in EXIT_STATUSES.items())
        + ".",
    )
    parser.add_argument("--version", action="version", version=f"affect-harness {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in (wanted,) if wanted in COMMANDS else COMMANDS:
        line = COMMANDS[name]
        command = commands.add_parser(
            name, help=line, description=line[0].upper() + line[1:] + ".", allow_abbrev=False
        )
        if name == wanted:
            module = importlib.import_module(f"harness.cli.{name}_command")
            module.configure(command)
            command.set_defaults(execute=module.execute)
    return parser


if __name__ == "__main__":
    sys.exit(main())
