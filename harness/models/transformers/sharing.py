"""What prompts about one picture have in common is read once: the picture, and the beginning of the prompts.

Two ways, and both are tried on drawn pictures before the first batch with pictures: features of a picture that stand in
for its pixels (`encoded`), and a beginning whose keys and values are repeated for the prompts that go on from it
(`forking`). What gives other log-probabilities than the plain way is not used, and the record says so. Only what stands
before and in a picture can be shared with it: prompts whose words before the picture differ share its features alone.

The last digits of a log-probability depend on what is computed together. So each picture and each beginning is computed
alone, and what is shared follows from the prompts that were foreseen, not from what is kept by chance: a run that goes on
after a stop gives the same digits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.transformers.beginnings import behind_pictures, read_once
from harness.models.transformers.encoded import EncodedPictures
from harness.models.transformers.forking import Forking, Head, KeptHeads, NotForkable
from harness.models.transformers.prepared import PreparedRequest

CLOSE = 1e-3
"""Natural logarithms by which float32 may differ from the plain way."""

CLOSE_HALF = 0.25
"""The same in half precision, where any other shape of a batch rounds otherwise; a fault shifts them by several units."""

_FAULTS = (
    NotForkable,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    NotImplementedError,
    AssertionError,
)
_TRIED = (((56, 48), "?"), ((56, 48), "Which one, please?"), ((90, 210), "So?"), ((90, 210), "?"))
"""Sizes of pictures (width, height in pixels) and words behind them, on which sharing is tried."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What foreseen prompts with one beginning have in common."""

    count: int
    cut: int
    """Tokens of them, before pictures are expanded, that are read once."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch as `generate` takes it, and what was spared."""

    inputs: Any
    shared: tuple[int, ...]
    """For each row the tokens that were read for another one."""
    encoded: tuple[int, ...]
    """For each row the pictures that went through the vision model for it."""

    @property
    def width(self) -> int:
        """Tokens of each row, padding included."""
        return int(self.inputs["input_ids"].shape[1])


class Sharing:
    """Begins batches of one loaded checkpoint."""

    def __init__(
        self,
        model: Any,
        *,
        read: Callable[[Sequence[PreparedRequest]], Any],
        prepare: Callable[[Request], PreparedRequest | Generation],
        alone: Callable[[], str],
        marks: frozenset[int],
        pad: int,
        torch: Any,
        transformers: Any,
        on: bool = True,
    ) -> None:
        """`read` gives the inputs of a batch, each prompt whole; `alone` a prompt of one picture and no words; `marks` are
        the tokens that stand for a picture."""
        self._model, self._read, self._prepare, self._alone = model, read, prepare, alone
        self._marks, self._pad = marks, pad
        self._torch, self._transformers, self._on = torch, transformers, on
        self._encoded = EncodedPictures(model, torch=torch)
        self._forking = Forking(model, torch=torch, transformers=transformers)
        self._heads = KeptHeads()
        self._tried = self._encode = self._fork = False
        self._reasons: Counter[str] = Counter()
        self._foreseen: dict[object, _Common] = {}

    @property
    def state(self) -> str:
        """What is shared, in words, and why what is not."""
        if not self._on:
            return "off"
        if not self._tried and not self._reasons:
            return "not tried: no picture was shown"
        done = []
        if self._encode:
            done.append("pictures encoded once")
        if self._fork:
            done.append("beginnings of prompts read once")
        left = [
            f"{reason} ({count:,} batches)" if count else reason
            for reason, count in self._reasons.items()
        ]
        return "; ".join([" and ".join(done) or "nothing", *left])

    def forget(self) -> None:
        """Keep nothing of what is kept."""
        self._heads.forget()
        self._encoded.forget()

    def foresee(self, prompts: Sequence[PreparedRequest]) -> None:
        """The prompts that batches are made of from now on; without it, a batch is all that is known."""
        found: dict[object, list[PreparedRequest]] = {}
        for prompt in prompts if self._on else ():
            if (head := self._head(prompt)) is not None:
                found.setdefault(head, []).append(prompt)
        self._foreseen = {head: self._common(alike) for head, alike in found.items()}

    def _common(self, prompts: Sequence[PreparedRequest]) -> _Common:
        """How far prompts of one beginning are read once: to the last picture, or on where enough is spared."""
        goes_on = any(_goes_on(prompt) for prompt in prompts)
        cut = read_once([prompt.ids for prompt in prompts], mark=self._mark(prompts[0]))
        return _Common(len(prompts) + goes_on, cut)

    def begin(self, prompts: Sequence[PreparedRequest], *, to_come: int) -> Begun:
        """Inputs of a batch of one group, to each row of which up to `to_come` tokens will be added."""
        heads = [self._head(prompt) for prompt in prompts] if self._on else []
        named = [head for head in heads if head is not None]
        if not named or len(named) < len(heads):
            if self._on and prompts[0].sounds:
                self._reasons["prompts with sound are read whole"] += 1
            return self._plain(prompts, encode=self._on and not _moves(prompts[0]))
        if not self._tried:
            self._try()
        if any(head not in self._foreseen for head in named):
            self.foresee(prompts)
        distinct = dict.fromkeys(named)
        worth = sum(self._foreseen[head].count for head in distinct) >= 2 * len(distinct)
        if self._fork and worth:
            try:
                return self._forked(prompts, named, to_come=to_come)
            except NotForkable as fault:
                self._reasons[str(fault)] += 1
        return self._plain(prompts, encode=True)

    def _mark(self, prompt: PreparedRequest) -> int:
        """The place behind the last picture."""
        return behind_pictures(prompt.ids, self._marks, count=len(prompt.names))

    def _head(self, prompt: PreparedRequest) -> object:
        """Pictures and the tokens up to the last of them; None where there are none, or they are not found."""
        mark = 0 if _moves(prompt) else self._mark(prompt)
        if not 0 < mark < len(prompt.ids) or prompt.request.sampling.repetition_penalty != 1:
            return None
        return prompt.names, prompt.ids[:mark]

    def _plain(self, prompts: Sequence[PreparedRequest], *, encode: bool) -> Begun:
        """Each prompt read whole; its pictures, if that was found to be right, as features that are kept."""
        inputs, none = self._read(prompts), (0,) * len(prompts)
        names = [name for prompt in prompts for name in prompt.names]
        if not (encode and self._encode and self._encoded.apart and names):
            return Begun(inputs, none, tuple(len(p.names) for p in prompts))
        fresh = self._add(prompts)
        inputs = self._encoded.put_in(inputs, names)
        self._encoded.trim()
        return Begun(inputs, none, fresh)

    def _add(self, prompts: Sequence[PreparedRequest]) -> tuple[int, ...]:
        """Encode what is not kept; for each prompt how many of its pictures that were."""
        shown = {
            name: (prompt.request, picture)
            for prompt in prompts
            for name, picture in zip(prompt.names, prompt.pictures, strict=True)
        }
        missing = self._encoded.missing(list(shown))
        text = self._alone() if missing else ""

        def read(name: str) -> Any:
            request, picture = shown[name]
            return self._read([PreparedRequest(request, text, (picture,), names=(name,))])

        if missing:
            self._encoded.add(missing, read)
        left, counts = set(missing), []
        for prompt in prompts:
            counts.append(len(left & set(prompt.names)))
            left -= set(prompt.names)
        return tuple(counts)

    def _forked(
        self, prompts: Sequence[PreparedRequest], heads: Sequence[object], *, to_come: int
    ) -> Begun:
        cuts = [self._foreseen[head].cut for head in heads]
        self._check_window(prompts, cuts, to_come)
        rows, spared, encoded = [], [], []
        for prompt, cut in zip(prompts, cuts, strict=True):
            row, known, fresh = self._beginning(prompt, cut)
            rows.append(row)
            spared.append(known)
            encoded.append(fresh)
        tails = [p.ids[cut:] for p, cut in zip(prompts, cuts, strict=True)]
        inputs = self._forking.forked(rows, cuts, tails, pad=self._pad)
        return Begun(inputs, tuple(spared), tuple(encoded))

    def _beginning(self, prompt: PreparedRequest, cut: int) -> tuple[Head, int, int]:
        """The beginning of a prompt, how many of its tokens were read before, and how many pictures were encoded now."""
        kept = self._heads.get((prompt.names, prompt.ids[:cut]))
        if kept is not None:
            return kept, kept.width, 0
        mark = self._mark(prompt)
        if cut == mark:
            head, fresh = self._read_head(prompt, mark)
            return head, 0, fresh
        head, known, fresh = self._beginning(prompt, mark)
        return self._read_on(head, prompt, cut), known, fresh

    def _check_window(
        self, prompts: Sequence[PreparedRequest], cuts: Sequence[int], to_come: int
    ) -> None:
        """A window counts the padding between beginning and rest, so all of a row has to lie within it."""
        tails = [len(p.ids) - cut for p, cut in zip(prompts, cuts, strict=True)]
        wide = max(p.tokens - tail for p, tail in zip(prompts, tails, strict=True))
        window = self._forking.window
        if window and wide + max(tails) + to_come > window:
            raise NotForkable(f"prompt and reply are longer than the window of {window:,} tokens")

    def _read_head(self, prompt: PreparedRequest, cut: int) -> tuple[Head, int]:
        """The beginning of a prompt up to a token of its text, read alone; how many pictures were encoded for it."""
        inputs, tail = dict(self._read([prompt])), prompt.ids[cut:]
        if tuple(inputs["input_ids"][0, -len(tail) :].tolist()) != tail:
            raise NotForkable("its processor changes words behind a picture")
        given: Mapping[str, Any] = _without(inputs, len(tail))
        head, fresh = given, len(prompt.names)
        if self._encode:
            (fresh,) = self._add([prompt])
            given = self._encoded.put_in(given, prompt.names)
            self._encoded.trim()
        return self._taken(given, head, prompt, cut), fresh

    def _read_on(self, head: Head, prompt: PreparedRequest, cut: int) -> Head:
        """A longer beginning of a prompt, from one that was read."""
        mark = len(head.ids)
        inputs = self._forking.forked([head], [mark], [prompt.ids[mark:cut]], pad=self._pad)
        return self._taken(inputs, inputs, prompt, cut)

    def _taken(
        self, given: Mapping[str, Any], read: Mapping[str, Any], prompt: PreparedRequest, cut: int
    ) -> Head:
        with self._torch.inference_mode():
            said = self._model.generate(**given, generation_config=self._one_token())
        (head,) = self._forking.taken(said.past_key_values, read, [prompt.ids[:cut]])
        self._heads.put((prompt.names, prompt.ids[:cut]), head)
        return head

    def _one_token(self) -> Any:
        return self._transformers.GenerationConfig(
            max_new_tokens=1, do_sample=False, num_beams=1, use_cache=True, pad_token_id=self._pad,
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip

    def _try(self) -> None:
        """Find out which ways of sharing give the log-probabilities of the plain way."""
        self._tried = True
        before, foreseen = self._encoded.encoded, self._foreseen
        try:
            prompts = [self._drawn(size, words) for size, words in _TRIED]
            plain = self._first(self._read(prompts))
        except _FAULTS as fault:
            self._reasons[f"not tried: {_said(fault)}"] = 0
            return
        self._encode = self._encoded.apart
        if self._encode:
            self._encode = self._agrees(
                plain,
                lambda: self._plain(prompts, encode=True),
                "pictures are encoded for each prompt",
            )
        crossed = self._encoded.crossed
        heads = [self._head(prompt) for prompt in prompts]

        def fork() -> Begun:
            if None in heads:
                raise NotForkable("its pictures are not found in the prompt")
            self._heads.forget()
            self.foresee(prompts)
            return self._forked(prompts, heads, to_come=1)

        for encode in [True, False] if crossed else [self._encode]:
            self._encode = encode
            what = "beginnings are read for each prompt"
            self._fork = self._agrees(plain, fork, what)
            if self._fork:
                break
        self.forget()
        self._foreseen = foreseen  # the first batch of a process is made as any other
        self._encoded.encoded = before

    def _agrees(self, plain: Any, begin: Callable[[], Begun], what: str) -> bool:
        """Whether a way gives the first log-probabilities of the plain way; the reason is noted where not."""
        try:
            away = (self._first(begin().inputs) - plain).abs()
        except _FAULTS as fault:
            self._reasons[f"{what}: {_said(fault)}"] = 0
            return False
        likely = plain.topk(20, dim=-1).indices
        worst = float(away.gather(1, likely).max())
        close = CLOSE if self._model.dtype == self._torch.float32 else CLOSE_HALF
        if not worst <= close:
            self._reasons[f"{what}: log-probabilities differ by {worst:.2g}"] = 0
        return worst <= close

    def _first(self, inputs: Mapping[str, Any]) -> Any:
        """Log-probabilities of the first token (rows, vocabulary), in float32."""
        with self._torch.inference_mode():
            said = self._model.generate(**inputs, generation_config=self._one_token())
        return said.logits[0].float().log_softmax(-1)

    def _drawn(self, size: tuple[int, int], words: str) -> PreparedRequest:
        import io

        import PIL.Image

        out = io.BytesIO()
        PIL.Image.linear_gradient("L").resize(size).convert("RGB").save(out, "PNG")
        shown = Image("drawn.png", out.getvalue())
        request = make_request((Message("user", (shown, Text(words))),), Sampling(), model="")
        prompt = self._prepare(request)
        if isinstance(prompt, Generation):
            raise NotForkable(prompt.failure.detail if prompt.failure else "a picture is not taken")
        return prompt


def _moves(prompt: PreparedRequest) -> bool:
    """Whether it holds a video or a sound: such prompts are read whole, nothing of them is shared."""
    return bool(prompt.films or prompt.sounds)


def _without(inputs: Mapping[str, Any], behind: int) -> dict[str, Any]:
    """Inputs of one row without so many tokens at its end."""
    width = inputs["input_ids"].shape[1]
    return {
        name: value[:, :-behind]
        if (name == "input_ids" or name.endswith(("mask", "token_type_ids")))
        and tuple(value.shape[:2]) == (1, width)
        else value
        for name, value in inputs.items()
    }


def _goes_on(prompt: PreparedRequest) -> bool:
    """Whether a reply stands behind the last picture: the same beginning was asked about before."""
    turns = prompt.request.messages
    shown = [nth for nth, t in enumerate(turns) if any(isinstance(p, Image) for p in t.parts)]
    return bool(shown) and any(turn.role == "assistant" for turn in turns[shown[-1] :])


def _said(fault: BaseException) -> str:
    return (
        str(fault) if isinstance(fault, NotForkable) else f"{type(fault).__name__}: {fault}"[:200]
    )
