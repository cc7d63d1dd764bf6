"""Generate replies, one batch at a time, with a loaded checkpoint."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import TemplateError

from harness.core.errors import MediaError
from harness.core.generation import Generation, LabelScores, Usage
from harness.core.message import Audio, Image, Message, Text
from harness.core.request import Request
from harness.models.http.video import videos_of
from harness.models.transformers.beginnings import picture_tokens
from harness.models.transformers.chat import render_chat, reply_space
from harness.models.transformers.continuation import continuation_logprobs
from harness.models.transformers.features import KeptFeatures, drawn_sounds, forget_features
from harness.models.transformers.libraries import import_libraries
from harness.models.transformers.loading import Loaded
from harness.models.transformers.picture import decode_picture
from harness.models.transformers.pillow_video import metadata_of
from harness.models.transformers.prepared import PreparedRequest
from harness.models.transformers.sampler import Sampler
from harness.models.transformers.sharing import Begun, Sharing
from harness.models.transformers.sound import heard_by, sounds_of
from harness.models.transformers.trie import Held, Trie

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from harness.media.sound import Wave

_K = TypeVar("_K")
_V = TypeVar("_V")

ROWS = 64
"""Most rows, one for each conversation with a candidate, scored at a time."""

PICTURES = 256
"""Decoded pictures that are kept for the prompts to come, and counts of their tokens."""

SOUNDS = 64
"""Sounds that are; two minutes take 8 MB."""

UNSUPPORTED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    TemplateError,
)
"""What transformers raises for a conversation that a checkpoint cannot take."""


class Generator:
    """A loaded checkpoint with its decoding defaults taken away. Not for several threads at once."""

    def __init__(self, loaded: Loaded, *, share: bool = True) -> None:
        """`share`: what prompts about one picture have in common is read once."""
        self._torch, self._transformers = import_libraries()
        self._processor, self._model = loaded.processor, loaded.model
        tokenizer = self._processor.tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._ends = _ends(self._model.generation_config.eos_token_id, tokenizer.eos_token_id)
        # The checkpoint's own defaults (penalties, top-k) would fill whatever a call leaves out.
        self._model.generation_config = self._transformers.GenerationConfig()
        self._form = loaded.form
        self._facts, self.notes = loaded.facts, loaded.notes
        self._adapters, self._adapter = loaded.adapters, ""
        self._space = reply_space(self._processor, self._form)
        inner = self._processor.image_processor
        if not isinstance(inner, KeptFeatures):
            self._processor.image_processor = KeptFeatures(inner, torch=self._torch)
        ears = self._processor.feature_extractor if loaded.form.audio else None
        if ears is not None and not isinstance(ears, KeptFeatures):
            kept = KeptFeatures(ears, torch=self._torch, drawn=drawn_sounds)
            self._processor.feature_extractor = kept
        self._decoded: OrderedDict[str, Picture] = OrderedDict()
        self._waves: OrderedDict[str, Wave] = OrderedDict()
        self._expanded: OrderedDict[tuple[str, ...], int] = OrderedDict()
        text_config = self._model.config.get_text_config()
        self._longest: int | None = getattr(text_config, "max_position_embeddings", None)
        picture = (Message("user", (Image("a picture", b""),)),)
        self._sharing = Sharing(
            self._model, read=self._inputs, prepare=self.prepare, marks=picture_tokens(self._processor, self._model.config), on=share,
            alone=lambda: render_chat(self._processor, picture, self._form),
            pad=int(tokenizer.pad_token_id), torch=self._torch, transformers=self._transformers,
        )  # fmt: skip

    @property
    def facts(self) -> Mapping[str, str]:
        """Where the layers lie, the class, and what prompts about one picture share."""
        return {**self._facts, "sharing": self._sharing.state}

    def foresee(self, prompts: Sequence[PreparedRequest]) -> None:
        """The prompts that batches are made of from now on: what they share follows from them alone."""
        self._sharing.foresee(prompts)

    def forget(self) -> None:
        """Keep nothing of pictures and of beginnings of prompts."""
        self._sharing.forget()
        forget_features(self._processor)

    def prepare(self, request: Request) -> PreparedRequest | Generation:
        """Decode pictures and sounds and render the text; a failed Generation where that cannot be done."""
        parts = [part for message in request.messages for part in message.parts]
        images = [part for part in parts if isinstance(part, Image)]
        videos, sounds = videos_of(request.messages), [p for p in parts if isinstance(p, Audio)]
        for shown, taken, word in (
            (videos, self._form.video, "video"),
            (sounds, self._form.audio, "sound"),
        ):
            if shown and not taken:
                detail = f"this checkpoint does not support {word}"
                return Generation.failed(request.key, "unsupported", detail)
        try:
            pictures = tuple(self._picture(image) for image in images)
            films = tuple(tuple(map(decode_picture, video.frames)) for video in videos)
            waves = tuple(self._wave(sound) for sound in sounds)
            if request.thinking and request.thinking not in self._form.thinking:
                return Generation.failed(
                    request.key, "unsupported", "the chat template has no variable for thinking"
                )
            text = render_chat(
                self._processor, request.messages, self._form, thinking=request.thinking
            )
        except MediaError as error:
            return Generation.failed(request.key, "media", str(error))
        except UNSUPPORTED as error:
            return Generation.failed(
                request.key, "unsupported", f"the chat template raised an error: {error}"
            )
        try:
            names = tuple(image.digest for image in images)
            ids = tuple(self._ids(text))
            prompt = PreparedRequest(
                request, text, pictures, films, ids=ids, names=names, sounds=waves
            )
            return replace(prompt, tokens=self._count(prompt, [sound.digest for sound in sounds]))
        except (*UNSUPPORTED, RuntimeError) as error:
            sizes = ", ".join(f"{one.width}x{one.height}" for one in pictures[:4])
            seen = f" (pictures of {sizes} pixels)" if pictures else ""
            detail = f"the checkpoint's processor does not take this{seen}: {error}"[:500]
            return Generation.failed(request.key, "unsupported", detail)

    def _picture(self, image: Image) -> Picture:
        """The decoded picture, the same object for the same bytes while it is kept."""
        held = self._decoded.get(image.digest)
        return _keep(self._decoded, image.digest, decode_picture(image) if held is None else held)

    def _wave(self, sound: Audio) -> Wave:
        """The samples of a sound, the same object for the same bytes while they are kept."""
        held = self._waves.get(sound.digest)
        wave = heard_by(self._processor, sound) if held is None else held
        return _keep(self._waves, sound.digest, wave, most=SOUNDS)

    def _count(self, prompt: PreparedRequest, sounds: Sequence[str]) -> int:
        """Tokens of a prompt: its text's, and what its pictures and sounds (by their digests) were found to add to one."""
        plain, names = len(prompt.ids), (*prompt.names, *sounds)
        if not names or prompt.films:
            return plain
        added = self._expanded.get(names)
        if added is None:
            added = int(self._read_in([prompt])["input_ids"].shape[1]) - plain
        return plain + _keep(self._expanded, names, added)

    def generate(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        """Replies to prompts of one group, in order. Raises what transformers raises."""
        self._use(prompts[0].request.adapter)
        if prompts[0].request.candidates:
            return self._score(prompts)
        torch, tokenizer = self._torch, self._processor.tokenizer
        sampling = prompts[0].request.sampling
        self._check_length(max(p.tokens for p in prompts), sampling.max_tokens)
        begun = self._sharing.begin(prompts, to_come=sampling.max_tokens)
        inputs, width = begun.inputs, begun.width
        chosen = self._held(prompts, width)
        if sampling.temperature != 0:
            chosen.append(Sampler([p.request for p in prompts], torch))
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                generation_config=self._decoding(prompts[0].request),
                logits_processor=self._transformers.LogitsProcessorList(chosen),
            )
        return [
            self._read(prompt.request, row, used, tokenizer)
            for prompt, row, used in zip(
                prompts, output[:, width:].tolist(), self._used(begun, prompts), strict=True
            )
        ]

    def _use(self, fold: str) -> None:
        """Put the adapter of a fold in place of the last one; what that one has read is forgotten. Raises LookupError."""
        if fold != self._adapter:
            self._model.set_adapter(self._adapters[fold])
            self._sharing.forget()
            self._adapter = fold

    def _used(self, begun: Begun, prompts: Sequence[PreparedRequest]) -> list[Usage]:
        """What each prompt of a batch took, before its reply."""
        counts = begun.inputs["attention_mask"].sum(-1).tolist()
        seen = self._picture_tokens(begun.inputs, prompts)
        return [
            Usage(int(count), 0, 0, taken, shared, encoded)
            for count, taken, shared, encoded in zip(
                counts, seen, begun.shared, begun.encoded, strict=True
            )
        ]

    def _check_length(self, width: int, to_come: int) -> None:
        if self._longest is not None and width + to_come > self._longest:
            raise ValueError(
                f"{width} prompt tokens plus {to_come} reply tokens exceed the checkpoint's "
                f"limit of {self._longest}"
            )

    def _held(self, prompts: Sequence[PreparedRequest], width: int) -> list[Any]:
        """The processor that holds a batch to its choices; none where it is not held."""
        constraint = prompts[0].request.constraint
        if constraint is None:
            return []
        if constraint.kind != "choice":
            raise NotImplementedError(f"constrained replies are not supported ({constraint.kind})")
        tries = [Trie.of(self._turns(p.text, constraint.choices)) for p in prompts]
        return [Held(tries, width=width, ends=self._ends, torch=self._torch)]

    def _turns(self, text: str, replies: Sequence[str]) -> list[list[int]]:
        """The tokens of each reply behind a rendered prompt as the template writes it, without the end of the turn."""
        begin = self._ids(text)
        found = []
        for reply in replies:
            whole = self._ids(text + self._space + reply)
            if whole[: len(begin)] != begin or len(whole) == len(begin):
                raise ValueError(f"the tokens of {reply!r} merge with those of the prompt")
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
                "the chat template does not end the assistant turn with an end-of-reply token"
            )
        return ends[-1]

    def _score(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        """Log-probabilities of each candidate as the whole reply, its end included; at most ROWS rows at a time."""
        count = len(prompts[0].request.candidates)
        step = max(1, ROWS // count)
        return [
            generation
            for start in range(0, len(prompts), step)
            for generation in self._score_batch(prompts[start : start + step])
        ]

    def _score_batch(self, prompts: Sequence[PreparedRequest]) -> list[Generation]:
        end = self._end_of_turn()
        tails = [
            [[*ids, end] for ids in self._turns(p.text, p.request.candidates)] for p in prompts
        ]
        longest = max(len(tail) for each in tails for tail in each)
        self._check_length(max(p.tokens for p in prompts), longest)
        begun = self._sharing.begin(prompts, to_come=longest)
        sums = continuation_logprobs(
            self._model, begun.inputs, tails, torch=self._torch, transformers=self._transformers,
            pad=self._processor.tokenizer.pad_token_id,
        )  # fmt: skip
        return [
            _scored(p.request, totals, [len(tail) for tail in each], used)
            for p, totals, each, used in zip(
                prompts, sums, tails, self._used(begun, prompts), strict=True
            )
        ]

    def _inputs(self, prompts: Sequence[PreparedRequest]) -> Any:
        inputs = self._read_in(prompts)
        seconds = inputs.get("second_per_grid_ts")
        inputs = inputs.to(self._model.device, dtype=self._model.dtype)
        if seconds is not None:  # a video's times are no numbers to be rounded to half precision
            inputs["second_per_grid_ts"] = seconds.to(self._model.device)
        return inputs

    def _read_in(self, prompts: Sequence[PreparedRequest]) -> Any:
        """What the checkpoint's processor makes of a batch."""
        texts = [prompt.text for prompt in prompts]
        begin = self._processor.tokenizer.bos_token
        written = begin is not None and texts[0].startswith(begin)
        return self._processor(
            text=texts,
            images=[list(p.pictures) for p in prompts] if prompts[0].pictures else None,
            **_videos(prompts),
            **sounds_of(self._processor, prompts),
            return_tensors="pt",
            padding=True,
            padding_side="left",
            **({"add_special_tokens": False} if written else {}),
        )

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

    def _picture_tokens(self, inputs: Any, prompts: Sequence[PreparedRequest]) -> list[int]:
        """How many tokens of each prompt its pictures and videos take. Zeros where a picture is one mark in the prompt,
        as with cross attention."""
        found = 0
        for name in ("image_token_id", "image_token_index", "video_token_id"):
            token = getattr(self._model.config, name, None)
            if token is not None:
                found = found + (inputs["input_ids"] == token).sum(-1)
        counts = [0] * len(prompts) if isinstance(found, int) else found.tolist()
        return [
            int(count) if count > len(p.pictures) + len(p.films) else 0
            for count, p in zip(counts, prompts, strict=True)
        ]

    def _read(self, request: Request, row: list[int], used: Usage, tokenizer: Any) -> Generation:
        end = next((i for i, token in enumerate(row) if token in self._ends), None)
        said = row if end is None else row[:end]
        text = str(tokenizer.decode(said, skip_special_tokens=True))
        return Generation(
            request.key,
            text if request.constraint is None else text.removeprefix(self._space),
            "length" if end is None else "stop",
            replace(used, completion_tokens=len(row) if end is None else end + 1),
        )


def _keep(kept: OrderedDict[_K, _V], name: _K, value: _V, *, most: int = PICTURES) -> _V:
    """Put a value in as the youngest of at most so many."""
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)
    return value


def _videos(prompts: Sequence[PreparedRequest]) -> dict[str, Any]:
    """The videos of a batch as a processor takes them, which samples no frames of its own."""
    if not prompts[0].films:
        return {}
    return {
        "videos": [list(frames) for p in prompts for frames in p.films],
        "video_metadata": [metadata_of(v) for p in prompts for v in videos_of(p.request.messages)],
        "do_sample_frames": False,
    }


def _scored(
    request: Request, totals: Sequence[float], lengths: Sequence[int], used: Usage
) -> Generation:
    best = max(range(len(totals)), key=totals.__getitem__)
    rounded = tuple(round(total, 6) for total in totals)
    scores = LabelScores(request.candidates, rounded, tuple(lengths), "continuation")
    return Generation(
        request.key,
        request.candidates[best],
        "stop",
        used,
        scores=scores,
    )


def _ends(*found: int | Sequence[int] | None) -> frozenset[int]:
    """All end-of-turn tokens that a checkpoint names."""
    ends: set[int] = set()
    for one in found:
        ends |= set() if one is None else {one} if isinstance(one, int) else set(one)
    return frozenset(ends)
