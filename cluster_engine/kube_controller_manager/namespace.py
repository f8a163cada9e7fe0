"""The namespace controller: what is in a deleted namespace goes first, then the namespace.

Models pkg/controller/namespace/deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.component import Context, Controller
from cluster_engine.sim.failures import PATIENCE

FINALIZER = "kubernetes"
_NAMESPACES, _PODS = "namespaces", "pods"
PORTION = 50
"""Objects that one reconcile deletes."""
FINALIZER_ESTIMATE = 15
"""Seconds that upstream guesses something with finalizers may still take."""


class Remains(NamedTuple):
    """What is left after a pass: objects and finalizers by name, with counts; errors; seconds to wait; group versions
    of which nobody can tell what is in them."""

    objects: dict[str, int]
    finalizers: dict[str, int]
    errors: list[str]
    estimate: int
    unknown: tuple[str, ...] = ()


def deletable(kinds: Sequence[Kind]) -> list[Kind]:
    """The namespaced kinds to empty, Pods first: nothing that a Pod needs goes before the Pod."""
    found = [kind for kind in kinds if kind.namespaced and {"delete", "list"} <= set(kind.verbs)]
    return sorted(found, key=lambda kind: (kind.group_resource != _PODS, kind.group, kind.resource))


def conditions(old: Sequence[JSON], remains: Remains, stamp: str) -> list[JSON]:
    """The five conditions of a Terminating namespace."""
    objects = ", ".join(f"{name} has {count} resource instances" for name, count in remains.objects.items())
    held = ", ".join(f"{name} in {count} resource instances" for name, count in remains.finalizers.items())
    errors = "; ".join(remains.errors)
    failed = f"Failed to delete all resource types, {len(remains.errors)} remaining: {errors}"
    stale = ", ".join(f"{each}: stale GroupVersion discovery: {each}" for each in remains.unknown)
    undiscovered = (
        f"Discovery failed for some groups, {len(remains.unknown)} failing: unable to retrieve the complete list of "
        f"server APIs: {stale}"
    )
    wanted = (
        ("NamespaceDeletionDiscoveryFailure", bool(stale), "DiscoveryFailed", "ResourcesDiscovered",
         undiscovered if stale else "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", False, "", "ParsedGroupVersions",
         "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", bool(remains.errors), "ContentDeletionFailed", "ContentDeleted",
         failed if remains.errors else "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", bool(objects), "SomeResourcesRemain", "ContentRemoved",
         f"Some resources are remaining: {objects}" if objects else "All content successfully removed"),
        ("NamespaceFinalizersRemaining", bool(held), "SomeFinalizersRemain", "ContentHasNoFinalizers",
         f"Some content in the namespace has finalizers remaining: {held}" if held
         else "All content-preserving finalizers finished"),
    )  # fmt: skip
    before = {condition["type"]: condition for condition in old}
    result = []
    for type, is_true, bad, good, message in wanted:
        new = {"type": type, "status": "True" if is_true else "False", "lastTransitionTime": stamp}
        new |= {"reason": bad if is_true else good, "message": message}
        seen = before.get(type)
        if seen is not None and seen["status"] == new["status"]:
            new["lastTransitionTime"] = seen["lastTransitionTime"]
        result.append(new)
    return result


class NamespaceController(Controller):
    """Empties Terminating namespaces and lets go of them."""

    name = "namespace-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.namespaces = ctx.informers.of(_NAMESPACES)
        self.api_services = ctx.informers.of("apiservices.apiregistration.k8s.io")
        self.namespaces.on(add=self._changed, update=lambda change: self._changed(change.new))

    def _unknown(self) -> tuple[str, ...]:
        """The group versions for which a Service should answer and nobody does."""
        specs = [service["spec"] for service in self.api_services.list()]
        named = sorted(f"{spec.get('group', '')}/{spec['version']}" for spec in specs if spec.get("service"))
        return tuple(
            each for each in named if all(kind.api_version != each for kind in self.ctx.scheme.kinds)
        )

    def _changed(self, namespace: JSON) -> None:
        if namespace["metadata"].get("deletionTimestamp"):
            self.queue.add(namespace["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        namespace = self.namespaces.get(key)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        if FINALIZER not in ((namespace.get("spec") or {}).get("finalizers") or ()):
            return
        remains = self._empty(key)
        if remains is None:
            self.queue.add(key)
            return
        remains = remains._replace(unknown=self._unknown())
        self._write_conditions(namespace, remains)
        if remains.objects or remains.errors:
            # Upstream's rhythm: half of what it may take, plus one second.
            self.queue.add_after(key, remains.estimate // 2 + 1)
            return
        if remains.unknown:
            self.queue.add_rate_limited(key, PATIENCE)
            return
        fresh = self.namespaces.get(key)
        if fresh is not None:
            left = [name for name in fresh["spec"]["finalizers"] if name != FINALIZER]
            freed = {**fresh, "spec": {**fresh["spec"], "finalizers": left}}
            self.client.update(_NAMESPACES, freed, "finalize")

    def _empty(self, namespace: str) -> Remains | None:
        """Deletes everything there; with Pods left, only the Pods. None: a portion is deleted, and there is more."""
        remains, room = Remains({}, {}, [], 0), PORTION
        for kind in deletable(self.ctx.scheme.kinds):
            room -= self._delete_some(namespace, kind, remains, room)
            if room <= 0:
                return None
            remains = self._look(namespace, kind, remains)
            if kind.group_resource == _PODS and remains.objects:
                break
        return remains

    def _delete_some(self, namespace: str, kind: Kind, remains: Remains, room: int) -> int:
        """Deletes what is not being deleted yet; how many, at most `room`. What is refused is told in `remains`."""
        resource, count = kind.group_resource, 0
        for obj in self.ctx.informers.of(resource).list(namespace):
            if count == room:
                break
            if obj["metadata"].get("deletionTimestamp"):
                continue
            try:
                self.client.delete(resource, obj["metadata"]["name"], namespace, propagation="Background")
                count += 1
            except ApiError as error:
                if error.code != 404:
                    remains.errors.append(error.message)
        return count

    def _look(self, namespace: str, kind: Kind, remains: Remains) -> Remains:
        """Adds what is left of a kind."""
        resource = kind.group_resource
        informer = self.ctx.informers.of(resource)
        estimate = remains.estimate
        left = informer.list(namespace)
        if left:
            remains.objects[f"{kind.resource}.{kind.group}"] = len(left)
        for obj in left:
            if resource == _PODS:
                estimate = max(estimate, obj["metadata"].get("deletionGracePeriodSeconds") or 0)
            for finalizer in obj["metadata"].get("finalizers") or ():
                remains.finalizers[finalizer] = remains.finalizers.get(finalizer, 0) + 1
                estimate = max(estimate, FINALIZER_ESTIMATE)
        return remains._replace(estimate=estimate)

    def _write_conditions(self, namespace: JSON, remains: Remains) -> None:
        status = namespace.get("status") or {}
        old = status.get("conditions") or ()
        new = conditions(old, remains, self.clock.timestamp())
        if new != list(old):
            changed = {**namespace, "status": {**status, "phase": "Terminating", "conditions": new}}
            self.client.update_status(_NAMESPACES, changed)
