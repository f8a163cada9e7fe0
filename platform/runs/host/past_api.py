"""The Kubernetes API of a cluster of the past: under a banner, and to read alone.

`/past/<when>/…` below a run's address leads there (`when` as in `past.asked`), and so does all that its terminals ask
while they look back. Every answer warns of when it is, which kubectl prints; what would change something is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from config.doors import Receive, Scope, Send
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import UserInfo
from cluster_engine.serving import ClusterApp
from cluster_engine.sim import Entry
from runs.host.banners import under
from runs.host.errors import HostError

REFUSAL = gettext_lazy("This is the past: it can be looked at, and not changed.")
_ADDRESS = re.compile(rb"/past/([^/]{1,80})(/.*)", re.DOTALL)


def addressed(path: bytes) -> tuple[str, bytes] | None:
    """Of when a path speaks, and the rest of it; None: of now."""
    match = _ADDRESS.fullmatch(path)
    return (unquote_to_bytes(match[1]).decode("utf-8", "replace"), match[2]) if match is not None else None


async def serve(
    cluster: Cluster, resolve: Callable[[Scope], UserInfo | None], scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer one request to the cluster of then. Raises HostError 403 for what would change it."""
    said = _("This is the past: %(now)s.") % {"now": cluster.now}

    async def refuse(entry: Entry) -> None:
        raise HostError(403, str(REFUSAL))

    if scope["type"] == "websocket":
        raise HostError(403, str(REFUSAL))
    await ClusterApp(cluster, resolve=resolve, sink=refuse)(scope, receive, under(said, send))
