"""The values of those Go types that say so (``+enum``), for the published schemas: ``kubectl explain`` prints them.

Models k8s.io/kube-openapi/pkg/generators (enum.go, openapi.go): a field has its values beside its type and in its
description, a list or a map beside the type of its items. What each value means, which upstream takes from the comments
of its source, is not told.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.schema import struct_named

_OWN = "io.k8s.api."
ENUMS: dict[str, tuple[str, ...]] = {
    "v1.AddressType": ("FQDN", "IPv4", "IPv6"),
    "v1.AllocationConfigSource": ("FromClaim", "FromClass"),
    "v1.AppArmorProfileType": ("Localhost", "RuntimeDefault", "Unconfined"),
    "v1.AzureDataDiskCachingMode": ("None", "ReadOnly", "ReadWrite"),
    "v1.AzureDataDiskKind": ("Dedicated", "Managed", "Shared"),
    "v1.ClaimResourceStatus": (
        "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible",
        "NodeResizePending",
    ),
    "v1.CompletionMode": ("Indexed", "NonIndexed"),
    "v1.ConcurrencyPolicy": ("Allow", "Forbid", "Replace"),
    "v1.DNSPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "v1.DaemonSetUpdateStrategyType": ("OnDelete", "RollingUpdate"),
    "v1.DeploymentStrategyType": ("Recreate", "RollingUpdate"),
    "v1.DeviceAllocationMode": ("All", "ExactCount"),
    "v1.DeviceTaintEffect": ("NoExecute", "NoSchedule", "None"),
    "v1.DeviceTolerationOperator": ("Equal", "Exists"),
    "v1.FailurePolicyType": ("Fail", "Ignore"),
    "v1.GRPCProbeMode": ("Plaintext", "TLS"),
    "v1.HostPathType": (
        "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
    ),
    "v1.IPFamily": ("", "IPv4", "IPv6"),
    "v1.IPFamilyPolicy": ("PreferDualStack", "RequireDualStack", "SingleStack"),
    "v1.KeyUsage": (
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
        "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
        "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ),
    "v1.MatchPolicyType": ("Equivalent", "Exact"),
    "v1.MountPropagationMode": ("Bidirectional", "HostToContainer", "None"),
    "v1.NamespacePhase": ("Active", "Terminating"),
    "v1.NodeInclusionPolicy": ("Honor", "Ignore"),
    "v1.NodePhase": ("Pending", "Running", "Terminated"),
    "v1.NodeSelectorOperator": ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"),
    "v1.OperationType": ("*", "CONNECT", "CREATE", "DELETE", "UPDATE"),
    "v1.PatchType": ("ApplyConfiguration", "JSONPatch"),
    "v1.PathType": ("Exact", "ImplementationSpecific", "Prefix"),
    "v1.PersistentVolumeAccessMode": ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"),
    "v1.PersistentVolumeClaimModifyVolumeStatus": ("InProgress", "Infeasible", "Pending"),
    "v1.PersistentVolumeClaimPhase": ("Bound", "Lost", "Pending"),
    "v1.PersistentVolumeMode": ("Block", "Filesystem"),
    "v1.PersistentVolumePhase": ("Available", "Bound", "Failed", "Pending", "Released"),
    "v1.PersistentVolumeReclaimPolicy": ("Delete", "Recycle", "Retain"),
    "v1.PodFSGroupChangePolicy": ("Always", "OnRootMismatch"),
    "v1.PodFailurePolicyAction": ("Count", "FailIndex", "FailJob", "Ignore"),
    "v1.PodFailurePolicyOnExitCodesOperator": ("In", "NotIn"),
    "v1.PodManagementPolicyType": ("OrderedReady", "Parallel"),
    "v1.PodPhase": ("Failed", "Pending", "Running", "Succeeded", "Unknown"),
    "v1.PodQOSClass": ("BestEffort", "Burstable", "Guaranteed"),
    "v1.PodReplacementPolicy": ("Failed", "TerminatingOrFailed"),
    "v1.PolicyType": ("Egress", "Ingress"),
    "v1.PreemptionPolicy": ("Never", "PreemptLowerPriority"),
    "v1.ProcMountType": ("Default", "Unmasked"),
    "v1.Protocol": ("SCTP", "TCP", "UDP"),
    "v1.PullPolicy": ("Always", "IfNotPresent", "Never"),
    "v1.ReinvocationPolicyType": ("IfNeeded", "Never"),
    "v1.ResourceQuotaScope": (
        "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass",
        "Terminating", "VolumeAttributesClass",
    ),
    "v1.RestartPolicy": ("Always", "Never", "OnFailure"),
    "v1.ScopeSelectorOperator": ("DoesNotExist", "Exists", "In", "NotIn"),
    "v1.ScopeType": ("*", "Cluster", "Namespaced"),
    "v1.SeccompProfileType": ("Localhost", "RuntimeDefault", "Unconfined"),
    "v1.ServiceAffinity": ("ClientIP", "None"),
    "v1.ServiceExternalTrafficPolicy": ("Cluster", "Local"),
    "v1.ServiceInternalTrafficPolicy": ("Cluster", "Local"),
    "v1.ServiceType": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    "v1.SideEffectClass": ("None", "NoneOnDryRun", "Some", "Unknown"),
    "v1.Signal": (
        "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL",
        "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT",
        "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14",
        "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5", "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8",
        "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13",
        "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6",
        "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM",
        "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH",
        "SIGXCPU", "SIGXFSZ",
    ),
    "v1.SkipNodeOperation": ("*", "NodePrepareResources", "NodeUnprepareResources"),
    "v1.StatefulSetUpdateStrategyType": ("OnDelete", "RollingUpdate"),
    "v1.SupplementalGroupsPolicy": ("Merge", "Strict"),
    "v1.TaintEffect": ("NoExecute", "NoSchedule", "PreferNoSchedule"),
    "v1.TerminationMessagePolicy": ("FallbackToLogsOnError", "File"),
    "v1.TolerationOperator": ("Equal", "Exists", "Gt", "Lt"),
    "v1.URIScheme": ("HTTP", "HTTPS"),
    "v1.UnhealthyPodEvictionPolicyType": ("AlwaysAllow", "IfHealthyBudget"),
    "v1.UnsatisfiableConstraintAction": ("DoNotSchedule", "ScheduleAnyway"),
    "v1.ValidationAction": ("Audit", "Deny", "Warn"),
    "v1.VolumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
}  # fmt: skip
"""Name in Go -> values, sorted."""


def with_enums(name: str, schema: JSON) -> JSON:
    """The schema of the definition of that name, where its fields can have certain values only."""
    properties = schema.get("properties")
    if not properties or not name.startswith(_OWN):
        return schema
    try:
        fields = struct_named(name.removeprefix(_OWN)).fields
    except KeyError:
        return schema
    told = {
        field.name: found
        for field in fields.values()
        if field.name in properties
        and (found := _told(field.node.go, properties[field.name])) is not properties[field.name]
    }
    return {**schema, "properties": {**properties, **told}} if told else schema


_CONTAINERS = (("[]", "items"), ("]", "additionalProperties"))
"""What stands before the type of what a list or a map holds, and where its schema stands."""


def _told(go: str, schema: JSON) -> JSON:
    """The schema of a field of that Go type."""
    values = ENUMS.get(go)
    if values is not None:
        listed = "\n".join(f' - `"{value}"`' for value in values)
        about = f"{schema.get('description', '')}\n\nPossible enum values:\n{listed}"
        return {**schema, "description": about, "enum": list(values)}
    for before, name in _CONTAINERS:
        values = ENUMS.get(go.rpartition(before)[2])
        if values is not None and isinstance(schema.get(name), dict):
            return {**schema, name: {**schema[name], "enum": list(values)}}
    return schema
