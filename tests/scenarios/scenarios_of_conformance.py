# ruff: noqa: E501 (one case a line, or two)
"""Upstream's conformance suite, as far as it needs controllers and the scheduler: codename -> (what it shows, steps)."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    ADMIN,
    HOST,
    JSON,
    Scenario,
    Step,
    a_pod,
    after,
    asks,
    at,
    because,
    begin,
    box,
    condition,
    cordon,
    count,
    delete,
    each,
    evict,
    field,
    gone,
    label,
    on,
    patch,
    path_of,
    phase,
    pod,
    put,
    said,
    send,
    serves,
    still,
    template,
    there,
    untaint,
    workload,
)
from scenarios_of_disruption import BUDGETS, VIOLATES, budget, mark
from scenarios_of_jobs import JOBS, cron, job, jobs, running
from scenarios_of_placement import FILLED, W1, W2, W3, W4
from scenarios_of_probes import LABELS, SERVICE
from scenarios_of_rollouts import (
    DAEMONS,
    DEPLOYMENTS,
    NEVER,
    SETS,
    STATEFUL,
    deployment,
    free,
    owned,
    revisions,
    rolling,
    scale,
    stateful,
    status_of,
    version,
    versions_of,
)
from scenarios_of_storage import CLAIMS, VOLUMES, claim, volume

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import Request

CONTROLLERS = "replicationcontrollers"
STUBBORN = box("trap '' TERM; while true; do sleep 1; done")
MERGE = "application/merge-patch+json"


def rc(replicas: int = 2, *containers: JSON, **spec: Any) -> JSON:
    made = workload(
        "ReplicationController", pods=template(*containers, **spec), group="v1", replicas=replicas
    )
    return {**made, "spec": {**made["spec"], "selector": {"app": "web"}}}


def remove(resource: str, name: str, policy: str, settle: bool = True) -> Step:
    """A deletion with that propagation policy."""

    def step(cluster: Cluster) -> None:
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
        code, answer = send(cluster, "DELETE", path_of(cluster, resource, name), body)
        assert code in (200, 202), answer
        if settle:
            cluster.settle()

    return step


def ownerless(resource: str, number: int) -> Step:
    """So many objects, none of which has an owner."""

    def step(cluster: Cluster) -> None:
        found = cluster.list(resource, "default")
        assert [at(o, "metadata.ownerReferences") or None for o in found] == [None] * number

    return step


def own_one_another(*names: str) -> Step:
    """Each Pod is owned by the next, the last by the first."""

    def step(cluster: Cluster) -> None:
        for name, owner in zip(names, (*names[1:], names[0]), strict=True):
            found = cluster.get("pods", owner)
            assert found is not None
            reference = {"apiVersion": "v1", "kind": "Pod", "name": owner, "uid": found["metadata"]["uid"]}
            patch("pods", name, {"metadata": {"ownerReferences": [reference]}})(cluster)

    return step


def owned_too(kind: str, resource: str, name: str) -> Step:
    """The Pods of the app have another owner too."""

    def step(cluster: Cluster) -> None:
        owner = cluster.get(resource, name)
        assert owner is not None
        more = {
            "apiVersion": owner["apiVersion"],
            "kind": kind,
            "name": name,
            "uid": owner["metadata"]["uid"],
        }
        for found in cluster.list("pods", "default"):
            references = [*found["metadata"]["ownerReferences"], more]
            patch("pods", found["metadata"]["name"], {"metadata": {"ownerReferences": references}})(cluster)

    return step


def namespace_goes(obj: JSON, resource: str) -> Step:
    """A namespace with the object in it is deleted, and made again: nothing is in it."""

    def step(cluster: Cluster) -> None:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "doomed"}}
        put(space)(cluster)
        put({**obj, "metadata": {**obj["metadata"], "namespace": "doomed"}})(cluster)
        assert len(cluster.list(resource, "doomed")) == 1
        delete("namespaces", "doomed")(cluster)
        cluster.advance(60)
        assert cluster.get("namespaces", "doomed") is None
        put(space)(cluster)
        assert cluster.list(resource, "doomed") == []

    return step


def quota(**hard: str) -> JSON:
    scopes = hard.pop("scopes", None)
    spec: JSON = {"hard": {name.replace("__", "/").replace("_", "."): value for name, value in hard.items()}}
    if scopes:
        spec["scopes"] = [scopes]
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": spec}


def used(name: str, value: str, of: str = "q") -> Step:
    def step(cluster: Cluster) -> None:
        found = cluster.get("resourcequotas", of)
        assert found is not None
        assert found["status"]["used"][name] == value, found["status"]

    return step


def counted(
    name: str, key: str, obj: JSON, resource: str, before: str = "0", with_it: str = "1"
) -> list[Step]:
    """The quota's count rises and falls with the object."""
    made = quota()
    made["spec"]["hard"] = {key: "10"}
    return [
        put(made),
        used(key, before),
        put(obj),
        used(key, with_it),
        delete(resource, name),
        after(5),
        used(key, before),
    ]


def whole_life(obj: JSON) -> Step:
    """Made, listed by label over all namespaces, read, patched, replaced, deleted as a collection."""

    def step(cluster: Cluster) -> None:
        kind = cluster.kind_of(obj["kind"].lower())
        scope = "/namespaces/default" if kind.namespaced else ""
        place = f"{kind.path}{scope}/{kind.resource}"
        labelled = {**obj, "metadata": {**obj["metadata"], "labels": {"life": "one"}}}
        code, made = send(cluster, "POST", place, labelled)
        assert code == 201, made
        cluster.settle()
        name = made["metadata"]["name"]
        everywhere = cluster.list(kind.group_resource)
        assert name in [
            o["metadata"]["name"] for o in everywhere if o["metadata"].get("labels", {}).get("life") == "one"
        ]
        code, patched = send(
            cluster, "PATCH", f"{place}/{name}", {"metadata": {"annotations": {"x": "y"}}}, MERGE
        )
        assert (code, patched["metadata"]["annotations"]["x"]) == (200, "y")
        code, read = send(cluster, "GET", f"{place}/{name}")
        assert code == 200, read
        read["metadata"]["labels"]["life"] = "two"
        code, written = send(cluster, "PUT", f"{place}/{name}", read)
        assert (code, written["metadata"]["labels"]["life"]) == (200, "two")
        collection(kind.group_resource, "life=two")(cluster)
        cluster.advance(30)
        assert cluster.get(kind.group_resource, name) is None

    return step


def collection(resource: str, selector: str) -> Step:
    """Deletes those of a label."""

    def step(cluster: Cluster) -> None:
        kind = cluster.kind_of(resource)
        scope = "/namespaces/default" if kind.namespaced else ""
        response = cluster.request(
            Request(
                "DELETE", f"{kind.path}{scope}/{kind.resource}", [("labelSelector", selector)], {}, b"", ADMIN
            )
        )
        assert response.status == 200, response.body
        cluster.settle()

    return step


def status_sticks(resource: str, name: str, change: JSON) -> Step:
    """A patch of the status is there, and leaves the spec alone."""

    def step(cluster: Cluster) -> None:
        before = cluster.get(resource, name)
        assert before is not None
        code, body = send(
            cluster,
            "PATCH",
            path_of(cluster, resource, name, more="/status"),
            {"status": change, "spec": {"x": 1}},
            MERGE,
        )
        if code == 400:  # a strict server says so of the unknown field
            code, body = send(
                cluster, "PATCH", path_of(cluster, resource, name, more="/status"), {"status": change}, MERGE
            )
        assert code == 200, body
        assert body["spec"] == before["spec"]
        code, read = send(cluster, "GET", path_of(cluster, resource, name, more="/status"))
        assert code == 200
        assert read["metadata"]["uid"] == before["metadata"]["uid"]

    return step


def scales(resource: str) -> Step:
    """Through the subresource: read, replaced, patched."""

    def step(cluster: Cluster) -> None:
        path = path_of(cluster, resource, "web", more="/scale")
        code, found = send(cluster, "GET", path)
        assert (code, found["kind"], found["spec"]["replicas"]) == (200, "Scale", 1)
        found["spec"]["replicas"] = 2
        code, body = send(cluster, "PUT", path, found)
        assert code == 200, body
        cluster.settle()
        count("pods", 2)(cluster)
        code, body = send(cluster, "PATCH", path, {"spec": {"replicas": 3}}, MERGE)
        assert (code, body["spec"]["replicas"]) == (200, 3)
        cluster.settle()
        count("pods", 3)(cluster)

    return step


def only_of(label_v: str) -> Step:
    """Pods of that template alone, though none of them ever gets ready."""

    def step(cluster: Cluster) -> None:
        assert {p["metadata"]["labels"].get("v") for p in cluster.list("pods", "default")} == {label_v}

    return step


def numbered(*numbers: int) -> Step:
    """The revisions that are kept of a set."""

    def step(cluster: Cluster) -> None:
        assert sorted(r["revision"] for r in cluster.list("controllerrevisions.apps", "default")) == list(
            numbers
        )

    return step


def fails_on(node: str) -> Step:
    """The Pod of the app on that node ends in failure."""

    def step(cluster: Cluster) -> None:
        (found,) = [p for p in cluster.list("pods", "default") if p["spec"]["nodeName"] == node]
        patch("pods", found["metadata"]["name"], {"status": {"phase": "Failed"}}, more="/status")(cluster)
        cluster.advance(60)

    return step


def same_pods(step_between: Step, of: str) -> Step:
    """Pods with that label are the very same afterwards."""

    def step(cluster: Cluster) -> None:
        def uids() -> set[str]:
            return {
                p["metadata"]["uid"]
                for p in cluster.list("pods", "default")
                if p["metadata"]["labels"].get("v") == of
            }

        before = uids()
        assert before
        step_between(cluster)
        now = {p["metadata"]["uid"] for p in cluster.list("pods", "default")}
        assert before <= now

    return step


def root_ca(namespace: str = "default") -> list[Step]:
    name = "kube-root-ca.crt"
    text = "data.ca.crt"

    def has(cluster: Cluster) -> None:
        found = cluster.get("configmaps", name, namespace)
        assert found is not None
        assert found["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----"), text

    return [has, delete("configmaps", name), has, patch("configmaps", name, {"data": {"ca.crt": "x"}}), has]


def endpoints_of(service: str, number: int) -> Step:
    """Endpoints and slices both have so many addresses."""

    def step(cluster: Cluster) -> None:
        found = cluster.get("endpoints", service)
        subsets = (found or {}).get("subsets") or []
        assert sum(len(each.get("addresses") or ()) for each in subsets) == number
        slices = [
            s
            for s in cluster.list("endpointslices.discovery.k8s.io", "default")
            if s["metadata"]["labels"].get("kubernetes.io/service-name") == service
        ]
        assert sum(len(s.get("endpoints") or ()) for s in slices) == number

    return step


def mirrored(*addresses: str) -> Step:
    def step(cluster: Cluster) -> None:
        slices = [
            s
            for s in cluster.list("endpointslices.discovery.k8s.io", "default")
            if s["metadata"]["labels"].get("kubernetes.io/service-name") == "mine"
        ]
        found = sorted(a for s in slices for e in s.get("endpoints") or () for a in e["addresses"])
        assert found == sorted(addresses)

    return step


def runtime_class(**more: Any) -> JSON:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "light"},
        "handler": "runc",
        **more,
    }


def custom_endpoints(*ips: str) -> JSON:
    subset = {"addresses": [{"ip": ip} for ip in ips], "ports": [{"port": 80}]}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "mine"},
        "subsets": [subset] if ips else [],
    }


MINE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "mine"},
    "spec": {"ports": [{"port": 80}]},
}
PLAIN = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": LABELS, "ports": [{"port": 80}]},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
DISK = volume()
PARTED = stateful(updateStrategy=rolling(partition=3))

_GC = "[sig-api-machinery] Garbage collector should"
_NS = "[sig-api-machinery] Namespaces [Serial] should ensure that all"
_QUOTA = "[sig-api-machinery] ResourceQuota should"
_LIFE = f"{_QUOTA} create a ResourceQuota and capture the life of a"
_DS = "[sig-apps] Daemon set [Serial] should"
_RS = "[sig-apps] ReplicaSet"
_RC = "[sig-apps] ReplicationController should"
_STS = "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should"
_PREDICATES = "[sig-scheduling] SchedulerPredicates [Serial] validates"
_PREEMPTION = "[sig-scheduling] SchedulerPreemption [Serial]"


def refused(obj: JSON, message: str) -> Step:
    """By a quota."""

    def step(cluster: Cluster) -> None:
        code, answer = send(cluster, "POST", "/api/v1/namespaces/default/pods", obj)
        assert (code, message in answer["message"]) == (403, True), answer

    return step


def owned_by_web(name: str) -> Step:
    """The ReplicaSet belongs to the Deployment now."""

    def step(cluster: Cluster) -> None:
        found = cluster.get(SETS, name)
        assert found is not None
        assert [(r["kind"], r["name"]) for r in found["metadata"]["ownerReferences"]] == [
            ("Deployment", "web")
        ]

    return step


def _only_pod(cluster: Cluster) -> JSON:
    found: JSON = cluster.list("pods", "default")[0]
    return found


def orphaned() -> Step:
    """Takes the owner off the only Pod."""

    def step(cluster: Cluster) -> None:
        patch("pods", _only_pod(cluster)["metadata"]["name"], {"metadata": {"ownerReferences": None}})(
            cluster
        )

    return step


def relabelled() -> Step:
    """Takes the labels off the Pods of the Job, by which it knows them."""

    def step(cluster: Cluster) -> None:
        labels = {"batch.kubernetes.io/controller-uid": None, "controller-uid": None}
        name = _only_pod(cluster)["metadata"]["name"]
        send(
            cluster,
            "PATCH",
            path_of(cluster, "pods", name),
            {"metadata": {"labels": {**labels, "freed": "yes"}}},
            MERGE,
        )

    return step


def controlled(yes: bool) -> Step:
    """Whether the first (or the freed) Pod has an owner."""

    def step(cluster: Cluster) -> None:
        freed = [
            p for p in cluster.list("pods", "default") if (p["metadata"].get("labels") or {}).get("freed")
        ]
        found = freed[0] if freed else _only_pod(cluster)
        assert bool(found["metadata"].get("ownerReferences")) == yes

    return step


def tolerated(seconds: int) -> list[JSON]:
    return [{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]


def named_set(name: str, priority: str, cpu: str, replicas: int = 1) -> JSON:
    """A ReplicaSet of its own label with a priority."""
    labels = {"set": name}
    pods = template(asks(cpu), labels=labels, priorityClassName=priority)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pods},
    }


def count_running(**expected: int) -> Step:
    """How many Pods of each set run."""

    def step(cluster: Cluster) -> None:
        pods = [p for p in cluster.list("pods", "default") if p["status"]["phase"] == "Running"]
        found = {name: sum(p["metadata"]["labels"].get("set") == name for p in pods) for name in expected}
        assert found == expected

    return step


CONFORMANCE: dict[str, Scenario] = {
    f"{_GC} delete RS created by deployment when not orphaning": ("background deletion of a Deployment takes its ReplicaSet and pods", [
        put(deployment(2)), remove(DEPLOYMENTS, "web", "Background"), after(10), count(SETS, 0), count("pods", 0)]),
    f"{_GC} delete pods created by rc when not orphaning": ("background deletion of an RC takes its pods", [
        put(rc()), count("pods", 2), remove(CONTROLLERS, "web", "Background"), after(10), count("pods", 0)]),
    f"{_GC} keep the rc around until all its pods are deleted if the deleteOptions says so": ("foreground deletion keeps the RC until its pods are gone", [
        put(rc(2, STUBBORN, terminationGracePeriodSeconds=20)), remove(CONTROLLERS, "web", "Foreground", settle=False), after(10),
        there(CONTROLLERS, "web"), after(20), gone(CONTROLLERS, "web"), count("pods", 0)]),
    f"{_GC} not be blocked by dependency circle": ("pods that own each other in a ring are all collected when one is deleted", [
        pod("a"), pod("b"), pod("c"), own_one_another("a", "b", "c"), delete("pods", "a"), after(20), gone("pods", "a", "b", "c")]),
    f"{_GC} not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted": ("a pod with a second living owner survives foreground deletion of the first", [
        put(rc()), put(CONFIG), owned_too("ConfigMap", "configmaps", "c"), remove(CONTROLLERS, "web", "Foreground"), after(20),
        gone(CONTROLLERS, "web"), count("pods", 2)]),
    f"{_GC} orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan": ("orphan deletion of a Deployment leaves its ReplicaSet ownerless", [
        put(deployment(1)), remove(DEPLOYMENTS, "web", "Orphan"), after(10), gone(DEPLOYMENTS, "web"), ownerless(SETS, 1)]),
    f"{_GC} orphan pods created by rc if delete options say so": ("orphan deletion of an RC leaves its pods", [
        put(rc()), remove(CONTROLLERS, "web", "Orphan"), after(10), gone(CONTROLLERS, "web"), ownerless("pods", 2)]),
    f"{_NS} pods are removed when a namespace is deleted": ("deleting a namespace removes its pods", [namespace_goes(a_pod("p"), "pods")]),
    f"{_NS} services are removed when a namespace is deleted": ("deleting a namespace removes its services", [namespace_goes(SERVICE, "services")]),
    f"{_QUOTA} apply changes to a resourcequota status": ("status hard follows spec; status writes never change spec", [
        put(quota(pods="5")), status_sticks("resourcequotas", "q", {"hard": {"pods": "9"}}), patch("resourcequotas", "q", {"spec": {"hard": {"pods": "6"}}}),
        field("resourcequotas", "q", "status.hard.pods", "6")]),
    f"{_QUOTA} be able to update and delete ResourceQuota.": ("quota limits update and the quota deletes", [
        put(quota(pods="5")), patch("resourcequotas", "q", {"spec": {"hard": {"pods": "7"}}}), field("resourcequotas", "q", "status.hard.pods", "7"),
        delete("resourcequotas", "q"), gone("resourcequotas", "q")]),
    f"{_LIFE} configMap.": ("used count rises and falls with a ConfigMap", counted("c", "count/configmaps", CONFIG, "configmaps", "1", "2")),
    f"{_LIFE} pod.": ("pod requests are charged, an oversized pod is refused, deletion gives back", [
        put(quota(pods="2", requests_cpu="2")), pod("p", asks("500m", "1Gi")), used("requests.cpu", "500m"), used("pods", "1"),
        refused(a_pod("q", asks("3", "1Gi")), "exceeded quota: q"), delete("pods", "p"), after(5), used("requests.cpu", "0"), used("pods", "0")]),
    f"{_LIFE} replica set.": ("used count rises and falls with a ReplicaSet", counted("web", "count/replicasets.apps", workload("ReplicaSet", replicas=0), SETS)),
    f"{_LIFE} replication controller.": ("used count rises and falls with an RC", counted("web", "replicationcontrollers", rc(0), CONTROLLERS)),
    f"{_LIFE} secret.": ("used count rises and falls with a Secret", counted("s", "secrets", SECRET, "secrets")),
    f"{_LIFE} service.": ("service, node-port and load-balancer counts rise and fall with Services", [
        *counted("web", "services", PLAIN, "services", "1", "2"),
        patch("resourcequotas", "q", {"spec": {"hard": {"services.nodeports": "5", "services.loadbalancers": "5"}}}),
        put({**PLAIN, "spec": {**PLAIN["spec"], "type": "NodePort"}}), used("services.nodeports", "1"), used("services.loadbalancers", "0"),
        put({**MINE, "spec": {**MINE["spec"], "type": "LoadBalancer", "selector": LABELS}}), used("services.loadbalancers", "1"), used("services.nodeports", "2")]),
    f"{_QUOTA} create a ResourceQuota and ensure its status is promptly calculated.": ("a new quota soon shows used and hard in status", [
        pod("p"), put(quota(pods="5")), field("resourcequotas", "q", "status", {"hard": {"pods": "5"}, "used": {"pods": "1"}})]),
    f"{_QUOTA} manage the lifecycle of a ResourceQuota": ("create, list by label over namespaces, patch, deletecollection", [whole_life(quota(pods="5")), gone("resourcequotas", "q")]),
    f"{_QUOTA} verify ResourceQuota with best effort scope.": ("BestEffort and NotBestEffort scopes charge only their own pods", [
        put(quota(pods="5", scopes="BestEffort"), {**quota(pods="5", scopes="NotBestEffort"), "metadata": {"name": "not"}}),
        pod("p"), used("pods", "1"), used("pods", "0", "not"), pod("r", asks("1", "1Gi")), used("pods", "1"), used("pods", "1", "not")]),
    f"{_QUOTA} verify ResourceQuota with terminating scopes.": ("Terminating scope counts pods with activeDeadlineSeconds, NotTerminating the others", [
        put(quota(pods="5", scopes="Terminating"), {**quota(pods="5", scopes="NotTerminating"), "metadata": {"name": "not"}}),
        pod("p"), used("pods", "0"), used("pods", "1", "not"), begin(a_pod("r", activeDeadlineSeconds=3600)), after(10), used("pods", "1"), used("pods", "1", "not")]),
    "[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision": ("DaemonSet revisions are made, listed, patched, deleted and numbered upward", [
        put(workload("DaemonSet")), numbered(1), version(2, resource=DAEMONS), numbered(1, 2), collection("controllerrevisions.apps", "app=web"), after(30), numbered(1)]),
    "[sig-apps] CronJob should not schedule jobs when suspended [Slow]": ("a suspended CronJob makes no Jobs", [put(cron(suspend=True)), after(200), jobs(0)]),
    "[sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow]": ("Forbid keeps a single running Job", [
        put(cron(command="sleep 300", concurrencyPolicy="Forbid")), after(200), jobs(1), running(1)]),
    "[sig-apps] CronJob should replace jobs when ReplaceConcurrent": ("Replace swaps the running Job for a newer one", [
        put(cron(command="sleep 300", concurrencyPolicy="Replace")), after(200), jobs(1), said("cj", "SuccessfulDelete: Deleted job cj-")]),
    "[sig-apps] CronJob should schedule multiple jobs concurrently": ("Allow lets Jobs overlap", [put(cron(command="sleep 300")), after(200), jobs(3), running(3)]),
    f"{_DS} list and delete a collection of DaemonSets": ("list by label and deletecollection of DaemonSets", [whole_life(workload("DaemonSet")), count("pods", 0)]),
    f"{_DS} retry creating failed daemon pods": ("a failed daemon pod is replaced", [
        put(workload("DaemonSet")), fails_on(W2), count("pods", 4), status_of(DAEMONS, numberReady=4)]),
    f"{_DS} rollback without unnecessary restarts": ("rolling back a half-done update keeps untouched pods running", [
        put(workload("DaemonSet", pods=template(labels={"app": "web", "v": "1"}))), version(2, NEVER, resource=DAEMONS), count("pods", 1, v="2"),
        same_pods(patch(DAEMONS, "web", {"spec": {"template": template(labels={"app": "web", "v": "1"})}}), "1"), count("pods", 4, v="1")]),
    f"{_DS} run and stop complex daemon": ("daemon pods follow node labels and the selector's change", [
        put(workload("DaemonSet", pods=template(nodeSelector={"color": "blue"}))), count("pods", 0), label(W2, color="blue"), count("pods", 1),
        label(W2, color="green"), count("pods", 0), patch(DAEMONS, "web", {"spec": {"template": {"spec": {"nodeSelector": {"color": "green"}}}}}), count("pods", 1)]),
    f"{_DS} run and stop simple daemon": ("one pod per node, and a deleted one comes back", [
        put(workload("DaemonSet")), count("pods", 4), each("one", "pods", "app=web", lambda name: delete("pods", name)), count("pods", 4), delete(DAEMONS, "web"), after(5), count("pods", 0)]),
    f"{_DS} update pod when spec was updated and update strategy is RollingUpdate": ("a template change rolls over all daemon pods", [
        put(workload("DaemonSet")), version(2, resource=DAEMONS), count("pods", 4, v="2")]),
    "[sig-apps] Deployment Deployment should have a working scale subresource": ("scale reads, updates and patches replicas", [put(deployment(1)), scales(DEPLOYMENTS), count("pods", 3)]),
    "[sig-apps] Deployment RecreateDeployment should delete old pods and create new ones": ("Recreate never runs old and new together", [
        put(deployment(2, strategy={"type": "Recreate"})), version(2, NEVER), only_of("2"), count("pods", 2, v="2")]),
    "[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones": ("RollingUpdate adopts the old ReplicaSet and replaces its pods", [
        put({**workload("ReplicaSet", "old", replicas=1), "metadata": {"name": "old", "labels": LABELS}}), put(deployment(1)), owned_by_web("old"), version(2), count("pods", 1, v="2"), count("pods", 1)]),
    "[sig-apps] Deployment deployment should delete old replica sets": ("revisionHistoryLimit prunes old ReplicaSets", [
        put(deployment(1, revisionHistoryLimit=0)), version(2), count(SETS, 1), revisions("2")]),
    "[sig-apps] Deployment deployment should support proportional scaling": ("scaling mid-rollout is shared over the ReplicaSets in proportion", [
        put(deployment(10, strategy=rolling(3, 2))), version(2, NEVER), count("pods", 13), scale(30), count("pods", 33)]),
    "[sig-apps] Deployment deployment should support rollover": ("a new template during a rollout takes over at once", [
        put(deployment(2)), version(2, NEVER), version(3, still()), count("pods", 2, v="3"), count("pods", 0, v="2"), count("pods", 2)]),
    "[sig-apps] Deployment should run the lifecycle of a Deployment": ("create, patch, scale, status patch and delete with the watch events expected", [
        put(deployment(1)), status_sticks(DEPLOYMENTS, "web", {"readyReplicas": 0, "availableReplicas": 0}), scale(2), count("pods", 2), delete(DEPLOYMENTS, "web"), gone(DEPLOYMENTS, "web")]),
    "[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it": ("eviction is refused until the budget allows it", [
        put(budget(minAvailable=1)), pod("p", labels=LABELS), evict("p", 429, VIOLATES), patch(BUDGETS, "b", {"spec": {"minAvailable": 0}}), evict("p"), gone("pods", "p")]),
    "[sig-apps] DisruptionController should observe PodDisruptionBudget status updated": ("the controller writes disruptionsAllowed", [
        put(budget(minAvailable=1), deployment(2)), field(BUDGETS, "b", "status.disruptionsAllowed", 1)]),
    "[sig-apps] Job should adopt matching orphans and release non-matching pods": ("a Job readopts an orphan and lets go of a relabelled pod", [
        begin(job("sleep 1d")), after(15), orphaned(), after(5), controlled(True), relabelled(), after(5), controlled(False)]),
    "[sig-apps] Job should apply changes to a job status": ("status patches, updates and reads", [
        begin(job("sleep 1d")), after(15), status_sticks(JOBS, "j", {"ready": 1}), there(JOBS, "j")]),
    "[sig-apps] Job should delete a job": ("parallelism pods run, deletion removes Job and pods", [
        begin(job("sleep 1d", parallelism=2, completions=2)), after(15), running(2), delete(JOBS, "j"), after(10), gone(JOBS, "j"), count("pods", 0)]),
    f"{_RS} Replace and Patch tests": ("scale by update and patch template of a ReplicaSet", [
        put(workload("ReplicaSet", replicas=1)), scale(3, SETS), count("pods", 3), patch(SETS, "web", {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 9}}}}),
        field(SETS, "web", "spec.template.spec.terminationGracePeriodSeconds", 9)]),
    f"{_RS} Replicaset should have a working scale subresource": ("scale reads, updates and patches replicas", [put(workload("ReplicaSet", replicas=1)), scales(SETS), count("pods", 3)]),
    f"{_RS} should adopt matching pods on creation and release no longer matching pods": ("a matching orphan is adopted, a relabelled pod released", [
        pod("lone", labels=LABELS), put(workload("ReplicaSet", replicas=1)), count("pods", 1), owned("lone"), free(), count("pods", 2), count("pods", 1, app="web")]),
    f"{_RS} should list and delete a collection of ReplicaSets": ("list by label and deletecollection", [whole_life(workload("ReplicaSet", replicas=2)), count("pods", 0)]),
    f"{_RC} adopt matching pods on creation": ("an RC adopts a matching orphan", [pod("lone", labels=LABELS), put(rc(1)), count("pods", 1), there("pods", "lone")]),
    f"{_RC} get and update a ReplicationController scale": ("RC scale reads and updates", [put(rc(1)), scales(CONTROLLERS), count("pods", 3)]),
    f"{_RC} release no longer matching pods": ("a relabelled pod loses its owner reference", [put(rc(1)), free(), count("pods", 2), count("pods", 1, app="web")]),
    f"{_RC} surface a failure condition on a common issue like exceeded quota": ("a quota refusal shows as ReplicaFailure and clears after scaling down", [
        put(quota(pods="2")), begin(rc(3)), after(10), condition(CONTROLLERS, "web", "ReplicaFailure", "True", "FailedCreate"), scale(2, CONTROLLERS),
        after(10), condition(CONTROLLERS, "web", "ReplicaFailure", None)]),
    f"{_RC} test the lifecycle of a ReplicationController": ("create, read, patch, status patch, scale and delete with watch events", [
        put(rc(1)), status_sticks(CONTROLLERS, "web", {"readyReplicas": 0, "availableReplicas": 0}), scale(2, CONTROLLERS), count("pods", 2), delete(CONTROLLERS, "web"), gone(CONTROLLERS, "web")]),
    f"{_STS} have a working scale subresource": ("scale goes from one to two", [put(stateful(1)), scales(STATEFUL), count("pods", 3)]),
    f"{_STS} list, patch and delete a collection of StatefulSets": ("list, patch, deletecollection", [whole_life(stateful(1)), count("pods", 0)]),
    f"{_STS} perform canary updates and phased rolling updates of template modifications": ("partition holds lower ordinals at the old revision, also when they are recreated", [
        put(PARTED), version(2, resource=STATEFUL), versions_of(web_0=None, web_1=None, web_2=None),
        patch(STATEFUL, "web", {"spec": {"updateStrategy": rolling(partition=2)}}), versions_of(web_1=None, web_2="2"), delete("pods", "web-0"), delete("pods", "web-2"),
        versions_of(web_0=None, web_2="2"), patch(STATEFUL, "web", {"spec": {"updateStrategy": rolling(partition=0)}}), versions_of(web_0="2", web_1="2", web_2="2")]),
    f"{_STS} perform rolling updates and roll backs of template modifications": ("update in descending order; an old template is recognised as rollback", [
        put(stateful()), numbered(1), version(2, resource=STATEFUL), versions_of(web_0="2", web_1="2", web_2="2"), numbered(1, 2),
        patch(STATEFUL, "web", {"spec": {"template": {"metadata": {"labels": {"v": None}}}}}), versions_of(web_0=None, web_1=None, web_2=None), numbered(2, 3)]),
    "[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace": ("the root CA ConfigMap is made, remade and repaired", [*root_ca(), there("configmaps", "kube-root-ca.crt")]),
    "[sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service": ("slices and endpoints list the ready pods of several services with their ports", [
        put(PLAIN, {**PLAIN, "metadata": {"name": "again"}}, deployment(3)), endpoints_of("web", 3), endpoints_of("again", 3), after(1), count("pods", 3)]),
    "[sig-network] EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified": ("slices come and go with the service", [
        put(PLAIN), pod("p", labels=LABELS), endpoints_of("web", 1), delete("services", "web"), after(5), gone("endpoints", "web")]),
    "[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete": ("hand-made Endpoints are mirrored into slices", [
        put(MINE, custom_endpoints("10.1.2.3")), after(2), mirrored("10.1.2.3"), put(custom_endpoints("10.2.3.4", "10.2.3.5")), after(2), mirrored("10.2.3.4", "10.2.3.5"),
        delete("endpoints", "mine"), after(2), mirrored(), there("services", "mine")]),
    "[sig-network] Service endpoints latency should not be very high": ("endpoints appear soon after the service, by percentile", [
        pod("p", labels=LABELS), begin(PLAIN), after(2), serves("web", "p")]),
    "[sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive]": ("each pod is evicted when its own toleration time ends", [
        pod("a", nodeName=W1, tolerations=tolerated(20)), pod("b", nodeName=W1, tolerations=tolerated(60)), mark(W1), after(30), gone("pods", "a"), there("pods", "b"),
        after(40), gone("pods", "b")]),
    "[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive]": ("removing the taint in time keeps the pod", [
        pod("p", nodeName=W1, tolerations=tolerated(60)), mark(W1), after(20), untaint(W1), after(120), phase(p="Running")]),
    "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance]": ("overhead is filled in from the class and the pod schedules", [
        put(runtime_class(overhead={"podFixed": {"cpu": "10m", "memory": "1Mi"}})), pod("p", runtimeClassName="light"), phase(p="Running"), field("pods", "p", "spec.overhead", {"cpu": "10m", "memory": "1Mi"})]),
    "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance]": ("a pod with a class without overhead schedules", [
        put(runtime_class()), pod("p", runtimeClassName="light"), phase(p="Running"), field("pods", "p", "spec.overhead", None)]),
    f"{_PREDICATES} resource limits of pods that are allowed to run": ("a pod that exceeds what is left on every node stays pending", [
        put(deployment(4, asks("3"))), count("pods", 4), pod("p", asks("2")), because("p", "4 Insufficient cpu")]),
    f"{_PREDICATES} that NodeSelector is respected if matching": ("a matching nodeSelector lands on the labelled node", [label(W3, x="42"), pod("p", nodeSelector={"x": "42"}), on(p=W3)]),
    f"{_PREDICATES} that NodeSelector is respected if not matching": ("an unmatched nodeSelector stays pending", [
        pod("p", nodeSelector={"label": "nonempty"}), because("p", "4 node(s) didn't match Pod's node affinity/selector")]),
    f"{_PREDICATES} that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP": ("a wildcard host IP clashes with a specific one on the same port", [
        pod("a", still(ports=[{"containerPort": 80, "hostPort": 54322}]), nodeSelector={HOST: W1}),
        pod("p", still(ports=[{"containerPort": 80, "hostPort": 54322, "hostIP": "172.18.0.9"}]), nodeSelector={HOST: W1}),
        because("p", "didn't have free ports for the requested pod ports")]),
    f"{_PREEMPTION} PreemptionExecutionPath runs ReplicaSets to verify preemption running path": ("higher-priority ReplicaSets displace lower ones, and the lowest are preempted first", [
        *FILLED[:1], cordon(W2, W3, W4), put(named_set("a", "low", "1500m"), named_set("b", "middle", "1500m")), put(named_set("c", "high", "2", 1)),
        count_running(c=1, b=1), count("pods", 1, set="c")]),
    f"{_PREEMPTION} validates basic preemption works": ("a high-priority pod preempts a lower one when nodes are full", [*FILLED, pod("p", asks("2"), priorityClassName="high"), on(p=W1), gone("pods", "old")]),
    f"{_PREEMPTION} validates lower priority pod preemption by critical pod": ("a system-critical pod preempts a lower one", [
        *FILLED, put({**a_pod("p", asks("2"), priorityClassName="system-cluster-critical"), "metadata": {"name": "p", "namespace": "kube-system"}}), gone("pods", "old"),
        field("pods", "p", "spec.nodeName", W1, "kube-system")]),
    f"{_PREEMPTION} validates pod disruption condition is added to the preempted pod": ("the victim gets the DisruptionTarget condition", [
        *FILLED[:2], pod("old", STUBBORN | {"resources": {"requests": {"cpu": "3"}}}, priorityClassName="low", terminationGracePeriodSeconds=60),
        begin(a_pod("p", asks("2"), priorityClassName="high")), after(2), condition("pods", "old", "DisruptionTarget", "True", "PreemptionByScheduler")]),
    "[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC": ("PV and PVC create, patch, update, delete and deletecollection, with protection finalizers released", [
        put(DISK, claim(kind="manual")), field(CLAIMS, "data", "status.phase", "Bound"), patch(CLAIMS, "data", {"metadata": {"labels": {"x": "y"}}}),
        patch(VOLUMES, "pv", {"metadata": {"labels": {"x": "y"}}}), collection(CLAIMS, "x=y"), after(5), gone(CLAIMS, "data"), collection(VOLUMES, "x=y"), after(5), gone(VOLUMES, "pv")]),
}  # fmt: skip
