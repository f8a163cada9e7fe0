"""The Deployment controller: one ReplicaSet per template, rolled over step by step.

Models pkg/controller/deployment.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON, controller_of, drop, key_of, put, with_meta
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import ORPHAN, Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import find_condition, with_condition
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.sim import SECOND

from . import deployment_rules as rules
from .ownership import ORPHANS, claim, orphans_by_namespace, resolve

_DEPLOYMENTS, _REPLICA_SETS, _PODS = "deployments.apps", "replicasets.apps", "pods"


class DeploymentController(Controller):
    """Brings a Deployment's ReplicaSets to its template and size."""

    name = "deployment-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("deployment-controller", client=self.client)
        self.deployments = ctx.informers.of(_DEPLOYMENTS)
        self.sets = ctx.informers.of(_REPLICA_SETS)
        self.pods = ctx.informers.of(_PODS)
        self.sets.add_index(ORPHANS, orphans_by_namespace, ("owners",))
        self.deployments.on(add=self._added, update=self._updated)
        self.sets.on(
            add=self._set_changed,
            update=self._set_updated,
            delete=self._set_changed,
            owners=("Deployment", ORPHAN),
        )
        self.pods.on(delete=self._pod_deleted, owners=("ReplicaSet",))

    # ---- what makes us look ----------------------------------------------------------------------------

    def _added(self, deployment: JSON) -> None:
        self.queue.add(key_of(deployment))

    def _updated(self, change: Change) -> None:
        if change.spec or change.annotations or change.deletion:
            self.queue.add(change.key)

    def _set_changed(self, rs: JSON) -> None:
        if controller_of(rs) is not None:
            owner = resolve(self.deployments, "Deployment", rs)
            if owner is not None:
                self.queue.add(key_of(owner))
            return
        labels = rs["metadata"].get("labels")
        for deployment in self.deployments.by_index("namespace", rs["metadata"]["namespace"]):
            if labels and compile_selector(deployment["spec"]["selector"]).matches(labels):
                self.queue.add(key_of(deployment))

    def _set_updated(self, change: Change) -> None:
        if (change.owners or change.labels) and controller_of(change.old) is not None:
            self._set_changed(change.old)
        self._set_changed(change.new)

    def _pod_deleted(self, pod: JSON) -> None:
        """A Recreate waits for the last old Pod to be gone."""
        owner = resolve(self.sets, "ReplicaSet", pod)
        deployment = resolve(self.deployments, "Deployment", owner) if owner is not None else None
        if deployment is not None and not rules.is_rolling(deployment):
            self.queue.add(key_of(deployment))

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        deployment = self.deployments.get(key)
        if deployment is None:
            return
        if deployment["spec"]["selector"] == {}:
            text = "This deployment is selecting all pods. A non-empty selector is required."
            self.recorder.event(deployment, "Warning", "SelectingAll", text)
            return
        selector = compile_selector(deployment["spec"]["selector"])
        rss = claim(self.client, self.sets, deployment, selector, _REPLICA_SETS)
        if deployment["metadata"].get("deletionTimestamp"):
            new, olds = _split(deployment, rss)
            self._write_status(deployment, rules.basic_status(deployment, new, olds, self.clock.timestamp()))
            return
        deployment = self._note_pause(deployment)
        if deployment["spec"].get("paused") or rules.was_scaled(deployment, rss):
            self._scale(deployment, rss)
        elif rules.is_rolling(deployment):
            self._roll(deployment, rss)
        else:
            self._recreate(deployment, rss)

    def _note_pause(self, deployment: JSON) -> JSON:
        wanted = rules.paused_condition(deployment, self.clock.timestamp())
        if wanted is None:
            return deployment
        status = deployment.get("status") or {}
        found = with_condition(status.get("conditions") or (), wanted)
        return self._write_status(deployment, {**status, "conditions": found})

    def _scale(self, deployment: JSON, rss: Sequence[JSON]) -> None:
        """A change of size alone, or anything while paused: no rollout, sizes in proportion."""
        deployment, new, olds = self._sync_revision(deployment, rss, create=False)
        new, olds = self._resize(deployment, new, olds, rules.proportional(deployment, new, olds))
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, olds)
        self._write_status(deployment, rules.basic_status(deployment, new, olds, self.clock.timestamp()))

    def _roll(self, deployment: JSON, rss: Sequence[JSON]) -> None:
        """One step of a rolling update: the new set grows, else the old ones shrink, else tidy up."""
        deployment, new, olds = self._sync_revision(deployment, rss, create=True)
        assert new is not None
        grown = rules.grow_new(deployment, new, [*olds, new])
        steps = [grown] if grown is not None else rules.shrink_old(deployment, new, olds)
        new, olds = self._resize(deployment, new, olds, steps)
        self._write_rollout(deployment, new, olds)

    def _recreate(self, deployment: JSON, rss: Sequence[JSON]) -> None:
        """All old Pods go, then all new ones come."""
        deployment, new, olds = self._sync_revision(deployment, rss, create=False)
        steps = [rules.Resize(rs["metadata"]["name"], 0, "down") for rs in rules.active(olds)]
        if steps:
            new, olds = self._resize(deployment, new, olds, steps)
        elif not self._old_pods_running(olds):
            if new is None:
                deployment, new, olds = self._sync_revision(deployment, rss, create=True)
            assert new is not None
            grown = rules.grow_new(deployment, new, [*olds, new])
            new, olds = self._resize(deployment, new, olds, [grown] if grown is not None else [])
        self._write_rollout(deployment, new, olds)

    def _old_pods_running(self, olds: Sequence[JSON]) -> bool:
        if rules.counted(olds, "replicas") > 0:
            return True
        return any(
            not is_finished(pod) for rs in olds for pod in self.pods.by_index("owner", rs["metadata"]["uid"])
        )

    # ---- ReplicaSets -----------------------------------------------------------------------------------

    def _sync_revision(
        self, deployment: JSON, rss: Sequence[JSON], create: bool
    ) -> tuple[JSON, JSON | None, list[JSON]]:
        """(Deployment, its new ReplicaSet, the old ones), with annotations brought up to date."""
        new, olds = _split(deployment, rss)
        if new is None:
            return self._create_set(deployment, olds) if create else (deployment, None, olds)
        revision = rules.next_revision(olds)
        existing = new["metadata"].get("annotations") or {}
        annotations = rules.new_annotations(deployment, existing, revision)
        min_ready = deployment["spec"].get("minReadySeconds", 0)
        if annotations != existing or new["spec"].get("minReadySeconds", 0) != min_ready:
            updated = drop(with_meta(new, annotations=annotations), ("spec", "minReadySeconds"))
            if min_ready:
                updated = put(updated, ("spec", "minReadySeconds"), min_ready)
            new = self.client.update(_REPLICA_SETS, updated)
        deployment = self._note_revision(deployment, rules.revision_of(new))
        found = (deployment.get("status") or {}).get("conditions") or ()
        if rules.has_deadline(deployment) and find_condition(found, "Progressing") is None:
            text = f'Found new replica set "{new["metadata"]["name"]}"'
            deployment = self._note(deployment, "True", "FoundNewReplicaSet", text)
        return deployment, new, olds

    def _create_set(self, deployment: JSON, olds: list[JSON]) -> tuple[JSON, JSON | None, list[JSON]]:
        wanted = rules.new_replica_set(deployment, olds, rules.template_hash(deployment))
        name = wanted["metadata"]["name"]
        try:
            new = self.client.create(_REPLICA_SETS, wanted)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                # Another template with the same hash: hash again with the count of clashes, as upstream.
                status = deployment.get("status") or {}
                collisions = (status.get("collisionCount") or 0) + 1
                self._write_status(deployment, {**status, "collisionCount": collisions})
                raise
            text = f'Failed to create new replica set "{name}": {error.message}'
            if rules.has_deadline(deployment):
                self._note(deployment, "False", "ReplicaSetCreateError", text)
            self.recorder.event(deployment, "Warning", "ReplicaSetCreateError", text)
            raise
        size = rules.size_of(new)
        if size > 0:
            text = f"Scaled up replica set {name} from 0 to {size}"
            self.recorder.event(deployment, "Normal", "ScalingReplicaSet", text)
        deployment = self._note_revision(deployment, rules.revision_of(new))
        if rules.has_deadline(deployment):
            text = f'Created new replica set "{name}"'
            deployment = self._note(deployment, "True", "NewReplicaSetCreated", text)
        return deployment, new, olds

    def _resize(
        self, deployment: JSON, new: JSON | None, olds: Sequence[JSON], steps: Sequence[rules.Resize]
    ) -> tuple[JSON | None, list[JSON]]:
        """Carries the steps out; the ReplicaSets as they are then."""
        now = {rs["metadata"]["name"]: rs for rs in (*olds, *([new] if new is not None else []))}
        annotations = rules.replica_annotations(deployment)
        for step in steps:
            rs = now[step.name]
            before = rules.size_of(rs)
            noted = {**(rs["metadata"].get("annotations") or {}), **annotations}
            if before == step.size and noted == rs["metadata"].get("annotations"):
                continue
            changed = {**with_meta(rs, annotations=noted), "spec": {**rs["spec"], "replicas": step.size}}
            now[step.name] = self.client.update(_REPLICA_SETS, changed)
            if before != step.size:
                text = f"Scaled {step.verb} replica set {step.name} from {before} to {step.size}"
                self.recorder.event(deployment, "Normal", "ScalingReplicaSet", text)
        latest = now[new["metadata"]["name"]] if new is not None else None
        return latest, [now[rs["metadata"]["name"]] for rs in olds]

    def _clean_up(self, deployment: JSON, olds: Sequence[JSON]) -> None:
        for rs in rules.superfluous(deployment, olds):
            try:
                self.client.delete(_REPLICA_SETS, rs["metadata"]["name"], rs["metadata"]["namespace"])
            except ApiError as error:
                if error.code != 404:
                    raise

    # ---- the Deployment's own ---------------------------------------------------------------------------

    def _note_revision(self, deployment: JSON, revision: int) -> JSON:
        if rules.revision_of(deployment) == revision:
            return deployment
        annotations = {**(deployment["metadata"].get("annotations") or {}), rules.REVISION: str(revision)}
        return self.client.update_status(_DEPLOYMENTS, with_meta(deployment, annotations=annotations))

    def _note(self, deployment: JSON, status: str, reason: str, text: str) -> JSON:
        """Sets the Progressing condition."""
        old = deployment.get("status") or {}
        new = rules.condition("Progressing", status, reason, text, self.clock.timestamp())
        found = with_condition(old.get("conditions") or (), new)
        return self._write_status(deployment, {**old, "conditions": found})

    def _write_rollout(self, deployment: JSON, new: JSON | None, olds: Sequence[JSON]) -> None:
        now, stamp = self.clock.now, self.clock.timestamp()
        deployment = self._write_status(deployment, rules.rollout_status(deployment, new, olds, now, stamp))
        if rules.is_complete(deployment, deployment["status"]):
            self._clean_up(deployment, olds)
        due = rules.deadline_at(deployment, deployment["status"])
        if due is not None:
            # One second more, as upstream, so that the deadline has surely passed when we look.
            self.queue.add_after(key_of(deployment), max(due - now, 0) / SECOND + 1, background=True)

    def _write_status(self, deployment: JSON, status: JSON) -> JSON:
        if status == deployment.get("status"):
            return deployment
        return self.client.update_status(_DEPLOYMENTS, {**deployment, "status": status})


def _split(deployment: JSON, rss: Sequence[JSON]) -> tuple[JSON | None, list[JSON]]:
    """(the ReplicaSet of the present template, all others)."""
    new = rules.find_new(deployment, rss)
    return new, [rs for rs in rss if rs is not new]
