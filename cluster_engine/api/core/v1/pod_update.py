"""What may change in a Pod after it was made: little of the spec, most of the status.

Models pkg/apis/core/validation (ValidatePodUpdate, ValidatePodStatusUpdate).
"""

from __future__ import annotations

from cluster_engine.api.strategy import same
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, forbidden_field, invalid_value
from cluster_engine.apimachinery.ip_validation import is_ip
from cluster_engine.apimachinery.validation import is_dns1123_subdomain, is_qualified_name
from cluster_engine.component_helpers.restart_rules import could_restart_all, should_restart

from .pod_diff import diff
from .pod_spec import validate_pod_spec
from .pod_spec.scheduling import check_tolerations

_MAX_INT32 = 2**31 - 1
_UPDATABLE = ",".join(
    (
        "`spec.containers[*].image`",
        "`spec.initContainers[*].image`",
        "`spec.activeDeadlineSeconds`",
        "`spec.tolerations` (only additions to existing tolerations)",
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )
)
_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """An update of the Pod itself."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was or spec == was:
        return []  # what was stored is valid
    problems = validate_pod_spec(spec, pod=True)
    for field in ("containers", "initContainers"):
        containers, had = spec.get(field) or [], was.get(field) or []
        if len(containers) != len(had):
            text = "pod updates may not add or remove containers"
            return [*problems, forbidden_field(f"spec.{field}", text)]
    stop = _check_deadline(spec, was, problems)
    if stop:
        return problems
    problems += _check_tolerations(spec.get("tolerations") or [], was.get("tolerations") or [])
    problems += _check_gates(spec.get("schedulingGates") or [], was.get("schedulingGates") or [])
    munged = _without_updatable(spec, was)
    if was.get("schedulingGates"):
        munged = _gated(munged, was, problems)
    if not same(munged, was):
        text = (
            f"pod updates may not change fields other than {_UPDATABLE}\n{diff(was, munged, 'core.PodSpec')}"
        )
        problems.append(forbidden_field("spec", text))
    return problems


def _check_deadline(spec: JSON, was: JSON, problems: list[FieldError]) -> bool:
    deadline, before = spec.get("activeDeadlineSeconds"), was.get("activeDeadlineSeconds")
    path = "spec.activeDeadlineSeconds"
    if deadline is None:
        if before is not None:
            text = "must not update from a positive integer to nil value"
            problems.append(invalid_value(path, None, text))
        return False
    if not 0 <= deadline <= _MAX_INT32:
        problems.append(invalid_value(path, deadline, f"must be between 0 and {_MAX_INT32}, inclusive"))
        return True
    if before is not None and before < deadline:
        problems.append(invalid_value(path, deadline, "must be less than or equal to previous value"))
        return True
    return False


def _check_tolerations(new: list[JSON], old: list[JSON]) -> list[FieldError]:
    def plain(toleration: JSON) -> JSON:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}

    kept = [plain(toleration) for toleration in new]
    if any(plain(toleration) not in kept for toleration in old):
        text = "existing toleration can not be modified except its tolerationSeconds"
        return [forbidden_field("spec.tolerations", text)]
    return check_tolerations(new, "spec.tolerations")


def _check_gates(new: list[JSON], old: list[JSON]) -> list[FieldError]:
    had = {gate.get("name") for gate in old}
    return [
        forbidden_field(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'",
        )
        for index, gate in enumerate(new)
        if gate.get("name") not in had
    ]


def _without_updatable(spec: JSON, was: JSON) -> JSON:
    """The new spec with everything that may change set back."""
    munged = dict(spec)
    for field in ("containers", "initContainers"):
        if spec.get(field):
            munged[field] = [
                {**container, "image": before.get("image")}
                for container, before in zip(spec[field], was[field], strict=True)
            ]
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        if field in was:
            munged[field] = was[field]
        else:
            munged.pop(field, None)
    before = was.get("terminationGracePeriodSeconds")
    if before is not None and before < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = before
    return munged


def _gated(munged: JSON, was: JSON, problems: list[FieldError]) -> JSON:
    """While it is gated, a Pod's node selector and node affinity may be narrowed."""
    selector, before = munged.get("nodeSelector") or {}, was.get("nodeSelector") or {}
    if any(selector.get(name) != value for name, value in before.items()):
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        problems.append(invalid_value("spec.nodeSelector", selector, text))
    affinity, had = dict(munged.get("affinity") or {}), was.get("affinity") or {}
    if not same(affinity.get("nodeAffinity"), had.get("nodeAffinity")):
        problems += _check_affinity_change(affinity.get("nodeAffinity") or {}, had.get("nodeAffinity") or {})
    affinity["nodeAffinity"] = had.get("nodeAffinity")
    return {
        **munged,
        "nodeSelector": was.get("nodeSelector"),
        "affinity": affinity if any(affinity.values()) else None,
    }


def _check_affinity_change(new: JSON, old: JSON) -> list[FieldError]:
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    before = (old.get(field) or {}).get("nodeSelectorTerms") or []
    if not before:
        return []
    terms = (new.get(field) or {}).get("nodeSelectorTerms") or []
    path = f"spec.affinity.nodeAffinity.{field}.nodeSelectorTerms"
    if len(terms) != len(before):
        text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [invalid_value(path, terms, text)]
    problems = []
    for index, (term, had) in enumerate(zip(terms, before, strict=True)):
        if not had.get("matchExpressions") and not had.get("matchFields"):
            unchanged = same(term, had)
        else:
            unchanged = all(
                same((term.get(part) or [])[: len(had.get(part) or [])], had.get(part) or [])
                for part in ("matchExpressions", "matchFields")
            )
        if not unchanged:
            text = "only additions are allowed (no mutations or deletions)"
            problems.append(invalid_value(f"{path}[{index}]", term, text))
    return problems


# ---- status ------------------------------------------------------------------------------------------------


def prepare_status(new: JSON, old: JSON) -> JSON:
    """The new status on the stored spec; the QoS class stays when the writer leaves it out."""
    out = new if new.get("spec") is old.get("spec") else {**new, "spec": old.get("spec")}
    meta, old_meta = out["metadata"], old["metadata"]
    if meta is not old_meta and meta.get("ownerReferences") != old_meta.get("ownerReferences"):
        meta = {name: value for name, value in meta.items() if name != "ownerReferences"}
        if "ownerReferences" in old_meta:
            meta["ownerReferences"] = old_meta["ownerReferences"]
        out = {**out, "metadata": meta}
    status: JSON = out.get("status") or {}
    kept = _kept(status, old.get("status") or {})
    return {**out, "status": {**status, **kept}} if kept else out


def _kept(status: JSON, was: JSON) -> JSON:
    """What a writer that leaves it out does not clear: the QoS class and observed generations."""
    kept: JSON = {
        field: was[field]
        for field in ("qosClass", "observedGeneration")
        if not status.get(field) and was.get(field)
    }
    conditions = status.get("conditions") or []
    if any(not condition.get("observedGeneration") for condition in conditions):
        seen = {
            c.get("type"): c["observedGeneration"]
            for c in was.get("conditions") or ()
            if c.get("observedGeneration")
        }
        if any(c.get("type") in seen and not c.get("observedGeneration") for c in conditions):
            kept["conditions"] = [
                {**c, "observedGeneration": seen[c["type"]]}
                if c.get("type") in seen and not c.get("observedGeneration")
                else c
                for c in conditions
            ]
    return kept


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """An update of the status."""
    status, was = new.get("status") or {}, old.get("status") or {}
    problems: list[FieldError] = []
    for index, condition in enumerate(status.get("conditions") or ()):
        name = condition.get("type") or ""
        if name not in _SYSTEM_CONDITIONS:
            where = f"metadata.conditions[{index}].Type"  # upstream's path, odd as it is
            problems += [invalid_value(where, name, text) for text in is_qualified_name(name)]
    nominated = status.get("nominatedNodeName") or ""
    if nominated and nominated != was.get("nominatedNodeName"):
        where = "status.nominatedNodeName"
        problems += [invalid_value(where, nominated, text) for text in is_dns1123_subdomain(nominated)]
    if status.get("qosClass") != was.get("qosClass") and was.get("qosClass"):
        problems.append(invalid_value("status.qosClass", status.get("qosClass"), "field is immutable"))
    spec = old.get("spec") or {}
    if spec.get("restartPolicy") != "Always" and not could_restart_all(spec):
        for field, kind in (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")):
            problems += _check_transitions(status, was, field, spec, kind)
    problems += _check_transitions(status, was, "ephemeralContainerStatuses", spec, "")
    problems += _check_ips(status)
    return problems


def _check_transitions(status: JSON, was: JSON, field: str, spec: JSON, kind: str) -> list[FieldError]:
    """Who has ended stays so, unless it may begin anew; ``kind``: where the spec names them, "": they never do."""
    old = was.get(field)
    if not old:
        return []
    specs = {container.get("name"): container for container in spec.get(kind) or ()}
    problems = []
    for index, before in enumerate(old):
        terminated, own = (before.get("state") or {}).get("terminated"), specs.get(before.get("name"))
        if terminated is None:
            continue
        if own and should_restart(own, spec.get("restartPolicy") or "", terminated.get("exitCode") or 0):
            continue
        for container in status.get(field) or ():
            gone = (container.get("state") or {}).get("terminated") is None
            if container.get("name") == before.get("name") and gone:
                text = "may not be transitioned to non-terminated state"
                problems.append(forbidden_field(f"status.{field}[{index}].state", text))
    return problems


def _check_ips(status: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, address in enumerate(status.get("podIPs") or ()):
        ip = address.get("ip") or ""
        problems += [invalid_value(f"status.podIPs[{index}]", ip, text) for text in is_ip(ip)]
        if ip in seen:
            problems.append(duplicate(f"status.podIPs[{index}]", address))
        seen.append(ip)
    hosts = status.get("hostIPs") or ()
    if hosts and status.get("hostIP") != hosts[0].get("ip"):
        text = "must be equal to `hostIP`"
        problems.append(invalid_value("status.hostIPs[0].ip", hosts[0].get("ip"), text))
    return problems
