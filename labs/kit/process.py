"""A process that grades: `python -m labs.kit.process` reads clusters and writes reports until its input ends.

A request is a line of JSON, `{"lab": slug, "size": n, "past": m}`, and n bytes: a keyframe, and at their end m bytes of
what its cluster remembers (`Cluster.past`), for a lab that asks for the past. An answer is a line of JSON:
`{"report": …, "state_hash": …}`, or `{"error": …}` where the cluster could not be graded.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, BinaryIO

from cluster_engine.cluster import Cluster
from cluster_engine.memory import relax_collector, serve_parent
from labs.kit import catalog, runner

logger = logging.getLogger(__name__)

MEMORY_LIMIT = 2 * 1024**3
"""Bytes of address space: what a check may take of the machine."""


def answer(slug: str, keyframe: bytes, past: bytes = b"") -> dict[str, Any]:
    """The report of the lab's checks on the keyframe's cluster."""
    try:
        cluster = Cluster.resume(keyframe)
        if past:
            cluster.remember(past)
        report = runner.grade(catalog.load().lab(slug), cluster)
        return {"report": report.as_data(), "state_hash": cluster.state_hash()}
    except Exception as error:
        # The edge of the process: whoever waits must hear of it, and the next request is another one's.
        logger.exception("a cluster of the lab %s could not be graded", slug)
        return {"error": f"{type(error).__name__}: {error}"}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other."""
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        if len(data) < request["size"]:
            return
        end = request["size"] - request["past"]
        answers.write(json.dumps(answer(request["lab"], data[:end], data[end:])).encode("ascii") + b"\n")
        answers.flush()


def main() -> None:
    """Until its input ends."""
    serve_parent(MEMORY_LIMIT)
    catalog.load()
    relax_collector()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
