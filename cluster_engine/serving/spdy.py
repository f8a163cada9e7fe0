"""The part of SPDY/3.1 that port-forward speaks: streams with headers, data, and their ends. Bytes in, events out.

Models github.com/moby/spdystream, which keeps no flow-control windows.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

FRAME_LIMIT = 1024 * 1024
"""Bytes of one frame that comes in (Go's clients send 32 KiB at a time)."""
HEADERS_LIMIT = 64 * 1024
"""Bytes of one decompressed block of headers."""
CHUNK = 1 << 15
"""Bytes of one data frame that goes out."""
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_CONTROL, _VERSION, _FIN = 0x80000000, 3, 0x01
_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_MORE_NAMES = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TEXTS = (
    b"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    b"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    b"403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    b"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    b"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    b"text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _counted(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY = b"".join(_counted(name.encode()) for name in (*_NAMES.split(), *_MORE_NAMES)) + _TEXTS
"""What both ends begin the compression of headers with (draft-mbelshe-httpbis-spdy-00, 2.6.10.1)."""


class SpdyError(Exception):
    """What came in is no SPDY that we speak; the connection is over."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer has opened a stream."""

    stream: int
    headers: dict[str, str]
    """By name in lower case."""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer sends nothing more on a stream, or has given it up (``reset``)."""

    stream: int
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Pinged:
    """The peer wants this answer."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Left:
    """The peer goes."""


Event = Opened | Data | Ended | Pinged | Left


@dataclass(slots=True)
class Spdy:
    """One connection, the server's end."""

    _buffer: bytearray = field(default_factory=bytearray)
    _reader: zlib._Decompress = field(default_factory=lambda: zlib.decompressobj(zdict=DICTIONARY))
    _writer: zlib._Compress = field(default_factory=lambda: zlib.compressobj(zdict=DICTIONARY))

    def take(self, data: bytes) -> list[Event]:
        """What has come in with these bytes. Raises SpdyError."""
        buffer = self._buffer
        buffer += data
        events: list[Event] = []
        while len(buffer) >= 8:
            word, flags_and_length = struct.unpack_from(">II", buffer)
            flags, length = flags_and_length >> 24, flags_and_length & 0xFFFFFF
            if length > FRAME_LIMIT:
                raise SpdyError(f"a frame of {length} bytes")
            if len(buffer) < 8 + length:
                break
            payload = bytes(buffer[8 : 8 + length])
            del buffer[: 8 + length]
            if word & _CONTROL:
                if word >> 16 & 0x7FFF != _VERSION:
                    raise SpdyError("a frame of another version")
                events += self._control(word & 0xFFFF, flags, payload)
                continue
            if payload:
                events.append(Data(word, payload))
            if flags & _FIN:
                events.append(Ended(word))
        return events

    def _control(self, kind: int, flags: int, payload: bytes) -> list[Event]:
        if kind == _SYN_STREAM and len(payload) >= 10:
            stream = _number(payload)
            opened: list[Event] = [Opened(stream, self._headers(payload[10:]))]
            return [*opened, Ended(stream)] if flags & _FIN else opened
        if kind == _RST_STREAM and len(payload) == 8:
            return [Ended(_number(payload), reset=True)]
        if kind == _PING and len(payload) == 4:
            return [Pinged(_frame(_PING, payload))]
        if kind == _GOAWAY:
            return [Left()]
        return []  # settings, windows: nothing depends on them

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._reader.decompress(block, HEADERS_LIMIT)
            (count,) = struct.unpack_from(">I", plain)
            texts, at = [], 4
            for _ in range(min(count, len(plain)) * 2):
                (size,) = struct.unpack_from(">I", plain, at)
                texts.append(plain[at + 4 : at + 4 + size].decode("latin-1"))
                at += 4 + size
        except (zlib.error, struct.error) as problem:
            raise SpdyError(f"headers that cannot be read: {problem}") from problem
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}

    # ---- what goes out ---------------------------------------------------------------------------------

    def accept(self, stream: int) -> bytes:
        """The answer to a stream that was opened."""
        block = self._writer.compress(struct.pack(">I", 0)) + self._writer.flush(zlib.Z_SYNC_FLUSH)
        return _frame(_SYN_REPLY, struct.pack(">I", stream) + block)

    def refuse(self, stream: int) -> bytes:
        """A stream that is not taken (REFUSED_STREAM)."""
        return _frame(_RST_STREAM, struct.pack(">II", stream, 3))


def data_frames(stream: int, data: bytes, *, end: bool = False) -> list[bytes]:
    """Bytes of a stream; ``end``: they are the last."""
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or ([b""] if end else [])
    last = len(parts) - 1
    return [
        struct.pack(">II", stream, (_FIN << 24 if end and at == last else 0) | len(part)) + part
        for at, part in enumerate(parts)
    ]


def _number(payload: bytes) -> int:
    return int(struct.unpack_from(">I", payload)[0]) & 0x7FFFFFFF


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">II", _CONTROL | _VERSION << 16 | kind, len(payload)) + payload
