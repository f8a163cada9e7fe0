"""What a scheduler plugin is.

A plugin is one file in ``plugins/`` that ends in one class, and one line in ``plugins.PLUGINS``. It may
refuse nodes (``filter``), prefer nodes (``score``), or both.

``scope`` says what a plugin's answers depend on beside the Pod's shape, so that the framework can keep them:

- ``node``: the Node object alone (labels, taints, spec). Kept until that object changes.
- ``pods``: the Node and the Pods on it. Kept until a Pod comes to or leaves that node.
- ``cluster`` (unless it says otherwise): anything. Asked anew for every Pod that is scheduled.

An answer that is kept is given to every Pod of the same shape, so a plugin of scope ``node`` or ``pods`` may
read ``pod.shape`` alone. Whoever reads ``pod.pod`` (annotations, images, the name) has scope ``cluster``.

Models k8s.io/kube-scheduler/framework (FilterPlugin, PreFilterPlugin, ScorePlugin).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from cluster_engine.client_go import SharedInformerFactory
    from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Shape

MAX_SCORE = 100

ClusterEvent = Literal[
    "node/add",
    "node/allocatable",
    "node/labels",
    "node/taints",
    "pod/added",  # a Pod came to a node
    "pod/deleted",  # a Pod left a node, or the cluster
    "pod/updated",  # labels of a placed Pod changed
    "pod/annotations",  # annotations of the refused Pod itself changed
    "claim/changed",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node will not do. ``resolvable`` says whether evicting Pods from it could help."""

    reasons: tuple[str, ...]
    resolvable: bool
    plugin: str = ""


def resolvable(*reasons: str) -> Refusal:
    """A refusal that goes away when Pods do (framework.Unschedulable)."""
    return Refusal(reasons, True)


def unresolvable(*reasons: str) -> Refusal:
    """A refusal that stays, whatever is evicted (framework.UnschedulableAndUnresolvable)."""
    return Refusal(reasons, False)


@dataclass(slots=True)
class Snapshot:
    """All nodes, ordered by name, and the informers for what else a plugin wants to read."""

    nodes: list[NodeInfo]
    informers: SharedInformerFactory


@dataclass(slots=True)
class CycleState:
    """What plugins keep for the Pod that is being scheduled: one slot per plugin, by name."""

    slots: dict[str, Any] = field(default_factory=dict)
    nothing: dict[str, None] = field(default_factory=dict)
    """Plugins whose ``pre_filter`` found that they have nothing against any node."""


class Plugin:
    """The base of every plugin: refuses nothing, prefers nothing."""

    name: str = ""
    scope: Literal["node", "pods", "cluster"] = "cluster"
    weight: int = 0
    """Of its scores in the sum; 0 means that it does not score."""
    normalized: bool = False
    """Whether ``normalize`` must see the scores of all nodes that are left."""
    filters: bool = True
    events: tuple[ClusterEvent, ...] = ()
    """What may make a node that this plugin refused acceptable."""

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | None:
        """Scope ``cluster`` only: called once per Pod; a Refusal refuses all nodes."""
        return None

    def applies(self, shape: Shape) -> bool:
        """Whether this plugin has anything to say about Pods of this shape."""
        return True

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """None when the node will do."""
        return None

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]) -> bool:
        """Whether to score at all; ``nodes`` are those that passed every filter."""
        return True

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """0 … 100, or any number when ``normalized``."""
        return 0

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        """Brings the scores of the nodes that are left into 0 … 100."""
        return scores


def default_normalize(scores: list[int], reverse: bool) -> list[int]:
    """Scales to the highest score. Models plugins/helper.DefaultNormalizeScore."""
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_SCORE] * len(scores) if reverse else scores
    if reverse:
        return [MAX_SCORE - MAX_SCORE * score // highest for score in scores]
    return [MAX_SCORE * score // highest for score in scores]
