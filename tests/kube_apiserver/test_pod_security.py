# ruff: noqa: E501 (one case a line)
"""The Pod Security Standards: what each level forbids, in Kubernetes' own words; and AlwaysPullImages."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.kube_apiserver.admission.podsecurity import checks
from cluster_engine.kube_apiserver.admission.podsecurity.levels import Level, Policy, policy_of

HEADERS = {"content-type": "application/json", "accept": "application/json"}
P = "pod-security.kubernetes.io/"
GOOD = """
securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
containers: [{name: a, image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
"""
MUST = 'must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add'
BASELINE: dict[str, tuple[str, str]] = {
    "nothing": ("containers: [{name: a}]", ""),
    "app armor": ("containers: [{name: a, securityContext: {appArmorProfile: {type: Unconfined}}}]", 'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")'),
    "app armor of the Pod": ("securityContext: {appArmorProfile: {type: Unconfined}}\ncontainers: [{name: a, securityContext: {appArmorProfile: {type: Unconfined}}}, {name: b}]", 'forbidden AppArmor profile (pod and container "a" must not set AppArmor profile type to "Unconfined")'),
    "capabilities": ("containers: [{name: a, securityContext: {capabilities: {add: [SYS_TIME, CHOWN]}}}]\ninitContainers: [{name: b, securityContext: {capabilities: {add: [NET_ADMIN]}}}]", f'non-default capabilities (containers "b", "a" {MUST})'),
    "host namespaces": ("hostPID: true\nhostNetwork: true\ncontainers: [{name: a}]", "host namespaces (hostNetwork=true, hostPID=true)"),
    "host paths": ("volumes: [{name: v, hostPath: {path: /}}, {name: w, hostPath: {path: /a}}]", 'hostPath volumes (volumes "v", "w")'),
    "a host port": ("containers: [{name: a, ports: [{hostPort: 80}]}]", 'hostPort (container "a" uses hostPort 80)'),
    "host ports": ("containers: [{name: a, ports: [{hostPort: 80}, {hostPort: 443}]}, {name: b, ports: [{hostPort: 80}]}]", 'hostPort (containers "a", "b" use hostPorts 443, 80)'),
    "a probe's host": ("containers: [{name: a, livenessProbe: {httpGet: {host: 1.2.3.4}}}]", 'probe or lifecycle host (container "a" uses probe or lifecycle host "1.2.3.4")'),
    "privileged": ("containers: [{name: a, securityContext: {privileged: true}}]", 'privileged (container "a" must not set securityContext.privileged=true)'),
    "proc": ("containers: [{name: a, securityContext: {procMount: Unmasked}}]", 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    "selinux": ("securityContext: {seLinuxOptions: {type: x, user: u, role: r}}\ncontainers: [{name: a}]", 'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)'),
    "seccomp": ("containers: [{name: a, securityContext: {seccompProfile: {type: Unconfined}}}]", 'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")'),
    "sysctls": ("securityContext: {sysctls: [{name: kernel.msgmax}, {name: net.ipv4.tcp_rmem}]}", "forbidden sysctls (kernel.msgmax)"),
    "host process": ("securityContext: {windowsOptions: {hostProcess: true}}\ncontainers: [{name: a}]", "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"),
    "two": ("hostIPC: true\ncontainers: [{name: a, securityContext: {privileged: true}}]", 'host namespaces (hostIPC=true), privileged (container "a" must not set securityContext.privileged=true)'),
}  # fmt: skip
RESTRICTED: dict[str, tuple[str, str]] = {
    "all of it": (GOOD, ""),
    "nothing": ("containers: [{name: a}]", 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'),
    "for Windows": ("os: {name: windows}\ncontainers: [{name: a}]", 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)'),
    "volumes": (GOOD + "volumes: [{name: v, hostPath: {}}, {name: w, nfs: {}}, {name: x, emptyDir: {}}, {name: y, image: {}}]", 'restricted volume types (volumes "v", "w", "y" use restricted volume types "hostPath", "nfs", "unknown")'),
    "as root": (GOOD.replace("runAsNonRoot: true", "runAsNonRoot: false, runAsUser: 0"), "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0)"),
    "capabilities": (GOOD.replace("drop: [ALL]", "drop: [KILL], add: [CHOWN, NET_BIND_SERVICE]"), 'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)'),
    "seccomp": (GOOD.replace("RuntimeDefault", "Unconfined"), 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'),
    "of the baseline too": (GOOD + "hostPID: true", "host namespaces (hostPID=true)"),
}  # fmt: skip


def told(level: Level, spec: str) -> str:
    return ", ".join(map(str, checks.evaluate(level, {}, yaml.safe_load(spec))))


@pytest.mark.parametrize(("spec", "said"), list(BASELINE.values()), ids=list(BASELINE))
def test_the_baseline(spec: str, said: str) -> None:
    assert told(Level("baseline"), spec) == said
    assert told(Level("privileged"), spec) == ""


@pytest.mark.parametrize(("spec", "said"), list(RESTRICTED.values()), ids=list(RESTRICTED))
def test_restricted(spec: str, said: str) -> None:
    assert told(Level("restricted"), spec) == said


def test_annotations_of_app_armor() -> None:
    meta = {"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}}
    found = checks.evaluate(Level("baseline"), meta, {"containers": []})
    key = "container.apparmor.security.beta.kubernetes.io/a"
    assert list(map(str, found)) == [
        f'forbidden AppArmor profile (annotation must not set AppArmor profile type to "{key}="unconfined"")'
    ]


VERSIONS: dict[str, tuple[int, str, str]] = {
    "a probe's host before 1.34": (33, BASELINE["a probe's host"][0], ""),
    "a sysctl before 1.32": (31, "securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}", "forbidden sysctls (net.ipv4.tcp_rmem)"),
    "a sysctl since": (32, "securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}", ""),
    "later than this cluster": (99, BASELINE["a probe's host"][0], BASELINE["a probe's host"][1]),
    "selinux before 1.31": (30, "securityContext: {seLinuxOptions: {type: container_engine_t}}\ncontainers: []", 'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")'),
}  # fmt: skip


@pytest.mark.parametrize(("minor", "spec", "said"), list(VERSIONS.values()), ids=list(VERSIONS))
def test_versions(minor: int, spec: str, said: str) -> None:
    assert told(Level("baseline", minor), spec) == said


LABELS: dict[str, tuple[dict[str, str], Policy, list[str]]] = {
    "none": ({}, Policy(), []),
    "enforced, and so warned of": ({"enforce": "baseline", "enforce-version": "v1.30"}, Policy(Level("baseline", 30), Level(), Level("baseline", 30)), []),
    "warned of at a version": ({"enforce": "baseline", "warn-version": "latest"}, Policy(Level("baseline"), Level(), Level("baseline")), []),
    "each": ({"enforce": "baseline", "audit": "restricted", "warn": "privileged"}, Policy(Level("baseline"), Level("restricted"), Level("privileged")), []),
    "a wrong level": ({"enforce": "strict", "warn": "much"}, Policy(Level("restricted"), Level(), Level()), [f'metadata.labels[{P}enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted', f'metadata.labels[{P}warn]: Invalid value: "much": must be one of privileged, baseline, restricted']),
    "a wrong version": ({"audit-version": "1.30"}, Policy(), [f'metadata.labels[{P}audit-version]: Invalid value: "1.30": must be "latest" or "v1.x"']),
}  # fmt: skip


@pytest.mark.parametrize(("labels", "policy", "problems"), list(LABELS.values()), ids=list(LABELS))
def test_labels(labels: dict[str, str], policy: Policy, problems: list[str]) -> None:
    found, wrong = policy_of({P + name: value for name, value in labels.items()})
    assert (found, [str(each) for each in wrong]) == (policy, problems)


# ---- in a cluster ----------------------------------------------------------------------------------------


def cluster_of(**options: Any) -> Cluster:
    cluster = Cluster(nodes=1, freezing=True, strict=True, addons=False, **options)
    cluster.settle()
    return cluster


def ask(cluster: Cluster, method: str, path: str, body: Any) -> Response:
    return cluster.request(Request(method, path, [], dict(HEADERS), json.dumps(body).encode(), ADMIN))


def namespace(name: str, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "labels": {P + mode.replace("_", "-"): level for mode, level in labels.items()}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    box = {"name": "a", "image": "nginx:1.27", **spec.pop("box", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [box], **spec},
    }


NAMESPACES, PODS = "/api/v1/namespaces", "/api/v1/namespaces/team/pods"
ESCALATION = RESTRICTED["nothing"][1]


def test_a_pod_is_refused_and_warned_of() -> None:
    cluster = cluster_of()
    assert (
        ask(cluster, "POST", NAMESPACES, namespace("team", enforce="baseline", warn="restricted")).status
        == 201
    )
    cluster.settle()
    reply = ask(cluster, "POST", PODS, pod(hostPID=True))
    assert (reply.status, json.loads(reply.body)["message"], reply.warnings) == (
        403, 'pods "web" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)', ())  # fmt: skip
    reply = ask(cluster, "POST", PODS, pod())
    assert (reply.status, reply.warnings) == (
        201,
        (f'would violate PodSecurity "restricted:latest": {ESCALATION}',),
    )
    meta = json.loads(reply.body)["metadata"]
    labelled = ask(
        cluster, "PUT", f"{PODS}/web", {**json.loads(reply.body), "metadata": {**meta, "labels": {"a": "b"}}}
    )
    assert (labelled.status, labelled.warnings) == (200, ())


def test_what_makes_pods_is_warned_of_and_its_pods_are_refused() -> None:
    cluster = cluster_of()
    cluster.apply([namespace("team", enforce="restricted")])
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod()["spec"]}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template}}  # fmt: skip
    reply = ask(cluster, "POST", "/apis/apps/v1/namespaces/team/deployments", web)
    assert (reply.status, reply.warnings) == (
        201,
        (f'would violate PodSecurity "restricted:latest": {ESCALATION}',),
    )
    cluster.settle()
    assert cluster.list("pods", "team") == []
    told = [event["message"] for event in cluster.list("events", "team") if event["reason"] == "FailedCreate"]
    assert told
    assert told[0].endswith(f' is forbidden: violates PodSecurity "restricted:latest": {ESCALATION}')


def test_labels_that_say_nothing_are_refused() -> None:
    cluster = cluster_of()
    reply = ask(cluster, "POST", NAMESPACES, namespace("team", enforce="strict"))
    assert (reply.status, json.loads(reply.body)["message"]) == (
        422, f'Namespace "team" is invalid: metadata.labels[{P}enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted')  # fmt: skip


def test_a_stricter_namespace_warns_of_its_pods() -> None:
    cluster = cluster_of()
    cluster.apply([namespace("team")])
    cluster.settle()
    for name in ("b", "a", "c"):
        assert ask(cluster, "POST", PODS, pod(name, hostPID=name != "c")).status == 201
    live = cluster.get("namespaces", "team")
    assert live is not None
    reply = ask(cluster, "PUT", f"{NAMESPACES}/team", {**live, "metadata": {**live["metadata"], **namespace("team", enforce="baseline")["metadata"]}})  # fmt: skip
    assert reply.warnings == (
        'existing pods in namespace "team" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 1 other pod): host namespaces",
    )
    live = json.loads(reply.body)
    labels = {**live["metadata"]["labels"], f"{P}enforce": "privileged"}
    assert ask(cluster, "PUT", f"{NAMESPACES}/team", {**live, "metadata": {**live["metadata"], "labels": labels}}).warnings == ()  # fmt: skip


def test_the_audit_log_has_it() -> None:
    policy = (
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]"
    )
    cluster = Cluster(nodes=2, freezing=True, strict=True, audit_policy=policy)
    cluster.apply([namespace("team", audit="baseline")])
    cluster.settle()
    written: list[str] = []
    assert cluster.server.audit is not None
    cluster.server.audit.sink = written.extend
    ask(cluster, "POST", PODS, pod(hostPID=True))
    noted = json.loads(written[0])["annotations"]
    assert noted[f"{P}enforce-policy"] == "privileged:latest"
    assert (
        noted[f"{P}audit-violations"]
        == 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    )


@pytest.mark.parametrize(
    ("plugins", "policy"), [("", "IfNotPresent"), ("AlwaysPullImages", "Always")], ids=["off", "on"]
)
def test_images_are_always_pulled(plugins: str, policy: str) -> None:
    cluster = cluster_of(admission_plugins=plugins)
    path = PODS.replace("team", "default")
    reply = ask(cluster, "POST", path, pod(initContainers=[{"name": "i", "image": "nginx:1.27"}]))
    made = json.loads(reply.body)
    assert [c["imagePullPolicy"] for f in ("containers", "initContainers") for c in made["spec"][f]] == [
        policy
    ] * 2
    labelled = {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
    assert ask(cluster, "PUT", f"{path}/web", labelled).status == 200


@pytest.mark.parametrize(
    ("plugins", "named"),
    [("", "NodeRestriction"), ("AlwaysPullImages", "NodeRestriction,AlwaysPullImages")],
    ids=["off", "on"],
)
def test_the_api_server_s_manifest_names_its_plugins(plugins: str, named: str) -> None:
    api_server = Cluster(admission_plugins=plugins).get("pods", "kube-apiserver-control-plane", "kube-system")
    assert f"--enable-admission-plugins={named}" in api_server["spec"]["containers"][0]["command"]


def test_a_plugin_that_nobody_knows() -> None:
    with pytest.raises(ValueError, match='enable-admission-plugins plugin "Nope" is unknown'):
        Cluster(nodes=1, admission_plugins="Nope")
