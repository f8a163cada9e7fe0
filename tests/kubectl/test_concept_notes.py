"""The examples of an introduction to Kubernetes, in their form of today, with the real kubectl."""

from __future__ import annotations

import json

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl

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
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: hello}
spec:
  template:
    spec:
      containers:
      - {name: hello, image: busybox, command: [sh, -c, 'echo "Hello, Kubernetes!" && sleep 3600']}
      restartPolicy: OnFailure
"""
PI = """
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  template:
    spec:
      containers:
      - {name: pi, image: "perl:5.34.0", command: [perl, -Mbignum=bpi, -wle, "print bpi(2000)"]}
      restartPolicy: Never
  backoffLimit: 4
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
DEBUGGER = {
    "command": ["sh"],
    "image": "busybox",
    "imagePullPolicy": "IfNotPresent",
    "name": "debugger",
    "stdin": True,
    "tty": True,
    "terminationMessagePolicy": "File",
}


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


def test_a_job_prints(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=JOB)
    kubectl("wait", "--for=jsonpath={.status.ready}=1", "job/hello", "--timeout=60s")
    assert kubectl("logs", "job/hello") == "Hello, Kubernetes!\n"
    kubectl("apply", "-f", "-", stdin=PI)
    kubectl("wait", "--for=condition=Complete", "job/pi", "--timeout=120s")
    assert kubectl("logs", "job/pi").startswith("3.14159265358979323846")


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
    waits = "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff"
    kubectl("wait", waits, "pod/private-image-test-1", "--timeout=60s")
    told = kubectl("describe", "pod", "private-image-test-1")
    assert "FailedToRetrieveImagePullSecret" in told
    assert "pull access denied, repository does not exist or may require authorization" in told
    kubectl(
        *("create", "secret", "docker-registry", "myregistrykey", "--docker-username=janedoe"),
        *("--docker-password=letmein", "--docker-email=jane@example.com"),
    )
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
