"""Requests that know the schemas and the cluster: each is answered as an API server does, and the cluster lives on.

Each seed is one cluster and REQUESTS random requests to it, with time passing in between. No request may raise;
none may be answered with a 5xx but 501, which is said only of what docs/deviations.md lists as refused, and the
500 of an exec whose command or container is not there; every reply is an object, a Status, or a text that
upstream gives as text. Afterwards the cluster settles, and the journal alone leads to the same state.
"""

from __future__ import annotations

import orjson
import pytest
import yaml

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import Request, Response

from .request_fuzzer import Fuzzer
from .size import size

REQUESTS = 500

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: team}
"""


def check(request: Request, response: Response) -> None:
    """The reply is one that an API server gives."""
    told = response.body[:600]
    lost = (
        response.status == 500 and "/exec" in request.path and b"failed to exec in container" in response.body
    )
    # What is proxied to a node that no machine stands for is answered so by a real API server too.
    lost = lost or (response.status == 503 and b"error trying to reach service" in response.body)
    # A version from the future: client-go lists anew by this very answer.
    lost = lost or (response.status == 504 and b"ResourceVersionTooLarge" in response.body)
    # Somebody has deleted all ServiceCIDRs: a real API server answers so, too.
    lost = lost or (
        response.status == 500 and b"failed to allocate a serviceIP: range is full" in response.body
    )
    assert 200 <= response.status < 500 or response.status == 501 or lost, told
    media = response.headers.get("content-type", "")
    if response.stream is not None:
        assert response.status == 200
        taken = response.stream.take() + response.stream.tick()
        if media == "application/json":
            assert all(set(orjson.loads(line)) == {"type", "object"} for line in taken.splitlines())
        response.stream.cancel()
        return
    if media.startswith("text/plain"):
        return
    value = yaml.safe_load(response.body) if media == "application/yaml" else orjson.loads(response.body)
    assert isinstance(value, dict), told
    if response.status >= 400:
        assert (value["kind"], value["status"], value["code"]) == ("Status", "Failure", response.status), told
        assert value["message"], told
    assert response.status != 501 or "not simulated" in value["message"], told


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(size(4, 200)))
def test_any_request_gets_an_answer(seed: int) -> None:
    cluster = Cluster(nodes=3, seed=seed, freezing=True, max_objects=2_000, max_pods=200)
    cluster.apply(WEB)
    cluster.advance(5)
    fuzzer = Fuzzer(cluster, seed)
    for number in range(REQUESTS):
        request = fuzzer.request()
        print(f"seed {seed}, request {number}: {request}")
        response = cluster.request(request)
        check(request, response)
        fuzzer.learn(response)
        if fuzzer.random.random() < 0.05:
            cluster.advance(fuzzer.random.choice((0.01, 0.5, 3, 40)))
    cluster.settle(120)
    cluster.advance(60)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash(), (
        f"seed {seed} replays otherwise"
    )
