"""What ``kubeadm init`` applies after the control plane is up: ConfigMaps, kube-proxy, CoreDNS.

Models cmd/kubeadm/app/phases/addons and cmd/kubeadm/app/phases/uploadconfig.
"""

from __future__ import annotations

import base64

from cluster_engine.addons import images
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.root_certificate import CA_PEM
from cluster_engine.version import KUBERNETES_VERSION

DNS_IP = "10.96.0.10"
ENDPOINT = "control-plane:6443"
_SYSTEM = "kube-system"

COREFILE = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""

_CLUSTER_CONFIGURATION = f"""\
apiServer: {{}}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controlPlaneEndpoint: {ENDPOINT}
controllerManager: {{}}
dns: {{}}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: v{KUBERNETES_VERSION}
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
proxy: {{}}
scheduler: {{}}
"""

_KUBE_PROXY_CONFIGURATION = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
kind: KubeProxyConfiguration
metricsBindAddress: ""
mode: ""
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
"""


def _kubeconfig(body: str, certificate: str) -> str:
    return f"""\
apiVersion: v1
clusters:
- cluster:
    {certificate}
    server: https://{ENDPOINT}
  name: {body}
"""


def _meta(name: str, namespace: str = _SYSTEM, **labels: str) -> JSON:
    meta: JSON = {"name": name, "namespace": namespace}
    if labels:
        meta["labels"] = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
    return meta


def _config_map(meta: JSON, data: dict[str, str]) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def _service_account(name: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(name)}


def config_maps() -> list[JSON]:
    """kubeadm's own notes, and what a joining node may read without a token."""
    authority = base64.b64encode(CA_PEM.encode()).decode()
    info = _kubeconfig('""', f"certificate-authority-data: {authority}")
    info += 'contexts: null\ncurrent-context: ""\nkind: Config\npreferences: {}\nusers: null\n'
    return [
        _config_map(_meta("kubeadm-config"), {"ClusterConfiguration": _CLUSTER_CONFIGURATION}),
        _config_map(_meta("cluster-info", "kube-public"), {"kubeconfig": info}),
    ]


def kube_proxy() -> list[JSON]:
    """The DaemonSet that stands on every node, and what it reads."""
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    kubeconfig = (
        _kubeconfig("default", f"certificate-authority: {account}/ca.crt")
        + "contexts:\n- context:\n    cluster: default\n    namespace: default\n    user: default\n"
        + "  name: default\ncurrent-context: default\nkind: Config\n"
        + f"users:\n- name: default\n  user:\n    tokenFile: {account}/token\n"
    )
    container = {
        "name": "kube-proxy",
        "image": images.KUBE_PROXY,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override=$(NODE_NAME)",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [
            {"mountPath": "/var/lib/kube-proxy", "name": "kube-proxy"},
            {"mountPath": "/run/xtables.lock", "name": "xtables-lock"},
            {"mountPath": "/lib/modules", "name": "lib-modules", "readOnly": True},
        ],
    }
    spec = {
        "containers": [container],
        "hostNetwork": True,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-node-critical",
        "serviceAccountName": "kube-proxy",
        "tolerations": [{"operator": "Exists"}],
        "volumes": [
            {"configMap": {"name": "kube-proxy"}, "name": "kube-proxy"},
            {"hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}, "name": "xtables-lock"},
            {"hostPath": {"path": "/lib/modules"}, "name": "lib-modules"},
        ],
    }
    labels = {"k8s-app": "kube-proxy"}
    daemon_set = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {**_meta("kube-proxy"), "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            "updateStrategy": {"type": "RollingUpdate"},
        },
    }
    data = {"config.conf": _KUBE_PROXY_CONFIGURATION, "kubeconfig.conf": kubeconfig}
    return [
        _service_account("kube-proxy"),
        _config_map(_meta("kube-proxy", app="kube-proxy"), data),
        daemon_set,
    ]


def coredns() -> list[JSON]:
    """The cluster's DNS: Deployment, Service, configuration."""
    labels = {"k8s-app": "kube-dns"}
    container = {
        "name": "coredns",
        "image": images.COREDNS,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
            {"containerPort": 8080, "name": "liveness-probe", "protocol": "TCP"},
            {"containerPort": 8181, "name": "readiness-probe", "protocol": "TCP"},
        ],
        "livenessProbe": {
            "failureThreshold": 5,
            "httpGet": {"path": "/health", "port": "liveness-probe", "scheme": "HTTP"},
            "initialDelaySeconds": 60,
            "successThreshold": 1,
            "timeoutSeconds": 5,
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "readiness-probe", "scheme": "HTTP"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"mountPath": "/etc/coredns", "name": "config-volume", "readOnly": True}],
    }
    apart = {
        "labelSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
        "topologyKey": "kubernetes.io/hostname",
    }
    spec = {
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": apart, "weight": 100}]
            }
        },
        "containers": [container],
        "dnsPolicy": "Default",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": "coredns",
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"},
        ],
        "volumes": [
            {
                "configMap": {"items": [{"key": "Corefile", "path": "Corefile"}], "name": "coredns"},
                "name": "config-volume",
            }
        ],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_meta("coredns"), "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 1}, "type": "RollingUpdate"},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            **_meta("kube-dns"),
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "CoreDNS",
            },
        },
        "spec": {
            "clusterIP": DNS_IP,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": "dns-tcp"},
                {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": "metrics"},
            ],
            "selector": labels,
        },
    }
    return [
        _service_account("coredns"),
        _config_map(_meta("coredns"), {"Corefile": COREFILE}),
        service,
        deployment,
    ]


def all_manifests() -> list[JSON]:
    """Everything, in the order of creation."""
    return [*config_maps(), *kube_proxy(), *coredns()]
