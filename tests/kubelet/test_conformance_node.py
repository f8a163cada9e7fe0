# ruff: noqa: E501 (one behaviour a line)
"""Upstream's conformance suite, as far as it needs nodes: each behaviour by its codename.

Most are a Pod that runs once: what it prints and how it ends is compared. All of them run side by side in one cluster.
`conformance_node.yaml` has all behaviours of that class, with what they show in our words; which are shown where,
`docs/conformance.md` tells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from tests.kubelet.test_conformance_told import TOLD

JSON = dict[str, Any]
BEHAVIOURS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "conformance_node.yaml").read_text())
NODE, ALONE = "[NodeConformance]", "[LinuxOnly] [NodeConformance]"


_MESSAGE = (
    "[sig-node] Container Runtime blackbox test on terminated container should report termination message"
)


class Case(NamedTuple):
    """A Pod that runs once."""

    run: str
    """What its shell runs; "": the image's own."""
    prints: str
    spec: JSON = {}
    """Parts of the Pod's spec."""
    container: JSON = {}
    """Parts of its container."""
    meta: JSON = {}
    phase: str = "Succeeded"


OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: cm, namespace: default}
data: {data-1: value-1, data-2: value-2, data-3: value-3}
binaryData: {dump.bin: 3q2+7w==}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: default}
stringData: {data-1: value-1, data-2: value-2}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: kube-public}
stringData: {data-1: another}
---
apiVersion: v1
kind: Service
metadata: {name: fooservice, namespace: default}
spec: {selector: {a: b}, ports: [{port: 8765}], clusterIP: 10.96.7.7}
"""
MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


def volume(source: JSON) -> JSON:
    return {"volumes": [{"name": "v", **source}]}


def mapped(mode: int | None = None) -> list[JSON]:
    return [{"key": "data-2", "path": "path/to/data-2", **({"mode": mode} if mode is not None else {})}]


def sources() -> dict[str, Callable[..., JSON]]:
    """How each kind of volume shows the ConfigMap or the Secret: (items, defaultMode) -> the volume's source."""

    def of(kind: str, name: str, title: str, projected: bool) -> Callable[..., JSON]:
        def made(items: list[JSON] | None = None, mode: int | None = None) -> JSON:
            inner = {name: title, **({"items": items} if items else {})}
            outer = {"defaultMode": mode} if mode is not None else {}
            if projected:
                return {
                    "projected": {
                        "sources": [{kind: {"name": title, **({"items": items} if items else {})}}],
                        **outer,
                    }
                }
            return {kind: {**inner, **outer}}

        return made

    return {
        "ConfigMap": of("configMap", "name", "cm", False),
        "Projected configMap": of("configMap", "name", "cm", True),
        "Secrets": of("secret", "secretName", "s", False),
        "Projected secret": of("secret", "name", "s", True),
    }


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    user = {"securityContext": {"runAsUser": 1000}}
    group = {"securityContext": {"runAsUser": 1000, "fsGroup": 1001}}
    for title, source in sources().items():
        secret = "ecret" in title
        one = "in a pod" if secret else "in the same pod"
        mode_word = "Item Mode" if secret else "Item mode"
        base = f"[sig-storage] {title} should be consumable"
        look, seen = "stat -Lc '%a' /v/data-1; cat /v/data-1", "644\nvalue-1"
        found[f"{base} from pods in volume {NODE}"] = Case(look, seen, volume(source()), MOUNT)
        found[f"{base} from pods in volume with defaultMode set {ALONE}"] = Case(
            look, "400\nvalue-1", volume(source(mode=0o400)), MOUNT
        )
        deep = "stat -Lc '%a' /v/path/to/data-2; cat /v/path/to/data-2"
        found[f"{base} from pods in volume with mappings {NODE}"] = Case(
            deep, "644\nvalue-2", volume(source(mapped())), MOUNT
        )
        found[f"{base} from pods in volume with mappings and {mode_word} set {ALONE}"] = Case(
            deep, "400\nvalue-2", volume(source(mapped(0o400))), MOUNT
        )
        twice = {"volumes": [{"name": "v", **source()}, {"name": "w", **source()}]}
        mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}]}
        found[f"{base} in multiple volumes {one} {NODE}"] = Case(
            "cat /v/data-1 /w/data-1", "value-1value-1", twice, mounts
        )
        if secret:
            found[f"{base} from pods in volume as non-root with defaultMode and fsGroup set {ALONE}"] = Case(
                "stat -Lc '%a %g' /v/data-1; cat /v/data-1",
                "440 1001\nvalue-1",
                {**volume(source(mode=0o440)), **group},
                MOUNT,
            )
        else:
            found[f"{base} from pods in volume as non-root {NODE}"] = Case(
                "id -u; cat /v/data-1", "1000\nvalue-1", {**volume(source()), **user}, MOUNT
            )
            found[f"{base} from pods in volume with mappings as non-root {NODE}"] = Case(
                "cat /v/path/to/data-2", "value-2", {**volume(source(mapped())), **user}, MOUNT
            )
    for title, wrapped in (("Downward API volume", False), ("Projected downwardAPI", True)):
        base = f"[sig-storage] {title} should"

        def shows(items: list[JSON], wrapped: bool = wrapped, **more: Any) -> JSON:
            if wrapped:
                return volume({"projected": {"sources": [{"downwardAPI": {"items": items}}], **more}})
            return volume({"downwardAPI": {"items": items, **more}})

        limits = {
            "resources": {
                "requests": {"cpu": "250m", "memory": "32Mi"},
                "limits": {"cpu": "1250m", "memory": "64Mi"},
            },
            **MOUNT,
        }
        for what, part, seen in (
            ("cpu", "limit", "2"),
            ("cpu", "request", "1"),
            ("memory", "limit", "67108864"),
            ("memory", "request", "33554432"),
        ):
            field = {"path": "f", "resourceFieldRef": {"containerName": "c", "resource": f"{part}s.{what}"}}
            found[f"{base} provide container's {what} {part} {NODE}"] = Case(
                "cat /v/f", seen, shows([field]), limits
            )
        for what, seen in (("cpu", "4"), ("memory", "8335663104")):
            field = {"path": "f", "resourceFieldRef": {"containerName": "c", "resource": f"limits.{what}"}}
            found[
                f"{base} provide node allocatable ({what}) as default {what} limit if the limit is not set {NODE}"
            ] = Case("cat /v/f", seen, shows([field]), MOUNT)
        name = {"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}}
        found[f"{base} provide podname only {NODE}"] = Case(
            "[ $(cat /v/podname) = $HOSTNAME ] && echo same", "same\n", shows([name]), MOUNT
        )
        found[f"{base} set DefaultMode on files {ALONE}"] = Case(
            "stat -Lc '%a' /v/podname", "400\n", shows([name], defaultMode=0o400), MOUNT
        )
        found[f"{base} set mode on item file {ALONE}"] = Case(
            "stat -Lc '%a' /v/podname", "400\n", shows([{**name, "mode": 0o400}]), MOUNT
        )
    field_env = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in (
            ("NAME", "metadata.name"),
            ("SPACE", "metadata.namespace"),
            ("IP", "status.podIP"),
            ("HOST", "status.hostIP"),
            ("UID_", "metadata.uid"),
        )
    ]
    resource_env = [
        {"name": f"{part}_{what}".upper(), "valueFrom": {"resourceFieldRef": {"resource": f"{part}.{what}"}}}
        for part in ("limits", "requests")
        for what in ("cpu", "memory")
    ]
    limits = {
        "resources": {
            "requests": {"cpu": "250m", "memory": "32Mi"},
            "limits": {"cpu": "1250m", "memory": "64Mi"},
        }
    }
    down = "[sig-node] Downward API should provide"
    show = "echo $LIMITS_CPU $LIMITS_MEMORY $REQUESTS_CPU $REQUESTS_MEMORY"
    found |= {
        f"{down} pod name, namespace and IP address as env vars {NODE}": Case(
            "[ $NAME = $HOSTNAME ] && echo $SPACE; hostname -i | grep -c $IP",
            "default\n1\n",
            {},
            {"env": field_env},
        ),
        f"{down} host IP as an env var {NODE}": Case(
            "echo $HOST | cut -c1-9", "172.18.0.\n", {}, {"env": field_env}
        ),
        f"{down} pod UID as env vars {NODE}": Case("echo ${#UID_}", "36\n", {}, {"env": field_env}),
        f"{down} container's limits.cpu/memory and requests.cpu/memory as env vars {NODE}": Case(
            show, "2 67108864 1 33554432\n", {}, {"env": resource_env, **limits}
        ),
        f"{down} default limits.cpu/memory from node allocatable {NODE}": Case(
            "echo $LIMITS_CPU $LIMITS_MEMORY", "4 8335663104\n", {}, {"env": resource_env}
        ),
        f"[sig-node] ConfigMap should be consumable via environment variable {NODE}": Case(
            "echo $A",
            "value-1\n",
            {},
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "data-1"}}}]},
        ),
        f"[sig-node] ConfigMap should be consumable via the environment {NODE}": Case(
            "",
            "data-1=value-1\ndata-2=value-2\ndata-3=value-3\np-data-1=value-1\np-data-2=value-2\np-data-3=value-3\n",
            {},
            {
                "command": ["env"],
                "envFrom": [
                    {"configMapRef": {"name": "cm"}},
                    {"prefix": "p-", "configMapRef": {"name": "cm"}},
                ],
            },
        ),
        f"[sig-node] Secrets should be consumable from pods in env vars {NODE}": Case(
            "echo $A",
            "value-1\n",
            {},
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "data-1"}}}]},
        ),
        f"[sig-node] Secrets should be consumable via the environment {NODE}": Case(
            "",
            "data-1=value-1\ndata-2=value-2\np-data-1=value-1\np-data-2=value-2\n",
            {},
            {
                "command": ["env"],
                "envFrom": [{"secretRef": {"name": "s"}}, {"prefix": "p-", "secretRef": {"name": "s"}}],
            },
        ),
        f"[sig-node] Variable Expansion should allow composing env vars into new env vars {NODE}": Case(
            "echo $C",
            "foo;;bar\n",
            {},
            {
                "env": [
                    {"name": "A", "value": "foo"},
                    {"name": "B", "value": "bar"},
                    {"name": "C", "value": "$(A);;$(B)"},
                ]
            },
        ),
        f"[sig-node] Variable Expansion should allow substituting values in a container's command {NODE}": Case(
            "",
            "test-value\n",
            {},
            {"command": ["sh", "-c", "echo $(A)"], "env": [{"name": "A", "value": "test-value"}]},
        ),
        f"[sig-node] Variable Expansion should allow substituting values in a container's args {NODE}": Case(
            "",
            "test-value\n",
            {},
            {"command": ["sh", "-c"], "args": ["echo $(A)"], "env": [{"name": "A", "value": "test-value"}]},
        ),
        "[sig-node] Variable Expansion should allow substituting values in a volume subpath": Case(
            "echo x > /v/f; ls /all",
            "mine\n",
            volume({"emptyDir": {}}),
            {
                "env": [{"name": "A", "value": "mine"}],
                "volumeMounts": [
                    {"name": "v", "mountPath": "/v", "subPathExpr": "$(A)"},
                    {"name": "v", "mountPath": "/all"},
                ],
            },
        ),
        "[sig-node] Variable Expansion should succeed in writing subpaths in container": Case(
            "echo x > /v/f; cat /all/mine/f",
            "x\n",
            volume({"emptyDir": {}}),
            {
                "env": [{"name": "A", "value": "mine"}],
                "volumeMounts": [
                    {"name": "v", "mountPath": "/v", "subPathExpr": "$(A)"},
                    {"name": "v", "mountPath": "/all"},
                ],
            },
        ),
        f"[sig-node] Kubelet when scheduling a busybox command in a pod should print the output to logs {NODE}": Case(
            "echo 'Hello World' ; sleep 2", "Hello World\n"
        ),
        f"[sig-node] Kubelet when scheduling a read only busybox container should not write to root filesystem {ALONE}": Case(
            "echo test > /file; ls /file",
            "sh: can't create /file: Read-only file system\nls: /file: No such file or directory\n",
            {},
            {"securityContext": {"readOnlyRootFilesystem": True}},
            phase="Failed",
        ),
        f"[sig-node] Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts {NODE}": Case(
            "tail -n 2 /etc/hosts",
            "# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n",
            {"hostAliases": [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]},
        ),
        f"[sig-node] Pods should contain environment variables for services {NODE}": Case(
            "env | grep ^FOOSERVICE | sort | head -n 3",
            "FOOSERVICE_PORT=tcp://10.96.7.7:8765\nFOOSERVICE_PORT_8765_TCP=tcp://10.96.7.7:8765\nFOOSERVICE_PORT_8765_TCP_ADDR=10.96.7.7\n",
        ),
        "[sig-network] DNS should support configurable pod DNS nameservers": Case(
            "cat /etc/resolv.conf",
            "search resolv.conf.local\nnameserver 1.1.1.1\n",
            {
                "dnsPolicy": "None",
                "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"]},
            },
        ),
        f"[sig-storage] ConfigMap binary data should be reflected in volume {NODE}": Case(
            "cat /v/data-1; od -An -tx1 /v/dump.bin",
            "value-1 de ad be ef\n",
            volume({"configMap": {"name": "cm"}}),
            MOUNT,
        ),
        f"[sig-storage] Projected combined should project all components that make up the projection API [Projection] {NODE}": Case(
            "cat /v/podname /v/s/data-1 /v/cm/data-1 | tail -c 14",
            "value-1value-1",
            volume(
                {
                    "projected": {
                        "sources": [
                            {
                                "downwardAPI": {
                                    "items": [{"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}}]
                                }
                            },
                            {"secret": {"name": "s", "items": [{"key": "data-1", "path": "s/data-1"}]}},
                            {"configMap": {"name": "cm", "items": [{"key": "data-1", "path": "cm/data-1"}]}},
                        ]
                    }
                }
            ),
            MOUNT,
        ),
        f"[sig-storage] Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace {NODE}": Case(
            "cat /v/data-1", "value-1", volume({"secret": {"secretName": "s"}}), MOUNT
        ),
        "[sig-storage] EmptyDir wrapper volumes should not conflict": Case(
            "cat /v/data-1 /w/data-1",
            "value-1value-1",
            {
                "volumes": [
                    {"name": "v", "secret": {"secretName": "s"}},
                    {"name": "w", "configMap": {"name": "cm"}},
                ]
            },
            {"volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}]},
        ),
        "[sig-auth] ServiceAccounts should mount an API token into pods": Case(
            "cd /var/run/secrets/kubernetes.io/serviceaccount; ls; cat namespace; head -n 1 ca.crt; cut -d. -f1 token | cut -c1-6",
            "ca.crt\nnamespace\ntoken\ndefault-----BEGIN CERTIFICATE-----\neyJhbG\n",
        ),
        "[sig-auth] ServiceAccounts should mount projected service account token": Case(
            "cut -c1-6 /v/t",
            "eyJhbG\n",
            volume({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}),
            MOUNT,
        ),
    }
    for kind, source in (
        ("configmap", {"configMap": {"name": "cm"}}),
        ("secret", {"secret": {"secretName": "s"}}),
        ("projected", {"projected": {"sources": [{"configMap": {"name": "cm"}}]}}),
    ):
        part = {"volumeMounts": [{"name": "v", "mountPath": "/f", "subPath": "data-1"}]}
        found[f"[sig-storage] Subpath Atomic writer volumes should support subpaths with {kind} pod"] = Case(
            "cat /f", "value-1", volume(source), part
        )
    found["[sig-storage] Subpath Atomic writer volumes should support subpaths with downward pod"] = Case(
        "[ $(cat /f) = $HOSTNAME ] && echo same",
        "same\n",
        volume({"downwardAPI": {"items": [{"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}}]}}),
        {"volumeMounts": [{"name": "v", "mountPath": "/f", "subPath": "podname"}]},
    )
    found[
        "[sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file"
    ] = Case(
        "cat /etc/passwd",
        "value-1",
        volume({"configMap": {"name": "cm"}}),
        {"volumeMounts": [{"name": "v", "mountPath": "/etc/passwd", "subPath": "data-1"}]},
    )
    found |= {
        f"{_MESSAGE} as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set {NODE}": Case(
            "echo DONE",
            "",
            {},
            {"terminationMessagePolicy": "FallbackToLogsOnError"},
            {"annotations": {"looks": "message"}},
        ),
        f"{_MESSAGE} from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set {NODE}": Case(
            "echo -n OK > /dev/termination-log",
            "OK",
            {},
            {"terminationMessagePolicy": "FallbackToLogsOnError"},
            {"annotations": {"looks": "message"}},
        ),
        f"{_MESSAGE} from log output if TerminationMessagePolicy FallbackToLogsOnError is set {NODE}": Case(
            "echo -n DONE; exit 1",
            "DONE",
            {},
            {"terminationMessagePolicy": "FallbackToLogsOnError"},
            {"annotations": {"looks": "message"}},
            "Failed",
        ),
        f"{_MESSAGE} if TerminationMessagePath is set as non-root user and at a non-default path {NODE}": Case(
            "echo -n DONE > /dev/termination-custom-log",
            "DONE",
            {},
            {"terminationMessagePath": "/dev/termination-custom-log", "securityContext": {"runAsUser": 1000}},
            {"annotations": {"looks": "message"}},
        ),
    }
    return found


AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
CASES = cases()
_OVERRIDES: dict[str, tuple[JSON, str]] = {
    "arguments (container cmd)": ({"args": ["entrypoint-tester", "override", "arguments"]}, "[/agnhost entrypoint-tester override arguments]"),
    "command (container entrypoint)": ({"command": ["/agnhost-2", "entrypoint-tester"]}, "[/agnhost-2 entrypoint-tester]"),
    "command and arguments": ({"command": ["/agnhost-2"], "args": ["entrypoint-tester", "override", "arguments"]}, "[/agnhost-2 entrypoint-tester override arguments]"),
}  # fmt: skip
for _what, (_parts, _prints) in _OVERRIDES.items():
    _title = f"[sig-node] Containers should be able to override the image's default {_what} {NODE}"
    CASES[_title] = Case("", _prints, {}, {"image": AGNHOST, **_parts})


def manifest(name: str, case: Case) -> JSON:
    container = {
        "name": "c",
        "image": "busybox:1.36",
        **({"command": ["sh", "-c", case.run]} if case.run else {}),
        **case.container,
    }
    spec = {"restartPolicy": "Never", "containers": [container], **case.spec}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", **case.meta},
        "spec": spec,
    }


NAMES = {codename: f"p{number}" for number, codename in enumerate(CASES)}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True)
    cluster.apply(OBJECTS)
    for codename, case in CASES.items():
        cluster.apply(manifest(NAMES[codename], case))
    assert cluster.settle()
    return cluster


def log(cluster: Cluster, name: str) -> str:
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    return cluster.request(Request("GET", path, user=ADMIN)).body.decode()


@pytest.mark.parametrize("codename", CASES)
def test_a_pod_that_runs_once(cluster: Cluster, codename: str) -> None:
    case, name = CASES[codename], NAMES[codename]
    status = cluster.get("pods", name, "default")["status"]
    assert codename in BEHAVIOURS
    if (case.meta.get("annotations") or {}).get("looks") == "message":
        ended = status["containerStatuses"][0]["state"]["terminated"]
        assert (ended.get("message", ""), status["phase"]) == (case.prints, case.phase)
    else:
        said = log(cluster, name)
        if case.container.get("command") == ["env"]:
            said = "".join(sorted(line for line in said.splitlines(True) if "data-" in line))
        # A last line without its end gets one in the log here.
        assert (said.rstrip("\n"), status["phase"]) == (case.prints.rstrip("\n"), case.phase)


def lives(name: str, run: str = "sleep 100d", **parts: Any) -> JSON:
    """A Pod that stays: parts of its container, and of its spec where the container has no such field."""
    container: JSON = {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", run]}
    spec: JSON = {"terminationGracePeriodSeconds": 1}
    for part, value in parts.items():
        (spec if part in ("initContainers", "restartPolicy", "volumes", "containers") else container)[
            part
        ] = value
    if "args" in parts:
        del container["command"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], **spec},
    }


_EXEC = {
    "exec": {"command": ["cat", "/tmp/health"]},
    "initialDelaySeconds": 5,
    "periodSeconds": 5,
    "failureThreshold": 1,
}
_VANISHES = "echo ok > /tmp/health; sleep 10; rm /tmp/health; sleep 600"
_GRPC = {"image": AGNHOST, "args": ["grpc-health-checking"]}
_NETEXEC = {"image": AGNHOST, "args": ["netexec"]}


def _grpc(port: int) -> JSON:
    return {"grpc": {"port": port}, "initialDelaySeconds": 5, "failureThreshold": 1}


LIVES: dict[str, tuple[JSON, tuple[int, int], str, bool]] = {
    # codename: Pod, restarts within five minutes (at least, at most), phase, ready
    f'[sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe {NODE}': (lives("l0", _VANISHES, livenessProbe=_EXEC), (1, 9), "Running", True),
    f'[sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe {NODE}': (lives("l1", "echo ok > /tmp/health; sleep 600", livenessProbe=_EXEC), (0, 0), "Running", True),
    f"[sig-node] Probing container should *not* be restarted with a /healthz http liveness probe {NODE}": (lives("l2", **_NETEXEC, livenessProbe={"httpGet": {"path": "/healthz", "port": 8080}, "failureThreshold": 1, "initialDelaySeconds": 5}), (0, 0), "Running", True),
    f"[sig-node] Probing container should *not* be restarted with a tcp:8080 liveness probe {NODE}": (lives("l3", **_NETEXEC, livenessProbe={"tcpSocket": {"port": 8080}, "failureThreshold": 1, "initialDelaySeconds": 5}), (0, 0), "Running", True),
    f"[sig-node] Probing container should *not* be restarted with a GRPC liveness probe {NODE}": (lives("l4", **_GRPC, livenessProbe=_grpc(5000)), (0, 0), "Running", True),
    f"[sig-node] Probing container should be restarted with a GRPC liveness probe {NODE}": (lives("l5", **_GRPC, livenessProbe=_grpc(2333)), (1, 9), "Running", True),
    f"[sig-node] Probing container should be restarted with a /healthz http liveness probe {NODE}": (lives("l13", image=AGNHOST, args=["liveness"], livenessProbe={"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 5, "failureThreshold": 1}), (1, 9), "Running", True),
    f"[sig-node] Probing container should have monotonically increasing restart count {NODE}": (lives("l6", _VANISHES, livenessProbe=_EXEC), (3, 9), "Running", True),
    f"[sig-node] Probing container with readiness probe that fails should never be ready and never restart {NODE}": (lives("l7", readinessProbe={"exec": {"command": ["false"]}}), (0, 0), "Running", False),
    f"[sig-node] InitContainer {NODE} should invoke init containers on a RestartAlways pod": (lives("l8", initContainers=[{"name": f"i{n}", "image": "busybox", "command": ["true"]} for n in (1, 2)]), (0, 0), "Running", True),
    f"[sig-node] InitContainer {NODE} should invoke init containers on a RestartNever pod": (lives("l9", "true", restartPolicy="Never", initContainers=[{"name": f"i{n}", "image": "busybox", "command": ["true"]} for n in (1, 2)]), (0, 0), "Succeeded", False),
    f"[sig-node] InitContainer {NODE} should not start app containers and fail the pod if init containers fail on a RestartNever pod": (lives("l10", restartPolicy="Never", initContainers=[{"name": "i", "image": "busybox", "command": ["false"]}]), (0, 0), "Failed", False),
    f"[sig-node] InitContainer {NODE} should not start app containers if init containers fail on a RestartAlways pod": (lives("l11", initContainers=[{"name": "i", "image": "busybox", "command": ["false"]}]), (0, 0), "Pending", False),
    f"[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason {NODE}": (lives("l12", "false"), (2, 9), "Running", False),
}  # fmt: skip


@pytest.fixture(scope="module")
def lived() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True)
    for made, *_ in LIVES.values():
        cluster.apply(made)
    cluster.advance(300)
    return cluster


@pytest.mark.parametrize("codename", LIVES)
def test_a_pod_that_lives(lived: Cluster, codename: str) -> None:
    assert codename in BEHAVIOURS
    made, (least, most), phase, ready = LIVES[codename]
    status = lived.get("pods", made["metadata"]["name"], "default")["status"]
    container = status["containerStatuses"][0]
    assert least <= container["restartCount"] <= most
    assert status["phase"] == phase
    if not least:
        assert container["ready"] is ready
    if "terminated reason" in codename:
        assert container["lastState"]["terminated"]["reason"] == "Error"
    for init in status.get("initContainerStatuses") or () if phase in ("Running", "Succeeded") else ():
        assert init["state"]["terminated"]["reason"] == "Completed"


CHANGES: dict[str, tuple[JSON, JSON, str, str]] = {
    # codename: the object that changes, how it is then, and what its file says before and after
    f"[sig-storage] {title} updates should be reflected in volume {NODE}": (
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, field: {"f": "old"}},
        {field: {"f": "new"}}, "old", "new",
    )
    for title, kind, field, name in (("ConfigMap", "ConfigMap", "data", "ch0"), ("Projected configMap", "ConfigMap", "data", "ch1"))
}  # fmt: skip
_OWN = {
    f"[sig-storage] {title} should update {part} on modification {NODE}": (
        title.startswith("Projected"),
        part,
    )
    for title in ("Downward API volume", "Projected downwardAPI")
    for part in ("labels", "annotations")
}


def test_the_table_of_changes_is_known() -> None:
    assert {*CHANGES, *_OWN} <= {*BEHAVIOURS}


@pytest.mark.parametrize("codename", [*CHANGES, *_OWN])
def test_a_file_follows(codename: str) -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    if codename in CHANGES:
        obj, change, before, after = CHANGES[codename]
        name = obj["metadata"]["name"]
        cluster.apply(obj)
        inner = {"configMap": {"name": name}}
        source = {"projected": {"sources": [inner]}} if "Projected" in codename else inner
    else:
        projected, part = _OWN[codename]
        items = [{"path": "f", "fieldRef": {"fieldPath": f"metadata.{part}"}}]
        inner = {"downwardAPI": {"items": items}}
        source = {"projected": {"sources": [inner]}} if projected else inner
        before, after = 'a="old"', 'a="new"'
    made = lives("follows", volumes=[{"name": "v", **source}], **MOUNT)
    if codename in _OWN:
        made["metadata"][_OWN[codename][1]] = {"a": "old"}
    cluster.apply(made)
    assert cluster.settle()
    shown = cluster.execute("follows", ["cat", "/v/f"]).stdout.decode()
    assert before in shown
    cluster.apply(
        {**obj, **change}
        if codename in CHANGES
        else {**made, "metadata": {**made["metadata"], _OWN[codename][1]: {"a": "new"}}}
    )
    cluster.advance(120)
    assert after in cluster.execute("follows", ["cat", "/v/f"]).stdout.decode()


ELSEWHERE = {
    f"[sig-node] Pods should support retrieving logs from the container over websockets {NODE}": (
        "tests/kube_apiserver/test_frames.py", "test_a_log_comes_in_frames",
    ),
    "[sig-storage] EmptyDir volumes pod should support shared volumes between containers": (
        "tests/kubelet/test_pod_lifecycles.py", "test_containers_share_files_and_network",
    ),
    f"[sig-node] Ephemeral Containers {NODE} will start an ephemeral container in an existing pod": (
        "tests/kubectl/test_debugging.py", "test_a_debugger_sees_the_processes_of_its_target",
    ),
    f"[sig-node] Pods should support remote command execution over websockets {NODE}": (
        "tests/kubectl/test_streams.py", "test_exec",
    ),
    "[sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart is Never": (
        "tests/kubectl/test_streams.py", "test_run_that_only_prints",
    ),
    **dict.fromkeys(
        (
            "[sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints relevant information "
            "for rc and pods",
            "[sig-cli] Kubectl client Kubectl patch should add annotations for pods in rc",
            "[sig-cli] Kubectl client Kubectl replace should update a single-container pod's image",
            "[sig-cli] Kubectl client Update Demo should create and stop a replication controller",
            "[sig-cli] Kubectl client Update Demo should scale a replication controller",
        ),
        ("tests/kubectl/test_conformance_kubectl.py", "test_told_by_kubectl"),
    ),
    "[sig-cli] Kubectl logs logs should be able to retrieve and filter logs": (
        "tests/kubectl/test_logs.py", "test_flags",
    ),
    "[sig-cli] Kubectl client Kubectl label should update the label on a resource": (
        "tests/kubectl/test_kubectl.py", "test_labels_and_annotations",
    ),
    "[sig-apps] Job should allow to use the pod failure policy on exit code to fail the job early": (
        "tests/kube_controller_manager/test_jobs.py", "test_failure_policy_fails_the_job",
    ),
}  # fmt: skip
"""Behaviours that tests of other files show."""

OPEN: dict[str, str] = {}
"""Behaviours that fail, and why."""


def shown() -> dict[str, str]:
    """Where each behaviour that is tested is."""
    here = dict.fromkeys((*CASES, *LIVES, *CHANGES, *_OWN), "tests/kubelet/test_conformance_node.py")
    here |= dict.fromkeys(TOLD, "tests/kubelet/test_conformance_told.py")
    return {**here, **{name: "::".join(at) for name, at in ELSEWHERE.items()}}
