"""The examples of an introduction to Kubernetes, in their form of today, with the real kubectl.

`concept_notes.yaml` has those that are lines of kubectl; the others, which wait or type, are tests of their own.
"""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_driver import TIMEOUT, Kubectl

pytestmark = pytest.mark.kubectl

EXAMPLES = yaml.safe_load(Path(__file__).with_name("concept_notes.yaml").read_text())
HEADINGS = (
    "理解 Kubernetes 对象", "Kubernetes 对象管理", "对象名称和 IDs", "命名空间", "Label 与 Selector", "注解",
    "字段选择器（Field selectors）", "节点", "控制层到节点通信", "控制器", "镜像", "容器环境",
    "容器运行时类(Runtime Class)", "容器生命周期回调", "Pods", "静态 Pod", "Pod 的生命周期", "Init 容器",
    "Pod 拓扑分布约束", "干扰", "临时容器",
)  # fmt: skip
"""The headings of the notes below which there are examples."""
ELSEWHERE = {"Init 容器": "test_a_pod_waits_for_its_services", "临时容器": "test_a_debugger_through_the_api"}
LOOKS = frozenset(("get", "logs", "events", "describe", "exec"))
"""What changes nothing and so may be asked again."""

INIT = """
apiVersion: v1
kind: Pod
metadata: {name: myapp-pod, labels: {app: myapp}}
spec:
  containers:
  - {name: myapp-container, image: "busybox:1.28", command: [sh, -c, "echo The app is running! && sleep 3600"]}
  initContainers:
  - name: init-myservice
    image: busybox:1.28
    command: [sh, -c, "until nslookup myservice.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for myservice; sleep 2; done"]
  - name: init-mydb
    image: busybox:1.28
    command: [sh, -c, "until nslookup mydb.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for mydb; sleep 2; done"]
"""  # noqa: E501
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: myservice}
spec: {ports: [{protocol: TCP, port: 80, targetPort: 9376}]}
---
apiVersion: v1
kind: Service
metadata: {name: mydb}
spec: {ports: [{protocol: TCP, port: 80, targetPort: 9377}]}
"""
PRIVATE = """
apiVersion: v1
kind: Pod
metadata: {name: private-image-test-1}
spec:
  restartPolicy: Never
  containers:
  - {name: uses-private-image, image: "janedoe/awesomeapp:v1", imagePullPolicy: Always, command: [echo, SUCCESS]}
  imagePullSecrets: [{name: myregistrykey}]
"""
BUSY = """
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  containers:
  - {name: app, image: busybox, command: [sleep, "900"], readinessProbe: {exec: {command: ["false"]}}}
"""
"""Whoever waits for its probe has time leap, where a Pod that only fails again would have it run."""
DEBUGGER = {
    "command": ["sh"],
    "image": "busybox",
    "imagePullPolicy": "IfNotPresent",
    "name": "debugger",
    "stdin": True,
    "tty": True,
    "terminationMessagePolicy": "File",
}


def _named(example: dict[str, Any]) -> str:
    return f"{example['heading']}: {example['example']}"


@pytest.mark.parametrize("example", EXAMPLES, ids=_named)
def test_an_example(kubectl: Kubectl, example: dict[str, Any], tmp_path: Path) -> None:
    for name, content in (example.get("files") or {}).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content))
    for step in example["steps"]:
        words = shlex.split(step["kubectl"].replace("NS", kubectl.namespace), posix="'" in step["kubectl"])
        _take(kubectl, words, {"in": "", "fails": False, "says": [], **step}, tmp_path)


def _take(kubectl: Kubectl, words: list[str], step: dict[str, Any], home: Path) -> None:
    wanted = [text.replace("NS", kubectl.namespace) for text in step["says"]]
    end = time.monotonic() + TIMEOUT
    while True:
        done = kubectl.run(*words, stdin=step["in"], cwd=home)
        told = done.stdout + done.stderr
        if (done.returncode != 0) == step["fails"] and all(text in told for text in wanted):
            return
        assert LOOKS.intersection(words), f"{words}: {told}"
        assert time.monotonic() < end, f"{words}: {told}"


def test_every_heading_has_its_examples() -> None:
    assert {*ELSEWHERE.values()} <= {*globals()}
    assert {example["heading"] for example in EXAMPLES} | {*ELSEWHERE} == {*HEADINGS}


def test_a_pod_waits_for_its_services(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=INIT)
    started = "--for=jsonpath={.status.initContainerStatuses[0].state.running}"
    kubectl("wait", started, "pod/myapp-pod", "--timeout=60s")
    assert kubectl("get", "pod", "myapp-pod", "--no-headers").split()[1:3] == ["0/1", "Init:0/2"]
    kubectl("apply", "-f", "-", stdin=SERVICES)
    kubectl("wait", "--for=condition=Ready", "pod/myapp-pod", "--timeout=120s")
    assert "waiting for myservice" in kubectl("logs", "myapp-pod", "-c", "init-myservice")
    address = kubectl("get", "service", "mydb", "-o", "jsonpath={.spec.clusterIP}")
    assert f"Address 1: {address}" in kubectl("logs", "myapp-pod", "-c", "init-mydb") or address in kubectl(
        "logs", "myapp-pod", "-c", "init-mydb"
    )
    assert kubectl("logs", "myapp-pod", "-c", "myapp-container") == "The app is running!\n"


def test_a_debugger_through_the_api(kubectl: Kubectl) -> None:
    """What `kubectl debug` does, by hand: `replace --raw`, then attach."""
    kubectl("run", "example-pod", "--image=registry.k8s.io/pause:3.10", "--restart=Never")
    kubectl("wait", "--for=condition=Ready", "pod/example-pod", "--timeout=60s")
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/example-pod/ephemeralcontainers"
    pod = json.loads(kubectl("get", "--raw", path))
    pod["spec"]["ephemeralContainers"] = [DEBUGGER]
    kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(pod))
    running = "--for=jsonpath={.status.ephemeralContainerStatuses[0].state.running}"
    kubectl("wait", running, "pod/example-pod", "--timeout=60s")
    assert 'exec: "sh": executable file not found' in kubectl.fails("exec", "example-pod", "--", "sh")
    with kubectl.terminal("attach", "-it", "example-pod", "-c", "debugger") as terminal:
        terminal.sees("try pressing enter.")
        terminal.type("\r")
        terminal.sees("/ # ")
        terminal.type("echo $((6 * 7))\r")
        terminal.sees("\r\n42\r\n")
        terminal.type("exit\r")
        assert terminal.ends() == 0


def test_a_private_image(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=PRIVATE)
    kubectl("apply", "-f", "-", stdin=BUSY.replace("NAME", "first"))
    waits = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff"
    kubectl("wait", waits, "pod/private-image-test-1", "--timeout=60s")
    told = kubectl("describe", "pod", "private-image-test-1")
    assert "FailedToRetrieveImagePullSecret" in told
    assert "pull access denied, repository does not exist or may require authorization" in told
    kubectl(
        *("create", "secret", "docker-registry", "myregistrykey", "--docker-username=janedoe"),
        *("--docker-password=letmein", "--docker-email=jane@example.com"),
    )
    kubectl("apply", "-f", "-", stdin=BUSY.replace("NAME", "second"))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/private-image-test-1", "--timeout=300s")
    assert kubectl("logs", "private-image-test-1") == "SUCCESS\n"


def test_secrets_of_a_service_account(kubectl: Kubectl) -> None:
    kubectl(
        *("create", "secret", "docker-registry", "key", "--docker-server=registry.example.com"),
        *("--docker-username=janedoe", "--docker-password=letmein"),
    )
    kubectl("patch", "serviceaccount", "default", "-p", '{"imagePullSecrets": [{"name": "key"}]}')
    kubectl("run", "app", "--image=registry.example.com/team/app:v2")
    kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s")
    assert kubectl("exec", "app", "--", "wget", "-qO-", "localhost:8080") == "awesome v2 on app\n"
