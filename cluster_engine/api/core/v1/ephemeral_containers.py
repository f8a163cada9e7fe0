"""The subresource ephemeralcontainers of Pods: containers are added for debugging, and stay.

Models pkg/registry/core/pod/strategy.go (podEphemeralContainersStrategy) and pkg/apis/core/validation
(ValidatePodEphemeralContainersUpdate).
"""

from __future__ import annotations

from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field
from cluster_engine.apimachinery.scheme import Strategy
from cluster_engine.apimachinery.validation import validate_object_meta_update

from .pod_diff import diff
from .pod_spec import default_container, validate_pod_spec
from .pod_spec.sharing import mapped

_MIRROR = "kubernetes.io/config.mirror"
_PATH = "spec.ephemeralContainers"


def _prepare(new: JSON, old: JSON) -> JSON:
    """The stored Pod with the new list, and what every write may say of its metadata."""
    given = (new.get("spec") or {}).get("ephemeralContainers") or []
    made = mapped(given, lambda container: default_container(container, pod=True))
    spec = {name: value for name, value in old["spec"].items() if name != "ephemeralContainers"}
    if made:
        spec["ephemeralContainers"] = made
    meta = dict(old["metadata"])
    if "managedFields" in new["metadata"]:
        meta["managedFields"] = new["metadata"]["managedFields"]
    out = {**old, "metadata": meta, "spec": spec}
    if same(spec, old["spec"]):
        return out
    return with_generation(out, meta.get("generation", 0) + 1)


def _validate(new: JSON, old: JSON) -> list[FieldError]:
    problems = validate_object_meta_update(new["metadata"], old["metadata"])
    problems += validate_pod_spec(new["spec"], pod=True)
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        return [forbidden_field("", "static pods do not support ephemeral containers")]
    kept = {container.get("name"): container for container in new["spec"].get("ephemeralContainers") or ()}
    for before in old["spec"].get("ephemeralContainers") or ():
        name = before["name"]
        now = kept.get(name)
        if now is None:
            text = f'existing ephemeral containers "{name}" may not be removed\n'
            problems.append(forbidden_field(_PATH, text))
        elif not same(before, now):
            shown = diff(before, now, "core.EphemeralContainer")
            text = f'existing ephemeral containers "{name}" may not be changed\n{shown}'
            problems.append(forbidden_field(_PATH, text))
    return problems


EPHEMERAL_CONTAINERS = Strategy(_prepare, _validate)
