"""What is wrong with a completed KubeSchedulerConfiguration.

Models pkg/scheduler/apis/config/validation. ``NodeResourcesFit`` is checked when its plugin is made, as upstream,
where the table of checks has it under a name that no plugin has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.validation import validate_label_name
from cluster_engine.component_helpers import node_affinity

REMOVED = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")
"""Plugins that upstream no longer has."""
_STRATEGIES = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")
_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_VERSION = "kubescheduler.config.k8s.io/v1"
_NO_POD_SELECTOR = "constraint must not define a selector, as they deduced for each pod"
_NO_SHAPE = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring"

Problems = list[FieldError | str]


def check(config: JSON) -> Problems:
    """All that is wrong with it."""
    problems: Problems = []
    election = config.get("leaderElection") or {}
    lock = election.get("resourceLock") or "leases"
    if election.get("leaderElect", True) and lock != "leases":
        text = 'resourceLock value must be "leases"'
        problems.append(invalid_value("leaderElection.resourceLock", lock, text))
    if config["parallelism"] <= 0:
        text = "should be an integer value greater than zero"
        problems.append(invalid_value("parallelism", config["parallelism"], text))
    problems += _check_profiles(config["profiles"])
    problems += _check_percentage(config.get("percentageOfNodesToScore"), "percentageOfNodesToScore")
    initial, longest = config["podInitialBackoffSeconds"], config["podMaxBackoffSeconds"]
    if initial <= 0:
        problems.append(invalid_value("podInitialBackoffSeconds", initial, "must be greater than 0"))
    if longest < initial:
        text = "must be greater than or equal to PodInitialBackoffSeconds"
        problems.append(invalid_value("podMaxBackoffSeconds", longest, text))
    return problems


def _check_percentage(percentage: int | None, path: str) -> Problems:
    if percentage is None or 0 <= percentage <= 100:
        return []
    return [invalid_value(path, percentage, "not in valid range [0-100]")]


def _check_profiles(profiles: Sequence[JSON]) -> Problems:
    problems: Problems = []
    seen: dict[str, int] = {}
    for index, profile in enumerate(profiles):
        path, name = f"profiles[{index}]", profile.get("schedulerName") or ""
        if not name:
            problems.append(required(f"{path}.schedulerName"))
        percentage = profile.get("percentageOfNodesToScore")
        problems += _check_percentage(percentage, f"{path}.percentageOfNodesToScore")
        problems += _check_plugins(profile, path)
        if name in seen:
            problems.append(duplicate(f"{path}.schedulerName", f"profiles[{seen[name]}].schedulerName"))
        seen[name] = index
    return problems + _check_queue_sort(profiles)


def _check_plugins(profile: JSON, path: str) -> Problems:
    problems: Problems = []
    gone = f'was invalid in version "v1" (KubeSchedulerConfiguration is version "{_VERSION}")'
    for point, each in (profile.get("plugins") or {}).items():
        for index, plugin in enumerate(each.get("enabled") or ()):
            if point != "multiPoint" and plugin.get("name") in REMOVED:
                where = f"{path}.plugins.{point}.enabled[{index}]"
                problems.append(invalid_value(where, plugin["name"], gone))
    seen: list[str] = []
    for index, item in enumerate(profile.get("pluginConfig") or ()):
        where, name = f"{path}.pluginConfig[{index}]", item.get("name") or ""
        if name in seen:
            problems.append(duplicate(where, name))
        seen.append(name)
        if name in REMOVED:
            problems.append(invalid_value(where, name, gone))
        elif name in _ARGS:
            problems += _ARGS[name](item["args"], f"{where}.args")
    return problems


def _check_queue_sort(profiles: Sequence[JSON]) -> Problems:
    """All profiles share one queue, so they sort it alike."""
    problems: Problems = []
    sets = [(profile.get("plugins") or {}).get("queueSort") or {} for profile in profiles]
    count = len(sets[0].get("enabled") or ())
    if count > 1:
        text = "only one queue sort plugin can be enabled"
        problems.append(invalid_value("profiles[0].plugins.queueSort.Enabled", count, text))
    for index, each in enumerate(sets):
        if each != sets[0]:
            text = "must be the same for all profiles"
            problems.append(invalid_value(f"profiles[{index}].plugins.queueSort", each, text))
    return problems


# ---- arguments -------------------------------------------------------------------------------------------


def _preemption(args: JSON, path: str) -> Problems:
    share, least = args["minCandidateNodesPercentage"], args["minCandidateNodesAbsolute"]
    share_path, least_path = f"{path}.minCandidateNodesPercentage", f"{path}.minCandidateNodesAbsolute"
    problems: Problems = []
    if not 0 <= share <= 100:
        problems.append(invalid_value(share_path, share, "not in valid range [0, 100]"))
    if least < 0:
        problems.append(invalid_value(least_path, least, "not in valid range [0, inf)"))
    if not share and not least:
        text = "cannot be zero at the same time as"
        problems.append(invalid_value(share_path, share, f"{text} minCandidateNodesAbsolute"))
        problems.append(invalid_value(least_path, least, f"{text} minCandidateNodesPercentage"))
    return problems


def _inter_pod_affinity(args: JSON, path: str) -> Problems:
    weight = args["hardPodAffinityWeight"]
    if 0 <= weight <= 100:
        return []
    return [invalid_value(f"{path}.hardPodAffinityWeight", weight, "not in valid range [0, 100]")]


def _node_affinity(args: JSON, path: str) -> Problems:
    return [*node_affinity.unreadable(args.get("addedAffinity") or {}, f"{path}.addedAffinity")]


def _balanced(args: JSON, path: str) -> Problems:
    problems: Problems = []
    seen: list[str] = []
    for index, resource in enumerate(args["resources"]):
        where, name = f"{path}.resources[{index}]", resource.get("name") or ""
        if name in seen:
            problems.append(duplicate(f"{where}.name", name))
        seen.append(name)
        if resource["weight"] != 1:
            problems.append(invalid_value(f"{where}.weight", resource["weight"], "must be 1"))
    return problems


def _spread(args: JSON, path: str) -> Problems:
    kind, constraints = args["defaultingType"], args.get("defaultConstraints") or []
    problems: Problems = []
    if kind not in ("System", "List"):
        problems.append(not_supported(f"{path}.defaultingType", kind, ("System", "List")))
    elif kind == "System" and constraints:
        text = "when .defaultConstraints are not empty"
        problems.append(invalid_value(f"{path}.defaultingType", kind, text))
    seen: list[tuple[str, str]] = []
    for index, constraint in enumerate(constraints):
        where = f"{path}.defaultConstraints[{index}]"
        skew, key = constraint.get("maxSkew") or 0, constraint.get("topologyKey") or ""
        action = constraint.get("whenUnsatisfiable") or ""
        if skew <= 0:
            problems.append(invalid_value(f"{where}.maxSkew", skew, "not in valid range (0, inf)"))
        if not key:
            problems.append(required(f"{where}.topologyKey", "can not be empty"))
        else:
            problems += validate_label_name(key, f"{where}.topologyKey")
        if not action:
            problems.append(required(f"{where}.whenUnsatisfiable", "can not be empty"))
        elif action not in _ACTIONS:
            problems.append(not_supported(f"{where}.whenUnsatisfiable", action, _ACTIONS))
        if constraint.get("labelSelector") is not None:
            problems.append(forbidden_field(f"{where}.labelSelector", _NO_POD_SELECTOR))
        if (key, action) in seen:
            problems.append(duplicate(where, f"{{{key}, {action}}}"))
        seen.append((key, action))
    return problems


def _volume_binding(args: JSON, path: str) -> Problems:
    problems: Problems = []
    seconds = args["bindTimeoutSeconds"]
    if seconds < 0:
        text = "invalid BindTimeoutSeconds, should not be a negative value"
        problems.append(invalid_value(f"{path}.bindTimeoutSeconds", seconds, text))
    if args.get("shape") is not None:
        problems.append(invalid_value(f"{path}.shape", args["shape"], _NO_SHAPE))
    return problems


_ARGS: dict[str, Callable[[JSON, str], Problems]] = {
    "DefaultPreemption": _preemption,
    "InterPodAffinity": _inter_pod_affinity,
    "NodeAffinity": _node_affinity,
    "NodeResourcesBalancedAllocation": _balanced,
    "PodTopologySpread": _spread,
    "VolumeBinding": _volume_binding,
}


def check_fit(args: JSON) -> Problems:
    """The arguments of NodeResourcesFit; its paths begin with them."""
    problems: Problems = []
    for index, name in enumerate(args.get("ignoredResources") or ()):
        problems += validate_label_name(name, f"ignoredResources[{index}]")
    for index, group in enumerate(args.get("ignoredResourceGroups") or ()):
        where = f"ignoredResourceGroups[{index}]"
        if "/" in group:
            problems.append(invalid_value(where, group, "resource group name can't contain '/'"))
        problems += validate_label_name(group, where)
    strategy, path = args["scoringStrategy"], "scoringStrategy"
    kind, ratio = strategy.get("type") or "", strategy.get("requestedToCapacityRatio")
    if kind not in _STRATEGIES:
        problems.append(not_supported(f"{path}.type", kind, _STRATEGIES))
    for index, resource in enumerate(strategy["resources"]):
        weight = resource["weight"]
        if not 0 < weight <= 100:
            text = f"resource weight of {resource.get('name') or ''} not in valid range (0, 100]"
            problems.append(invalid_value(f"{path}.resources[{index}].weight", weight, text))
    where = f"{path}.requestedToCapacityRatio"
    if kind == "RequestedToCapacityRatio":
        if ratio is None:
            problems.append(required(where, "must be specified when type is RequestedToCapacityRatio"))
        else:
            problems += _check_shape(ratio.get("shape") or [], f"{where}.shape")
    elif ratio is not None:
        problems.append(forbidden_field(where, "must be nil when type is not RequestedToCapacityRatio"))
    return problems


def _check_shape(points: Sequence[JSON], path: str) -> Problems:
    if not points:
        return [required(path, "at least one point must be specified")]
    problems: Problems = []
    uses = [point.get("utilization") or 0 for point in points]
    for index in range(1, len(points)):
        if uses[index - 1] >= uses[index]:
            text = "values must be sorted in increasing order"
            problems.append(invalid_value(f"{path}[{index}].utilization", uses[index], text))
            break
    for index, point in enumerate(points):
        score = point.get("score") or 0
        if not 0 <= uses[index] <= 100:
            text = "not in valid range [0, 100]"
            problems.append(invalid_value(f"{path}[{index}].utilization", uses[index], text))
        if not 0 <= score <= 10:
            problems.append(invalid_value(f"{path}[{index}].score", score, "not in valid range [0, 10]"))
    return problems
