"""Numbers of the command line, within their bounds."""

from __future__ import annotations

import argparse
import math


def temperature(text: str) -> float:
    """A sampling temperature, 0 to 10."""
    number = float(text)
    if not 0 <= number <= 10:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 10")
    return number


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def repeats(text: str) -> int:
    """How often each sample is asked, 1 to 10,000."""
    return _at_most(text, 10_000)


def tokens(text: str) -> int:
    """Tokens of a reply, 1 to 10,000,000."""
    return _at_most(text, 10_000_000)


def _at_most(text: str, most: int) -> int:
    number = positive(text)
    if number > most:
        raise argparse.ArgumentTypeError(f"{text} is more than {most:,}")
    return number


def natural(text: str) -> int:
    """A whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def seconds(text: str) -> float:
    """Seconds, more than 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return number


def rate(text: str) -> float:
    """A number a minute, more than 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def share(text: str) -> float:
    """A share, 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number
