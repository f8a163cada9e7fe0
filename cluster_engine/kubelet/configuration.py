"""A kubelet's configuration as it decodes it: the fields that there are, and what of them is of the wrong type. Pure.

Models staging/src/k8s.io/kubelet/config/v1beta1/types.go and pkg/kubelet/kubeletconfig/util/codec, in the words of
encoding/json. Of structures within it the fields are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_engine.apimachinery.duration import parse_go_duration

_FIELDS_OF: Mapping[str, str] = {
    "string": (
        "apiVersion kind staticPodPath podLogsDir staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion "
        "imagePullCredentialsVerificationPolicy healthzBindAddress clusterDomain kubeletCgroups systemCgroups "
        "cgroupRoot cgroupDriver cpuManagerPolicy memoryManagerPolicy topologyManagerPolicy topologyManagerScope "
        "hairpinMode podCIDR resolvConf contentType containerLogMaxSize configMapAndSecretChangeDetectionStrategy "
        "reservedSystemCPUs showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup volumePluginDir "
        "providerID containerRuntimeEndpoint imageServiceEndpoint memoryReservationPolicy"
    ),
    "bool": (
        "enableServer rotateCertificates serverTLSBootstrap enableDebuggingHandlers enableContentionProfiling "
        "cgroupsPerQOS singleProcessOOMKill runOnce cpuCFSQuota serializeImagePulls mergeDefaultEvictionSettings "
        "enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains failSwapOn "
        "kernelMemcgNotification enableSystemLogHandler enableSystemLogQuery enableProfilingHandler "
        "enableDebugFlagsHandler seccompDefault registerNode localStorageCapacityIsolation failCgroupV1"
    ),
    "int32": (
        "port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj "
        "nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods "
        "nodeStatusMaxImages kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod podsPerCore "
        "iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles containerLogMaxWorkers"
    ),
    "int64": "podPidsLimit maxOpenFiles",
    "float64": "memoryThrottlingFactor",
    "v1.Duration": (
        "syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout "
        "nodeStatusUpdateFrequency nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge "
        "volumeStatsAggPeriod cpuManagerReconcilePeriod draManagerReconcilePeriod runtimeRequestTimeout "
        "cpuCFSQuotaPeriod evictionPressureTransitionPeriod containerLogMonitorInterval shutdownGracePeriod "
        "shutdownGracePeriodCriticalPods"
    ),
    "[]string": (
        "tlsCipherSuites tlsCurvePreferences preloadedImagesVerificationAllowlist clusterDNS enforceNodeAllocatable "
        "allowedUnsafeSysctls"
    ),
    "map[string]string": (
        "cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft "
        "evictionSoftGracePeriod evictionMinimumReclaim systemReserved kubeReserved"
    ),
    "map[string]bool": "featureGates",
    "map[string][]string": "staticPodURLHeader",
    "v1beta1.KubeletAuthentication": "authentication",
    "v1beta1.KubeletAuthorization": "authorization",
    "v1beta1.MemorySwapConfiguration": "memorySwap",
    "v1beta1.CrashLoopBackOffConfig": "crashLoopBackOff",
    "v1beta1.UserNamespaces": "userNamespaces",
    "v1.LoggingConfiguration": "logging",
    "v1.TracingConfiguration": "tracing",
    "[]v1beta1.ShutdownGracePeriodByPodPriority": "shutdownGracePeriodByPodPriority",
    "[]v1beta1.MemoryReservation": "reservedMemory",
    "[]v1.Taint": "registerWithTaints",
}
"""Go's types of the fields of kubelet.config.k8s.io/v1beta1, each with their names."""
TYPES: Mapping[str, str] = {name: kind for kind, names in _FIELDS_OF.items() for name in names.split()}
_INTEGERS = {"int32": 1 << 31, "int64": 1 << 63}
_JSON: Mapping[type, str] = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


def unknown_fields(found: Mapping[str, Any]) -> str:
    """What strict decoding says of a configuration that is then decoded leniently; "": all its fields are known."""
    unknown = [f'unknown field "{name}"' for name in found if name not in TYPES]
    return f"strict decoding error: {', '.join(unknown)}" if unknown else ""


def wrong_type(found: Mapping[str, Any]) -> str:
    """What the decoder says of the first field, as they are written, whose value is none; "": there is no such."""
    for name, value in found.items():
        for said in _wrong(TYPES.get(name, ""), name, value):
            return said
    return ""


def _wrong(kind: str, name: str, value: Any) -> Iterator[str]:
    if value is None or not kind:
        return
    if kind == "v1.Duration":
        yield from _no_duration(value)
    elif kind.startswith("[]"):
        if not isinstance(value, list):
            yield _cannot(value, name, kind)
        elif kind == "[]string":
            for each in value:
                yield from _wrong("string", name, each)
    elif kind.startswith("map["):
        if not isinstance(value, dict):
            yield _cannot(value, name, kind)
        else:
            for each in value.values():
                yield from _wrong(kind.partition("]")[2], name, each)
    elif not _is(kind, value):
        yield _cannot(value, name, kind)


def _is(kind: str, value: Any) -> bool:
    if kind in _INTEGERS:
        limit = _INTEGERS[kind]
        return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    if kind == "float64":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "bool": bool}.get(kind, dict))


def _cannot(value: Any, name: str, kind: str) -> str:
    shown = _JSON[type(value)]
    if shown == "number" and kind in _INTEGERS:
        shown = f"number {value}"
    return f"json: cannot unmarshal {shown} into Go struct field KubeletConfiguration.{name} of type {kind}"


def _no_duration(value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"json: cannot unmarshal {_JSON[type(value)]} into Go value of type string"
        return
    try:
        parse_go_duration(value)
    except ValueError as error:
        yield str(error)
