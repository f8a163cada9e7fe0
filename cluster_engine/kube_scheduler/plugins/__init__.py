"""Every rule of placement, one file each. A new plugin is one file and one line in ``PLUGINS``.

The order is the order in which a node's refusals are looked for: the first plugin that refuses a node
names the reason, ShapePlugins before the others.

Models the default profile of pkg/scheduler/apis/config/v1/default_plugins.go.
"""

from cluster_engine.kube_scheduler.framework import Plugin
from cluster_engine.kube_scheduler.plugins.default_binder import DefaultBinder
from cluster_engine.kube_scheduler.plugins.default_preemption import DefaultPreemption
from cluster_engine.kube_scheduler.plugins.image_locality import ImageLocality
from cluster_engine.kube_scheduler.plugins.inter_pod_affinity import InterPodAffinity
from cluster_engine.kube_scheduler.plugins.node_affinity import NodeAffinity
from cluster_engine.kube_scheduler.plugins.node_name import NodeName
from cluster_engine.kube_scheduler.plugins.node_ports import NodePorts
from cluster_engine.kube_scheduler.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from cluster_engine.kube_scheduler.plugins.node_resources_fit import NodeResourcesFit
from cluster_engine.kube_scheduler.plugins.node_unschedulable import NodeUnschedulable
from cluster_engine.kube_scheduler.plugins.node_volume_limits import NodeVolumeLimits
from cluster_engine.kube_scheduler.plugins.pod_topology_spread import PodTopologySpread
from cluster_engine.kube_scheduler.plugins.priority_sort import PrioritySort
from cluster_engine.kube_scheduler.plugins.scheduling_gates import SchedulingGates
from cluster_engine.kube_scheduler.plugins.taint_toleration import TaintToleration
from cluster_engine.kube_scheduler.plugins.volume_binding import VolumeBinding
from cluster_engine.kube_scheduler.plugins.volume_restrictions import VolumeRestrictions
from cluster_engine.kube_scheduler.plugins.volume_zone import VolumeZone

PLUGINS: tuple[type[Plugin], ...] = (
    SchedulingGates,
    PrioritySort,
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeRestrictions,
    NodeVolumeLimits,
    VolumeBinding,
    VolumeZone,
    PodTopologySpread,
    InterPodAffinity,
    DefaultPreemption,
    NodeResourcesBalancedAllocation,
    ImageLocality,
    DefaultBinder,
)
