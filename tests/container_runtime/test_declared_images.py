# ruff: noqa: E501 (one case a line)
"""Images as data: what their containers do, and when; what is refused; that a cluster with them is copied as any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from cluster_engine.__main__ import main
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cluster import Cluster
from cluster_engine.component_helpers.shapes import problems
from cluster_engine.container_runtime.declared import SCHEMA, ImagesError, registry_of, shape
from cluster_engine.container_runtime.declared.reading import REGISTRIES_KEPT, laid_over
from cluster_engine.container_runtime.names import parse
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet import Kubelets
from cluster_engine.sim import parse_rfc3339

NAME = "registry.example.com/team/shop"
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "db"},
    "spec": {"ports": [{"port": 5432}]},
}


CLIENT = {"name": "c", "image": "curlimages/curl", "command": ["sleep", "1d"]}


def cluster_of(images: Any, *objects: JSON, addons: bool = False) -> Cluster:
    cluster = Cluster(
        nodes=1, freezing=True, strict=True, addons=addons, images=yaml.safe_dump(images, sort_keys=False)
    )
    for obj in objects:
        cluster.apply(obj)
    return cluster


def pod(name: str = "p", tag: str = "latest", policy: str = "Never", **container: Any) -> JSON:
    """A Pod of one container, whose fields these are."""
    spec = {
        "containers": [{"name": "c", "image": f"{NAME}:{tag}", **container}],
        "restartPolicy": policy,
        "tolerations": [{"operator": "Exists"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec,
    }


def status(cluster: Cluster, name: str = "p") -> JSON:
    found = cluster.get("pods", name, "default")
    assert found is not None
    entry: JSON = found["status"]["containerStatuses"][0]
    return entry


def ask(cluster: Cluster, path: str, **query: str) -> tuple[int, str]:
    """Status and body of the API server's answer."""
    reply = cluster.request(Request("GET", path, list(query.items()), user=ADMIN))
    return reply.status, reply.body.decode()


def client() -> JSON:
    made = pod("client")
    made["spec"]["containers"] = [CLIENT]
    return made


def status_ip(cluster: Cluster, name: str = "p") -> str:
    found = cluster.get("pods", name, "default")
    assert found is not None
    return str(found["status"]["podIP"])


def curl(cluster: Cluster, path: str, name: str = "p", port: int = 8080) -> tuple[int, str]:
    """Status (0: no connection) and body of a Pod's answer."""
    url = f"http://{status_ip(cluster, name)}:{port}/{path}"
    body, _, code = (
        cluster.execute("client", ["curl", "-s", "-w", "#%{http_code}", url]).stdout.decode().rpartition("#")
    )
    return int(code), body


def log(cluster: Cluster, name: str = "p", **query: str) -> str:
    return ask(cluster, f"/api/v1/namespaces/default/pods/{name}/log", **query)[1]


# ---- how it ends -------------------------------------------------------------------------------------------

LIMIT = {"resources": {"limits": {"memory": "64Mi"}}}
LIVES = "Running", 0, 0
ENDS: dict[str, tuple[JSON, JSON, tuple[str, int, float], str]] = {
    "nothing is said of it": ({}, {}, LIVES, ""),
    "at once": ({"exit": {}}, {}, ("Completed", 0, 0), ""),
    "after a while, with a code": (
        {"exit": {"after": 30, "code": 3, "log": "gave up"}},
        {},
        ("Error", 3, 30),
        "gave up\n",
    ),
    "half a second": ({"exit": {"after": 0.5}}, {}, ("Completed", 0, 0.5), ""),
    "no memory is left": ({"memory": {"grows": 12}}, LIMIT, ("OOMKilled", 137, 240), ""),
    "it grows fast": ({"memory": {"grows": 600}}, LIMIT, ("OOMKilled", 137, 5), ""),
    "it grows slowly": ({"memory": {"start": 63, "grows": 1}}, LIMIT, ("OOMKilled", 137, 60), ""),
    "too large from the start": ({"memory": {"start": 100}}, LIMIT, ("OOMKilled", 137, 0), ""),
    "it grows to less than its limit": ({"memory": {"grows": 600, "until": 60}}, LIMIT, LIVES, ""),
    "it grows to its limit": ({"memory": {"grows": 600, "until": 64}}, LIMIT, ("OOMKilled", 137, 5), ""),
    "it grows without a limit": ({"memory": {"grows": 6000}}, {}, LIVES, ""),
    "a variable is missing": (
        {"needs": [{"env": "URL"}], "log": {"start": ["begins"]}},
        {},
        ("Error", 1, 0),
        "begins\nfatal: the environment variable URL is not set\n",
    ),
    "a variable is empty": (
        {"needs": [{"env": "URL", "code": 78, "log": "no $(NAME), $(URL)"}]},
        {"env": [{"name": "NAME", "value": "luck"}]},
        ("Error", 78, 0),
        "no luck, $(URL)\n",
    ),
    "a variable is there": (
        {"needs": [{"env": "URL"}], "log": {"start": ["to $(URL)"]}},
        {"env": [{"name": "URL", "value": "db:5432"}]},
        LIVES,
        "to db:5432\n",
    ),
    "a file is missing": (
        {"needs": [{"file": "/etc/passwd"}, {"file": "/etc/shop.yaml", "code": 2}]},
        {},
        ("Error", 2, 0),
        "fatal: open /etc/shop.yaml: no such file or directory\n",
    ),
    "a file of its own is there": (
        {"needs": [{"file": "/etc/shop.yaml"}], "files": {"/etc/shop.yaml": "a: b\n"}},
        {},
        LIVES,
        "",
    ),
    "a name is not known": (
        {"needs": [{"host": "nobody"}]},
        {},
        ("Error", 1, 0),
        "fatal: lookup nobody: no such host\n",
    ),
    "a name is known": ({"needs": [{"host": "db"}]}, {}, LIVES, ""),
    "nobody listens": (
        {"needs": [{"host": "db", "port": 5432}]},
        {},
        ("Error", 1, 0),
        "fatal: dial tcp db:5432: connection refused\n",
    ),
    "somebody listens": ({"needs": [{"host": "kubernetes.default", "port": 443}]}, {}, LIVES, ""),
    "nobody listens at an address": (
        {"needs": [{"host": "127.0.0.1", "port": 1}]},
        {},
        ("Error", 1, 0),
        "fatal: dial tcp 127.0.0.1:1: connection refused\n",
    ),
    "the port is taken": (
        {"http": {"port": 80}, "needs": []},
        {"beside": [{"name": "b", "image": "nginx"}]},
        ("Error", 1, 0),
        "fatal: listen tcp :80: bind: address already in use\n",
    ),
    "lines come": (
        {"log": {"every": 250, "line": "$(version) lives"}, "exit": {"after": 760}},
        {},
        ("Completed", 0, 760),
        "latest lives\n" * 3,
    ),
}


def rows_of(table: Iterable[JSON]) -> tuple[JSON, list[tuple[str, str]]]:
    """All these images as tags of as few as it takes, and (name, tag) of each."""
    images: JSON = {}
    places = []
    for number, image in enumerate(table):
        name, tag = f"{NAME}{number // shape.MAX_TAGS}", f"row{number}"
        images.setdefault(name, {"tags": {}})["tags"][tag] = {"version": "latest", **image}
        places.append((name, tag))
    return images, places


@pytest.fixture(scope="module")
def ended() -> Cluster:
    """A Pod of each row of ENDS, a quarter of an hour later."""
    images, places = rows_of(image for image, *_ in ENDS.values())
    pods = []
    for (_, container, *_), (name, tag) in zip(ENDS.values(), places, strict=True):
        made = pod(tag, **{key: value for key, value in container.items() if key != "beside"})
        made["spec"]["containers"][0]["image"] = f"{name}:{tag}"
        made["spec"]["containers"][:0] = container.get("beside", [])
        pods.append(made)
    cluster = cluster_of(images, SERVICE, *pods, addons=True)
    cluster.advance(900)
    return cluster


@pytest.mark.parametrize("row", ENDS)
def test_a_container_ends(ended: Cluster, row: str) -> None:
    _, _, end, said = ENDS[row]
    name = f"row{list(ENDS).index(row)}"
    found = ended.get("pods", name, "default")
    assert found is not None
    state = next(each for each in found["status"]["containerStatuses"] if each["name"] == "c")["state"]
    if end == LIVES:
        assert "running" in state
    else:
        told = state["terminated"]
        lived = parse_rfc3339(told["finishedAt"]) - parse_rfc3339(told["startedAt"])
        assert (told["reason"], told["exitCode"]) == end[:2]
        assert abs(lived / 1_000_000 - end[2]) <= 1  # what is written are whole seconds
    assert log(ended, name, container="c") == said


STOPS: dict[str, tuple[JSON, float, tuple[int, float]]] = {
    "it ends at once": ({}, 30, (0, 0)),
    "with a code": ({"code": 143}, 30, (143, 0)),
    "it takes its time": ({"after": 7, "code": 5, "log": "draining"}, 30, (5, 7)),
    "it takes too long": ({"after": 50}, 20, (137, 20)),
    "it does not hear": ({"ignore": True}, 30, (137, 30)),
    "it does not hear, and has little time": ({"ignore": True}, 3, (137, 3)),
}


@pytest.fixture(scope="module")
def stopped() -> tuple[Cluster, int]:
    """A Pod of each row of STOPS, all of them deleted at that moment and long gone since."""
    images, places = rows_of({"stop": stop, "http": {}} for stop, *_ in STOPS.values())
    pods = []
    for (_, grace, _), (name, tag) in zip(STOPS.values(), places, strict=True):
        made = pod(tag, image=f"{name}:{tag}")
        made["spec"]["terminationGracePeriodSeconds"] = grace
        made["metadata"]["finalizers"] = ["example.com/look"]
        pods.append(made)
    cluster = cluster_of(images, client(), *pods)
    cluster.settle()
    cluster.advance(10)
    before = parse_rfc3339(cluster.now)
    for _, tag in places:
        cluster.delete("pods", tag)
    cluster.advance(3)
    serve = [curl(cluster, "", places[row][1])[0] for row in (2, 3, 4, 0)]
    assert serve == [200, 200, 200, 0]  # who takes its time, or ignores it, goes on to serve
    cluster.advance(100)
    return cluster, before


@pytest.mark.parametrize("row", STOPS)
def test_a_container_is_stopped(stopped: tuple[Cluster, int], row: str) -> None:
    (code, seconds), (cluster, before) = STOPS[row][2], stopped
    told = status(cluster, f"row{list(STOPS).index(row)}")["state"]["terminated"]
    assert told["exitCode"] == code
    assert abs((parse_rfc3339(told["finishedAt"]) - before) / 1_000_000 - seconds) <= 1.5


def test_a_signal_from_within() -> None:
    made = pod()
    cluster = cluster_of({NAME: {"stop": {"after": 2, "code": 9, "log": "asked to go"}}}, made)
    cluster.settle()
    cluster.execute("p", ["sh", "-c", "kill 1; kill 1"])
    cluster.advance(5)
    assert status(cluster)["state"]["terminated"]["exitCode"] == 9
    assert log(cluster) == "asked to go\n"


# ---- what it answers ---------------------------------------------------------------------------------------

SHOP: JSON = {
    "env": {"GREETING": "grüezi", "path": "not this"},
    "files": {"/srv/motd": "hello\n"},
    "http": {
        "port": 9090,
        "after": 10,
        "routes": {
            "/": {"body": "$(GREETING) from $(version) on $(HOSTNAME) for $(OTHER), $$(GREETING) $5\n"},
            "/json": {"body": '{"asked": "$(path)", "by": "$(method)"}', "status": 201},
            "/motd": {"file": "/srv/motd"},
            "/gone": {"file": "/srv/gone"},
            "/docs/*": {"body": "docs"},
            "/docs/api/*": {"body": "api"},
            "/docs/api/v1": {"body": "v1"},
            "/away": {"status": 302, "headers": {"Location": "/"}},
            "/slow": {"delay": 20},
            "/ready": {"fails": {"until": 100}},
            "/ill": {"fails": {"from": 100, "status": 503, "body": "ill on $(HOSTNAME)\n"}},
            "/window": {"fails": {"from": 50, "until": 100}},
            "/never": {"fails": {}},
        },
    },
    "log": {"requests": True},
}
ASKED: dict[str, tuple[int, str, int, str]] = {
    "placeholders": (60, "", 200, "grüezi from latest on p for $(OTHER), $(GREETING) $5\n"),
    "what is asked": (60, "json?a=b", 201, '{"asked": "/json?a=b", "by": "GET"}'),
    "a file": (60, "motd", 200, "hello\n"),
    "no file": (60, "gone", 404, "/srv/gone: No such file or directory\n"),
    "below": (60, "docs/x/y", 200, "docs"),
    "below, the longer one": (60, "docs/api/x", 200, "api"),
    "exactly": (60, "docs/api/v1", 200, "v1"),
    "not below": (60, "docs", 404, "404 page not found\n"),
    "nothing there": (60, "nope", 404, "404 page not found\n"),
    "a redirect": (60, "away", 302, "ok\n"),
    "not ready yet": (60, "ready", 500, ""),
    "ready": (101, "ready", 200, "ok\n"),
    "well": (60, "ill", 200, "ok\n"),
    "ill": (101, "ill", 503, "ill on p\n"),
    "before the window": (40, "window", 200, "ok\n"),
    "in the window": (60, "window", 500, ""),
    "after the window": (101, "window", 200, "ok\n"),
    "always": (101, "never", 500, ""),
}


@pytest.fixture(scope="module")
def shop() -> dict[int, Cluster]:
    """The same Pod, so many seconds old."""
    cluster = cluster_of({NAME: SHOP}, client(), pod())
    assert cluster.wait(
        lambda c: (
            bool(status(c).get("started"))
            if c.get("pods", "p", "default")["status"].get("containerStatuses")
            else False
        )
    )  # type: ignore[index]
    begun = parse_rfc3339(status(cluster)["state"]["running"]["startedAt"])
    found = {}
    for age in sorted({row[0] for row in ASKED.values()} | {5}):
        cluster.advance_to(begun + age * 1_000_000 + 500_000)
        found[age] = cluster.fork()
    return found


@pytest.mark.parametrize(("age", "path", "code", "body"), ASKED.values(), ids=ASKED)
def test_a_route_answers(shop: dict[int, Cluster], age: int, path: str, code: int, body: str) -> None:
    cluster = shop[age].fork()
    before = log(cluster)
    assert curl(cluster, path, port=9090) == (code, body)
    assert log(cluster).removeprefix(before).partition(" ")[2] == f"GET /{path} {code}\n"


def test_it_listens_later(shop: dict[int, Cluster]) -> None:
    assert curl(shop[5].fork(), "", port=9090) == (0, "")


def test_an_answer_takes_its_time(shop: dict[int, Cluster]) -> None:
    cluster = shop[60].fork()
    told = cluster.execute(
        "p",
        [
            "sh",
            "-c",
            "wget -T 15 -qO- localhost:9090/slow; date +%s; wget -qO- localhost:9090/slow; date +%s",
        ],
    )
    assert told.exit_code == 0
    assert b"timed out" in told.stderr
    first, answer, second = told.stdout.decode().split()
    assert (int(second) - int(first), answer) == (20, "ok")


def test_each_third_fails() -> None:
    routes = {"/": {"fails": {"every": 3}}, "/late": {"fails": {"every": 2, "from": 3600}}}
    cluster = cluster_of({NAME: {"http": {"routes": routes}}}, pod(), client())
    cluster.settle()
    codes = [curl(cluster, path)[0] for path in ("",) * 7 + ("late",) * 2]
    assert codes == [200, 200, 500, 200, 200, 500, 200, 200, 200]


def test_a_volume_lies_over_its_files_and_services_lead_to_it() -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "motd"},
        "data": {"motd": "from the map\n"},
    }
    made = pod(volumeMounts=[{"name": "v", "mountPath": "/srv"}])
    made["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "motd"}}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"selector": {"app": "p"}, "ports": [{"port": 80, "targetPort": 9090}]},
    }
    cluster = cluster_of({NAME: SHOP}, config, made, service, addons=True)
    cluster.advance(60)
    assert cluster.execute("p", ["wget", "-qO-", "shop/motd"]).stdout == b"from the map\n"


def test_probes_see_when_it_falls_ill() -> None:
    probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5, "failureThreshold": 1}
    image = {
        "http": {},
        "tags": {
            "1": {"http": {"routes": {"/ready": {}}}},
            "2": {"http": {"routes": {"/ready": {"fails": {"from": 60}}}}},
        },
    }
    cluster = cluster_of(
        {NAME: image},
        pod("one", "1", readinessProbe=probe),
        pod("two", "2", readinessProbe=probe),
        pod("three", "2", "Always", livenessProbe=probe),
    )
    cluster.advance(45)
    assert [status(cluster, name)["ready"] for name in ("one", "two", "three")] == [True, True, True]
    cluster.advance(600)
    assert [status(cluster, name)["ready"] for name in ("one", "two")] == [True, False]
    assert status(cluster, "three")["restartCount"] >= 3
    assert status(cluster, "three")["lastState"]["terminated"]["exitCode"] == 0


# ---- what it is --------------------------------------------------------------------------------------------


def test_what_it_uses() -> None:
    image = {"cpu": 250, "memory": {"start": 40, "grows": 2}, "http": {"routes": {"/": {"cpu": 100}}}}
    cluster = cluster_of({NAME: image}, pod(policy="Always"))
    cluster.settle()
    runtime = cluster.components[Kubelets.name].runtime  # type: ignore[attr-defined]
    record = next(iter(runtime.core.records.all()))

    def used() -> tuple[int, int]:
        found: tuple[int, int] = runtime.usage(record, record.containers["c"])
        return found

    before = used()
    cluster.advance(600)
    then = cluster.now[:16]
    cpu, memory = used()
    assert cpu - before[0] == pytest.approx(600 * 250_000, rel=0.02)
    assert memory == pytest.approx(60 << 20, rel=0.02)
    cluster.execute("p", ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do wget -qO- localhost:8080; done"])
    assert used()[0] - cpu >= 10 * 100_000
    assert cluster.now[:16] == then  # nobody waits for what it only says it computes


def test_its_limit_slows_it() -> None:
    """A hundredth of a second a request is ten periods of a tenth of what a processor does."""
    image = {"cpu": 500, "http": {"routes": {"/": {"cpu": 100}}}}
    cluster = cluster_of({NAME: image}, pod(policy="Always", resources={"limits": {"cpu": "100m"}}), client())
    cluster.settle()
    cluster.advance(600)
    runtime = cluster.components[Kubelets.name].runtime  # type: ignore[attr-defined]
    record = next(each for each in runtime.core.records.all() if each.key == "default/p")
    assert runtime.usage(record, record.containers["c"])[0] == pytest.approx(600 * 100_000, rel=0.02)
    script = "date +%s; for i in 1 2 3 4 5; do curl -s $0; done; date +%s"
    told = (
        cluster.execute("client", ["sh", "-c", script, f"{status_ip(cluster)}:8080"]).stdout.decode().split()
    )
    assert told[1:-1] == ["ok"] * 5
    assert 4 <= int(told[-1]) - int(told[0]) <= 7


BASES = {
    "alpine": ({}, ["sh", "-c", "id -u; pwd; grep ^NAME /etc/os-release"], '0\n/\nNAME="Alpine Linux"\n'),
    "debian": (
        {"base": "debian", "user": 1000, "workdir": "/srv/app"},
        ["bash", "-c", "id -u; pwd; grep ^NAME /etc/os-release"],
        '1000\n/srv/app\nNAME="Debian GNU/Linux"\n',
    ),
    "distroless": ({"base": "distroless"}, ["sh"], None),
}


@pytest.mark.parametrize(("image", "argv", "said"), BASES.values(), ids=BASES)
def test_a_base(image: JSON, argv: list[str], said: str | None) -> None:
    cluster = cluster_of({NAME: {**image, "http": {}}}, pod())
    cluster.settle()
    if said is not None:
        assert cluster.execute("p", argv).stdout.decode() == said
        return
    with pytest.raises(Exception, match="executable file not found"):
        cluster.execute("p", argv)


TWO = {
    NAME: {"size": 300, "tags": {"1.0": {}, "2.0": {"size": 60}, "latest": {"version": "1.0"}}},
    "janedoe/other": {},
}


def test_tags_and_digests() -> None:
    registry = registry_of(yaml.safe_dump(TWO))
    digest = {}
    for tag in ("1.0", "2.0", "latest"):
        image, found = registry.find(f"{NAME}:{tag}")
        digest[tag] = image.digest(found)
    assert digest["1.0"] == digest["latest"] != digest["2.0"]
    assert registry.find(f"{NAME}@{digest['2.0']}")[1] == "2.0"
    turned = {NAME: {"tags": {"2.0": {"size": 60}, "1.0": {}}, "size": 300}}
    again = registry_of(yaml.safe_dump(turned))
    assert [again.find(f"{NAME}:{tag}")[0].digest(tag) for tag in ("1.0", "2.0")] == [
        digest["1.0"],
        digest["2.0"],
    ]
    other = registry_of(yaml.safe_dump({NAME: {"size": 301, "tags": {"1.0": {}}}}))
    assert other.find(f"{NAME}:1.0")[0].digest("1.0") != digest["1.0"]
    assert (
        digest["1.0"] == "sha256:242dc833f335f277d37a3a379d54a302b39037b4a38379e070f3e69c39758dca"
    )  # written once: runs and exercises name it


NAMES = {
    "as it was written": (f"{NAME}:1.0", ""),
    "Docker Hub's": ("janedoe/other", ""),
    "Docker Hub's, in full": ("docker.io/janedoe/other:latest", ""),
    "no such tag": (f"{NAME}:3.0", f"rpc error: code = NotFound .*{NAME}:3.0: not found"),
    "no such digest": (f"{NAME}@sha256:{'0' * 64}", "rpc error: code = NotFound .*: not found"),
    "a typo in that registry": (
        "registry.example.com/team/shpo:1.0",
        "rpc error: code = NotFound .*: not found",
    ),
    "another registry": ("registry.example.org/team/shop:1.0", "lookup registry.example.org .*no such host"),
    "Docker Hub's typo": ("janedoe/othr", "pull access denied"),
    "a usual one": ("nginx:1.27", ""),
}


@pytest.mark.parametrize(("name", "why"), NAMES.values(), ids=NAMES)
def test_a_name_is_pulled(name: str, why: str) -> None:
    registry = registry_of(yaml.safe_dump(TWO))
    if not why:
        registry.pull(parse(name))
        return
    with pytest.raises(Exception, match=why):
        registry.pull(parse(name))


LAID: dict[str, tuple[JSON, JSON, JSON]] = {
    "nothing": ({"a": 1}, {}, {"a": 1}),
    "one more": ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
    "another": ({"a": 1}, {"a": 2}, {"a": 2}),
    "deep inside": ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 3}}}, {"a": {"b": {"c": 3, "d": 2}}}),
    "a list": ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
}


@pytest.mark.parametrize(("common", "own", "both"), LAID.values(), ids=LAID)
def test_what_a_tag_says_lies_over_the_rest(common: JSON, own: JSON, both: JSON) -> None:
    before = orjson.dumps(common)
    assert laid_over(common, own) == both
    assert orjson.dumps(common) == before


def test_a_tag_keeps_the_routes_that_it_does_not_name() -> None:
    routes = {"/": {"body": "one"}, "/ready": {}}
    image = {"http": {"routes": routes}, "tags": {"1": {"http": {"routes": {"/ready": {"status": 503}}}}}}
    cluster = cluster_of({NAME: image}, pod(tag="1"), client())
    cluster.settle()
    assert (curl(cluster, ""), curl(cluster, "ready")) == ((200, "one"), (503, "ok\n"))


def test_the_node_knows_what_it_has() -> None:
    cluster = cluster_of(TWO, pod("a", "1.0"), pod("b", "2.0"))
    cluster.settle()
    cluster.advance(30)
    node = cluster.list("nodes")[0]
    sizes = {entry["names"][1]: entry["sizeBytes"] for entry in node["status"]["images"]}
    assert sizes[f"{NAME}:1.0"] == 300_000_000
    assert sizes[f"{NAME}:2.0"] == 60_000_000
    said = [each["message"] for each in cluster.list("events") if each["reason"] == "Pulled"]
    assert any("Image size: 300000000 bytes." in text for text in said)
    assert status(cluster, "a")["imageID"].startswith(f"{NAME}@sha256:")


# ---- as part of a cluster ----------------------------------------------------------------------------------

BUSY: JSON = {
    NAME: {
        "http": {"routes": {"/": {"fails": {"every": 2}}, "/slow": {"delay": 40}}},
        "log": {"every": 7, "line": "at $(time)", "requests": True},
        "memory": {"grows": 30},
        "cpu": 100,
        "stop": {"after": 20},
    }
}
WAYS: dict[str, Callable[[Cluster], Cluster]] = {
    "fork": lambda cluster: cluster.fork(),
    "restore": lambda cluster: Cluster.restore(cluster.snapshot()),
    "resume": lambda cluster: Cluster.resume(cluster.keyframe()),
    "replay": lambda cluster: Cluster.replay(cluster.journal),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_goes_on_alike(way: Callable[[Cluster], Cluster]) -> None:
    cluster = cluster_of(BUSY, client(), pod(policy="Always", **LIMIT))
    cluster.advance(40)
    curl(cluster, "")
    cluster.delete("pods", "p")  # it is on its way out
    cluster.apply(pod("q", policy="Always", **LIMIT))
    cluster.advance(3)
    copy = way(cluster)
    assert copy.options.images == cluster.options.images
    assert copy.state_hash() == cluster.state_hash()
    for each in (cluster, copy):
        each.advance(150)
        assert curl(each, "", "q")[0] == 200
        assert curl(each, "", "q")[0] == 500
    assert status(cluster, "q")["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert log(cluster, "q", previous="true") == log(copy, "q", previous="true") != ""
    assert copy.state_hash() == cluster.state_hash()


def test_two_clusters_of_one_process_have_each_their_own() -> None:
    bodies = {}
    for word in ("one", "two"):
        cluster = cluster_of({NAME: {"http": {"routes": {"/": {"body": word}}}}}, pod(), client())
        cluster.settle()
        bodies[word] = curl(cluster, "")[1]
    assert bodies == {"one": "one", "two": "two"}


def test_a_cluster_without_them_is_as_it_was() -> None:
    assert "images" not in Cluster(nodes=1, boot=False).journal.header["options"]


# ---- what is refused ---------------------------------------------------------------------------------------


def _many(count: int, what: Any) -> JSON:
    return {f"/x{number}": what for number in range(count)}


REFUSED: dict[str, tuple[Any, str]] = {
    "no mapping": ([], "images: expected images as data, by their names: {registry.example.com/shop: {http: {port: 8080}}}, found []"),
    "an image that is no mapping": ({NAME: 3}, f"images.{NAME}: expected a mapping: an image, found 3"),
    "an unknown key": ({NAME: {"htpp": {}}}, f"images.{NAME}.htpp: expected `http`, found the unknown field `htpp`"),
    "an unknown key of a tag": (
        {NAME: {"tags": {"1": {"http": {"prot": 80}}}}},
        f"images.{NAME}.tags.1.http.prot: expected `port`, found the unknown field `prot`",
    ),
    "a built-in": ({"nginx": {}}, "images.nginx: expected the name of an image that Drydock has not got, found docker.io/library/nginx, which it has"),
    "a built-in by its mirror": (
        {"k8s.gcr.io/pause": {}},
        "images.k8s.gcr.io/pause: expected the name of an image that Drydock has not got, found k8s.gcr.io/pause, which it has",
    ),
    "a mirror": ({"k8s.gcr.io/mine": {}}, "images.k8s.gcr.io/mine: expected another registry, found a mirror of registry.k8s.io/mine"),
    "one twice": (
        {"janedoe/a": {}, "docker.io/janedoe/a": {}},
        "images.docker.io/janedoe/a: expected each image once, found docker.io/janedoe/a again, as janedoe/a",
    ),
    "with a tag": (
        {"janedoe/a:1": {}},
        "images.janedoe/a:1: expected the name of an image without tag and digest, like registry.example.com/shop, found 'janedoe/a:1'",
    ),
    "no name": (
        {"Jane/A": {}},
        "images.Jane/A: expected the name of an image without tag and digest, like registry.example.com/shop, found 'Jane/A'",
    ),
    "no tag": ({NAME: {"tags": {"a b": {}}}}, f"images.{NAME}.tags.a b: expected a tag, like 1.0 or v2, found 'a b'"),
    "a base that is not there": ({NAME: {"base": "arch"}}, f"images.{NAME}.base: expected one of alpine, debian, distroless, found 'arch'"),
    "a size of text": ({NAME: {"size": "4MB"}}, f"images.{NAME}.size: expected megabytes to pull (40), found '4MB'"),
    "an exit code": ({NAME: {"exit": {"code": 256}}}, f"images.{NAME}.exit.code: expected at most 255, found 256"),
    "a status": ({NAME: {"http": {"routes": {"/": {"status": 99}}}}}, f"images.{NAME}.http.routes./.status: expected at least 200, found 99"),
    "a path": (
        {NAME: {"http": {"routes": {"cart": {}}}}},
        f"images.{NAME}.http.routes.cart: expected a path, like /cart, or /cart/* for all below it, found 'cart'",
    ),
    "a star": (
        {NAME: {"http": {"routes": {"/a/*/b": {}}}}},
        f"images.{NAME}.http.routes./a/*/b: expected a path, like /cart, or /cart/* for all below it, found '/a/*/b'",
    ),
    "two bodies": (
        {NAME: {"http": {"routes": {"/": {"body": "a", "file": "/b"}}}}},
        f"images.{NAME}.http.routes./: expected exactly one of body, file, found `body`, `file`",
    ),
    "a window that never is": (
        {NAME: {"http": {"routes": {"/": {"fails": {"from": 9, "until": 9}}}}}},
        f"images.{NAME}.http.routes./.fails.until: expected more than its `from`, 9, found 9",
    ),
    "a header": (
        {NAME: {"http": {"routes": {"/": {"headers": {"Content-Length": "1"}}}}}},
        f"images.{NAME}.http.routes./.headers.Content-Length: expected a header that is not the server's own, found 'Content-Length'",
    ),
    "a header of two lines": (
        {NAME: {"http": {"routes": {"/": {"headers": {"X": "a\r\nb: c"}}}}}},
        f"images.{NAME}.http.routes./.headers.X: expected one line, found 'a\\r\\nb: c'",
    ),
    "a line that never comes": ({NAME: {"log": {"line": "x"}}}, f"images.{NAME}.log.line: expected `every` beside it, found none"),
    "no line": ({NAME: {"log": {"every": 5}}}, f"images.{NAME}.log.every: expected the `line` that comes so often, found none"),
    "lines without end": ({NAME: {"log": {"every": 0.01, "line": "x"}}}, f"images.{NAME}.log.every: expected at least 1, found 0.01"),
    "it shrinks": (
        {NAME: {"memory": {"start": 50, "grows": 1, "until": 40}}},
        f"images.{NAME}.memory.until: expected at least its `start`, 50, found 40",
    ),
    "it does not grow": ({NAME: {"memory": {"until": 40}}}, f"images.{NAME}.memory.until: expected `grows` beside it, found none"),
    "two needs in one": (
        {NAME: {"needs": [{"env": "A", "file": "/b"}]}},
        f"images.{NAME}.needs[0]: expected exactly one of env, file, host, found `env`, `file`",
    ),
    "a port of nobody": ({NAME: {"needs": [{"env": "A", "port": 80}]}}, f"images.{NAME}.needs[0].port: expected a port beside a host, found none"),
    "a variable": ({NAME: {"env": {"a-b": "c"}}}, f"images.{NAME}.env.a-b: expected a variable's name, like GREETING, found 'a-b'"),
    "a variable that is a number": ({NAME: {"env": {"A": 1}}}, f"images.{NAME}.env.A: expected text, found 1"),
    "a file of the kernel's": (
        {NAME: {"files": {"/proc/x": ""}}},
        f"images.{NAME}.files./proc/x: expected an absolute path of a file, not below /dev, /proc or /sys, found '/proc/x'",
    ),
    "a file above": (
        {NAME: {"files": {"/a/../b": ""}}},
        f"images.{NAME}.files./a/../b: expected an absolute path of a file, not below /dev, /proc or /sys, found '/a/../b'",
    ),
    "a file below a file": (
        {NAME: {"files": {"/a": "", "/a/b": ""}}},
        f"images.{NAME}.files: expected files in directories, found /a/b: Not a directory",
    ),
    "a file that is a directory": (
        {NAME: {"files": {"/etc": ""}}},
        f"images.{NAME}.files./etc: expected the path of a file, found a directory of its base",
    ),
    "its own program": (
        {NAME: {"files": {"/usr/local/bin/shop": ""}}},
        f"images.{NAME}.files: expected other files than its program, found /usr/local/bin/shop",
    ),
    "a directory": ({NAME: {"workdir": "app"}}, f"images.{NAME}.workdir: expected an absolute path, found 'app'"),
    "wrong at a tag": (
        {NAME: {"log": {"every": 9}, "tags": {"1": {"log": {"line": "x"}}, "2": {"env": {"-": "x"}}}}},
        f"images.{NAME}.tags.2.env.-: expected a variable's name, like GREETING, found '-'\n"
        f"images.{NAME}.log.every: expected the `line` that comes so often, found none",
    ),
    "too many images": ({f"janedoe/a{number}": {} for number in range(shape.MAX_IMAGES + 1)}, "images: expected at most 16 fields, found 17"),
    "too many tags": (
        {NAME: {"tags": {str(number): {} for number in range(shape.MAX_TAGS + 1)}}},
        f"images.{NAME}.tags: expected at most 10 fields, found 11",
    ),
    "too many routes": ({NAME: {"http": {"routes": _many(shape.MAX_ROUTES + 1, {})}}}, f"images.{NAME}.http.routes: expected at most 32 fields, found 33"),
    "too many files": ({NAME: {"files": _many(shape.MAX_FILES + 1, "")}}, f"images.{NAME}.files: expected at most 32 fields, found 33"),
    "too many needs": ({NAME: {"needs": [{"env": "A"}] * (shape.MAX_NEEDS + 1)}}, f"images.{NAME}.needs: expected at most 16 items, found 17"),
    "too many lines": ({NAME: {"log": {"start": ["x"] * (shape.MAX_LINES + 1)}}}, f"images.{NAME}.log.start: expected at most 32 items, found 33"),
    "a long body": (
        {NAME: {"http": {"routes": {"/": {"body": "x" * (shape.MAX_BODY + 1)}}}}},
        f"images.{NAME}.http.routes./.body: expected at most 8192 characters, found 8193",
    ),
    "a long file": ({NAME: {"files": {"/a": "x" * (shape.MAX_FILE + 1)}}}, f"images.{NAME}.files./a: expected at most 16384 characters, found 16385"),
    "a large image": ({NAME: {"size": shape.MAX_SIZE + 1}}, f"images.{NAME}.size: expected at most 4000, found 4001"),
    "much memory": ({NAME: {"memory": {"start": shape.MAX_MIB + 1}}}, f"images.{NAME}.memory.start: expected at most 65536, found 65537"),
    "much of a processor": ({NAME: {"cpu": shape.MAX_CPU + 1}}, f"images.{NAME}.cpu: expected at most 4000, found 4001"),
    "many variables": (
        {NAME: {"env": {f"A{number}": "" for number in range(shape.MAX_MAPPING + 1)}}},
        f"images.{NAME}.env: expected at most 32 fields, found 33",
    ),
    "a long line": ({NAME: {"exit": {"log": "x" * 513}}}, f"images.{NAME}.exit.log: expected at most 512 characters, found 513"),
    "a long time": ({NAME: {"exit": {"after": 86_401}}}, f"images.{NAME}.exit.after: expected at most 86400, found 86401"),
    "much text": (
        {NAME: {"files": {f"/f{number}": "x" * shape.MAX_FILE for number in range(9)}}},
        "images: expected at most 131072 bytes of YAML, found 147",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("images", "told"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(images: Any, told: str) -> None:
    with pytest.raises(ImagesError) as refused:
        Cluster(nodes=1, images=yaml.safe_dump(images, sort_keys=False))
    assert str(refused.value).startswith(told)
    assert len(str(refused.value).splitlines()) == len(told.splitlines())


LAST: dict[str, JSON] = {
    "images": {f"janedoe/a{number}": {} for number in range(shape.MAX_IMAGES)},
    "tags": {NAME: {"tags": {str(number): {} for number in range(shape.MAX_TAGS)}}},
    "routes": {NAME: {"http": {"routes": _many(shape.MAX_ROUTES, {"body": "x" * 512})}}},
    "a body": {NAME: {"http": {"routes": {"/": {"body": "x" * shape.MAX_BODY}}}}},
    "files": {NAME: {"files": _many(shape.MAX_FILES, "")}},
}


@pytest.mark.parametrize("images", LAST.values(), ids=LAST)
def test_as_much_as_may_be(images: JSON) -> None:
    registry_of(yaml.safe_dump(images, sort_keys=False))


def test_only_so_many_tables_are_kept_read() -> None:
    texts = [f"janedoe/a{number}: {{}}\n" for number in range(REGISTRIES_KEPT + 1)]
    kept = [registry_of(text) for text in texts]
    assert registry_of(texts[-1]) is kept[-1]
    again = registry_of(texts[0])
    assert again is not kept[0]


def test_no_yaml() -> None:
    with pytest.raises(ImagesError, match="images: expected YAML, found "):
        registry_of("a: [")


def _properties(schema: Any) -> Iterator[tuple[str, JSON]]:
    for name, value in schema.get("properties", {}).items():
        yield name, value
        yield from _properties(value)
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from _properties(schema[inner])


def test_each_key_says_what_it_is() -> None:
    for name, value in _properties(SCHEMA):
        assert value.get("description"), name
    assert not list(problems(SCHEMA, {NAME: SHOP}))


def test_serve_reads_a_file_and_names_it_when_it_is_wrong(tmp_path: Path) -> None:
    images = tmp_path / "images.yaml"
    images.write_text("nginx: {}\n")
    command = ["serve", "--port", "0", "--kubeconfig", str(tmp_path / "config"), "--images", str(images)]
    with pytest.raises(SystemExit, match=r"images.yaml: images.nginx: expected the name of an image that"):
        main(command)
