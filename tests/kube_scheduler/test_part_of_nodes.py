"""Of many nodes a part is looked at, each time from where the last search ended."""

from __future__ import annotations

from typing import Any

import pytest
from test_scheduler_config import config, profile
from test_scheduler_plugins import framework, node, pod

from cluster_engine import Cluster
from cluster_engine.kube_scheduler.framework.rotation import enough, interleaved
from cluster_engine.kube_scheduler.framework.types import NodeInfo
from cluster_engine.kube_scheduler.plugins.default_preemption import DefaultPreemption

# nodes, percentage, how many that can do are enough (TestNumFeasibleNodesToFind, and its limits)
ENOUGH = {
    "few nodes": (99, 0, 99),
    "few nodes, a percentage": (10, 10, 10),
    "the smallest part": (100, 0, 100),
    "a hundred at least": (200, 10, 100),
    "half, less a little": (1000, 0, 420),
    "a percentage": (1000, 40, 400),
    "a large cluster": (5000, 0, 500),
    "a very large one": (6000, 0, 300),
    "its percentage": (6000, 40, 2400),
    "all": (6000, 100, 6000),
}


@pytest.mark.parametrize(("nodes", "percentage", "expected"), ENOUGH.values(), ids=ENOUGH.keys())
def test_how_many_are_enough(nodes: int, percentage: int, expected: int) -> None:
    assert enough(nodes, percentage) == expected


def test_zones_take_turns() -> None:
    zones = [("r", "a"), ("r", "a"), ("r", "b"), ("r", "a"), ("s", "b"), ("", "")]
    labels = ({"topology.kubernetes.io/region": r, "topology.kubernetes.io/zone": z} for r, z in zones)
    nodes = [NodeInfo(node(f"n{i}", labels=each)) for i, each in enumerate(labels)]
    assert interleaved(nodes) == [0, 2, 4, 5, 1, 3]


NOTHING_SCORES = config(profiles=[profile(plugins={"score": {"disabled": [{"name": "*"}]}})])
MANY = [node(f"n{i:03}") for i in range(300)]


def looked_at(fw: Any, wanted: Any) -> list[str]:
    tally = fw.find(fw.cache.info(wanted)).tally
    return [tally.nodes[place] for place in tally.looked_at]


@pytest.mark.parametrize("where", ["everywhere", "profile"])
def test_each_search_goes_on_where_the_last_one_ended(where: str) -> None:
    """Of 300 nodes 40 % are 120; who cannot do is passed over, and counts as looked at."""
    said: dict[str, Any] = {"percentageOfNodesToScore": 40}
    text = config(**said) if where == "everywhere" else config(profiles=[profile(**said)])
    nodes = [*MANY]
    nodes[5] = node("n005", unschedulable=True)
    fw = framework(nodes, [], text)
    assert looked_at(fw, pod("p")) == [f"n{i:03}" for i in range(121)]
    assert looked_at(fw, pod("q")) == [f"n{i:03}" for i in range(121, 241)]
    assert looked_at(fw, pod("r")) == [f"n{i % 300:03}" for i in range(241, 362)]


def test_who_fits_nowhere_was_looked_at_everywhere() -> None:
    fw = framework(MANY, [])
    found = fw.find(fw.cache.info(pod(requests={"cpu": "5"})))
    assert found.diagnosis is not None
    assert len(found.diagnosis.refusals) == 300
    assert found.tally.looked_at is None


def test_where_nothing_scores_the_first_node_is_taken() -> None:
    fw = framework(MANY[:3], [], NOTHING_SCORES)
    places = [fw.find(fw.cache.info(pod(f"p{i}"))).node for i in range(4)]
    assert [place.name for place in places if place] == ["n000", "n001", "n002", "n000"]


def test_an_attempt_says_which_nodes_nobody_was_asked_about() -> None:
    """And a cluster that is brought back goes on with the node whose turn it is."""
    cluster = Cluster(nodes=3, seed=1, scheduler_config=NOTHING_SCORES)
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    cluster.settle()
    attempt = cluster.attempts("default", "p")[-1]
    names = [each["name"] for each in attempt["nodes"]]
    assert sorted(names + attempt["unvisited"]) == [
        each["metadata"]["name"] for each in cluster.list("nodes")
    ]
    assert attempt["unvisited"]
    assert [each["name"] for each in attempt["nodes"] if each["feasible"]] == [attempt["node"]]
    again = Cluster.restore(cluster.snapshot())
    for one in (cluster, again):
        one.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}, "spec": spec})
        one.settle()
    assert cluster.attempts("default", "q")[-1]["nodes"] == again.attempts("default", "q")[-1]["nodes"]
    assert cluster.attempts("default", "q")[-1]["node"] != attempt["node"]
    assert cluster.state_hash() == again.state_hash()


def test_preemption_looks_for_so_many_candidates() -> None:
    """A hundred at least, beginning anywhere; where only one is asked for, it ends with the first."""
    args = {"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 1}
    text = config(profiles=[profile(pluginConfig=[{"name": "DefaultPreemption", "args": args}])])
    placed = [pod(f"x{i}", on=f"n{i:03}", requests={"cpu": "4"}) for i in range(120)]
    important = pod("p", priority=9, requests={"cpu": "4"})
    counts = []
    for said in (text, ""):
        fw = framework(MANY[:120], placed, said)
        (preemption,) = [plugin for plugin in fw.plugins if isinstance(plugin, DefaultPreemption)]
        waiting = fw.cache.info(important)
        found = fw.find(waiting)
        assert found.diagnosis is not None
        candidates = preemption.candidates(waiting, found.diagnosis)
        assert isinstance(candidates, list)
        counts.append(len(candidates))
    assert counts == [1, 100]


def test_a_node_knows_whether_anybody_there_matters_less() -> None:
    fw = framework([node("n")], [pod("a", on="n", priority=5), pod("b", on="n", priority=5)])
    (here,) = fw.cache.snapshot.nodes
    keys = list(here.pods)
    found = [
        (each.has_below(5), each.has_below(6))
        for each in (here, here.altered(without=keys[:1]), here.altered(without=keys), here)
    ]
    assert found == [(False, True), (False, True), (False, False), (False, True)]
