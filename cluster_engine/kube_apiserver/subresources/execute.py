"""exec and attach: a session with a process in a container.

Models pkg/registry/core/pod/rest/subresources.go (ExecREST, AttachREST) and the kubelet's streaming endpoints.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..node_api import NodeAPI, NodeProxy
from ..requests import first, flag
from ..types import Request
from .container import check_assigned, choose, kubelet_of

ARGUMENTS_LIMIT = 4_096


def locate(nodes: NodeProxy, pod: JSON, request: Request, verb: str) -> tuple[NodeAPI, str, list[str]]:
    """(kubelet, container, command) of an ``exec`` or ``attach`` request. Raises ApiError."""
    container = choose(pod, first(request, "container") or "")
    meta = pod["metadata"]
    check_assigned(pod)
    argv = [value for name, value in request.query if name == "command"]
    if verb == "exec" and not argv:
        raise errors.bad_request("you must specify at least 1 command for the container")
    if len(argv) > ARGUMENTS_LIMIT:
        raise errors.bad_request(f"a command may have at most {ARGUMENTS_LIMIT} words")
    path = f"{verb}/{meta['namespace']}/{meta['name']}/{container}"
    return kubelet_of(nodes, pod, path), container, argv


def open_stream(nodes: NodeProxy, pod: JSON, request: Request, verb: str, session: str) -> None:
    """Begin the session. Raises ApiError."""
    kubelet, container, argv = locate(nodes, pod, request, verb)
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    if verb == "attach":
        kubelet.attach(session, namespace, name, container)
    else:
        stdin, tty = flag(request, "stdin"), flag(request, "tty")
        kubelet.exec(session, namespace, name, container, argv, stdin=stdin, tty=tty)


def exit_status(code: int) -> JSON:
    """The Status that ends the stream (v4.channel.k8s.io)."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    text = f"command terminated with non-zero exit code: command terminated with exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": text,
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
