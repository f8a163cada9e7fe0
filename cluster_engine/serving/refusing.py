"""A refused connection, as far as HTTP can tell of one.

The port of a cluster whose API server does not run is still open: others are behind it, or its owner's clock. kubectl
takes any failure of a request whose text has "connection refused" in it for a refused connection (StandardErrorMessage
in kubectl/pkg/cmd/util/helpers.go), and it fails so when it is sent to a place that is no URL.
"""

from __future__ import annotations

from cluster_engine.kube_apiserver import REFUSED, Request, Response

_AGENT = "kubectl/"


def told(request: Request, response: Response) -> Response:
    """The reply as that client understands it: kubectl a refused connection, others a Status 503."""
    refused = response.status == 503 and REFUSED.encode() in response.body
    if not refused or not request.headers.get("user-agent", "").startswith(_AGENT):
        return response
    return Response(302, {**response.headers, "location": REFUSED}, response.body)
