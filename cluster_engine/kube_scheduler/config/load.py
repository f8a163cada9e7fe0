"""From a configuration's text to the profiles of a scheduler.

Models cmd/kube-scheduler/app/options, pkg/scheduler/apis/config/v1/default_plugins.go (mergePlugins) and
pkg/scheduler/framework/runtime (NewFramework, expandMultiPointPlugins, getScoreWeights).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.config import schema, validation
from cluster_engine.kube_scheduler.config.defaults import completed, completed_args
from cluster_engine.kube_scheduler.config.schema import ConfigError
from cluster_engine.kube_scheduler.framework.interface import MAX_SCORE, Plugin, ShapePlugin
from cluster_engine.kube_scheduler.framework.profile import POINTS, Profile, acting, defines, points_of
from cluster_engine.sim import SECOND

NOT_SIMULATED = (
    "DynamicResources",
    "GangScheduling",
    "NodeDeclaredFeatures",
)
"""Plugins of upstream that Drydock has not: they may be disabled, and not enabled or configured."""
MAX_TOTAL_SCORE = 2**63 - 1
CONFIGS_KEPT = 64
"""Configurations that a process remembers."""


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """What a kube-scheduler goes by."""

    profiles: tuple[Profile, ...]
    initial_backoff: int
    """µs."""
    max_backoff: int
    """µs."""


class _Set(NamedTuple):
    """Plugins with their weights, and the names of those that are off."""

    enabled: tuple[tuple[str, int], ...] = ()
    disabled: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _weight in self.enabled)


@lru_cache(maxsize=CONFIGS_KEPT)
def loaded(text: str, plugins: tuple[type[Plugin], ...]) -> SchedulerConfig:
    """The configuration in a text, "" for none, over a registry of plugins, which is also the default order.

    Raises ConfigError.
    """
    config = completed(schema.read(text) if text else {})
    if config.get("extenders"):
        raise _not_simulated("extenders", "extenders")
    profiles = [
        {
            **profile,
            "pluginConfig": [
                {**item, "args": completed_args(item["name"], item.get("args") or {})}
                for item in profile.get("pluginConfig") or ()
            ],
        }
        for profile in config["profiles"]
    ]
    config = {**config, "profiles": profiles}
    problems = validation.check(config)
    if problems:
        raise ConfigError(schema.together(problems))
    everywhere = {"percentageOfNodesToScore": config["percentageOfNodesToScore"]}
    return SchedulerConfig(
        tuple(
            _profile({**everywhere, **profile}, f"profiles[{i}]", plugins)
            for i, profile in enumerate(profiles)
        ),
        config["podInitialBackoffSeconds"] * SECOND,
        config["podMaxBackoffSeconds"] * SECOND,
    )


def _not_simulated(path: str, what: str) -> ConfigError:
    return ConfigError(f"{path}: Drydock does not simulate {what} (a real kube-scheduler has it)")


def _set(data: JSON | None) -> _Set:
    data = data or {}
    return _Set(
        tuple((p.get("name") or "", p.get("weight") or 0) for p in data.get("enabled") or ()),
        tuple(p.get("name") or "" for p in data.get("disabled") or ()),
    )


def _merged(default: _Set, custom: _Set) -> _Set:
    """The defaults as the profile changes them: in their place, or off; what is new comes after them."""
    disabled = (*custom.disabled, *default.disabled)
    given = dict(custom.enabled)
    kept = [] if "*" in disabled else [pair for pair in default.enabled if pair[0] not in disabled]
    replaced = [name for name, _weight in kept if name in given]
    enabled = [(name, given.get(name, weight)) for name, weight in kept]
    enabled += [pair for pair in custom.enabled if pair[0] not in replaced]
    return _Set(tuple(enabled), disabled)


def _profile(profile: JSON, path: str, plugins: Sequence[type[Plugin]]) -> Profile:
    """One profile. Raises ConfigError."""
    name, sets = profile["schedulerName"], profile.get("plugins") or {}
    _check_simulated(profile, path)
    registry = {plugin.name: plugin for plugin in plugins}
    everywhere = _merged(_Set(tuple((p.name, p.weight) for p in plugins)), _set(sets.get("multiPoint")))
    own = {point: _set(sets.get(point)) for point in POINTS}
    try:
        points = _points(own, everywhere, registry)
        if len(points["queueSort"]) != 1:
            count = len(points["queueSort"])
            raise ConfigError(
                f'only one queue sort plugin required for profile with scheduler name "{name}", but got {count}'
            )
        if not points["bind"]:
            raise ConfigError(f'at least one bind plugin is needed for profile with scheduler name "{name}"')
        weights = _weights((*own["score"].enabled, *everywhere.enabled), registry)
        args = _args(profile, registry)
    except ConfigError as problem:
        raise ConfigError(
            f"initializing profiles: creating profile for scheduler name {name}: {problem}"
        ) from None
    _check_prepared(points, registry, path)
    named = {each for names in points.values() for each in names}
    enabled = tuple(p for p in plugins if p.name in named)
    percentage = profile["percentageOfNodesToScore"]
    return Profile(name, enabled, points, weights, args, percentage, acting(enabled, points))


def _check_simulated(profile: JSON, path: str) -> None:
    for point, each in (profile.get("plugins") or {}).items():
        for name in _set(each).names:
            if name in NOT_SIMULATED:
                raise _not_simulated(f"{path}.plugins.{point}.enabled", f"the plugin {name}")
    for item in profile["pluginConfig"]:
        if item["name"] in NOT_SIMULATED:
            raise _not_simulated(f"{path}.pluginConfig", f"the plugin {item['name']}")


def _points(
    own: Mapping[str, _Set], everywhere: _Set, registry: Mapping[str, type[Plugin]]
) -> dict[str, tuple[str, ...]]:
    for point, each in own.items():
        seen: list[str] = []
        for name in each.names:
            if name not in registry:
                raise ConfigError(f'{_interface(point)} "{name}" does not exist')
            if point not in points_of(registry[name]):
                raise ConfigError(f'plugin "{name}" does not extend {_interface(point)} plugin')
            if name in seen:
                raise ConfigError(f'plugin "{name}" already registered as "{_interface(point)}"')
            seen.append(name)
    return {point: _expanded(point, each, everywhere, registry) for point, each in own.items()}


def _interface(point: str) -> str:
    return f"{point[0].upper()}{point[1:]}Plugin"


def _expanded(
    point: str, own: _Set, everywhere: _Set, registry: Mapping[str, type[Plugin]]
) -> tuple[str, ...]:
    """Those that stand at the point: first whom it names of those that are everywhere, in its order; then the
    others that are everywhere; then whom it names beside them."""
    if "*" in own.disabled:
        return own.names
    common: list[str] = []
    for name in everywhere.names:
        if name not in registry:
            raise ConfigError(f'{_interface(point)} "{name}" does not exist')
        if point not in points_of(registry[name]) or name in own.disabled or name in own.names:
            continue
        if name in common:
            raise ConfigError(f'plugin "{name}" already registered as "{_interface(point)}"')
        common.append(name)
    first = [name for name in own.names if name in everywhere.names and name not in own.disabled]
    return (*first, *common, *(name for name in own.names if name not in first))


def _weights(enabled: Sequence[tuple[str, int]], registry: Mapping[str, type[Plugin]]) -> dict[str, int]:
    """A weight for each that scores; what the point says comes before what is said of all points."""
    weights: dict[str, int] = {}
    total = 0
    for name, weight in enabled:
        if name in weights or "score" not in points_of(registry[name]):
            continue
        weights[name] = weight or 1
        if weights[name] * MAX_SCORE > MAX_TOTAL_SCORE - total:
            raise ConfigError("total score of Score plugins could overflow")
        total += weights[name] * MAX_SCORE
    return weights


def _args(profile: JSON, registry: Mapping[str, type[Plugin]]) -> dict[str, JSON]:
    given = {item["name"]: item["args"] for item in profile["pluginConfig"]}
    args = {name: given.get(name) or completed_args(name, {}) for name in registry}
    if "NodeResourcesFit" in args:
        problems = validation.check_fit(args["NodeResourcesFit"])
        if problems:
            raise ConfigError(f'initializing plugin "NodeResourcesFit": {schema.together(problems)}')
    return args


_PREPARED = {"filter": ("preFilter", "pre_filter"), "score": ("preScore", "pre_score")}
"""Points before which another one prepares."""


def _check_prepared(
    points: Mapping[str, tuple[str, ...]], registry: Mapping[str, type[Plugin]], path: str
) -> None:
    """A plugin that needs what it prepares: without, a real scheduler fails each attempt with an error."""
    for point, (before, method) in _PREPARED.items():
        for name in points[point]:
            plugin = registry[name]
            needs = before in points_of(plugin) and defines(plugin, method)
            if needs and not issubclass(plugin, ShapePlugin) and name not in points[before]:
                what = f"{name} at {point} without {before}"
                raise _not_simulated(f"{path}.plugins.{before}", what)
