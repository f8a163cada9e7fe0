"""Pod.

Models pkg/registry/core/pod/strategy.go, pkg/apis/core/v1/defaults.go (SetDefaults_Pod) and
pkg/apis/core/validation (ValidatePodCreate).
"""

from __future__ import annotations

from cluster_engine.api.meta import check_meta
from cluster_engine.api.strategy import keep_status, same, with_generation
from cluster_engine.api.subresources import PROXY, STATUS, STREAM
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field
from cluster_engine.apimachinery.scheme import Kind, Subresource
from cluster_engine.apimachinery.validation import is_dns1123_label
from cluster_engine.component_helpers.pod_phase import is_finished

from . import pod_printing, pod_update
from .ephemeral_containers import EPHEMERAL_CONTAINERS
from .pod_resize import RESIZE
from .pod_spec import default_pod_spec, template_warnings, validate_pod_spec
from .pod_spec.annotations import check_pod_annotations
from .pod_spec.label_keys import merge_label_keys
from .pod_spec.resources import qos_class

_GRACE = 30
_SURPRISING = "this is used in the Pod's hostname, which can result in surprising behavior"
_GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def default(pod: JSON) -> JSON:
    """The Pod with its spec's defaults."""
    spec = pod.get("spec") or {}
    made = default_pod_spec(spec, pod=True)
    return pod if made is pod.get("spec") else {**pod, "spec": made}


def prepare_create(pod: JSON) -> JSON:
    """A new Pod is Pending and has its QoS class."""
    spec = pod.get("spec") or {}
    status: JSON = {"phase": "Pending", "qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        status["conditions"] = [_GATED]
    meta = pod["metadata"]
    out = {**pod, "metadata": {**meta, "generation": 1}, "status": status}
    merged = merge_label_keys(spec, meta.get("labels") or {})
    if merged is not spec:
        out["spec"] = merged
    return out


def prepare_update(new: JSON, old: JSON) -> JSON:
    """The status stays; a changed spec counts one generation more."""
    new = keep_status(new, old)
    if same(new.get("spec"), old.get("spec")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


def validate(pod: JSON) -> list[FieldError]:
    """What is wrong with a new Pod."""
    spec = pod.get("spec") or {}
    problems = check_meta(pod)
    annotations = pod["metadata"].get("annotations")
    if annotations:
        problems += check_pod_annotations(annotations, spec, "metadata.annotations")
    problems += validate_pod_spec(spec, pod=True)
    if spec.get("ephemeralContainers"):
        problems.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        text = "cannot be set until all schedulingGates have been cleared"
        problems.append(forbidden_field("spec.nodeName", text))
    return problems


def grace(pod: JSON, asked: int | None) -> int:
    """Seconds that a deletion gives the Pod: none when no kubelet has it or it has run to its end."""
    spec = pod.get("spec") or {}
    if not spec.get("nodeName") or is_finished(pod):
        return 0
    if asked is None:
        asked = spec.get("terminationGracePeriodSeconds")
        if asked is None:
            return _GRACE
    return int(asked) if asked >= 0 else 1


def warnings(pod: JSON) -> list[str]:
    """Warnings about the spec, and about a name that makes a bad host name."""
    out = []
    wrong = is_dns1123_label(pod["metadata"].get("name") or "")
    if wrong:
        out.append(f"metadata.name: {_SURPRISING}; a DNS label is recommended: [{' '.join(wrong)}]")
    return out + template_warnings(pod)


def _pod_ip(pod: JSON) -> str:
    addresses = (pod.get("status") or {}).get("podIPs") or ()
    return addresses[0].get("ip", "") if addresses else ""


KIND = Kind(
    group="",
    version="v1",
    kind="Pod",
    resource="pods",
    singular="pod",
    namespaced=True,
    short_names=("po",),
    categories=("all",),
    subresources={
        "attach": Subresource(STREAM, ("", "v1", "PodAttachOptions"), "stream"),
        "binding": Subresource(("create",), ("", "v1", "Binding"), "binding"),
        "ephemeralcontainers": Subresource(),
        "eviction": Subresource(("create",), ("policy", "v1", "Eviction"), "eviction"),
        "exec": Subresource(STREAM, ("", "v1", "PodExecOptions"), "stream"),
        "log": Subresource(("get",), answer="log"),
        "portforward": Subresource(STREAM, ("", "v1", "PodPortForwardOptions"), "stream"),
        "proxy": PROXY._replace(shows=("", "v1", "PodProxyOptions")),
        "resize": Subresource(),
        **STATUS,
    },
    columns=pod_printing.COLUMNS,
    row=pod_printing.row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=pod_update.prepare_status,
    validate=validate,
    validate_update=pod_update.validate_update,
    validate_status=pod_update.validate_status,
    strategies={"ephemeralcontainers": EPHEMERAL_CONTAINERS, "resize": RESIZE},
    warnings=warnings,
    field_labels={
        "spec.nodeName": lambda pod: pod["spec"].get("nodeName") or "",
        "spec.restartPolicy": lambda pod: pod["spec"].get("restartPolicy") or "",
        "spec.schedulerName": lambda pod: pod["spec"].get("schedulerName") or "",
        "spec.serviceAccountName": lambda pod: pod["spec"].get("serviceAccountName") or "",
        "spec.hostNetwork": lambda pod: "true" if pod["spec"].get("hostNetwork") else "false",
        "status.phase": lambda pod: (pod.get("status") or {}).get("phase") or "",
        "status.podIP": _pod_ip,
        "status.podIPs": _pod_ip,
        "status.nominatedNodeName": lambda pod: (pod.get("status") or {}).get("nominatedNodeName") or "",
    },
    warns_on_update=lambda new, old: False,
    returns_deleted=True,
    grace=grace,
)
