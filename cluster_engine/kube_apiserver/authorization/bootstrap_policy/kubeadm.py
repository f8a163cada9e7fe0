"""What kubeadm adds to the API server's own roles: for joining nodes, its administrators, kube-proxy and CoreDNS.

Models cmd/kubeadm/app/phases/{bootstraptoken,kubeconfig,uploadconfig,addons}.
"""

from __future__ import annotations

from .rules import DISCOVERY, FOLLOW, Rules, core, named, of

_JOINING = "Group:system:bootstrappers:kubeadm:default-node-token"
_NODES = "Group:system:nodes"
_CSR = "system:certificates.k8s.io:certificatesigningrequests"

CLUSTER_ROLES: dict[str, Rules] = {
    "kubeadm:get-nodes": (core(("get",), "nodes"),),
    "system:coredns": (
        core(FOLLOW, "endpoints", "services", "pods", "namespaces"),
        of(DISCOVERY, FOLLOW, "endpointslices"),
    ),
}
CLUSTER_ROLE_BINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kubeadm:cluster-admins": ("cluster-admin", ("Group:kubeadm:cluster-admins",)),
    "kubeadm:get-nodes": ("kubeadm:get-nodes", (_JOINING,)),
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", (_JOINING,)),
    "kubeadm:node-autoapprove-bootstrap": (f"{_CSR}:nodeclient", (_JOINING,)),
    "kubeadm:node-autoapprove-certificate-rotation": (f"{_CSR}:selfnodeclient", (_NODES,)),
    "kubeadm:node-proxier": ("system:node-proxier", ("ServiceAccount:kube-system/kube-proxy",)),
    "system:coredns": ("system:coredns", ("ServiceAccount:kube-system/coredns",)),
}
"""Name -> (cluster role, those who have it)."""

ROLES: dict[str, Rules] = {
    "kube-public/kubeadm:bootstrap-signer-clusterinfo": (named("", ("get",), "configmaps", "cluster-info"),),
    "kube-system/kube-proxy": (named("", ("get",), "configmaps", "kube-proxy"),),
    "kube-system/kubeadm:kubelet-config": (named("", ("get",), "configmaps", "kubelet-config"),),
    "kube-system/kubeadm:nodes-kubeadm-config": (named("", ("get",), "configmaps", "kubeadm-config"),),
}
ROLE_BINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kube-public/kubeadm:bootstrap-signer-clusterinfo": (
        "kubeadm:bootstrap-signer-clusterinfo",
        ("User:system:anonymous",),
    ),
    "kube-system/kube-proxy": ("kube-proxy", (_JOINING,)),
    "kube-system/kubeadm:kubelet-config": ("kubeadm:kubelet-config", (_NODES, _JOINING)),
    "kube-system/kubeadm:nodes-kubeadm-config": ("kubeadm:nodes-kubeadm-config", (_JOINING, _NODES)),
}
"""namespace/name -> (role, those who have it)."""
