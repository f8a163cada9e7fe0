"""DNS messages between a Pod's resolver and the CoreDNS Pods, as short text.

No program sees them: programs ask the C library (``Sys.resolve``). Hence no wire format.
"""

from __future__ import annotations

from typing import NamedTuple

PORT = 53
NAME_LIMIT = 253


class Answer(NamedTuple):
    """What a server says to a question."""

    number: int
    exists: bool
    addresses: list[str]


def question(number: int, name: str) -> str:
    """``number`` comes back in the answer."""
    return f"{number} A {name}"


def read_question(text: str) -> tuple[int, str] | None:
    """(number, name), None for what is no question."""
    words = text.split(" ")
    if len(words) != 3 or words[1] != "A" or not words[0].isdecimal() or len(words[2]) > NAME_LIMIT:
        return None
    return int(words[0]), words[2]


def answer(number: int, addresses: list[str] | None) -> str:
    """``None``: there is no such name."""
    if addresses is None:
        return f"{number} NXDOMAIN"
    return " ".join([str(number), "NOERROR", *addresses])


def read_answer(text: str) -> Answer | None:
    """None for what is no answer."""
    number, _, rest = text.partition(" ")
    code, *addresses = rest.split(" ")
    if not number.isdecimal() or code not in ("NOERROR", "NXDOMAIN"):
        return None
    return Answer(int(number), code == "NOERROR", addresses)
