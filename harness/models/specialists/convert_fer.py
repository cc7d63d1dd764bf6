"""Write the weights of `specialist:fer` from the Keras file of the package fer; needs h5py.

    python -m harness.models.specialists.convert_fer emotion_model.hdf5 emotion.safetensors

Only arrays are read from the file, by the names of its layers; nothing in it is executed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_BLOCKS = (
    # beside: convolution, norm; then two separable convolutions with their norms
    (("conv2d_3", 3), ("separable_conv2d_1", 4), ("separable_conv2d_2", 5)),
    (("conv2d_4", 6), ("separable_conv2d_3", 7), ("separable_conv2d_4", 8)),
    (("conv2d_5", 9), ("separable_conv2d_5", 10), ("separable_conv2d_6", 11)),
    (("conv2d_6", 12), ("separable_conv2d_7", 13), ("separable_conv2d_8", 14)),
)
_NORM = (("mean", "moving_mean"), ("variance", "moving_variance"), ("scale", "gamma"), ("shift", "beta"))  # fmt: skip


def converted(read: Any) -> dict[str, Floats]:
    """Tensors by the names of `mini_xception`, from a function (layer, array) -> values."""
    found: dict[str, Floats] = {}

    def norm(name: str, number: int) -> None:
        layer = f"batch_normalization_{number}"
        found.update({f"{name}.norm.{part}": read(layer, own) for part, own in _NORM})

    for step in ("1", "2"):
        found[f"stem.{step}.weight"] = _turned(read(f"conv2d_{step}", "kernel"))
        norm(f"stem.{step}", int(step))
    for block, (beside, *separable) in enumerate(_BLOCKS):
        name = f"block.{block}"
        found[f"{name}.beside.weight"] = _turned(read(beside[0], "kernel"))
        norm(f"{name}.beside", beside[1])
        for step, (layer, number) in zip(("1", "2"), separable, strict=True):
            deep = read(layer, "depthwise_kernel")  # height, width, channels, 1
            found[f"{name}.{step}.depthwise"] = np.ascontiguousarray(deep.transpose(2, 3, 0, 1))
            found[f"{name}.{step}.pointwise"] = _turned(read(layer, "pointwise_kernel"))
            norm(f"{name}.{step}", number)
    found["head.weight"] = _turned(read("conv2d_7", "kernel"))
    found["head.bias"] = read("conv2d_7", "bias")
    return found


def _turned(kernel: Floats) -> Floats:
    """Height, width, in, out -> out, in, height, width."""
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def main(source: Path, out: Path) -> None:
    """Convert one file."""
    import h5py
    from safetensors.numpy import save_file

    with h5py.File(source, "r") as file:
        weights = file["model_weights"]

        def read(layer: str, array: str) -> Floats:
            (own,) = weights[
                layer
            ].values()  # Keras names the group of a layer after it, and counts
            return np.asarray(own[f"{array}:0"], np.float32)

        save_file(converted(read), out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
