"""The replication controller: a ReplicaSet controller for the older kind.

Models pkg/controller/replication.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import Selector, selector_of_map

from .replicaset import ReplicaSetController


class ReplicationManager(ReplicaSetController):
    """Keeps the Pods of ReplicationControllers."""

    name = "replication-controller"
    resource = "replicationcontrollers"
    kind = "ReplicationController"

    @staticmethod
    def selector(spec_selector: JSON | None) -> Selector:
        """The matcher of a plain map of labels."""
        return selector_of_map(spec_selector)

    def shown(self, status: JSON) -> JSON:
        """Pods on their way out are not counted in this kind."""
        return {name: value for name, value in status.items() if name != "terminatingReplicas"}
