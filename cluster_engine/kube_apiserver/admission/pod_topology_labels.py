"""PodTopologyLabels: a Pod gets the zone and the region of its node as labels, so that its programs can read them.

Models plugin/pkg/admission/podtopologylabels.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


class PodTopologyLabels(Plugin):
    """Labels Pods that name their node when they are created, and the Bindings of all others."""

    name = "PodTopologyLabels"
    operations = (CREATE,)
    resources = ("pods",)
    subresources = True
    bodies = ("binding",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        if attributes.subresource:
            target = obj.get("target") or {}
            name = target.get("name") if target.get("kind") == "Node" else None
        else:
            name = obj["spec"].get("nodeName")
        node = attributes.store.get("nodes", name) if name else None
        if node is None:
            return obj
        meta = obj.get("metadata") or {}
        known, own = node["metadata"].get("labels") or {}, meta.get("labels") or {}
        added = {label: known[label] for label in LABELS if label in known and label not in own}
        return {**obj, "metadata": {**meta, "labels": {**own, **added}}} if added else obj
