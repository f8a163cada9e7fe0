# ruff: noqa: E501 (one line a case)
"""A Pod asks the Kubernetes API over the network, as whom its token says, and is told what anybody would be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

DIR = "/var/run/secrets/kubernetes.io/serviceaccount"
API = "https://kubernetes.default.svc"
PODS = f"{API}/api/v1/namespaces/default/pods"
CURL = f'curl -sS --cacert {DIR}/ca.crt -H "Authorization: Bearer $(cat {DIR}/token)"'
HELP = """\
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.
"""
OBJECTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: robot, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: robot, namespace: default}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: big, namespace: default}
data: {text: hello}
"""


TALKERS = {"ended": "seq 2", "ticks": "while :; do i=$((i + 1)); echo $i; sleep 0.5; done"}


def pod(name: str, image: str, account: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": image, "command": ["sleep", "100d"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"serviceAccountName": account, "containers": [container], **spec},
    }


def booted() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(OBJECTS)
    cluster.apply(pod("asks", "nicolaka/netshoot", "robot"))
    cluster.apply(pod("box", "busybox", "default"))
    assert cluster.settle()
    return cluster


def talking() -> Cluster:
    """With one Pod that has ended and one that writes a number twice a second."""
    cluster = booted()
    for name, line in TALKERS.items():
        made = pod(name, "busybox", "default", restartPolicy="Never")
        made["spec"]["containers"][0]["command"] = ["sh", "-c", line]
        cluster.apply(made)
    cluster.advance(10)
    return cluster


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return talking()


def says(cluster: Cluster, name: str, line: str) -> tuple[int, str, str]:
    found = cluster.execute(name, ["sh", "-c", line], limit=300)
    return found.exit_code, found.stdout.decode(), found.stderr.decode()


ANSWERS: dict[str, tuple[str, str, str]] = {
    # id: Pod, line, output
    "lists Pods": ("asks", f"{CURL} {PODS} | jq -r '.items[].metadata.name'", "asks\nbox\nended\nticks\n"),
    "whom it is": (
        "asks",
        f"{CURL} -H 'Content-Type: application/json' -d '{{}}' {API}/apis/authentication.k8s.io/v1/selfsubjectreviews"
        " | jq -r '.status.userInfo | .username, .groups[1], .extra[\"authentication.kubernetes.io/pod-name\"][0]'",
        "system:serviceaccount:default:robot\nsystem:serviceaccounts:default\nasks\n",
    ),
    "a Service's other names and its address": (
        "asks",
        "for h in kubernetes kubernetes.default kubernetes.default.svc.cluster.local $KUBERNETES_SERVICE_HOST; do "
        f"{CURL} -o /dev/null -w '%{{http_code}} ' https://$h/api; done",
        "200 200 200 200 ",
    ),
    "not in another namespace": (
        "asks",
        f"{CURL} {API}/api/v1/namespaces/kube-system/pods | jq -r .message",
        'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" '
        'in the namespace "kube-system"\n',
    ),
    "without a token": (
        "asks",
        f"curl -sk {PODS} | jq -r .message",
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace '
        '"default"\n',
    ),
    "a wrong token": ("asks", f"curl -sk -H 'Authorization: Bearer x.y.z' {PODS} | jq -r '.code, .message'", "401\nUnauthorized\n"),
    "one line more": (
        "asks",
        f"{CURL} -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{\"data\":{{\"text\":\"x\"}}}}' "
        f"{API}/api/v1/namespaces/default/configmaps/big | jq -r .data.text",
        "x\n",
    ),
    "what is no JSON": (
        "asks",
        f"{CURL} -H 'Content-Type: application/json' -d '{{' {API}/api/v1/namespaces/default/configmaps | jq -r .reason",
        "BadRequest\n",
    ),
    "a log": ("asks", f"{CURL} {PODS}/box/log | wc -c", "0\n"),
    "a watch": (
        "asks",
        f"{CURL} '{PODS}?watch=true&timeoutSeconds=2' | jq -r '.type, .object.metadata.name'",
        "ADDED\nasks\nADDED\nbox\nADDED\nended\nADDED\nticks\n",
    ),
    "a watch of what it may not": (
        "asks",
        f"{CURL} '{API}/api/v1/namespaces/kube-system/pods?watch=true' | jq -r .code",
        "403\n",
    ),
    "a followed log of what has ended": ("asks", f"{CURL} -w '%{{http_code}}' '{PODS}/ended/log?follow=true'", "1\n2\n200"),
    "a followed log goes on": (
        "asks",
        f"timeout 5 {CURL} -N '{PODS}/ticks/log?follow=true&tailLines=0' | awk 'NR > 1 && $1 != last + 1 {{ print \"lost\", $1 }} "
        "{ last = $1 } END { print (NR > 7) }'",
        "1\n",
    ),
    "a followed log of so many bytes": ("asks", f"{CURL} -N '{PODS}/ticks/log?follow=true&limitBytes=5'", "1\n2\n3"),
    "a followed log of nothing more": (
        "asks", f"timeout 2 {CURL} -N '{PODS}/box/log?follow=true'; echo $?", "143\n",
    ),
    "a followed log of what it may not": (
        "asks", f"{CURL} '{API}/api/v1/namespaces/kube-system/pods/x/log?follow=true' | jq -r .code", "403\n",
    ),
    "a followed log with times": (
        "asks",
        f"timeout 3 {CURL} -N '{PODS}/ticks/log?follow=true&timestamps=true&tailLines=1' | grep -vcE '^2[0-9T:.-]+Z [0-9]+$'",
        "0\n",
    ),
    "bookmarks of a watch": (
        "asks",
        f"timeout 150 {CURL} -N '{PODS}?watch=true&allowWatchBookmarks=true&labelSelector=a=b' | jq -r .type "
        "| awk '{ last = $1 } END { print last, (NR == 2 || NR == 3) }'",
        "BOOKMARK 1\n",
    ),
    "no bookmarks of one that wants none": (
        "asks", f"timeout 70 {CURL} -N '{PODS}?watch=true&labelSelector=a=b' | wc -c", "0\n",
    ),
    "a watch of what is too old ends": (
        "asks", f"{CURL} -N '{PODS}?watch=true&resourceVersion=99999999' | jq -r '.type, .object.code'", "ERROR\n410\n",
    ),
    "exec": ("asks", f"{CURL} -X POST '{PODS}/box/exec?command=ls' | jq -r .message", "Upgrade request required\n"),
    "a proxied request": (
        "asks",
        f"{CURL} {API}/api/v1/namespaces/default/services/kubernetes/proxy/ | jq -r .message",
        "not simulated by this cluster: proxied requests of clients in Pods\n",
    ),
    "several on one connection": (
        "asks",
        "(printf '\\026\\003\\001'; printf 'GET /api HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /livez HTTP/1.1\\r\\n"
        "Connection: close\\r\\n\\r\\n') | nc kubernetes 443 | grep -c ^HTTP",
        "2\n",
    ),
    "busybox": (
        "box",
        f'wget -qO- --no-check-certificate --header "Authorization: Bearer $(cat {DIR}/token)" {API}/version | grep gitV',
        '  "gitVersion": "v1.37.0",\n',
    ),
    "the namespace and who may read": ("box", f"cat {DIR}/namespace; stat -Lc %a {DIR}/token", "default644\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(cluster: Cluster, name: str) -> None:
    who, line, out = ANSWERS[name]
    assert says(cluster, who, line)[1:] == (out, "")


REFUSED: dict[str, tuple[str, int, str]] = {
    "no authority": (
        f"curl {API}",
        60,
        "curl: (60) SSL certificate problem: unable to get local issuer certificate\n" + HELP,
    ),
    "another authority": (
        f"(echo -----BEGIN CERTIFICATE-----; echo aaaa; echo -----END CERTIFICATE-----) > o; curl --cacert o {API}",
        60,
        "curl: (60) SSL certificate problem: unable to get local issuer certificate\n" + HELP,
    ),
    "no certificates at all": (
        f"curl --cacert {DIR}/token {API}",
        77,
        f"curl: (77) error adding trust anchors from file: {DIR}/token\n",
    ),
    "another name": (
        f"curl --cacert {DIR}/ca.crt --resolve web:443:10.96.0.1 https://web/",
        60,
        "curl: (60) SSL: no alternative certificate subject name matches target hostname 'web'\n" + HELP,
    ),
    "self-signed": (
        "curl https://172.18.0.2:10259/healthz",
        60,
        "curl: (60) SSL certificate problem: self-signed certificate\n" + HELP,
    ),
    "no TLS there": (
        "curl -k https://10.96.0.10:9153/",
        35,
        "curl: (35) TLS connect error: error:0A00010B:SSL routines::wrong version number\n",
    ),
    "quietly": (f"curl -s {API}", 60, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_is_not_believed(cluster: Cluster, name: str) -> None:
    line, code, err = REFUSED[name]
    assert says(cluster, "asks", line) == (code, "", err)


def test_an_unbelieved_server_is_asked_nothing(cluster: Cluster) -> None:
    before = cluster.get("configmaps", "big", "default")
    says(cluster, "asks", f"curl -X DELETE {API}/api/v1/namespaces/default/configmaps/big")
    assert cluster.get("configmaps", "big", "default") == before


def test_a_token_is_its_pods() -> None:
    """Decoded as tutorials do; it ends with its Pod, and is another one for another audience."""
    fork = booted()
    source = {"serviceAccountToken": {"path": "t", "audience": "vault", "expirationSeconds": 600}}
    volumes = [{"name": "v", "projected": {"sources": [source]}}]
    other = pod("other", "busybox", "robot", volumes=volumes)
    other["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    fork.apply(other)
    assert fork.settle()
    token = says(fork, "other", f"cat {DIR}/token")[1]
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["sub"] == "system:serviceaccount:default:robot"
    assert claims["kubernetes.io"]["pod"]["name"] == "other"
    theirs = says(fork, "other", "cat /v/t")[1]
    asked = f"curl -sk -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer %s' {PODS}"
    assert says(fork, "asks", asked.replace("%s", token))[1] == "200"
    assert says(fork, "asks", asked.replace("%s", theirs))[1] == "401"
    fork.delete("pods", "other", "default")
    assert fork.settle()
    assert says(fork, "asks", asked.replace("%s", token))[1] == "401"


def test_a_pod_that_deletes_itself() -> None:
    """What a Pod asks for is done in the instant in which it asks; its own end follows."""
    cluster = booted()
    says(cluster, "asks", f"{CURL} -X DELETE '{PODS}/asks?gracePeriodSeconds=1' > /dev/null")
    assert cluster.settle()
    assert [each["metadata"]["name"] for each in cluster.list("pods", "default")] == ["box"]


def test_a_policy_closes_the_way() -> None:
    cluster = booted()
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "none", "namespace": "default"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    cluster.apply(policy)
    code, _, err = says(cluster, "asks", "curl -sSk -m 3 https://10.96.0.1/api")
    assert (code, err) == (28, "curl: (28) Connection timed out after 3000 milliseconds\n")


def test_replays_restores_and_forks_agree() -> None:
    """A Pod that writes all the time, cut in the middle; no token is in what is kept."""
    cluster = booted()
    post = (
        f"{CURL} -i -H 'Content-Type: application/json' -d @/tmp/m {API}/api/v1/namespaces/default/configmaps"
    )
    body = '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"generateName":"z-"}}'
    writer = pod("writer", "nicolaka/netshoot", "robot")
    loop = f"echo '{body}' > /tmp/m; while sleep 1; do {post}; done"
    writer["spec"]["containers"][0]["command"] = ["sh", "-c", loop]
    cluster.apply(writer)
    cluster.advance(20)
    cluster.request(Request("GET", "/api"))  # of which no journal knows
    token = says(cluster, "asks", f"cat {DIR}/token")[1]
    restored, fork = Cluster.restore(cluster.snapshot()), cluster.fork()
    for each in (cluster, restored, fork):
        each.advance(30)
    assert cluster.state_hash() == restored.state_hash() == fork.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    assert len(cluster.list("configmaps", "default")) > 40
    assert says(restored, "asks", f"cat {DIR}/token")[1] == token
    assert token.rpartition(".")[2] not in json.dumps(cluster.save(), default=repr)


def test_a_follower_goes_on_after_a_restore() -> None:
    """Cut in the middle: nothing is lost or told twice, and the journal alone leads to the same."""
    cluster = talking()
    follower = pod("follower", "nicolaka/netshoot", "robot")
    follower["spec"]["containers"][0]["command"] = ["sh", "-c", f"{CURL} -N '{PODS}/ticks/log?follow=true'"]
    cluster.apply(follower)
    cluster.advance(20)
    restored, fork = Cluster.restore(cluster.snapshot()), cluster.fork()
    for each in (cluster, restored, fork):
        each.advance(20)
    assert cluster.state_hash() == restored.state_hash() == fork.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    log = Request("GET", "/api/v1/namespaces/default/pods/follower/log", user=ADMIN)
    told = restored.request(log).body.decode().split()
    assert len(told) > 60
    assert told == [str(number + 1) for number in range(len(told))]
