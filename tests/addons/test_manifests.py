"""What kubeadm puts into a cluster, checked for what the lessons and kubectl show of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from cluster_engine.addons import STATIC_PODS, static_pods
from cluster_engine.addons.manifests import all_manifests
from cluster_engine.component_helpers.root_certificate import CA_PEM
from cluster_engine.version import KUBERNETES_VERSION

IMAGES = {
    "etcd": "registry.k8s.io/etcd:3.7.0-0",
    "kube-apiserver": f"registry.k8s.io/kube-apiserver:v{KUBERNETES_VERSION}",
    "kube-controller-manager": f"registry.k8s.io/kube-controller-manager:v{KUBERNETES_VERSION}",
    "kube-scheduler": f"registry.k8s.io/kube-scheduler:v{KUBERNETES_VERSION}",
}


def test_static_pods_are_the_control_plane() -> None:
    assert [pod["metadata"]["name"] for pod in STATIC_PODS] == list(IMAGES)


@pytest.mark.parametrize("pod", static_pods("10.0.0.5", "cp"), ids=lambda pod: pod["metadata"]["name"])
def test_static_pod(pod: dict[str, Any]) -> None:
    name = pod["metadata"]["name"]
    spec = pod["spec"]
    container = spec["containers"][0]
    assert pod["metadata"]["labels"] == {"component": name, "tier": "control-plane"}
    assert (spec["hostNetwork"], spec["priorityClassName"]) == (True, "system-node-critical")
    assert (container["image"], container["command"][0]) == (IMAGES[name], name)
    assert {"livenessProbe", "startupProbe"} <= set(container)
    assert [m["name"] for m in container["volumeMounts"]] == [v["name"] for v in spec["volumes"]]
    assert not any("control-plane" in flag or "172.18" in flag for flag in container["command"])


def _named(kind: str, name: str) -> dict[str, Any]:
    return next(m for m in all_manifests() if (m["kind"], m["metadata"]["name"]) == (kind, name))


def test_dns_service_has_the_address_that_kubelets_write_into_resolv_conf() -> None:
    service = _named("Service", "kube-dns")
    assert service["spec"]["clusterIP"] == "10.96.0.10"
    assert service["metadata"]["labels"] == {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
    }


def test_selectors_match_their_templates() -> None:
    for kind, name in (("Deployment", "coredns"), ("DaemonSet", "kube-proxy")):
        spec = _named(kind, name)["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("kubeadm-config", "ClusterConfiguration", id="kubeadm-config"),
        pytest.param("cluster-info", "kubeconfig", id="cluster-info"),
        pytest.param("kube-proxy", "config.conf", id="kube-proxy"),
        pytest.param("kube-proxy", "kubeconfig.conf", id="kube-proxy-kubeconfig"),
    ],
)
def test_embedded_documents_are_yaml(name: str, key: str) -> None:
    document = yaml.safe_load(_named("ConfigMap", name)["data"][key])
    assert document["kind"]
    if name == "cluster-info":
        authority = document["clusters"][0]["cluster"]["certificate-authority-data"]
        assert base64.b64decode(authority).decode() == CA_PEM


def test_certificate_is_a_real_one() -> None:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(CA_PEM.encode())
    assert certificate.subject.rfc4514_string() == "CN=kubernetes"
    certificate.verify_directly_issued_by(certificate)
