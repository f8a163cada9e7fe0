"""Compression of RFC 1951 and 1952, written out: what a file becomes may not depend on the machine's zlib.

Packing is a greedy search with the fixed codes, a chunk at a time, each of which ends at a byte's edge: about twice
the size of what gzip makes, and the same everywhere. What others packed is unpacked by zlib, which has one answer.
"""

from __future__ import annotations

import zlib
from itertools import chain

MAGIC = b"\x1f\x8b"
HEAD = MAGIC + b"\x08\x00\x00\x00\x00\x00\x00\x03"
"""A member without name and time, made on Unix."""
_LAST = b"\x03\x00"
"""An empty last block."""
MAX_CHUNK = 65_535
"""Bytes that are packed at a time: a stored block has no more."""
_WINDOW = 32_768
_LONGEST = 258
_PIECE = 1 << 16


class Corrupt(Exception):
    """What is no (whole) compressed stream: ``magic``, ``short``, ``data``, ``sum`` or ``size``."""


def _reversed(code: int, bits: int) -> tuple[int, int]:
    """Codes are written from their highest bit on."""
    return int(f"{code:0{bits}b}"[::-1], 2), bits


def _symbol(symbol: int) -> tuple[int, int]:
    """The fixed code of a literal, a length or the end (256)."""
    if symbol < 144:
        return _reversed(0x30 + symbol, 8)
    if symbol < 256:
        return _reversed(0x190 + symbol - 144, 9)
    if symbol < 280:
        return _reversed(symbol - 256, 7)
    return _reversed(0xC0 + symbol - 280, 8)


def _ranges(first: int, extras: tuple[int, ...]) -> list[tuple[int, int]]:
    """(lowest value, extra bits) of codes that follow one another."""
    found = []
    for extra in extras:
        found.append((first, extra))
        first += 1 << extra
    return found


_LITERALS = [_symbol(byte) for byte in range(256)]
_END = _symbol(256)
_LENGTHS: list[tuple[int, int]] = [(0, 0)] * (_LONGEST + 1)
for _at, (_low, _bits) in enumerate(_ranges(3, (0,) * 8 + tuple(chain(*([n] * 4 for n in range(1, 6)))))):
    _code, _size = _symbol(257 + _at)
    for _more in range(1 << _bits):
        if _low + _more < _LONGEST:
            _LENGTHS[_low + _more] = (_code | _more << _size, _size + _bits)
_LENGTHS[_LONGEST] = _symbol(285)
_DISTANCES = _ranges(1, (0, 0, *chain(*([n] * 2 for n in range(14)))))


def _distance(value: int) -> tuple[int, int]:
    at = (
        value - 1
        if value <= 4
        else 2 * (value - 1).bit_length() - 2 + ((value - 1) >> (value - 1).bit_length() - 2 & 1)
    )
    low, extra = _DISTANCES[at]
    code, bits = _reversed(at, 5)
    return code | (value - low) << bits, bits + extra


def packed(data: bytes) -> bytes:
    """At most ``MAX_CHUNK`` bytes as blocks that end at a byte's edge; ``finish`` comes behind the last."""
    out = bytearray()
    acc, size = 2, 3  # a block with the fixed codes, not the last
    seen: dict[bytes, int] = {}
    at, end = 0, len(data)
    while at < end:
        key = data[at : at + 4]
        before = seen.get(key, -1) if len(key) == 4 else -1
        seen[key] = at
        if before >= 0 and at - before <= _WINDOW:
            length, most = 4, min(_LONGEST, end - at)
            while length < most and data[before + length] == data[at + length]:
                length += 1
            bits, count = _LENGTHS[length]
            far, more = _distance(at - before)
            bits, count = bits | far << count, count + more
            at += length
        else:
            bits, count = _LITERALS[data[at]]
            at += 1
        acc |= bits << size
        size += count
        if size >= 64:
            out += (acc & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
            acc >>= 64
            size -= 64
    acc |= _END[0] << size
    size += _END[1] + 3  # and an empty stored block, which begins at the next byte
    out += acc.to_bytes((size + 7) // 8, "little") + b"\x00\x00\xff\xff"
    if len(out) > end + 5:
        return b"\x00" + end.to_bytes(2, "little") + (end ^ 0xFFFF).to_bytes(2, "little") + data
    return bytes(out)


def finish(crc: int, count: int) -> bytes:
    """What ends a member: the last block, the CRC and the length of all that was packed."""
    return _LAST + crc.to_bytes(4, "little") + (count & 0xFFFFFFFF).to_bytes(4, "little")


def unpacked(data: bytes, limit: int) -> bytes:
    """All members of a gzip file. Raises Corrupt, with ``size`` for what becomes longer than ``limit``."""
    found: list[bytes] = []
    left = limit
    while True:
        if not data.startswith(MAGIC):
            if found and data.strip(b"\0") == b"":
                return b"".join(found)
            raise Corrupt("magic" if data else "short")
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            try:
                piece = stream.decompress(data, min(_PIECE, left + 1))
            except zlib.error as error:
                raise Corrupt(
                    "sum" if "incorrect" in str(error) and "check" in str(error) else "data"
                ) from error
            data = stream.unconsumed_tail
            if not piece and not data and not stream.eof:
                raise Corrupt("short")
            left -= len(piece)
            if left < 0:
                raise Corrupt("size")
            found.append(piece)
        data = stream.unused_data
        if not data:
            return b"".join(found)
