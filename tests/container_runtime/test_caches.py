# ruff: noqa: E501 (one case a line)
"""redis, memcached and RabbitMQ answer what tutorials ask of them."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.container_runtime import clients, programs, redis_commands
from cluster_engine.container_runtime.images import memcached, redis
from tests.linux.world import World

CONFIG = "maxmemory 2mb\nmaxmemory-policy allkeys-lru\n"


def pod(name: str, image: str, *command: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": image}
    if command:
        container["args"] = list(command)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container]},
    }


def configured() -> dict[str, Any]:
    made = pod("configured", "redis", "redis-server", "/redis-master/redis.conf")
    made["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "redis"}}]
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "config", "mountPath": "/redis-master"}]
    return made


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "redis"},
            "data": {"redis.conf": CONFIG},
        }
    )
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "redis"},
            "spec": {"selector": {"app": "redis"}, "ports": [{"port": 6379}]},
        }
    )
    for each in (
        pod("redis", "redis:7"),
        pod("locked", "redis:7", "--requirepass", "secret"),
        pod("cache", "memcached"),
        pod("box", "busybox", "sleep", "1d"),
        pod("rabbit", "rabbitmq:3"),
        configured(),
    ):
        cluster.apply(each)
    assert cluster.settle()
    cluster.advance(10)
    return cluster


def says(cluster: Cluster, name: str, line: str) -> tuple[int, str]:
    found = cluster.execute(name, ["sh", "-c", line])
    return found.exit_code, (found.stdout + found.stderr).decode()


LINES = (
    # Pod, line, what comes of it
    ("redis", "redis-cli ping", "PONG\n"),
    ("redis", "redis-cli -h redis set greeting hello; redis-cli -h redis get greeting", "OK\nhello\n"),
    ("redis", "redis-cli incr n; redis-cli incrby n 41; redis-cli incr greeting", "1\n42\nERR value is not an integer or out of range\n"),
    ("redis", "redis-cli rpush l a b; redis-cli lpush l z; redis-cli lrange l 0 -1; redis-cli get l", "2\n3\nz\na\nb\nWRONGTYPE Operation against a key holding the wrong kind of value\n"),
    ("redis", "redis-cli hset h a 1 b 2; redis-cli hgetall h; redis-cli sadd s x x y; redis-cli scard s", "2\na\n1\nb\n2\n2\n2\n"),
    ("redis", "redis-cli set t 1 EX 60; redis-cli ttl t; redis-cli exists t nope; redis-cli del t; redis-cli ttl t", "OK\n60\n1\n1\n-2\n"),
    ("redis", "redis-cli keys 'g*'; redis-cli dbsize; redis-cli get nope", "greeting\n5\n\n"),
    ("redis", "printf 'set a 1\\nget a\\n' | redis-cli", "OK\n1\n"),
    ("redis", "redis-cli get", "ERR wrong number of arguments for 'get' command\n"),
    ("redis", "redis-cli -p 99 ping", "Could not connect to Redis at 127.0.0.1:99: Connection refused\n"),
    ("redis", "redis-cli -h nope ping", "Could not connect to Redis at nope:6379: Name or service not known\n"),
    ("locked", "redis-cli get a", "NOAUTH Authentication required.\n"),
    ("locked", "REDISCLI_AUTH=secret redis-cli set a 1", "OK\n"),
    ("configured", "redis-cli config get maxmemory; redis-cli config get maxmemory-policy", "maxmemory\n2097152\nmaxmemory-policy\nallkeys-lru\n"),
    ("rabbit", "rabbitmqctl list_queues", "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\n"),
    ("rabbit", "rabbitmq-diagnostics -q ping", "Ping succeeded\n"),
)  # fmt: skip


def test_lines(cluster: Cluster) -> None:
    for name, line, said in LINES:
        assert says(cluster, name, line)[1] == said, line


def test_memcached_speaks_its_protocol(cluster: Cluster) -> None:
    address = cluster.get("pods", "cache")["status"]["podIP"]
    asked = "set a 0 0 5\\r\\nhello\\r\\nget a\\r\\nset n 0 0 1\\r\\n1\\r\\nincr n 4\\r\\ndelete a\\r\\nget a\\r\\nadd n 0 0 1\\r\\n9\\r\\nnonsense\\r\\nquit\\r\\n"
    status, said = says(cluster, "box", f"printf '{asked}' | nc {address} 11211")
    wanted = [
        "STORED",
        "VALUE",
        "a",
        "0",
        "5",
        "hello",
        "END",
        "STORED",
        "5",
        "DELETED",
        "END",
        "NOT_STORED",
        "ERROR",
    ]
    assert (status, said.split()) == (0, wanted)


def test_redis_keeps_what_it_has(cluster: Cluster) -> None:
    before = says(cluster, "redis", "redis-cli dbsize")
    for each in (cluster.fork(), Cluster.restore(cluster.snapshot())):
        assert says(each, "redis", "redis-cli dbsize") == before
    assert says(cluster, "redis", "ls /data")[1] == "dump.rdb\n"


def test_limits(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(redis_commands, "MAX_DATA", 10)
        with pytest.raises(redis_commands.Wrong, match="OOM command not allowed"):
            redis_commands.carried_out({}, 0, ["set", "key", "x" * 10])
    with monkeypatch.context() as patch:
        patch.setattr(redis_commands, "MAX_WORDS", 2)
        assert says(cluster, "redis", "redis-cli set a 1")[1] == "ERR Protocol error\n"
    with monkeypatch.context() as patch:
        patch.setattr(redis_commands, "MAX_REQUEST", 10)
        patch.setattr(clients, "MAX_HELD", 10)
        address = cluster.get("pods", "redis")["status"]["podIP"]
        assert says(cluster, "box", f"printf 'set a 111111111' | nc {address} 6379") == (0, "")
        assert says(cluster, "redis", "printf 'set a 111111111' | redis-cli") == (1, "")
    with monkeypatch.context() as patch:
        patch.setattr(memcached, "MAX_DATA", 2)
        patch.setattr(memcached, "MAX_VALUE", 6)
        address = cluster.get("pods", "cache")["status"]["podIP"]
        asked = "set a 0 0 3\\r\\n123\\r\\nset a 0 0 7\\r\\n1234567\\r\\n"
        said = "SERVER_ERROR out of memory storing object\r\nSERVER_ERROR object too large for cache\r\n"
        assert says(cluster, "box", f"printf '{asked}' | nc {address} 11211") == (0, said)


X = "x" * 400
LONG = {
    "memcached, one value often": ("cache", 11211, f"set a 0 0 400\\r\\n{X}\\r\\nget a a a\\r\\n", 0, "SERVER_ERROR out of memory writing get response"),
    "memcached, asked often": ("cache", 11211, f"set a 0 0 400\\r\\n{X}\\r\\n" + "get a\\r\\n" * 20, 3, "STORED"),
    "redis, one value often": ("redis", 6379, f"set a {X}\\r\\nmget a a a\\r\\n", 0, "-ERR more than 1000 bytes are not answered at once here"),
    "redis, asked often": ("redis", 6379, f"set a {X}\\r\\n" + "get a\\r\\n" * 20, 3, "+OK"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "port", "asked", "times", "told"), LONG.values(), ids=LONG)
def test_few_bytes_do_not_ask_for_many(
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    port: int,
    asked: str,
    times: int,
    told: str,
) -> None:
    fork = cluster.fork()
    monkeypatch.setattr(programs, "MAX_SAID", 1_000)
    address = fork.get("pods", name)["status"]["podIP"]
    said = says(fork, "box", f"printf '{asked}' | nc -w 2 {address} {port}")[1]
    assert said.count(X) == times
    assert told in said


HOSTILE = {
    # what memcached is sent -> what it says
    "a size of many digits": ("set a 0 0 " + "0" * 5_000 + "\\r\\nx\\r\\n", "SERVER_ERROR object too large for cache\r\n"),
    "a long key": (f"set {'k' * 251} 0 0 1\\r\\nx\\r\\n", "SERVER_ERROR object too large for cache\r\n"),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "told"), HOSTILE.values(), ids=HOSTILE)
def test_what_memcached_does_not_take(cluster: Cluster, asked: str, told: str) -> None:
    address = cluster.get("pods", "cache")["status"]["podIP"]
    assert says(cluster, "box", f"printf '{asked}' | nc -w 2 {address} 11211") == (0, told)


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_ANSWER", 10)
    world = World(table={"redis-cli": redis.CLI}.get, names=["redis-cli"])
    process = world.start("redis-cli", "-h", "10.0.0.9", "ping")
    world.settle()
    sock = next(call[1] for call in world.host.calls if call[0] == "connect")
    world.machine.connected(sock)
    world.settle()
    world.machine.received(sock, "$900\r\n" + "x" * 20)
    world.settle()
    assert world.host.exits == {process: 1}


@pytest.mark.parametrize("text", ["*x\r\n", "*1\r\n!a\r\n", "*99999\r\n", "*1\r\n" * 9_000])
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w|\*"):
        redis_commands.parsed(text)
