"""A container's environment: variables, references to them, ConfigMaps, Secrets, the Pod's own fields.

Models pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables) and pkg/fieldpath.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.container_runtime.image import Image
from cluster_engine.kubelet import env_files, keyring

_MAX = 64 * 1024


class ConfigError(Exception):
    """The container cannot be configured (CreateContainerConfigError); str() is upstream's text."""


class Facts(NamedTuple):
    """What variables and volumes can show of the place where a Pod runs."""

    node: str
    host_ip: str
    pod_ip: str
    allocatable: Mapping[str, str]
    control_plane: bool = False
    audit_policy: str = ""


def decode_secret(text: str) -> str:
    """A Secret's value; bytes that are no text are kept as they are."""
    return base64.b64decode(text).decode("utf-8", "surrogateescape")


def expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` from the environment; ``$$`` is a dollar (third_party/forked/golang/expansion)."""
    if "$" not in text:
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "$" and at + 1 < len(text):
            following = text[at + 1]
            if following == "$":
                out.append("$")
                at += 2
                continue
            end = text.find(")", at + 2) if following == "(" else -1
            if end > 0:
                name = text[at + 2 : end]
                out.append(env.get(name, f"$({name})"))
                at = end + 1
                continue
        out.append(char)
        at += 1
    return "".join(out)[:_MAX]


def pod_field(pod: JSON, path: str, facts: Facts) -> str:
    """A downward-API field. Raises ConfigError for one that does not exist."""
    meta, spec = pod["metadata"], pod["spec"]
    for name in ("labels", "annotations"):
        if path.startswith(f"metadata.{name}['") and path.endswith("']"):
            return str((meta.get(name) or {}).get(path[len(name) + 11 : -2], ""))
    simple: dict[str, Any] = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": facts.node,
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
    }
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{pairs[key]}"' for key in sorted(pairs))
    if path not in simple:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(simple[path])


def resource_field(pod: JSON, container: JSON, selector: JSON, allocatable: Mapping[str, str]) -> str:
    """A container's request or limit, in units of the divisor."""
    name = selector.get("containerName")
    if name:
        container = next((c for c in pod["spec"]["containers"] if c["name"] == name), container)
    kind, _, resource = selector["resource"].partition(".")
    amount = ((container.get("resources") or {}).get(kind) or {}).get(resource)
    if amount is None:
        amount = allocatable.get(resource, "0") if kind == "limits" else "0"
    divisor = selector.get("divisor") or "1"
    if quantity.parse(divisor) == 0:
        divisor = "1"
    share = quantity.parse(amount) / quantity.parse(divisor)
    return str(-(-share.numerator // share.denominator))


class Environment:
    """Resolves environments with one cluster's ConfigMaps, Secrets and Services."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._config_maps = informers.of("configmaps")
        self._secrets = informers.of("secrets")
        self._services = informers.of("services")

    def missing_pull_secrets(self, pod: JSON) -> list[str]:
        """The names of the Pod's imagePullSecrets that are not there."""
        wanted = [reference.get("name") for reference in pod["spec"].get("imagePullSecrets") or ()]
        namespace = pod["metadata"]["namespace"]
        return [name for name in wanted if name and self._secrets.get(f"{namespace}/{name}") is None]

    def logins(self, pod: JSON, repository: str, node_file: str) -> list[tuple[str, str]]:
        """What the Pod's imagePullSecrets and then its node's file say for a repository: (user, password)."""
        wanted = [reference.get("name") for reference in pod["spec"].get("imagePullSecrets") or ()]
        found = [self._secrets.get(f"{pod['metadata']['namespace']}/{name}") for name in wanted]
        return keyring.logins([secret for secret in found if secret is not None], repository, node_file)

    def services(self, namespace: str, links: bool) -> dict[str, str]:
        """``KUBERNETES_SERVICE_HOST`` and its like."""
        found: dict[str, str] = {}
        api = self._services.get("default/kubernetes")
        services = [api] if api is not None else []
        if links:
            services += [s for s in self._services.list(namespace) if s is not api]
        for service in services:
            spec = service["spec"]
            address, ports = spec.get("clusterIP"), spec.get("ports")
            if not ports or address in (None, "", "None"):
                continue
            name = service["metadata"]["name"].upper().replace("-", "_")
            found[f"{name}_SERVICE_HOST"] = address
            found[f"{name}_SERVICE_PORT"] = str(ports[0]["port"])
            for port in ports:
                if port.get("name"):
                    suffix = port["name"].upper().replace("-", "_")
                    found[f"{name}_SERVICE_PORT_{suffix}"] = str(port["port"])
            for index, port in enumerate(ports):
                protocol = port.get("protocol", "TCP")
                url = f"{protocol.lower()}://{address}:{port['port']}"
                prefix = f"{name}_PORT_{port['port']}_{protocol}"
                if index == 0:
                    found[f"{name}_PORT"] = url
                found[prefix] = url
                found[f"{prefix}_PROTO"] = protocol.lower()
                found[f"{prefix}_PORT"] = str(port["port"])
                found[f"{prefix}_ADDR"] = address
        return found

    def resolve(
        self, pod: JSON, container: JSON, facts: Facts, read: Callable[[str, str], str | None]
    ) -> dict[str, str]:
        """What the Pod sets for the container; ``read``: a file's text by its volume and path. Raises ConfigError."""
        namespace = pod["metadata"]["namespace"]
        services = self.services(namespace, pod["spec"].get("enableServiceLinks", True))
        env: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            env.update(self._all_of(namespace, source))
        for variable in container.get("env") or ():
            name = variable["name"]
            source = variable.get("valueFrom")
            if not source:
                env[name] = expand(variable.get("value") or "", {**services, **env})
                continue
            if source.get("fileKeyRef") is not None:
                value = _from_file(source["fileKeyRef"], read)
            else:
                value = self._value(pod, container, source, facts)
            if value is not None:
                env[name] = value
        return {**services, **env}

    def _all_of(self, namespace: str, source: JSON) -> dict[str, str]:
        prefix = source.get("prefix") or ""
        reference = source.get("configMapRef")
        if reference is not None:
            found = self._config_maps.get(f"{namespace}/{reference['name']}")
            if found is None:
                if reference.get("optional"):
                    return {}
                raise ConfigError(f'configmap "{reference["name"]}" not found')
            return {prefix + key: value for key, value in sorted((found.get("data") or {}).items())}
        reference = source.get("secretRef") or {}
        found = self._secrets.get(f"{namespace}/{reference.get('name')}")
        if found is None:
            if reference.get("optional"):
                return {}
            raise ConfigError(f'secret "{reference.get("name")}" not found')
        return {
            prefix + key: decode_secret(value) for key, value in sorted((found.get("data") or {}).items())
        }

    def _value(self, pod: JSON, container: JSON, source: JSON, facts: Facts) -> str | None:
        if "fieldRef" in source:
            return pod_field(pod, source["fieldRef"]["fieldPath"], facts)
        if "resourceFieldRef" in source:
            return resource_field(pod, container, source["resourceFieldRef"], facts.allocatable)
        namespace = pod["metadata"]["namespace"]
        for field, kind, informer in (
            ("configMapKeyRef", "ConfigMap", self._config_maps),
            ("secretKeyRef", "Secret", self._secrets),
        ):
            reference = source.get(field)
            if reference is None:
                continue
            name, key = reference.get("name"), reference["key"]
            found = informer.get(f"{namespace}/{name}")
            if found is None:
                if reference.get("optional"):
                    return None
                raise ConfigError(f'{kind.lower()} "{name}" not found')
            data = found.get("data") or {}
            if key not in data:
                if reference.get("optional"):
                    return None
                raise ConfigError(f"couldn't find key {key} in {kind} {namespace}/{name}")
            return decode_secret(data[key]) if kind == "Secret" else str(data[key])
        return None


def _from_file(reference: JSON, read: Callable[[str, str], str | None]) -> str | None:
    """The value that a file of a volume gives to a key; None for an optional one that is not there."""
    key, path, optional = reference["key"], reference["path"], bool(reference.get("optional"))
    if len(key) > env_files.KEY_LIMIT:
        raise ConfigError(
            f'environment variable key "{key}" exceeds maximum length of {env_files.KEY_LIMIT} characters'
        )
    text = read(reference["volumeName"], path)
    if text is None and optional:
        return None
    try:
        value = env_files.value_of(text, key) if text is not None else None
    except env_files.EnvFileError as error:
        raise ConfigError("couldn't parse env file") from error
    if text is None:
        raise ConfigError("couldn't parse env file")
    if not value:
        if optional:
            return None
        raise ConfigError(f'environment variable key "{key}" not found in file "{path}"')
    if len(value.encode("utf-8", "surrogateescape")) > env_files.VALUE_LIMIT:
        raise ConfigError(f'environment variable value for key "{key}" exceeds maximum length of 32KB')
    return value


def command_line(container: JSON, image: Image, env: Mapping[str, str]) -> list[str]:
    """The command and arguments: the Pod's, else the image's."""
    full = {**image.env, **env}
    command = [expand(word, full) for word in container.get("command") or ()]
    args = [expand(word, full) for word in container.get("args") or ()]
    if command:
        return [*command, *args]
    return [*image.entrypoint, *(args or image.cmd)]
