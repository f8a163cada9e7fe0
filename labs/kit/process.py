"""A process that grades: `python -m labs.kit.process` reads clusters and writes reports until its input ends.

An empty line says that it is ready. A request is a line of JSON, `{"do": …, "lab": slug, "size": n, "past": m}`, and n
bytes: a keyframe, and at their end m bytes of what its cluster remembers (`Cluster.past`), for a lab that asks for the
past. An answer is a line of JSON, as DEEDS tells of what may be done, or `{"error": …}` where it could not be.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from cluster_engine.cluster import Cluster
from cluster_engine.memory import relax_collector, serve_parent
from labs.kit import catalog, runner, takehome
from labs.kit.lab import Lab

logger = logging.getLogger(__name__)

MEMORY_LIMIT = 2 * 1024**3
"""Bytes of address space: what a check may take of the machine."""
GARBAGE = 1_000_000
"""Allocations of one request after which garbage is looked for while somebody waits: some hundred megabytes."""


def _graded(lab: Lab, cluster: Cluster) -> dict[str, Any]:
    state_hash = cluster.state_hash()
    return {"report": runner.grade(lab, cluster, spent=True).as_data(), "state_hash": state_hash}


def _written(lab: Lab, cluster: Cluster) -> dict[str, Any]:
    return {"written": takehome.written(lab.variant(cluster.options.seed), cluster)}


DEEDS: dict[str, Callable[[Lab, Cluster], dict[str, Any]]] = {
    "grade": _graded,  # {"report": of the lab's checks, "state_hash"}
    "written": _written,  # {"written": what people wrote since the lab began, as YAML}
}


def answer(deed: str, slug: str, keyframe: bytes, past: bytes = b"") -> dict[str, Any]:
    """What is done with the keyframe's cluster of the lab."""
    try:
        cluster = Cluster.resume(keyframe)
        if past:
            cluster.remember(past)
        return DEEDS[deed](catalog.load().lab(slug), cluster)
    except Exception as error:
        # The edge of the process: whoever waits must hear of it, and the next request is another one's.
        logger.exception("%s of a cluster of the lab %s failed", deed, slug)
        return {"error": f"{type(error).__name__}: {error}"}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other; what it leaves behind is looked for when its answer is out."""
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        if len(data) < request["size"]:
            return
        end = request["size"] - request["past"]
        told = answer(request["do"], request["lab"], data[:end], data[end:])
        answers.write(json.dumps(told).encode("ascii") + b"\n")
        answers.flush()
        gc.collect(1)


def main() -> None:
    """Until its input ends."""
    serve_parent(MEMORY_LIMIT)
    catalog.load()
    relax_collector()
    gc.set_threshold(GARBAGE)
    print(flush=True)
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
