"""Open a model that is asked in batches, with the batches that its run folder knows of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.models.http.batch_ledger import Ledger
from harness.models.http.endpoint import Endpoint
from harness.models.http.model import OpenAIModel
from harness.models.registry import OpenOptions

if TYPE_CHECKING:
    from harness.models.http.batch import BatchedModel
    from harness.models.http.batch_api import BatchApi


def batched(model: OpenAIModel, endpoint: Endpoint, options: OpenOptions) -> BatchedModel:
    """The model, asked through the batch API of its server. Raises HarnessError where there is no run folder, or what
    it says of batches cannot be read."""
    from harness.models.http.batch import POLL, TOGETHER, BatchedModel, Batches

    if options.log_folder is None:
        raise HarnessError("batches need a run folder", hint="leave out batch")
    poll = options.batch_poll or POLL
    batches = Batches(
        _service(endpoint, options, poll),
        Ledger.read(_folder(options.log_folder)),
        place=_place(endpoint),
        poll=poll,
    )
    return BatchedModel(model, batches, together=options.concurrency or TOGETHER)


def _service(endpoint: Endpoint, options: OpenOptions, poll: float) -> BatchApi:
    """The batches of a server in the form that it speaks."""
    if options.batch_api == "anthropic":
        from harness.models.http.batch_anthropic import AnthropicBatches

        return AnthropicBatches(endpoint, options.patience(), poll=poll)
    if options.batch_api == "gemini":
        from harness.models.http.batch_gemini import GeminiBatches

        return GeminiBatches(endpoint, options.patience())
    from harness.models.http.batch_openai import OpenAIBatches

    return OpenAIBatches(endpoint, options.patience())


def refuse_open_batches(endpoint: Endpoint, options: OpenOptions) -> None:
    """Raise HarnessError where a batch to the server is in progress, whose requests would be paid twice."""
    if options.log_folder is None:
        return
    folder = _folder(options.log_folder)
    still = Ledger.read(folder).open(_place(endpoint))
    if still:
        count = sum(len(one.names) for one in still)
        raise HarnessError(
            f"batches with {count:,} requests to {endpoint.model} are in progress ({', '.join(o.id or o.mark for o in still)})",
            hint="add --batch to wait for them. To ask directly instead, cancel them at the provider, run once with "
            "--batch to take what was finished, then without",
        )


def _folder(run: Path) -> Path:
    return run / "private" / "batches"


def _place(endpoint: Endpoint) -> str:
    return f"{endpoint.model} at {endpoint.base}"
