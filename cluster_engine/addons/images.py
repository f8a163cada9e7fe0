"""The images of Kubernetes 1.37's own parts, as ``kubeadm config images list`` prints them."""

from cluster_engine.version import KUBERNETES_VERSION

REGISTRY = "registry.k8s.io"
KUBE_APISERVER = f"{REGISTRY}/kube-apiserver:v{KUBERNETES_VERSION}"
KUBE_CONTROLLER_MANAGER = f"{REGISTRY}/kube-controller-manager:v{KUBERNETES_VERSION}"
KUBE_SCHEDULER = f"{REGISTRY}/kube-scheduler:v{KUBERNETES_VERSION}"
KUBE_PROXY = f"{REGISTRY}/kube-proxy:v{KUBERNETES_VERSION}"
COREDNS = f"{REGISTRY}/coredns/coredns:v1.14.6"
PAUSE = f"{REGISTRY}/pause:3.10.2"
ETCD = f"{REGISTRY}/etcd:3.7.0-0"
