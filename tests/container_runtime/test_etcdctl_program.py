"""``etcdctl`` in etcd's Pod: what it prints, line by line, and what it refuses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime.etcdctl import flags, printers
from cluster_engine.etcd import keys
from cluster_engine.etcd.members import cluster_id, member_id
from cluster_engine.kube_apiserver import ADMIN, ExecResult, Request

POD = "etcd-control-plane"
PREFIX = "/registry/configmaps/shelf/"
MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "namespace": "shelf"},
    "data": {"n": "1"},
}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A namespace with three maps: b, which was written twice, then a and c."""
    cluster = Cluster(nodes=1, freezing=True)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shelf"}})
    cluster.settle()
    for name, number in (("b", "1"), ("a", "1"), ("c", "0"), ("b", "2")):
        cluster.apply({**MAP, "metadata": {"name": name, "namespace": "shelf"}, "data": {"n": number}})
    cluster.settle()
    return cluster


def etcdctl(cluster: Cluster, *words: str) -> ExecResult:
    return cluster.execute(POD, ["etcdctl", *words], namespace="kube-system")


def lines(found: ExecResult) -> list[str]:
    assert found.exit_code == 0, found
    return found.stdout.decode().splitlines()


def keys_of(*names: str) -> list[str]:
    return [line for name in names for line in (f"{PREFIX}{name}", "")]


RANGES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "one key": ((f"{PREFIX}a",), ["a"]),
    "no key": ((f"{PREFIX}none",), []),
    "a prefix": ((PREFIX, "--prefix"), ["a", "b", "c", "kube-root-ca.crt"]),
    "a range": ((f"{PREFIX}a", f"{PREFIX}c"), ["a", "b"]),
    "a limit": ((PREFIX, "--prefix", "--limit=2"), ["a", "b"]),
    "the other way round": (
        (PREFIX, "--prefix", "--order", "DESCEND", "--limit", "2"),
        ["kube-root-ca.crt", "c"],
    ),
    "by the last write": ((PREFIX, "--prefix", "--sort-by=modify"), ["kube-root-ca.crt", "a", "c", "b"]),
    "by the first write": ((PREFIX, "--prefix", "--sort-by=CREATE"), ["kube-root-ca.crt", "b", "a", "c"]),
    "by how often": ((PREFIX, "--prefix", "--sort-by=VERSION", "--order=descend", "--limit=1"), ["b"]),
}


@pytest.mark.parametrize(("words", "names"), RANGES.values(), ids=RANGES)
def test_which_keys_a_get_finds(cluster: Cluster, words: tuple[str, ...], names: list[str]) -> None:
    assert lines(etcdctl(cluster, "get", *words, "--keys-only")) == keys_of(*names)


def test_all_that_follow_a_key(cluster: Cluster) -> None:
    found = [
        line for line in lines(etcdctl(cluster, "get", f"{PREFIX}c", "--from-key", "--keys-only")) if line
    ]
    assert found[:2] == [f"{PREFIX}c", f"{PREFIX}kube-root-ca.crt"]
    assert found == sorted(found)
    assert "/registry/services/specs/default/kubernetes" in found


def test_a_key_as_it_was(cluster: Cluster) -> None:
    now = json.loads(lines(etcdctl(cluster, "get", f"{PREFIX}b", "-w", "json"))[0])["kvs"][0]
    then = ["get", f"{PREFIX}b", f"--rev={now['create_revision']}", "--print-value-only"]
    assert json.loads(etcdctl(cluster, *then).stdout)["data"] == {"n": "1"}
    before = ["get", f"{PREFIX}b", f"--rev={now['create_revision'] - 1}"]
    assert etcdctl(cluster, *before).stdout == b""


def test_sorted_by_their_values(cluster: Cluster) -> None:
    words = ("get", PREFIX, "--prefix", "--print-value-only", "--sort-by=VALUE")
    assert lines(etcdctl(cluster, *words)) == sorted(lines(etcdctl(cluster, *words)))


def test_as_json(cluster: Cluster) -> None:
    found = json.loads(lines(etcdctl(cluster, "get", PREFIX, "--prefix", "--limit=2", "--write-out=json"))[0])
    assert list(found) == ["header", "kvs", "more", "count"]
    assert list(found["header"]) == ["cluster_id", "member_id", "revision", "raft_term"]
    assert found["header"]["revision"] == cluster.store.revision
    assert (found["more"], found["count"]) == (True, 4)
    a, b = found["kvs"]
    assert list(a) == ["key", "create_revision", "mod_revision", "version", "value"]
    assert b64decode(b["key"]).decode() == f"{PREFIX}b"
    assert json.loads(b64decode(b["value"]))["data"] == {"n": "2"}
    assert (a["version"], b["version"]) == (1, 2)
    assert b["create_revision"] < a["mod_revision"] < b["mod_revision"]
    assert lines(etcdctl(cluster, "get", "nothing", "-w=json"))[0] == json.dumps(
        {"header": found["header"]}, separators=(",", ":")
    )


def test_as_fields(cluster: Cluster) -> None:
    found = lines(etcdctl(cluster, "get", f"{PREFIX}a", "-w", "fields"))
    names = [line.partition(" : ")[0] for line in found]
    assert names == [
        '"ClusterID"', '"MemberID"', '"Revision"', '"RaftTerm"', '"Key"', '"CreateRevision"', '"ModRevision"',
        '"Version"', '"Value"', '"Lease"', '"More"', '"Count"',
    ]  # fmt: skip
    assert f'"Key" : "{PREFIX}a"' in found
    assert '"Value" : "{\\"apiVersion\\":\\"v1\\"' in "\n".join(found)
    counted = lines(etcdctl(cluster, "get", PREFIX, "--prefix", "--count-only", "-w", "fields"))
    assert counted[4:] == ['"More" : false', '"Count" : 4']


def test_members_have_the_numbers_that_etcd_gives_them() -> None:
    # What every etcd prints that was begun alone on localhost.
    assert f"{member_id('http://localhost:2380'):x}" == "8e9e05c52164694d"
    assert f"{cluster_id(['http://localhost:2380']):x}" == "cdf818194e3a8c32"
    assert cluster_id(["b", "a"]) == cluster_id(["a", "b"])


def test_the_status_of_the_endpoint(cluster: Cluster) -> None:
    revision, size = cluster.store.revision, printers.humanized(cluster.store.size())
    ident = f"{member_id('https://172.18.0.2:2380'):x}"
    known = f"127.0.0.1:2379, {ident}, 3.7.0, 3.7.0, {size}, {size}, 0%, 2.1 GB, true, false, 2"
    row = f"{known}, {revision}, {revision}, , , false"
    assert lines(etcdctl(cluster, "endpoint", "status")) == [row]
    table = lines(etcdctl(cluster, "endpoint", "status", "-w", "table"))
    assert len({len(line) for line in table}) == 1
    assert [cell.strip() for cell in table[1].split("|")[1:4]] == ["ENDPOINT", "ID", "VERSION"]
    assert [cell.strip() for cell in table[3].split("|")[1:-1]] == [cell.strip() for cell in row.split(",")]
    found = json.loads(lines(etcdctl(cluster, "endpoint", "status", "-w", "json"))[0])
    assert found[0]["Endpoint"] == "127.0.0.1:2379"
    assert found[0]["Status"]["leader"] == found[0]["Status"]["header"]["member_id"]
    assert found[0]["Status"]["dbSize"] == cluster.store.size()
    assert '"IsLearner" : false' in lines(etcdctl(cluster, "endpoint", "status", "-w", "fields"))


def test_the_health_of_the_endpoint(cluster: Cluster) -> None:
    words = ("--endpoints=https://127.0.0.1:2379", "endpoint", "health")
    told = "https://127.0.0.1:2379 is healthy: successfully committed proposal: took = 0s"
    assert lines(etcdctl(cluster, *words)) == [told]
    assert json.loads(lines(etcdctl(cluster, *words, "-w", "json"))[0]) == [
        {"endpoint": "https://127.0.0.1:2379", "health": True, "took": "0s"}
    ]
    assert lines(etcdctl(cluster, *words, "-w", "table"))[1] == (
        "|        ENDPOINT        | HEALTH | TOOK | ERROR |"
    )


REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a write": (("put", "a", "b"), 1, "Drydock does not simulate etcdctl put (a real etcd has it)"),
    "no key": (("get",), 128, "get command needs one argument as key and an optional argument as range_end"),
    "a prefix and a start": (
        ("get", "a", "--prefix", "--from-key"), 128,
        "`--prefix` and `--from-key` cannot be set at the same time, choose one",
    ),
    "keys and a count": (
        ("get", "a", "--keys-only", "--count-only"), 128,
        "`--keys-only` and `--count-only` cannot be set at the same time, choose one",
    ),
    "a count without its form": (("get", "a", "--count-only"), 128, "--count-only is only for `--write-out=fields`"),
    "values alone in JSON": (
        ("get", "a", "--print-value-only", "-w", "json"), 128, "print-value-only is only for `--write-out=simple`",
    ),
    "two ends": (
        ("get", "a", "b", "--prefix"), 128,
        "too many arguments, only accept one argument when `--prefix` or `--from-key` is set",
    ),
    "an order": (("get", "a", "--order", "up"), 4, "bad sort order up"),
    "a target": (("get", "a", "--sort-by", "size"), 4, "bad sort target size"),
    "a consistency": (("get", "a", "--consistency=x"), 4, 'unknown consistency flag "x"'),
    "a table of keys": (("get", "a", "-w", "table"), 4, "table not supported as output format"),
    "a form": (("get", "a", "-w", "yaml"), 4, "unsupported output format"),
    "no number": (
        ("get", "a", "--limit", "few"), 1,
        'invalid argument "few" for "--limit" flag: strconv.ParseInt: parsing "few": invalid syntax',
    ),
    "no switch": (
        ("get", "a", "--prefix=perhaps"), 1,
        'invalid argument "perhaps" for "--prefix" flag: strconv.ParseBool: parsing "perhaps": invalid syntax',
    ),
    "a flag of another command": (("watch", "a", "--limit=1"), 1, "unknown flag: --limit"),
    "a flag without its value": (("get", "a", "--rev"), 1, "flag needs an argument: --rev"),
    "a flag that is not here": (("get", "a", "--hex"), 1, "Drydock does not simulate etcdctl's --hex"),
    "a revision to come": (
        ("get", "a", "--rev=1000000"), 1, "etcdserver: mvcc: required revision is a future revision",
    ),
    "nothing to watch": (("watch",), 128, "bad number of arguments"),
    "a prefix and an end to watch": (
        ("watch", "a", "b", "--prefix"), 128, "`range_end` and `--prefix` are mutually exclusive",
    ),
    "commands on changes": (("watch", "a", "--", "echo"), 1, "Drydock does not simulate commands that etcdctl runs"),
    "an endpoint's hash": (("endpoint", "hashkv"), 1, "Drydock does not simulate etcdctl endpoint hashkv"),
    "nothing": ((), 1, "Drydock's etcdctl is told what to do"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "status", "said"), REFUSED.values(), ids=REFUSED)
def test_what_it_refuses(cluster: Cluster, words: tuple[str, ...], status: int, said: str) -> None:
    found = etcdctl(cluster, *words)
    assert (found.exit_code, found.stdout) == (status, b"")
    assert found.stderr.decode().startswith(f"Error: {said}")


PREFIX_ENDS = [("a", "b"), ("/registry/", "/registry0"), ("a\xff", "b"), ("\xff", "\0"), ("", "\0")]


@pytest.mark.parametrize(("prefix", "end"), PREFIX_ENDS)
def test_where_a_prefix_ends(prefix: str, end: str) -> None:
    assert flags.prefix_end(prefix) == end


SIZES = [(9, "9 B"), (999, "999 B"), (1000, "1.0 kB"), (1550, "1.6 kB"), (20480, "20 kB"), (99_950, "100 kB")]
SIZES += [(3_300_000, "3.3 MB"), (2_147_483_648, "2.1 GB")]


@pytest.mark.parametrize(("count", "text"), SIZES, ids=[text for _, text in SIZES])
def test_sizes(count: int, text: str) -> None:
    assert printers.humanized(count) == text


def test_answers_are_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "KEYS_LIMIT", 2)
    found = etcdctl(cluster, "get", PREFIX, "--prefix", "--keys-only")
    assert lines(found) == keys_of("a", "b")
    assert (
        found.stderr == b"etcdctl: that is not all; a longer prefix, --keys-only or --limit asks for less\n"
    )


class Watch:
    """A watch in etcd's Pod, and what it has printed."""

    def __init__(self, cluster: Cluster, *words: str) -> None:
        self.cluster = cluster
        self.told = ""
        self.errors = ""
        self.status: int | None = None
        query = [("command", word) for word in ("etcdctl", "watch", *words)] + [
            ("stdout", "true"),
            ("stderr", "true"),
        ]
        path = f"/api/v1/namespaces/kube-system/pods/{POD}/exec"
        entry = cluster.prepare(Request("POST", path, query, user=ADMIN), "session/open")
        cluster.server.sessions.listen(f"s{entry.seq}", self)
        assert cluster.perform(entry) is None
        cluster.advance(1.5)

    def output(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self.told += data.decode()
        else:
            self.errors += data.decode()

    def closed(self, stream: int, why: str) -> None:
        raise AssertionError("it has no connections")

    def ended(self, status: int) -> None:
        self.status = status

    def failed(self, status: dict[str, Any]) -> None:
        raise AssertionError(status)

    def after(self, *objects: dict[str, Any]) -> list[str]:
        """What it prints when these objects are written."""
        self.told = ""
        self.cluster.apply(list(objects))
        self.cluster.advance(1.5)
        return self.told.splitlines()


def numbered(name: str, number: str) -> dict[str, Any]:
    return {**MAP, "metadata": {"name": name, "namespace": "shelf"}, "data": {"n": number}}


def values(told: list[str]) -> list[str]:
    """What was told, of values only the number."""
    return [json.loads(line)["data"]["n"] if line.startswith("{") else line for line in told]


def test_a_watch_is_told_of_what_comes(cluster: Cluster) -> None:
    fork = cluster.fork()
    watch = Watch(fork, PREFIX, "--prefix", "--prev-kv")
    assert watch.told == ""
    assert values(watch.after(numbered("d", "1"))) == ["PUT", f"{PREFIX}d", "1"]
    assert values(watch.after(numbered("d", "2"))) == ["PUT", f"{PREFIX}d", "1", f"{PREFIX}d", "2"]
    watch.told = ""
    fork.delete("configmaps", "d", "shelf")
    fork.advance(1.5)
    assert values(watch.told.splitlines()) == ["DELETE", f"{PREFIX}d", "2", f"{PREFIX}d", ""]
    assert watch.status is None


def test_a_watch_of_one_key_in_other_forms(cluster: Cluster) -> None:
    fork = cluster.fork()
    in_json, in_fields = Watch(fork, f"{PREFIX}a", "-w", "json"), Watch(fork, f"{PREFIX}a", "-w", "fields")
    in_json.after(numbered("b", "9"), numbered("a", "7"))
    found = json.loads(in_json.told)
    assert list(found) == ["Header", "Events", "CompactRevision", "Canceled", "Created"]
    assert [b64decode(event["kv"]["key"]).decode() for event in found["Events"]] == [f"{PREFIX}a"]
    assert found["Events"][0]["kv"]["version"] == 2
    assert f'"Type" : PUT\n"Key" : "{PREFIX}a"\n' in in_fields.told


def test_a_watch_from_an_older_revision(cluster: Cluster) -> None:
    fork = cluster.fork()
    first = json.loads(lines(etcdctl(fork, "get", f"{PREFIX}b", "-w", "json"))[0])["kvs"][0][
        "create_revision"
    ]
    watch = Watch(fork, f"{PREFIX}b", f"--rev={first}")
    assert values(watch.told.splitlines()) == ["PUT", f"{PREFIX}b", "1", "PUT", f"{PREFIX}b", "2"]
    fork.store.compact(fork.store.revision)
    late = Watch(fork, f"{PREFIX}b", f"--rev={first}")
    assert (late.told, late.status) == ("", 5)
    assert late.errors.splitlines() == [
        "watch was canceled (etcdserver: mvcc: required revision has been compacted)",
        "Error: watch is canceled by the server",
    ]


def test_leases_that_renew_themselves_are_told(cluster: Cluster) -> None:
    fork = cluster.fork()
    watch = Watch(fork, "/registry/leases/kube-node-lease/", "--prefix")
    fork.advance(25)
    assert watch.told.count("PUT\n") >= 2
