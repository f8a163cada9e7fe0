"""Volumes that show an image: pulled by policy before the container is made, read-only, whole or in part."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster

NGINX = "/usr/share/nginx/html"


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.settle()
    return cluster


def pod(reference: str, *mounts: dict[str, Any], policy: str = "", image: str = "busybox") -> dict[str, Any]:
    source = {"reference": reference, **({"pullPolicy": policy} if policy else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": image,
                    "command": ["sleep", "99999"],
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}, *mounts],
                }
            ],
            "volumes": [{"name": "v", "image": source}],
        },
    }


def run(cluster: Cluster, line: str) -> str:
    done = cluster.execute("p", ("sh", "-c", line), container="c")
    return (done.stdout + done.stderr).decode()


def told(cluster: Cluster, name: str = "p") -> list[str]:
    """The kubelet's events of the Pod, as (reason: message)."""
    events = [
        event
        for event in cluster.list("events", "default")
        if event["source"]["component"] == "kubelet" and event["involvedObject"]["name"] == name
    ]
    return [f"{e['reason']}: {e['message']}" for e in events]


def waiting(cluster: Cluster) -> tuple[str, str]:
    found = cluster.get("pods", "p")
    assert found is not None
    state = found["status"]["containerStatuses"][0]["state"]["waiting"]
    return state["reason"], state.get("message", "")


def test_it_shows_the_images_files_read_only(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27", {"name": "v", "mountPath": "/html", "subPath": NGINX[1:]}))
    cluster.advance(12)
    assert "Welcome to nginx!" in run(cluster, f"cat /v{NGINX}/index.html")
    assert run(cluster, f"cat /v{NGINX}/index.html") == run(cluster, "cat /html/index.html")
    assert run(cluster, "ls -d /v/proc /v/dev").count("No such file") == 2
    assert run(cluster, "touch /v/x /html/x").count("Read-only file system") == 2
    pulled = [text for text in told(cluster) if text.startswith("Pull") and "nginx" in text]
    assert [text.split(" in ")[0] for text in pulled] == [
        'Pulling: Pulling image "nginx:1.27"',
        'Pulled: Successfully pulled image "nginx:1.27"',
    ]
    names = [
        name for image in cluster.get("nodes", "worker-1")["status"]["images"] for name in image["names"]
    ]  # type: ignore[index]
    assert "docker.io/library/nginx:1.27" in names


def test_an_image_that_cannot_be_had_keeps_its_container_waiting(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:9.99.99"))
    cluster.advance(4)
    reason, message = waiting(cluster)
    assert reason == "ErrImagePull"
    assert "docker.io/library/nginx:9.99.99: not found" in message
    cluster.advance(12)
    assert waiting(cluster)[0] in ("ImagePullBackOff", "ErrImagePull")


def test_never_pulls_nothing(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27", policy="Never"))
    cluster.advance(6)
    assert waiting(cluster) == (
        "ErrImageNeverPull",
        'Container image "nginx:1.27" is not present with pull policy of Never',
    )


PRESENT = 'Container image "nginx:1.27" already present on machine and can be accessed by the pod'
AGAIN = {"IfNotPresent": f"Pulled: {PRESENT}", "Always": 'Pulling: Pulling image "nginx:1.27"'}


@pytest.mark.parametrize(("policy", "second"), AGAIN.items(), ids=AGAIN)
def test_a_second_pod_has_it_by_policy(base: Cluster, policy: str, second: str) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27", policy=policy))
    cluster.advance(12)
    cluster.apply({**pod("nginx:1.27", policy=policy), "metadata": {"name": "q"}})
    cluster.advance(12)
    assert second in told(cluster, "q")


def test_a_part_that_is_not_there(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27", {"name": "v", "mountPath": "/html", "subPath": "no/such"}))
    cluster.advance(8)
    assert waiting(cluster) == (
        "CreateContainerConfigError",
        'failed to mount image volume: subpath "no/such" does not exist in the image',
    )


def test_it_outlives_a_keyframe_and_a_restart(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27"))
    cluster.advance(1)  # the first image is on its way
    again = Cluster.resume(cluster.keyframe())
    for each in (cluster, again):
        each.advance(12)
        assert "Welcome to nginx!" in run(each, f"cat /v{NGINX}/index.html")
    assert again.state_hash() == cluster.state_hash()


def test_a_keyframe_holds_the_images_name_and_not_its_files(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("nginx:1.27", {"name": "v", "mountPath": "/html", "subPath": NGINX[1:]}))
    cluster.advance(12)
    for asked in (False, True):  # before a machine was made for it, and after
        if asked:
            run(cluster, "true")
        assert b"Welcome to nginx!" not in cluster.keyframe(compressed=False)
        again = Cluster.resume(cluster.keyframe())
        assert again.state_hash() == cluster.state_hash()
        assert "Welcome to nginx!" in run(again, "cat /html/index.html")
