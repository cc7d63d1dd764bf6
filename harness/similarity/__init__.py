"""Recognisers of faces: how alike the faces of two pictures are (`similarity:tiny`, `similarity:dlib`, ...)."""

from harness.similarity.recogniser import Pixels, Recogniser, Vectors, cosines
from harness.similarity.registry import RECOGNISERS, describe_recognisers, open_recogniser

__all__ = [
    "RECOGNISERS",
    "Pixels",
    "Recogniser",
    "Vectors",
    "cosines",
    "describe_recognisers",
    "open_recogniser",
]
