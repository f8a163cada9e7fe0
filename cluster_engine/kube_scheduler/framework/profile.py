"""What a profile is: which plugins act at which extension point, in which order, and with what to go by.

Models pkg/scheduler/framework/runtime (the lists of frameworkImpl) and apis/config (KubeSchedulerProfile).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.interface import Plugin, ShapePlugin

POINTS: dict[str, tuple[str, ...]] = {
    "preFilter": ("pre_filter",),
    "filter": ("filter", "filter_shape"),
    "postFilter": ("post_filter",),
    "reserve": ("reserve", "unreserve"),
    "preScore": ("pre_score",),
    "score": ("score", "score_shape"),
    "preBind": ("pre_bind",),
    "bind": ("bind",),
    "postBind": ("post_bind",),
    "permit": ("permit",),
    "preEnqueue": ("pre_enqueue",),
    "queueSort": ("queue_key",),
}
"""Upstream's extension points, in the order in which it fills them, and the methods that act there."""
_METHODS = ("normalize", *(method for methods in POINTS.values() for method in methods))


@dataclass(frozen=True, slots=True)
class Profile:
    """One scheduler of a kube-scheduler."""

    name: str
    """The ``schedulerName`` of its Pods."""
    plugins: tuple[type[Plugin], ...]
    """Those that act at any point."""
    points: Mapping[str, tuple[str, ...]]
    """Extension point -> the names of the plugins there, in order."""
    weights: Mapping[str, int]
    """Of scores, by plugin; who is not named has the weight of its class."""
    args: Mapping[str, JSON]
    """By plugin."""
    percentage: int
    """Of the nodes that are enough to choose from; 0: it depends on how many there are."""
    acting: Mapping[str, tuple[str, ...]]
    """Method -> the names of the plugins that do something there, in order."""


def defines(plugin: type[Plugin], method: str) -> bool:
    """Whether the plugin does something there."""
    base = ShapePlugin if issubclass(plugin, ShapePlugin) else Plugin
    return hasattr(base, method) and getattr(plugin, method) is not getattr(base, method)


_points: WeakKeyDictionary[type[Plugin], tuple[str, ...]] = WeakKeyDictionary()


def points_of(plugin: type[Plugin]) -> tuple[str, ...]:
    """The extension points at which the plugin can be enabled."""
    found = _points.get(plugin)
    if found is None:
        found = _points[plugin] = plugin.extends or tuple(
            point for point, methods in POINTS.items() if any(defines(plugin, method) for method in methods)
        )
    return found


def acting(
    plugins: Sequence[type[Plugin]], points: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Method -> who does something there: whom its point names, then who only helps itself at that point."""
    defined = {plugin.name: [m for m in _METHODS if defines(plugin, m)] for plugin in plugins}
    extends = {plugin.name: points_of(plugin) for plugin in plugins}
    found = {"normalize": tuple(name for name, methods in defined.items() if "normalize" in methods)}
    for point, methods in POINTS.items():
        beside = (name for name, their in extends.items() if point not in their)
        names = (*points[point], *beside)
        found |= {method: tuple([name for name in names if method in defined[name]]) for method in methods}
    return found
