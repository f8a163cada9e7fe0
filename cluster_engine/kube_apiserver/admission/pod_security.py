"""PodSecurity: the Pod Security Standards, by the labels of a namespace.

Models k8s.io/pod-security-admission/admission (admission.go).
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, get

from .plugin import CREATE, UPDATE, Attributes, Plugin
from .podsecurity.checks import Forbidden, evaluate
from .podsecurity.levels import PREFIX, PRIVILEGED, Level, policy_of, stricter

MAX_PODS = 3_000
"""Pods of a namespace that are looked at when it begins to enforce a level."""
_IGNORED = ("attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "resize", "status")
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Where the kinds that make Pods have their template: of these there are warnings alone."""


class PodSecurity(Plugin):
    """Refuses Pods, warns of them and of what makes them, and notes both for the audit log."""

    name = "PodSecurity"
    operations = (CREATE, UPDATE)
    resources = ("pods", "namespaces", *_TEMPLATES)
    subresources = True
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        if subresource and (resource != "pods" or subresource in _IGNORED):
            return False
        return super().concerns(resource, operation, subresource)

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        assert obj is not None
        if attributes.resource == "namespaces":
            _check_namespace(attributes, obj)
            return
        namespace = attributes.store.get("namespaces", attributes.namespace)
        labels = (namespace or {"metadata": {}})["metadata"].get("labels") or {}
        if not any(name.startswith(PREFIX) for name in labels):
            return
        is_pod = attributes.resource == "pods"
        template = obj if is_pod else get(obj, *_TEMPLATES[attributes.resource])
        if not template or (is_pod and attributes.old is not None and not _matters(obj, attributes.old)):
            return
        _evaluate(attributes, labels, template, enforce=is_pod)


def _evaluate(attributes: Attributes, labels: dict[str, str], template: JSON, enforce: bool) -> None:
    """What the labels of its namespace make of a Pod or of a template (EvaluatePod). Raises ApiError 403."""
    policy, _problems = policy_of(labels)
    if policy.privileged:
        return

    def violations(level: Level) -> str:
        found = evaluate(level, template.get("metadata") or {}, template.get("spec") or {})
        return f'violate{{}} PodSecurity "{level}": {", ".join(map(str, found))}' if found else ""

    record = attributes.ctx.record
    if record is not None and enforce:
        record.annotate(f"{PREFIX}enforce-policy", str(policy.enforce))
    noted = violations(policy.audit)
    if record is not None and noted:
        record.annotate(f"{PREFIX}audit-violations", f"would {noted.format('')}")
    refused = violations(policy.enforce) if enforce else ""
    if refused:
        raise errors.forbidden(attributes.resource, attributes.name, refused.format("s"))
    warned = violations(policy.warn)
    if warned:
        attributes.ctx.warnings.append(f"would {warned.format('')}")


def _check_namespace(attributes: Attributes, namespace: JSON) -> None:
    """Labels must say something; Pods that a stricter level forbids are warned of. Raises ApiError 422."""
    policy, problems = policy_of(namespace["metadata"].get("labels"))
    before, problems_before = policy_of(attributes.old["metadata"].get("labels") if attributes.old else {})
    if problems and (attributes.old is None or list(map(str, problems)) != list(map(str, problems_before))):
        raise errors.invalid("", "Namespace", attributes.name, problems)
    enforce = policy.enforce
    if attributes.old is None or enforce == before.enforce or enforce.level == PRIVILEGED:
        return
    if enforce.minor != before.enforce.minor or stricter(enforce, before.enforce):
        attributes.ctx.warnings.extend(_existing(attributes, enforce))


def _existing(attributes: Attributes, level: Level) -> list[str]:
    """Which Pods of the namespace the level forbids, those of one fault together (EvaluatePodsInNamespace)."""
    pods = attributes.store.range("pods", attributes.name)
    by_fault: dict[str, list[str]] = {}
    for pod in pods[:MAX_PODS]:
        found = evaluate(level, pod["metadata"], pod["spec"])
        if found:
            by_fault.setdefault(_reasons(found), []).append(pod["metadata"]["name"])
    if not by_fault:
        return []
    said = [
        f'existing pods in namespace "{attributes.name}" violate the new PodSecurity enforce level "{level}"'
    ]
    if len(pods) > MAX_PODS:
        said.insert(
            0,
            f"new PodSecurity enforce level only checked against the first {MAX_PODS} of {len(pods)} existing pods",
        )
    return said + sorted(f"{_counted(sorted(names))}: {reasons}" for reasons, names in by_fault.items())


def _counted(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"


def _reasons(found: list[Forbidden]) -> str:
    return ", ".join(each.reason for each in found)


def _matters(new: JSON, old: JSON) -> bool:
    """Whether an update changes anything that a level looks at: containers that come, or their images."""
    for field in _CONTAINERS:
        now, was = new["spec"].get(field) or [], old["spec"].get(field) or []
        if len(now) != len(was) or any(
            a.get("image") != b.get("image") for a, b in zip(now, was, strict=True)
        ):
            return True
    return False
