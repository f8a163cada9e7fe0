"""Hashes as labels and names carry them: FNV-1a, spelled in letters that make no words.

Models pkg/util/hash (DeepHashObject) and k8s.io/apimachinery/pkg/util/rand (SafeEncodeString). Upstream
hashes Go's dump of the object; we hash its canonical JSON, so the values differ, their look does not.
"""

from __future__ import annotations

from functools import lru_cache

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def fnv1a_32(data: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def safe_encode(text: str) -> str:
    """Each character as one of Kubernetes' 27 safe ones."""
    return "".join(_ALPHABET[ord(letter) % len(_ALPHABET)] for letter in text)


@lru_cache(maxsize=256)
def safe_hash(data: bytes) -> str:
    """The hash of ``data`` as it stands in names: about ten safe characters."""
    return safe_encode(str(fnv1a_32(data)))
