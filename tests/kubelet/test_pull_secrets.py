"""Private images: which Secret opens which repository, and what a Pod without one sees."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from test_node_logins import Login

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.keyring import MAX_NODE_FILE, NODE_FILE, logins

ME = ("janedoe", "letmein")
IMAGE = "janedoe/awesomeapp:v1"


def secret(auths: Any, kind: str = "kubernetes.io/dockerconfigjson", **meta: str) -> JSON:
    key = ".dockerconfigjson" if kind.endswith("json") else ".dockercfg"
    text = auths if isinstance(auths, bytes) else orjson.dumps(auths)
    data = {key: base64.b64encode(text).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", **meta},
        "type": kind,
        "data": data,
    }


def entry(user: str = ME[0], password: str = ME[1]) -> JSON:
    return {
        "username": user,
        "password": password,
        "auth": base64.b64encode(f"{user}:{password}".encode()).decode(),
    }


SERVERS: dict[str, tuple[str, str, bool]] = {
    "the hub's old name": ("https://index.docker.io/v1/", "docker.io/janedoe/awesomeapp", True),
    "the hub": ("docker.io", "docker.io/janedoe/awesomeapp", True),
    "a part of the hub": ("docker.io/janedoe", "docker.io/janedoe/awesomeapp", True),
    "another part": ("docker.io/somebody", "docker.io/janedoe/awesomeapp", False),
    "a registry": ("registry.example.com", "registry.example.com/team/app", True),
    "with a scheme": ("https://registry.example.com/v2/", "registry.example.com/team/app", True),
    "a pattern": ("*.example.com", "registry.example.com/team/app", True),
    "too few labels": ("*.com", "registry.example.com/team/app", False),
    "another one": ("registry.example.org", "registry.example.com/team/app", False),
}


@pytest.mark.parametrize(("server", "repository", "fits"), SERVERS.values(), ids=SERVERS.keys())
def test_where_a_login_counts(server: str, repository: str, fits: bool) -> None:
    given = secret({"auths": {server: entry()}})
    assert logins([given], repository) == ([ME] if fits else [])


BROKEN: dict[str, Any] = {
    "no JSON": b"{",
    "a list": [],
    "no auths": {"docker.io": entry()},
    "auths is text": {"auths": "x"},
    "an entry is text": {"auths": {"docker.io": "x"}},
    "auth is no base64": {"auths": {"docker.io": {"auth": "\N{SNOWMAN}"}}},
    "no user": {"auths": {"docker.io": {"password": "x"}}},
}


@pytest.mark.parametrize("auths", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_login(auths: Any) -> None:
    assert logins([secret(auths)], "docker.io/janedoe/awesomeapp") == []


def test_the_old_form() -> None:
    assert logins([secret({"docker.io": entry()}, "kubernetes.io/dockercfg")], "docker.io/janedoe/app") == [
        ME
    ]


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(secret({"auths": {"https://index.docker.io/v1/": entry()}}))
    cluster.apply(secret({"auths": {"docker.io": entry(password="wrong")}}, name="wrong"))
    cluster.apply(secret({"auths": {"registry.example.com": entry(password="no")}}, name="no"))
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def pod(name: str, key: str = "", image: str = IMAGE, policy: str = "IfNotPresent") -> JSON:
    container = {"name": "c", "image": image, "imagePullPolicy": policy}
    spec: JSON = {"containers": [container], "imagePullSecrets": [{"name": key}] if key else []}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def state(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    shown: JSON = found["status"]["containerStatuses"][0]["state"]
    return shown


REFUSED: dict[str, tuple[str, str, str]] = {
    "nobody at the hub": (
        "",
        IMAGE,
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
    ),
    "a wrong password at the hub": (
        "wrong",
        IMAGE,
        "failed to authorize: failed to fetch oauth token: unexpected status from GET request to "
        "https://auth.docker.io/token?scope=repository%3Ajanedoe%2Fawesomeapp%3Apull&service=registry.docker.io: "
        "401 Unauthorized",
    ),
    "nobody elsewhere": (
        "key",
        "registry.example.com/team/app:v1",
        "pull access denied, repository does not exist or may require authorization: authorization failed: no basic "
        "auth credentials",
    ),
    "a wrong password elsewhere": (
        "no",
        "registry.example.com/team/app:v1",
        "unexpected status from HEAD request to https://registry.example.com/v2/team/app/manifests/v1: "
        "401 Unauthorized",
    ),
}


@pytest.mark.parametrize(("key", "image", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_who_may_not_pull(cluster: Cluster, key: str, image: str, why: str) -> None:
    cluster.apply(pod("p", key, image))
    cluster.advance(6)
    waiting = state(cluster, "p")["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert why in waiting["message"]


def test_a_secret_that_comes_later(cluster: Cluster) -> None:
    """The next try finds it."""
    cluster.apply(pod("p", "late"))
    cluster.advance(30)
    assert "waiting" in state(cluster, "p")
    cluster.apply(secret({"auths": {"docker.io": entry()}}, name="late"))
    cluster.advance(120)
    assert "running" in state(cluster, "p")
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_an_image_of_somebody_else(cluster: Cluster) -> None:
    """That it is on the node opens it to nobody who could not have pulled it."""
    cluster.apply(pod("mine", "key"))
    cluster.advance(10)
    assert "running" in state(cluster, "mine")
    cluster.apply(pod("other"))
    cluster.apply(pod("never", policy="Never"))
    cluster.apply(pod("too", "key", policy="Never"))
    cluster.advance(10)
    assert "pull access denied" in state(cluster, "other")["waiting"]["message"]
    assert state(cluster, "never")["waiting"] == {
        "reason": "ErrImageNeverPull",
        "message": f'Container image "{IMAGE}" is present with pull policy of Never but does not have the proper '
        "credentials to access the image",
    }
    assert "running" in state(cluster, "too")


@pytest.mark.parametrize(("more", "found"), [(0, [ME]), (1, [])], ids=["as long as is read", "longer"])
def test_a_nodes_file_that_is_long(more: int, found: list[tuple[str, str]]) -> None:
    text = orjson.dumps({"auths": {"docker.io": entry()}}).decode()
    assert logins([], "docker.io/janedoe/app", text + " " * (MAX_NODE_FILE - len(text) + more)) == found


#: What a node's own file says, whether the Pod names a Secret; whether it runs.
NODE_FILES: dict[str, tuple[Any, str, bool]] = {
    "the node's alone": ({"auths": {"docker.io": entry()}}, "", True),
    "the Pod's is wrong": ({"auths": {"docker.io": entry()}}, "wrong", True),
    "both are wrong": ({"auths": {"docker.io": entry(password="no")}}, "wrong", False),
    "of another registry": ({"auths": {"registry.example.com": entry()}}, "", False),
    "no JSON": ("auths", "", False),
    "a folder": (None, "", False),
}


@pytest.mark.parametrize(("file", "key", "runs"), NODE_FILES.values(), ids=NODE_FILES.keys())
def test_what_a_node_knows(cluster: Cluster, file: Any, key: str, runs: bool) -> None:
    text = file if isinstance(file, str) else orjson.dumps(file).decode()
    write = f"mkdir {NODE_FILE}" if file is None else f"cat > {NODE_FILE}"
    assert Login(cluster, "worker-1", ["sh", "-c", f"{write} <<'X'\n{text}\nX"]).status == 0
    wanted = pod("p", key)
    wanted["spec"]["nodeName"] = "worker-1"
    cluster.apply(wanted)
    cluster.advance(30)
    assert ("running" in state(cluster, "p")) is runs
    again = Cluster.restore(cluster.snapshot())
    assert again.state_hash() == cluster.state_hash()
