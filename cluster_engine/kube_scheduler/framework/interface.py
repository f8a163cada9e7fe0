"""What a scheduler plugin is: one file in ``plugins/`` with one class, and one line in ``plugins.PLUGINS``.

A plugin acts at the points whose methods it defines, and at no others. For one Pod they come in this order:

- into the queue: ``pre_enqueue`` may keep it out, ``queue_key`` gives its place (one plugin of the table);
- which nodes will do: ``pre_filter`` once, then ``filter`` for each node; ``post_filter`` when none will;
- which is best: ``pre_score`` once, ``score`` for each node left, ``normalize`` over all of them;
- taking it: ``reserve`` (undone by ``unreserve``), ``permit``, ``pre_bind``, ``bind``, ``post_bind``.

A ``ShapePlugin`` answers from the Pod's *shape* and the node alone, through ``filter_shape`` and
``score_shape``. Its answers are kept: the second Pod of a Deployment asks again only about the node that the
first one went to. It is not given the Pod, so it cannot read what its answer must not depend on.

Models k8s.io/kube-scheduler/framework and pkg/scheduler/framework/interface.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.events import Interest
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.shape import Shape
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Snapshot
from cluster_engine.kube_scheduler.framework.verdicts import NodeNames, Nomination, Refusal, Skip, Wait

MAX_SCORE = 100


@dataclass(slots=True)
class CycleState:
    """What plugins keep for the Pod that is being scheduled: one slot per plugin, by name."""

    slots: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, None] = field(default_factory=dict)
    """Plugins that said in ``pre_filter`` that they have nothing against any node."""


@dataclass(slots=True)
class Diagnosis:
    """Why no node will do."""

    refusals: list[Refusal] = field(default_factory=list)
    """One per node, in the order of the nodes; empty when ``everywhere`` is set."""
    everywhere: Refusal | None = None
    """What a ``pre_filter`` has against all nodes."""
    plugins: tuple[str, ...] = ()
    """Who refused."""


class Plugin:
    """The base of every plugin. Its methods say what a plugin that does not define them does."""

    name: str = ""
    weight: int = 1
    """Of its scores in the sum, where the configuration gives no other."""
    extends: tuple[str, ...] = ()
    """Upstream's extension points of this plugin, where they are others than those of the methods it defines."""

    def __init__(self, handle: Handle, args: JSON) -> None:
        """``args``: what the configuration says to this plugin, with upstream's defaults."""
        self.handle = handle
        self.args = args

    def events(self) -> tuple[Interest, ...]:
        """After what a Pod that this plugin refused is worth another try.

        Without the right one such a Pod waits for the five-minute flush.
        """
        return ()

    # ---- the queue -------------------------------------------------------------------------------------

    def pre_enqueue(self, pod: PodInfo) -> Refusal | None:
        """A Refusal keeps the Pod out of the queue until one of the plugin's events comes."""
        return None

    def queue_key(self, priority: int, added: int) -> tuple[int, ...]:
        """The Pod's place: lower is earlier. ``added``: virtual µs when it came or failed last (QueueSort)."""
        return ()

    # ---- which nodes will do ---------------------------------------------------------------------------

    def pre_filter(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot
    ) -> Refusal | NodeNames | Skip | None:
        """Once per Pod; a Refusal refuses all nodes, SKIP spares the plugin's ``filter``, NodeNames all other nodes."""
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """None when the node will do."""
        return None

    def post_filter(self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis) -> Nomination | None:
        """When no node will do: what was done about it; None lets the next plugin try."""
        return None

    # ---- which is best ---------------------------------------------------------------------------------

    def pre_score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]
    ) -> Skip | None:
        """Once per Pod; ``nodes`` are those that passed every filter. SKIP spares the plugin's ``score``."""
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """0 … 100, or any number when the plugin has a ``normalize``."""
        return 0

    def scores(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> list[int]:
        """``score`` of each node, for a plugin that can tell of all at once what it would say of each."""
        return [self.score(state, pod, node) for node in nodes]

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        """Brings the scores of ``nodes`` into 0 … 100."""
        return scores

    # ---- taking it -------------------------------------------------------------------------------------

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Refusal | None:
        """Takes what the Pod will need beside the node's resources."""
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        """Gives it back, after whatever failed later. Must not fail, and may come without a ``reserve``."""

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Refusal | Wait | None:
        """May keep the Pod waiting; ``handle.allow`` and ``handle.reject`` end that."""
        return None

    def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> Refusal | None:
        """What must be done before the Pod is bound."""
        return None

    def bind(self, state: CycleState, pod: PodInfo, node: str) -> bool:
        """Writes the binding. False leaves it to the next plugin of the table. Raises ApiError."""
        return False

    def post_bind(self, state: CycleState, pod: PodInfo, node: str) -> None:
        """The Pod is bound."""


class ShapePlugin(Plugin):
    """A plugin whose answers depend on the Pod's shape and on the node with its Pods, and on nothing else."""

    def applies(self, shape: Shape) -> bool:
        """Whether this plugin has anything to say about Pods of this shape."""
        return True

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        """None when the node will do."""
        return None

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        """0 … 100, or any number when the plugin has a ``normalize``."""
        return 0


def default_normalize(scores: list[int], reverse: bool) -> list[int]:
    """Scales to the highest score. Models plugins/helper.DefaultNormalizeScore."""
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_SCORE] * len(scores) if reverse else scores
    if reverse:
        return [MAX_SCORE - MAX_SCORE * score // highest for score in scores]
    return [MAX_SCORE * score // highest for score in scores]
