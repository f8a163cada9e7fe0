# ruff: noqa: E501 (one case a line)
"""agnhost netexec runs commands and asks other servers, and answers when they have."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.container_runtime.images import _netexec


def pod(name: str, *args: str) -> dict[str, Any]:
    container = {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.57", "args": list(args)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    for each in (pod("one", "netexec"), pod("two", "netexec"), pod("asks", "pause")):
        cluster.apply(each)
    assert cluster.settle()
    return cluster


def says(cluster: Cluster, path: str) -> str:
    one, two = (cluster.get("pods", name)["status"]["podIP"] for name in ("one", "two"))
    path = path.replace("TWO", two)
    return (
        cluster.execute("asks", ["wget", "-qO-", f"http://{one}:8080{path}"])
        .stdout.decode()
        .replace(two, "TWO")
    )


CASES = {
    "a command": ("/shell?cmd=echo%20hello", '{"output":"hello\\n"}'),
    "by its other name": ("/shell?shellCommand=hostname", '{"output":"one\\n"}'),
    "both streams, and a status": ("/shell?cmd=echo%20a;%20echo%20b%20%3E%262;%20exit%203", '{"error":"exit status 3","output":"a\\nb\\n"}'),
    "one that takes its time": ("/shell?cmd=sleep%202;%20echo%20done", '{"output":"done\\n"}'),
    "a hundred fields and more": ("/echo?msg=hi&" + "&".join(["a=1"] * 120) + "&msg=late", "hi"),
    "nothing": ("/shell?cmd=true", "{}"),
    "another Pod": ("/dial?host=TWO&port=8080&protocol=http&request=hostname&tries=2", '{"responses":["two","two"]}'),
    "what it echoes": ("/dial?host=TWO&port=8080&protocol=http&request=echo?msg=hi", '{"responses":["hi"]}'),
    "nobody": ("/dial?host=TWO&port=99&protocol=http&request=hostname", '{"errors":["Get \\"http://TWO:99/hostname\\": dial tcp TWO:99: connect: connection refused"]}'),
    "another status": ("/dial?host=TWO&port=8080&protocol=http&request=echo?code=404", '{"errors":["received non 200 status code 404"]}'),
}  # fmt: skip


@pytest.mark.parametrize(("path", "said"), CASES.values(), ids=CASES)
def test_requests(cluster: Cluster, path: str, said: str) -> None:
    assert says(cluster, path) == said


FORM = (
    'printf -- \'--x\\r\\nContent-Disposition: form-data; name="%s"; filename="x"\\r\\n\\r\\n'
    "#!/bin/sh\\necho it runs\\n\\r\\n--x--\\r\\n' {} > /tmp/x; "
    "curl -s -H 'Content-Type: multipart/form-data; boundary=x' --data-binary @/tmp/x URL/upload"
)
SENDS = {
    "a script that runs": (FORM.format("file"), '{"output":"/uploads/upload000000002"}'),
    "another field": (FORM.format("other"), '{"error":"Unable to upload file."}'),
    "no form": ("curl -s -d a=b URL/upload", '{"error":"Unable to upload file."}'),
}


@pytest.mark.parametrize(("line", "said"), SENDS.values(), ids=SENDS)
def test_uploads(cluster: Cluster, line: str, said: str) -> None:
    cluster = cluster.fork()
    meta = {"name": "sends", "namespace": "default"}
    container = {"name": "c", "image": "nicolaka/netshoot", "command": ["sleep", "100d"]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
    cluster.settle()
    url = f"http://{cluster.get('pods', 'one')['status']['podIP']}:8080"
    done = cluster.execute("sends", ["sh", "-c", line.replace("URL", url)])
    assert done.stdout.decode() == said
    if "output" in said:
        assert says(cluster, "/shell?cmd=/uploads/upload000000002") == '{"output":"it runs\\n"}'


def test_limits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_netexec, "MAX_OUTPUT", 3)
    monkeypatch.setattr(_netexec, "MAX_TRIES", 2)
    assert says(cluster, "/shell?cmd=echo%20hello") == '{"output":"hel"}'
    assert says(cluster, "/dial?host=TWO&port=99&protocol=http&request=a&tries=50").count("refused") == 2
