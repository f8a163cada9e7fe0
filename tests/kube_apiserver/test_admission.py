"""What admission adds to a Pod and what it refuses."""

from __future__ import annotations

from apiserver_bench import PODS, Bench, pod


def test_a_pod_gets_account_token_tolerations_and_priority(bench: Bench) -> None:
    spec = bench.ok("POST", PODS, pod())["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    sources = volume["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]
    mount = spec["containers"][0]["volumeMounts"][0]
    assert mount == {
        "name": volume["name"],
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }
    assert [(t["key"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")


def test_a_pod_may_do_without_the_token(bench: Bench) -> None:
    spec = bench.ok("POST", PODS, pod(automountServiceAccountToken=False))["spec"]
    assert "volumes" not in spec
    assert "volumeMounts" not in spec["containers"][0]


def test_its_own_tolerations_stay(bench: Bench) -> None:
    own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    spec = bench.ok("POST", PODS, pod(tolerations=[own]))["spec"]
    assert [t["key"] for t in spec["tolerations"]] == [own["key"], "node.kubernetes.io/not-ready"]


def test_priority_classes_of_the_system(bench: Bench) -> None:
    made = bench.ok(
        "POST", "/api/v1/namespaces/kube-system/pods", pod(priorityClassName="system-node-critical")
    )
    assert made["spec"]["priority"] == 2_000_001_000


def test_refusals(bench: Bench) -> None:
    assert bench.error("POST", PODS, pod(serviceAccountName="robot")) == (
        403,
        "Forbidden",
        'pods "web" is forbidden: error looking up service account default/robot: '
        'serviceaccount "robot" not found',
    )
    assert bench.error("POST", PODS, pod(priorityClassName="vip")) == (
        403,
        "Forbidden",
        'pods "web" is forbidden: no PriorityClass with name vip was found',
    )


def test_new_nodes_are_tainted(bench: Bench) -> None:
    made = bench.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
SECOND_DEFAULT = (
    403,
    "Forbidden",
    'priorityclasses.scheduling.k8s.io "two" is forbidden: PriorityClass one is already marked as default. '
    "Only one default can exist",
)


def priority_class(name: str, default: bool, value: int = 5) -> dict[str, object]:
    return {"metadata": {"name": name}, "value": value, "globalDefault": default}


def test_one_priority_class_is_the_default(bench: Bench) -> None:
    bench.ok("POST", CLASSES, priority_class("one", True))
    assert bench.error("POST", CLASSES, priority_class("two", True)) == SECOND_DEFAULT
    bench.ok("POST", CLASSES, priority_class("two", False))
    assert bench.error("PUT", f"{CLASSES}/two", priority_class("two", True)) == SECOND_DEFAULT
    patch = {"globalDefault": True}
    merge = "application/merge-patch+json"
    assert bench.error("PATCH", f"{CLASSES}/two", patch, content_type=merge) == SECOND_DEFAULT
    # The default itself may change, and hand over.
    bench.ok("PUT", f"{CLASSES}/one", {**priority_class("one", True), "description": "mine"})
    bench.ok("PUT", f"{CLASSES}/one", priority_class("one", False))
    bench.ok("PUT", f"{CLASSES}/two", priority_class("two", True))
    assert bench.ok("POST", PODS, pod())["spec"]["priorityClassName"] == "two"


def test_a_replaced_pod_keeps_its_priority(bench: Bench) -> None:
    made = bench.ok("POST", PODS, pod(priorityClassName="system-node-critical"))
    sent = {
        **made,
        "spec": {k: v for k, v in made["spec"].items() if k not in ("priority", "preemptionPolicy")},
    }
    sent["metadata"] = {**made["metadata"], "labels": {"app": "other"}}
    kept = bench.ok("PUT", f"{PODS}/web", sent)["spec"]
    assert (kept["priority"], kept["preemptionPolicy"]) == (2_000_001_000, "PreemptLowerPriority")
