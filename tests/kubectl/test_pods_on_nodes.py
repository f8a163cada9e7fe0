"""What a node makes of Pods, as the real kubectl shows it: refusals, files, names, last words, the order of ends."""

from __future__ import annotations

import re

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


def apply(kubectl: Kubectl, *manifests: str) -> None:
    kubectl("apply", "-f", "-", stdin="\n---\n".join(manifests))


def pod(name: str, container: str, more: str = "") -> str:
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{more}containers: [{{{container}}}]}}}}"


def wait(kubectl: Kubectl, name: str, what: str = "condition=Ready") -> None:
    kubectl("wait", f"--for={what}", f"pod/{name}", "--timeout=60s")


NGINX = 'name: c, image: "nginx:1.27"'
SLEEP = 'name: c, image: "busybox:1.36", command: [sleep, "99999"]'
PORT = f"{NGINX}, ports: [{{containerPort: 80, hostPort: 8088}}]"
FIELDS = "jsonpath={.status.phase}|{.status.reason}|{.status.message}"

REFUSED = {
    "greedy": (
        pod("greedy", f'{NGINX}, resources: {{requests: {{cpu: "400"}}}}', "nodeName: worker-1, "),
        r"Failed\|OutOfcpu\|Pod was rejected: Node didn't have enough resource: cpu, requested: 400000, used: \d+, "
        r"capacity: 4000",
    ),
    "picky": (
        pod("picky", NGINX, "nodeName: worker-1, nodeSelector: {disk: ssd}, "),
        r"Failed\|NodeAffinity\|Pod was rejected: Predicate NodeAffinity failed: node\(s\) didn't match Pod's node "
        "affinity/selector",
    ),
    "port-b": (
        pod("port-b", PORT, "nodeName: worker-1, "),
        r"Failed\|NodePorts\|Pod was rejected: Predicate NodePorts failed: node\(s\) didn't have free ports for the "
        "requested pod ports",
    ),
    "windows": (
        pod("windows", NGINX, "os: {name: windows}, "),
        r"Failed\|PodOSNotSupported\|Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
    ),
    "sysctl": (
        pod("sysctl", NGINX, 'securityContext: {sysctls: [{name: kernel.msgmax, value: "65536"}]}, '),
        r'Failed\|SysctlForbidden\|Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    ),
}


def test_pods_that_a_node_refuses(kubectl: Kubectl) -> None:
    apply(kubectl, pod("port-a", PORT, "nodeName: worker-1, "))
    wait(kubectl, "port-a")
    apply(kubectl, *(manifest for manifest, _ in REFUSED.values()))
    for name, (_, wanted) in REFUSED.items():
        wait(kubectl, name, "jsonpath={.status.phase}=Failed")
        assert re.fullmatch(wanted, kubectl("get", "pod", name, "-o", FIELDS))
    rows = [line.split() for line in kubectl("get", "pods").splitlines()[1:]]
    assert {row[0]: row[2] for row in rows} == {
        "greedy": "OutOfcpu",
        "picky": "NodeAffinity",
        "port-a": "Running",
        "port-b": "NodePorts",
        "windows": "PodOSNotSupported",
        "sysctl": "SysctlForbidden",
    }


def test_pull_secrets_that_are_missing(kubectl: Kubectl) -> None:
    apply(kubectl, pod("pull", NGINX, "imagePullSecrets: [{name: regcred}], "))
    wait(kubectl, "pull")
    columns = "custom-columns=T:.type,R:.reason,M:.message"
    told = kubectl("get", "events", "--field-selector", "involvedObject.name=pull", "-o", columns)
    assert re.search(
        r"^Warning +FailedToRetrieveImagePullSecret +Unable to retrieve some image pull secrets \(regcred\); "
        r"attempting to pull the image may not succeed\.$",
        told,
        re.M,
    )


def test_sidecars_end_in_turn(kubectl: Kubectl) -> None:
    bye = "trap 'echo bye; exit 0' TERM; while true; do sleep 1; done"
    sidecars = (
        f'{{name: first, image: "busybox:1.36", restartPolicy: Always, command: [sh, -c, "{bye}"]}}, '
        '{name: second, image: "busybox:1.36", restartPolicy: Always, command: [sleep, "9999"]}'
    )
    more = f"terminationGracePeriodSeconds: 10, restartPolicy: Never, initContainers: [{sidecars}], "
    apply(kubectl, pod("trio", 'name: main, image: "busybox:1.36", command: [sleep, "3"]', more))
    wait(kubectl, "trio", "jsonpath={.status.phase}=Succeeded")
    ends = "jsonpath={range .status.initContainerStatuses[*]}{.name} {.state.terminated.exitCode} "
    ends += '{.state.terminated.reason}{"\\n"}{end}'
    assert kubectl("get", "pod", "trio", "-o", ends) == "first 0 Completed\nsecond 137 Error\n"
    assert kubectl("logs", "trio", "-c", "first") == "bye\n"


def test_a_config_map_as_files(kubectl: Kubectl) -> None:
    conf = '{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {a.txt: "one\\n"}}'
    mount = f"{SLEEP}, volumeMounts: [{{name: v, mountPath: /conf}}]"
    apply(
        kubectl,
        conf,
        pod("writer", mount, "volumes: [{name: v, configMap: {name: conf, defaultMode: 0400}}], "),
    )
    wait(kubectl, "writer")
    listed = kubectl("exec", "writer", "--", "ls", "-l", "/conf").splitlines()[1]
    assert re.fullmatch(r"lrwxrwxrwx +1 root +root +\d+ .* a\.txt -> \.\.data/a\.txt", listed)
    behind = kubectl("exec", "writer", "--", "ls", "-lL", "/conf/a.txt")
    assert behind.startswith("-r--------")
    done = kubectl.run("exec", "writer", "--", "sh", "-c", "echo x > /conf/a.txt")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        "sh: can't create /conf/a.txt: Read-only file system",
    )
    done = kubectl.run("exec", "writer", "--", "rm", "/conf/a.txt")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        "rm: can't remove '/conf/a.txt': Read-only file system",
    )
    names = kubectl("exec", "writer", "--", "ls", "-a", "/conf").split()
    assert re.fullmatch(r"\. \.\. \.\.\d{4}(_\d\d){5}\.\d+ \.\.data a\.txt", " ".join(names))


def test_a_frozen_root(kubectl: Kubectl) -> None:
    frozen = "securityContext: {readOnlyRootFilesystem: true}"
    apply(kubectl, pod("frozen", f"{SLEEP}, {frozen}"), pod("web", f"{NGINX}, {frozen}"))
    wait(kubectl, "frozen")
    for command in (["touch", "/x"], ["sh", "-c", "echo y > /y"]):
        done = kubectl.run("exec", "frozen", "--", *command)
        assert (done.returncode, "Read-only file system" in done.stderr) == (1, True)
    wait(kubectl, "web", "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}=1")
    assert kubectl("logs", "web", "--previous").splitlines()[-1] == (
        'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)'
    )


def test_last_words(kubectl: Kubectl) -> None:
    words = "name: c, image: debian, command: [/bin/sh], "
    words += 'args: ["-c", "sleep 2 && echo farewell > /dev/termination-log"]'
    apply(kubectl, pod("farewell", words, "restartPolicy: Never, "))
    wait(kubectl, "farewell", "jsonpath={.status.phase}=Succeeded")
    path = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}|"
    path += "{.status.containerStatuses[0].state.terminated.message}"
    assert kubectl("get", "pod", "farewell", "-o", path) == "0|farewell\n"
    assert kubectl("logs", "farewell") == ""


def test_variables(kubectl: Kubectl) -> None:
    demo = "name: c, image: debian, command: [printenv], args: [HOSTNAME, KUBERNETES_PORT]"
    shell = 'name: c, image: "busybox:1.36", command: [sh, -c, "echo h=$HOSTNAME home=$HOME pwd=$PWD"]'
    never = "restartPolicy: Never, "
    apply(kubectl, pod("command-demo", demo, never), pod("shell", shell, never))
    for name in ("command-demo", "shell"):
        wait(kubectl, name, "jsonpath={.status.phase}=Succeeded")
    assert kubectl("logs", "command-demo") == "command-demo\ntcp://10.96.0.1:443\n"
    assert kubectl("logs", "shell") == "h=shell home=/root pwd=/\n"


def test_names(kubectl: Kubectl) -> None:
    dns = "dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.1], searches: [my.search], "
    dns += 'options: [{name: ndots, value: "2"}, {name: edns0}]}, '
    aliases = "hostAliases: [{ip: 10.1.2.3, hostnames: [one.local, two.local]}], "
    apply(
        kubectl,
        pod("names", SLEEP, f"hostname: box, subdomain: grp, {aliases}{dns}"),
        pod("onhost", SLEEP, "hostNetwork: true, "),
    )
    for name in ("names", "onhost"):
        wait(kubectl, name)
    hosts = kubectl("exec", "names", "--", "cat", "/etc/hosts")
    fqdn = f"box.grp.{kubectl.namespace}.svc.cluster.local"
    assert hosts.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert re.search(
        rf"^10\.244\.\d+\.\d+\t{re.escape(fqdn)}\tbox\n\n# Entries added by HostAliases\.$", hosts, re.M
    )
    assert hosts.endswith("\n10.1.2.3\tone.local\ttwo.local\n")
    assert kubectl("exec", "names", "--", "cat", "/etc/resolv.conf") == (
        "search my.search\nnameserver 192.0.2.1\noptions ndots:2 edns0\n"
    )
    assert kubectl("exec", "names", "--", "hostname", "-f") == f"{fqdn}\n"
    assert "10.96.0.10" not in kubectl("exec", "onhost", "--", "cat", "/etc/resolv.conf")
