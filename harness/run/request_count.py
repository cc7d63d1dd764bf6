"""Number of requests of a cell's trials, found by running its protocol on dummy replies."""

from __future__ import annotations

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.prompt import Prompt
from harness.core.protocol import AnswerProtocol, draws_of
from harness.prompting.library import Library
from harness.protocols.registry import is_family, load_protocol
from harness.protocols.steps import count_requests


def requests_of(cell: Cell, prompt: Prompt, library: Library, *, temperature: float) -> int:
    """Requests of one trial of the cell.

    Raises HarnessError where the protocol is unknown, cannot run the prompt, or draws replies that would all be alike.
    """
    protocol = load_protocol(cell.protocol)
    requests = count_for(protocol, prompt, library)
    draws = draws_of(protocol)
    if draws > 1 and cell.channel == "logprob":
        raise HarnessError(
            f"protocol {cell.protocol} draws {draws} replies, which are all equal on the "
            "channel logprob",
            hint="use vote with --channel free or choice",
        )
    if draws > 1 and not temperature:
        raise HarnessError(
            f"protocol {cell.protocol} draws {draws} replies per prompt, which are all equal "
            "at temperature 0",
            hint="set a temperature, such as --temperature 0.7",
        )
    return requests


def count_for(protocol: AnswerProtocol, prompt: Prompt, library: Library) -> int:
    """Requests of one trial of the prompt. Raises HarnessError, naming both, where the protocol cannot run it."""
    try:
        return count_requests(protocol, library.survey(prompt).replies)
    except HarnessError as error:
        raise HarnessError(
            f"prompt {prompt.name}, protocol {protocol.name}: {error.message}", hint=error.hint
        ) from None


def protocol_asked(name: str | None, repeats: int) -> tuple[str | None, int]:
    """The protocol and the repeats that `--protocol NAME --repeats N` ask for: of `vote`, N is how many vote.

    Raises HarnessError for an unknown protocol, and where the number is missing.
    """
    if name is None:
        return None, repeats
    if is_family(name) and repeats > 1:
        name, repeats = f"{name}-{repeats}", 1
    load_protocol(name)
    return name, repeats
