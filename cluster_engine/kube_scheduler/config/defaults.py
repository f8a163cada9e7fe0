"""What a KubeSchedulerConfiguration leaves open. Models pkg/scheduler/apis/config/v1/defaults.go."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.apimachinery.cow import JSON

_SETTINGS: JSON = {
    "parallelism": 16,
    "percentageOfNodesToScore": 0,
    "podInitialBackoffSeconds": 1,
    "podMaxBackoffSeconds": 10,
}
_RESOURCES = [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]


def completed(config: JSON) -> JSON:
    """The configuration with the defaults of everything but its plugins' arguments."""
    profiles = config.get("profiles") or [{}]
    if len(profiles) == 1 and "schedulerName" not in profiles[0]:
        profiles = [{**profiles[0], "schedulerName": "default-scheduler"}]
    return {**_SETTINGS, **config, "profiles": profiles}


def completed_args(name: str, args: JSON) -> JSON:
    """What a plugin goes by."""
    complete = _ARGS.get(name)
    return complete(args) if complete is not None else args


def _weighted(resources: list[JSON]) -> list[JSON]:
    return [{**each, "weight": each.get("weight") or 1} for each in resources or _RESOURCES]


def _fit(args: JSON) -> JSON:
    strategy = args.get("scoringStrategy")
    if strategy is None:
        strategy = {"type": "LeastAllocated"}
    return {**args, "scoringStrategy": {**strategy, "resources": _weighted(strategy.get("resources") or [])}}


_ARGS: dict[str, Callable[[JSON], JSON]] = {
    "DefaultPreemption": lambda args: {
        "minCandidateNodesPercentage": 10,
        "minCandidateNodesAbsolute": 100,
        **args,
    },
    "InterPodAffinity": lambda args: {"hardPodAffinityWeight": 1, **args},
    "NodeResourcesBalancedAllocation": lambda args: {
        **args,
        "resources": _weighted(args.get("resources") or []),
    },
    "NodeResourcesFit": _fit,
    "PodTopologySpread": lambda args: {**args, "defaultingType": args.get("defaultingType") or "System"},
    "VolumeBinding": lambda args: {"bindTimeoutSeconds": 600, **args},
}
"""The defaults of each plugin's arguments."""
