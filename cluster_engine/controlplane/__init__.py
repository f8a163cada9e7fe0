"""What kube-apiserver runs beside serving: its post-start hooks, which write through its own API.

Named as upstream's package that puts the API server together (pkg/controlplane). A hook is a component like any
other: it stands above the API server and beside the controllers, and belongs neither to these nor to kubeadm.
"""

from .aggregator import Aggregator
from .custom_resources import CustomResources
from .flow_control import FlowControl
from .post_start_hooks import PostStartHooks
from .repair_ip_addresses import RepairIPAddresses

__all__ = ["Aggregator", "CustomResources", "FlowControl", "PostStartHooks", "RepairIPAddresses"]
