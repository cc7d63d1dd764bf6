"""A network in the TFLite format, run by LiteRT on one core."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, missing_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

EXTRA = "marks"


class TfliteNetwork:
    """One input, one or more outputs, all of them 32-bit floats.

    It runs without the XNNPACK delegate, which prints a line when it starts and chooses other code on other
    processors. Calls wait for each other: the interpreter holds the tensors.
    """

    def __init__(self, content: bytes, *, name: str) -> None:
        """`name` is for errors. Raises HarnessError: LiteRT is not installed, or the bytes are no such network."""
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            raise missing_extra("ai-edge-litert", EXTRA) from None
        try:
            self._interpreter = Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise HarnessError(
                f"{name} is not a network that LiteRT can run: {str(error).strip()[:200]}",
                hint="get the file again, or export it as a TFLite model with built-in operations",
            ) from None
        inputs, self._outputs = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        tensors = [*inputs, *self._outputs]
        if len(inputs) != 1 or any(one["dtype"].__name__ != "float32" for one in tensors):
            kinds = ", ".join(one["dtype"].__name__ for one in tensors)
            raise HarnessError(
                f"{name} has {len(inputs)} inputs, and tensors of type {kinds}",
                hint="use a network with one input, and 32-bit floats in and out",
            )
        (self._input,) = inputs
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """As the file states it, the batch first."""
        return tuple(int(n) for n in self._input["shape"])

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """As the file states them."""
        return tuple(tuple(int(n) for n in one["shape"]) for one in self._outputs)

    def __call__(self, given: Floats) -> list[Any]:
        """The outputs, as arrays of their own, for an input of `input_shape`."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], given)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(one["index"]) for one in self._outputs]
