# ruff: noqa: E501 (one case a line)
"""What `nslookup` finds of Services and Pods. The shape of each answer is what busybox prints of such records."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON


def _pod(name: str, **spec: Any) -> JSON:
    container = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "1d"]}
    meta = {"name": name, "labels": {"app": name.partition("-")[0]}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}


def _service(name: str, **spec: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


WEB, TAIL = "10.96.7.1", "default.svc.cluster.local"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    cluster.apply(
        [
            _pod("client"),
            _pod("db-a", hostname="a", subdomain="db"),
            _pod("db-b", hostname="b", subdomain="db"),
            _service("web", clusterIP=WEB, selector={"app": "nobody"}, ports=ports),
            _service("db", clusterIP="None", selector={"app": "db"}, ports=[{"name": "sql", "port": 5432}]),
            _service("empty", clusterIP="None", selector={"app": "nobody"}, ports=[{"port": 1}]),
            _service("alias", type="ExternalName", externalName=f"web.{TAIL}"),
            _service("outside", type="ExternalName", externalName="www.example.org"),
        ]
    )
    cluster.settle()
    return cluster


HEAD = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n"
MISSING = "** server can't find {0}: NXDOMAIN\n\n"
CASES: dict[str, tuple[str, int, str]] = {
    "a Service": (f"web.{TAIL}", 0, f"Name:\tweb.{TAIL}\nAddress: {WEB}\n\n\n"),
    "a Service, in capitals": (f"-type=a WEB.{TAIL}", 0, f"Name:\tweb.{TAIL}\nAddress: {WEB}\n\n"),
    "a short name": ("-type=a web", 0, f"Name:\tweb.{TAIL}\nAddress: {WEB}\n\n"),
    "a name with its namespace": ("-type=a web.default", 0, f"Name:\tweb.{TAIL}\nAddress: {WEB}\n\n"),
    "no other addresses": (f"-type=aaaa web.{TAIL}", 0, "\n"),
    "two endpoints": (f"-type=a db.{TAIL}", 0, f"Name:\tdb.{TAIL}\nAddress: {{a}}\nName:\tdb.{TAIL}\nAddress: {{b}}\n\n"),
    "one endpoint": (f"-type=a b.db.{TAIL}", 0, f"Name:\tb.db.{TAIL}\nAddress: {{b}}\n\n"),
    "ports of a Service": (f"-type=srv web.{TAIL}", 0, f"web.{TAIL}\tservice = 0 50 80 web.{TAIL}\nweb.{TAIL}\tservice = 0 50 443 web.{TAIL}\n\n"),
    "a port of a Service": (f"-type=srv _https._tcp.web.{TAIL}", 0, f"_https._tcp.web.{TAIL}\tservice = 0 100 443 web.{TAIL}\n\n"),
    "a port of endpoints": (f"-type=srv _sql._tcp.db.{TAIL}", 0, f"_sql._tcp.db.{TAIL}\tservice = 0 50 5432 a.db.{TAIL}\n_sql._tcp.db.{TAIL}\tservice = 0 50 5432 b.db.{TAIL}\n\n"),
    "a port that it has not": (f"-type=srv _sql._udp.db.{TAIL}", 1, MISSING.format(f"_sql._udp.db.{TAIL}")),
    "an alias": (f"alias.{TAIL}", 0, f"alias.{TAIL}\tcanonical name = web.{TAIL}\nName:\tweb.{TAIL}\nAddress: {WEB}\n\nalias.{TAIL}\tcanonical name = web.{TAIL}\n\n"),
    "an alias itself": (f"-type=cname alias.{TAIL}", 0, f"alias.{TAIL}\tcanonical name = web.{TAIL}\n\n"),
    "an alias that leads outside": (f"-type=a outside.{TAIL}", 0, f"outside.{TAIL}\tcanonical name = www.example.org\n\n"),
    "a Service's address": (WEB, 0, f"1.7.96.10.in-addr.arpa\tname = web.{TAIL}\n\n"),
    "an endpoint's address": ("{b}", 0, f"{{back}}\tname = b.db.{TAIL}\n\n"),
    "an address of nobody": ("10.96.99.9", 1, MISSING.format("9.99.96.10.in-addr.arpa")),
    "a Pod's name by its address": ("-type=a {dashed}.default.pod.cluster.local", 0, "Name:\t{dashed}.default.pod.cluster.local\nAddress: {b}\n\n"),
    "no endpoints": (f"empty.{TAIL}", 1, MISSING.format(f"empty.{TAIL}") * 2),
    "no such name": ("nobody", 1, MISSING.format("nobody") * 2),
    "no such host of a Service": (f"-type=a c.web.{TAIL}", 1, MISSING.format(f"c.web.{TAIL}")),
    "outside": ("-type=a example.org", 1, MISSING.format("example.org")),
    "another server": (f"-type=a web.{TAIL} 10.96.0.10", 0, f"Name:\tweb.{TAIL}\nAddress: {WEB}\n\n"),
    "another server, asked for the name as it is": ("-type=a web 10.96.0.10", 1, MISSING.format("web")),
}  # fmt: skip


@pytest.mark.parametrize(("words", "status", "expected"), CASES.values(), ids=CASES.keys())
def test_lookups(cluster: Cluster, words: str, status: int, expected: str) -> None:
    a, b = (str((cluster.get("pods", name) or {})["status"]["podIP"]) for name in ("db-a", "db-b"))
    known = {
        "a": a,
        "b": b,
        "dashed": b.replace(".", "-"),
        "back": ".".join([*reversed(b.split(".")), "in-addr.arpa"]),
    }
    done = cluster.fork().execute("client", ["nslookup", *words.format(**known).split()], limit=60)
    assert (done.exit_code, (done.stdout + done.stderr).decode()) == (status, HEAD + expected.format(**known))


UNASKED = {
    "no server there": (
        ["nslookup", "web", "10.244.9.9"],
        ";; connection timed out; no servers could be reached\n\n",
    ),
    "no such type": (["nslookup", "-type=foo", "web"], 'nslookup: invalid query type "foo"\n'),
    "no such server": (["nslookup", "web", "nobody"], "nslookup: bad address 'nobody'\n"),
}


@pytest.mark.parametrize(("words", "said"), UNASKED.values(), ids=UNASKED.keys())
def test_what_cannot_be_asked(cluster: Cluster, words: list[str], said: str) -> None:
    done = cluster.fork().execute("client", words, limit=60)
    assert (done.exit_code, (done.stdout + done.stderr).decode()) == (1, said)


def test_an_alias_is_reached_by_its_name(cluster: Cluster) -> None:
    done = cluster.fork().execute("client", ["wget", "-q", "-T", "5", "http://alias/"], limit=60)
    assert done.stderr.decode() == f"wget: can't connect to remote host ({WEB}): Connection refused\n"


HERE = f"web.{TAIL}"
BIND: dict[str, tuple[str, int, str]] = {
    "dig, short": (f"dig +short {HERE}", 0, f"{WEB}\n"),
    "dig, by the search list": ("dig +search +short web", 0, f"{WEB}\n"),
    "dig, as it is": ("dig +short web", 0, ""),
    "dig, an alias": (f"dig +short alias.{TAIL} @10.96.0.10", 0, f"{HERE}.\n{WEB}\n"),
    "dig, ports": (f"dig -t srv +short _sql._tcp.db.{TAIL}", 0, f"0 50 5432 a.db.{TAIL}.\n0 50 5432 b.db.{TAIL}.\n"),
    "dig, an address": (f"dig -x {WEB} +short", 0, f"{HERE}.\n"),
    "dig, the answer alone": (f"dig +noall +answer {HERE}", 0, f"{HERE}. 30 IN\tA\t{WEB}\n"),
    "dig, nobody there": ("dig +short +time=1 +tries=1 @10.244.9.9 web", 9, ";; communications error to 10.244.9.9#53: timed out\n;; no servers could be reached\n"),
    "host": (f"host {HERE}", 0, f"{HERE} has address {WEB}\n"),
    "host, by the search list": ("host web", 0, f"{HERE} has address {WEB}\n"),
    "host, an alias": (f"host alias.{TAIL}", 0, f"alias.{TAIL} is an alias for {HERE}.\n{HERE} has address {WEB}\n"),
    "host, an address": (f"host {WEB}", 0, f"1.7.96.10.in-addr.arpa domain name pointer {HERE}.\n"),
    "host, ports": (f"host -t srv _http._tcp.{HERE}", 0, f"_http._tcp.{HERE} has SRV record 0 100 80 {HERE}.\n"),
    "host, another server": (f"host -t a {HERE} 10.96.0.10", 0, f"Using domain server:\nName: 10.96.0.10\nAddress: 10.96.0.10#53\nAliases: \n\n{HERE} has address {WEB}\n"),
    "host, no record": (f"host -t ptr {HERE}", 0, f"{HERE} has no PTR record\n"),
    "host, no such name": ("host nobody", 1, "Host nobody not found: 3(NXDOMAIN)\n"),
}  # fmt: skip


@pytest.fixture(scope="module")
def shot(cluster: Cluster) -> Cluster:
    twin = cluster.fork()
    twin.apply(
        _pod("shot", containers=[{"name": "c", "image": "nicolaka/netshoot", "command": ["sleep", "1d"]}])
    )
    twin.settle()
    return twin


@pytest.mark.parametrize(("line", "status", "expected"), BIND.values(), ids=BIND.keys())
def test_the_tools_of_bind(shot: Cluster, line: str, status: int, expected: str) -> None:
    done = shot.fork().execute("shot", line.split(), limit=60)
    assert (done.exit_code, (done.stdout + done.stderr).decode()) == (status, expected)


def test_dig_shows_all(shot: Cluster) -> None:
    done = shot.fork().execute("shot", ["dig", HERE], limit=60).stdout.decode()
    for part in (
        f"; <<>> DiG 9.20.10 <<>> {HERE}\n;; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ",
        ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n",
        f";; QUESTION SECTION:\n;{HERE}.\tIN\tA\n\n;; ANSWER SECTION:\n{HERE}. 30 IN\tA\t{WEB}\n\n;; Query time: 0 msec\n;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n;; WHEN: ",
        ";; MSG SIZE  rcvd: ",
    ):
        assert part in done
