"""Admission: what may be written, and what the cluster adds to it. One file per plugin.

The order is upstream's (pkg/kubeapiserver/options/plugins.go).
"""

from .always_pull_images import AlwaysPullImages
from .certificate_approval import CertificateApproval
from .certificate_signing import CertificateSigning
from .certificate_subject_restriction import CertificateSubjectRestriction
from .cluster_trust_bundle_attest import ClusterTrustBundleAttest
from .default_ingress_class import DefaultIngressClass
from .default_storage_class import DefaultStorageClass
from .default_toleration_seconds import DefaultTolerationSeconds
from .limit_ranger import LimitRanger
from .mutating_admission_policy import MutatingAdmissionPolicy
from .mutating_admission_webhook import MutatingAdmissionWebhook
from .namespace_lifecycle import NamespaceLifecycle
from .node_restriction import NodeRestriction
from .persistent_volume_claim_resize import PersistentVolumeClaimResize
from .plugin import Attributes, Chain, Host, Plugin
from .pod_security import PodSecurity
from .pod_topology_labels import PodTopologyLabels
from .priority import Priority
from .resource_quota import ResourceQuota
from .runtime_class import RuntimeClass
from .service_account import ServiceAccount
from .storage_object_in_use_protection import StorageObjectInUseProtection
from .taint_nodes_by_condition import TaintNodesByCondition
from .validating_admission_policy import ValidatingAdmissionPolicy
from .validating_admission_webhook import ValidatingAdmissionWebhook

PLUGINS: tuple[type[Plugin], ...] = (
    NamespaceLifecycle,
    LimitRanger,
    ServiceAccount,
    NodeRestriction,
    TaintNodesByCondition,
    AlwaysPullImages,
    PodSecurity,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    PersistentVolumeClaimResize,
    RuntimeClass,
    CertificateApproval,
    CertificateSigning,
    ClusterTrustBundleAttest,
    CertificateSubjectRestriction,
    DefaultIngressClass,
    PodTopologyLabels,
    MutatingAdmissionPolicy,
    MutatingAdmissionWebhook,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionWebhook,
    ResourceQuota,
)


def enabled(named: str) -> tuple[type[Plugin], ...]:
    """The plugins of a cluster: those that are on, and of the others those that are named, with commas between.

    Raises ValueError for a name that no plugin has.
    """
    names = [name for name in named.split(",") if name]
    known = {plugin.name for plugin in PLUGINS}
    unknown = next((name for name in names if name not in known), "")
    if unknown:
        raise ValueError(f'enable-admission-plugins plugin "{unknown}" is unknown')
    return tuple(plugin for plugin in PLUGINS if not plugin.optional or plugin.name in names)


__all__ = ["PLUGINS", "Attributes", "Chain", "Host", "Plugin", "enabled"]
