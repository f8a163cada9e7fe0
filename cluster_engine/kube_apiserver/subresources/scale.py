"""scale: the replicas of a workload or of a custom resource as an autoscaling/v1 Scale.

Models pkg/registry/apps/{deployment,replicaset,statefulset}/storage (ScaleREST) and the same of
k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import errors, labels
from cluster_engine.apimachinery.cow import JSON, get, put
from cluster_engine.apimachinery.duration import age
from cluster_engine.apimachinery.scheme import Column, Kind, ScalePaths


def _row(scale: JSON, now: int) -> list[Any]:
    meta = scale["metadata"]
    return [
        meta["name"],
        get(scale, "spec", "replicas", default=0),
        get(scale, "status", "replicas", default=0),
        age(meta.get("creationTimestamp"), now),
    ]


KIND = Kind(
    group="autoscaling",
    version="v1",
    kind="Scale",
    resource="scales",
    singular="scale",
    namespaced=True,
    columns=(
        Column("Name", format="name", description="Name must be unique within a namespace."),
        Column("Desired", "integer", description="Number of desired replicas."),
        Column("Available", "integer", description="Number of observed replicas."),
        Column("Age", description="Time since creation."),
    ),
    row=_row,
)
"""How a Scale is printed; it is never stored."""


def scale_of(obj: JSON, paths: ScalePaths | None = None) -> JSON:
    """The Scale that an object shows."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    if paths is None:
        replicas = get(obj, "spec", "replicas", default=1)
        found = get(obj, "status", "replicas", default=0)
        selector = get(obj, "spec", "selector")
        text = "" if selector is None else selector_text(selector)
    else:
        replicas, found = (get(obj, *path, default=0) for path in paths[:2])
        text = get(obj, *paths.selector, default="") if paths.selector else ""
    status: JSON = {"replicas": found}
    if text:
        status["selector"] = text
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def check_replicas(obj: JSON, paths: ScalePaths | None) -> None:
    """Raises ApiError 500 when a custom resource does not say how many it wants."""
    if paths is not None and get(obj, *paths.spec_replicas) is None:
        shown = "." + ".".join(paths.spec_replicas)
        raise errors.internal(f'the spec replicas field "{shown}" does not exist')


def check_patched(obj: JSON, scale: JSON, paths: ScalePaths | None) -> None:
    """Raises ApiError 400 when neither the custom resource nor the patched Scale says how many it wants."""
    wanted = (scale.get("spec") or {}).get("replicas")
    if paths is not None and wanted is None and get(obj, *paths.spec_replicas) is None:
        shown = "." + ".".join(paths.spec_replicas)
        raise errors.bad_request(f'the spec replicas field "{shown}" cannot be empty')


def selector_text(selector: JSON) -> str:
    """The selector as query strings write it; plain maps (ReplicationController) too."""
    if selector and not ("matchLabels" in selector or "matchExpressions" in selector):
        return ",".join(f"{key}={selector[key]}" for key in sorted(selector))
    return str(labels.compile_selector(selector))


def with_scale(obj: JSON, scale: JSON, paths: ScalePaths | None = None) -> JSON:
    """The object with the replicas of a Scale. Raises ApiError 422, 400."""
    meta = obj["metadata"]
    given = scale.get("metadata") or {}
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    problems = []
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise errors.bad_request(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal into Go struct field '
            "ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0 and paths is None:
        problems.append(errors.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0"))
    if given.get("name", meta["name"]) != meta["name"]:
        raise errors.bad_request(
            f"the name of the object ({given['name']}) does not match the name on the URL ({meta['name']})"
        )
    if problems:
        raise errors.invalid("autoscaling", "Scale", meta["name"], problems)
    fresh = {**meta, "resourceVersion": given.get("resourceVersion") or meta["resourceVersion"]}
    if given.get("uid"):
        fresh["uid"] = given["uid"]
    path = ("spec", "replicas") if paths is None else paths.spec_replicas
    return put({**obj, "metadata": fresh}, path, replicas)
