"""port-forward in channels: which ports are asked for, what is said and understood, when it is over."""

from __future__ import annotations

import asyncio

import pytest

from cluster_engine.kube_apiserver import Request
from cluster_engine.serving.forward_channels import PORTS, Channels, PortsRefused, asked_ports
from cluster_engine.sim.journal import pack_bytes


def _ports(*values: str) -> list[int]:
    return asked_ports(Request("GET", "/", [("ports", value) for value in values]))


@pytest.mark.parametrize(
    ("values", "ports"),
    [(("80",), [80]), (("80", "443"), [80, 443]), (("80,443", "65535"), [80, 443, 65_535])],
    ids=["one", "two", "a list"],
)
def test_ports(values: tuple[str, ...], ports: list[int]) -> None:
    assert _ports(*values) == ports


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "none": ((), 'query parameter "port" is required'),
    "an empty one": (("",), 'cannot convert to []int32: strconv.ParseUint: parsing "": invalid syntax'),
    "a name": (("http",), 'cannot convert to []int32: strconv.ParseUint: parsing "http": invalid syntax'),
    "a negative one": (("-1",), 'cannot convert to []int32: strconv.ParseUint: parsing "-1": invalid syntax'),
    "too high": (
        ("65536",),
        'cannot convert to []int32: strconv.ParseUint: parsing "65536": value out of range',
    ),
    "zero": (("80,0",), 'port "0" must be > 0'),
    "too many": ((",".join(["80"] * (PORTS + 1)),), "128 ports at most can be forwarded at once"),
}


@pytest.mark.parametrize(("values", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_ports_that_are_refused(values: tuple[str, ...], why: str) -> None:
    with pytest.raises(PortsRefused) as caught:
        _ports(*values)
    assert str(caught.value) == why


def test_a_conversation() -> None:
    channels = Channels([80, 443])
    assert channels.begin() == [
        ("session/connect", {"stream": 0, "port": 80}),
        ("session/connect", {"stream": 2, "port": 443}),
    ]
    names = [b"\x00\x50\x00", b"\x01\x50\x00", b"\x02\xbb\x01", b"\x03\xbb\x01"]
    assert asyncio.run(channels.frames()) == names
    assert channels.take(b"\x00GET /") == [("session/send", {"stream": 0, "data": pack_bytes(b"GET /")})]
    for ignored in (b"\x01x", b"\x04x", b"\xff\x00", b"\x02"):
        assert channels.take(ignored) == []
    channels.output(0, b"page")
    channels.closed(0, "")
    assert asyncio.run(channels.frames()) == [b"\x00page"]
    assert channels.take(b"\x00more") == []
    assert not channels.over
    channels.closed(2, "refused")
    assert asyncio.run(channels.frames()) == [b"\x03refused"]
    assert (channels.over, channels.left) == (True, True)
    assert asyncio.run(channels.frames()) == []
