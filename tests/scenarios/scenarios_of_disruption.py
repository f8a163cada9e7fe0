# ruff: noqa: E501 (one case a line, or two)
"""Budgets, evictions, drains and nodes that are lost."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    HOST,
    JSON,
    Scenario,
    Step,
    a_pod,
    after,
    box,
    condition,
    cordon,
    count,
    delete,
    evict,
    fault,
    field,
    gone,
    patch,
    path_of,
    phase,
    pod,
    put,
    refuse,
    said,
    send,
    spread,
    still,
    taint,
    template,
    there,
    workload,
)
from scenarios_of_probes import check

from cluster_engine import Cluster

WEB = {"app": "web"}
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
W1 = "worker-1"
BUDGETS = "poddisruptionbudgets.policy"


def budget(name: str = "b", selector: JSON | None = None, **spec: Any) -> JSON:
    chosen = {"matchLabels": WEB} if selector is None else selector
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": chosen, **spec},
    }


def app(count: int, *containers: JSON, **spec: Any) -> JSON:
    return workload("Deployment", replicas=count, pods=template(*containers, **spec))


def allowed(number: int, name: str = "b") -> Any:
    return field(BUDGETS, name, "status.disruptionsAllowed", number)


def any_of_app(step_of: Any) -> Any:
    """The step for the first Pod of the app."""

    def step(cluster: Any) -> None:
        found = [
            p for p in cluster.list("pods", "default") if p["metadata"].get("labels", {}).get("app") == "web"
        ]
        step_of(found[0]["metadata"]["name"])(cluster)

    return step


def drained(node: str) -> Step:
    """Evicts what is on the node, as kubectl drain."""

    def step(cluster: Cluster) -> None:
        for found in cluster.list("pods", "default"):
            if found["spec"].get("nodeName") == node:
                evict(found["metadata"]["name"])(cluster)
        assert all(p["spec"].get("nodeName") != node for p in cluster.list("pods", "default"))

    return step


PREFERS_W1: JSON = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
    {"weight": 100, "preference": {"matchExpressions": [{"key": HOST, "operator": "In", "values": [W1]}]}}]}}  # fmt: skip


def tainted(node: str, key: str) -> Step:
    """The node has a taint of that key."""

    def step(cluster: Cluster) -> None:
        found = cluster.get("nodes", node)
        assert found is not None
        assert key in [each["key"] for each in found["spec"].get("taints") or ()]

    return step


def running_elsewhere(node: str) -> Step:
    """A Pod of the app runs, on another node."""

    def step(cluster: Cluster) -> None:
        alive = [p for p in cluster.list("pods", "default") if "deletionTimestamp" not in p["metadata"]]
        assert [(p["status"]["phase"], p["spec"]["nodeName"] == node) for p in alive] == [("Running", False)]

    return step


def mark(node: str) -> Step:
    """Taints the node with NoExecute, and does not wait for what comes of it."""

    def step(cluster: Cluster) -> None:
        taints = [{"key": "k", "value": "v", "effect": "NoExecute"}]
        send(
            cluster,
            "PATCH",
            path_of(cluster, "nodes", node),
            {"spec": {"taints": taints}},
            "application/merge-patch+json",
        )

    return step


DISRUPTION: dict[str, Scenario] = {
    # ---- what a budget allows
    "minAvailable": ("disruption.getExpectedScale minAvailable", [
        put(budget(minAvailable=2), app(3)), allowed(1), field(BUDGETS, "b", "status.currentHealthy", 3),
        field(BUDGETS, "b", "status.desiredHealthy", 2), field(BUDGETS, "b", "status.expectedPods", 3)]),
    "maxUnavailable": ("disruption.getExpectedScale maxUnavailable", [put(budget(maxUnavailable=2), app(3)), allowed(2),
        field(BUDGETS, "b", "status.desiredHealthy", 1)]),
    "a percentage": ("disruption, GetScaledValueFromIntOrPercent", [put(budget(minAvailable="50%"), app(4)), allowed(2)]),
    "a percentage of the available rounds up": ("disruption, roundUp", [put(budget(minAvailable="50%"), app(3)), allowed(1),
        field(BUDGETS, "b", "status.desiredHealthy", 2)]),
    "a percentage of the unavailable rounds up": ("disruption, roundUp", [put(budget(maxUnavailable="30%"), app(4)), allowed(2)]),
    "none may go": ("disruption", [put(budget(maxUnavailable=0), app(3)), allowed(0)]),
    "the scale counts, not what there is": ("disruption.getExpectedScale, controller's scale", [
        put(budget(maxUnavailable=1), app(3, still(resources={"requests": {"cpu": "100"}}))), allowed(0),
        field(BUDGETS, "b", "status.expectedPods", 3), field(BUDGETS, "b", "status.currentHealthy", 0)]),
    "who is not ready is not healthy": ("disruption.countHealthyPods", [
        put(budget(minAvailable=1), app(2, box(readinessProbe=check()))), after(5), allowed(0),
        field(BUDGETS, "b", "status.currentHealthy", 0)]),
    "Pods of nobody count with a number": ("disruption.getExpectedScale, unmanaged Pods", [
        put(budget(minAvailable=1), a_pod("a", labels=WEB), a_pod("b", labels=WEB)), allowed(1)]),
    "enough Pods": ("disruption, DisruptionAllowed", [
        put(budget(minAvailable=1), app(2)), condition(BUDGETS, "b", "DisruptionAllowed", "True", "SufficientPods")]),
    "too few Pods": ("disruption, DisruptionAllowed", [
        put(budget(minAvailable=2), app(2)), condition(BUDGETS, "b", "DisruptionAllowed", "False", "InsufficientPods")]),
    "more replicas allow more": ("disruption.updatePdbStatus", [
        put(budget(minAvailable=2), app(2)), allowed(0), patch("deployments.apps", "web", {"spec": {"replicas": 4}}), allowed(2)]),
    # ---- evictions
    "without a budget": ("registry/core/pod eviction.go", [pod("p"), evict("p"), gone("pods", "p")]),
    "a Pod that is not there": ("registry/core/pod eviction.go", [evict("p", 404, 'pods \\"p\\" not found')]),
    "a budget refuses": ("eviction.checkAndDecrement", [
        put(budget(minAvailable=1)), pod("p", labels=WEB), evict("p", 429, VIOLATES), there("pods", "p")]),
    "a budget allows one": ("eviction.checkAndDecrement", [
        put(budget(minAvailable=1), a_pod("a", labels=WEB), a_pod("b", labels=WEB)), evict("a"), evict("b", 429, VIOLATES)]),
    "and another when it is healed": ("eviction.checkAndDecrement", [
        put(budget(maxUnavailable=1), app(2)), any_of_app(evict), any_of_app(evict), count("pods", 2)]),
    "not before it is healed": ("eviction.checkAndDecrement", [
        put(budget(maxUnavailable=1), app(2, box("sleep 30; touch /tmp/ok; sleep 1d", readinessProbe=check()))), after(60),
        any_of_app(lambda name: evict(name, settle=False)), after(5), allowed(0)]),
    "an evicted Pod says why": ("eviction.go, DisruptionTarget", [
        pod("p", box("trap '' TERM; while true; do sleep 1; done"), terminationGracePeriodSeconds=30), evict("p", settle=False), after(1),
        condition("pods", "p", "DisruptionTarget", "True", "EvictionByEvictionAPI")]),
    "its grace period holds": ("eviction.go", [
        pod("p", box("trap '' TERM; while true; do sleep 1; done"), terminationGracePeriodSeconds=20), evict("p", settle=False),
        after(15), there("pods", "p"), after(10), gone("pods", "p")]),
    "who has ended may go": ("eviction.canIgnorePDB", [
        put(budget(minAvailable=1)), pod("p", box("true"), labels=WEB, restartPolicy="Never"), after(5), evict("p")]),
    "who waits may go": ("eviction.canIgnorePDB", [
        put(budget(minAvailable=1)), pod("p", labels=WEB, nodeSelector={"no": "node"}), evict("p"), gone("pods", "p")]),
    "two budgets for one Pod": ("eviction.go", [
        put(budget(minAvailable=0), budget("other", minAvailable=0)), pod("p", labels=WEB),
        evict("p", 500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")]),
    "who is not ready, while enough are": ("eviction.go IfHealthyBudget", [
        put(budget(minAvailable=1), a_pod("good", labels=WEB), a_pod("bad", box(readinessProbe=check()), labels=WEB)), after(5),
        evict("bad"), gone("pods", "bad")]),
    "who is not ready, while too few are": ("eviction.go IfHealthyBudget", [
        put(budget(minAvailable=1), a_pod("bad", box(readinessProbe=check()), labels=WEB)), after(5), evict("bad", 429, VIOLATES)]),
    "AlwaysAllow": ("eviction.go AlwaysAllow", [
        put(budget(minAvailable=1, unhealthyPodEvictionPolicy="AlwaysAllow"), a_pod("bad", box(readinessProbe=check()), labels=WEB)),
        after(5), evict("bad"), gone("pods", "bad")]),
    "an empty selector is all Pods": ("policy/v1, empty selector", [
        put(budget(minAvailable=1, selector={})), pod("p"), evict("p", 429, VIOLATES)]),
    "another's Pods are not held": ("disruption selector", [put(budget(minAvailable=1)), pod("p"), evict("p"), gone("pods", "p")]),
    "a deletion does not ask": ("registry.Delete", [
        put(budget(minAvailable=1)), pod("p", labels=WEB), delete("pods", "p"), gone("pods", "p")]),
    "a taint does not ask": ("tainteviction", [
        put(budget(minAvailable=1)), pod("p", labels=WEB, nodeName=W1), taint(W1, effect="NoExecute"), gone("pods", "p")]),
    "a rollout does not ask": ("deployment, rolling update", [
        put(budget(maxUnavailable=0), app(2)),
        patch("deployments.apps", "web", {"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}}), count("pods", 2, v="2")]),
    "both fields are one too many": ("validation.ValidatePodDisruptionBudgetSpec", [
        refuse(budget(minAvailable=1, maxUnavailable=1), "minAvailable and maxUnavailable cannot be both set")]),
    "a negative number": ("validation.ValidatePodDisruptionBudgetSpec", [
        refuse(budget(minAvailable=-1), "must be greater than or equal to 0")]),
    # ---- drains
    "a drained node is empty": ("kubectl drain", [
        put(app(4)), cordon(W1), drained(W1), count("pods", 4), spread(2, 1, 1)]),
    "a cordon alone moves nobody": ("kubectl cordon", [put(app(4)), cordon(W1), after(60), spread(1, 1, 1, 1)]),
    "after an uncordon there is room again": ("kubectl uncordon", [
        put(app(4)), cordon(W1), drained(W1), cordon(W1, on=False), patch("deployments.apps", "web", {"spec": {"replicas": 5}}),
        spread(2, 1, 1, 1)]),
    # ---- nodes that are lost
    "a silent node is noticed": ("nodelifecycle.tryUpdateNodeHealth", [
        fault("node/power", node=W1, up=False), after(35), condition("nodes", W1, "Ready", "True"), after(25),
        condition("nodes", W1, "Ready", "Unknown", "NodeStatusUnknown")]),
    "it is tainted": ("nodelifecycle.processTaintBaseEviction", [
        fault("node/power", node=W1, up=False), after(70), tainted(W1, "node.kubernetes.io/unreachable")]),
    "its Pods are not ready": ("nodelifecycle.MarkPodsNotReady", [
        pod("p", nodeName=W1), fault("node/power", node=W1, up=False), after(70), condition("pods", "p", "Ready", "False"), phase(p="Running")]),
    "five minutes later they are elsewhere": ("tainteviction, DefaultTolerationSeconds", [
        cordon("worker-2", "worker-3", "worker-4"), put(app(1)), spread(1), cordon("worker-2", on=False),
        fault("node/power", node=W1, up=False), after(300), count("pods", 1), after(120), running_elsewhere(W1)]),
    "a node that is back in time keeps them": ("tainteviction, cancelled", [
        pod("p", nodeName=W1), fault("node/partition", node=W1, cut=True), after(120), fault("node/partition", node=W1, cut=False),
        after(400), phase(p="Running"), condition("nodes", W1, "Ready", "True"), said("p", "TaintManagerEviction: Cancelling deletion of Pod default/p")]),
    "a shorter toleration": ("tainteviction, tolerationSeconds", [
        pod("p", nodeName=W1, tolerations=[{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20}]),
        mark(W1), after(15), there("pods", "p"), after(10), gone("pods", "p")]),
    "a DaemonSet's Pod stays on its lost node": ("daemon tolerations", [
        put(workload("DaemonSet")), fault("node/power", node=W1, up=False), after(600), count("pods", 4)]),
    "a StatefulSet does not replace what may still run": ("statefulset, at most one", [
        put(workload("StatefulSet", replicas=1, serviceName="web", pods=template(nodeSelector={HOST: W1}))),
        fault("node/power", node=W1, up=False), after(600), there("pods", "web-0"), field("pods", "web-0", "spec.nodeName", W1)]),
    "a node that is deleted takes its Pods": ("podgc.gcOrphaned", [
        pod("p", nodeName=W1), fault("node/power", node=W1, up=False), after(5), delete("nodes", W1), after(120), gone("pods", "p")]),
    "out of service, a StatefulSet's Pod begins elsewhere": ("podgc.gcTerminating", [
        put(workload("StatefulSet", replicas=1, serviceName="web", pods=template(affinity=PREFERS_W1))), fault("node/power", node=W1, up=False), after(100),
        field("pods", "web-0", "spec.nodeName", W1), taint(W1, "node.kubernetes.io/out-of-service", "NoExecute", "nodeshutdown"), after(40), running_elsewhere(W1)]),
    "out of service means nothing of a node that is ready": ("podgc.gcTerminating", [
        pod("p", nodeName=W1, tolerations=[{"operator": "Exists"}], terminationGracePeriodSeconds=100), taint(W1, "node.kubernetes.io/out-of-service", "NoExecute", "nodeshutdown"),
        after(60), phase(p="Running")]),
    "without it what has to end there stays": ("podgc.gcTerminating", [
        pod("p", nodeName=W1), fault("node/power", node=W1, up=False), after(600), there("pods", "p")]),
}  # fmt: skip
