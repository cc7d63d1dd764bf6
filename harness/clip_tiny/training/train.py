"""Train clip:tiny: `python -m harness.clip_tiny.training.train --out harness/clip_tiny/weights`.

Pictures are drawn first (about 5 CPU-minutes for 10,000) and kept in `--pictures`; training itself takes `--seconds` of
processor time on one thread. Plain contrastive training of so small a model stays on a plateau for longer than that.
What breaks it (measured, `results/benchmarks/dual.md`): heads that are thrown away afterwards and learn units and
landmarks from all patches, Muon for the matrices inside blocks, and patch filters that begin as whitened cosines.
`--base FOLDER` goes on from a checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CLIPModel

from harness.affect_tiny.training.export import replace_folder
from harness.affect_tiny.training.process_group import ALONE, Crew
from harness.clip_tiny.training.architecture import (
    CROP,
    PATCH,
    WIDTH,
    begin,
    build_model,
    build_picture_processor,
    build_tokenizer,
)
from harness.clip_tiny.training.batches import EDGE, Batches, Data
from harness.clip_tiny.training.captions import doses_of, vocabulary
from harness.clip_tiny.training.pictures import NO_EMOTION, UNITS, draw_all, read_all
from harness.clip_tiny.training.rates import muon_and_adam, set_rates
from harness.clip_tiny.training.settings import TrainingSettings

Say = Callable[[str], None]
LARGEST = 8_000_000
"""Bytes that a checkpoint may take."""


class Heads(nn.Module):  # type: ignore[misc]
    """What is learnt beside captions and thrown away: units and landmarks."""

    def __init__(self) -> None:
        super().__init__()
        patches = (CROP // PATCH) ** 2
        self.wide = nn.Linear(patches * WIDTH, 2 * len(UNITS) + 102)
        self.mean = nn.Linear(WIDTH, 2 * len(UNITS))
        self.cls = nn.Linear(WIDTH, 2 * len(UNITS))

    def forward(
        self,
        tokens: Tensor,
        units: Tensor,
        points: Tensor,
        settings: TrainingSettings,
        share: float,
    ) -> Tensor:
        """The weighted squared errors when this `share` of the time is used. `tokens` (n, 1 + patches, width), `units`
        (n, 2 k), `points` (n, 102)."""
        tokens = nn.functional.layer_norm(tokens, (WIDTH,))
        wide = self.wide(tokens[:, 1:].flatten(1))
        error = nn.functional.mse_loss
        count = units.shape[1]
        return (
            settings.wide_units * error(wide[:, :count], units)
            + settings.points_at(share) * error(wide[:, count:], points)
            + settings.mean_units * error(self.mean(tokens[:, 1:].mean(1)), units)
            + settings.cls_units * error(self.cls(tokens[:, 0]), units)
        )


def contrastive(logits: Tensor, true: Tensor) -> Tensor:
    """Symmetric cross-entropy with equal shares for all that is true."""
    rows = true / true.sum(1, keepdim=True)
    columns = true / true.sum(0, keepdim=True)
    return -0.5 * (
        (rows * logits.log_softmax(1)).sum(1).mean()
        + (columns * logits.log_softmax(0)).sum(0).mean()
    )


def optimizers(model: Any, heads: Heads, settings: TrainingSettings) -> list[Any]:
    """Muon for matrices inside blocks, AdamW for the rest."""
    inner: list[Any] = []
    outer: list[Any] = []
    for name, weight in model.named_parameters():
        (inner if ".layers." in name and weight.ndim == 2 else outer).append(weight)
    thin = [*heads.mean.parameters(), *heads.cls.parameters()]
    rest = [
        {"params": outer, "lr": settings.rate},
        {"params": thin, "lr": settings.thin_rate},
        {"params": list(heads.wide.parameters()), "lr": settings.wide_rate},
    ]
    return muon_and_adam(inner, rest, matrix_rate=settings.matrix_rate)


def train(
    data: Data,
    settings: TrainingSettings,
    *,
    base: Path | None = None,
    crew: Crew = ALONE,
    say: Say = print,
) -> tuple[Any, Any]:
    """A trained CLIP and its tokenizer. Processes of a crew average their gradients, each of a batch of its own.

    `base` is the folder of a checkpoint to go on from, of the same words.
    """
    torch.manual_seed(settings.seed)
    tokenizer = build_tokenizer(vocabulary(settings.doses))
    heads = Heads()
    if base is None:
        model = build_model(len(tokenizer))
        begin(model, data.middles(range(0, len(data), max(1, len(data) // 500))))
    else:
        model = CLIPModel.from_pretrained(base).train()
        for weight in heads.parameters():  # so that they begin by disturbing nothing
            nn.init.zeros_(weight)
    batches = Batches(data, tokenizer, settings, crew.rank)
    optimisers = optimizers(model, heads, settings)
    weights = [*model.parameters(), *heads.parameters()]
    clock = torch.zeros(1)  # goes round with the gradients, so that all processes see one time
    started, step, running, used = time.process_time(), 0, math.nan, 0.0
    while (share := used / settings.seconds) < 1:
        set_rates(optimisers, share, step=step, flat=settings.flat, floor=settings.floor)
        batch = batches.next()
        vision = model.vision_model(pixel_values=batch.pixels)
        texts = model.get_text_features(
            input_ids=batch.tokens["input_ids"], attention_mask=batch.tokens["attention_mask"]
        ).pooler_output
        pictures = nn.functional.normalize(model.visual_projection(vision.pooler_output), dim=-1)
        cosines = pictures @ nn.functional.normalize(texts, dim=-1).T
        main = contrastive(cosines * model.logit_scale.exp(), batch.true)
        tokens = vision.last_hidden_state
        loss = main + heads(tokens, batch.units, batch.points, settings, share)
        loss.backward()
        clock.grad = torch.tensor([time.process_time() - started])
        crew.average([*weights, clock])
        used = crew.size * float(clock.grad)
        nn.utils.clip_grad_norm_(weights, 2.0)
        for one in optimisers:
            one.step()
            one.zero_grad(set_to_none=True)
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
        value = float(main.detach())
        running = value if math.isnan(running) else 0.95 * running + 0.05 * value
        step += 1
        if step % 50 == 0 and not crew.rank:
            parts = float(loss.detach()) - value
            say(f"step {step}, {used:.0f} s, loss {running:.3f}, heads {parts:.3f}")
    model.eval()
    return model, tokenizer


def save(model: Any, tokenizer: Any, folder: Path) -> int:
    """Write the checkpoint in place of what stood there; bytes written. Raises ValueError where it is too large."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    build_picture_processor().save_pretrained(part)
    size = sum(file.stat().st_size for file in part.iterdir())
    if size > LARGEST:
        raise ValueError(f"the checkpoint takes {size} bytes, more than {LARGEST}")
    replace_folder(part, folder)
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m harness.clip_tiny.training.train")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--base", type=Path, help="checkpoint to go on from")
    parser.add_argument("--pictures", type=Path, default=Path("results/runs/clip-tiny-pictures"))
    parser.add_argument("--persons", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=TrainingSettings().seconds)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", type=int, default=TrainingSettings().shift, help="pixels")
    parser.add_argument("--no-mirror", action="store_true", help="mirror no picture")
    parser.add_argument(
        "--late-points",
        type=float,
        default=TrainingSettings().late_points,
        help="times that landmarks weigh more once the rates fall",
    )
    parser.add_argument(
        "--doses", default="", help="shares of captions that name the emotion, such as .002,.005"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    parser.add_argument("--processes", type=int, default=1, help="processes that train")
    args = parser.parse_args(arguments)
    if not 0 <= args.shift <= EDGE:
        parser.error(
            f"--shift {args.shift}: a picture has {EDGE} pixels around the part that is seen"
        )
    if args.late_points < 0:
        parser.error(f"--late-points {args.late_points:g}: a weight is 0 or more")
    if args.base is not None and args.doses:
        parser.error("--doses: a checkpoint has no vectors for new names (see harness.clip_tiny.training.names)")  # fmt: skip
    first = TrainingSettings(
        seconds=args.seconds,
        seed=args.seed,
        shift=args.shift,
        mirror=not args.no_mirror,
        late_points=args.late_points,
        doses=doses_of(args.doses),
    )
    settings = first if args.base is None else first.going_on()
    draw_all(args.pictures, args.persons, workers=args.workers)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    meeting = args.out.with_name(f".{args.out.name}.meeting")
    meeting.unlink(missing_ok=True)
    job = (args, settings, meeting)
    others = [
        get_context("spawn").Process(target=take_part, args=(rank, *job), daemon=True)
        for rank in range(1, args.processes)
    ]
    for one in others:
        one.start()
    take_part(0, *job)
    for one in others:
        one.join()
    meeting.unlink(missing_ok=True)
    return 0


def take_part(
    rank: int, args: argparse.Namespace, settings: TrainingSettings, meeting: Path
) -> None:
    """Train as one process of several; the first one saves."""
    torch.set_num_threads(1)
    data, size = Data(read_all(args.pictures, args.persons)), args.processes
    if not rank:
        none = sum(truth["emotion"] == NO_EMOTION for truth in data.pictures.truths)
        told = json.dumps(asdict(settings))
        print(f"{len(data)} pictures, {none} of no emotion; {size} processes; {told}", flush=True)
    crew = Crew.join(rank, size, meeting)
    model, tokenizer = train(
        data, settings, base=args.base, crew=crew, say=lambda line: print(line, flush=True)
    )
    if not rank:
        print(f"{save(model, tokenizer, args.out)} bytes in {args.out}", flush=True)
    crew.leave()


if __name__ == "__main__":
    raise SystemExit(main())
