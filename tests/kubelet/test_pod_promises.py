"""What Pods are promised: an order of ends, files and names, last words. As a container sees it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND, parse_rfc3339

READ_ONLY = "Read-only file system"


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    warm = [c("b"), c("n", image="nginx:1.27"), c("d", image="debian", command=["sleep", "1"])]
    cluster.apply(pod("warm", *warm, restartPolicy="Never"))
    cluster.advance(8)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def c(name: str = "c", image: str = "busybox:1.36", **more: Any) -> JSON:
    if image.startswith("busybox"):
        more.setdefault("command", ["sleep", "99999"])
    return {"name": name, "image": image, **more}


def sh(text: str, name: str = "c", **more: Any) -> JSON:
    return c(name, command=["sh", "-c", text], **more)


def pod(name: str, *containers: JSON, **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": list(containers), **spec},
    }


def config_map(**data: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": data}


def found(cluster: Cluster, name: str = "p") -> JSON:
    pod = cluster.get("pods", name)
    assert pod is not None
    return pod


def state(cluster: Cluster, container: str = "c") -> JSON:
    status = found(cluster)["status"]
    every = (*status["containerStatuses"], *status.get("initContainerStatuses", ()))
    return next(s["state"] for s in every if s["name"] == container)


def node_api(cluster: Cluster) -> Any:
    return cluster.server.node_proxy.find(found(cluster)["spec"]["nodeName"])


def run(cluster: Cluster, *argv: str, container: str = "c") -> tuple[int, str]:
    done = cluster.execute("p", argv, container=container)
    return done.exit_code, (done.stdout + done.stderr).decode()


def logs(cluster: Cluster, container: str = "c") -> list[str]:
    lines = node_api(cluster).logs("default", "p", container, False)
    return [text.removesuffix("\n") for _, _, text in lines]


def events(cluster: Cluster) -> list[str]:
    return [
        f"{e['reason']}: {e['message']}"
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] == "p" and e["source"]["component"] == "kubelet"
    ]


# ---- the order of ends ---------------------------------------------------------------------------------

SIDE = {"restartPolicy": "Always"}
BYE = "trap 'echo bye; exit 0' TERM; while true; do sleep 1; done"
STUBBORN = ["sleep", "9999"]


def ends(cluster: Cluster, *names: str) -> list[tuple[int, int]]:
    """Exit code of each container, and how many seconds after the first end it came."""
    told = [state(cluster, name)["terminated"] for name in names]
    times = [parse_rfc3339(end["finishedAt"]) // SECOND for end in told]
    return [(end["exitCode"], at - min(times)) for end, at in zip(told, times, strict=True)]


def test_a_sidecar_has_two_seconds_whatever_is_left(cluster: Cluster) -> None:
    sidecars = [sh(BYE, "first", **SIDE), c("second", command=STUBBORN, **SIDE)]
    main = c("main", command=["sleep", "3"])
    cluster.apply(
        pod("p", main, initContainers=sidecars, restartPolicy="Never", terminationGracePeriodSeconds=10)
    )
    cluster.wait(lambda one: found(one)["status"]["phase"] == "Succeeded", 30)
    (main_end, second, first) = ends(cluster, "main", "second", "first")
    assert (main_end[0], second[0], first[0]) == (0, 137, 0)
    assert 10 <= second[1] <= 12
    assert 0 <= first[1] - second[1] <= 1
    assert logs(cluster, "first") == ["bye"]


def test_sidecars_end_one_after_the_other(cluster: Cluster) -> None:
    wait = "trap 'sleep 2; exit 0' TERM; while true; do sleep 1; done"
    cluster.apply(
        pod(
            "p",
            c("main", command=["sleep", "3"]),
            initContainers=[sh(wait, name, **SIDE) for name in ("a", "b", "d")],
            restartPolicy="Never",
        )
    )
    cluster.wait(lambda one: found(one)["status"]["phase"] == "Succeeded", 30)
    (_, main_at), (code, d), (_, b), (_, a) = ends(cluster, "main", "d", "b", "a")
    assert code == 0
    assert 2 <= d - main_at <= 4
    assert (2 <= b - d <= 3, 2 <= a - b <= 3) == (True, True)


def test_the_preStop_hook_of_a_sidecar_does_not_wait_for_its_turn(cluster: Cluster) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /d/log"]}}}
    mount = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    main = sh("trap 'sleep 4; cp /d/log /d/seen; exit 0' TERM; while true; do sleep 1; done", "main", **mount)
    cluster.apply(
        pod(
            "p",
            main,
            initContainers=[sh("while true; do sleep 1; done", "side", lifecycle=hook, **SIDE, **mount)],
            volumes=[{"name": "d", "emptyDir": {}}],
            terminationGracePeriodSeconds=8,
        )
    )
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.advance(5)
    assert run(cluster, "cat", "/d/seen", container="side") == (0, "hook\n")
    cluster.advance(5)
    assert cluster.get("pods", "p") is None


# ---- volumes -------------------------------------------------------------------------------------------

CONF = {"volumes": [{"name": "v", "configMap": {"name": "conf", "defaultMode": 0o400}}]}
AT_CONF = {"volumeMounts": [{"name": "v", "mountPath": "/conf"}]}


@pytest.mark.parametrize(
    "command", ["echo x > /conf/a.txt", "rm /conf/a.txt", "touch /conf/new", "mkdir /conf/d"]
)
def test_what_shows_objects_is_read_only(cluster: Cluster, command: str) -> None:
    cluster.apply(config_map(**{"a.txt": "one\n"}))
    cluster.apply(pod("p", c(**AT_CONF), **CONF))
    cluster.advance(5)
    code, text = run(cluster, "sh", "-c", command)
    assert code != 0
    assert READ_ONLY in text
    assert run(cluster, "cat", "/conf/a.txt") == (0, "one\n")


def test_links_to_the_files_of_a_moment(cluster: Cluster) -> None:
    cluster.apply(config_map(**{"a.txt": "one\n"}))
    cluster.apply(pod("p", c(**AT_CONF), **CONF))
    cluster.advance(5)
    names = run(cluster, "ls", "-a", "/conf")[1].split()
    assert re.fullmatch(r"\. \.\. (\.\.2026(_\d\d){5}\.\d+) \.\.data a\.txt", " ".join(names))
    assert run(cluster, "readlink", "/conf/a.txt", "/conf/..data") == (0, f"..data/a.txt\n{names[2]}\n")
    assert run(cluster, "stat", "-Lc", "%a %U %s", "/conf/a.txt") == (0, "400 root 4\n")
    cluster.apply(config_map(**{"b.txt": "two\n"}))
    cluster.advance(100)
    later = run(cluster, "ls", "-a", "/conf")[1].split()
    assert later[3:] == ["..data", "b.txt"]
    assert later[2] != names[2]


OWNED = {
    "a user of its own": ({"runAsUser": 1000}, ["1000:0 0", "400 0:0", "777 0:0", "Permission denied"]),
    "a group too": (
        {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]},
        ["1000:3000 3000 2000 4000", "440 0:2000", "2777 0:2000", "one"],
    ),
    "root": ({}, ["0:0 0", "400 0:0", "777 0:0", "one"]),
}


@pytest.mark.parametrize(("context", "wanted"), OWNED.values(), ids=OWNED.keys())
def test_users_and_groups(cluster: Cluster, context: JSON, wanted: list[str]) -> None:
    cluster.apply(config_map(**{"a.txt": "one\n"}))
    mounts = {"volumeMounts": [*AT_CONF["volumeMounts"], {"name": "e", "mountPath": "/data"}]}
    volumes = [*CONF["volumes"], {"name": "e", "emptyDir": {}}]
    cluster.apply(pod("p", c(**mounts), securityContext=context, volumes=volumes))
    cluster.advance(5)
    who = run(cluster, "sh", "-c", "echo $(id -u):$(id -g) $(id -G)")[1]
    shown = [run(cluster, "stat", "-Lc", "%a %u:%g", path)[1] for path in ("/conf/a.txt", "/data")]
    read = run(cluster, "cat", "/conf/a.txt")[1]
    assert [who.strip(), *(line.strip() for line in shown)] == wanted[:3]
    assert wanted[3] in read
    assert run(cluster, "sh", "-c", "echo x > /data/x && cat /data/x") == (0, "x\n")


def test_a_volume_in_memory_is_full_at_its_limit(cluster: Cluster) -> None:
    volumes = [{"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "64Ki"}}]
    cluster.apply(pod("p", c(volumeMounts=[{"name": "m", "mountPath": "/mem"}]), volumes=volumes))
    cluster.advance(5)
    code, text = run(cluster, "dd", "if=/dev/zero", "of=/mem/f", "bs=1024", "count=100")
    assert (code, "No space left on device" in text) == (1, True)
    assert run(cluster, "stat", "-c", "%s", "/mem/f") == (0, "65536\n")


@pytest.mark.parametrize(("blocks", "stays"), [(100, True), (2000, False)])
def test_a_volume_on_disk_past_its_limit_has_its_pod_evicted(
    cluster: Cluster, blocks: int, stays: bool
) -> None:
    volumes = [{"name": "e", "emptyDir": {"sizeLimit": "1Mi"}}]
    cluster.apply(pod("p", c(volumeMounts=[{"name": "e", "mountPath": "/e"}]), volumes=volumes))
    cluster.advance(5)
    assert run(cluster, "dd", "if=/dev/zero", "of=/e/f", "bs=1024", f"count={blocks}")[0] == 0
    cluster.advance(20)
    status = found(cluster)["status"]
    if stays:
        assert status["phase"] == "Running"
        return
    message = 'Usage of EmptyDir volume "e" exceeds the limit "1Mi". '
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", message)
    assert not any(
        one["type"] == "DisruptionTarget" for one in status["conditions"]
    )  # its own limit's, no node's
    assert state(cluster)["terminated"]["exitCode"] == 137
    assert f"Evicted: {message}" in events(cluster)


def test_a_subPath_is_not_brought_up_to_date(cluster: Cluster) -> None:
    cluster.apply(config_map(a="old", b="same"))
    mounts = [*AT_CONF["volumeMounts"], {"name": "v", "mountPath": "/one", "subPath": "a"}]
    cluster.apply(pod("p", c(volumeMounts=mounts), **CONF))
    cluster.advance(5)
    cluster.apply(config_map(a="new", b="same"))
    cluster.advance(100)
    assert run(cluster, "cat", "/conf/a", "/one") == (0, "newold")


def test_labels_that_change_show_in_a_volume(cluster: Cluster) -> None:
    item = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    manifest = pod("p", c(**AT_CONF), volumes=[{"name": "v", "downwardAPI": {"items": [item]}}])
    cluster.apply(manifest)
    cluster.advance(5)
    cluster.apply({**manifest, "metadata": {"name": "p", "labels": {"tier": "web"}}})
    cluster.advance(100)
    status, labels = run(cluster, "cat", "/conf/labels")
    assert status == 0
    # Its node's region and zone are labels of a Pod, too.
    assert [line for line in labels.splitlines() if "topology.kubernetes.io/" not in line] == ['tier="web"']


def test_an_optional_config_map_that_comes_later(cluster: Cluster) -> None:
    volume = {"name": "v", "configMap": {"name": "conf", "optional": True}}
    cluster.apply(pod("p", c(**AT_CONF), volumes=[volume]))
    cluster.advance(5)
    assert run(cluster, "ls", "/conf") == (0, "")
    cluster.apply(config_map(a="now"))
    cluster.advance(100)
    assert run(cluster, "cat", "/conf/a") == (0, "now")


# ---- a root file system that is read-only --------------------------------------------------------------

FROZEN = {"securityContext": {"readOnlyRootFilesystem": True}}
SCRATCH = {"volumes": [{"name": "s", "emptyDir": {}}]}


def mounted(*paths: str) -> JSON:
    return {"volumeMounts": [{"name": "s", "mountPath": path, "subPath": path.strip("/")} for path in paths]}


@pytest.mark.parametrize("command", ["touch /x", "echo y > /y", "mkdir /tmp/d", "rm /etc/passwd"])
def test_nothing_is_written_to_a_frozen_root(cluster: Cluster, command: str) -> None:
    cluster.apply(pod("p", c(**FROZEN, **mounted("/data")), **SCRATCH))
    cluster.advance(5)
    code, text = run(cluster, "sh", "-c", command)
    assert code != 0
    assert READ_ONLY in text
    assert run(cluster, "sh", "-c", "echo y > /data/y; echo z >> /etc/hosts; cat /data/y") == (0, "y\n")
    assert READ_ONLY in run(cluster, "sh", "-c", "echo z >> /etc/resolv.conf")[1]


def test_nginx_needs_its_cache(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(image="nginx:1.27", **FROZEN), restartPolicy="Never"))
    cluster.settle()
    assert state(cluster)["terminated"]["exitCode"] == 1
    error = 'mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)'
    assert logs(cluster)[-1] == f"nginx: [emerg] {error}"
    assert logs(cluster)[-2].endswith(f"[emerg] 1#1: {error}")


def test_nginx_with_room_for_its_files(cluster: Cluster) -> None:
    rooms = mounted("/var/cache/nginx", "/run")
    cluster.apply(pod("p", c(image="nginx:1.27", **FROZEN, **rooms), **SCRATCH))
    cluster.settle()
    assert "running" in state(cluster)


# ---- last words ----------------------------------------------------------------------------------------

FALLBACK = {"terminationMessagePolicy": "FallbackToLogsOnError"}
LAST_WORDS: dict[str, tuple[JSON, str | None]] = {
    "a file": (sh("echo farewell > /dev/termination-log"), "farewell\n"),
    "of debian": (
        c(image="debian", command=["/bin/sh", "-c", "echo farewell > /dev/termination-log"]),
        "farewell\n",
    ),
    "another path": (sh("echo there > /tmp/last", terminationMessagePath="/tmp/last"), "there\n"),
    "on a frozen root": (sh("echo cold > /dev/termination-log", **FROZEN), "cold\n"),
    "the log does not count": (sh("echo no; exit 1"), None),
    "the log when it failed": (sh("echo one; echo two; exit 1", **FALLBACK), "one\ntwo\n"),
    "the log when it did not fail": (sh("echo one; exit 0", **FALLBACK), None),
    "the file before the log": (
        sh("echo log; echo file > /dev/termination-log; exit 1", **FALLBACK),
        "file\n",
    ),
    "at most 4,096 bytes": (
        sh("i=0; while [ $i -lt 500 ]; do echo 0123456789; i=$((i+1)); done > /dev/termination-log"),
        ("0123456789\n" * 500)[:4096],
    ),
    "the last 80 lines": (
        sh("i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); done; exit 1", **FALLBACK),
        "".join(f"{i}\n" for i in range(20, 100)),
    ),
    "the last 2,048 bytes": (
        sh(f"i=0; while [ $i -lt 50 ]; do echo {'x' * 99}; i=$((i+1)); done; exit 1", **FALLBACK),
        (f"{'x' * 99}\n" * 50)[-2048:],
    ),
}


@pytest.mark.parametrize(("container", "message"), LAST_WORDS.values(), ids=LAST_WORDS.keys())
def test_last_words(cluster: Cluster, container: JSON, message: str | None) -> None:
    cluster.apply(pod("p", container, restartPolicy="Never"))
    cluster.settle()
    assert state(cluster)["terminated"].get("message") == message


# ---- variables -----------------------------------------------------------------------------------------

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "my-db"},
    "spec": {"clusterIP": "10.96.7.7", "ports": [{"name": "sql", "port": 5432}], "selector": {"a": "b"}},
}
DB = {
    "MY_DB_SERVICE_HOST": "10.96.7.7",
    "MY_DB_SERVICE_PORT": "5432",
    "MY_DB_SERVICE_PORT_SQL": "5432",
    "MY_DB_PORT": "tcp://10.96.7.7:5432",
    "MY_DB_PORT_5432_TCP": "tcp://10.96.7.7:5432",
    "MY_DB_PORT_5432_TCP_PROTO": "tcp",
    "MY_DB_PORT_5432_TCP_PORT": "5432",
    "MY_DB_PORT_5432_TCP_ADDR": "10.96.7.7",
}
USUAL = {"HOSTNAME": "p", "HOME": "/root", "KUBERNETES_PORT": "tcp://10.96.0.1:443", **DB}
VARIABLES: dict[str, tuple[JSON, JSON, dict[str, str | None]]] = {
    "usual": ({}, {}, USUAL),
    "without links": (
        {"enableServiceLinks": False},
        {},
        {**dict.fromkeys(DB), "KUBERNETES_SERVICE_HOST": "10.96.0.1"},
    ),
    "a hostname": ({"hostname": "box"}, {}, {"HOSTNAME": "box"}),
    "the node's": ({"hostNetwork": True, "nodeName": "worker-1"}, {}, {"HOSTNAME": "worker-1"}),
    "its own": (
        {},
        {"env": [{"name": "HOME", "value": "/h"}, {"name": "MY_DB_PORT", "value": "mine"}]},
        {"HOME": "/h", "MY_DB_PORT": "mine"},
    ),
    "somebody unknown": ({"securityContext": {"runAsUser": 1000}}, {}, {"HOME": "/"}),
}


@pytest.mark.parametrize(("spec", "container", "wanted"), VARIABLES.values(), ids=VARIABLES.keys())
def test_variables(cluster: Cluster, spec: JSON, container: JSON, wanted: dict[str, str | None]) -> None:
    cluster.apply(SERVICE)
    cluster.advance(1)
    cluster.apply(pod("p", sh("env; sleep 9999", **container), **spec))
    cluster.advance(5)
    shown = dict(line.partition("=")[::2] for line in logs(cluster))
    assert {name: shown.get(name) for name in wanted} == wanted


# ---- names ---------------------------------------------------------------------------------------------


def test_hosts_and_resolver(cluster: Cluster) -> None:
    cluster.apply(
        pod(
            "p",
            c(),
            hostname="box",
            subdomain="grp",
            hostAliases=[{"ip": "10.1.2.3", "hostnames": ["one.local"]}],
            dnsPolicy="None",
            dnsConfig={"nameservers": ["192.0.2.1"], "searches": ["my.search"]},
        )
    )
    cluster.advance(5)
    ip = found(cluster)["status"]["podIP"]
    hosts = run(cluster, "cat", "/etc/hosts")[1]
    assert f"{ip}\tbox.grp.default.svc.cluster.local\tbox\n" in hosts
    assert hosts.endswith("\n# Entries added by HostAliases.\n10.1.2.3\tone.local\n")
    assert run(cluster, "cat", "/etc/resolv.conf") == (0, "search my.search\nnameserver 192.0.2.1\n")
    assert run(cluster, "cat", "/etc/hostname") == (0, "box\n")
    names = [run(cluster, "hostname", *flag)[1].strip() for flag in ((), ("-f",), ("-d",), ("-i",))]
    assert names == ["box", "box.grp.default.svc.cluster.local", "grp.default.svc.cluster.local", ip]


ASKED = {
    "the cluster's": ({}, True),
    "the cluster's, on the host's network": (
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        True,
    ),
    "the node's": ({"dnsPolicy": "Default"}, False),
    "the node's, on the host's network": ({"hostNetwork": True}, False),
}


@pytest.mark.parametrize(("spec", "known"), ASKED.values(), ids=ASKED.keys())
def test_who_is_asked_for_names(cluster: Cluster, spec: JSON, known: bool) -> None:
    cluster.apply(pod("p", c(), **spec))
    cluster.advance(5)
    code, text = run(cluster, "nslookup", "kubernetes.default.svc.cluster.local")
    assert (code == 0, "10.96.0.1\n" in text) == (known, known)


def test_a_name_that_is_too_long_for_the_kernel(cluster: Cluster) -> None:
    cluster.apply(pod("p", c(), hostname="b" * 40, subdomain="grp", setHostnameAsFQDN=True))
    cluster.settle()
    assert found(cluster)["status"]["phase"] == "Pending"
    assert events(cluster)[0].startswith(
        "FailedCreatePodSandBox: Failed to create pod sandbox: failed to construct FQDN from pod hostname and "
    )


def test_name_servers_over_the_limit(cluster: Cluster) -> None:
    servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    cluster.apply(pod("p", c(), dnsConfig={"nameservers": servers}))
    cluster.advance(5)
    assert events(cluster)[0] == (
        "DNSConfigForming: Nameserver limits were exceeded, some nameservers have been omitted, the applied "
        "nameserver line is: 10.96.0.10 192.0.2.1 192.0.2.2"
    )
    assert "running" in state(cluster)


# ---- another image -------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_another_image_is_another_container(cluster: Cluster, policy: str) -> None:
    cluster.apply(pod("p", c(image="nginx:1.25"), restartPolicy=policy))
    cluster.settle()
    cluster.apply(pod("p", c(image="nginx:1.27"), restartPolicy=policy))
    cluster.settle()
    status = found(cluster)["status"]["containerStatuses"][0]
    assert ("running" in status["state"], status["image"], status["restartCount"]) == (
        True,
        "docker.io/library/nginx:1.27",
        1,
    )
    assert "Killing: Container c definition changed, will be restarted" in events(cluster)


# ---- deleted again with less patience ------------------------------------------------------------------

PATIENCE: dict[str, tuple[JSON, JSON, int]] = {
    "stopped": (c(command=STUBBORN), {}, 3),
    "in its hook": (c(command=STUBBORN, lifecycle={"preStop": {"sleep": {"seconds": 20}}}), {}, 5),
    "a sidecar before its turn": (
        c(command=STUBBORN),
        {"initContainers": [c("side", command=STUBBORN, **SIDE)]},
        5,
    ),
}


@pytest.mark.parametrize(("container", "spec", "seconds"), PATIENCE.values(), ids=PATIENCE.keys())
def test_less_patience(cluster: Cluster, container: JSON, spec: JSON, seconds: int) -> None:
    cluster.apply(pod("p", container, **spec))
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.advance(2)
    client = cluster.context.client("kubernetes-admin", "test", groups=("system:masters",))
    client.delete("pods", "p", "default", grace_period=3)
    cluster.advance(seconds - 1)
    assert cluster.get("pods", "p") is not None
    cluster.advance(2)
    assert cluster.get("pods", "p") is None
