"""Faces on photographs: a detector (BlazeFace) and landmarks (FaceMesh), on this machine, by weights shipped here."""

from harness.detector.detector import DETECTOR, FaceDetector
from harness.detector.face import PROFILE, FoundFace, Verdict, verdict_on

__all__ = [
    "DETECTOR",
    "PROFILE",
    "FaceDetector",
    "FoundFace",
    "Verdict",
    "verdict_on",
]
