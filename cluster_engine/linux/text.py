"""Bytes as text: a ``str`` whose code points are 0 to 255, which JSON can hold as it is."""

from __future__ import annotations


def octets(characters: str) -> str:
    """Characters as byte text (UTF-8); bytes that were not UTF-8 when they came in go out unchanged."""
    if characters.isascii():
        return characters
    return characters.encode("utf-8", "surrogateescape").decode("latin-1")


def characters(octets: str) -> str:
    """Byte text as characters; bytes that are not UTF-8 are kept as lone surrogates (never store those)."""
    if octets.isascii():
        return octets
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")
