"""The primes of an RSA key, found step by step from a few random bytes, so that nobody waits for a whole search."""

from __future__ import annotations

import hashlib
from typing import Any

PUBLIC_EXPONENT = 65_537
TRIES = 2
"""Candidates that one step looks at."""
TEST_COST = 2_000
"""Steps of a processor (µs) that a look at a candidate costs."""
_ROUNDS = 8
"""Further tests of a number that has passed the first."""
_SMALL = [n for n in range(3, 2_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def begin(seed: str, bits: int) -> dict[str, Any]:
    """A search: JSON. ``seed``: byte text."""
    return {"seed": seed.encode("latin-1").hex(), "bits": bits // 2, "number": "", "drawn": 0, "found": []}


def step(search: dict[str, Any]) -> dict[str, Any]:
    """A few candidates further; done when ``found`` holds two primes, as hexadecimal text."""
    number = int(search["number"], 16) if search["number"] else _drawn(search)
    drawn, found = search["drawn"] + (not search["number"]), search["found"]
    for _ in range(TRIES):
        while any(number % small == 0 for small in _SMALL):
            number += 2
        if _is_prime(number) and (number - 1) % PUBLIC_EXPONENT and hex(number) not in found:
            return {**search, "number": "", "drawn": drawn, "found": [*found, hex(number)]}
        number += 2
    return {**search, "number": hex(number), "drawn": drawn}


def _drawn(search: dict[str, Any]) -> int:
    """An odd number of that many bits, whose two highest are set: the product of two such has the full length."""
    bits: int = search["bits"]
    digest = hashlib.shake_256(f"{search['seed']}/{search['drawn']}".encode()).digest(bits // 8)
    return int.from_bytes(digest) | (3 << (bits - 2)) | 1


def _is_prime(number: int) -> bool:
    """Miller and Rabin, of bases that nobody chooses."""
    if pow(2, number - 1, number) != 1:
        return False
    odd, twos = number - 1, 0
    while not odd % 2:
        odd, twos = odd // 2, twos + 1
    for base in _SMALL[:_ROUNDS]:
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
