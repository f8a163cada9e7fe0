"""A Pod's volumes: what is in them when they are mounted, or why they cannot be.

Models pkg/volume/{configmap,secret,projected,downwardapi,emptydir} and pkg/kubelet/volumemanager.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.kubelet.environment import ConfigError, decode_secret, expand, pod_field, resource_field

Files = dict[str, str] | None
"""What is in a volume, by path; None: an empty directory that containers write to."""


class MountError(Exception):
    """A volume cannot be set up; str() is what follows ``MountVolume.SetUp failed for volume "x" : ``."""


def _items(kind: str, data: Mapping[str, str], items: list[JSON] | None, optional: bool) -> dict[str, str]:
    if not items:
        return dict(data)
    chosen: dict[str, str] = {}
    for item in items:
        if item["key"] in data:
            chosen[item["path"]] = data[item["key"]]
        elif not optional:
            text = (
                "configmap references non-existent config key"
                if kind == "configmap"
                else ("references non-existent secret key")
            )
            raise MountError(f"{text}: {item['key']}")
    return chosen


class Volumes:
    """Reads volumes' content from one cluster's objects."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._config_maps = informers.of("configmaps")
        self._secrets = informers.of("secrets")

    def setup(
        self, pod: JSON, node: str, host_ip: str, pod_ip: str
    ) -> tuple[dict[str, Files], dict[str, str]]:
        """The content of each volume, and the error of each that cannot be mounted."""
        found: dict[str, Files] = {}
        errors: dict[str, str] = {}
        for volume in pod["spec"].get("volumes") or ():
            try:
                found[volume["name"]] = self.content(pod, volume, node, host_ip, pod_ip)
            except (MountError, ConfigError) as error:
                errors[volume["name"]] = str(error)
        return found, errors

    @staticmethod
    def reads(volume: JSON, resource: str, name: str) -> bool:
        """Whether the volume shows that ConfigMap or Secret."""
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        if resource == "configmaps":
            return any((s.get("configMap") or {}).get("name") == name for s in sources)
        return any(name in ((s.get("secret") or {}).get(k) for k in ("name", "secretName")) for s in sources)

    def content(self, pod: JSON, volume: JSON, node: str, host_ip: str, pod_ip: str) -> Files:
        """One volume's files; None for one that containers write to. Raises MountError."""
        namespace = pod["metadata"]["namespace"]
        if "configMap" in volume:
            return self._config_map(namespace, volume["configMap"], volume["configMap"].get("name", ""))
        if "secret" in volume:
            return self._secret(namespace, volume["secret"], volume["secret"].get("secretName", ""))
        if "downwardAPI" in volume:
            return self._downward(pod, volume["downwardAPI"], node, host_ip, pod_ip)
        if "projected" in volume:
            files: dict[str, str] = {}
            for source in volume["projected"].get("sources") or ():
                files.update(self._source(pod, source, node, host_ip, pod_ip))
            return files
        # emptyDir; hostPath and claims are a directory of the Pod's own.
        return None

    def _config_map(self, namespace: str, source: JSON, name: str) -> dict[str, str]:
        optional = bool(source.get("optional"))
        found = self._config_maps.get(f"{namespace}/{name}")
        if found is None:
            if optional:
                return {}
            raise MountError(f'configmap "{name}" not found')
        data = dict(found.get("data") or {})
        data.update({k: decode_secret(v) for k, v in (found.get("binaryData") or {}).items()})
        return _items("configmap", data, source.get("items"), optional)

    def _secret(self, namespace: str, source: JSON, name: str) -> dict[str, str]:
        optional = bool(source.get("optional"))
        found = self._secrets.get(f"{namespace}/{name}")
        if found is None:
            if optional:
                return {}
            raise MountError(f'secret "{name}" not found')
        data = {k: decode_secret(v) for k, v in (found.get("data") or {}).items()}
        return _items("secret", data, source.get("items"), optional)

    def _downward(self, pod: JSON, source: JSON, node: str, host_ip: str, pod_ip: str) -> dict[str, str]:
        files = {}
        for item in source.get("items") or ():
            if "fieldRef" in item:
                files[item["path"]] = pod_field(pod, item["fieldRef"]["fieldPath"], node, host_ip, pod_ip)
            elif "resourceFieldRef" in item:
                first = pod["spec"]["containers"][0]
                files[item["path"]] = resource_field(pod, first, item["resourceFieldRef"], {})
        return files

    def _source(self, pod: JSON, source: JSON, node: str, host_ip: str, pod_ip: str) -> dict[str, str]:
        namespace = pod["metadata"]["namespace"]
        if "serviceAccountToken" in source:
            token = source["serviceAccountToken"]
            text = f"{pod['metadata']['uid']}/{pod['spec'].get('serviceAccountName')}/{token.get('audience', '')}"
            # Opaque to the containers of this simulation; the API server does not accept it.
            return {token["path"]: hashlib.sha256(text.encode()).hexdigest()}
        if "configMap" in source:
            return self._config_map(namespace, source["configMap"], source["configMap"].get("name", ""))
        if "secret" in source:
            return self._secret(namespace, source["secret"], source["secret"].get("name", ""))
        if "downwardAPI" in source:
            return self._downward(pod, source["downwardAPI"], node, host_ip, pod_ip)
        return {}


def container_mounts(container: JSON, env: Mapping[str, str]) -> list[tuple[str, str, str, bool]]:
    """A container's volume mounts: (volume, path, sub path, whether it is read-only)."""
    return [
        (
            mount["name"],
            mount["mountPath"],
            mount.get("subPath") or expand(mount.get("subPathExpr") or "", env),
            bool(mount.get("readOnly")),
        )
        for mount in container.get("volumeMounts") or ()
    ]
