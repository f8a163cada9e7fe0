"""Admission: what may be written, and what the cluster adds to it. One file per plugin.

The order is upstream's (pkg/kubeapiserver/options/plugins.go).
"""

from .certificate_approval import CertificateApproval
from .certificate_signing import CertificateSigning
from .certificate_subject_restriction import CertificateSubjectRestriction
from .default_ingress_class import DefaultIngressClass
from .default_storage_class import DefaultStorageClass
from .default_toleration_seconds import DefaultTolerationSeconds
from .limit_ranger import LimitRanger
from .mutating_admission_policy import MutatingAdmissionPolicy
from .mutating_admission_webhook import MutatingAdmissionWebhook
from .namespace_lifecycle import NamespaceLifecycle
from .persistent_volume_claim_resize import PersistentVolumeClaimResize
from .plugin import Attributes, Chain, Host, Plugin
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
    TaintNodesByCondition,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    PersistentVolumeClaimResize,
    RuntimeClass,
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
    DefaultIngressClass,
    MutatingAdmissionPolicy,
    MutatingAdmissionWebhook,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionWebhook,
    ResourceQuota,
)

__all__ = ["PLUGINS", "Attributes", "Chain", "Host", "Plugin"]
