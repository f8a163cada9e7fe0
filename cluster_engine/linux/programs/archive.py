"""The format of archives: ustar headers, with GNU's and pax's long names."""

from __future__ import annotations

from typing import Any

BLOCK = 512


def _octal(value: int, size: int) -> str:
    return f"{max(value, 0):0{size - 1}o}"[-(size - 1) :] + "\0"


def header(
    name: str,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime: int,
    kind: str,
    target: str,
    owner: str,
    owners: str,
) -> str:
    """A header; longer names than fit come before it as GNU's. ``mtime`` in µs."""
    before = ""
    for text, letter in ((name, "L"), (target, "K")):
        if len(text) > 100:
            long = text + "\0"
            before += header("././@LongLink", 0, 0, 0, len(long), 0, letter, "", "root", "root")
            before += long + "\0" * (-len(long) % BLOCK)
    fields = [
        name[:100].ljust(100, "\0"), _octal(mode, 8), _octal(uid, 8), _octal(gid, 8), _octal(size, 12),
        _octal(mtime // 1_000_000, 12), " " * 8, kind, target[:100].ljust(100, "\0"), "ustar  \0",
        owner[:31].ljust(32, "\0"), owners[:31].ljust(32, "\0"), "\0" * 16,
    ]  # fmt: skip
    text = "".join(fields).ljust(BLOCK, "\0")
    check = f"{sum(map(ord, text)):06o}\0 "
    return before + text[:148] + check + text[156:]


def _number(field: str) -> int:
    digits = field.strip(" \0")
    if field[:1] == "\x80":
        return int.from_bytes(field[1:].encode("latin-1"), "big")
    return int(digits, 8) if digits and all(char in "01234567" for char in digits) else 0


def text_of(field: str) -> str:
    """What a field of text says."""
    return field.partition("\0")[0]


def checks(block: str) -> bool:
    """Whether a header's checksum is right."""
    return _number(block[148:156]) == sum(map(ord, block[:148] + " " * 8 + block[156:]))


def entry(block: str) -> dict[str, Any]:
    """What a header says: ``name mode uid gid size mtime`` (µs) ``kind target owner owners``; ``text`` and ``path`` are
    for whoever reads on."""
    prefix = text_of(block[345:500]) if block[257:263] == "ustar\0" else ""
    name = text_of(block[:100])
    return {
        "name": f"{prefix}/{name}" if prefix else name, "mode": _number(block[100:108]) & 0o7777,
        "uid": _number(block[108:116]), "gid": _number(block[116:124]), "size": _number(block[124:136]),
        "mtime": _number(block[136:148]) * 1_000_000, "kind": block[156] if block[156] != "\0" else "0",
        "target": text_of(block[157:257]), "owner": text_of(block[265:297]), "owners": text_of(block[297:329]),
        "text": "", "path": "",
    }  # fmt: skip


def pax(text: str) -> dict[str, Any]:
    """What a pax header says of the entry that follows it."""
    found: dict[str, Any] = {}
    at = 0
    while at < len(text):
        size, space, _ = text[at : at + 12].partition(" ")
        if not space or not size.isdigit() or int(size) <= len(size):
            break
        key, _, value = text[at + len(size) + 1 : at + int(size) - 1].partition("=")
        if key == "path":
            found["name"] = value
        elif key == "linkpath":
            found["target"] = value
        elif key == "size" and value.isdigit() and len(value) < 13:
            found["size"] = int(value)
        at += int(size)
    return found
