"""Rolls a copy three times and counts what the belt has lost; ends one Pod and asks whether it still answers."""

from cluster_engine.cluster import Cluster
from labs.kit.checking import Fail, Reader

EDITIONS = ("one", "two", "three")


def _lost(cluster: Reader) -> int:
    return sum("lost" in line for line in cluster.logs("belt", "belt"))


def _ready(cluster: Cluster, wanted: int) -> bool:
    bags = cluster.get("deployments", "bags") or {}
    status = bags.get("status", {})
    return (
        status.get("observedGeneration") == bags["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == status.get("replicas", 0) == wanted
        and status.get("readyReplicas", 0) == wanted
    )


def _rolled(cluster: Reader, trial: Cluster, edition: str) -> None:
    """Rolls bags out, waits until it is done and the belt has been asking for some seconds more."""
    bags = cluster.need("deployments", "bags")
    template = bags["spec"]["template"]
    meta = {**template["metadata"], "annotations": {"edition": edition}}
    spec = {**bags["spec"], "template": {**template, "metadata": meta}}
    trial.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "bags"}, "spec": spec})
    if not trial.wait(lambda now: _ready(now, spec["replicas"]), 120):
        raise Fail(cluster.say("done"), cluster.say("stuck"), "kubectl rollout status deployment/bags")
    trial.advance(8)


def rollouts(cluster: Reader) -> None:
    """Three rollouts, one after the other."""
    trial = cluster.fork()
    there = cluster.on(trial)
    before = _lost(there)
    for edition in EDITIONS:
        _rolled(there, trial, edition)
    lost = _lost(there) - before
    if lost:
        raise Fail(cluster.say("none"), cluster.say("lost", count=lost), "kubectl logs belt --tail=20")


def lingers(cluster: Reader) -> None:
    """A copy that was told to end is out of the list, and still answers for two seconds."""
    trial = cluster.fork()
    there = cluster.on(trial)
    pods = [pod for pod in there.list("pods", "default", "app=bags") if pod["status"].get("podIP")]
    if not pods:
        raise Fail(cluster.say("done"), cluster.say("stuck"), "kubectl get pods -l app=bags")
    name, address = pods[0]["metadata"]["name"], pods[0]["status"]["podIP"]
    trial.advance(8)
    trial.delete("pods", name)
    trial.advance(2)
    asked = trial.execute(
        "belt", ["wget", "-q", "-O", "/dev/null", "-T", "1", f"http://{address}/"], "default"
    )
    if asked.exit_code:
        raise Fail(cluster.say("answers"), cluster.say("silent"), f"kubectl delete pod {name} --wait=false")
