"""Prompts in, replies out: one batch at a time through a loaded checkpoint."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from harness.core.errors import MediaError
from harness.core.generation import Generation, LabelScores, Usage
from harness.core.message import Image, Message, Text
from harness.core.request import Request
from harness.models.chat import probe_chat, render_chat
from harness.models.checkpoint import Loaded, import_libraries
from harness.models.picture import decode_picture
from harness.models.sampler import Sampler
from harness.models.trie import Held, Trie

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

ROWS = 64
"""Most rows, one for each conversation with a candidate, scored at a time."""

UNSUPPORTED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    TemplateError,
)
"""What transformers raises for a conversation that a checkpoint cannot take."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request made ready: its text with placeholders, and its pictures."""

    request: Request
    text: str
    pictures: tuple[Picture, ...]

    @property
    def group(self) -> Hashable:
        """Equal for prompts that may share a batch: picture sizes and count, decoding, what the reply is held to.

        A repetition penalty counts the padding of a batch as spoken, so such requests go alone.
        """
        sampling = self.request.sampling
        return (
            tuple(picture.size for picture in self.pictures),
            (sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens),
            (self.request.constraint, self.request.candidates),
            None if sampling.repetition_penalty == 1 else self.request.key,
        )


class Engine:
    """A loaded checkpoint with its decoding defaults taken away. Not for several threads at once."""

    def __init__(self, loaded: Loaded) -> None:
        self._torch, self._transformers = import_libraries()
        self._processor, self._model = loaded.processor, loaded.model
        tokenizer = self._processor.tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._ends = _ends(self._model.generation_config.eos_token_id, tokenizer.eos_token_id)
        # The checkpoint's own defaults (penalties, top-k) would fill whatever a call leaves out.
        self._model.generation_config = self._transformers.GenerationConfig()
        self._form = probe_chat(self._processor)
        text_config = self._model.config.get_text_config()
        self._longest: int | None = getattr(text_config, "max_position_embeddings", None)

    @property
    def system_role(self) -> bool:
        """Whether the chat template takes a system turn."""
        return self._form.system_role

    def prepare(self, request: Request) -> Prompt | Generation:
        """Decode the pictures and render the text; a failed Generation where that cannot be done."""
        images = [part for m in request.messages for part in m.parts if isinstance(part, Image)]
        try:
            pictures = tuple(decode_picture(image) for image in images)
            return Prompt(
                request, render_chat(self._processor, request.messages, self._form), pictures
            )
        except MediaError as error:
            return Generation.failed(request.key, "media", str(error))
        except UNSUPPORTED as error:
            return Generation.failed(
                request.key, "unsupported", f"the chat template objects: {error}"
            )

    def generate(self, prompts: Sequence[Prompt]) -> list[Generation]:
        """Replies to prompts of one group, in order. Raises what transformers raises."""
        if prompts[0].request.candidates:
            return self._score(prompts)
        torch, tokenizer = self._torch, self._processor.tokenizer
        inputs = self._inputs(prompts)
        width = int(inputs["input_ids"].shape[1])
        sampling = prompts[0].request.sampling
        self._check_length(width, sampling.max_tokens)
        chosen = self._held(prompts, width)
        if sampling.temperature != 0:
            chosen.append(Sampler([p.request for p in prompts], torch))
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                generation_config=self._decoding(prompts[0].request),
                logits_processor=self._transformers.LogitsProcessorList(chosen),
            )
        counts = inputs["attention_mask"].sum(-1).tolist()
        return [
            self._read(prompt.request, row, count, tokenizer)
            for prompt, row, count in zip(prompts, output[:, width:].tolist(), counts, strict=True)
        ]

    def _check_length(self, width: int, to_come: int) -> None:
        if self._longest is not None and width + to_come > self._longest:
            raise ValueError(
                f"{width} tokens and {to_come} to come are over the {self._longest} "
                "that the checkpoint was made for"
            )

    def _held(self, prompts: Sequence[Prompt], width: int) -> list[Any]:
        """The processor that holds a batch to its choices; none where it is not held."""
        constraint = prompts[0].request.constraint
        if constraint is None:
            return []
        if constraint.kind != "choice":
            raise NotImplementedError(f"replies are not held to a constraint ({constraint.kind})")
        tries = [Trie.of(self._turns(p.text, constraint.choices)) for p in prompts]
        return [Held(tries, width=width, ends=self._ends, torch=self._torch)]

    def _turns(self, text: str, replies: Sequence[str]) -> list[list[int]]:
        """The tokens of each reply behind a rendered prompt, without the end of the turn."""
        begin = self._ids(text)
        found = []
        for reply in replies:
            whole = self._ids(text + reply)
            if whole[: len(begin)] != begin or len(whole) == len(begin):
                raise ValueError(f"the tokens of {reply!r} run into those of the prompt")
            found.append(whole[len(begin) :])
        return found

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _end_of_turn(self) -> int:
        """The token with which the chat template ends an assistant's turn."""
        turns = (Message("user", (Text("?"),)), Message("assistant", (Text("!"),)))
        ids = self._ids(render_chat(self._processor, turns, self._form))
        ends = [token for token in ids if token in self._ends]
        if not ends:
            raise ValueError(
                "the chat template ends an assistant's turn by no token that ends a reply"
            )
        return ends[-1]

    def _score(self, prompts: Sequence[Prompt]) -> list[Generation]:
        """Log-probabilities of each candidate as the whole reply, its end included.

        The conversations with every candidate go through the checkpoint as one batch, at most ROWS at a time.
        """
        count = len(prompts[0].request.candidates)
        step = max(1, ROWS // count)
        return [
            generation
            for start in range(0, len(prompts), step)
            for generation in self._score_batch(prompts[start : start + step])
        ]

    def _score_batch(self, prompts: Sequence[Prompt]) -> list[Generation]:
        torch, labels = self._torch, prompts[0].request.candidates
        end = self._end_of_turn()
        written = self._processor.tokenizer.convert_ids_to_tokens(end)
        tails = [[*ids, end] for p in prompts for ids in self._turns(p.text, labels)]
        inputs = self._inputs(
            [replace(p, text=p.text + label + written) for p in prompts for label in labels]
        )
        width, longest = int(inputs["input_ids"].shape[1]), max(map(len, tails))
        self._check_length(width, 0)
        # Only the last places are turned into scores of the whole vocabulary, where the model can do that.
        takes = inspect.signature(self._model.forward).parameters
        few = {"logits_to_keep": longest + 1} if "logits_to_keep" in takes else {}
        with torch.inference_mode():
            logits = self._model(**inputs, **few).logits[:, -(longest + 1) :].float()
        known = logits.log_softmax(-1)
        totals = []
        for row, tail in enumerate(tails):
            if inputs["input_ids"][row, -len(tail) :].tolist() != tail:
                raise ValueError("a candidate's tokens do not stand at the end of the conversation")
            places = torch.arange(longest - len(tail), longest, device=known.device)
            ids = torch.tensor(tail, device=known.device)
            totals.append(round(float(known[row, places, ids].sum()), 6))
        lengths = [len(tail) for tail in tails]
        used = inputs["attention_mask"].sum(-1).tolist()
        return [
            _scored(
                p.request, totals[at : at + len(labels)], lengths[at : at + len(labels)], used[at]
            )
            for p, at in zip(prompts, range(0, len(tails), len(labels)), strict=True)
        ]

    def _inputs(self, prompts: Sequence[Prompt]) -> Any:
        texts = [prompt.text for prompt in prompts]
        begin = self._processor.tokenizer.bos_token
        written = begin is not None and texts[0].startswith(begin)
        inputs = self._processor(
            text=texts,
            images=[list(p.pictures) for p in prompts] if prompts[0].pictures else None,
            return_tensors="pt",
            padding=True,
            padding_side="left",
            **({"add_special_tokens": False} if written else {}),
        )
        return inputs.to(self._model.device, dtype=self._model.dtype)

    def _decoding(self, request: Request) -> Any:
        """Every choice named. Drawing is the Sampler's work, so generate itself only takes the best."""
        return self._transformers.GenerationConfig(
            max_new_tokens=request.sampling.max_tokens,
            do_sample=False,
            num_beams=1,
            repetition_penalty=float(request.sampling.repetition_penalty),
            eos_token_id=sorted(self._ends),
            pad_token_id=self._processor.tokenizer.pad_token_id,
            bos_token_id=self._processor.tokenizer.bos_token_id,
            use_cache=True,
        )

    def _read(self, request: Request, row: list[int], count: int, tokenizer: Any) -> Generation:
        end = next((i for i, token in enumerate(row) if token in self._ends), None)
        said = row if end is None else row[:end]
        return Generation(
            request.key,
            str(tokenizer.decode(said, skip_special_tokens=True)),
            "length" if end is None else "stop",
            Usage(int(count), len(row) if end is None else end + 1),
        )


def _scored(
    request: Request, totals: Sequence[float], lengths: Sequence[int], used: int
) -> Generation:
    best = max(range(len(totals)), key=totals.__getitem__)
    scores = LabelScores(request.candidates, tuple(totals), tuple(lengths), "continuation")
    return Generation(
        request.key,
        request.candidates[best],
        "stop",
        Usage(int(used) - lengths[0], 0),
        scores=scores,
    )


def _ends(*found: int | Sequence[int] | None) -> frozenset[int]:
    """All end-of-turn tokens that a checkpoint names."""
    ends: set[int] = set()
    for one in found:
        ends |= set() if one is None else {one} if isinstance(one, int) else set(one)
    return frozenset(ends)
