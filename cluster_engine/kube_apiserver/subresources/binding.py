"""pods/binding: a Pod gets its node.

Models pkg/registry/core/pod/storage (BindingREST.setPodNodeAndMetadata).
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.pod_conditions import with_pod_condition


def check(binding: JSON) -> None:
    """Refuse a Binding that names no node (ValidatePodBinding)."""
    target = binding.get("target") or {}
    problems = []
    if target.get("kind") and target["kind"] != "Node":
        problems.append(errors.not_supported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        problems.append(errors.required("target.name"))
    if problems:
        raise errors.invalid("", "Binding", (binding.get("metadata") or {}).get("name", ""), problems)


def bound(pod: JSON, binding: JSON, now: str) -> JSON:
    """The Pod on its node. Raises ApiError 409 when it cannot be assigned."""
    check(binding)
    meta, spec = pod["metadata"], pod["spec"]
    name = meta["name"]
    given = binding.get("metadata") or {}
    uid = given.get("uid")
    if uid and uid != meta["uid"]:
        raise errors.conflict(
            "pods/binding",
            name,
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}",
        )
    if meta.get("deletionTimestamp"):
        raise errors.conflict(
            "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host"
        )
    if spec.get("nodeName"):
        raise errors.conflict(
            "pods/binding", name, f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        )
    if spec.get("schedulingGates"):
        raise errors.conflict("pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")
    new = {**pod, "spec": {**spec, "nodeName": binding["target"]["name"]}}
    annotations, labels = given.get("annotations"), given.get("labels")
    if annotations or labels:
        new["metadata"] = changed = dict(meta)
        if annotations:
            changed["annotations"] = {**(meta.get("annotations") or {}), **annotations}
        if labels:  # what the Pod says itself stays
            changed["labels"] = {**labels, **(meta.get("labels") or {})}
    status = with_pod_condition(pod, {"type": "PodScheduled", "status": "True"}, now)
    if status.get("nominatedNodeName"):  # ClearingNominatedNodeNameAfterBinding
        status = {name: value for name, value in status.items() if name != "nominatedNodeName"}
    return {**new, "status": status}
