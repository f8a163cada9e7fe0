# ruff: noqa: E501 (one behaviour a line)
"""Upstream's conformance suite, as far as it needs nodes: what takes more steps than a Pod that runs once.

Each behaviour is a story in a fork of one cluster, told by its codename; `docs/conformance.md` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
PODS = "/api/v1/namespaces/default/pods"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
NODE = "[NodeConformance]"
Told = Callable[["Story"], None]


class Story:
    """A cluster and what is asked of it by an administrator."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def __call__(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The reply's body; an error is its message."""
        path, _, query = path.partition("?")
        pairs = [
            (name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name
        ]
        sent = orjson.dumps(body) if body is not None else b""
        reply = self.cluster.request(Request(method, path, pairs, {"content-type": kind}, sent, ADMIN))
        said = orjson.loads(reply.body)
        return said if reply.status < 400 else said["message"]

    def make(self, *objects: JSON) -> None:
        for obj in objects:
            self.cluster.apply(obj)

    def pod(self, name: str) -> JSON:
        found = self.cluster.get("pods", name, "default")
        assert found is not None, name
        return found

    def gone(self, name: str) -> bool:
        return self.cluster.get("pods", name, "default") is None

    def until(self, holds: Callable[[], Any], seconds: float = 600) -> None:
        assert self.cluster.wait(lambda _: bool(holds()), seconds)

    def pods(self, app: str) -> list[JSON]:
        found = self.cluster.list("pods", "default")
        return [pod for pod in found if (pod["metadata"].get("labels") or {}).get("app") == app]

    def log(self, name: str) -> str:
        return self.cluster.request(Request("GET", f"{PODS}/{name}/log", user=ADMIN)).body.decode()

    def says(self, name: str, line: str, container: str = "") -> str:
        return self.cluster.execute(name, ["sh", "-c", line], container=container).stdout.decode()


def named(kind: str, name: str, api: str = "v1", labels: JSON | None = None, **fields: Any) -> JSON:
    meta: JSON = {"name": name, "namespace": "default"}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {**meta, **({"labels": labels} if labels else {})},
        **fields,
    }


def shell(run: str, name: str = "c", **more: Any) -> JSON:
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", run], **more}


def pod(name: str, *containers: JSON, app: str = "", **spec: Any) -> JSON:
    chosen = list(containers) or [shell("sleep 100d")]
    spec = {"containers": chosen, "terminationGracePeriodSeconds": 1, **spec}
    return named("Pod", name, labels={"app": app} if app else None, spec=spec)


def template(app: str, container: JSON, **spec: Any) -> JSON:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


# ---- Jobs and StatefulSets -------------------------------------------------------------------------------


def job(name: str, container: JSON, restart: str = "Never", **spec: Any) -> JSON:
    made = template(name, container, restartPolicy=restart, terminationGracePeriodSeconds=1)
    return named("Job", name, "batch/v1", spec={"template": made, **spec})


def complete(told: Story, name: str) -> bool:
    conditions = (told.cluster.get("jobs.batch", name, "default") or {}).get("status", {}).get(
        "conditions"
    ) or ()
    return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)


def disruption_is_ignored(told: Story) -> None:
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    told.make(job("j", shell("sleep 60"), backoffLimit=0, podFailurePolicy={"rules": [rule]}))
    told.until(lambda: [p for p in told.pods("j") if p["status"].get("phase") == "Running"])
    name = told.pods("j")[0]["metadata"]["name"]
    told("POST", f"{PODS}/{name}/eviction", {"metadata": {"name": name}})
    told.until(lambda: complete(told, "j"))
    assert told.cluster.get("jobs.batch", "j", "default")["status"].get("failed", 0) == 0  # type: ignore[index]


def indexed(told: Story) -> None:
    run = shell("echo $JOB_COMPLETION_INDEX $HOSTNAME; sleep 1")
    told.make(job("j", run, completionMode="Indexed", completions=4, parallelism=2))
    told.until(lambda: complete(told, "j"))
    found = {
        p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: p for p in told.pods("j")
    }
    assert sorted(found) == ["0", "1", "2", "3"]
    for index, each in found.items():
        assert each["spec"]["hostname"] == f"j-{index}"
        assert told.log(each["metadata"]["name"]) == f"{index} j-{index}\n"
    assert told.cluster.get("jobs.batch", "j", "default")["status"]["completedIndexes"] == "0-3"  # type: ignore[index]


def restarted_in_place(told: Story) -> None:
    run = shell(
        "if [ -e /v/f ]; then exit 0; fi; touch /v/f; exit 1", volumeMounts=[{"name": "v", "mountPath": "/v"}]
    )
    made = job("j", run, "OnFailure", completions=4, parallelism=2)
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    told.make(made)
    told.until(lambda: complete(told, "j"))
    assert len(told.pods("j")) == 4
    assert {p["status"]["containerStatuses"][0]["restartCount"] for p in told.pods("j")} == {1}


def stateful(name: str, replicas: int, container: JSON, **spec: Any) -> JSON:
    made = template(name, container, terminationGracePeriodSeconds=1)
    about = {
        "replicas": replicas,
        "serviceName": name,
        "selector": {"matchLabels": {"app": name}},
        "template": made,
    }
    return named("StatefulSet", name, "apps/v1", spec={**about, **spec})


READY = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1}
BREAKS = shell("touch /tmp/ready; sleep 100d", readinessProbe={**READY, "failureThreshold": 1})


def names(told: Story, app: str) -> list[str]:
    return sorted(p["metadata"]["name"] for p in told.pods(app))


def ready(told: Story, app: str) -> list[str]:
    return [
        p["metadata"]["name"]
        for p in told.pods(app)
        if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions") or ())
    ]


def scale(told: Story, name: str, replicas: int) -> None:
    path = f"/apis/apps/v1/namespaces/default/statefulsets/{name}/scale"
    told("PATCH", path, {"spec": {"replicas": replicas}}, MERGE)


def bursts(told: Story) -> None:
    told.make(stateful("s", 1, BREAKS, podManagementPolicy="Parallel"))
    told.until(lambda: ready(told, "s") == ["s-0"])
    told.says("s-0", "rm /tmp/ready")
    told.until(lambda: not ready(told, "s"))
    scale(told, "s", 3)
    told.until(lambda: names(told, "s") == ["s-0", "s-1", "s-2"])
    scale(told, "s", 0)
    told.until(lambda: not told.pods("s"))


def in_order(told: Story) -> None:
    told.make(stateful("s", 1, BREAKS))
    told.until(lambda: ready(told, "s") == ["s-0"])
    told.says("s-0", "rm /tmp/ready")
    told.until(lambda: not ready(told, "s"))
    scale(told, "s", 3)
    told.cluster.advance(30)
    assert names(told, "s") == ["s-0"]
    told.says("s-0", "touch /tmp/ready")
    told.until(lambda: len(ready(told, "s")) == 3)
    made = sorted((p["metadata"]["creationTimestamp"], p["metadata"]["name"]) for p in told.pods("s"))
    assert [name for _, name in made] == ["s-0", "s-1", "s-2"]
    for name in names(told, "s"):
        told.says(name, "rm /tmp/ready")
    told.until(lambda: not ready(told, "s"))
    scale(told, "s", 0)
    told.cluster.advance(30)
    assert names(told, "s") == ["s-0", "s-1", "s-2"]
    for name in names(told, "s"):
        told.says(name, "touch /tmp/ready")
    told.until(lambda: not told.pods("s"))


def evicted(told: Story) -> None:
    port = {"ports": [{"containerPort": 80, "hostPort": 21017}]}
    told.make(pod("blocks", shell("sleep 100d", **port), nodeName="worker-1"))
    told.until(lambda: told.pod("blocks")["status"].get("phase") == "Running")
    made = stateful("s", 1, shell("sleep 100d", **port))
    made["spec"]["template"]["spec"]["nodeName"] = "worker-1"
    told.make(made)
    seen: dict[str, str] = {}

    def made_again() -> bool:
        for each in told.pods("s"):
            seen[each["metadata"]["uid"]] = each["status"].get("phase", "")
        return len(seen) > 1

    told.until(made_again)
    assert "Failed" in seen.values()
    told.cluster.delete("pods", "blocks", "default")
    told.until(lambda: ready(told, "s") == ["s-0"])


# ---- service accounts, nodes ------------------------------------------------------------------------------


def two_nodes(told: Story) -> None:
    nodes = told.cluster.list("nodes")
    assert len([n for n in nodes if not n["spec"].get("taints") and not n["spec"].get("unschedulable")]) >= 2


def opting_out(told: Story) -> None:
    for account, own in (("mount", True), ("no-mount", False), ("silent", None)):
        wish = {} if own is None else {"automountServiceAccountToken": own}
        told.make(named("ServiceAccount", account, **wish))
        for name, of_pod in (("yes", True), ("no", False), ("none", None)):
            spec = {} if of_pod is None else {"automountServiceAccountToken": of_pod}
            told.make(pod(f"{account}-{name}", serviceAccountName=account, **spec))
            mounts = told.pod(f"{account}-{name}")["spec"]["containers"][0].get("volumeMounts") or ()
            wanted = of_pod if of_pod is not None else own is not False
            paths = [mount["mountPath"] for mount in mounts]
            assert paths == (["/var/run/secrets/kubernetes.io/serviceaccount"] if wanted else [])


# ---- Pods -------------------------------------------------------------------------------------------------


def expected_status(told: Story) -> None:
    run = shell(
        "f=/v/count; n=$(cat $f 2>/dev/null || echo 0); n=$((n+1)); echo $n > $f; [ $n -ge 3 ] && sleep 100d; exit 1"
    )
    run["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    volumes = [{"name": "v", "emptyDir": {}}]
    told.make(pod("always", run, restartPolicy="Always", volumes=volumes))
    on_failure = shell(run["command"][2].replace("sleep 100d", "exit 0"), volumeMounts=run["volumeMounts"])
    told.make(pod("onfailure", on_failure, restartPolicy="OnFailure", volumes=volumes))
    told.make(pod("never", shell("exit 1"), restartPolicy="Never"))
    wanted = {
        "always": ("Running", 2, True),
        "onfailure": ("Succeeded", 2, False),
        "never": ("Failed", 0, False),
    }

    def found(name: str) -> tuple[str, int, bool] | None:
        status = told.pod(name)["status"]
        inner = (status.get("containerStatuses") or [None])[0]
        return inner and (status["phase"], inner["restartCount"], inner["ready"])

    told.until(lambda: all(found(name) == seen for name, seen in wanted.items()))


def image_defaults(told: Story) -> None:
    told.make(pod("p", {"name": "c", "image": AGNHOST}))
    told.until(lambda: told.log("p") == "Paused\n")


def ephemeral_updates(told: Story) -> None:
    told.make(pod("p"))
    assert told.cluster.settle()
    added: list[JSON] = []
    for name in ("debugger", "debugger2"):
        added.append(shell("while true; do echo polo; sleep 2; done", name))
        told("PATCH", f"{PODS}/p/ephemeralcontainers", {"spec": {"ephemeralContainers": added}}, STRATEGIC)
        told.until(
            lambda: (
                [
                    "running" in each["state"]
                    for each in told.pod("p")["status"].get("ephemeralContainerStatuses") or ()
                ]
                == [True] * len(added)
            )
        )
    log = told.cluster.request(Request("GET", f"{PODS}/p/log", [("container", "debugger2")], user=ADMIN))
    assert b"polo" in log.body


def failing_is_deleted(told: Story) -> None:
    told.make(pod("p", shell("false")))
    told.until(
        lambda: (told.pod("p")["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0) >= 2
    )
    told.cluster.delete("pods", "p", "default")
    told.until(lambda: told.gone("p"))


def guaranteed(told: Story) -> None:
    same = {"cpu": "100m", "memory": "100Mi"}
    told.make(pod("p", shell("sleep 100d", resources={"requests": same, "limits": same})))
    assert told.pod("p")["status"]["qosClass"] == "Guaranteed"


def deadline(told: Story) -> None:
    told.make(pod("p"))
    told.until(lambda: told.pod("p")["status"].get("phase") == "Running")
    told("PATCH", f"{PODS}/p", {"spec": {"activeDeadlineSeconds": 5}}, MERGE)
    told.until(lambda: told.pod("p")["status"].get("reason") == "DeadlineExceeded")
    assert told.pod("p")["status"]["phase"] == "Failed"


def watched(told: Story, query: list[tuple[str, str]]) -> Callable[[], list[tuple[str, JSON]]]:
    """A watch of Pods from now on: what it has told of since it was last asked."""
    version = told("GET", PODS)["metadata"]["resourceVersion"]
    asked = Request("GET", PODS, [("watch", "1"), ("resourceVersion", version), *query], user=ADMIN)
    stream = told.cluster.request(asked).stream
    assert stream is not None

    def told_of() -> list[tuple[str, JSON]]:
        text = b""
        while part := stream.take():
            text += part
        return [(event["type"], event["object"]) for event in map(orjson.loads, text.splitlines())]

    return told_of


def submitted_and_removed(told: Story) -> None:
    news = watched(told, [("labelSelector", "app=p")])
    told.make(pod("p", app="p", terminationGracePeriodSeconds=30))
    told.until(lambda: told.pod("p")["status"].get("phase") == "Running")
    assert news()[0][0] == "ADDED"
    told("DELETE", f"{PODS}/p?gracePeriodSeconds=30")
    told.until(lambda: told.gone("p"))
    kinds = news()
    assert kinds[-1][0] == "DELETED"
    last = kinds[-1][1]["metadata"]
    assert last["deletionTimestamp"]
    assert last["deletionGracePeriodSeconds"] in (0, 30)
    assert any(kind == "MODIFIED" and "deletionTimestamp" in each["metadata"] for kind, each in kinds)


def relabelled(told: Story) -> None:
    told.make(pod("p", app="old"))
    told.until(lambda: told.pod("p")["status"].get("phase") == "Running")
    live = told("GET", f"{PODS}/p")
    live["metadata"]["labels"] = {"app": "new"}
    told("PUT", f"{PODS}/p", live)
    assert [p["metadata"]["name"] for p in told.pods("new")] == ["p"]
    told.cluster.advance(30)
    assert told.pod("p")["status"]["containerStatuses"][0]["restartCount"] == 0


def deleted_by_label(told: Story) -> None:
    for number in range(3):
        told.make(pod(f"p{number}", app="many"))
    told.make(pod("other", app="other"))
    told("DELETE", f"{PODS}?labelSelector=app=many")
    told.until(lambda: not told.pods("many"))
    assert not told.gone("other")


def host_ip(told: Story) -> None:
    told.make(pod("p"))
    told.until(lambda: told.pod("p")["status"].get("hostIP"))
    status = told.pod("p")["status"]
    assert status["hostIPs"] == [{"ip": status["hostIP"]}]


def status_is_patched(told: Story) -> None:
    told.make(pod("p"))
    assert told.cluster.settle()
    told(
        "PATCH",
        f"{PODS}/p/status",
        {"status": {"message": "Patched by e2e test", "reason": "E2E"}},
        STRATEGIC,
    )
    told.cluster.advance(30)
    status = told.pod("p")["status"]
    assert (status["message"], status["reason"]) == ("Patched by e2e test", "E2E")


def lifecycle(told: Story) -> None:
    news = watched(told, [("labelSelector", "app=p")])
    told.make(pod("p", app="p"))
    told.until(lambda: ready(told, "p") == ["p"])
    change = {
        "metadata": {"labels": {"test-pod": "patched"}},
        "spec": {"containers": [{"name": "c", "image": "busybox:1.37"}]},
    }
    told("PATCH", f"{PODS}/p", change, STRATEGIC)
    told.until(
        lambda: (
            (told.pod("p")["status"].get("containerStatuses") or [{}])[0].get("image", "").endswith("1.37")
        )
    )
    live = told("GET", f"{PODS}/p/status")
    live["status"]["conditions"] = [
        {**each, "status": "False"} if each["type"] == "Ready" else each
        for each in live["status"]["conditions"]
    ]
    assert any(
        c["type"] == "Ready" and c["status"] == "False"
        for c in told("PUT", f"{PODS}/p/status", live)["status"]["conditions"]
    )
    told("DELETE", f"{PODS}?labelSelector=test-pod=patched")
    told.until(lambda: told.gone("p"))
    kinds = [kind for kind, _ in news()]
    assert (kinds[0], kinds[-1]) == ("ADDED", "DELETED")
    assert "MODIFIED" in kinds


def initial_delay(told: Story) -> None:
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 30, "periodSeconds": 1}
    told.make(pod("p", shell("sleep 100d", readinessProbe=probe), app="p"))
    told.until(lambda: told.pod("p")["status"].get("phase") == "Running")
    told.cluster.advance(28)
    assert ready(told, "p") == []
    told.cluster.advance(5)
    assert ready(told, "p") == ["p"]
    assert told.pod("p")["status"]["containerStatuses"][0]["restartCount"] == 0


# ---- subpaths that are expanded ---------------------------------------------------------------------------


def with_subpath(name: str, value: str, **more: Any) -> JSON:
    mount = {"name": "v", "mountPath": "/v", "subPathExpr": "$(SUB)"}
    made = pod(
        name,
        shell(
            "sleep 100d",
            env=[{"name": "SUB", **more, **({} if more else {"value": value})}],
            volumeMounts=[mount],
        ),
    )
    made["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    return made


def stuck(value: str, why: str) -> Told:
    def told_of(told: Story) -> None:
        told.make(with_subpath("p", value))
        told.cluster.advance(60)
        [status] = told.pod("p")["status"]["containerStatuses"]
        assert status["state"]["waiting"] == {"reason": "CreateContainerConfigError", "message": why}
        assert not status["ready"]

    return told_of


def corrected(told: Story) -> None:
    of_annotation = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['mysubpath']"}}}
    made = with_subpath("p", "", **of_annotation)
    made["metadata"]["annotations"] = {"mysubpath": "/bad"}
    told.make(made)
    told.cluster.advance(60)
    assert told.pod("p")["status"]["phase"] == "Pending"
    told("PATCH", f"{PODS}/p", {"metadata": {"annotations": {"mysubpath": "good"}}}, MERGE)
    told.until(lambda: told.pod("p")["status"]["phase"] == "Running")


# ---- optional sources -------------------------------------------------------------------------------------


def optional(kind: str, projected: bool) -> Told:
    def source(name: str) -> JSON:
        if projected:
            inner = {"configMap" if kind == "ConfigMap" else "secret": {"name": name, "optional": True}}
            return {"projected": {"sources": [inner]}}
        if kind == "ConfigMap":
            return {"configMap": {"name": name, "optional": True}}
        return {"secret": {"secretName": name, "optional": True}}

    def holding(name: str, value: str) -> JSON:
        return named(kind, name, **{"data" if kind == "ConfigMap" else "stringData": {"data-1": value}})

    def told_of(told: Story) -> None:
        told.make(holding("goes", "value-1"), holding("changes", "value-1"))
        sources = ("goes", "changes", "comes")
        made = pod(
            "p", shell("sleep 100d", volumeMounts=[{"name": n, "mountPath": f"/{n}"} for n in sources])
        )
        made["spec"]["volumes"] = [{"name": name, **source(name)} for name in sources]
        told.make(made)
        assert told.cluster.settle()
        show = "; ".join(f"cat /{name}/data-1 2>/dev/null || echo -n none; echo -n ' '" for name in sources)
        assert told.says("p", show) == "value-1 value-1 none "
        told.cluster.delete("configmaps" if kind == "ConfigMap" else "secrets", "goes", "default")
        told.make(holding("changes", "value-3"), holding("comes", "value-1"))
        told.cluster.advance(150)
        assert told.says("p", show) == "none value-3 value-1 "

    return told_of


def fifty_maps(told: Story) -> None:
    many = range(50)
    for number in many:
        told.make(named("ConfigMap", f"racey-{number}", data={"data-1": "value-1"}))
    mounts = [{"name": f"v{n}", "mountPath": f"/etc/config-{n}"} for n in many]
    volumes = [
        {"name": f"v{n}", "configMap": {"name": f"racey-{n}", "items": [{"key": "data-1", "path": "data-1"}]}}
        for n in many
    ]
    for number in range(5):
        made = pod(f"p{number}", shell("sleep 100d", volumeMounts=mounts), app="racey")
        made["spec"]["volumes"] = volumes
        told.make(made)
    told.until(lambda: len(ready(told, "racey")) == 5)
    assert told.says("p4", "cat /etc/config-*/data-1 | wc -c") == "350\n"


_SETS = "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic]"
TOLD: dict[str, Told] = {
    "[sig-apps] Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition": disruption_is_ignored,
    "[sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname": indexed,
    "[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted": restarted_in_place,
    f"{_SETS} Burst scaling should run to completion even with unhealthy pods [Slow]": bursts,
    f"{_SETS} Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow]": in_order,
    f"{_SETS} Should recreate evicted statefulset": evicted,
    "[sig-architecture] Conformance Tests should have at least two untainted nodes": two_nodes,
    "[sig-auth] ServiceAccounts should allow opting out of API token automount": opting_out,
    f"[sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status {NODE}": expected_status,
    f"[sig-node] Containers should use the image defaults if command and args are blank {NODE}": image_defaults,
    f"[sig-node] Ephemeral Containers {NODE} should update the ephemeral containers in an existing pod": ephemeral_updates,
    f"[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete {NODE}": failing_is_deleted,
    "[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu": guaranteed,
    f"[sig-node] Pods should allow activeDeadlineSeconds to be updated {NODE}": deadline,
    f"[sig-node] Pods should be submitted and removed {NODE}": submitted_and_removed,
    f"[sig-node] Pods should be updated {NODE}": relabelled,
    "[sig-node] Pods should delete a collection of pods": deleted_by_label,
    f"[sig-node] Pods should get a host IP {NODE}": host_ip,
    "[sig-node] Pods should patch a pod status": status_is_patched,
    "[sig-node] Pods should run through the lifecycle of Pods and PodStatus": lifecycle,
    f"[sig-node] Probing container with readiness probe should not be ready before initial delay and never restart {NODE}": initial_delay,
    "[sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path": stuck("/tmp", "error SubPath `/tmp` must not be an absolute path"),
    "[sig-node] Variable Expansion should fail substituting values in a volume subpath with backticks": stuck("../tmp", "unable to provision SubPath `../tmp`: must not contain '..'"),
    "[sig-node] Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container [Slow]": corrected,
    f"[sig-storage] ConfigMap optional updates should be reflected in volume {NODE}": optional("ConfigMap", projected=False),
    f"[sig-storage] Projected configMap optional updates should be reflected in volume {NODE}": optional("ConfigMap", projected=True),
    f"[sig-storage] Projected secret optional updates should be reflected in volume {NODE}": optional("Secret", projected=True),
    f"[sig-storage] Secrets optional updates should be reflected in volume {NODE}": optional("Secret", projected=False),
    "[sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial]": fifty_maps,
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True, strict=True, addons=False)
    assert cluster.settle()
    return cluster


@pytest.mark.parametrize("codename", TOLD)
def test_a_story(base: Cluster, codename: str) -> None:
    TOLD[codename](Story(base.fork()))
