"""The control plane's static Pods, as kubeadm writes them to /etc/kubernetes/manifests.

The kubelet of the control-plane node runs them and shows each as a mirror Pod.
Models cmd/kubeadm/app/phases/controlplane and cmd/kubeadm/app/phases/etcd.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.addons import images
from cluster_engine.apimachinery.cow import JSON

_PKI = "/etc/kubernetes/pki"
AUDIT_POLICY = "/etc/kubernetes/audit-policy.yaml"
"""Where the policy of an audited cluster lies on the machine of its control plane."""
AUDIT_FOLDER = "/var/log/kubernetes/audit"
"""Where its log lies there."""
AUDIT_FILE = "audit.log"
AUDIT_SIZE = 1
"""MiB of the log, after which it is put away."""
AUDIT_BACKUPS = 2
"""Older logs that are kept."""
_SYSTEM_CERTS = (
    ("ca-certs", "/etc/ssl/certs"),
    ("etc-ca-certificates", "/etc/ca-certificates"),
    ("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
    ("usr-share-ca-certificates", "/usr/share/ca-certificates"),
)
DEFAULT_IP = "172.18.0.2"
DEFAULT_NODE = "control-plane"


def _probe(host: str, port: int, path: str, scheme: str, *, delay: int, period: int, failures: int) -> JSON:
    return {
        "httpGet": {"host": host, "path": path, "port": port, "scheme": scheme},
        # No delay is no field: the API's own encoding leaves a zero out, and a Pod's spec must stay as it is.
        **({"initialDelaySeconds": delay} if delay else {}),
        "timeoutSeconds": 15,
        "periodSeconds": period,
        "failureThreshold": failures,
    }


def _probes(host: str, port: int, scheme: str = "HTTPS") -> JSON:
    """Liveness, readiness and startup probes; startup may take four minutes."""
    return {
        "livenessProbe": _probe(host, port, "/livez", scheme, delay=10, period=10, failures=8),
        "readinessProbe": _probe(host, port, "/readyz", scheme, delay=0, period=1, failures=3),
        "startupProbe": _probe(host, port, "/livez", scheme, delay=10, period=10, failures=24),
    }


def _pod(
    name: str,
    image: str,
    command: list[str],
    probes: JSON,
    mounts: list[tuple[str, str, bool, str]],
    requests: dict[str, str],
    annotations: dict[str, str] | None = None,
) -> JSON:
    """One manifest. ``mounts``: (volume, path, read-only, hostPath type)."""
    meta: JSON = {
        "name": name,
        "namespace": "kube-system",
        "labels": {"component": name, "tier": "control-plane"},
    }
    if annotations:
        meta["annotations"] = annotations
    container: JSON = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "resources": {"requests": requests},
        **probes,
        "volumeMounts": [
            {"name": volume, "mountPath": path, **({"readOnly": True} if read_only else {})}
            for volume, path, read_only, _ in mounts
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            "priority": 2_000_001_000,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [
                {"name": volume, "hostPath": {"path": path, "type": type}} for volume, path, _, type in mounts
            ],
        },
    }


_AUDIT = {
    "audit_log_maxbackup": AUDIT_BACKUPS,
    "audit_log_maxsize": AUDIT_SIZE,
    "audit_log_path": f"{AUDIT_FOLDER}/{AUDIT_FILE}",
    "audit_policy_file": AUDIT_POLICY,
}
_AUDIT_MOUNTS = (
    ("audit", AUDIT_POLICY, True, "File"),
    ("audit-log", AUDIT_FOLDER, False, "DirectoryOrCreate"),
)


def _certificates() -> list[tuple[str, str, bool, str]]:
    system = [(name, path, True, "DirectoryOrCreate") for name, path in _SYSTEM_CERTS]
    return [system[0], ("k8s-certs", _PKI, True, "DirectoryOrCreate"), *system[1:]]


def _flags(program: str, **flags: Any) -> list[str]:
    return [program, *(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())]


def _etcd(ip: str, node: str) -> JSON:
    pki = f"{_PKI}/etcd"
    command = _flags(
        "etcd",
        advertise_client_urls=f"https://{ip}:2379",
        cert_file=f"{pki}/server.crt",
        client_cert_auth="true",
        data_dir="/var/lib/etcd",
        feature_gates="InitialCorruptCheck=true",
        initial_advertise_peer_urls=f"https://{ip}:2380",
        initial_cluster=f"{node}=https://{ip}:2380",
        key_file=f"{pki}/server.key",
        listen_client_urls=f"https://127.0.0.1:2379,https://{ip}:2379",
        listen_metrics_urls="http://127.0.0.1:2381",
        listen_peer_urls=f"https://{ip}:2380",
        name=node,
        peer_cert_file=f"{pki}/peer.crt",
        peer_client_cert_auth="true",
        peer_key_file=f"{pki}/peer.key",
        peer_trusted_ca_file=f"{pki}/ca.crt",
        snapshot_count=10000,
        trusted_ca_file=f"{pki}/ca.crt",
        watch_progress_notify_interval="5s",
    )
    mounts = [
        ("etcd-data", "/var/lib/etcd", False, "DirectoryOrCreate"),
        ("etcd-certs", pki, False, "DirectoryOrCreate"),
    ]
    probes = _probes("127.0.0.1", 2381, "HTTP")
    probes["readinessProbe"]["httpGet"]["path"] = "/readyz"
    probes["startupProbe"]["httpGet"]["path"] = "/readyz"
    requests = {"cpu": "100m", "memory": "100Mi"}
    notes = {"kubeadm.kubernetes.io/etcd.advertise-client-urls": f"https://{ip}:2379"}
    return _pod("etcd", images.ETCD, command, probes, mounts, requests, notes)


def _apiserver(ip: str, audited: bool, plugins: str) -> JSON:
    command = _flags(
        "kube-apiserver",
        advertise_address=ip,
        allow_privileged="true",
        **(_AUDIT if audited else {}),
        authorization_mode="Node,RBAC",
        client_ca_file=f"{_PKI}/ca.crt",
        enable_admission_plugins=",".join(filter(None, ("NodeRestriction", plugins))),
        enable_bootstrap_token_auth="true",
        etcd_cafile=f"{_PKI}/etcd/ca.crt",
        etcd_certfile=f"{_PKI}/apiserver-etcd-client.crt",
        etcd_keyfile=f"{_PKI}/apiserver-etcd-client.key",
        etcd_servers="https://127.0.0.1:2379",
        kubelet_client_certificate=f"{_PKI}/apiserver-kubelet-client.crt",
        kubelet_client_key=f"{_PKI}/apiserver-kubelet-client.key",
        kubelet_preferred_address_types="InternalIP,ExternalIP,Hostname",
        proxy_client_cert_file=f"{_PKI}/front-proxy-client.crt",
        proxy_client_key_file=f"{_PKI}/front-proxy-client.key",
        requestheader_allowed_names="front-proxy-client",
        requestheader_client_ca_file=f"{_PKI}/front-proxy-ca.crt",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        requestheader_group_headers="X-Remote-Group",
        requestheader_username_headers="X-Remote-User",
        secure_port=6443,
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_account_key_file=f"{_PKI}/sa.pub",
        service_account_signing_key_file=f"{_PKI}/sa.key",
        service_cluster_ip_range="10.96.0.0/12",
        tls_cert_file=f"{_PKI}/apiserver.crt",
        tls_private_key_file=f"{_PKI}/apiserver.key",
    )
    notes = {"kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{ip}:6443"}
    probes = _probes(ip, 6443)
    return _pod(
        "kube-apiserver",
        images.KUBE_APISERVER,
        command,
        probes,
        [*_certificates(), *(_AUDIT_MOUNTS if audited else ())],
        {"cpu": "250m"},
        notes,
    )


def _controller_manager() -> JSON:
    config = "/etc/kubernetes/controller-manager.conf"
    command = _flags(
        "kube-controller-manager",
        allocate_node_cidrs="true",
        authentication_kubeconfig=config,
        authorization_kubeconfig=config,
        bind_address="127.0.0.1",
        client_ca_file=f"{_PKI}/ca.crt",
        cluster_cidr="10.244.0.0/16",
        cluster_name="kubernetes",
        cluster_signing_cert_file=f"{_PKI}/ca.crt",
        cluster_signing_key_file=f"{_PKI}/ca.key",
        controllers="*,bootstrapsigner,tokencleaner",
        kubeconfig=config,
        leader_elect="true",
        requestheader_client_ca_file=f"{_PKI}/front-proxy-ca.crt",
        root_ca_file=f"{_PKI}/ca.crt",
        service_account_private_key_file=f"{_PKI}/sa.key",
        service_cluster_ip_range="10.96.0.0/12",
        use_service_account_credentials="true",
    )
    certificates = _certificates()
    plugins = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec"
    mounts = [
        certificates[0],
        ("flexvolume-dir", plugins, False, "DirectoryOrCreate"),
        certificates[1],
        ("kubeconfig", config, True, "FileOrCreate"),
        *certificates[2:],
    ]
    probes = _probes("127.0.0.1", 10257)
    for probe in ("livenessProbe", "startupProbe"):
        probes[probe]["httpGet"]["path"] = "/healthz"
    del probes["readinessProbe"]
    return _pod(
        "kube-controller-manager", images.KUBE_CONTROLLER_MANAGER, command, probes, mounts, {"cpu": "200m"}
    )


def _scheduler() -> JSON:
    config = "/etc/kubernetes/scheduler.conf"
    command = _flags(
        "kube-scheduler",
        authentication_kubeconfig=config,
        authorization_kubeconfig=config,
        bind_address="127.0.0.1",
        kubeconfig=config,
        leader_elect="true",
    )
    mounts = [("kubeconfig", config, True, "FileOrCreate")]
    return _pod(
        "kube-scheduler", images.KUBE_SCHEDULER, command, _probes("127.0.0.1", 10259), mounts, {"cpu": "100m"}
    )


def static_pods(
    ip: str, node: str = DEFAULT_NODE, audited: bool = False, plugins: str = ""
) -> tuple[JSON, ...]:
    """The four manifests of the control-plane node of that address and name.

    ``audited``: it writes an audit log. ``plugins``: of admission, that are on beside kubeadm's, with commas between.
    """
    return _etcd(ip, node), _apiserver(ip, audited, plugins), _controller_manager(), _scheduler()


STATIC_PODS: tuple[JSON, ...] = static_pods(DEFAULT_IP)
"""The manifests with the address that the first node has; ``static_pods`` makes them for another."""
