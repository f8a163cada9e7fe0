"""What a kubelet is started with by the files of its node: kubeadm's environment file and its own configuration. Pure.

Models cmd/kubelet/app (NewKubeletCommand: what the flags say goes before the file),
pkg/kubelet/kubeletconfig/configfiles and the drop-in 10-kubeadm.conf of systemd.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.kubelet import configuration
from cluster_engine.kubelet.flags import BOOLEANS, MAX_PULLS, FlagError

KUBELET = "/var/lib/kubelet"
ENVIRONMENT, CONFIG = f"{KUBELET}/kubeadm-flags.env", f"{KUBELET}/config.yaml"
_ARGUMENTS = "KUBELET_KUBEADM_ARGS"
_BOOLEANS: Mapping[str, Any] = {"true": True, "false": False}


def unknown_fields(config: str) -> str:
    """What is told of a configuration that has fields which there are none; "": it has none of those."""
    return configuration.unknown_fields(yaml.load(config.encode()))


def given_by(environment: str, config: str | None) -> dict[str, Any]:
    """The flags as a profile gives them, by name; ``config``: None where the file is missing. Raises FlagError."""
    flags = _flags(_arguments(environment))
    return {**_configured(config), **flags}


def environment_of(given: Mapping[str, Any]) -> str:
    """kubeadm's file for a node with those flags."""
    words = [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in given.items()
    ]
    return f'{_ARGUMENTS}="{" ".join(words)}"\n'


def _arguments(environment: str) -> list[str]:
    """What the environment file says of the kubelet's arguments; the last line counts, as systemd has it."""
    words: list[str] = []
    for line in environment.splitlines():
        name, equals, value = line.strip().partition("=")
        if name == _ARGUMENTS and equals:
            try:
                words = " ".join(shlex.split(value)).split()
            except ValueError:  # systemd ignores a line whose quotes do not close
                words = []
    return words


def _flags(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise FlagError(f"unknown command {word}")
        name, equals, value = word[2:].partition("=")
        if name == MAX_PULLS:
            raise FlagError(f"failed to parse kubelet flag: unknown flag: --{name}")
        if name in BOOLEANS:
            found[name] = _BOOLEANS.get(value, value) if equals else True
            continue
        if not equals:
            following = next(rest, None)
            if following is None:
                raise FlagError(f"failed to parse kubelet flag: flag needs an argument: --{name}")
            value = following
        found[name] = value
    return found


def _configured(config: str | None) -> dict[str, Any]:
    """What the configuration says of what flags say too."""
    told = f"failed to load kubelet config file, path: {CONFIG}, error: failed to load Kubelet config file {CONFIG}"
    if config is None:
        raise FlagError(
            f'{told}, error failed to read kubelet config file "{CONFIG}", error: open {CONFIG}: '
            "no such file or directory"
        )
    if not config.strip():
        raise FlagError(f'{told}, error kubelet config file "{CONFIG}" was empty')
    try:
        found = yaml.load(config.encode())
    except yaml.YamlError as error:
        raise FlagError(f"{told}, error failed to decode: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != "KubeletConfiguration":
        raise FlagError(f"{told}, error failed to decode: no KubeletConfiguration")
    if wrong := configuration.wrong_type(found):
        raise FlagError(f"{told}, error failed to decode: {wrong}")
    return {flag: read(found[name]) for name, (flag, read) in _FIELDS.items() if found.get(name) is not None}


def _taints(value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FlagError("failed to decode: registerWithTaints is no list of taints")
    return ",".join(
        f"{each.get('key', '')}={each.get('value', '')}:{each.get('effect', '')}" for each in value
    )


def _pulls(value: Any) -> Any:
    if value == 0:
        raise FlagError(
            "failed to validate kubelet configuration, error: invalid configuration: "
            "maxParallelImagePulls 0 must be a positive number"
        )
    return value


def _as_it_is(value: Any) -> Any:
    return value


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "registerNode": ("register-node", _as_it_is),
    "registerWithTaints": ("register-with-taints", _taints),
    "nodeStatusUpdateFrequency": ("node-status-update-frequency", _as_it_is),
    "serializeImagePulls": ("serialize-image-pulls", _as_it_is),
    "maxParallelImagePulls": (MAX_PULLS, _pulls),
    "imageGCHighThresholdPercent": ("image-gc-high-threshold", _as_it_is),
    "imageGCLowThresholdPercent": ("image-gc-low-threshold", _as_it_is),
    "imageMinimumGCAge": ("minimum-image-ttl-duration", _as_it_is),
}
"""The fields of the configuration that are read here, each with the flag of the same."""
