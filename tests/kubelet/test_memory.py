"""Memory limits: what a container uses, whoever uses it, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from tests.kubelet.test_pod_lifecycles import c, logs, pod

LIMIT = {"resources": {"limits": {"memory": "100Mi"}}}
STRESS = {"image": "polinux/stress", "command": ["stress"]}
HOGS = ("--vm", "1", "--vm-hang", "1", "--vm-bytes")

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "within": (
        c(**STRESS, args=[*HOGS, "90M"], **LIMIT), {"running": {}}, "dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd"
    ),
    "beyond": (
        c(**STRESS, args=[*HOGS, "250M"], **LIMIT),
        {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        "dispatching",
    ),
    "by a child": (
        c(image="polinux/stress", command=["sh", "-c", f"stress {' '.join(HOGS)} 250M & wait; echo no"], **LIMIT),
        {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        "dispatching",
    ),
    "for a while": (
        c(**STRESS, args=[*HOGS, "90M", "--timeout", "5s"], **LIMIT),
        {"terminated": {"exitCode": 0, "reason": "Completed"}},
        "successful run completed in 5s",
    ),
    "no limit": (c(**STRESS, args=[*HOGS, "8G"]), {"running": {}}, "dispatching"),
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True, addons=False)
    cluster.apply(pod("warm", c(image="polinux/stress", command=["true"]), restartPolicy="Never"))
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def _state(cluster: Cluster) -> dict[str, Any]:
    state: dict[str, Any] = cluster.get("pods", "p")["status"]["containerStatuses"][0]["state"]  # type: ignore[index]
    return {
        name: {key: value for key, value in each.items() if key in ("exitCode", "reason")}
        for name, each in state.items()
    }


@pytest.mark.parametrize(("container", "state", "said"), CASES.values(), ids=CASES)
def test_what_becomes_of_a_container(
    cluster: Cluster, container: dict[str, Any], state: dict[str, Any], said: str
) -> None:
    cluster.apply(pod("p", container, restartPolicy="Never"))
    cluster.settle()
    cluster.advance(10)
    assert _state(cluster) == state
    assert any(said in line for line in logs(cluster))


def test_a_command_counts_as_well(cluster: Cluster) -> None:
    cluster.apply(
        pod("p", c(image="polinux/stress", command=["sleep", "1d"], **LIMIT), restartPolicy="Never")
    )
    cluster.settle()
    assert cluster.execute("p", ["stress", *HOGS, "250M"]).exit_code == 137
    cluster.advance(2)
    assert _state(cluster) == {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
