# ruff: noqa: E501 (one case a line, or two)
"""How Deployments, StatefulSets, DaemonSets and ReplicaSets go from one state to the next."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    JSON,
    Scenario,
    Step,
    after,
    at,
    begin,
    box,
    condition,
    count,
    delete,
    field,
    gone,
    patch,
    pod,
    put,
    refuse,
    said,
    send,
    template,
    there,
    workload,
)
from scenarios_of_probes import check

from cluster_engine import Cluster

DEPLOYMENTS, SETS, STATEFUL, DAEMONS = (
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
)
NEVER = box(readinessProbe=check())
"""Never ready."""


def deployment(replicas: int = 3, *containers: JSON, **spec: Any) -> JSON:
    return workload("Deployment", replicas=replicas, pods=template(*containers), **spec)


def stateful(replicas: int = 3, *containers: JSON, **spec: Any) -> JSON:
    return workload("StatefulSet", replicas=replicas, pods=template(*containers), serviceName="web", **spec)


def rolling(surge: Any = None, unavailable: Any = None, **more: Any) -> JSON:
    given = {"maxSurge": surge, "maxUnavailable": unavailable, **more}
    return {"type": "RollingUpdate", "rollingUpdate": {k: v for k, v in given.items() if v is not None}}


def version(number: int, *containers: JSON, resource: str = DEPLOYMENTS) -> Step:
    """Another template."""
    change: JSON = {"metadata": {"labels": {"v": str(number)}}}
    if containers:
        change["spec"] = {"containers": list(containers)}
    return patch(resource, "web", {"spec": {"template": change}})


def scale(replicas: int, resource: str = DEPLOYMENTS) -> Step:
    return patch(resource, "web", {"spec": {"replicas": replicas}})


def status_of(resource: str = DEPLOYMENTS, **fields: Any) -> Step:
    def step(cluster: Cluster) -> None:
        found = cluster.get(resource, "web")
        assert found is not None
        told = found["status"]
        assert {name: told.get(name) for name in fields} == fields, told

    return step


def revisions(*numbers: str) -> Step:
    """The revisions of the ReplicaSets that there are."""

    def step(cluster: Cluster) -> None:
        found = [
            at(s, "metadata.annotations")["deployment.kubernetes.io/revision"]
            for s in cluster.list(SETS, "default")
        ]
        assert sorted(found) == sorted(numbers)

    return step


def free(label_of: str = "app") -> Step:
    """Takes the label off the first Pod of the app."""

    def step(cluster: Cluster) -> None:
        name = next(
            p["metadata"]["name"]
            for p in cluster.list("pods", "default")
            if p["metadata"].get("labels", {}).get("app") == "web"
        )
        patch("pods", name, {"metadata": {"labels": {label_of: None}}})(cluster)

    return step


def versions_of(**expected: str | None) -> Step:
    """Pod (``_`` for ``-``) -> its label v."""

    def step(cluster: Cluster) -> None:
        found = {}
        for name in expected:
            one = cluster.get("pods", name.replace("_", "-"))
            assert one is not None, name
            found[name] = one["metadata"]["labels"].get("v")
        assert found == expected

    return step


def scale_of(replicas: int) -> Step:
    """Through the subresource."""

    def step(cluster: Cluster) -> None:
        path = "/apis/apps/v1/namespaces/default/deployments/web/scale"
        code, body = send(
            cluster, "PATCH", path, {"spec": {"replicas": replicas}}, "application/merge-patch+json"
        )
        assert code == 200, body
        cluster.settle()

    return step


def annotation(revision: str) -> Step:
    """The Deployment's own revision."""

    def step(cluster: Cluster) -> None:
        found = cluster.get(DEPLOYMENTS, "web")
        assert found is not None
        assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision

    return step


def label_of(name: str, key: str, value: str) -> Step:
    def step(cluster: Cluster) -> None:
        found = cluster.get("pods", name)
        assert found is not None
        assert found["metadata"]["labels"].get(key) == value

    return step


def owned(name: str) -> Step:
    """The Pod has a controller."""

    def step(cluster: Cluster) -> None:
        found = cluster.get("pods", name)
        assert found is not None
        assert [each["kind"] for each in found["metadata"].get("ownerReferences") or ()] == ["ReplicaSet"]

    return step


def cheap() -> Step:
    """The first Pod costs less than the others."""

    def step(cluster: Cluster) -> None:
        name = cluster.list("pods", "default")[0]["metadata"]["name"]
        note = {"controller.kubernetes.io/pod-deletion-cost": "-10"}
        patch("pods", name, {"metadata": {"annotations": note, "labels": {"cheap": "yes"}}})(cluster)

    return step


ROLLOUTS: dict[str, Scenario] = {
    # ---- Deployments
    "a Deployment has its replicas": ("deployment.sync", [
        put(deployment()), status_of(replicas=3, readyReplicas=3, availableReplicas=3, updatedReplicas=3), count("pods", 3, app="web")]),
    "it is available": ("deploymentutil, Available", [
        put(deployment()), condition(DEPLOYMENTS, "web", "Available", "True", "MinimumReplicasAvailable"),
        condition(DEPLOYMENTS, "web", "Progressing", "True", "NewReplicaSetAvailable")]),
    "it is not available": ("deploymentutil, Available", [
        put(deployment(3, NEVER)), condition(DEPLOYMENTS, "web", "Available", "False", "MinimumReplicasUnavailable")]),
    "another template is another ReplicaSet": ("deployment.getNewReplicaSet", [
        put(deployment()), version(2), count(SETS, 2), revisions("1", "2"), count("pods", 3, v="2"), count("pods", 3)]),
    "labels of its own change nothing": ("deployment, EqualIgnoreHash", [
        put(deployment()), patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"x": "y"}}}), count(SETS, 1)]),
    "the revision is written down": ("deployment.SetNewReplicaSetAnnotations", [
        put(deployment()), version(2), annotation("2")]),
    "going back takes the old ReplicaSet": ("deployment.getNewReplicaSet, existing", [
        put(deployment()), version(2), patch(DEPLOYMENTS, "web", {"spec": {"template": {"metadata": {"labels": {"v": None}}}}}),
        count(SETS, 2), revisions("2", "3"), count("pods", 0, v="2"), count("pods", 3)]),
    "none unavailable: the old ones stay": ("rolling.reconcileOldReplicaSets", [
        put(deployment(3, strategy=rolling(1, 0))), version(2, NEVER), count("pods", 1, v="2"), count("pods", 4),
        status_of(availableReplicas=3, unavailableReplicas=1, updatedReplicas=1)]),
    "no surge: first one goes": ("rolling.reconcileNewReplicaSet", [
        put(deployment(3, strategy=rolling(0, 1))), version(2, NEVER), count("pods", 1, v="2"), count("pods", 3)]),
    "more surge": ("rolling.NewRSNewReplicas", [
        put(deployment(4, strategy=rolling("50%", 0))), version(2, NEVER), count("pods", 2, v="2"), count("pods", 6)]),
    "a quarter by default": ("apps/v1 SetDefaults_Deployment", [
        put(deployment(4)), version(2, NEVER), count("pods", 2, v="2"), count("pods", 5)]),
    "Recreate: first all go": ("recreate.rolloutRecreate", [
        put(deployment(3, strategy={"type": "Recreate"})), version(2, NEVER), count("pods", 3, v="2"), count("pods", 3)]),
    "paused: nothing rolls": ("deployment.sync paused", [
        put(deployment()), patch(DEPLOYMENTS, "web", {"spec": {"paused": True}}), version(2), count(SETS, 1),
        condition(DEPLOYMENTS, "web", "Progressing", "Unknown", "DeploymentPaused")]),
    "paused: it still scales": ("deployment.sync paused", [
        put(deployment()), patch(DEPLOYMENTS, "web", {"spec": {"paused": True}}), scale(5), count("pods", 5)]),
    "resumed: it rolls": ("deployment.checkPausedConditions", [
        put(deployment()), patch(DEPLOYMENTS, "web", {"spec": {"paused": True}}), version(2),
        patch(DEPLOYMENTS, "web", {"spec": {"paused": None}}), count("pods", 3, v="2")]),
    "no history": ("deployment.cleanupDeployment", [
        put(deployment(3, revisionHistoryLimit=0)), version(2), count(SETS, 1)]),
    "two of history": ("deployment.cleanupDeployment", [
        put(deployment(1, revisionHistoryLimit=2)), version(2), version(3), version(4), version(5), revisions("3", "4", "5")]),
    "a rollout that does not get on": ("progress.DeploymentTimedOut", [
        put(deployment(3, progressDeadlineSeconds=30)), version(2, NEVER), after(60),
        condition(DEPLOYMENTS, "web", "Progressing", "False", "ProgressDeadlineExceeded")]),
    "available only after minReadySeconds": ("podutil.IsPodAvailable", [
        begin(deployment(2, minReadySeconds=60)), after(30), status_of(readyReplicas=2, availableReplicas=None), after(60),
        status_of(readyReplicas=2, availableReplicas=2)]),
    "up": ("deployment.scale", [put(deployment(1)), scale(4), count("pods", 4), count(SETS, 1)]),
    "down": ("deployment.scale", [put(deployment(4)), scale(1), count("pods", 1)]),
    "to none": ("deployment.scale", [put(deployment(4)), scale(0), count("pods", 0), status_of(replicas=None, readyReplicas=None)]),
    "through the subresource": ("apps ScaleREST", [put(deployment(1)), scale_of(3), count("pods", 3)]),
    "a rollout under way is scaled in proportion": ("deployment.scale, proportional", [
        put(deployment(10, strategy=rolling(3, 2))), version(2, NEVER), count("pods", 13), count("pods", 5, v="2"), scale(15),
        count("pods", 18)]),
    "it is told of": ("deployment.scaleReplicaSet", [put(deployment(2)), said("web", "ScalingReplicaSet: Scaled up replica set web-")]),
    "the selector stays": ("apps validation, immutable selector", [
        put(deployment()), patch(DEPLOYMENTS, "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, status=422)]),
    "the selector selects the template": ("apps validation", [
        refuse(workload("Deployment", pods=template(labels={"app": "other"})), "`selector` does not match template `labels`")]),
    "nobody unavailable and no surge": ("apps validation.ValidateRollingUpdateDeployment", [
        refuse(deployment(strategy=rolling(0, 0)), "may not be 0 when `maxSurge` is 0")]),
    # ---- ReplicaSets
    "a Pod that fits is adopted": ("controller_ref_manager.AdoptPod", [
        pod("lone", labels={"app": "web"}), put(workload("ReplicaSet", replicas=2)), count("pods", 2, app="web"), owned("lone")]),
    "a Pod that does not fit any more is released": ("controller_ref_manager.ReleasePod", [
        put(workload("ReplicaSet", replicas=2)), free(), count("pods", 2, app="web"), count("pods", 3)]),
    "one too many goes": ("replicaset.getPodsToDelete", [
        put(workload("ReplicaSet", replicas=2)), scale(1, SETS), count("pods", 1)]),
    "who is not ready goes first": ("controller_utils.ActivePodsWithRanks", [
        put(workload("ReplicaSet", replicas=1)), pod("bad", NEVER, labels={"app": "web"}), gone("pods", "bad"), count("pods", 1)]),
    "the cheaper one goes": ("controller_utils, pod-deletion-cost", [
        put(workload("ReplicaSet", replicas=2)), cheap(), scale(1, SETS), count("pods", 0, cheap="yes"), count("pods", 1)]),
    # ---- StatefulSets
    "ordinals": ("stateful_set_control", [put(stateful()), there("pods", "web-0", "web-1", "web-2")]),
    "one after the other": ("stateful_set_control OrderedReady", [
        put(stateful(3, NEVER)), after(20), there("pods", "web-0"), gone("pods", "web-1", "web-2")]),
    "all at once": ("stateful_set_control Parallel", [
        put(stateful(3, NEVER, podManagementPolicy="Parallel")), there("pods", "web-0", "web-1", "web-2")]),
    "another first ordinal": ("stateful_set_utils.getStartOrdinal", [
        put(stateful(2, ordinals={"start": 5})), there("pods", "web-5", "web-6"), gone("pods", "web-0")]),
    "the highest goes first": ("stateful_set_control, scale down", [put(stateful()), scale(1, STATEFUL), there("pods", "web-0"),
        gone("pods", "web-1", "web-2")]),
    "the highest is updated first": ("stateful_set_control RollingUpdate", [
        put(stateful()), version(2, NEVER, resource=STATEFUL), versions_of(web_2="2", web_1=None, web_0=None)]),
    "all are updated": ("stateful_set_control RollingUpdate", [
        put(stateful()), version(2, resource=STATEFUL), versions_of(web_2="2", web_1="2", web_0="2")]),
    "a partition holds the lower ones": ("stateful_set_control partition", [
        put(stateful(updateStrategy=rolling(partition=2))), version(2, resource=STATEFUL), versions_of(web_2="2", web_1=None, web_0=None)]),
    "OnDelete waits for the deletion": ("stateful_set_control OnDelete", [
        put(stateful(updateStrategy={"type": "OnDelete"})), version(2, resource=STATEFUL), versions_of(web_2=None, web_1=None, web_0=None),
        delete("pods", "web-1"), versions_of(web_2=None, web_1="2", web_0=None)]),
    "a Pod that goes comes back under its name": ("stateful_set_control", [
        put(stateful()), delete("pods", "web-1"), there("pods", "web-1")]),
    "it knows its ordinal": ("stateful_set_utils.updateIdentity", [
        put(stateful()), label_of("web-2", "apps.kubernetes.io/pod-index", "2"), label_of("web-2", "statefulset.kubernetes.io/pod-name", "web-2"),
        field("pods", "web-2", "spec.hostname", "web-2")]),
    # ---- DaemonSets
    "one a node": ("daemon.manage", [put(workload("DaemonSet")), status_of(DAEMONS, desiredNumberScheduled=4, numberReady=4)]),
    "one node after the other": ("daemon.rollingUpdate maxUnavailable", [
        put(workload("DaemonSet")), version(2, NEVER, resource=DAEMONS), count("pods", 1, v="2"), count("pods", 4)]),
    "two at a time": ("daemon.rollingUpdate maxUnavailable", [
        put(workload("DaemonSet", updateStrategy=rolling(unavailable=2))), version(2, NEVER, resource=DAEMONS), count("pods", 2, v="2")]),
    "the new one first": ("daemon.rollingUpdate maxSurge", [
        put(workload("DaemonSet", updateStrategy=rolling(1, 0))), version(2, NEVER, resource=DAEMONS), count("pods", 5)]),
    "OnDelete": ("daemon.manage OnDelete", [
        put(workload("DaemonSet", updateStrategy={"type": "OnDelete"})), version(2, resource=DAEMONS), count("pods", 0, v="2")]),
}  # fmt: skip
