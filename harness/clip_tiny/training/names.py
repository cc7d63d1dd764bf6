"""Teach names to a trained clip:tiny: `python -m harness.clip_tiny.training.names --base FOLDER --doses .005,.02,.5 --out FOLDER`.

A control of what a comparison of prompts says: the text model alone is trained on, with captions of which a share names
the emotion, by words that were unknown before. The vision model, whose features are computed once, stays as it is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.clip_tiny.training.architecture import build_tokenizer
from harness.clip_tiny.training.batches import Data, positives
from harness.clip_tiny.training.captions import NameDose, caption, doses_of, vocabulary
from harness.clip_tiny.training.pictures import read_all
from harness.clip_tiny.training.train import Say, contrastive, save

BATCH, RATE, SEEN_AT_ONCE = 64, 1e-3, 250


def features(model: Any, data: Data) -> Tensor:
    """(pictures, features), of length 1, of the middles of all pictures."""
    parts = []
    with torch.no_grad():
        for first in range(0, len(data), SEEN_AT_ONCE):
            places = range(first, min(len(data), first + SEEN_AT_ONCE))
            parts.append(model.get_image_features(pixel_values=data.middles(places)).pooler_output)
    return nn.functional.normalize(torch.cat(parts), dim=-1)


def with_words(model: Any, doses: Sequence[NameDose]) -> Any:
    """The tokenizer of captions with the names of these doses, for which the model gets new vectors of words."""
    tokenizer = build_tokenizer(vocabulary(doses))
    embedding = model.text_model.embeddings.token_embedding
    new = len(tokenizer) - embedding.num_embeddings
    rows = torch.cat([embedding.weight.data, 0.3 * torch.randn(new, embedding.embedding_dim)])
    model.text_model.embeddings.token_embedding = nn.Embedding.from_pretrained(rows, freeze=False)
    model.config.text_config.vocab_size = len(tokenizer)
    return tokenizer


def teach(
    model: Any,
    data: Data,
    doses: Sequence[NameDose],
    *,
    captions: int,
    seed: int = 0,
    say: Say = print,
) -> tuple[Any, dict[str, int]]:
    """Train the text model on with so many captions; its tokenizer, and how many captions held a name of each dose."""  # fmt: skip
    torch.manual_seed(seed)
    tokenizer, seen = with_words(model, doses), features(model, data)
    text = [*model.text_model.parameters(), *model.text_projection.parameters()]
    optimizer = torch.optim.AdamW(text, lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)
    rng, order = Random(seed), np.random.default_rng(seed)  # noqa: S311
    held = {dose.letter: 0 for dose in doses}
    queue: list[int] = []
    steps, started = captions // BATCH, time.process_time()
    for step in range(steps):
        while len(queue) < BATCH:
            queue = queue + order.permutation(len(data)).tolist()
        places, queue = queue[:BATCH], queue[BATCH:]
        present = [data.present[place] for place in places]
        said = [caption(rng, data.pictures.truths[p], data.present[p], doses) for p in places]
        for one in said:
            if one.letter:
                held[one.letter] += 1
        tokens = tokenizer([one.text for one in said], padding=True, return_tensors="pt")
        found = model.get_text_features(**{name: tokens[name] for name in ("input_ids", "attention_mask")})  # fmt: skip
        texts = nn.functional.normalize(found.pooler_output, dim=-1)
        true = positives(said, present, [data.emotions[place] for place in places]).float()
        loss = contrastive(seen[places] @ texts.T * model.logit_scale.exp().detach(), true)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            say(
                f"step {step + 1} of {steps}, {time.process_time() - started:.0f} s, loss {loss:.3f}"
            )
    return tokenizer, held


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    from transformers import CLIPModel

    parser = argparse.ArgumentParser(prog="python -m harness.clip_tiny.training.names")
    parser.add_argument("--base", type=Path, required=True, help="checkpoint to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--pictures", type=Path, default=Path("results/runs/clip-tiny-pictures"))
    parser.add_argument("--persons", type=int, default=1000)
    parser.add_argument("--captions", type=int, default=40_000)
    parser.add_argument("--doses", required=True, help="such as .005,.02: see the trainer")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model, doses = CLIPModel.from_pretrained(args.base), doses_of(args.doses)
    data = Data(read_all(args.pictures, args.persons))
    tokenizer, held = teach(model, data, doses, captions=args.captions, seed=args.seed)
    told = ", ".join(f"{dose.share:.2%}: {held[dose.letter]}" for dose in doses)
    print(f"captions with a name: {told}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    print(f"{save(model.eval(), tokenizer, args.out)} bytes in {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
