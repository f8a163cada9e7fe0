"""Who the etcd members are: their numbers follow from where they listen, as etcd works them out.

Models server/etcdserver/api/membership (computeMemberID, genID).
"""

from __future__ import annotations

from hashlib import sha1

_TOKEN = "etcd-cluster"


def _number(data: bytes) -> int:
    return int.from_bytes(sha1(data, usedforsecurity=False).digest()[:8], "big")


def member_id(peer_url: str) -> int:
    """The number of the member whom its peers call so."""
    return _number(f"{peer_url}{_TOKEN}".encode())


def cluster_id(peer_urls: list[str]) -> int:
    """The number of the cluster that these members began."""
    return _number(b"".join(number.to_bytes(8, "big") for number in sorted(map(member_id, peer_urls))))
