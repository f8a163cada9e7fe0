"""KubeSchedulerConfiguration: what is refused and in whose words, what becomes of profiles, and what arguments do."""

from __future__ import annotations

from typing import Any

import pytest
from test_scheduler_plugins import TAINT, decide, expression, framework, node, pod

from cluster_engine import Cluster
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.config import ConfigError, loaded
from cluster_engine.kube_scheduler.plugins import PLUGINS

VERSION = "kubescheduler.config.k8s.io/v1"


def config(**fields: Any) -> str:
    return yaml.dump({"apiVersion": VERSION, "kind": "KubeSchedulerConfiguration", **fields})


def profile(name: str = "default-scheduler", **fields: Any) -> JSON:
    return {"schedulerName": name, **fields}


def args(plugin: str, **fields: Any) -> str:
    return config(profiles=[profile(pluginConfig=[{"name": plugin, "args": fields}])])


def plugins(**points: JSON) -> str:
    return config(profiles=[profile(plugins=points)])


ONE = "profiles[0].pluginConfig[0].args"
STARTING = "initializing profiles: creating profile for scheduler name default-scheduler: "
FIT = f'{STARTING}initializing plugin "NodeResourcesFit": '
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}

REFUSED = {
    "another version": (
        "apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration\n",
        'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1beta3" in '
        'scheme "pkg/scheduler/apis/config/scheme/scheme.go:30"',
    ),
    "an unknown field": (
        config(profile=[]),
        'strict decoding error: unknown field "profile"',
    ),
    "an unknown field of a profile": (
        config(profiles=[{"name": "x"}]),
        'strict decoding error: unknown field "profiles[0].name"',
    ),
    "an unknown argument": (
        args("NodeAffinity", affinity={}),
        "strict decoding error: decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeAffinity: "
        'strict decoding error: unknown field "affinity"',
    ),
    "another plugin's arguments": (
        args("NodeAffinity", kind="InterPodAffinityArgs"),
        "strict decoding error: decoding .profiles[0].pluginConfig[0]: args for plugin NodeAffinity were not of type "
        "NodeAffinityArgs.kubescheduler.config.k8s.io, got InterPodAffinityArgs.kubescheduler.config.k8s.io",
    ),
    "no parallelism": (
        config(parallelism=0),
        "parallelism: Invalid value: 0: should be an integer value greater than zero",
    ),
    "another lock": (
        config(leaderElection={"leaderElect": True, "resourceLock": "endpoints"}),
        'leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be "leases"',
    ),
    "a percentage": (
        config(percentageOfNodesToScore=101),
        "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
    ),
    "a profile's percentage": (
        config(profiles=[profile(percentageOfNodesToScore=-1)]),
        "profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]",
    ),
    "back-offs": (
        config(podInitialBackoffSeconds=0, podMaxBackoffSeconds=-1),
        "[podInitialBackoffSeconds: Invalid value: 0: must be greater than 0, podMaxBackoffSeconds: Invalid value: -1: "
        "must be greater than or equal to PodInitialBackoffSeconds]",
    ),
    "two of a name": (
        config(profiles=[profile("a"), profile("a")]),
        'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ),
    "two, one without a name": (
        config(profiles=[profile("a"), {}]),
        "profiles[1].schedulerName: Required value",
    ),
    "a removed plugin": (
        plugins(filter={"enabled": [{"name": "EBSLimits"}]}),
        'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version "v1" '
        f'(KubeSchedulerConfiguration is version "{VERSION}")',
    ),
    "arguments twice": (
        config(profiles=[profile(pluginConfig=[{"name": "A"}, {"name": "A"}])]),
        'profiles[0].pluginConfig[1]: Duplicate value: "A"',
    ),
    "two that sort": (
        plugins(queueSort={"enabled": [{"name": "PrioritySort"}, {"name": "Coscheduling"}]}),
        "profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin can be enabled",
    ),
    "queues that differ": (
        config(profiles=[profile("a"), profile("b", plugins={"queueSort": {"disabled": [{"name": "*"}]}})]),
        'profiles[1].plugins.queueSort: Invalid value: {"disabled":[{"name":"*"}]}: must be the same for all profiles',
    ),
    "nobody sorts": (
        plugins(queueSort={"disabled": [{"name": "*"}]}),
        f'{STARTING}only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
    ),
    "nobody binds": (
        plugins(multiPoint={"disabled": [{"name": "DefaultBinder"}]}),
        f'{STARTING}at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
    ),
    "an unknown plugin": (
        plugins(score={"enabled": [{"name": "Dice"}]}),
        f'{STARTING}ScorePlugin "Dice" does not exist',
    ),
    "an unknown plugin everywhere": (
        plugins(multiPoint={"enabled": [{"name": "Dice"}]}),
        f'{STARTING}PreFilterPlugin "Dice" does not exist',
    ),
    "a plugin elsewhere": (
        plugins(score={"enabled": [{"name": "NodeName"}]}),
        f'{STARTING}plugin "NodeName" does not extend ScorePlugin plugin',
    ),
    "a plugin twice": (
        plugins(score={"enabled": [{"name": "NodeAffinity"}, {"name": "NodeAffinity"}]}),
        f'{STARTING}plugin "NodeAffinity" already registered as "ScorePlugin"',
    ),
    "preemption": (
        args("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=0),
        f"[{ONE}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as "
        f"minCandidateNodesAbsolute, {ONE}.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same "
        "time as minCandidateNodesPercentage]",
    ),
    "hard affinity's weight": (
        args("InterPodAffinity", hardPodAffinityWeight=101),
        f"{ONE}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
    ),
    "added affinity": (
        args(
            "NodeAffinity",
            addedAffinity={
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [expression("a", "Is")]}
            },
        ),
        f"{ONE}.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]"
        '.operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"',
    ),
    "balanced": (
        args("NodeResourcesBalancedAllocation", resources=[{"name": "cpu", "weight": 2}, {"name": "cpu"}]),
        f"[{ONE}.resources[0].weight: Invalid value: 2: must be 1, {ONE}.resources[1].name: Duplicate value: \"cpu\"]",
    ),
    "defaults of the system and of its own": (
        args("PodTopologySpread", defaultConstraints=[SPREAD]),
        f'{ONE}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ),
    "a kind of defaults": (
        args("PodTopologySpread", defaultingType="None"),
        f'{ONE}.defaultingType: Unsupported value: "None": supported values: "System", "List"',
    ),
    "a constraint with a selector": (
        args(
            "PodTopologySpread",
            defaultingType="List",
            defaultConstraints=[{**SPREAD, "maxSkew": 0, "labelSelector": {}}, SPREAD],
        ),
        f"[{ONE}.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf), "
        f"{ONE}.defaultConstraints[0].labelSelector: Forbidden: constraint must not define a selector, as they deduced "
        f'for each pod, {ONE}.defaultConstraints[1]: Duplicate value: "{{zone, DoNotSchedule}}"]',
    ),
    "a time to bind": (
        args("VolumeBinding", bindTimeoutSeconds=-1),
        f"{ONE}.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value",
    ),
    "a strategy": (
        args("NodeResourcesFit", scoringStrategy={"type": "Best"}),
        f'{FIT}scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", '
        '"RequestedToCapacityRatio"',
    ),
    "a resource's weight": (
        args(
            "NodeResourcesFit",
            scoringStrategy={"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 101}]},
        ),
        f"{FIT}scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range "
        "(0, 100]",
    ),
    "a ratio without a shape": (
        args("NodeResourcesFit", scoringStrategy={"type": "RequestedToCapacityRatio"}),
        f"{FIT}scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is "
        "RequestedToCapacityRatio",
    ),
    "a shape that falls back": (
        args(
            "NodeResourcesFit",
            scoringStrategy={
                "type": "RequestedToCapacityRatio",
                "requestedToCapacityRatio": {
                    "shape": [{"utilization": 50, "score": 0}, {"utilization": 50, "score": 11}]
                },
            },
        ),
        f"{FIT}[scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 50: values must be "
        "sorted in increasing order, scoringStrategy.requestedToCapacityRatio.shape[1].score: Invalid value: 11: not "
        "in valid range [0, 10]]",
    ),
    "a group with a slash": (
        args("NodeResourcesFit", ignoredResourceGroups=["example.com/a"]),
        f"{FIT}ignoredResourceGroups[0]: Invalid value: \"example.com/a\": resource group name can't contain '/'",
    ),
    "extenders": (
        config(extenders=[{"urlPrefix": "http://e"}]),
        "extenders: Drydock does not simulate extenders (a real kube-scheduler has it)",
    ),
    "a plugin that is not simulated": (
        plugins(multiPoint={"enabled": [{"name": "GangScheduling"}]}),
        "profiles[0].plugins.multiPoint.enabled: Drydock does not simulate the plugin GangScheduling (a real "
        "kube-scheduler has it)",
    ),
    "a filter that nobody prepares": (
        plugins(preFilter={"disabled": [{"name": "PodTopologySpread"}]}),
        "profiles[0].plugins.preFilter: Drydock does not simulate PodTopologySpread at filter without preFilter (a "
        "real kube-scheduler has it)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text, PLUGINS)
    assert str(caught.value) == expected


def scorers(text: str) -> list[tuple[str, int]]:
    (only,) = loaded(text, PLUGINS).profiles
    return [(name, only.weights[name]) for name in only.points["score"]]


DEFAULT_SCORERS = [
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodeResourcesFit", 1),
    ("VolumeBinding", 1),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
]

MERGED = {
    "nothing said": (config(), DEFAULT_SCORERS),
    "a weight at the point": (
        plugins(score={"enabled": [{"name": "ImageLocality", "weight": 9}]}),
        [("ImageLocality", 9), *DEFAULT_SCORERS[:-1]],
    ),
    "a weight everywhere": (
        plugins(multiPoint={"enabled": [{"name": "TaintToleration", "weight": 7}]}),
        [("TaintToleration", 7), *DEFAULT_SCORERS[1:]],
    ),
    "no weight is one": (
        plugins(multiPoint={"enabled": [{"name": "TaintToleration"}]}),
        [("TaintToleration", 1), *DEFAULT_SCORERS[1:]],
    ),
    "off at the point": (
        plugins(score={"disabled": [{"name": "InterPodAffinity"}, {"name": "NodeVolumeLimits"}]}),
        [pair for pair in DEFAULT_SCORERS if pair[0] != "InterPodAffinity"],
    ),
    "all off but one": (
        plugins(score={"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit", "weight": 5}]}),
        [("NodeResourcesFit", 5)],
    ),
    "all off everywhere": (
        plugins(
            multiPoint={
                "disabled": [{"name": "*"}],
                "enabled": [{"name": n} for n in ("PrioritySort", "DefaultBinder", "ImageLocality")],
            }
        ),
        [("ImageLocality", 1)],
    ),
}


@pytest.mark.parametrize(("text", "expected"), MERGED.values(), ids=MERGED.keys())
def test_who_scores(text: str, expected: list[tuple[str, int]]) -> None:
    assert scorers(text) == expected


def strategy(kind: str, *resources: str, shape: tuple[tuple[int, int], ...] = ()) -> str:
    inner: JSON = {"type": kind}
    if resources:
        inner["resources"] = [{"name": name} for name in resources]
    if shape:
        points = [{"utilization": at, "score": score} for at, score in shape]
        inner["requestedToCapacityRatio"] = {"shape": points}
    return args("NodeResourcesFit", scoringStrategy=inner)


GPU = "example.com/gpu"
HALF_CPU = {"cpu": "2", "memory": "2Gi"}
RISING, FALLING = ((0, 0), (100, 10)), ((0, 10), (100, 0))

STRATEGIES = {
    # A node of 4 CPUs and 8Gi: half of its CPU and a quarter of its memory are asked for.
    "least allocated": (strategy("LeastAllocated"), HALF_CPU, (50 + 75) // 2),
    "most allocated": (strategy("MostAllocated"), HALF_CPU, (50 + 25) // 2),
    "most allocated, CPU alone": (strategy("MostAllocated", "cpu"), HALF_CPU, 50),
    "ratio, packed": (strategy("RequestedToCapacityRatio", shape=RISING), HALF_CPU, 38),
    "ratio, spread": (strategy("RequestedToCapacityRatio", shape=FALLING), HALF_CPU, 63),
    "ratio, what scores nothing does not count": (
        strategy("RequestedToCapacityRatio", shape=((0, 0), (25, 0), (100, 9))), HALF_CPU, 30,
    ),
    "ratio, before its first point": (
        strategy("RequestedToCapacityRatio", "cpu", shape=((60, 4), (100, 9))), HALF_CPU, 40,
    ),
    "ratio, behind its last point": (
        strategy("RequestedToCapacityRatio", "cpu", shape=((0, 2), (40, 7))), HALF_CPU, 70,
    ),
    "an extended resource": (strategy("MostAllocated", GPU), {GPU: "3"}, 75),
    "an extended resource that is not asked for": (strategy("MostAllocated", "cpu", GPU), HALF_CPU, 50),
}  # fmt: skip


@pytest.mark.parametrize(("text", "asked", "expected"), STRATEGIES.values(), ids=STRATEGIES.keys())
def test_scoring_strategies(text: str, asked: dict[str, str], expected: int) -> None:
    fw = framework([node("a", allocatable={GPU: "4"})], [], text)
    (fit,) = (plugin for plugin in fw.plugins if plugin.name == "NodeResourcesFit")
    assert fit.score_shape(fw.cache.shapes.of(pod(requests=asked)), fw.cache.snapshot.nodes[0]) == expected  # type: ignore[attr-defined]


SSD = expression("disk", "In", "ssd")
IN_ZONES = [node("a", {"zone": "x"}), node("b", {"zone": "x"}), node("c", {"zone": "y"})]
RS = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True, "uid": "u"}

ARGUED = {
    "affinity is added": (
        [node("a"), node("b", {"disk": "ssd"})], [], pod(),
        args("NodeAffinity", addedAffinity={
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [SSD]}}),
        "b",
    ),
    "added affinity refuses in its own words": (
        [node("a")], [], pod(),
        args("NodeAffinity", addedAffinity={
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [SSD]}}),
        "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity.",
    ),
    "a preference is added": (
        [node("a"), node("b", {"disk": "ssd"})], [], pod(),
        args("NodeAffinity", addedAffinity={
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": SSD}]}),
        "b",
    ),
    "a resource of somebody else's": (
        [node("a")], [], pod(requests={GPU: "1"}), args("NodeResourcesFit", ignoredResources=[GPU]), "a",
    ),
    "resources of somebody else's": (
        [node("a")], [], pod(requests={GPU: "1"}),
        args("NodeResourcesFit", ignoredResourceGroups=["example.com"]), "a",
    ),
    "packed instead of spread": (
        [node("a"), node("b")], [pod("x", on="b", requests=HALF_CPU)], pod(requests=HALF_CPU),
        strategy("MostAllocated"), "b",
    ),
    "a filter is off": (
        [node("a", taints=[TAINT])], [], pod(),
        plugins(filter={"disabled": [{"name": "TaintToleration"}]}), "a",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "placed", "wanted", "text", "expected"), ARGUED.values(), ids=ARGUED.keys()
)
def test_what_arguments_do(nodes: Any, placed: Any, wanted: JSON, text: str, expected: str) -> None:
    assert decide(nodes, placed, wanted, text) == expected


TWO = config(
    podInitialBackoffSeconds=3,
    profiles=[
        profile(),
        profile(
            "packer",
            pluginConfig=[
                {"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "MostAllocated"}}}
            ],
            plugins={
                "score": {
                    "disabled": [{"name": "*"}],
                    "enabled": [{"name": "NodeResourcesFit"}],
                },
                "postFilter": {"disabled": [{"name": "*"}]},
            },
        ),
    ],
)


def _apply(cluster: Cluster, name: str, scheduler: str, **more: Any) -> None:
    requests = {"cpu": more.pop("cpu", "100m")}
    box = {"name": "c", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests}}
    spec = {"schedulerName": scheduler, "containers": [box], **more}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def test_several_schedulers() -> None:
    """Each profile places its own Pods and speaks in its own name; a Pod of nobody's waits for ever."""
    cluster = Cluster(nodes=4, seed=1, addons=False, scheduler_config=TWO)
    for number in range(3):
        _apply(cluster, f"packed-{number}", "packer")
        cluster.settle()
    _apply(cluster, "huge", "packer", cpu="1k")
    _apply(cluster, "lost", "nobody")
    cluster.settle()
    pods = {p["metadata"]["name"]: p for p in cluster.list("pods", "default")}
    assert len({pods[f"packed-{n}"]["spec"]["nodeName"] for n in range(3)}) == 1
    assert "nodeName" not in pods["lost"]["spec"]
    assert "conditions" not in pods["lost"]["status"]
    told = {
        (e["reason"], e["source"]["component"], e["message"])
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] in ("packed-0", "huge") and e["source"]["component"] != "kubelet"
    }
    node_name = pods["packed-0"]["spec"]["nodeName"]
    assert told == {
        ("Scheduled", "packer", f"Successfully assigned default/packed-0 to {node_name}"),
        (
            "FailedScheduling",
            "packer",
            "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu.",
        ),
    }
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    assert Cluster.restore(cluster.snapshot()).fork().state_hash() == cluster.state_hash()


def test_a_cluster_with_a_bad_configuration_is_none() -> None:
    with pytest.raises(ConfigError, match="parallelism"):
        Cluster(nodes=1, scheduler_config=config(parallelism=-1))


def test_the_profiles_default_constraints() -> None:
    """Pods of a controller that say nothing of spreading are spread as the profile says."""
    text = args(
        "PodTopologySpread",
        defaultingType="List",
        defaultConstraints=[{**SPREAD, "topologyKey": "kubernetes.io/hostname"}],
    )
    cluster = Cluster(nodes=2, seed=1, addons=False, scheduler_config=text)
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]},
                },
            },
        }
    )
    cluster.settle()
    placed = [p["spec"].get("nodeName") for p in cluster.list("pods", "default")]
    assert sorted(placed, key=str) == [None, "worker-1"]
    (waiting,) = (p for p in cluster.list("pods", "default") if not p["spec"].get("nodeName"))
    assert waiting["status"]["conditions"][0]["message"] == (
        "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated "
        "taint(s). preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption "
        "is not helpful for scheduling."
    )
