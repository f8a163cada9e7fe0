"""The StatefulSet controller: Pods with a name that stays, one after the other.

Models pkg/controller/statefulset.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of, with_meta
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import ORPHAN, Change
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

from . import statefulset_rules as rules
from .ownership import ORPHANS, claim, orphans_by_namespace, resolve
from .pods import AT_ONCE, is_namespace_terminating
from .replicaset import availability

_SETS, _PODS, _REVISIONS = "statefulsets.apps", "pods", "controllerrevisions.apps"
_CLAIMS = "persistentvolumeclaims"


class StatefulSetController(Controller):
    """Makes, keeps, updates and removes numbered Pods in order."""

    name = "statefulset-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("statefulset-controller", client=self.client)
        self.sets = ctx.informers.of(_SETS)
        self.pods = ctx.informers.of(_PODS)
        self.revisions = ctx.informers.of(_REVISIONS)
        self.claims = ctx.informers.of(_CLAIMS)
        self.pods.add_index(ORPHANS, orphans_by_namespace, ("owners",))
        self.sets.on(add=self._added, update=self._updated)
        self.pods.on(
            add=self._pod_changed,
            update=self._pod_updated,
            delete=self._pod_changed,
            owners=("StatefulSet", ORPHAN),
        )

    # ---- what makes us look ----------------------------------------------------------------------------

    def _added(self, stateful_set: JSON) -> None:
        self.queue.add(key_of(stateful_set))

    def _updated(self, change: Change) -> None:
        if change.spec or change.deletion:
            self.queue.add(change.key)

    def _pod_updated(self, change: Change) -> None:
        if change.owners:
            self._pod_changed(change.old)
        if change.readiness or change.deletion or change.labels or change.owners:
            self._pod_changed(change.new)

    def _pod_changed(self, pod: JSON) -> None:
        owner = resolve(self.sets, "StatefulSet", pod)
        if owner is not None:
            self.queue.add(key_of(owner))
        elif pod["metadata"].get("labels") and not pod["metadata"].get("ownerReferences"):
            for candidate in self.sets.by_index("namespace", pod["metadata"]["namespace"]):
                if compile_selector(candidate["spec"]["selector"]).matches(pod["metadata"]["labels"]):
                    self.queue.add(key_of(candidate))

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        found = self.sets.get(key)
        if found is None:
            return
        claim(self.client, self.pods, found, compile_selector(found["spec"]["selector"]), _PODS)
        current, update = self._revisions(found)
        error = None
        if not found["metadata"].get("deletionTimestamp"):
            error = self._act(found, current, update)
        pods, now = self._pods(found), self.clock.now
        names = current["metadata"]["name"], update["metadata"]["name"]
        status = rules.status(found, pods, *names, now)
        if status != found.get("status"):
            self.client.update_status(_SETS, {**found, "status": status})
        self._forget_revisions(found, pods, {status["currentRevision"], status["updateRevision"]})
        _, due = availability(pods, found["spec"].get("minReadySeconds") or 0, now)
        if due is not None:
            self.queue.add_after(key, (due - now) / SECOND)
        if error is not None:
            raise error

    def _pods(self, found: JSON) -> list[JSON]:
        return list(self.pods.by_index("owner", found["metadata"]["uid"]))

    def _act(self, found: JSON, current: JSON, update: JSON) -> ApiError | None:
        self._keep_claims(found)
        steps = rules.next_steps(found, self._pods(found), update["metadata"]["name"], self.clock.now)
        for pod in steps.failed:
            set_key, name = key_of(found), pod["metadata"]["name"]
            text = f"StatefulSet {set_key} is recreating failed Pod {name}"
            self.recorder.event(found, "Warning", "RecreatingFailedPod", text)
        for pod in steps.delete[:AT_ONCE]:
            error = self._delete(found, pod)
            if error is not None:
                return error
        for number in steps.create[:AT_ONCE]:
            made_of = current if rules.wants_current(found, number) else update
            error = self._create(found, made_of, number)
            if error is not None:
                return error
        return None

    def _create(self, found: JSON, made_of: JSON, number: int) -> ApiError | None:
        pod = rules.pod_of(found, rules.template_of(made_of), number, made_of["metadata"]["name"])
        what = f"create Pod {pod['metadata']['name']} in StatefulSet {found['metadata']['name']}"
        for template in rules.claims(found):
            error = self._claim(found, pod, template, number)
            if error is not None:
                return error
        try:
            self.client.create(_PODS, pod)
        except ApiError as error:
            if is_namespace_terminating(error):
                return None
            self.recorder.event(found, "Warning", "FailedCreate", f"{what} failed error: {error.message}")
            return error
        self.recorder.event(found, "Normal", "SuccessfulCreate", f"{what} successful")
        return None

    def _claim(self, found: JSON, pod: JSON, template: JSON, number: int) -> ApiError | None:
        """Makes a claim that is not there; those of an earlier Pod are its successor's."""
        claim = rules.claim_of(found, template, number)
        name, of = claim["metadata"]["name"], f"in StatefulSet {found['metadata']['name']}"
        if self.claims.get(key_of(claim)) is not None:
            return None
        try:
            self.client.create(_CLAIMS, claim)
        except ApiError as error:
            text = f"create Claim {name} for Pod {pod['metadata']['name']} {of} failed error: {error.message}"
            self.recorder.event(found, "Warning", "FailedCreate", text)
            return error
        text = f"create Claim {name} Pod {pod['metadata']['name']} {of} success"
        self.recorder.event(found, "Normal", "SuccessfulCreate", text)
        return None

    def _keep_claims(self, found: JSON) -> None:
        """Has claims go with the set, or with a Pod too many, where the retention policy says so."""
        if not rules.claims(found):
            return
        pods = {rules.ordinal(found, pod): pod for pod in self._pods(found)}
        for number in sorted({*rules.ordinals(found), *pods} - {-1}):
            for template in rules.claims(found):
                name = rules.claim_name(found, template, number)
                claim = self.claims.get(f"{found['metadata']['namespace']}/{name}")
                if claim is None:
                    continue
                owners = rules.claim_owners(found, claim, pods.get(number), number)
                if owners != (claim["metadata"].get("ownerReferences") or []):
                    self.client.update(_CLAIMS, with_meta(claim, ownerReferences=owners or None))

    def _delete(self, found: JSON, pod: JSON) -> ApiError | None:
        meta = pod["metadata"]
        what = f"delete Pod {meta['name']} in StatefulSet {found['metadata']['name']}"
        try:
            self.client.delete(_PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except ApiError as error:
            if error.code == 404:
                return None
            self.recorder.event(found, "Warning", "FailedDelete", f"{what} failed error: {error.message}")
            return error
        self.recorder.event(found, "Normal", "SuccessfulDelete", f"{what} successful")
        return None

    # ---- revisions -------------------------------------------------------------------------------------

    def _owned_revisions(self, found: JSON) -> list[JSON]:
        owned = self.revisions.by_index("owner", found["metadata"]["uid"])
        return sorted(owned, key=lambda revision: (revision["revision"], revision["metadata"]["name"]))

    def _revisions(self, found: JSON) -> tuple[JSON, JSON]:
        """(the revision that Pods are of, the one that they become) (getStatefulSetRevisions)."""
        owned = self._owned_revisions(found)
        last = owned[-1]["revision"] if owned else 0
        wanted = rules.revision_of(found, last + 1)
        update = next((r for r in owned if r["metadata"]["name"] == wanted["metadata"]["name"]), None)
        if update is None:
            update = self.client.create(_REVISIONS, wanted)
        elif update["revision"] < last:
            update = self.client.update(_REVISIONS, {**update, "revision": last + 1})
        name = (found.get("status") or {}).get("currentRevision")
        current = next((r for r in owned if r["metadata"]["name"] == name), update)
        return current, update

    def _forget_revisions(self, found: JSON, pods: list[JSON], in_use: set[str]) -> None:
        in_use = in_use | {rules.revision(pod) for pod in pods}
        idle = [r for r in self._owned_revisions(found) if r["metadata"]["name"] not in in_use]
        excess = len(idle) - found["spec"].get("revisionHistoryLimit", 10)
        for revision in idle[: max(0, excess)]:
            self.client.delete(_REVISIONS, revision["metadata"]["name"], revision["metadata"]["namespace"])
