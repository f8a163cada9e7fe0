"""cloud-controller-manager: what a cluster asks of the cloud under it, here of a small simulated one.

A cluster has it when it is made so (``ClusterOptions.cloud``): its kubelets then leave to the cloud what only that
knows of their machines, and Services of type LoadBalancer get an address.

Models k8s.io/cloud-provider (controllers/node, controllers/nodelifecycle, controllers/route, controllers/service).
"""

from cluster_engine.cloud_controller_manager.node import CloudNodeController
from cluster_engine.cloud_controller_manager.node_lifecycle import CloudNodeLifecycleController
from cluster_engine.cloud_controller_manager.route import RouteController
from cluster_engine.cloud_controller_manager.service import ServiceController
from cluster_engine.component import Component

CLOUD_CONTROLLERS: tuple[type[Component], ...] = (
    CloudNodeController,
    CloudNodeLifecycleController,
    RouteController,
    ServiceController,
)
"""In the order in which they see a change."""

__all__ = ["CLOUD_CONTROLLERS"]
