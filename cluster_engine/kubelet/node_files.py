"""What a hostPath volume shows of a node: the files of a node that kubeadm has made, as they were at its start, and the
logs of its containers as they are.

What Pods write there, `disks.py` keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from cluster_engine.addons.static_pods import AUDIT_FOLDER, AUDIT_POLICY, static_pods
from cluster_engine.apimachinery import yaml
from cluster_engine.container_runtime.images.sample_device_plugin import KUBELET_SOCKET
from cluster_engine.kubelet.dns import CLUSTER_DNS, CLUSTER_DOMAIN
from cluster_engine.kubelet.flag_files import CONFIG, ENVIRONMENT, environment_of
from cluster_engine.kubelet.node_pki import FOLDERS, Place
from cluster_engine.kubelet.node_pki import files as certificates
from cluster_engine.linux.files import showing, tree
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.text import octets

_DIRECTORIES = (
    "/boot", "/dev", "/etc/cni/net.d", "/etc/kubernetes/manifests", "/etc/kubernetes/pki", "/home", "/lib",
    "/media", "/mnt", "/opt/cni/bin", "/proc", "/root", "/run/containerd", "/sbin", "/srv", "/sys", "/usr/bin",
    "/usr/lib", "/usr/local/bin", "/usr/sbin", "/usr/share", "/var/cache", "/var/lib/containerd",
    "/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pki", "/var/lib/kubelet/pods", "/var/log/containers",
    "/var/log/pods", "/var/spool",
)  # fmt: skip
_RELEASE = (
    'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\n'
    'VERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nID=debian\nHOME_URL="https://www.debian.org/"\n'
)
_PASSWD = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
_KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "authentication": {
        "anonymous": {"enabled": False},
        "webhook": {"cacheTTL": "0s", "enabled": True},
        "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
    },
    "cgroupDriver": "systemd",
    "clusterDNS": [CLUSTER_DNS],
    "clusterDomain": CLUSTER_DOMAIN,
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    "kind": "KubeletConfiguration",
    "rotateCertificates": True,
    "staticPodPath": "/etc/kubernetes/manifests",
}


_BOLT = "Drydock keeps a cluster's objects in no file of etcd's form: `etcdctl get --prefix /registry` shows them.\n"
ETCD_DATA = {
    "/var/lib/etcd/member/snap/db": _BOLT,
    "/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal": _BOLT,
}
"""What etcd has in its folder on a node of the control plane."""
KUBERNETES, MANIFESTS = "/etc/kubernetes", "manifests"
"""The folder of a node that is kept as it is changed, and in it that of the static Pods."""


_NO_FLAGS = environment_of({})


def shown(
    name: str,
    ip: str,
    control_plane: bool,
    path: str,
    mtime: int,
    audit_policy: str = "",
    environment: str = _NO_FLAGS,
    pki: Place | None = None,
) -> Node | None:
    """What lies at a path of the node; None when there is nothing. ``audit_policy``: of an audited cluster;
    ``environment``: what kubeadm has written of the kubelet's arguments; ``pki``: whose certificates are there, None
    where nobody looks at them.
    """
    names = [each for each in path.split("/") if each not in ("", ".")]
    place = "".join(f"{each}/" for each in ("", *names))
    modes = dict.fromkeys(_DIRECTORIES, 0o755) | {"/tmp": 0o1777, "/var/tmp": 0o1777}
    if control_plane:
        modes["/var/lib/etcd"] = 0o700
    if audit_policy and control_plane:
        modes[AUDIT_FOLDER] = 0o755
    # Only what lies there is made: a node of the control plane is asked for twenty paths while it boots.
    contents: dict[str, str | Node] = {
        each: tree.directory(mode=mode, mtime=mtime)
        for each, mode in modes.items()
        if f"{each}/".startswith(place)
    }
    for each, target in (("/bin", "usr/bin"), ("/var/run", "/run")):
        if f"{each}/".startswith(place):
            contents[each] = tree.link(target, mtime=mtime)
    for file, text in _files(name, ip, control_plane, audit_policy, environment):
        if f"{file}/".startswith(place):
            contents[file] = octets(text())
    if pki is not None and any(
        place.startswith(f"{each}/") or f"{each}/".startswith(place) for each in FOLDERS
    ):
        for file, (said, mode) in certificates(pki).items():
            contents[file] = tree.file(octets(said), mode=mode, mtime=mtime)
    return tree.find(tree.build(contents, mtime=mtime), names)


_LOGS = (["var", "log", "pods"], ["var", "log", "containers"])


def with_logs(root: Node, node: str, path: str) -> Node:
    """What is shown at a path of a node, with the logs that lie there (``node_logs.py``)."""
    names = [each for each in path.split("/") if each not in ("", ".")]
    places: list[tuple[list[str], list[str]]] = []
    for folder in _LOGS:
        if folder[: len(names)] == names:
            places.append((folder[len(names) :], ["node-logs", node, folder[-1]]))
        elif names[: len(folder)] == folder:
            places.append(([], ["node-logs", node, folder[-1], *names[len(folder) :]]))
    return showing(root, places) if places else root


def _files(
    name: str, ip: str, control_plane: bool, audit_policy: str, environment: str
) -> Iterator[tuple[str, Callable[[], str]]]:
    for path, text in (
        ("/etc/hostname", f"{name}\n"),
        ("/etc/hosts", f"127.0.0.1\tlocalhost\n{ip}\t{name}\n"),
        ("/etc/os-release", _RELEASE),
        ("/etc/debian_version", "13.1\n"),
        ("/etc/passwd", _PASSWD),
        ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ):
        yield path, partial(str, text)
    yield CONFIG, partial(yaml.dump, _KUBELET)
    yield ENVIRONMENT, partial(str, environment)
    yield KUBELET_SOCKET, partial(str, "")
    if control_plane:
        if audit_policy:
            yield AUDIT_POLICY, partial(str, audit_policy)
        for path, said in ETCD_DATA.items():
            yield path, partial(str, said)
        for manifest in static_pods(ip, name, bool(audit_policy)):
            path = f"/etc/kubernetes/manifests/{manifest['metadata']['name']}.yaml"
            yield path, partial(yaml.dump, manifest)
