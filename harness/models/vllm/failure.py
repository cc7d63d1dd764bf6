"""Find in the log why a server did not start: vLLM's last lines only say `see root cause above`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PREFIX = re.compile(
    r"^(?:\(.*?\) ?)?(?:(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\S* \d\S* (?:\[\S+\] ?)?)?"
)
"""Process, level, day, time and place before a message of vLLM's log."""
_ERROR = re.compile(
    r"^(?:[A-Za-z_][\w.]*\.)?(?P<name>[A-Z]\w*(?:Error|Exception|Exit|Interrupt)): *(?P<said>.*)"
)
_USAGE = re.compile(r"^[\w. /-]*?(?:vllm|api_server|serve|main)[\w. -]*: error: (?P<said>.*)")
_CHAINED = ("direct cause of the following", "During handling of the above exception")
_WRAPPERS = re.compile(
    r"root cause above|Engine core initialization failed|Engine process failed to start|"
    r"initialization failed due to an exception in a background process|"
    r"Failed core proc|EngineDeadError|cancelled",
    re.IGNORECASE,
)
"""What vLLM raises because something else went wrong."""
_LONGEST = 600

_HINTS = (
    (
        r"out of memory|OutOfMemoryError|No available memory for the cache|free memory on device|"
        r"KV cache is needed|larger than the maximum number of tokens|cannot allocate memory",
        "not enough memory; try --vllm-arg=--max-model-len=8192, --vllm-arg=--max-num-seqs=16, "
        "--vllm-arg=--enforce-eager, or a quantised checkpoint; `harness doctor --model MODEL` estimates what it needs",
    ),
    (
        r"not supported for now|no longer supported|does not recognize this architecture|"
        r"_get_num_multimodal_tokens|have no vLLM implementation",
        "`harness doctor --model MODEL` says which vLLM and which transformers serve this architecture",
    ),
    (
        r"trust_remote_code|custom code",
        "the checkpoint contains its own code; use --trust-remote-code MODEL to run it",
    ),
    (r"gated repo|401 Client Error|403 Client Error", "log in with `hf auth login`"),
    (
        r"unrecognized arguments|invalid choice|expected one argument|ambiguous option",
        "leave that argument out, or use the form that this version of vLLM expects: --vllm-arg",
    ),
    (
        r"No module named|requires the \w+ library|pip install",
        "install that package into the environment of vLLM",
    ),
    (
        r"has no attribute|cannot import name|unexpected keyword argument",
        "packages of the vLLM environment may have incompatible versions: `harness doctor --model MODEL` shows the required ones",
    ),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What a log names as the fault."""

    said: str
    """The error's name and what it says; empty where the log names none."""
    hint: str
    """What to do about it; empty where nothing is known."""


@dataclass(frozen=True, slots=True)
class _Found:
    said: str
    at: int
    wraps: bool


def cause_of(lines: Sequence[str]) -> Cause:
    """The error behind the others in a log, whose lines hold no control characters.

    Of the errors that are not raised because of another process, the last is taken, and of those that led to it the
    first. Lines of a level below ERROR are no errors: vLLM warns of what it goes without.
    """
    found = [one for at in range(len(lines)) if (one := _error_at(lines, at)) is not None]
    own = [one for one in found if not one.wraps]
    if not own:
        return Cause("", "")
    first = next((one.at for one in found if one.wraps and one.at > own[0].at), len(lines))
    last = max((one for one in own if one.at < first), key=lambda one: one.at, default=own[0])
    root = last
    for earlier in reversed([one for one in own if one.at < last.at]):
        between = " ".join(lines[earlier.at : root.at])
        if not any(mark in between for mark in _CHAINED):
            break
        root = earlier
    return Cause(root.said, hint_for(root.said))


def hint_for(said: str) -> str:
    """What to do about an error; empty where nothing is known."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, said, re.IGNORECASE)), "")


def message_of(line: str) -> str:
    """A line of the log without process, level, day, time and place."""
    return _PREFIX.sub("", line, count=1)


def _error_at(lines: Sequence[str], at: int) -> _Found | None:
    level = _level(lines[at])
    if level not in ("", "ERROR", "CRITICAL"):
        return None
    text = message_of(lines[at])
    usage = _USAGE.match(text)
    if usage:
        return _Found(usage["said"].strip()[:_LONGEST], at, wraps=False)
    error = _ERROR.match(text)
    if error is None:
        return None
    said = error["said"].strip()
    if not said or said.endswith(("ModelConfig", "EngineArgs", "VllmConfig", "ParallelConfig")):
        said = " ".join([said, *_following(lines, at)]).strip()  # pydantic says it on the next line
    whole = f"{error['name']}: {said}"[:_LONGEST]
    return _Found(whole, at, wraps=_WRAPPERS.search(whole) is not None)


def _following(lines: Sequence[str], at: int) -> list[str]:
    """Up to two indented lines behind an error's own."""
    found = []
    for line in lines[at + 1 : at + 3]:
        text = message_of(line)
        if not text.startswith((" ", "\t")):
            break
        found.append(text.strip())
    return found


def _level(line: str) -> str:
    found = _PREFIX.match(line)
    return "" if found is None else found["level"] or ""
