"""The check of *Roll on change* that goes back a revision, as `kubectl rollout undo` does."""

import orjson

from cluster_engine.kube_apiserver import ADMIN, Request
from labs.kit.checking import Fail, Reader

DISPLAY = "/apis/apps/v1/namespaces/default/deployments/display"
REVISION = "deployment.kubernetes.io/revision"
LOOK = "kubectl rollout history deployment/display"


def undo(cluster: Reader) -> None:
    trial = cluster.fork()
    deployment = cluster.need("deployments", "display")
    sets = [
        found
        for found in cluster.list("replicasets", "default", "app=display")
        if any(
            owner["uid"] == deployment["metadata"]["uid"]
            for owner in found["metadata"].get("ownerReferences", ())
        )
    ]
    sets.sort(key=lambda found: int(found["metadata"].get("annotations", {}).get(REVISION, "0")))
    if len(sets) < 2:
        raise Fail(cluster.say("summer"), cluster.say("single"), LOOK)
    template = sets[-2]["spec"]["template"]
    labels = {
        key: value for key, value in template["metadata"]["labels"].items() if key != "pod-template-hash"
    }
    back = {"metadata": {"labels": labels}, "spec": template["spec"]}
    patch = orjson.dumps([{"op": "replace", "path": "/spec/template", "value": back}])
    trial.request(
        Request("PATCH", DISPLAY, [], {"content-type": "application/json-patch+json"}, patch, ADMIN)
    )
    trial.advance(90)
    after = cluster.on(trial)
    lines = [
        (after.logs(pod["metadata"]["name"], "display") or [""])[-1].strip()
        for pod in after.list("pods", "default", "app=display")
    ]
    other = next((line for line in lines if not line.endswith("summer")), None)
    if other is not None or not lines:
        raise Fail(cluster.say("summer"), f"`{other or '-'}`", LOOK)
