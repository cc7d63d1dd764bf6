"""The page on conditions, label orders, few-shot examples, channels and protocols."""

from __future__ import annotations

from collections.abc import Iterable

from harness.conditions.label_order import ORDERS
from harness.conditions.registry import describe_conditions
from harness.core.cell import CHANNEL_LINES
from harness.core.registry import Listed
from harness.models import describe_models
from harness.protocols.registry import PROTOCOLS
from harness.tools.registry import describe_tools

from .markdown import code, page, prose, table

_INTRO = """
# Conditions, channels, protocols

A run asks every combination of task, model, prompt, condition, channel, label order and number of few-shot examples. One
such combination is a cell. `harness plan` prints the cells and the number of requests before anything is asked.

## Conditions

A condition is a named, deterministic change of what the model is shown. `--condition NAME` may be repeated. Exactly the
conditions that you name are run, so name `none` too where you want the plain picture. Conditions can be joined by `+`:
`apex+shots-4`. A part in capital letters stands for a value of yours.
"""

_ORDERS = f"""
## Label orders and few-shot examples

`--label-order` changes the order in which a prompt lists the labels: {ORDERS}. K labels are moved from the front to the
end by `rotated-K`; `shuffled-SEED` is one fixed random order. With several orders the report says who is right under
all of them, and how much a place in the list draws answers.

`--shots K` shows K few-shot examples before each sample, for prompts that print `exemplars`. They are drawn for each
sample, balanced over the labels, and never show the subject that is asked about.
"""

_CHANNELS = """
## Channels

A channel is how an answer is taken. A server is tried before the run; the manifest records what it was proved to do. A
channel that a model cannot serve is an error. It is never approximated.
"""

_PROTOCOLS = """
## Protocols

A protocol is how a sample becomes an answer. A prompt names one in its head; `--protocol` replaces it.
"""

_TOOLS = """
## Tools

`--tools NAME+NAME` lets a model use tools before it answers ([an agent](../jobs/agent.md)). The words in brackets are the
arguments that the model may give.
"""

_MODELS = """
## Models

`--model` names a model. It may be repeated. Without one, only the baselines are scored.
"""


def conditions_page() -> str:
    """Every axis of a run that is not a task, prompt or metric."""
    channels = [Listed(name, line) for name, line in CHANNEL_LINES.items()]
    return page(
        _INTRO,
        _table("condition", describe_conditions()),
        _ORDERS,
        _CHANNELS,
        _table("channel", channels),
        _PROTOCOLS,
        _table("protocol", PROTOCOLS.listed()),
        _TOOLS,
        _table("tool", describe_tools()),
        _MODELS,
        _table("as it is written", describe_models()),
    )


def _table(head: str, listed: Iterable[Listed]) -> str:
    rows = [(code(one.name), prose(one.line)) for one in listed if not one.package]
    return table((head, "meaning"), rows)
