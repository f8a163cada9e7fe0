"""kube-apiserver: the only door to the cluster's state.

`APIServer.registry` is the semantic layer on dicts (used by components in this process),
`APIServer.handle` the whole HTTP behaviour on bytes; `cluster_engine.serving` is the ASGI edge around it.
"""

from .authorization import Access
from .inside import Inside
from .instance import APIServer
from .node_api import LogLine, NodeAPI, NodeProxy
from .types import (
    ADMIN,
    ANONYMOUS,
    API_SERVER,
    ETCD,
    REFUSED,
    Deleted,
    ExecResult,
    Request,
    RequestContext,
    Response,
    Stream,
    UserInfo,
)

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "API_SERVER",
    "ETCD",
    "REFUSED",
    "APIServer",
    "Access",
    "Deleted",
    "ExecResult",
    "Inside",
    "LogLine",
    "NodeAPI",
    "NodeProxy",
    "Request",
    "RequestContext",
    "Response",
    "Stream",
    "UserInfo",
]
