"""The networks behind `specialist:` models: one picture in, one number for each label out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, missing_extra
from harness.models.specialists.card import SpecialistCard

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

Floats: TypeAlias = NDArray[np.float32]
Network: TypeAlias = Callable[[Floats], Floats]
"""(1, ...) in the shape of the card -> (labels,), as the card says that it gives them."""


def network_input(picture: Pixels, card: SpecialistCard) -> Floats:
    """An RGB picture as the network takes it: squeezed to its size (bilinear), in the shape of the card."""
    from PIL import Image

    height, width = card.height_width
    shown = picture.convert("L") if card.colour == "grey" else picture
    shown = shown.resize((width, height), Image.Resampling.BILINEAR)
    values: Floats = np.asarray(shown, np.float32).reshape(height, width, card.channels)
    if card.colour == "bgr":
        values = values[:, :, ::-1]
    low, high = card.range
    values = values / np.float32(255) * np.float32(high - low) + np.float32(low)
    if card.mean:
        values = np.subtract(values, np.array(card.mean, np.float32))
    if card.std:
        values = np.divide(values, np.array(card.std, np.float32), dtype=np.float32)
    if card.layout == "nchw":
        values = values.transpose(2, 0, 1)
    found: Floats = np.ascontiguousarray(values[None], dtype=np.float32)
    return found


def open_onnx(file: Path, card: SpecialistCard) -> Network:
    """A network in the ONNX format, run by ONNX Runtime on one core.

    Raises HarnessError: the extra `onnx` is not installed, the file is no such network, or it does not fit the card.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
    except ImportError:
        raise missing_extra("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    broken = (
        faults.Fail, faults.InvalidArgument, faults.InvalidGraph, faults.InvalidProtobuf, faults.NoModel,
        faults.NotImplemented, faults.RuntimeException, faults.EPFail, ValueError, RuntimeError,
    )  # fmt: skip
    try:  # from bytes: weights in other files are not looked for
        session = onnxruntime.InferenceSession(
            file.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except broken as error:
        raise _no_network(file, "ONNX Runtime", error) from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        kinds = ", ".join(one.type for one in inputs)
        raise HarnessError(
            f"{file.name} takes {len(inputs)} inputs ({kinds})",
            hint="export it with one input of 32-bit floats",
        )
    _fits(file, card, inputs[0].shape, [one.shape for one in outputs])
    name, wanted = inputs[0].name, outputs[card.output or 0].name

    def run(given: Floats) -> Floats:
        try:
            (found,) = session.run([wanted], {name: given})
        except broken as error:
            raise _no_network(file, "ONNX Runtime", error) from None
        return np.asarray(found, np.float32).reshape(-1)

    return run


def open_tflite(file: Path, card: SpecialistCard) -> Network:
    """A network in the TFLite format, run by LiteRT on one core.

    Raises HarnessError: the extra `marks` is not installed, the file is no such network, or it does not fit the card.
    """
    from harness.detector.tflite import TfliteNetwork

    network = TfliteNetwork(file.read_bytes(), name=file.name)
    _fits(file, card, network.input_shape, network.output_shapes)

    def run(given: Floats) -> Floats:
        found = network(given)[card.output or 0]
        return np.asarray(found, np.float32).reshape(-1)

    return run


def _fits(
    file: Path, card: SpecialistCard, taken: Sequence[Any], given: Sequence[Sequence[Any]]
) -> None:
    """Raise HarnessError where the shapes of a network are not those of its card; an axis without a number is any."""
    told = f"the card says {' x '.join(map(str, card.input_shape))} ({card.layout})"
    if len(taken) != 4 or any(
        _known(axis) and axis != wanted
        for axis, wanted in zip(taken, card.input_shape, strict=True)
    ):
        raise HarnessError(
            f"{file.name} takes pictures of {' x '.join(map(str, taken))}, and {told}",
            hint="correct size, colour or layout in the card",
        )
    if card.output is None and len(given) != 1:
        raise HarnessError(
            f"{file.name} has {len(given)} outputs", hint="name one in the card: output: 0"
        )
    number = card.output or 0
    if number >= len(given):
        raise HarnessError(
            f"{file.name} has {len(given)} outputs, and the card names output {number}",
            hint="outputs count from 0",
        )
    last = given[number][-1] if given[number] else 0
    if _known(last) and last != len(card.labels):
        raise HarnessError(
            f"{file.name} gives {last} numbers, and its card has {len(card.labels)} labels",
            hint="name every output, in order",
        )


def _known(axis: Any) -> bool:
    return isinstance(axis, int) and axis > 0


def _no_network(file: Path, by: str, error: Exception) -> HarnessError:
    return HarnessError(
        f"{file.name} cannot be run by {by}: {str(error).strip()[:200]}",
        hint="get the file again, or export it again with its weights inside",
    )
