# ruff: noqa: E501 (some lines are long)
"""kubectl of a Pod says and does what the real one says and does, against the same cluster."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from kubectl_driver import Kubectl

SETUP = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tools-NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: NAMESPACE}]
---
apiVersion: v1
kind: Pod
metadata: {name: tools, labels: {app: tools}}
spec:
  containers: [{name: c, image: "alpine/k8s:1.36.0", command: [sleep, 1d]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {a: "1", text: "two\\nlines\\n", page: "<b>&\u00fc</b>"}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 1 1 *"
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [echo, hi]}]}}}
"""
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: file-%}\ndata: {a: b}\n"
LINES: dict[str, list[str]] = {
    # id: lines; % is another word for each of the two, so that each has objects of its own
    "get": ["get pods", "get po,cm", "get pod tools -o wide", "get pods --no-headers", "get pods --show-labels"],
    "get by name": ["get pod/tools", "get pod tools -o name", "get pods -o name", "get cronjobs,pods -o name"],
    "get none": ["get deploy", "get pods -l a=b", "get pods -n void", "get pv", "get pods -A -l a=b"],
    "get what is not": ["get nope", "get pod nope", "get pod nope --ignore-not-found", "get pods tools nope", "get"],
    "get everywhere": ["get cm -A -l none=here", "get nodes", "get ns default"],
    "get as data": ["get cm plain -o json", "get cm plain -o jsonpath={}", "get cm plain -o yaml", "get cm -l a=b -o json", "get cm -l a=b -o yaml"],
    "get by path": [
        "get cm plain -o jsonpath={.data.a}",
        "get pods -o jsonpath={.items[*].metadata.name}",
        """get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'""",
        """get pod tools -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'""",
        "get pod tools -o jsonpath={.metadata.labels}",
        "get pod tools -o jsonpath={.spec.containers[0].command[1]}",
        "get pod tools -o jsonpath={.nope}",
        "get cm plain -o jsonpath={.data}",
    ],
    "create": [
        "create configmap lit-% --from-literal=a=1 --from-literal=b=x=y",
        "get configmap lit-% -o jsonpath={.data}",
        "create configmap lit-%",
        "create secret generic s-% --from-literal=p=q",
        "get secret s-% -o jsonpath={.data.p}{.type}",
        "create serviceaccount sa-%",
        "create deployment web-% --image=nginx:1.27 --replicas=0",
        "get deployment web-% -o jsonpath={.spec.template.spec.containers[*].name}{.spec.selector}",
        "create job once-% --from=cronjob/nightly",
        "get job once-% -o jsonpath={.metadata.annotations}{.spec.template.spec.containers[0].command}",
        "create job other-% --image=busybox -- echo hi",
        "create secret generic s-%", "create serviceaccount sa-%", "create namespace default", "create deployment web-% --image=x",
        "create configmap Lit-%", "create job once-% --image=x",
        "create job bad-% --from=cronjob/nope",
    ],
    "label": [
        "create configmap l-%",
        "label cm l-% a=b", "label cm l-% a=c", "label cm l-% a=c --overwrite", "label cm l-% a=c", "label cm l-% a-",
        "label cm l-% a-", "label cm nope-% a=b", "annotate cm l-% x=y", "annotate cm l-% x=z",
        "annotate cm l-% x-", "get cm l-% -o jsonpath={.metadata.labels}{.metadata.annotations}",
    ],
    "change": [
        "create deployment d-% --image=nginx:1.27",
        "rollout status deployment/d-% --timeout=90s",
        "scale deployment d-% --replicas=2", "scale deploy/nope-% --replicas=2",
        "set image deployment/d-% nginx=nginx:1.28", "set image deployment/d-% nope=nginx:1.28",
        """patch deployment d-% -p '{"spec":{"replicas":1}}'""",
        """patch deployment d-% -p '{"spec":{"replicas":1}}'""",
        """patch deployment d-% --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'""",
        """patch deployment d-% -p '{"spec":{"replicas":"x"}}'""",
        "rollout restart deployment d-%",
        "rollout restart cm/plain",
        "wait --for=condition=Available deployment/d-% --timeout=60s",
        "wait --for=jsonpath={.spec.replicas}=0 deployment/d-% --timeout=5s",
        "wait --for=condition=Nope deployment/d-% --timeout=2s",
        "delete deployment d-%", "get deployment d-%", "delete deployment d-%", "delete deployment d-% --ignore-not-found",
    ],
    "files": [
        "create -f -", "get cm file-% -o jsonpath={.data}", "create -f -", "delete -f -", "delete -f -",
    ],
    "apply": ["apply --server-side -f -", "get cm file-% -o jsonpath={.data}", "delete -f -"],
    "logs": [
        "run r-% --image=busybox --restart=Never -- echo hi",
        "wait --for=jsonpath={.status.phase}=Succeeded pod/r-% --timeout=30s",
        "logs r-%", "logs nope-%", "delete pod r-%",
    ],
    "may I": ["auth can-i list pods", "auth can-i get nodes", "auth can-i create deployments.apps"],
    "nodes": ["uncordon worker-1", "uncordon nope"],
}  # fmt: skip
_EXIT = re.compile(r"command terminated with exit code \d+\n")
_OWN = re.compile(r'"?(?:uid|resourceVersion|creationTimestamp)"?: "[^"]*"')
_AGE = re.compile(r"\b(?:(?:\d+[ydhms])+|AGE)\b *")
"""An age, or the head of a column of ages, and the spaces behind: as many as the longest age of the moment needs."""


@pytest.fixture(scope="module")
def tools(served: Kubectl) -> Iterator[Kubectl]:
    served.enter()
    served("apply", "-f", "-", stdin=SETUP.replace("NAMESPACE", served.namespace))
    served("wait", "--for=condition=Ready", "pod/tools", "--timeout=60s")
    yield served
    served.leave()


def _told(code: int, out: str, err: str, name: str) -> tuple[int, str, str]:
    texts = (
        _AGE.sub("<age>", _OWN.sub("<own>", text.replace(name, "%"))) for text in (out, _EXIT.sub("", err))
    )
    return code, *texts  # type: ignore[return-value]


@pytest.mark.kubectl
@pytest.mark.parametrize("name", LINES)
def test_like_the_real_one(tools: Kubectl, name: str) -> None:
    for line in LINES[name]:
        reads = "-f -" in line
        real, ours = (shlex.split(line.replace("%", word)) for word in ("real", "ours"))
        words = ["exec", *(["-i"] if reads else []), "tools", "--", "kubectl", *ours]
        there = tools.run(*real, stdin=MANIFEST.replace("%", "real") if reads else "")
        here = tools.run(*words, stdin=MANIFEST.replace("%", "ours") if reads else "")
        expected = _told(there.returncode, there.stdout, there.stderr, "real")
        assert _told(here.returncode, here.stdout, here.stderr, "ours") == expected, line
