"""The files that a kubelet makes for a Pod: /etc/hosts, /etc/resolv.conf, volumes. All of it data."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.atomic_writer import Projection, at, owned, payload_of, written
from cluster_engine.kubelet.disks import Disks
from cluster_engine.kubelet.dns import pod_resolver
from cluster_engine.kubelet.environment import Facts
from cluster_engine.kubelet.hosts import HostnameError, hosts_file, kernel_hostname
from cluster_engine.kubelet.users import User, refusal, user_of
from cluster_engine.kubelet.volumes import Mount, Volumes, container_mounts, memory_limits
from cluster_engine.linux.files import tree
from cluster_engine.sim import parse_rfc3339

NOW = parse_rfc3339("2026-01-01T00:00:07Z")
FACTS = Facts("worker-1", "172.18.0.3", "10.244.1.5", {"cpu": "4", "memory": "8Gi"})


def pod(name: str = "p", namespace: str = "default", **spec: Any) -> JSON:
    spec.setdefault("containers", [{"name": "c", "image": "busybox"}])
    meta = {"name": name, "namespace": namespace, "uid": "u", "labels": {"app": "web"}}
    return {"metadata": meta, "spec": spec}


# ---- names ---------------------------------------------------------------------------------------------

LOCAL = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
ALIASES = [{"ip": "10.1.2.3", "hostnames": ["one.local", "two.local"]}, {"ip": "10.1.2.4"}]
ADDED = "\n# Entries added by HostAliases.\n10.1.2.3\tone.local\ttwo.local\n10.1.2.4\n"
NODE = """# Kubernetes-managed hosts file (host network).
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
172.18.0.3\tworker-1
"""
LONG = "a" * 62 + "-b"

HOSTS = {
    "plain": (pod(), f"{LOCAL}10.244.1.5\tp\n", "p"),
    "hostname": (pod(hostname="box"), f"{LOCAL}10.244.1.5\tbox\n", "box"),
    "subdomain": (
        pod(namespace="shop", hostname="box", subdomain="grp"),
        f"{LOCAL}10.244.1.5\tbox.grp.shop.svc.cluster.local\tbox\n",
        "box",
    ),
    "as FQDN": (
        pod(subdomain="grp", setHostnameAsFQDN=True),
        f"{LOCAL}10.244.1.5\tp.grp.default.svc.cluster.local\tp\n",
        "p.grp.default.svc.cluster.local",
    ),
    "as FQDN without a domain": (pod(setHostnameAsFQDN=True), f"{LOCAL}10.244.1.5\tp\n", "p"),
    "aliases": (pod(hostAliases=ALIASES), f"{LOCAL}10.244.1.5\tp\n{ADDED}", "p"),
    "host network": (pod(hostNetwork=True, hostname="box"), NODE, "worker-1"),
    "host network with aliases": (pod(hostNetwork=True, hostAliases=ALIASES), NODE + ADDED, "worker-1"),
    "overridden": (
        pod(hostname="box", subdomain="grp", hostnameOverride="web.example.com"),
        f"{LOCAL}10.244.1.5\tweb.example.com\n",
        "web.example.com",
    ),
    "long name": (pod(LONG), f"{LOCAL}10.244.1.5\t{'a' * 62}\n", "a" * 62),
}


@pytest.mark.parametrize(("manifest", "text", "hostname"), HOSTS.values(), ids=HOSTS.keys())
def test_hosts(manifest: JSON, text: str, hostname: str) -> None:
    assert hosts_file(manifest, "10.244.1.5", "worker-1", "172.18.0.3") == text
    assert kernel_hostname(manifest, "worker-1") == hostname


def test_a_full_name_that_is_too_long() -> None:
    fqdn = f"{'b' * 40}.grp.default.svc.cluster.local"
    with pytest.raises(HostnameError) as caught:
        kernel_hostname(pod("b" * 40, subdomain="grp", setHostnameAsFQDN=True), "worker-1")
    assert str(caught.value) == (
        f"failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long "
        "(64 characters is the max, 70 characters requested)"
    )


CLUSTER = "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n"
HOST = "nameserver 172.18.0.1\noptions edns0 trust-ad ndots:0\n"
CONFIG = {
    "nameservers": ["192.0.2.1"],
    "searches": ["my.search", "svc.cluster.local"],
    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
}
RESOLVERS = {
    "cluster first": ({}, f"{CLUSTER}options ndots:5\n"),
    "host network": ({"hostNetwork": True}, HOST),
    "host network, cluster first": (
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        f"{CLUSTER}options ndots:5\n",
    ),
    "default": ({"dnsPolicy": "Default"}, HOST),
    "none": (
        {"dnsPolicy": "None", "dnsConfig": CONFIG},
        "search my.search svc.cluster.local\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
    ),
    "merged": (
        {"dnsConfig": CONFIG},
        "search shop.svc.cluster.local svc.cluster.local cluster.local my.search\n"
        "nameserver 10.96.0.10\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
    ),
}


@pytest.mark.parametrize(("spec", "text"), RESOLVERS.values(), ids=RESOLVERS.keys())
def test_resolver(spec: JSON, text: str) -> None:
    resolver, told = pod_resolver(pod(namespace="shop", **spec))
    assert (resolver.text(), told) == (text, [])


def test_resolver_over_its_limits() -> None:
    servers = [f"192.0.2.{n}" for n in range(1, 6)]
    searches = [f"{'d' * 200}{n}.example" for n in range(20)] + ["e" * 254]
    config = {"nameservers": servers, "searches": searches}
    resolver, told = pod_resolver(pod(dnsPolicy="None", dnsConfig=config))
    assert resolver.servers == tuple(servers[:3])
    assert resolver.searches == tuple(searches[:9])  # 9 × 210 characters and spaces between them
    assert told == [
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
        "192.0.2.1 192.0.2.2 192.0.2.3",
        "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
        + " ".join(searches[:9]),
    ]


# ---- volumes that change all at once -------------------------------------------------------------------

STAMP = "..2026_01_01_00_00_07.42"


def shape(node: JSON, path: str = "") -> dict[str, str]:
    """Every path with its kind, mode and owner, and what is in it."""
    found: dict[str, str] = {}
    for name, below in sorted(node.get("e", {}).items()):
        at_ = f"{path}/{name}"
        if below["t"] == "l":
            found[at_] = f"-> {below['to']}"
        else:
            text = tree.content(below) if below["t"] == "f" else "/"
            found[at_] = f"{below['m']:o} {below['u']}:{below['g']} {text}"
            found |= shape(below, at_)
    return found


def test_written_at_once() -> None:
    payload = {
        "a.txt": Projection("one", 0o400),
        "conf/b": Projection("two", 0o644),
        "conf/d/e": Projection("", 0o600),
    }
    root = written(payload, NOW, 42, memory=False, group=None)
    assert (root["m"], root["g"]) == (0o777, 0)
    assert shape(root) == {
        "/..data": f"-> {STAMP}",
        f"/{STAMP}": "755 0:0 /",
        f"/{STAMP}/a.txt": "400 0:0 one",
        f"/{STAMP}/conf": "755 0:0 /",
        f"/{STAMP}/conf/b": "644 0:0 two",
        f"/{STAMP}/conf/d": "755 0:0 /",
        f"/{STAMP}/conf/d/e": "600 0:0 ",
        "/a.txt": "-> ..data/a.txt",
        "/conf": "-> ..data/conf",
    }
    assert payload_of(root) == payload
    assert at(root, "conf/b") is at(root, "./conf/b") is not None
    assert at(root, "nope") is None


def test_a_group_of_its_own() -> None:
    root = written(
        {"a": Projection("x", 0o400), "b": Projection("y", 0o600, 7)}, NOW, 42, memory=True, group=2000
    )
    assert (root["m"], root["g"]) == (0o3777, 2000)
    assert shape(root) == {
        "/..data": f"-> {STAMP}",
        f"/{STAMP}": "2755 0:2000 /",
        f"/{STAMP}/a": "440 0:2000 x",
        f"/{STAMP}/b": "640 7:2000 y",
        "/a": "-> ..data/a",
        "/b": "-> ..data/b",
    }
    assert owned(tree.directory(mode=0o755), 3, read_only=False)["m"] == 0o2775


@pytest.fixture(scope="module")
def volumes() -> Volumes:
    cluster = Cluster(nodes=1, seed=1, freezing=True)
    secret = {name: base64.b64encode(data).decode() for name, data in {"k": b"\xff\x00", "t": b"s"}.items()}
    made: dict[str, JSON] = {
        "ConfigMap": {"data": {"a": "ä", "b": "2"}, "binaryData": {"raw": secret["k"]}},
        "Secret": {"data": secret},
    }
    for kind, more in made.items():
        cluster.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **more})
    return Volumes(cluster.informers, Disks, lambda _node, _path: None, lambda _node: None)


ITEMS = [{"key": "a", "path": "deep/a.txt", "mode": 0o400}]
CONTENTS = {
    "configMap": (
        {"configMap": {"name": "x", "defaultMode": 0o640}},
        0o777,
        {"a": "640 Ã¤", "b": "640 2", "raw": "640 ÿ\0"},
    ),
    "items": ({"configMap": {"name": "x", "items": ITEMS}}, 0o777, {"deep/a.txt": "400 Ã¤"}),
    "optional": ({"configMap": {"name": "y", "optional": True}}, 0o777, {}),
    "secret": ({"secret": {"secretName": "x"}}, 0o1777, {"k": "644 ÿ\0", "t": "644 s"}),
    "downwardAPI": (
        {
            "downwardAPI": {
                "items": [
                    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                    {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
                ]
            }
        },
        0o1777,
        {"labels": '644 app="web"', "cpu": "644 4"},
    ),
    "projected": (
        {
            "projected": {
                "defaultMode": 0o600,
                "sources": [
                    {"configMap": {"name": "x", "items": [{"key": "b", "path": "b"}]}},
                    {"secret": {"name": "x", "items": [{"key": "t", "path": "t"}]}},
                    {
                        "downwardAPI": {
                            "items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]
                        }
                    },
                ],
            }
        },
        0o1777,
        {"b": "600 2", "t": "600 s", "ns": "600 default"},
    ),
    "emptyDir": ({"emptyDir": {}}, 0o777, None),
    "emptyDir in memory": ({"emptyDir": {"medium": "Memory"}}, 0o1777, None),
}


@pytest.mark.parametrize(("volume", "mode", "files"), CONTENTS.values(), ids=CONTENTS.keys())
def test_content(volumes: Volumes, volume: JSON, mode: int, files: dict[str, str] | None) -> None:
    found, errors = volumes.setup(pod(volumes=[{"name": "v", **volume}]), FACTS, NOW, 42)
    assert (errors, found["v"]["m"]) == ({}, mode)
    payload = payload_of(found["v"])
    shown = {path: f"{p.mode:o} {p.data}" for path, p in payload.items()} if payload is not None else None
    assert shown == files


ERRORS = {
    "no ConfigMap": ({"configMap": {"name": "y"}}, 'configmap "y" not found'),
    "no Secret": ({"secret": {"secretName": "y"}}, 'secret "y" not found'),
    "no key": (
        {"configMap": {"name": "x", "items": [{"key": "z", "path": "z"}]}},
        "configmap references non-existent config key: z",
    ),
    "no key of a Secret": (
        {"secret": {"secretName": "x", "items": [{"key": "z", "path": "z"}]}},
        "references non-existent secret key: z",
    ),
    "several": (
        {"projected": {"sources": [{"configMap": {"name": "y"}}, {"secret": {"name": "y"}}]}},
        '[configmap "y" not found, secret "y" not found]',
    ),
    "not simulated": (
        {"nfs": {"server": "s", "path": "/"}},
        "volumes of the kind nfs are not simulated; a real node would mount it",
    ),
}


@pytest.mark.parametrize(("volume", "error"), ERRORS.values(), ids=ERRORS.keys())
def test_volumes_that_cannot_be_mounted(volumes: Volumes, volume: JSON, error: str) -> None:
    assert volumes.setup(pod(volumes=[{"name": "v", **volume}]), FACTS, NOW, 42) == ({}, {"v": error})


def test_tokens_belong_to_who_runs(volumes: Volumes) -> None:
    source = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    modes = {}
    for name, context in {"root": {}, "user": {"runAsUser": 7}, "group": {"fsGroup": 8}}.items():
        manifest = pod(volumes=[{"name": "v", **source}], securityContext=context)
        found, _ = volumes.setup(manifest, FACTS, NOW, 42)
        node = at(found["v"], "token")
        assert node is not None
        modes[name] = (f"{node['m']:o}", node["u"], node["g"])
    assert modes == {"root": ("644", 0, 0), "user": ("600", 7, 0), "group": ("640", 0, 8)}


def test_refreshed_only_when_something_changed(volumes: Volumes) -> None:
    volume = {"name": "v", "configMap": {"name": "x"}}
    manifest = pod(volumes=[volume])
    found, _ = volumes.setup(manifest, FACTS, NOW, 42)
    assert volumes.refreshed(manifest, volume, FACTS, found["v"], NOW, 43) is None
    other = written({"a": Projection("old", 0o644)}, NOW, 42, memory=False, group=None)
    fresh = volumes.refreshed(manifest, volume, FACTS, other, NOW, 43)
    assert fresh is not None
    assert fresh["e"]["..data"]["to"] == "..2026_01_01_00_00_07.43"


def test_mounts() -> None:
    container = {
        "name": "c",
        "volumeMounts": [
            {"name": "e", "mountPath": "/data/deep", "subPathExpr": "$(X)/y"},
            {"name": "v", "mountPath": "/conf"},
            {"name": "e", "mountPath": "/data", "readOnly": True},
        ],
    }
    manifest = pod(volumes=[{"name": "v", "configMap": {"name": "x"}}, {"name": "e", "emptyDir": {}}])
    assert list(container_mounts(manifest, container, {"X": "x"})) == [
        Mount("v", "/conf", "", True),
        Mount("e", "/data", "", True),
        Mount("e", "/data/deep", "x/y"),
        Mount("/etc/hosts", "/etc/hosts"),
    ]
    own = {"name": "c", "volumeMounts": [{"name": "e", "mountPath": "/etc/hosts", "subPath": "hosts"}]}
    assert list(container_mounts(manifest, own, {})) == [Mount("e", "/etc/hosts", "hosts")]
    limited = [
        {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "e", "emptyDir": {"sizeLimit": "1Mi"}},
    ]
    assert memory_limits(pod(volumes=limited)) == {"m": 1024 * 1024}


# ---- users ---------------------------------------------------------------------------------------------

USERS = {
    "the image's": ({}, {}, 33, User(33, 0, (0,)), ""),
    "the Pod's": (
        {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]},
        {},
        0,
        User(1000, 3000, (2000, 3000, 4000)),
        "",
    ),
    "the container's": ({"runAsUser": 1000}, {"runAsUser": 5, "runAsGroup": 6}, 0, User(5, 6, (6,)), ""),
    "root, where none may be": (
        {"runAsNonRoot": True},
        {},
        0,
        User(0, 0, (0,)),
        'container has runAsNonRoot and image will run as root (pod: "p", container: c)',
    ),
    "root by its number": (
        {"runAsNonRoot": True},
        {"runAsUser": 0},
        33,
        User(0, 0, (0,)),
        'container\'s runAsUser breaks non-root policy (pod: "p", container: c)',
    ),
    "not root": ({"runAsNonRoot": True}, {}, 33, User(33, 0, (0,)), ""),
}


@pytest.mark.parametrize(("level", "own", "image", "user", "why"), USERS.values(), ids=USERS.keys())
def test_users(level: JSON, own: JSON, image: int, user: User, why: str) -> None:
    spec, container = {"securityContext": level}, {"name": "c", "securityContext": own}
    assert user_of(spec, container, image) == user
    assert refusal(spec, container, image, "p") == why
