"""DNS messages as short text: what resolvers and programs ask a name server, and what it says. There is no wire format.

A question is ``NUMBER TYPE NAME``; an answer ``NUMBER CODE``, then a line ``NAME TYPE DATA`` for each record.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

PORT = 53
NAME_LIMIT = 253
RECORDS = 1_000
"""Records of one answer; what is beyond is left out, as a server truncates it."""
TYPES = ("A", "AAAA", "CNAME", "SRV", "PTR", "MX", "TXT", "NS", "SOA", "ANY")
NO_ERROR, NO_SUCH_NAME, SERVER_FAILED, REFUSED = "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"


class Record(NamedTuple):
    """One record. Names have no dot at their end."""

    name: str
    type: str
    data: str
    """An address, a name, or of SRV ``priority weight port name``."""


class Answer(NamedTuple):
    """What a server says to a question."""

    number: int
    code: str
    """NO_ERROR, also when there is no record of the type; NO_SUCH_NAME; SERVER_FAILED, REFUSED."""
    records: tuple[Record, ...]

    @property
    def addresses(self) -> list[str]:
        """The IPv4 addresses, aliases followed."""
        return [record.data for record in self.records if record.type == "A"]


def question(number: int, name: str, type: str = "A") -> str:
    """``number`` comes back in the answer."""
    return f"{number} {type} {name}"


def read_question(text: str) -> tuple[int, str, str] | None:
    """(number, type, name), None for what is no question."""
    words = text.split(" ")
    if (
        len(words) != 3
        or not words[0].isdecimal()
        or words[1] not in TYPES
        or not 0 < len(words[2]) <= NAME_LIMIT
    ):
        return None
    return int(words[0]), words[1], words[2]


def answer(number: int, code: str, records: Sequence[Sequence[str]] = ()) -> str:
    """An answer's text."""
    return "\n".join([f"{number} {code}", *(" ".join(record) for record in records[:RECORDS])])


def read_answer(text: str) -> Answer | None:
    """None for what is no answer."""
    first, *rows = text.split("\n")
    number, _, code = first.partition(" ")
    if not number.isdecimal() or code not in (NO_ERROR, NO_SUCH_NAME, SERVER_FAILED, REFUSED):
        return None
    parts = [row.split(" ", 2) for row in rows]
    if any(len(part) != 3 for part in parts):
        return None
    return Answer(int(number), code, tuple(Record(*part) for part in parts))


def reversed_address(ip: str) -> str:
    """The name under which an IPv4 address is looked up."""
    return ".".join([*reversed(ip.split(".")), "in-addr.arpa"])


@lru_cache(256)
def is_address(host: str) -> bool:
    """A dotted IPv4 address."""
    parts = host.split(".")
    return len(parts) == 4 and all(
        part.isascii() and part.isdecimal() and len(part) < 4 and int(part) < 256 for part in parts
    )
