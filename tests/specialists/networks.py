"""Small classifiers as files: which of red, green and blue a picture has most of, as logits or shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LABELS = ("red", "green", "blue")
CARD = """\
labels: [red, green, blue]
size: 16
colour: rgb
layout: {layout}
gives: {gives}
"""


def card(layout: str, gives: str = "logits") -> str:
    return CARD.format(layout=layout, gives=gives)


def write_onnx(file: Path, *, softmax: bool = False, side: int = 16) -> None:
    """Global average and flatten; the bytes of the protobuf message are written here, field by field."""
    nodes = [_node("GlobalAveragePool", "pixels", "mean"), _node("Flatten", "mean", "logits")]
    if softmax:
        nodes.append(_node("Softmax", "logits", "shares"))
    graph = b"".join(_message(1, node) for node in nodes)
    graph += _text(2, "graph")
    graph += _message(11, _value("pixels", (1, 3, side, side)))
    graph += _message(12, _value("shares" if softmax else "logits", (1, 3)))
    file.write_bytes(_number(1, 8) + _message(7, graph) + _message(8, _number(2, 13)))


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _node(kind: str, given: str, made: str) -> bytes:
    return _text(1, given) + _text(2, made) + _text(4, kind)


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    axes = b"".join(_message(1, _number(1, axis)) for axis in shape)
    tensor = _number(1, 1) + _message(2, axes)  # 32-bit floats
    return _text(1, name) + _message(2, _message(1, tensor))


def write_tflite(file: Path, *, side: int = 16, outputs: int = 1) -> None:
    """The mean over height and width; with two outputs the picture itself is the first."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    def tensor(name: str, shape: tuple[int, ...], buffer: int, kind: int) -> schema.TensorT:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = name, list(shape), buffer, kind
        return made

    buffers = [schema.BufferT() for _ in range(2)]
    buffers[1].data = list(np.array([1, 2], np.int32).tobytes())
    floats, numbers = schema.TensorType.FLOAT32, schema.TensorType.INT32
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("pixels", (1, side, side, 3), 0, floats),
        tensor("axes", (2,), 1, numbers),
        tensor("logits", (1, 3), 0, floats),
    ]
    graph.inputs, graph.outputs = [0], [2] if outputs == 1 else [0, 2]
    step = schema.OperatorT()
    step.inputs, step.outputs, step.opcodeIndex = [0, 1], [2], 0
    step.builtinOptionsType, step.builtinOptions = (
        schema.BuiltinOptions.ReducerOptions,
        schema.ReducerOptionsT(),
    )
    graph.operators = [step]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.MEAN
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    file.write_bytes(bytes(builder.Output()))
