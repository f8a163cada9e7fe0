"""How many Pods of each kind a ReplicaSet has, kept up to date write by write.

An index over the Pods, like those of the informers: counting a thousand Pods anew at each of their thousand
readiness changes would be quadratic. It is derived from the store alone, built when first asked for and never
saved, so a restored cluster counts the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cluster_engine.apimachinery.cow import JSON, controller_of
from cluster_engine.apimachinery.labels import Selector
from cluster_engine.component_helpers.pod_phase import is_finished

from .pods import is_pod_ready


class Tally:
    """The counts of one ReplicaSet's Pods."""

    __slots__ = ("active", "labeled", "labels", "ready", "selector", "strays", "terminating")

    def __init__(self, selector: Selector, labels: JSON) -> None:
        self.selector = selector
        self.labels = labels
        self.active = 0
        self.ready = 0
        """Active and ready."""
        self.labeled = 0
        """Active, with all labels of the template."""
        self.terminating = 0
        self.strays = 0
        """Still owned, but no longer selected: to be released."""

    def count(self, pod: JSON, sign: int) -> None:
        """Adds (1) or takes away (-1) a Pod."""
        meta = pod["metadata"]
        labels = meta.get("labels") or {}
        self.strays += 0 if self.selector.matches(labels) else sign
        if is_finished(pod):
            return
        if meta.get("deletionTimestamp"):
            self.terminating += sign
            return
        self.active += sign
        self.ready += sign if is_pod_ready(pod) else 0
        self.labeled += sign if self.labels.items() <= labels.items() else 0

    def changed(self, old: JSON, new: JSON) -> None:
        """A Pod's phase or readiness is another, and nothing else that is counted."""
        if is_finished(old) or is_finished(new):
            self.count(old, -1)
            self.count(new, 1)
        elif not new["metadata"].get("deletionTimestamp"):
            self.ready += is_pod_ready(new) - is_pod_ready(old)


class Tallies:
    """The tallies of all ReplicaSets, by their uid."""

    def __init__(
        self, pods_of: Callable[[str], Sequence[JSON]], selector: Callable[[JSON | None], Selector]
    ) -> None:
        """``selector``: makes one of a set's ``spec.selector``, the very same for the same."""
        self._pods_of = pods_of
        self._selector = selector
        self._tallies: dict[str, Tally] = {}

    def of(self, rs: JSON) -> Tally:
        """The tally of that ReplicaSet, counted from the start when its selector or template labels changed."""
        uid, spec = rs["metadata"]["uid"], rs["spec"]
        selector = self._selector(spec["selector"])
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        tally = self._tallies.get(uid)
        if tally is None or tally.selector is not selector or tally.labels != labels:
            tally = self._tallies[uid] = Tally(selector, labels)
            for pod in self._pods_of(uid):
                tally.count(pod, 1)
        return tally

    def forget(self, uid: str) -> None:
        """Drops the tally of a ReplicaSet that is gone."""
        self._tallies.pop(uid, None)

    def clear(self) -> None:
        """Drops all: they are counted anew when asked for."""
        self._tallies.clear()

    def count(self, pod: JSON, sign: int) -> None:
        """Adds or takes away a Pod, if its owner is counted at all."""
        tally = self._its(pod)
        if tally is not None:
            tally.count(pod, sign)

    def changed(self, old: JSON, new: JSON) -> None:
        """As `Tally.changed`, if the Pod's owner is counted at all."""
        tally = self._its(new)
        if tally is not None:
            tally.changed(old, new)

    def _its(self, pod: JSON) -> Tally | None:
        reference = controller_of(pod)
        return self._tallies.get(reference["uid"]) if reference is not None else None
