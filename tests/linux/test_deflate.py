"""What is packed can be unpacked by zlib, is the same everywhere, and what is broken says how."""

from __future__ import annotations

import gzip
import hashlib
import random
import zlib

import pytest

from cluster_engine.linux import deflate

DRAW = random.Random(7)
TEXTS = {
    "nothing": b"",
    "a byte": b"a",
    "longest match": b"x" * 259,
    "one more": b"x" * 260,
    "zeros": b"\0" * deflate.MAX_CHUNK,
    "noise": DRAW.randbytes(deflate.MAX_CHUNK),
    "letters": bytes(DRAW.choice(b"acgt") for _ in range(40_000)),
    "far": DRAW.randbytes(32_766) + b"needle" + DRAW.randbytes(32_000)[:20] + b"needle",
}


def member(data: bytes) -> bytes:
    return deflate.HEAD + deflate.packed(data) + deflate.finish(zlib.crc32(data), len(data))


@pytest.mark.parametrize("name", TEXTS)
def test_there_and_back(name: str) -> None:
    data = TEXTS[name]
    assert gzip.decompress(member(data)) == data
    assert deflate.unpacked(member(data) * 2, 2 * deflate.MAX_CHUNK) == data * 2
    assert len(member(data)) <= len(data) + 25


def test_random_texts() -> None:
    draw = random.Random(11)
    for _ in range(200):
        data = bytes(draw.randrange(draw.choice((2, 3, 10, 256))) for _ in range(draw.randrange(500)))
        assert gzip.decompress(member(data)) == data, data


def test_the_result_is_fixed() -> None:
    packed = deflate.packed(b"the quick brown fox, the quick brown fox; the lazy dog\n" * 20)
    assert hashlib.sha256(packed).hexdigest()[:16] == "5640be7238718a07"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "short"),
        (b"bad", "magic"),
        (member(b"abc" * 99)[:-20], "short"),
        (deflate.HEAD + b"\xff" * 20, "data"),
        (deflate.HEAD + deflate.packed(b"abc") + deflate.finish(1, 3), "sum"),
        (member(b"\0" * 1_001), "size"),
    ],
    ids=["nothing", "magic", "half", "data", "sum", "bomb"],
)
def test_broken(data: bytes, told: str) -> None:
    with pytest.raises(deflate.Corrupt) as caught:
        deflate.unpacked(data, 1_000)
    assert str(caught.value) == told
