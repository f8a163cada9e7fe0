"""The container runtime of a node: images, containers as deterministic processes, their files and logs.

It stands where containerd stands behind the CRI. An image is a file in ``images/``; what its program does is
data over virtual time (``process``), a shell script run on the virtual clock (``script``), or both.
It knows nothing of the API server.
"""

from cluster_engine.container_runtime.container import Container
from cluster_engine.container_runtime.image import Image, Variant
from cluster_engine.container_runtime.names import InvalidImageName, Reference, parse
from cluster_engine.container_runtime.network import ConnectionFailed, HttpReply, Network
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.container_runtime.registry import PullError, resolve

__all__ = [
    "ConnectionFailed",
    "Container",
    "HttpReply",
    "Image",
    "InvalidImageName",
    "Launch",
    "Network",
    "Plan",
    "PullError",
    "Reference",
    "Variant",
    "parse",
    "resolve",
]
