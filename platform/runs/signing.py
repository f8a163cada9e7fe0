"""What web tier and hosts say to each other carries a signature; the secret that they share is never sent.

A request is signed for one host, by name: whoever listens at an address that a host once had learns nothing that
another host would take. A host's entry in the registry is signed too, so that writing into Redis is not enough to
draw traffic.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict

from django.conf import settings

SIGNATURE_HEADER = "x-drydock-signature"
#: A request older than this, or as much ahead of the host's clock, is refused.
WINDOW_SECONDS = 30.0
#: Requests that a host remembers, so that none is taken twice; with more in a window the oldest are forgotten.
REMEMBERED = 100_000


class ForgedError(Exception):
    """A request without a valid signature."""


class StaleError(ForgedError):
    """One with our signature, of another time: a clock has jumped, or it lay about. Sign anew."""


def mac(purpose: str, *parts: str | int) -> str:
    """Hex HMAC-SHA256 of the parts, for this purpose alone."""
    message = json.dumps([purpose, *parts]).encode("ascii")
    return hmac.new(settings.HOST_SECRET.encode("utf-8"), message, hashlib.sha256).hexdigest()


def sign(host: str, method: str, target: str, body: bytes = b"") -> str:
    """The header's value for a request to the host of that name; `target` is path and query as they are sent."""
    at, nonce, digest = f"{time.time():.3f}", secrets.token_hex(8), hashlib.sha256(body).hexdigest()
    return f"{at} {nonce} {digest} {mac('request', host, method, target, at, nonce, digest)}"


class Verifier:
    """Checks what is sent to one host, each request once."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._seen: OrderedDict[str, None] = OrderedDict()

    def check(self, value: str, method: str, target: str) -> str:
        """The SHA-256 that the body must have. Raises ForgedError."""
        words = value.split(" ")
        if len(words) != 4:
            raise ForgedError("no signature")
        at, nonce, digest, given = words
        wanted = mac("request", self.host, method, target, at, nonce, digest)
        if not hmac.compare_digest(given.encode("latin-1", "replace"), wanted.encode("ascii")):
            raise ForgedError("a wrong signature")
        if abs(time.time() - float(at)) > WINDOW_SECONDS:
            raise StaleError("an old signature, or clocks that differ")
        if given in self._seen:
            raise ForgedError("a signature that was used before")
        self._seen[given] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return digest
