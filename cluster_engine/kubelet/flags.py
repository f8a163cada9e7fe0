"""The flags of a node's kubelet, as a cluster's profile gives them: ``{"worker-1": {"register-node": false}}``.

Models cmd/kubelet/app/options (ValidateKubeletFlags) and KubeletConfiguration of the same names. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.validation import is_label_value, is_qualified_name

KUBECONFIG = "/etc/kubernetes/kubelet.conf"
MAX_PULLS = "max-parallel-image-pulls"
"""maxParallelImagePulls, which is a field of the configuration and no flag."""
MAX_FREQUENCY = 3_600
"""Seconds."""
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")
_ALLOWED = (
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
)


@dataclass(frozen=True, slots=True)
class Flags:
    """What one kubelet was started with."""

    register_node: bool = True
    register_with_taints: tuple[tuple[str, str, str], ...] = ()
    """(key, value, effect)."""
    node_labels: tuple[tuple[str, str], ...] = ()
    node_ip: str = ""
    node_status_update_frequency: float = 0.0
    """Seconds; 0: ten, and a report every five minutes. Who says it reports as often."""
    cloud_provider: str | None = None
    """"external", or "" for none; None: as its cluster has it."""
    hostname_override: str = ""
    serialize_image_pulls: bool = True
    max_parallel_image_pulls: int = 0
    """0: as many as are asked for; it counts only where they are not serialized."""
    image_gc_high_threshold: int = 85
    image_gc_low_threshold: int = 80
    """Percent of the disk from which on images are collected, and to which."""
    minimum_image_ttl_duration: float = 120.0
    """Seconds for which an image stays, used or not."""

    @property
    def taints(self) -> list[JSON]:
        """Those that its node is registered with."""
        return [
            {"effect": effect, "key": key, **({"value": value} if value else {})}
            for key, value, effect in self.register_with_taints
        ]


class FlagError(ValueError):
    """A kubelet does not start with this."""


def _boolean(flag: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FlagError(f'invalid argument "{value}" for "--{flag}" flag: expected true or false')
    return value


def _text(flag: str, value: Any) -> str:
    if not isinstance(value, str):
        raise FlagError(f'invalid argument "{value}" for "--{flag}" flag: expected a text')
    return value


def _labels(flag: str, value: Any) -> tuple[tuple[str, str], ...]:
    found = {}
    for pair in filter(None, _text(flag, value).split(",")):
        key, equals, label = pair.partition("=")
        if not equals:
            raise FlagError(
                f'invalid argument "{value}" for "--{flag}" flag: malformed pair, expect string=string'
            )
        found[key.strip()] = label.strip()
    unknown = sorted(key for key in found if _reserved(key))
    if unknown:
        raise FlagError(
            f"unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [{' '.join(unknown)}]\n"
            "--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix "
            f"({', '.join(_PREFIXES)}) or be in the specifically allowed set ({', '.join(_ALLOWED)})"
        )
    for key, label in found.items():
        if errors := [*is_qualified_name(key), *is_label_value(label)]:
            raise FlagError(f"invalid node labels: '{key}' - {', '.join(errors)}")
    return tuple(found.items())


def _reserved(key: str) -> bool:
    """Whether a kubelet may not give itself that label."""
    namespace = key.partition("/")[0] if "/" in key else ""
    theirs = any(namespace == end or namespace.endswith(f".{end}") for end in ("kubernetes.io", "k8s.io"))
    allowed = any(namespace == prefix or namespace.endswith(f".{prefix}") for prefix in _PREFIXES)
    return theirs and key not in _ALLOWED and not allowed


def _taints(flag: str, value: Any) -> tuple[tuple[str, str, str], ...]:
    found = []
    for text in filter(None, _text(flag, value).split(",")):
        place, _, effect = text.rpartition(":")
        key, _, of = place.partition("=")
        if effect not in EFFECTS or is_qualified_name(key):
            raise FlagError(f'invalid argument "{value}" for "--{flag}" flag: invalid taint spec: {text}')
        found.append((key, of, effect))
    return tuple(found)


def _seconds(flag: str, value: Any) -> float:
    units = {"s": 1, "m": 60, "h": 3_600}
    text = _text(flag, value)
    known = text[:-1].isdecimal() and text[-1:] in units
    if not known or not 0 < int(text[:-1]) * units[text[-1]] <= MAX_FREQUENCY:
        raise FlagError(f'invalid argument "{value}" for "--{flag}" flag: time: invalid duration "{value}"')
    return float(int(text[:-1]) * units[text[-1]])


def _number(flag: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or len(text) > 9:
        raise FlagError(f'invalid argument "{value}" for "--{flag}" flag: expected a whole number')
    return int(text)


def _provider(flag: str, value: Any) -> str:
    if value not in ("", "external"):
        raise FlagError(f'unsupported value for "--{flag}": "{value}"; only "external" and none are')
    return str(value)


def _kubeconfig(flag: str, value: Any) -> str:
    if value != KUBECONFIG:
        raise FlagError(
            f"a kubelet with another --{flag} than {KUBECONFIG} finds no API server, or runs alone: "
            "Drydock does not simulate that (a real cluster does)"
        )
    return KUBECONFIG


def check(flags: Flags, ip: str, control_plane: bool) -> None:
    """Whether a node with that address can have them. Raises FlagError."""
    if flags is _NONE_GIVEN:
        return
    if flags.node_ip not in ("", ip):
        raise FlagError(
            f'failed to validate nodeIP: node IP: "{flags.node_ip}" not found in the host\'s network interfaces'
        )
    if wrong := list(_invalid(flags)):
        text = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
        raise FlagError(f"failed to validate kubelet configuration, error: {text}")
    if control_plane and flags.hostname_override:
        raise FlagError(
            "the node of the control plane keeps its name: kubeadm has written it into its certificates"
        )


def _invalid(flags: Flags) -> Iterator[str]:
    """What ValidateKubeletConfiguration says of them."""
    high, low = flags.image_gc_high_threshold, flags.image_gc_low_threshold
    told = "invalid configuration:"
    named = {
        "imageGCHighThresholdPercent (--image-gc-high-threshold)": high,
        "imageGCLowThresholdPercent (--image-gc-low-threshold)": low,
    }
    for name, value in named.items():
        if value > 100:
            yield f"{told} {name} {value} must be between 0 and 100, inclusive"
    if low >= high:
        above, below = named
        yield f"{told} {below} {low} must be less than {above} {high}"
    if flags.serialize_image_pulls and flags.max_parallel_image_pulls > 1:
        yield (
            f"{told} maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls "
            "(--serialize-image-pulls) is set to false"
        )


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "register-node": _boolean,
    "register-with-taints": _taints,
    "node-labels": _labels,
    "node-ip": _text,
    "node-status-update-frequency": _seconds,
    "cloud-provider": _provider,
    "hostname-override": _text,
    "kubeconfig": _kubeconfig,
    "serialize-image-pulls": _boolean,
    "image-gc-high-threshold": _number,
    "image-gc-low-threshold": _number,
    "minimum-image-ttl-duration": _seconds,
    MAX_PULLS: _number,
}
"""Every flag that can be given, and how it is read."""
BOOLEANS = tuple(flag for flag, read in READERS.items() if read is _boolean)
"""Those that need no value."""


_NONE_GIVEN = Flags()


def flags_of(given: Mapping[str, Any]) -> Flags:
    """Raises FlagError."""
    if not given:
        return _NONE_GIVEN
    read = {}
    for flag, value in given.items():
        if flag not in READERS:
            raise FlagError(f"failed to parse kubelet flag: unknown flag: --{flag}")
        read[flag.replace("-", "_")] = READERS[flag](flag, value)
    read.pop("kubeconfig", None)
    return replace(Flags(), **read)


@lru_cache(maxsize=64)
def kubelets_of(text: str) -> Mapping[str, JSON]:
    """The flags of nodes by their names, from YAML or JSON, as they are given; who is not named has none.

    Raises FlagError.
    """
    try:
        given = yaml.load(text.encode()) if text else {}
    except yaml.YamlError as error:
        raise FlagError(str(error)) from error
    if not isinstance(given, dict) or not all(isinstance(flags, dict) for flags in given.values()):
        raise FlagError("the kubelets' flags are a mapping of nodes, each with a mapping of flags")
    for flags in given.values():
        if MAX_PULLS in flags:
            raise FlagError(f"failed to parse kubelet flag: unknown flag: --{MAX_PULLS}")
        flags_of(flags)
    return {str(node): flags for node, flags in given.items()}
