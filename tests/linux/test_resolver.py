"""What the C library asks for, by /etc/hosts and /etc/resolv.conf."""

from __future__ import annotations

import pytest

from cluster_engine.linux.resolver import ATTEMPTS, TIMEOUT, Config, config, hosts, questions
from cluster_engine.sim import SECOND

CONFIGS = {
    "a Pod's": (
        "search a.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
        Config(("10.96.0.10",), ("a.svc.cluster.local", "svc.cluster.local"), 5, TIMEOUT, ATTEMPTS),
    ),
    "empty": ("", Config((), (), 1, TIMEOUT, ATTEMPTS)),
    "the last search counts": (
        "search a\ndomain b.\nnameserver 1.2.3.4 # ours\n",
        Config(("1.2.3.4",), ("b",), 1, TIMEOUT, ATTEMPTS),
    ),
    "odd": (
        "nameserver x\nnameserver\noptions ndots:99 timeout:0 attempts:9 ndots:x edns0\nnonsense\n",
        Config((), (), 15, SECOND, 5),
    ),
    "too many servers": (
        "".join(f"nameserver 10.0.0.{n}\n" for n in range(1, 6)),
        Config(("10.0.0.1", "10.0.0.2", "10.0.0.3"), (), 1, TIMEOUT, ATTEMPTS),
    ),
}


@pytest.mark.parametrize(("text", "expected"), CONFIGS.values(), ids=CONFIGS.keys())
def test_config(text: str, expected: Config) -> None:
    assert config(text) == expected


POD = CONFIGS["a Pod's"][1]
QUESTIONS = {
    "a short name": ("Web", POD, ["web.a.svc.cluster.local", "web.svc.cluster.local", "web"]),
    "with dots": ("web.b", POD, ["web.b.a.svc.cluster.local", "web.b.svc.cluster.local", "web.b"]),
    "many dots": (
        "a.b.c.d.e.f",
        POD,
        ["a.b.c.d.e.f", "a.b.c.d.e.f.a.svc.cluster.local", "a.b.c.d.e.f.svc.cluster.local"],
    ),
    "absolute": ("web.", POD, ["web"]),
    "no search": ("web", CONFIGS["empty"][1], ["web"]),
    "empty": ("", POD, []),
    "no name": ("a..b", POD, []),
    "a long label": ("a" * 64, POD, []),
    "too long with the search": (".".join(["a" * 60] * 4), POD, [".".join(["a" * 60] * 4)]),
}


@pytest.mark.parametrize(("name", "given", "expected"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_questions(name: str, given: Config, expected: list[str]) -> None:
    assert questions(name, given) == expected


def test_hosts() -> None:
    text = (
        "# ours\n127.0.0.1\tlocalhost\n::1 localhost\n10.0.0.1 Web web.local # two\n10.0.0.2 web\nnonsense\n"
    )
    assert hosts(text) == {
        "localhost": ["127.0.0.1"],
        "web": ["10.0.0.1", "10.0.0.2"],
        "web.local": ["10.0.0.1"],
    }
