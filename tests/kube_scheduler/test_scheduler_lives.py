"""Random lives of a small cluster: nothing is overbooked, no event is missed, a copy goes on the same."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from test_extension_points import pod, scheduler_of

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.queue import GATED

STEPS = 60
NODES = ("worker-1", "worker-2", "worker-3")
LABELS = {"disk": ("ssd", "hdd"), "team": ("red", "blue")}
CLASSES = {"low": 10, "middle": 500, "high": 1000}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=4, seed=9, addons=False, freezing=True)
    for name, value in CLASSES.items():
        cluster.apply(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
            }
        )
    return cluster


def random_pod(chance: random.Random, number: int) -> JSON:
    spec: dict[str, Any] = {"priorityClassName": chance.choice((*CLASSES, "low"))}
    label = chance.choice(list(LABELS))
    value = chance.choice(LABELS[label])
    terms = [{"labelSelector": {"matchLabels": {label: value}}, "topologyKey": "kubernetes.io/hostname"}]
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    match chance.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7)):
        case 0:
            spec["nodeSelector"] = {label: value}
        case 1:
            spec["affinity"] = {"podAffinity": {required: terms}}
        case 2:
            spec["affinity"] = {"podAntiAffinity": {required: terms}}
        case 3:
            spec["topologySpreadConstraints"] = [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {label: value}},
                }
            ]
        case 4:
            spec["schedulingGates"] = [{"name": "example.com/later"}]
        case 5:
            spec["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]
    made = pod(f"p{number}", chance.choice(("", "", "200m", "500m", "1", "3")), **spec)
    made["metadata"]["labels"] = {name: chance.choice(values) for name, values in LABELS.items()}
    if chance.randrange(8) == 0:
        made["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 80}]
    return made


def step(cluster: Cluster, chance: random.Random, number: int, calm: bool) -> None:
    """One thing that somebody does, the same for the same chance. ``calm``: nodes are left open."""
    client = cluster.context.client("kubernetes-admin", "test", ("system:masters",))
    pods = [p for p in cluster.list("pods", "default") if "deletionTimestamp" not in p["metadata"]]
    some = chance.choice(pods) if pods else None
    node = chance.choice(NODES)
    what = chance.randrange(10)
    if what < 4 or some is None:
        cluster.apply(random_pod(chance, number))
    elif what < 6:
        cluster.delete("pods", some["metadata"]["name"])
    elif what == 6:
        name = chance.choice(list(LABELS))
        change = {name: chance.choice((*LABELS[name], None))}
        client.patch("nodes", node, None, {"metadata": {"labels": change}})
    elif what == 7 and not calm:
        taints = chance.choice(([], [{"key": "dedicated", "effect": "NoSchedule"}]))
        client.patch("nodes", node, None, {"spec": {"taints": taints}})
    elif what == 8 and not calm:
        client.patch("nodes", node, None, {"spec": {"unschedulable": chance.random() < 0.3}})
    elif some["spec"].get("schedulingGates"):
        client.update("pods", {**some, "spec": {**some["spec"], "schedulingGates": []}})
    else:
        name = chance.choice(list(LABELS))
        labels = {**some["metadata"]["labels"], name: chance.choice(LABELS[name])}
        client.update("pods", {**some, "metadata": {**some["metadata"], "labels": labels}})
    cluster.advance(chance.choice((0, 0.005, 0.3, 2, 7)))


def check(cluster: Cluster) -> None:
    """No node holds more than it has, and whoever waits fits nowhere."""
    scheduler = scheduler_of(cluster)
    for node in scheduler.cache.snapshot.nodes:
        for name, amount in node.requested.items():
            assert amount <= node.allocatable[name], (node.name, name)
        assert all(count == 1 for count in node.used_ports.values())
    for found in cluster.list("pods", "default"):
        waiting = scheduler.queue.get(f"default/{found['metadata']['name']}")
        if found["spec"].get("nodeName"):
            assert waiting is None
        elif "deletionTimestamp" not in found["metadata"]:
            assert waiting is not None
            if waiting.place != GATED:
                left = scheduler.frameworks["default-scheduler"].find(scheduler.cache.info(found)).node
                assert left is None, f"{waiting.key} would fit on {left.name}, refused by {waiting.plugins}"


def life(base: Cluster, seed: int) -> None:
    chance = random.Random(seed)
    cluster = base.fork()
    for number in range(STEPS):
        if chance.randrange(20) == 0:
            cluster = cluster.fork() if chance.random() < 0.5 else Cluster.restore(cluster.snapshot())
        step(cluster, chance, number, calm=bool(seed % 3))
    cluster.advance(60)  # less than the flush
    check(cluster)


def straight_and_copied(base: Cluster, seed: int) -> None:
    straight = base.fork()
    copied, chance = base.fork(), random.Random(seed)
    moments = {chance.randrange(STEPS): chance.choice(("fork", "restore")) for _ in range(4)}
    one, two = random.Random(seed), random.Random(seed)
    for number in range(STEPS):
        how = moments.get(number)
        if how == "fork":
            copied = copied.fork()
        elif how == "restore":
            copied = Cluster.restore(copied.snapshot())
        step(straight, one, number, calm=False)
        step(copied, two, number, calm=False)
    assert copied.state_hash() == straight.state_hash()


@pytest.mark.parametrize("seed", range(6))
def test_life(base: Cluster, seed: int) -> None:
    life(base, seed)


@pytest.mark.parametrize("seed", range(2))
def test_a_copy_goes_on_the_same(base: Cluster, seed: int) -> None:
    straight_and_copied(base, seed)


@pytest.mark.soak
def test_many_lives(base: Cluster) -> None:
    """The seed of the one that fails is told."""
    for seed in range(100, 100 + (400 if os.environ.get("DRYDOCK_SOAK") == "1" else 20)):
        try:
            life(base, seed)
            if seed % 5 == 0:
                straight_and_copied(base, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
