"""Keyframes: a cluster's whole state without its journal, for later versions of the engine to go on from.

A keyframe says its format. When what components save changes its shape, ``FORMAT`` takes the next number and
``upgrades.UPGRADES`` a function from the one before, so that every live run of the older engine goes on; the tests keep
a golden keyframe of each format.
"""

from __future__ import annotations

import lzma
import pickle
from collections.abc import Callable
from typing import Any

from cluster_engine.sim import columns, packing
from cluster_engine.sim.upgrades import UPGRADES

FORMAT = 5


BYTES_LIMIT = 256 * 1024 * 1024
"""Memory that reading one may take: the state of the largest cluster is a tenth of it."""

_MAGIC = b"DRYDOCK2"
_PLAIN = b"DRYDOCK0"
_READERS: dict[bytes, Callable[[bytes], dict[str, Any]]] = {
    _PLAIN: packing.unpack,
    b"DRYDOCK1": packing.unpack,
    _MAGIC: columns.unpack,
}
"""How the data of each kind of file is read: the first ones were plain JSON."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 4, "pb": 0}]


class _Parts(list[bytes]):
    """Takes what a pickler has ready, some 64 KiB each time: in between, the interpreter's other threads have their
    turns. To the very end `pickle.dumps` would hold them up, 40 ms for a cluster of 300 Pods."""

    def __init__(self, pause: Callable[[], None]) -> None:
        super().__init__()
        self._pause = pause

    def write(self, part: bytes) -> None:
        self.append(part)
        self._pause()


class KeyframeError(ValueError):
    """These bytes are no keyframe, or one that this engine cannot read; str() says why."""


def write(data: dict[str, Any], compressed: bool = True) -> bytes:
    """The data as a keyframe of the present format; one that is not compressed is only for another process."""
    if not compressed:
        return _PLAIN + packing.pack({"format": FORMAT, **data})
    packed = columns.pack({"format": FORMAT, **data})
    return _MAGIC + lzma.compress(packed, lzma.FORMAT_XZ, filters=_FILTERS)


def draft(data: dict[str, Any], pause: Callable[[], None] = lambda: None) -> bytes:
    """The data for this engine, in this process or another one of the same parent (`drafted`, `finish`); quickly done.

    ``pause`` is called each time that some 64 KiB are done.
    What stands in it several times stays one object, which text could not say.
    """
    parts = _Parts(pause)
    pickle.Pickler(parts, pickle.HIGHEST_PROTOCOL).dump(data)
    return b"".join(parts)


def drafted(draft: bytes) -> dict[str, Any]:
    """The data of a draft. Only of one that a process of one's own has made: it is not looked at first."""
    data: dict[str, Any] = pickle.loads(draft)
    return data


def finish(draft: bytes) -> bytes:
    """The keyframe of a draft."""
    return write(drafted(draft))


def read(keyframe: bytes) -> dict[str, Any]:
    """The data of a keyframe, in the present format. Raises KeyframeError."""
    unpack = _READERS.get(keyframe[: len(_MAGIC)])
    if unpack is None:
        raise KeyframeError("these bytes are no keyframe")
    try:
        text = keyframe[len(_PLAIN) :] if keyframe.startswith(_PLAIN) else _decompressed(keyframe)
        data = unpack(text)
    except (lzma.LZMAError, ValueError, LookupError, TypeError) as error:
        raise KeyframeError(f"the keyframe is damaged: {error}") from error
    while data["format"] != FORMAT:
        upgrade = UPGRADES.get(data["format"])
        if upgrade is None:
            raise KeyframeError(
                f"the keyframe has the format {data['format']}, this engine reads up to {FORMAT}"
            )
        data = {**upgrade(data), "format": data["format"] + 1}
    return data


def _decompressed(keyframe: bytes) -> bytes:
    decompressor = lzma.LZMADecompressor(memlimit=BYTES_LIMIT)
    text = decompressor.decompress(keyframe[len(_MAGIC) :], max_length=BYTES_LIMIT)
    if not decompressor.eof:
        raise KeyframeError(f"the keyframe is cut off, or larger than {BYTES_LIMIT} bytes")
    return text
