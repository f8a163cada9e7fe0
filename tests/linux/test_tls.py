"""A server's greeting, and what is found in files of certificates."""

from __future__ import annotations

import pytest

from cluster_engine.linux import tls

SHOWN = tls.Certificate("web", ("web", "10.0.0.1"), "authority", "abc")
GREETINGS = {
    "whole": (tls.greeting(SHOWN) + "HTTP", (SHOWN, "HTTP")),
    "self-signed": (tls.greeting(tls.Certificate("x")), (tls.Certificate("x", ("",)), "")),
    "half": (tls.greeting(SHOWN)[:-1], None),
    "the mark alone": (tls.HELLO[:2], None),
    "no TLS": ("HTTP/1.1 400", (None, "HTTP/1.1 400")),
    "not a certificate": (tls.HELLO + "a\tb\n", (None, tls.HELLO + "a\tb\n")),
    "without an end": (tls.HELLO + "a" * tls.MAX_HELLO, (None, tls.HELLO + "a" * tls.MAX_HELLO)),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_greetings(name: str) -> None:
    text, found = GREETINGS[name]
    assert tls.shown(text) == found


def test_files_of_certificates() -> None:
    one, other = (
        "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n" for text in ("ab\ncd", "ef")
    )
    assert tls.authorities(one + "between\n" + other) == [tls.fingerprint("abcd"), tls.fingerprint("ef")]
    assert tls.authorities(one[:-9] + "x") == []
    assert tls.authorities("-----BEGIN CERTIFICATE-----" * 100_000) == []
    assert SHOWN.good_for("WEB")
    assert not SHOWN.good_for("webs")


HEARD = {
    "a name": (tls.hello("A.example.com") + "GET", ("a.example.com", "GET")),
    "an address": (tls.hello("10.0.0.1"), ("", "")),
    "half a name": (tls.hello("a.example.com")[:-1], None),
    "more than a name may have": (tls.hello("a" * (tls.MAX_NAME + 1)), ("a" * tls.MAX_NAME, "")),
    "a name without an end": (tls.hello("a" * tls.MAX_NAME)[:-1] + "a", ("a" * (tls.MAX_NAME + 1), "")),
}


@pytest.mark.parametrize("name", HEARD)
def test_who_is_asked_for(name: str) -> None:
    text, found = HEARD[name]
    assert tls.heard(text) == found
