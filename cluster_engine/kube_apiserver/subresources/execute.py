"""exec: a command in a container, run to its end in one instant of virtual time.

Models pkg/registry/core/pod/rest/subresources.go (ExecREST) and the kubelet's exec endpoint.
"""

from __future__ import annotations

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..node_api import NodeAPI, NodeProxy
from ..requests import first
from ..types import ExecResult, Request
from .container import check_assigned, choose, kubelet_of

ARGUMENTS_LIMIT = 4_096


def locate(nodes: NodeProxy, pod: JSON, request: Request) -> tuple[NodeAPI, str, list[str]]:
    """(kubelet, container, command) of an exec request. Raises ApiError."""
    container = choose(pod, first(request, "container") or "")
    meta = pod["metadata"]
    check_assigned(pod)
    argv = [value for name, value in request.query if name == "command"]
    if not argv:
        raise errors.bad_request("you must specify at least 1 command for the container")
    if len(argv) > ARGUMENTS_LIMIT:
        raise errors.bad_request(f"a command may have at most {ARGUMENTS_LIMIT} words")
    path = f"exec/{meta['namespace']}/{meta['name']}/{container}"
    return kubelet_of(nodes, pod, path), container, argv


def run(nodes: NodeProxy, pod: JSON, request: Request) -> ExecResult:
    """Run the command of the query with the body as its standard input. Raises ApiError."""
    kubelet, container, argv = locate(nodes, pod, request)
    meta = pod["metadata"]
    return kubelet.exec(meta["namespace"], meta["name"], container, argv, request.body)


def exit_status(result: ExecResult) -> JSON:
    """The Status that ends the stream (v4.channel.k8s.io)."""
    if result.exit_code == 0:
        return {"metadata": {}, "status": "Success"}
    text = f"command terminated with non-zero exit code: command terminated with exit code {result.exit_code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": text,
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(result.exit_code)}]},
    }


def as_json(result: ExecResult) -> bytes:
    """For callers in process that look at bodies only."""
    return orjson.dumps(
        {
            "exitCode": result.exit_code,
            "stdout": result.stdout.decode("utf-8", "replace"),
            "stderr": result.stderr.decode("utf-8", "replace"),
        }
    )
