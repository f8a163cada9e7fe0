"""The subresource resize of Pods: containers get other amounts of processor time and memory while they run.

Models pkg/registry/core/pod/strategy.go (podResizeStrategy) and pkg/apis/core/validation (ValidatePodResize).
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, invalid_value
from cluster_engine.apimachinery.scheme import Strategy
from cluster_engine.apimachinery.validation import validate_object_meta_update
from cluster_engine.component_helpers.qos import qos_class

from .pod_spec import validate_pod_spec

_MIRROR = "kubernetes.io/config.mirror"
_LISTS = ("containers", "initContainers")
_RESIZED = ("cpu", "memory")
_ONLY = "only cpu and memory resources are mutable"


def _prepare(new: JSON, old: JSON) -> JSON:
    """The stored Pod with what its containers shall have; nothing else is taken (dropNonResizeUpdates)."""
    given, was = new.get("spec") or {}, old["spec"]
    spec = dict(was)
    for field in _LISTS:
        if field in was or given.get(field):
            spec[field] = _taken(given.get(field) or [], was.get(field) or [])
    meta = dict(old["metadata"])
    if "managedFields" in new["metadata"]:
        meta["managedFields"] = new["metadata"]["managedFields"]
    out = {**old, "metadata": meta, "spec": spec}
    return out if same(spec, was) else with_generation(out, meta.get("generation", 0) + 1)


def _taken(new: list[JSON], old: list[JSON]) -> list[JSON]:
    """Containers that are others, or in another order, are left for the validation to refuse."""
    if [container.get("name") for container in new] != [container["name"] for container in old]:
        return new
    taken = []
    for container, before in zip(new, old, strict=True):
        made = dict(before)
        for field in ("resources", "resizePolicy"):
            if field in container:
                made[field] = container[field]
            else:
                made.pop(field, None)
        taken.append(made)
    return taken


def _validate(new: JSON, old: JSON) -> list[FieldError]:
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        return [forbidden_field("", "static pods cannot be resized")]
    problems = validate_object_meta_update(new["metadata"], old["metadata"])
    problems += validate_pod_spec(new["spec"], pod=True)
    if qos_class(new["spec"]) != qos_class(old["spec"]):
        text = "Pod QOS Class may not change as a result of resizing"
        problems.append(invalid_value("spec", (old.get("status") or {}).get("qosClass") or "", text))
    for field in _LISTS:
        wanted, had = new["spec"].get(field) or [], old["spec"].get(field) or []
        if len(wanted) != len(had):
            text = "containers may not be added or removed on resize"
            return [*problems, forbidden_field(f"spec.{field}", text)]
        for index, (container, before) in enumerate(zip(wanted, had, strict=True)):
            if container.get("name") != before["name"]:
                text = "containers may not be renamed or reordered on resize"
                return [*problems, forbidden_field(f"spec.{field}[{index}].name", text)]
            path = f"spec.{field}[{index}].resources"
            fixed = field == "initContainers" and before.get("restartPolicy") != "Always"
            problems += _check(container.get("resources") or {}, before.get("resources") or {}, path, fixed)
    return problems


def _check(wanted: JSON, had: JSON, path: str, fixed: bool) -> Iterator[FieldError]:
    """What a container may not ask for; ``fixed``: it may not ask for anything else."""
    if fixed:
        if not same(wanted, had):
            yield forbidden_field(path, "resources for non-sidecar init containers are immutable")
        return
    for field in ("requests", "limits"):
        now, before = wanted.get(field) or {}, had.get(field) or {}
        if any(name not in now for name in _RESIZED if name in before):
            yield forbidden_field(f"{path}.{field}", f"resource {field} cannot be removed")
    if not same(_others(wanted), _others(had)):
        yield forbidden_field("spec", _ONLY)


def _others(resources: JSON) -> JSON:
    """All that no resize may change."""
    kept = dict(resources)
    for field in ("requests", "limits"):
        kept[field] = {n: v for n, v in (resources.get(field) or {}).items() if n not in _RESIZED}
    return kept


RESIZE = Strategy(_prepare, _validate)
