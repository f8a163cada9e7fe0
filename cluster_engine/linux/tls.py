"""TLS as data: who wants it says a mark before plain text, who speaks it answers with the mark and its certificate.

Nothing is encrypted; what clients decide about a certificate (who issued it, for which names) is what real ones decide.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cluster_engine.linux.dns import is_address

HELLO = "\x16\x03\x01"
"""What both sides begin with."""
MAX_HELLO = 4_096
"""Bytes of a server's greeting."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


_NAMED = "\0"
"""Follows a client's mark where it says for which host it comes, up to the end of the line."""
MAX_NAME = 255


class Certificate(NamedTuple):
    """What a server shows of itself."""

    subject: str
    """Its common name."""
    names: tuple[str, ...] = ()
    """Host names and addresses for which it is good."""
    issuer: str = ""
    """The authority's common name; "": it is self-signed."""
    authority: str = ""
    """``fingerprint`` of the authority's certificate."""
    der: str = ""
    """The certificate itself, base64, where the server has it as a file."""

    def good_for(self, host: str) -> bool:
        """Whether it has the name that a client asked for."""
        return host.lower() in self.names


def hello(host: str) -> str:
    """What a client says first; it tells the host that it wants (SNI), but no address."""
    return HELLO if is_address(host) or not host else f"{HELLO}{_NAMED}{host[:MAX_NAME]}\n"


def heard(text: str) -> tuple[str, str] | None:
    """The host that a client's hello names ("": none) and what follows it; None while it is not complete."""
    rest = text.removeprefix(HELLO)
    if not rest.startswith(_NAMED):
        return "", rest
    name, end, rest = rest[1:].partition("\n")
    if end or len(name) > MAX_NAME:
        return name.lower(), rest
    return None


def greeting(certificate: Certificate) -> str:
    """What a server says first."""
    names = ",".join(certificate.names)
    fields = (certificate.subject, names, certificate.issuer, certificate.authority, certificate.der)
    return HELLO + "\t".join(fields) + "\n"


def shown(text: str) -> tuple[Certificate | None, str] | None:
    """The certificate of a server's greeting and what follows it; None while it is not complete.

    A server that speaks no TLS has no certificate: its text is given back.
    """
    if not HELLO.startswith(text[: len(HELLO)]):
        return None, text
    line, end, rest = text.partition("\n")
    if not end:
        return None if len(text) < MAX_HELLO else (None, text)
    fields = line.removeprefix(HELLO).split("\t")
    if len(fields) != 5:
        return None, text
    return Certificate(fields[0], tuple(fields[1].split(",")), *fields[2:]), rest


def fingerprint(pem: str) -> str:
    """A digest of a certificate's PEM text, however its lines are broken."""
    return hashlib.sha256("".join(pem.split()).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def authorities(bundle: str) -> list[str]:
    """The fingerprints of a file of certificates, in order."""
    blocks = (part.partition(_END) for part in bundle.split(_BEGIN)[1:])
    return [fingerprint(block) for block, end, _ in blocks if end]
