"""`head_pose`: rotation of the head, exact for drawn faces; only the tilt from landmarks."""

from __future__ import annotations

from math import atan2, degrees

from harness.core.errors import MediaError
from harness.core.tool import Finding, Tool, ToolFrames
from harness.media.parts import frame_of
from harness.tools.places import Arguments, FrameNumber, outside, unknown_place


class HeadPoseArguments(Arguments):
    """Which frame."""

    frame: FrameNumber = 0


def _head_pose(frames: ToolFrames, asked: HeadPoseArguments) -> Finding:
    missing = outside(frames, asked.frame)
    if missing is not None:
        return missing
    pose = frames.pose(asked.frame)
    if pose is not None:
        yaw, pitch, roll = pose
        return Finding(
            f"head pose in degrees: yaw {yaw:.0f} (positive: to the right of the picture), pitch {pitch:.0f} (positive: "
            f"up), roll {roll:.0f} (positive: clockwise)"
        )
    marks = frames.marks(asked.frame)
    if marks is None or not marks.points:
        return unknown_place("head")
    try:
        right = frame_of(marks.points).right
    except MediaError as error:
        return Finding(f"Not found: {error.message}.", found=False)
    roll = degrees(atan2(right[1], right[0]))
    return Finding(
        f"head pose in degrees: roll {roll:.0f} (positive: clockwise), from the line of the eyes; yaw and pitch are not "
        "measured here"
    )


HEAD_POSE = Tool(
    "head_pose", "tell how the head is turned and tilted", HeadPoseArguments, _head_pose
)
