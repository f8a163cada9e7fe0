"""kube-controller-manager: the control loops, one file each.

To add one: a file with a class, and a line in ``CONTROLLERS``.
"""

from cluster_engine.component import Component

from .certificates_approver import CSRApprovingController
from .certificates_cleaner import CSRCleanerController
from .certificates_signer import CSRSigningController
from .client_builder import ClientBuilder
from .clusterrole_aggregation import ClusterRoleAggregationController
from .cronjob import CronJobController
from .csi_hostpath import CSIHostPathDriver
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .disruption import DisruptionController
from .endpointslice import EndpointsController, EndpointSliceController
from .endpointslice_mirroring import EndpointSliceMirroringController
from .ephemeral_volume import EphemeralVolumeController
from .garbage_collector import GarbageCollector
from .horizontal import HorizontalPodAutoscalerController
from .job import JobController
from .namespace import NamespaceController
from .node_ipam import NodeIPAMController
from .node_lifecycle import NodeLifecycleController
from .persistent_volume import PersistentVolumeController
from .pod_gc import PodGCController
from .replicaset import ReplicaSetController
from .replication_controller import ReplicationManager
from .resource_quota import ResourceQuotaController
from .root_ca_publisher import RootCAPublisher
from .service_cidrs import ServiceCIDRController
from .serviceaccount import ServiceAccountController
from .statefulset import StatefulSetController
from .taint_eviction import TaintEvictionController
from .ttl_after_finished import TTLAfterFinishedController
from .validatingadmissionpolicy_status import ValidatingAdmissionPolicyStatusController
from .volume_protection import PVCProtectionController, PVProtectionController

CONTROLLERS: tuple[type[Component], ...] = (
    NamespaceController,
    ServiceAccountController,
    ClientBuilder,
    ClusterRoleAggregationController,
    RootCAPublisher,
    ReplicaSetController,
    ReplicationManager,
    DeploymentController,
    DaemonSetController,
    StatefulSetController,
    JobController,
    CronJobController,
    TTLAfterFinishedController,
    HorizontalPodAutoscalerController,
    EndpointSliceController,
    EndpointsController,
    EndpointSliceMirroringController,
    GarbageCollector,
    NodeIPAMController,
    NodeLifecycleController,
    TaintEvictionController,
    PodGCController,
    ResourceQuotaController,
    DisruptionController,
    PersistentVolumeController,
    CSIHostPathDriver,
    EphemeralVolumeController,
    PVCProtectionController,
    PVProtectionController,
    CSRApprovingController,
    CSRSigningController,
    CSRCleanerController,
    ValidatingAdmissionPolicyStatusController,
    ServiceCIDRController,
)
"""Every controller, in the order in which they see a change."""
