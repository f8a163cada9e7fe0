"""DNS messages, and the names of addresses."""

from __future__ import annotations

import pytest

from cluster_engine.linux import dns

QUESTIONS = [
    ("7 A api.default.svc.cluster.local", (7, "A", "api.default.svc.cluster.local")),
    ("7 SRV _http._tcp.api", (7, "SRV", "_http._tcp.api")),
    ("7 HINFO api", None),
    ("x A api", None),
    ("7 A ", None),
    ("7 A " + "a" * 254, None),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), QUESTIONS)
def test_questions(text: str, expected: tuple[int, str, str] | None) -> None:
    assert dns.read_question(text) == expected


def test_answers() -> None:
    records = [
        dns.Record("a", "CNAME", "b"),
        dns.Record("b", "A", "10.0.0.1"),
        dns.Record("b", "A", "10.0.0.2"),
    ]
    found = dns.read_answer(dns.answer(7, dns.NO_ERROR, records))
    assert found == (7, dns.NO_ERROR, tuple(records))
    assert found.addresses == ["10.0.0.1", "10.0.0.2"]
    assert dns.read_answer(dns.answer(8, dns.NO_SUCH_NAME)) == (8, dns.NO_SUCH_NAME, ())
    for text in ("nonsense", "8 NOERROR\nshort row", "x NOERROR", ""):
        assert dns.read_answer(text) is None


def test_an_answer_is_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "RECORDS", 2)
    records = [("a", "A", f"10.0.0.{number}") for number in range(3)]
    found = dns.read_answer(dns.answer(7, dns.NO_ERROR, records))
    assert found is not None
    assert found.addresses == ["10.0.0.0", "10.0.0.1"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.1", True),
        ("10.0.0.256", False),
        ("10.0.1", False),
        ("a.b.c.d", False),
        ("10.0.0.0001", False),
    ],
)
def test_addresses(host: str, expected: bool) -> None:
    assert dns.is_address(host) is expected
