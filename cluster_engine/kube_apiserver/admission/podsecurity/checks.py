"""What each level forbids: one function a check, in the table CHECKS.

Models k8s.io/pod-security-admission/policy (registry.go and check_*.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON

from .levels import BASELINE, PRIVILEGED, RESTRICTED, Level


class Forbidden(NamedTuple):
    """What a Pod may not."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


Said = tuple[str, str] | None
"""Reason and detail; None: nothing is wrong."""


class Check(NamedTuple):
    """One check, its id, its level, and since which minor version of Kubernetes it is made."""

    id: str
    level: str
    check: Callable[[JSON, JSON, int | None], Said]
    since: int = 0
    overrides: tuple[str, ...] = ()
    """The ids of the checks of the lower level that it takes the place of."""


def evaluate(level: Level, meta: JSON, spec: JSON) -> list[Forbidden]:
    """What a Pod of that metadata and spec has that the level forbids, in upstream's order."""
    if level.level == PRIVILEGED:
        return []
    minor = level.minor
    made = [check for check in CHECKS if minor is None or check.since <= minor]
    if level.level == BASELINE:
        made = [check for check in made if check.level == BASELINE]
    else:
        overridden = {name for check in made for name in check.overrides}
        made = [check for check in made if check.id not in overridden]
    found = (check.check(meta, spec, minor) for check in made)
    return [Forbidden(*said) for said in found if said is not None]


# ---- words -----------------------------------------------------------------------------------------------


def _plural(one: str, many: str, items: Iterable[Any]) -> str:
    return one if len(list(items)) == 1 else many


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _containers(spec: JSON) -> Iterator[JSON]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def _context(holder: JSON) -> JSON:
    return holder.get("securityContext") or {}


def _named(names: list[str]) -> str:
    return f"{_plural('container', 'containers', names)} {_quoted(names)}"


def _where(spec: JSON, bad: Callable[[JSON], bool]) -> list[str]:
    """The containers of which something is bad."""
    return [container["name"] for container in _containers(spec) if bad(container)]


def _setters(spec: JSON, bad: Callable[[JSON], bool]) -> str:
    """Who has a bad security context: the Pod, containers, both; "" for nobody."""
    names = _where(spec, lambda container: bad(_context(container)))
    return " and ".join((["pod"] if bad(_context(spec)) else []) + ([_named(names)] if names else []))


def _values(spec: JSON, value: Callable[[JSON], str | None]) -> list[str]:
    """The different values in the security contexts of the Pod and of containers, in order."""
    found = (value(_context(holder)) for holder in (spec, *_containers(spec)))
    return sorted({each for each in found if each is not None})


def _windows(spec: JSON, minor: int | None) -> bool:
    """Whether the Pod is for Windows, which checks of Linux pass over since 1.25."""
    return (spec.get("os") or {}).get("name") == "windows" and (minor is None or minor >= 25)


# ---- baseline --------------------------------------------------------------------------------------------

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _bad_profile(context: JSON) -> str | None:
    kind = (context.get("appArmorProfile") or {}).get("type")
    return None if kind in (None, "RuntimeDefault", "Localhost") else kind


def _app_armor(meta: JSON, spec: JSON, minor: int | None) -> Said:
    notes = sorted(
        f'{key}="{value}"'
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(_APP_ARMOR)
        and value
        and value != "runtime/default"
        and not value.startswith("localhost/")
    )
    setters = [who for who in [_setters(spec, lambda context: _bad_profile(context) is not None)] if who]
    if notes:
        setters.append(_plural("annotation", "annotations", notes))
    if not setters:
        return None
    values = _values(spec, _bad_profile) + notes
    reason = _plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values)
    return reason, f"{' and '.join(setters)} must not set AppArmor profile type to {_quoted(values)}"


_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip


def _added(container: JSON, allowed: tuple[str, ...]) -> list[str]:
    added = (_context(container).get("capabilities") or {}).get("add") or ()
    return [name for name in added if name not in allowed]


def _adding(spec: JSON, allowed: tuple[str, ...]) -> str:
    """Which containers add other capabilities than those allowed; "" for none."""
    names = _where(spec, lambda container: bool(_added(container, allowed)))
    added = sorted({name for container in _containers(spec) for name in _added(container, allowed)})
    return (
        f"{_named(names)} must not include {_quoted(added)} in securityContext.capabilities.add"
        if names
        else ""
    )


def _capabilities(meta: JSON, spec: JSON, minor: int | None) -> Said:
    said = _adding(spec, _CAPABILITIES)
    return ("non-default capabilities", said) if said else None


def _host_namespaces(meta: JSON, spec: JSON, minor: int | None) -> Said:
    found = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return ("host namespaces", ", ".join(found)) if found else None


def _host_paths(meta: JSON, spec: JSON, minor: int | None) -> Said:
    names = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return ("hostPath volumes", f"{_plural('volume', 'volumes', names)} {_quoted(names)}") if names else None


def _host_ports(meta: JSON, spec: JSON, minor: int | None) -> Said:
    def ports_of(container: JSON) -> list[str]:
        return [str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")]

    names = _where(spec, lambda container: bool(ports_of(container)))
    ports = sorted({port for container in _containers(spec) for port in ports_of(container)})
    if not names:
        return None
    uses, what = _plural("uses", "use", names), _plural("hostPort", "hostPorts", ports)
    return "hostPort", f"{_named(names)} {uses} {what} {', '.join(ports)}"


def _hosts_of(container: JSON) -> list[str]:
    """The hosts that probes and hooks ask."""
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
    handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
    return [
        host
        for handler in handlers
        for action in ("httpGet", "tcpSocket")
        if (host := ((handler or {}).get(action) or {}).get("host"))
    ]


def _probe_hosts(meta: JSON, spec: JSON, minor: int | None) -> Said:
    names = sorted(_where(spec, lambda container: bool(_hosts_of(container))))
    hosts = sorted({host for container in _containers(spec) for host in _hosts_of(container)})
    if not names:
        return None
    reason = "probe or lifecycle host"
    return (
        reason,
        f"{_named(names)} {_plural('uses', 'use', names)} {_plural(reason, reason + 's', hosts)} {_quoted(hosts)}",
    )


def _privileged(meta: JSON, spec: JSON, minor: int | None) -> Said:
    names = _where(spec, lambda container: bool(_context(container).get("privileged")))
    return ("privileged", f"{_named(names)} must not set securityContext.privileged=true") if names else None


def _proc_mount(meta: JSON, spec: JSON, minor: int | None) -> Said:
    def kind(container: JSON) -> str:
        return _context(container).get("procMount") or "Default"

    names = _where(spec, lambda container: kind(container) != "Default")
    kinds = sorted({kind(container) for container in _containers(spec)} - {"Default"})
    detail = f"{_named(names)} must not set securityContext.procMount to {_quoted(kinds)}"
    return ("procMount", detail) if names else None


_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _selinux(meta: JSON, spec: JSON, minor: int | None) -> Said:
    allowed = _SELINUX if minor is None or minor >= 31 else _SELINUX[:-1]

    def option(context: JSON, name: str) -> str:
        return (context.get("seLinuxOptions") or {}).get(name) or ""

    def bad(context: JSON) -> bool:
        return option(context, "type") not in allowed or any(
            option(context, name) for name in ("user", "role")
        )

    setters = _setters(spec, bad)
    if not setters:
        return None
    types = [each for each in _values(spec, lambda context: option(context, "type")) if each not in allowed]
    said = [f"{_plural('type', 'types', types)} {_quoted(types)}"] if types else []
    said += [
        f"{name} may not be set"
        for name in ("user", "role")
        if any(option(_context(holder), name) for holder in (spec, *_containers(spec)))
    ]
    return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"


def _bad_seccomp(context: JSON) -> str | None:
    kind = (context.get("seccompProfile") or {}).get("type")
    return None if kind in (None, "RuntimeDefault", "Localhost") else kind


def _seccomp(meta: JSON, spec: JSON, minor: int | None) -> Said:
    setters = _setters(spec, lambda context: _bad_seccomp(context) is not None)
    values = _quoted(_values(spec, _bad_seccomp))
    detail = f"{setters} must not set securityContext.seccompProfile.type to {values}"
    return ("seccompProfile", detail) if setters else None


_SYSCTLS = {
    "kernel.shm_rmid_forced": 0, "net.ipv4.ip_local_port_range": 0, "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0, "net.ipv4.ip_unprivileged_port_start": 0, "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29, "net.ipv4.tcp_fin_timeout": 29, "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29, "net.ipv4.tcp_rmem": 32, "net.ipv4.tcp_wmem": 32,
}  # fmt: skip
"""Safe ones, and since which minor version."""


def _sysctls(meta: JSON, spec: JSON, minor: int | None) -> Said:
    names = [each["name"] for each in _context(spec).get("sysctls") or ()]
    latest = minor is None
    bad = [n for n in names if n not in _SYSCTLS or not (latest or _SYSCTLS[n] <= (minor or 0))]
    return ("forbidden sysctls", ", ".join(bad)) if bad else None


def _host_process(meta: JSON, spec: JSON, minor: int | None) -> Said:
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", detail) if setters else None


# ---- restricted ------------------------------------------------------------------------------------------


def _escalation(meta: JSON, spec: JSON, minor: int | None) -> Said:
    if _windows(spec, minor):
        return None
    names = _where(spec, lambda container: _context(container).get("allowPrivilegeEscalation") is not False)
    detail = f"{_named(names)} must set securityContext.allowPrivilegeEscalation=false"
    return ("allowPrivilegeEscalation != false", detail) if names else None


def _few_capabilities(meta: JSON, spec: JSON, minor: int | None) -> Said:
    if _windows(spec, minor):
        return None

    def keeps(container: JSON) -> bool:
        return "ALL" not in ((_context(container).get("capabilities") or {}).get("drop") or ())

    names = _where(spec, keeps)
    said = [f'{_named(names)} must set securityContext.capabilities.drop=["ALL"]'] if names else []
    said += [adding for adding in [_adding(spec, ("NET_BIND_SERVICE",))] if adding]
    return ("unrestricted capabilities", "; ".join(said)) if said else None


_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
_OTHERS = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd",
    "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
    "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos",
)  # fmt: skip


def _volumes(meta: JSON, spec: JSON, minor: int | None) -> Said:
    bad = [v for v in spec.get("volumes") or () if not any(v.get(kind) is not None for kind in _VOLUMES)]
    if not bad:
        return None
    names = [volume["name"] for volume in bad]
    kinds = sorted({next((k for k in _OTHERS if v.get(k) is not None), "unknown") for v in bad})
    what = _plural("restricted volume type", "restricted volume types", kinds)
    used = f"{_plural('uses', 'use', names)} {what} {_quoted(kinds)}"
    return "restricted volume types", f"{_plural('volume', 'volumes', names)} {_quoted(names)} {used}"


def _non_root(meta: JSON, spec: JSON, minor: int | None) -> Said:
    reason = "runAsNonRoot != true"
    setters = _setters(spec, lambda context: context.get("runAsNonRoot") is False)
    if setters:
        return reason, f"{setters} must not set securityContext.runAsNonRoot=false"
    if _context(spec).get("runAsNonRoot"):
        return None
    names = _where(spec, lambda container: _context(container).get("runAsNonRoot") is None)
    return (reason, f"pod or {_named(names)} must set securityContext.runAsNonRoot=true") if names else None


def _not_as_root(meta: JSON, spec: JSON, minor: int | None) -> Said:
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    return ("runAsUser=0", f"{setters} must not set runAsUser=0") if setters else None


def _has_seccomp(meta: JSON, spec: JSON, minor: int | None) -> Said:
    if _windows(spec, minor):
        return None
    said = _seccomp(meta, spec, minor)
    if said is not None or _context(spec).get("seccompProfile") is not None:
        return said
    names = _where(spec, lambda container: _context(container).get("seccompProfile") is None)
    kinds = '"RuntimeDefault" or "Localhost"'
    detail = f"pod or {_named(names)} must set securityContext.seccompProfile.type to {kinds}"
    return ("seccompProfile", detail) if names else None


CHECKS: tuple[Check, ...] = (
    Check("appArmorProfile", BASELINE, _app_armor),
    Check("capabilities_baseline", BASELINE, _capabilities),
    Check("hostNamespaces", BASELINE, _host_namespaces),
    Check("hostPathVolumes", BASELINE, _host_paths),
    Check("hostPorts", BASELINE, _host_ports),
    Check("hostProbesAndHostLifecycle", BASELINE, _probe_hosts, since=34),
    Check("privileged", BASELINE, _privileged),
    Check("procMount", BASELINE, _proc_mount),
    Check("seLinuxOptions", BASELINE, _selinux),
    Check("seccompProfile_baseline", BASELINE, _seccomp, since=19),
    Check("sysctls", BASELINE, _sysctls),
    Check("windowsHostProcess", BASELINE, _host_process),
    Check("allowPrivilegeEscalation", RESTRICTED, _escalation, since=8),
    Check(
        "capabilities_restricted",
        RESTRICTED,
        _few_capabilities,
        since=22,
        overrides=("capabilities_baseline",),
    ),
    Check("restrictedVolumes", RESTRICTED, _volumes, overrides=("hostPathVolumes",)),
    Check("runAsNonRoot", RESTRICTED, _non_root),
    Check("runAsUser", RESTRICTED, _not_as_root, since=23),
    Check(
        "seccompProfile_restricted",
        RESTRICTED,
        _has_seccomp,
        since=19,
        overrides=("seccompProfile_baseline",),
    ),
)
"""In the order in which they are told: of each level by their ids."""
