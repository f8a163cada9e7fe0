"""Checks of *Explore the components* that compare what was noted with what there is."""

from labs.kit.checking import Fail, Reader
from labs.kit.words import plain, say

NOTES = "kubectl get configmap components -n survey -o yaml"


def _noted(cluster: Reader, key: str) -> str:
    """What the learner wrote under ``key``; Fail when there is no such note."""
    value = cluster.need("configmaps", "components", "survey").get("data", {}).get(key)
    if value is None:
        raise Fail(say("set", field=f"data.{key}"), say("nothing"), NOTES)
    return str(value).strip()


def _compare(cluster: Reader, key: str, right: list[str], look: str) -> None:
    value = _noted(cluster, key)
    if value not in right:
        raise Fail(plain(key), f"`{value}`", look)


def etcd_node(cluster: Reader) -> None:
    pods = cluster.list("pods", "kube-system", labels="component=etcd")
    nodes = [pod["spec"]["nodeName"] for pod in pods]
    _compare(cluster, "etcd-node", nodes, "kubectl get pods -n kube-system -o wide")


def proxy_count(cluster: Reader) -> None:
    count = len(cluster.list("pods", "kube-system", labels="k8s-app=kube-proxy"))
    _compare(cluster, "proxy-count", [str(count)], "kubectl get pods -n kube-system -l k8s-app=kube-proxy")


def dns_ip(cluster: Reader) -> None:
    address = cluster.need("services", "kube-dns", "kube-system")["spec"]["clusterIP"]
    _compare(cluster, "dns-ip", [address], "kubectl get service kube-dns -n kube-system")


def dns_healed(cluster: Reader) -> None:
    began = cluster.need("namespaces", "survey")["metadata"]["creationTimestamp"]
    pods = cluster.list("pods", "kube-system", labels="k8s-app=kube-dns")
    ready = [
        pod
        for pod in pods
        for condition in pod.get("status", {}).get("conditions", ())
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    look = "kubectl get pods -n kube-system -l k8s-app=kube-dns"
    younger = [pod for pod in ready if pod["metadata"]["creationTimestamp"] > began]
    if len(ready) < 2 or not younger:
        raise Fail(plain("2"), f"{len(ready)}, {len(younger)}", look)
