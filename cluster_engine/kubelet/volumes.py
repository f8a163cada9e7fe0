"""A Pod's volumes: what is in them when they are mounted, or why they cannot be; and where containers mount them.

Models pkg/volume/{configmap,secret,projected,downwardapi,emptydir}, pkg/kubelet/volumemanager and
kubelet_pods.go (makeMounts).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from cluster_engine.api.core.v1.persistentvolume import SOURCES as PV_SOURCES
from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.component_helpers.storage import CSI_DRIVER
from cluster_engine.kubelet.atomic_writer import Node, Payload, Projection, at, owned, payload_of, written
from cluster_engine.kubelet.disks import MAX_DISKS, MAX_PATHS, Disks, on_node
from cluster_engine.kubelet.environment import ConfigError, Facts, expand, pod_field, resource_field
from cluster_engine.kubelet.node_files import shown, with_logs
from cluster_engine.kubelet.node_pki import Place
from cluster_engine.kubelet.users import token_owner
from cluster_engine.linux.files import tree
from cluster_engine.linux.text import octets

ETC_HOSTS = "/etc/hosts"
_KINDS_OF_OBJECTS = ("configMap", "secret", "downwardAPI", "projected")
_DIRECTORIES = ("emptyDir", "hostPath")
IMAGE = "image"
"""Volumes that show an image; whoever mounts one makes sure of the image first."""
_CLAIMED = ("persistentVolumeClaim", "ephemeral")
_SYSTEM = (
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/run",
    "/sys",
    "/usr",
    "/var/lib/",
    "/var/log",
    "/var/run",
)
"""Where a real node has more than is shown here: what a hostPath finds missing there is made, whatever its type."""
_CRITICAL = "system-node-critical"
_TMPFS = ("secret", "downwardAPI", "projected")
_DEFAULT_MODE = 0o644
_OF_GROUP = 0o2770
"""The bits that a directory has that was given to the fsGroup."""


class MountError(Exception):
    """A volume cannot be set up; str() is what follows ``MountVolume.SetUp failed for volume "x" : ``."""


class Mount(NamedTuple):
    """A volume, or a part of one, at a path in a container."""

    volume: str
    path: str
    sub: str = ""
    read_only: bool = False


class Volumes:
    """Reads volumes' content from one cluster's objects."""

    def __init__(
        self,
        informers: SharedInformerFactory,
        disks: Callable[[], Disks],
        there: Callable[[str, str], Node | None],
        pki: Callable[[str], Place | None],
    ) -> None:
        """``disks``: what lies in persistent volumes; ``there``: what lies at a path of a node, if somebody wrote;
        ``pki``: whose certificates lie on a node.
        """
        self._pki = pki
        self._disks = disks
        self._there = there
        self._claims = informers.of("persistentvolumeclaims")
        self._volumes = informers.of("persistentvolumes")
        self._config_maps = informers.of("configmaps")
        self._secrets = informers.of("secrets")
        self._accounts = informers.of("serviceaccounts")
        self._nodes = informers.of("nodes")

    def setup(self, pod: JSON, facts: Facts, now: int, suffix: int) -> tuple[dict[str, Node], dict[str, str]]:
        """Each volume's tree, and the error of each that cannot be mounted."""
        found: dict[str, Node] = {}
        errors: dict[str, str] = {}
        for volume in pod["spec"].get("volumes") or ():
            try:
                found[volume["name"]] = self._tree(pod, volume, facts, now, suffix)
            except (MountError, ConfigError) as error:
                errors[volume["name"]] = str(error)
        return found, errors

    @staticmethod
    def reads(volume: JSON, resource: str, name: str) -> bool:
        """Whether the volume shows that ConfigMap or Secret, or its own Pod."""
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        if resource == "pods":
            return any("downwardAPI" in source for source in sources)
        if resource == "configmaps":
            return any((s.get("configMap") or {}).get("name") == name for s in sources)
        return any(name in ((s.get("secret") or {}).get(k) for k in ("name", "secretName")) for s in sources)

    def refreshed(
        self, pod: JSON, volume: JSON, facts: Facts, before: Node, now: int, suffix: int
    ) -> Node | None:
        """The volume's new tree when its objects say something else now. None: it stays, as after an error."""
        try:
            payload = self._payload(pod, volume, facts)
        except (MountError, ConfigError):
            return None
        if payload == payload_of(before):
            return None
        return self._written(pod, volume, payload, now, suffix)

    def renewed(self, pod: JSON, volume: JSON, facts: Facts, now: int, suffix: int) -> Node | None:
        """A volume with tokens that run out, written anew. None: it has none, or they cannot be had now."""
        if not token_lifetimes(volume):
            return None
        try:
            return self._written(pod, volume, self._payload(pod, volume, facts), now, suffix)
        except (MountError, ConfigError):
            return None

    def _tree(self, pod: JSON, volume: JSON, facts: Facts, now: int, suffix: int) -> Node:
        if any(kind in volume for kind in _KINDS_OF_OBJECTS):
            return self._written(pod, volume, self._payload(pod, volume, facts), now, suffix)
        kind = next((kind for kind in volume if kind != "name"), "emptyDir")
        if kind in _CLAIMED:
            return self._claimed(pod, volume, facts.node, now)
        if kind == IMAGE:
            return tree.directory(mode=0o755, mtime=now)
        if kind not in _DIRECTORIES:
            raise MountError(f"volumes of the kind {kind} are not simulated; a real node would mount it")
        if kind == "hostPath":
            # The control plane's own Pods look at no certificate: none is made when a cluster begins.
            looks = pod["spec"].get("priorityClassName") != _CRITICAL
            return self._host_path(volume[kind], facts, now, self._pki(facts.node) if looks else None)
        memory = (volume.get("emptyDir") or {}).get("medium") == "Memory"
        root = tree.directory(mode=0o1777 if memory else 0o777, mtime=now)
        group = _group(pod)
        return root if group is None else owned(root, group, read_only=False)

    def _host_path(self, source: JSON, facts: Facts, now: int, pki: Place | None) -> Node:
        """What lies at a path of the node (host_path.go). Raises MountError."""
        path, kind, node = source["path"], source.get("type") or "", facts.node
        disks, key = self._disks(), on_node(node, path)
        found = self._there(node, path)
        if found is None:
            policy = facts.audit_policy
            found = shown(node, facts.host_ip, facts.control_plane, path, now, policy, pki=pki)
        if found is None:
            strict = not key.partition(":")[2].startswith(_SYSTEM)
            if kind in ("Directory", "File") and strict:
                raise MountError(f"hostPath type check failed: {path} is not a {kind.lower()}")
            wants_file = kind in ("File", "FileOrCreate")
            found = tree.file(mtime=now) if wants_file else tree.directory(mode=0o755, mtime=now)
        is_directory = "e" in found
        if (kind in ("Directory", "DirectoryOrCreate") and not is_directory) or (
            kind in ("File", "FileOrCreate") and is_directory
        ):
            what = kind.removesuffix("OrCreate").lower()
            raise MountError(f"hostPath type check failed: {path} is not a {what}")
        if disks.tree(key) is None and (len(disks.of_node(node)) >= MAX_PATHS or disks.full):
            raise MountError(f"a node may have {MAX_PATHS} paths in use by hostPath volumes")
        return with_logs(disks.composed(key, found), node, path) if is_directory else found

    def _claimed(self, pod: JSON, volume: JSON, node: str, now: int) -> Node:
        """What lies in the volume that a claim is bound to. Raises MountError."""
        disks, key = self._disks(), self._disk(pod, volume, node)
        found = disks.tree(key)
        if found is None:
            if disks.full:
                raise MountError(f"a cluster may have {MAX_DISKS} persistent volumes in use")
            # A path of the node: hostPath and local volumes.
            there = None if key.startswith("csi/") else self._there(node, key.partition(":")[2])
            found = disks.composed(key, there or tree.directory(mode=0o777, mtime=now))
        group = _group(pod)
        if group is None or not key.startswith("csi/") or _is_as_wanted(pod, found, group):
            return found
        return owned(found, group, read_only=False)

    def disks(self, pod: JSON, node: str) -> dict[str, str]:
        """Volume -> key, of the Pod's volumes that outlive it. Raises MountError."""
        volumes = pod["spec"].get("volumes") or ()
        found = {
            volume["name"]: self._disk(pod, volume, node)
            for volume in volumes
            if any(kind in volume for kind in _CLAIMED)
        }
        # What a node's own Pods write there is of no interest to others.
        if pod["spec"].get("priorityClassName") != _CRITICAL:
            paths = ((v["name"], v["hostPath"]["path"]) for v in volumes if "hostPath" in v)
            found |= {name: on_node(node, path) for name, path in paths}
        return found

    def _disk(self, pod: JSON, volume: JSON, node: str) -> str:
        meta = pod["metadata"]
        source = volume.get("persistentVolumeClaim") or {}
        name = source.get("claimName") or f"{meta['name']}-{volume['name']}"
        claim = self._claims.get(f"{meta['namespace']}/{name}")
        if claim is None:
            told = f'failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found'
            raise MountError(f"error processing PVC {meta['namespace']}/{name}: {told}")
        bound = self._volumes.get(claim["spec"].get("volumeName") or "")
        if bound is None or (claim.get("status") or {}).get("phase") != "Bound":
            raise MountError(f"error processing PVC {meta['namespace']}/{name}: PVC is not bound")
        return disk_of(bound, node)

    def _written(self, pod: JSON, volume: JSON, payload: Payload, now: int, suffix: int) -> Node:
        memory = any(kind in volume for kind in _TMPFS)
        return written(payload, now, suffix, memory=memory, group=_group(pod))

    # ---- content ---------------------------------------------------------------------------------------

    def _payload(self, pod: JSON, volume: JSON, facts: Facts) -> Payload:
        """The files of a volume that shows objects. Raises MountError or ConfigError."""
        for kind in _KINDS_OF_OBJECTS[:-1]:
            if kind in volume:
                return self._source(pod, kind, volume[kind], facts, _mode(volume[kind]))
        projected = volume["projected"]
        payload: Payload = {}
        errors: list[str] = []
        for source in projected.get("sources") or ():
            kind = next(iter(source), "")
            try:
                payload |= self._source(pod, kind, source.get(kind) or {}, facts, _mode(projected))
            except (MountError, ConfigError) as error:
                errors.append(str(error))
        if errors:
            unique = list(dict.fromkeys(errors))
            raise MountError(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")
        return payload

    def _source(self, pod: JSON, kind: str, source: JSON, facts: Facts, mode: int) -> Payload:
        namespace = pod["metadata"]["namespace"]
        if kind == "configMap":
            return self._config_map(namespace, source, mode)
        if kind == "secret":
            return self._secret(namespace, source, mode)
        if kind == "downwardAPI":
            return _downward(pod, source, facts, mode)
        if kind == "serviceAccountToken":
            return self._token(pod, source, facts, mode)
        raise MountError(
            f"projected volumes of the kind {kind} are not simulated; a real node would mount it"
        )

    def _token(self, pod: JSON, source: JSON, facts: Facts, mode: int) -> Payload:
        """The Pod's own token: it follows from whose it is and is never kept (``Authenticator.mounted``)."""
        meta, spec = pod["metadata"], pod["spec"]
        name = spec.get("serviceAccountName") or "default"
        account = self._accounts.get(f"{meta['namespace']}/{name}")
        if account is None:
            raise MountError(f'failed to fetch token: serviceaccounts "{name}" not found')
        owner = token_owner(spec)
        if owner is not None or _group(pod) is not None:
            mode = 0o600
        whose = [meta["namespace"], name, account["metadata"]["uid"], meta["name"], meta["uid"]]
        node = self._nodes.get(facts.node)
        where = [facts.node, node["metadata"]["uid"] if node is not None else ""]
        asks = ["token", source.get("audience", ""), *whose, *where, _seconds(source)]
        return {source["path"]: Projection("", mode, owner or 0, asks)}

    def _config_map(self, namespace: str, source: JSON, mode: int) -> Payload:
        name, optional = source.get("name", ""), bool(source.get("optional"))
        found = self._config_maps.get(f"{namespace}/{name}")
        if found is None:
            if optional:
                return {}
            raise MountError(f'configmap "{name}" not found')
        data = {key: octets(value) for key, value in (found.get("data") or {}).items()}
        data |= {key: _decoded(value) for key, value in (found.get("binaryData") or {}).items()}
        missing = "configmap references non-existent config key"
        return _chosen(data, source.get("items"), mode, optional, missing)

    def _secret(self, namespace: str, source: JSON, mode: int) -> Payload:
        name = source.get("secretName") or source.get("name") or ""
        optional = bool(source.get("optional"))
        found = self._secrets.get(f"{namespace}/{name}")
        if found is None:
            if optional:
                return {}
            raise MountError(f'secret "{name}" not found')
        data = {key: _decoded(value) for key, value in (found.get("data") or {}).items()}
        return _chosen(data, source.get("items"), mode, optional, "references non-existent secret key")


def disk_of(volume: JSON, node: str) -> str:
    """The key of what lies in a PersistentVolume, for a node that mounts it. Raises MountError."""
    spec = volume["spec"]
    for kind in ("hostPath", "local"):
        if spec.get(kind):
            return on_node(node, spec[kind]["path"])
    driver = (spec.get("csi") or {}).get("driver")
    if driver == CSI_DRIVER:
        return f"csi/{spec['csi']['volumeHandle']}"
    if driver:
        told = f"driver name {driver} not found in the list of registered CSI drivers"
        raise MountError(f"kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: {told}")
    kind = next((kind for kind in spec if kind in PV_SOURCES), "")
    raise MountError(f"volumes of the kind {kind} are not simulated; a real node would mount it")


def _mode(source: JSON) -> int:
    mode = source.get("defaultMode")
    return _DEFAULT_MODE if mode is None else int(mode)


def _group(pod: JSON) -> int | None:
    group: int | None = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return group


def _is_as_wanted(pod: JSON, root: Node, group: int) -> bool:
    """Whether only the top is to be looked at, and it belongs to the group (requiresPermissionChange)."""
    if pod["spec"]["securityContext"].get("fsGroupChangePolicy") != "OnRootMismatch":
        return False
    return bool(root["g"] == group and root["m"] & _OF_GROUP == _OF_GROUP)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode("latin-1")


def _chosen(
    data: Mapping[str, str], items: list[JSON] | None, mode: int, optional: bool, missing: str
) -> Payload:
    if not items:
        return {key: Projection(value, mode) for key, value in data.items()}
    chosen: Payload = {}
    for item in items:
        own = item.get("mode")
        if item["key"] in data:
            chosen[item["path"]] = Projection(data[item["key"]], mode if own is None else own)
        elif not optional:
            raise MountError(f"{missing}: {item['key']}")
    return chosen


def _downward(pod: JSON, source: JSON, facts: Facts, mode: int) -> Payload:
    files: Payload = {}
    for item in source.get("items") or ():
        own = item.get("mode")
        if "fieldRef" in item:
            path = item["fieldRef"]["fieldPath"]
            text = pod_field(pod, path, facts)
        else:
            first = pod["spec"]["containers"][0]
            text = resource_field(pod, first, item.get("resourceFieldRef") or {}, facts.allocatable)
        files[item["path"]] = Projection(octets(text), mode if own is None else own)
    return files


# ---- mounts --------------------------------------------------------------------------------------------


EXTENDED = 3_607
"""Seconds of a token that is given for a year, so that nobody has to renew it (WarnOnlyBoundTokenExpirationPeriod)."""


def _seconds(source: JSON) -> int:
    """How long a mounted token is asked for."""
    return int(source.get("expirationSeconds") or 3_600)


def token_lifetimes(volume: JSON) -> list[int]:
    """Seconds of the volume's tokens that run out."""
    sources = [s.get("serviceAccountToken") for s in (volume.get("projected") or {}).get("sources") or ()]
    return [_seconds(s) for s in sources if s and (_seconds(s) != EXTENDED or s.get("audience"))]


def container_mounts(pod: JSON, container: JSON, env: Mapping[str, str]) -> Iterator[Mount]:
    """Where the container sees which volume, outer ones first; /etc/hosts if it has not its own. Raises ConfigError."""
    volumes = pod["spec"].get("volumes") or ()
    shown = {v["name"] for v in volumes if any(k in v for k in _KINDS_OF_OBJECTS)}
    shown |= {
        v["name"] for v in volumes if (v.get("persistentVolumeClaim") or {}).get("readOnly") or IMAGE in v
    }
    mounts = [
        Mount(
            mount["name"],
            mount["mountPath"],
            _sub_path(mount.get("subPath") or expand(mount.get("subPathExpr") or "", env)),
            bool(mount.get("readOnly")) or mount["name"] in shown,
        )
        for mount in container.get("volumeMounts") or ()
    ]
    if all(mount.path != ETC_HOSTS for mount in mounts):
        mounts.append(Mount(ETC_HOSTS, ETC_HOSTS))
    yield from sorted(mounts, key=lambda mount: mount.path.count("/"))


def _sub_path(path: str) -> str:
    """The part of a volume that is mounted. Raises ConfigError for what leads out of it (ValidatePathNoBacksteps)."""
    if path.startswith("/"):
        raise ConfigError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise ConfigError(f"unable to provision SubPath `{path}`: must not contain '..'")
    return path


def image_volumes(pod: JSON, container: JSON) -> list[JSON]:
    """The Pod's volumes of images that the container mounts, each once."""
    mounted = {mount["name"] for mount in container.get("volumeMounts") or ()}
    return [v for v in pod["spec"].get("volumes") or () if v.get(IMAGE) is not None and v["name"] in mounted]


def frozen_part(root: Node, path: str) -> Node | None:
    """What a subPath mount shows of a volume that changes all at once: what is there now. None for other volumes."""
    if payload_of(root) is None:
        return None
    # A path that is not there becomes a directory (subpath.SafeMakeDir).
    return at(root, path) or tree.directory(mode=0o777)


def memory_limits(pod: JSON) -> dict[str, int]:
    """Bytes that fit into each emptyDir in memory that has a limit."""
    found = {}
    for volume in pod["spec"].get("volumes") or ():
        empty = volume.get("emptyDir") or {}
        if empty.get("medium") == "Memory" and empty.get("sizeLimit"):
            found[volume["name"]] = quantity.value(empty["sizeLimit"])
    return found


def disk_limits(pod: JSON) -> dict[str, str]:
    """The sizeLimit of each emptyDir on disk that has one, as it was written."""
    found = {}
    for volume in pod["spec"].get("volumes") or ():
        empty = volume.get("emptyDir") or {}
        if empty.get("medium") != "Memory" and empty.get("sizeLimit"):
            found[volume["name"]] = str(empty["sizeLimit"])
    return found
