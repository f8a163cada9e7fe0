# ruff: noqa: E501 (one case a line, or two)
"""Where Pods go: node selection, taints, room, ports, affinity, spread, gates and preemption."""

from __future__ import annotations

from typing import Any

from scenario_steps import (
    HOST,
    JSON,
    ZONE,
    Scenario,
    a_pod,
    among,
    apart,
    asks,
    because,
    condition,
    cordon,
    count,
    delete,
    gone,
    label,
    on,
    patch,
    phase,
    pod,
    pods,
    put,
    refuse,
    said,
    spread,
    still,
    taint,
    taints,
    template,
    untaint,
    workload,
    zones,
)

REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
W1, W2, W3, W4 = (f"worker-{n}" for n in range(1, 5))
APP = {"matchLabels": {"app": "web"}}


def term(*expressions: tuple[Any, ...], fields: bool = False) -> JSON:
    listed = [
        {"key": key, "operator": operator, **({"values": list(v)} if v else {})}
        for key, operator, *v in expressions
    ]
    return {"matchFields" if fields else "matchExpressions": listed}


def need(*terms: JSON) -> JSON:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def wish(*pairs: tuple[int, JSON]) -> JSON:
    return {"nodeAffinity": {PREFERRED: [{"weight": weight, "preference": each} for weight, each in pairs]}}


def near(key: str = HOST, away: bool = False, selector: JSON | None = None, **more: Any) -> JSON:
    """Required affinity (or anti-affinity) to the app."""
    each = {"topologyKey": key, "labelSelector": selector or APP, **more}
    return {"podAntiAffinity" if away else "podAffinity": {REQUIRED: [each]}}


def rather(key: str = HOST, away: bool = False, weight: int = 100) -> JSON:
    each = {"weight": weight, "podAffinityTerm": {"topologyKey": key, "labelSelector": APP}}
    return {"podAntiAffinity" if away else "podAffinity": {PREFERRED: [each]}}


def even(key: str = HOST, skew: int = 1, hard: bool = True, **more: Any) -> JSON:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": APP,
        **more,
    }


def tolerate(key: str = "k", operator: str = "Exists", **more: Any) -> list[JSON]:
    return [{"operator": operator, **({"key": key} if key else {}), **more}]


WEB = {"app": "web"}
NO_MATCH = "4 node(s) didn't match Pod's node affinity/selector"
UNTOLERATED = "4 node(s) had untolerated taint(s)"
ALL = (W1, W2, W3, W4)
PRIORITY = {
    name: {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value, **more}
    for name, value, more in (
        ("low", 10, {}),
        ("middle", 50, {}),
        ("high", 100, {}),
        ("polite", 100, {"preemptionPolicy": "Never"}),
    )
}  # fmt: skip
FILLED = [
    put(*PRIORITY.values()),
    cordon(W2, W3, W4),
    pod("old", asks("3"), priorityClassName="low", labels=WEB),
]
"""The one node that is open is held by a Pod of low priority."""

SHOP = [put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})]

PLACEMENT: dict[str, Scenario] = {
    # ---- node selection
    "a nodeSelector picks the node": ("nodeaffinity.Filter", [
        label(W2, disk="ssd"), pod(nodeSelector={"disk": "ssd"}), on(p=W2)]),
    "no node has the label": ("nodeaffinity.Filter", [pod(nodeSelector={"disk": "ssd"}), because("p", NO_MATCH)]),
    "all labels of a nodeSelector are needed": ("component-helpers/nodeaffinity.GetRequiredNodeAffinity", [
        label(W2, disk="ssd"), label(W3, disk="ssd", size="big"), pod(nodeSelector={"disk": "ssd", "size": "big"}), on(p=W3)]),
    "a label that comes later wakes the Pod": ("nodeaffinity.isSchedulableAfterNodeChange", [
        pod(nodeSelector={"disk": "ssd"}), on(p=None), label(W4, disk="ssd"), on(p=W4)]),
    "In takes any of the values": ("component-helpers/nodeaffinity In", [
        label(W1, disk="hdd"), label(W2, disk="ssd"), pod(affinity=need(term(("disk", "In", "nvme", "ssd")))), on(p=W2)]),
    "NotIn takes nodes without the label too": ("labels.Requirement.Matches NotIn", [
        label(W1, W2, W3, disk="hdd"), pod(affinity=need(term(("disk", "NotIn", "hdd")))), on(p=W4)]),
    "Exists": ("labels.Requirement.Matches Exists", [
        label(W3, disk="x"), pod(affinity=need(term(("disk", "Exists")))), on(p=W3)]),
    "DoesNotExist": ("labels.Requirement.Matches DoesNotExist", [
        label(W1, W3, W4, disk="x"), pod(affinity=need(term(("disk", "DoesNotExist")))), on(p=W2)]),
    "Gt compares numbers": ("labels.Requirement.Matches GreaterThan", [
        label(W1, cores="8"), label(W2, cores="16"), pod(affinity=need(term(("cores", "Gt", "9")))), on(p=W2)]),
    "Lt compares numbers": ("labels.Requirement.Matches LessThan", [
        label(W1, cores="8"), label(W2, cores="16"), pod(affinity=need(term(("cores", "Lt", "9")))), on(p=W1)]),
    "terms are alternatives": ("nodeaffinity.NodeSelector.Match", [
        label(W3, b="1"), pod(affinity=need(term(("a", "Exists")), term(("b", "Exists")))), on(p=W3)]),
    "expressions of a term all hold": ("nodeaffinity.nodeSelectorTerm.match", [
        label(W1, a="1"), label(W2, b="1"), label(W3, a="1", b="1"),
        pod(affinity=need(term(("a", "Exists"), ("b", "Exists")))), on(p=W3)]),
    "a field names the node": ("nodeaffinity.PreFilter NodeNames", [
        pod(affinity=need(term(("metadata.name", "In", W4), fields=True))), on(p=W4)]),
    "selector and affinity both hold": ("GetRequiredNodeAffinity", [
        label(W1, a="1"), label(W2, a="1", b="1"), label(W3, b="1"),
        pod(nodeSelector={"a": "1"}, affinity=need(term(("b", "Exists")))), on(p=W2)]),
    "the heavier wish wins": ("nodeaffinity.Score", [
        label(W1, a="1"), label(W2, b="1"), pod(affinity=wish((10, term(("a", "Exists"))), (90, term(("b", "Exists"))))), on(p=W2)]),
    "wishes add up": ("nodeaffinity.PreferredSchedulingTerms.Score", [
        label(W1, a="1", b="1"), label(W2, c="1"),
        pod(affinity=wish((40, term(("a", "Exists"))), (40, term(("b", "Exists"))), (60, term(("c", "Exists"))))), on(p=W1)]),
    "a wish that nobody meets is none": ("nodeaffinity.Score", [
        pod(affinity=wish((100, term(("a", "Exists"))))), among("p", *ALL)]),
    "ignored during execution": ("nodeaffinity", [
        label(W2, disk="ssd"), pod(nodeSelector={"disk": "ssd"}), label(W2, disk=None), on(p=W2), phase(p="Running")]),
    "an empty term matches no node": ("nodeaffinity.isEmptyNodeSelectorTerm", [
        pod(affinity=need({})), because("p", NO_MATCH)]),
    "no terms are refused": ("validation.ValidateNodeSelector", [
        refuse(a_pod(affinity=need()), "must have at least one node selector term")]),
    # ---- taints
    "NoSchedule keeps Pods out": ("tainttoleration.Filter", [
        taints(W1, W2, W3), pod(), on(p=W4)]),
    "all nodes tainted": ("tainttoleration.Filter", [taints(*ALL), pod(), because("p", UNTOLERATED)]),
    "Equal tolerates the value": ("v1helper.TolerationsTolerateTaint", [
        taints(*ALL), untaint(W2), taint(W2, value="w"), pod(tolerations=tolerate(operator="Equal", value="w")), on(p=W2)]),
    "Equal does not tolerate another value": ("Toleration.ToleratesTaint", [
        taints(*ALL), pod(tolerations=tolerate(operator="Equal", value="w")), because("p", UNTOLERATED)]),
    "Exists without a key tolerates everything": ("Toleration.ToleratesTaint", [
        taints(*ALL), pod(tolerations=tolerate(key="")), phase(p="Running")]),
    "a toleration of another effect": ("Toleration.ToleratesTaint", [
        taints(*ALL), pod(tolerations=tolerate(effect="NoExecute")), because("p", UNTOLERATED)]),
    "no effect tolerates all effects": ("Toleration.ToleratesTaint", [
        taints(*ALL, effect="NoExecute"), pod(tolerations=tolerate()), phase(p="Running")]),
    "two taints, one tolerated": ("FindMatchingUntoleratedTaint", [
        taints(*ALL), taints(*ALL, key="other"), pod(tolerations=tolerate()), because("p", UNTOLERATED)]),
    "a taint that goes wakes the Pod": ("tainttoleration.isSchedulableAfterNodeChange", [
        taints(*ALL), pod(), on(p=None), untaint(W3), on(p=W3)]),
    "PreferNoSchedule is avoided": ("tainttoleration.Score", [
        taints(W1, W2, W3, effect="PreferNoSchedule"), pod(), on(p=W4)]),
    "PreferNoSchedule does not forbid": ("tainttoleration.Score", [
        taints(*ALL, effect="PreferNoSchedule"), pod(), phase(p="Running")]),
    "NoExecute evicts who runs": ("tainteviction.processPodOnNode", [
        pod(nodeSelector={HOST: W1}), taint(W1, effect="NoExecute"), gone("pods", "p")]),
    "NoExecute leaves who tolerates it": ("tainteviction.processPodOnNode", [
        pod(nodeSelector={HOST: W1}, tolerations=tolerate()), taint(W1, effect="NoExecute"), phase(p="Running")]),
    "NoSchedule leaves who runs": ("tainteviction", [
        pod(nodeSelector={HOST: W1}), taint(W1), phase(p="Running")]),
    "a cordoned node is left out": ("nodeunschedulable.Filter", [cordon(W1, W2, W3), pod(), on(p=W4)]),
    "all cordoned": ("nodeunschedulable.Filter", [
        cordon(*ALL), pod(), because("p", "4 node(s) were unschedulable"), cordon(W2, on=False), on(p=W2)]),
    "a cordon can be tolerated": ("nodeunschedulable.Filter", [
        cordon(*ALL), pod(tolerations=tolerate("node.kubernetes.io/unschedulable")), phase(p="Running")]),
    "nodeName passes the scheduler by": ("kubelet, no scheduling", [
        cordon(*ALL), pod(nodeName=W3), on(p=W3), phase(p="Running")]),
    "nodeName of no node": ("podgc.gcOrphaned", [pod(nodeName="nowhere"), gone("pods", "p")]),
    # ---- room
    "more CPU than any node has": ("noderesources.fitsRequest", [pod("p", asks("5")), because("p", "4 Insufficient cpu")]),
    "more memory than any node has": ("noderesources.fitsRequest", [
        pod("p", asks(memory="10Gi")), because("p", "4 Insufficient memory")]),
    "both are told": ("noderesources.fitsRequest", [
        pod("p", asks("5", "10Gi")), because("p", "4 Insufficient cpu, 4 Insufficient memory")]),
    "an extended resource that no node has": ("noderesources.fitsRequest", [
        pod("p", still(resources={"limits": {"example.com/gpu": "1"}})), because("p", "4 Insufficient example.com/gpu")]),
    "a Pod that goes makes room": ("noderesources.isSchedulableAfterPodEvent", [
        cordon(W2, W3, W4), pod("old", asks("3")), pod("p", asks("2")), on(p=None), delete("pods", "old"), on(p=W1)]),
    "init containers count by their greatest": ("resourcehelper.PodRequests", [
        pod("p", still(), initContainers=[{**asks("5"), "name": "i"}]), because("p", "4 Insufficient cpu")]),
    "init containers do not add up": ("resourcehelper.PodRequests", [
        pod("p", asks("3"), initContainers=[{**asks("3"), "name": "i"}]), phase(p="Pending"), among("p", *ALL)]),
    "sidecars add up": ("resourcehelper.PodRequests", [
        pod("p", asks("3"), initContainers=[{**asks("2"), "name": "s", "restartPolicy": "Always"}]),
        because("p", "4 Insufficient cpu")]),
    "resources of the whole Pod count": ("resourcehelper.PodRequests Pod level", [
        pod("p", asks("1"), resources={"requests": {"cpu": "5"}}), because("p", "4 Insufficient cpu")]),
    "the emptiest node is taken": ("noderesources.leastResourceScorer", [
        *(pod(f"old-{n}", asks("2", "2Gi"), nodeName=f"worker-{n}") for n in (1, 2, 4)), pod("p", asks("1", "1Gi")), on(p=W3)]),
    "what is requested counts, not what is used": ("NodeInfo.Requested", [
        *(pod(f"old-{n}", asks("3"), nodeName=f"worker-{n}") for n in range(1, 5)),
        pod("p", asks("2")), because("p", "4 Insufficient cpu")]),
    # ---- ports
    "a host port is taken once a node": ("nodeports.fitsPorts", [
        pods(4, "h", still(ports=[{"containerPort": 80, "hostPort": 80}])),
        pod("p", still(ports=[{"containerPort": 80, "hostPort": 80}])),
        because("p", "4 node(s) didn't have free ports for the requested pod ports")]),
    "another protocol is another port": ("HostPortInfo.CheckConflict", [
        cordon(W2, W3, W4), pod("old", still(ports=[{"containerPort": 53, "hostPort": 53}])),
        pod("p", still(ports=[{"containerPort": 53, "hostPort": 53, "protocol": "UDP"}])), on(p=W1)]),
    "another address is another port": ("HostPortInfo.CheckConflict", [
        cordon(W2, W3, W4), pod("old", still(ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "127.0.0.1"}])),
        pod("p", still(ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "127.0.0.2"}])), on(p=W1)]),
    "all addresses conflict with each": ("HostPortInfo.CheckConflict 0.0.0.0", [
        cordon(W2, W3, W4), pod("old", still(ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "127.0.0.1"}])),
        pod("p", still(ports=[{"containerPort": 80, "hostPort": 80}])),
        because("p", "1 node(s) didn't have free ports for the requested pod ports")]),
    "a port that is given back": ("nodeports.isSchedulableAfterPodDeleted", [
        cordon(W2, W3, W4), pod("old", still(ports=[{"containerPort": 80, "hostPort": 80}])),
        pod("p", still(ports=[{"containerPort": 80, "hostPort": 80}])), on(p=None), delete("pods", "old"), on(p=W1)]),
    # ---- affinity to Pods
    "one a node": ("interpodaffinity.satisfyPodAntiAffinity", [
        pods(4, "a", labels=WEB, affinity=near(away=True)), spread(1, 1, 1, 1),
        pod("p", labels=WEB, affinity=near(away=True)),
        because("p", "4 node(s) didn't match pod anti-affinity rules")]),
    "one a zone": ("interpodaffinity.satisfyPodAntiAffinity", [
        zones("x", "x", "y", "y"), pods(2, "a", labels=WEB, affinity=near(ZONE, away=True)), apart("a-0", "a-1", ZONE),
        pod("p", labels=WEB, affinity=near(ZONE, away=True)), on(p=None)]),
    "who is there may not want others": ("interpodaffinity.satisfyExistingPodsAntiAffinity", [
        cordon(W2, W3, W4), pod("old", affinity=near(away=True)), pod("p", labels=WEB),
        because("p", "1 node(s) didn't satisfy existing pods anti-affinity rules")]),
    "beside the app": ("interpodaffinity.satisfyPodAffinity", [
        pod("old", labels=WEB, nodeName=W3), pod("p", affinity=near()), on(p=W3)]),
    "in the app's zone": ("interpodaffinity.satisfyPodAffinity", [
        zones("x", "y", "y", "x"), pod("old", labels=WEB, nodeName=W2), pod("p", affinity=near(ZONE)), among("p", W2, W3)]),
    "the first of a group goes anywhere": ("interpodaffinity.satisfyPodAffinity, no match in the cluster", [
        pod("p", labels=WEB, affinity=near()), among("p", *ALL),
        pod("q", labels=WEB, affinity=near()), apart("p", "q", same=True)]),
    "beside nobody": ("interpodaffinity.satisfyPodAffinity", [
        pod("p", affinity=near()), because("p", "4 node(s) didn't match pod affinity rules"),
        pod("late", labels=WEB, nodeName=W2), on(p=W2)]),
    "other namespaces do not count": ("interpodaffinity, namespaces", [
        *SHOP, pod("old", labels=WEB, namespace="shop", nodeName=W2),
        pod("p", affinity=near()), on(p=None)]),
    "namespaces that are named count": ("interpodaffinity, namespaces", [
        *SHOP, pod("old", labels=WEB, namespace="shop", nodeName=W2),
        pod("p", affinity=near(namespaces=["shop"])), on(p=W2)]),
    "an empty namespaceSelector takes all": ("interpodaffinity.mergeAffinityTermNamespacesIfNotEmpty", [
        *SHOP, pod("old", labels=WEB, namespace="shop", nodeName=W2),
        pod("p", affinity=near(namespaceSelector={})), on(p=W2)]),
    "rather beside the app": ("interpodaffinity.Score", [
        pod("old", labels=WEB, nodeName=W3), pod("p", affinity=rather()), on(p=W3)]),
    "rather away from the app": ("interpodaffinity.Score", [
        *(pod(f"old-{n}", labels=WEB, nodeName=f"worker-{n}") for n in (1, 2, 4)), pod("p", affinity=rather(away=True)), on(p=W3)]),
    "who is there may draw others": ("interpodaffinity.processExistingPod", [
        pod("old", affinity=rather(), nodeName=W2), pod("p", labels=WEB), on(p=W2)]),
    "a node without the key is not beside anybody": ("interpodaffinity.satisfyPodAffinity, missing key", [
        zones("x", "", "", ""), pod("old", labels=WEB, nodeName=W1), cordon(W1), pod("p", affinity=near(ZONE)), on(p=None)]),
    "matchLabelKeys looks at the Pod's own value": ("podtopology/interpodaffinity matchLabelKeys (strategy.applyMatchLabelKeysAndMismatchLabelKeys)", [
        pod("old", labels={**WEB, "v": "1"}, nodeName=W1), pod("new", labels={**WEB, "v": "2"}, nodeName=W2),
        pod("p", labels={"v": "2"}, affinity=near(matchLabelKeys=["v"])), on(p=W2)]),
    "mismatchLabelKeys looks at the others": ("mismatchLabelKeys", [
        pod("old", labels={**WEB, "v": "1"}, nodeName=W1), pod("new", labels={**WEB, "v": "2"}, nodeName=W2),
        pod("p", labels={"v": "2"}, affinity=near(mismatchLabelKeys=["v"])), on(p=W1)]),
    # ---- spread
    "even over hosts": ("podtopologyspread.Filter", [
        pods(8, "a", labels=WEB, topologySpreadConstraints=[even()]), spread(2, 2, 2, 2)]),
    "even over zones": ("podtopologyspread.Filter", [
        zones("x", "x", "x", "y"), pods(6, "a", labels=WEB, topologySpreadConstraints=[even(ZONE)]), spread(3, 3, key=ZONE)]),
    "a domain that is full holds all back": ("podtopologyspread.Filter", [
        zones("x", "x", "x", "y"), cordon(W4), pods(1, "a", labels=WEB, topologySpreadConstraints=[even(ZONE)]),
        pod("p", labels=WEB, topologySpreadConstraints=[even(ZONE)]),
        because("p", "3 node(s) didn't match pod topology spread constraints")]),
    "maxSkew is how far apart": ("podtopologyspread.Filter", [
        zones("x", "x", "x", "y"), cordon(W4), pods(2, "a", labels=WEB, topologySpreadConstraints=[even(ZONE, skew=2)]),
        spread(2, key=ZONE), pod("p", labels=WEB, topologySpreadConstraints=[even(ZONE, skew=2)]), on(p=None)]),
    "ScheduleAnyway only prefers": ("podtopologyspread.Score", [
        zones("x", "x", "x", "y"), cordon(W4), pods(3, "a", labels=WEB, topologySpreadConstraints=[even(ZONE, hard=False)]),
        spread(3, key=ZONE)]),
    "ScheduleAnyway prefers the emptier domain": ("podtopologyspread.Score", [
        *(pod(f"old-{n}", labels=WEB, nodeName=f"worker-{n}") for n in (1, 2, 4)),
        pod("p", labels=WEB, topologySpreadConstraints=[even(hard=False)]), on(p=W3)]),
    "too few domains count as an empty one": ("podtopologyspread minDomains", [
        pods(4, "a", labels=WEB, topologySpreadConstraints=[even(minDomains=5)]), spread(1, 1, 1, 1),
        pod("p", labels=WEB, topologySpreadConstraints=[even(minDomains=5)]), on(p=None)]),
    "enough domains count as they are": ("podtopologyspread minDomains", [
        pods(5, "a", labels=WEB, topologySpreadConstraints=[even(minDomains=4)]), spread(2, 1, 1, 1)]),
    "nodes that the Pod excludes do not count": ("podtopologyspread nodeAffinityPolicy Honor", [
        label(W1, W2, disk="ssd"), pods(4, "a", labels=WEB, nodeSelector={"disk": "ssd"}, topologySpreadConstraints=[even()]),
        spread(2, 2)]),
    "unless affinity is ignored": ("podtopologyspread nodeAffinityPolicy Ignore", [
        label(W1, W2, disk="ssd"),
        pods(3, "a", labels=WEB, nodeSelector={"disk": "ssd"}, topologySpreadConstraints=[even(nodeAffinityPolicy="Ignore")]),
        spread(1, 1), on(a_2=None)]),
    "tainted nodes count": ("podtopologyspread nodeTaintsPolicy Ignore", [
        taints(W3, W4), pods(3, "a", labels=WEB, topologySpreadConstraints=[even()]), spread(1, 1), on(a_2=None)]),
    "unless taints are honoured": ("podtopologyspread nodeTaintsPolicy Honor", [
        taints(W3, W4), pods(4, "a", labels=WEB, topologySpreadConstraints=[even(nodeTaintsPolicy="Honor")]), spread(2, 2)]),
    "matchLabelKeys counts one revision": ("podtopologyspread matchLabelKeys", [
        *(pod(f"old-{n}", labels={**WEB, "v": "1"}, nodeName=W1) for n in range(3)),
        pods(4, "a", labels={**WEB, "v": "2"}, topologySpreadConstraints=[even(matchLabelKeys=["v"])]), spread(4, 1, 1, 1)]),
    "only what is selected counts": ("podtopologyspread.countPodsMatchSelector", [
        *(pod(f"old-{n}", labels={"app": "x"}, nodeName=W1) for n in range(3)),
        pods(4, "a", labels=WEB, topologySpreadConstraints=[even()]), spread(1, 1, 1, 1)]),
    "other namespaces do not count for spread": ("podtopologyspread.countPodsMatchSelector", [
        *SHOP, *(pod(f"old-{n}", labels=WEB, namespace="shop", nodeName=W1) for n in range(3)),
        pods(4, "a", labels=WEB, topologySpreadConstraints=[even()]), spread(1, 1, 1, 1)]),
    "Pods that end do not count": ("podtopologyspread, DeletionTimestamp", [
        pod("old-0", labels=WEB, nodeName=W1), delete("pods", "old-0"),
        pods(4, "a", labels=WEB, topologySpreadConstraints=[even()]), spread(1, 1, 1, 1)]),
    "a node without the key is left out": ("podtopologyspread ErrReasonNodeLabelNotMatch", [
        zones("x", "", "", ""), cordon(W1), pod("p", labels=WEB, topologySpreadConstraints=[even(ZONE)]),
        because("p", "3 node(s) didn't match pod topology spread constraints (missing required label)")]),
    "two constraints both hold": ("podtopologyspread.Filter", [
        zones("x", "x", "x", "y"), pods(4, "a", labels=WEB, topologySpreadConstraints=[even(ZONE), even(skew=1)]),
        spread(2, 1, key=ZONE), on(a_3=None)]),
    "a Pod that goes lets another in": ("podtopologyspread.isSchedulableAfterPodChange", [
        zones("x", "x", "x", "y"), cordon(W4), pod("a", labels=WEB, topologySpreadConstraints=[even(ZONE)]),
        pod("p", labels=WEB, topologySpreadConstraints=[even(ZONE)]), on(p=None), delete("pods", "a"), among("p", W1, W2, W3)]),
    "a Deployment is spread without being told": ("podtopologyspread systemDefaultConstraints", [
        put(workload("Deployment", replicas=4)), spread(1, 1, 1, 1)]),
    "an unequal constraint is refused": ("validation.validateTopologySpreadConstraints", [
        refuse(a_pod(topologySpreadConstraints=[even(skew=0)]), "must be greater than zero")]),
    # ---- gates, priority
    "a gate keeps the Pod out": ("schedulinggates.PreEnqueue", [
        pod(schedulingGates=[{"name": "g"}]), condition("pods", "p", "PodScheduled", "False", "SchedulingGated"),
        patch("pods", "p", {"spec": {"schedulingGates": None}}), among("p", *ALL)]),
    "no gate may be added": ("validation.ValidatePodUpdate", [
        pod(), patch("pods", "p", {"spec": {"schedulingGates": [{"name": "g"}]}}, status=422)]),
    "the important Pod takes the room": ("defaultpreemption.PostFilter", [
        *FILLED, pod("p", asks("2"), priorityClassName="high"), on(p=W1), gone("pods", "old"), said("old", "Preempted")]),
    "not one that never preempts": ("PodEligibleToPreemptOthers", [
        *FILLED, pod("p", asks("2"), priorityClassName="polite"),
        because("p", "not eligible due to preemptionPolicy=Never"), phase(old="Running")]),
    "equals are left alone": ("SelectVictimsOnNode", [
        *FILLED, pod("p", asks("2"), priorityClassName="low"), on(p=None), phase(old="Running")]),
    "the least important goes": ("SelectVictimsOnNode, reprieve", [
        put(*PRIORITY.values()), cordon(W2, W3, W4), pod("mid", asks("2"), priorityClassName="middle"),
        pod("old", asks("1"), priorityClassName="low"), pod("p", asks("2"), priorityClassName="high"),
        on(p=W1), phase(mid="Running"), gone("pods", "old")]),
    "a budget spares its Pods": ("filterPodsWithPDBViolation", [
        put(*PRIORITY.values(), {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
            "spec": {"minAvailable": 1, "selector": APP}}),
        cordon(W3, W4), pod("kept", asks("3"), priorityClassName="low", labels=WEB, nodeName=W1),
        pod("old", asks("3"), priorityClassName="low", nodeName=W2),
        pod("p", asks("2"), priorityClassName="high"), on(p=W2), phase(kept="Running"), gone("pods", "old")]),
    "nobody evicts for what no eviction helps": ("nodesWherePreemptionMightHelp", [
        *FILLED, pod("p", nodeSelector={"a": "b"}, priorityClassName="high"),
        because("p", "Preemption is not helpful for scheduling"), phase(old="Running")]),
    "another scheduler's Pods are not touched": ("profile.Map", [pod(schedulerName="other"), phase(p="Pending")]),
    "a DaemonSet goes to cordoned nodes": ("daemon.AddOrUpdateDaemonPodTolerations", [
        cordon(W2), put(workload("DaemonSet")), count("pods", 4, app="web")]),
    "a DaemonSet stays away from tainted nodes": ("daemon.NodeShouldRunDaemonPod", [
        taint(W2), put(workload("DaemonSet")), count("pods", 3, app="web")]),
    "a DaemonSet of some nodes": ("daemon.NodeShouldRunDaemonPod", [
        label(W2, disk="ssd"), put(workload("DaemonSet", pods=template(nodeSelector={"disk": "ssd"}))), count("pods", 1, app="web"),
        label(W3, disk="ssd"), count("pods", 2, app="web")]),
}  # fmt: skip
