"""Packing and the trainer's forward pass against transformers' own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.affect_tiny.training.exchange import (
    PICTURE,
    Exchange,
    ExchangeRow,
    branch_of,
    trunk_of,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parts():
    """A small untrained model with a toy tokenizer."""
    from harness.affect_tiny.training.architecture import (
        CHAT_TEMPLATE,
        Sizes,
        build_model,
        build_picture_processor,
    )
    from harness.affect_tiny.training.inference import Speaker
    from harness.affect_tiny.training.tokenizer import train_tokenizer

    sizes = Sizes(picture=56, vocabulary=400, layers=2, vision_layers=2)
    texts = ["What does the face show? yes no anger happiness"] * 20
    tokenizer = train_tokenizer(texts, size=400, chat_template=CHAT_TEMPLATE)
    model = build_model(sizes, tokenizer, seed=0)
    return sizes, Speaker(model.eval(), tokenizer, build_picture_processor(sizes))


def test_packed_branches_equal_conversations_of_their_own(parts) -> None:
    import torch
    from PIL import Image

    from harness.affect_tiny.training import forward
    from harness.affect_tiny.training.evaluate import conversation
    from harness.affect_tiny.training.packing import Packer

    sizes, speaker = parts
    first = Exchange(
        "x", "Look well.", f"A {PICTURE}\nB {PICTURE}", "What does it show?", "anger happiness"
    )
    second = replace(first, question="Is it anger?", answer="no", then=("Sure?", "yes"))
    packer = Packer(speaker.tokenizer, sizes.tokens)
    packed = packer.pack([ExchangeRow(trunk_of(first), (branch_of(first), branch_of(second)))])
    assert packed.answers == 3

    pixels = np.random.default_rng(0).integers(0, 255, (2, 56, 56, 3), dtype=np.uint8)
    model = speaker.model
    with torch.no_grad():
        turns = forward.vision_turns(model.model.visual, 56, 56)
        tokens = forward.see(
            model.model.visual, forward.patches_of(torch.from_numpy(pixels)), turns
        )
        pad = speaker.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        x = forward.embed(model, packed.ids, tokens, pad)
        hidden = forward.read(model.model.language_model, x, packed.positions, packed.mask)
        fast = model.lm_head(hidden)[0]

    messages, pictures = conversation(second, [Image.fromarray(p) for p in pixels])
    messages += [{"role": "assistant", "content": "no"}, {"role": "user", "content": "Sure?"}]
    fed = speaker.inputs([(messages, pictures)])
    with torch.no_grad():
        slow = model(**fed).logits[0, -1]
    yes = packer.encode("yes<|im_end|>")[0]
    place = packed.labels[0].tolist().index(yes)
    torch.testing.assert_close(fast[place], slow, atol=2e-4, rtol=1e-3)


def test_a_wide_picture_is_seen_as_transformers_sees_it(parts) -> None:
    import torch
    from PIL import Image

    from harness.affect_tiny.training import forward
    from harness.affect_tiny.training.architecture import build_picture_processor
    from harness.affect_tiny.training.evaluate import conversation
    from harness.affect_tiny.training.packing import Packer
    from harness.affect_tiny.training.sheets import size_seen

    sizes, speaker = parts
    high, wide = size_seen(254, 688, sizes)
    assert wide > high
    exchange = Exchange("x", "", f"Sheet {PICTURE}", "What does it show?", "yes")
    row = ExchangeRow(trunk_of(exchange), (branch_of(exchange),), grid=(high // 28, wide // 28))
    packed = Packer(speaker.tokenizer, sizes.tokens).pack([row])
    pixels = np.random.default_rng(1).integers(0, 255, (1, high, wide, 3), dtype=np.uint8)
    model = speaker.model
    with torch.no_grad():
        turns = forward.vision_turns(model.model.visual, high, wide)
        patches = forward.patches_of(torch.from_numpy(pixels))
        tokens = forward.see(model.model.visual, patches, turns)
        pad = speaker.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        x = forward.embed(model, packed.ids, tokens, pad)
        hidden = forward.read(model.model.language_model, x, packed.positions, packed.mask)
        fast = model.lm_head(hidden)[0]
        as_it_is = build_picture_processor(sizes)
        as_it_is.do_resize = False
        seeing = replace(speaker, pictures=as_it_is)
        fed = seeing.inputs([conversation(exchange, [Image.fromarray(pixels[0])])])
        slow = model(**fed).logits[0, -1]
    place = int(np.flatnonzero(packed.labels[0].numpy() != -100)[0])
    torch.testing.assert_close(fast[place], slow, atol=2e-4, rtol=1e-3)


def test_a_picture_of_a_later_turn_is_seen_as_transformers_sees_it(parts) -> None:
    import torch
    from PIL import Image

    from harness.affect_tiny.training import forward
    from harness.affect_tiny.training.evaluate import conversation
    from harness.affect_tiny.training.packing import Packer

    sizes, speaker = parts
    then = f"It shows {PICTURE}\nSure?"
    exchange = Exchange("x", "", PICTURE, "Is it anger?", "no", then=(then, "yes"))
    first = Exchange("x", "", PICTURE, "What?", "anger")
    packer = Packer(speaker.tokenizer, sizes.tokens)
    packed = packer.pack([ExchangeRow(trunk_of(first), (branch_of(first), branch_of(exchange)))])
    pixels = np.random.default_rng(0).integers(0, 255, (2, 56, 56, 3), dtype=np.uint8)
    model = speaker.model
    with torch.no_grad():
        turns = forward.vision_turns(model.model.visual, 56, 56)
        patches = forward.patches_of(torch.from_numpy(pixels))
        tokens = forward.see(model.model.visual, patches, turns)
        pad = speaker.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        x = forward.embed(model, packed.ids, tokens, pad)
        hidden = forward.read(model.model.language_model, x, packed.positions, packed.mask)
        fast = model.lm_head(hidden)[0]

    shown = [Image.fromarray(p) for p in pixels]
    messages, _ = conversation(exchange, shown[:1])
    again = [{"type": "text", "text": "It shows "}, {"type": "image"}]
    again.append({"type": "text", "text": "\nSure?"})
    messages += [{"role": "assistant", "content": "no"}, {"role": "user", "content": again}]
    fed = speaker.inputs([(messages, shown)])
    with torch.no_grad():
        slow = model(**fed).logits[0, -1]
    yes = packer.encode("yes<|im_end|>")[0]
    place = packed.labels[0].tolist().index(yes)
    torch.testing.assert_close(fast[place], slow, atol=2e-4, rtol=1e-3)


def test_labels_are_the_answers_and_nothing_else(parts) -> None:
    from harness.affect_tiny.training.packing import NO_LABEL, Packer

    sizes, speaker = parts
    exchange = Exchange("x", "", PICTURE, "What?", "yes no")
    packed = Packer(speaker.tokenizer, sizes.tokens).pack(
        [ExchangeRow(trunk_of(exchange), (branch_of(exchange),))]
    )
    wanted = [i for i in packed.labels[0].tolist() if i != NO_LABEL]
    assert speaker.tokenizer.decode(wanted) == "yes no<|im_end|>"


def test_branches_cannot_see_each_other(parts) -> None:
    from harness.affect_tiny.training.packing import HIDDEN, Packer

    sizes, speaker = parts
    one = Exchange("x", "", PICTURE, "What?", "yes")
    two = replace(one, question="Is it anger?", answer="no")
    packer = Packer(speaker.tokenizer, sizes.tokens)
    packed = packer.pack([ExchangeRow(trunk_of(one), (branch_of(one), branch_of(two)))])
    trunk = len(packer.lay(trunk_of(one))[0])
    size = sum(len(packer.encode(text)) for text, _ in branch_of(one))
    block = packed.mask[0, 0, trunk + size :, trunk : trunk + size].float()
    assert (block <= 0.99 * HIDDEN).all()
    assert (packed.mask[0, 0, -1, :trunk] == 0).all()


@pytest.mark.parametrize("side", [56, 112, 128, 140, 200, 224, 256, 336, 448, 512, 640, 1024])
def test_square_pictures_of_any_side_become_one_size(side: int) -> None:
    from PIL import Image

    from harness.affect_tiny.training.architecture import PATCH, Sizes, build_picture_processor

    sizes = Sizes()
    picture = Image.new("RGB", (side, side), (90, 20, 200))
    seen = build_picture_processor(sizes)(images=[picture], return_tensors="pt")
    grid = sizes.picture // PATCH
    assert seen["image_grid_thw"].tolist() == [[1, grid, grid]]


def test_a_cut_word_is_encoded_as_two(parts) -> None:
    from harness.affect_tiny.training.exchange import CUT
    from harness.affect_tiny.training.packing import Packer

    packer = Packer(parts[1].tokenizer, 4)
    whole, cut = packer.encode("the anger"), packer.encode(f"the an{CUT}ger")
    assert cut == packer.encode("the an") + packer.encode("ger")
    assert parts[1].tokenizer.decode(cut) == parts[1].tokenizer.decode(whole) == "the anger"


def test_every_weight_learns_at_one_pace(parts) -> None:
    from harness.affect_tiny.training.stages import LearningGroup

    model = parts[1].model
    group = LearningGroup(
        (model.model.language_model, model.model.visual, model.lm_head), 1e-3, 0.02
    )
    inner, outer, vectors = group.parts()
    assert len(inner) + len(outer) + len(vectors) == len(list(model.parameters()))
    names = {id(weight): name for name, weight in model.named_parameters()}
    assert all("layers" in names[id(w)] or "visual" in names[id(w)] for w in inner)
    far = {names[id(w)].rsplit(".", 2)[-2] for w in outer}
    assert far == {"embed_tokens", "lm_head", "proj"}  # proj: the patch embedding
