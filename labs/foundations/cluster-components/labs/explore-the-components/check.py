"""Checks of *Explore the components*."""

from labs.kit.checking import NOTHING, Fail, Reader, check, t

NOTES = "kubectl get configmap components -n survey -o yaml"


def noted(cluster: Reader, key: str) -> str:
    """What the learner wrote under ``key``; Fail when there is no such note."""
    value = cluster.need("configmaps", "components", "survey").get("data", {}).get(key)
    if value is None:
        raise Fail(t(f"a key `{key}` in the ConfigMap", f"ConfigMap 中有键 `{key}`"), NOTHING, NOTES)
    return str(value).strip()


@check(
    "etcd-node",
    title=t("The node of etcd is noted", "记录了 etcd 所在的节点"),
    hint=t(
        "etcd's Pod is in the namespace kube-system; `-o wide` shows the node of each Pod.",
        "etcd 的 Pod 在 kube-system 命名空间里；`-o wide` 会显示每个 Pod 所在的节点。",
    ),
)
def etcd_node(cluster: Reader) -> None:
    nodes = [
        pod["spec"].get("nodeName") for pod in cluster.list("pods", "kube-system", labels="component=etcd")
    ]
    value = noted(cluster, "etcd-node")
    if value not in nodes:
        raise Fail(
            t("the name of the node on which etcd runs", "etcd 所在节点的名字"),
            f"`{value}`",
            "kubectl get pods -n kube-system -o wide",
        )


@check(
    "proxy-count",
    title=t("The kube-proxy Pods are counted", "数清了 kube-proxy 的 Pod"),
    hint=t(
        "The label k8s-app=kube-proxy selects just these Pods; the control-plane node has one, too.",
        "标签 k8s-app=kube-proxy 正好选中这些 Pod；控制平面节点上也有一个。",
    ),
)
def proxy_count(cluster: Reader) -> None:
    count = len(cluster.list("pods", "kube-system", labels="k8s-app=kube-proxy"))
    value = noted(cluster, "proxy-count")
    if value != str(count):
        raise Fail(
            t("the number of kube-proxy Pods", "kube-proxy Pod 的数量"),
            f"`{value}`",
            "kubectl get pods -n kube-system -l k8s-app=kube-proxy",
        )


@check(
    "dns-ip",
    title=t("The address of the cluster's DNS is noted", "记录了集群 DNS 的地址"),
    hint=t(
        "It is the CLUSTER-IP of the Service kube-dns, not the IP of a Pod.",
        "它是 kube-dns 这个 Service 的 CLUSTER-IP，而不是某个 Pod 的 IP。",
    ),
)
def dns_ip(cluster: Reader) -> None:
    address = cluster.need("services", "kube-dns", "kube-system")["spec"]["clusterIP"]
    value = noted(cluster, "dns-ip")
    if value != address:
        raise Fail(
            t("the cluster IP of the Service `kube-dns`", "Service `kube-dns` 的集群 IP"),
            f"`{value}`",
            "kubectl get service kube-dns -n kube-system",
        )


@check(
    "dns-healed",
    points=2,
    title=t("A deleted CoreDNS Pod was replaced", "被删除的 CoreDNS Pod 得到了补充"),
    hint=t(
        "Delete one of the two CoreDNS Pods, after you have made the namespace, and give the new one a few seconds.",
        "创建命名空间之后，删除两个 CoreDNS Pod 中的一个，再等新 Pod 几秒钟。",
    ),
)
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
    if len(ready) < 2:
        raise Fail(t("2 ready CoreDNS Pods", "2 个就绪的 CoreDNS Pod"), str(len(ready)), look)
    if not any(pod["metadata"]["creationTimestamp"] > began for pod in pods):
        raise Fail(
            t(
                "a CoreDNS Pod that is younger than the namespace `survey`",
                "有一个比 `survey` 命名空间更年轻的 CoreDNS Pod",
            ),
            t("only the Pods that the cluster began with", "只有集群最初的那些 Pod"),
            look,
        )
