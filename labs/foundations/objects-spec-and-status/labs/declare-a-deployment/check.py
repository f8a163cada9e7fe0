"""The check of *Declare a Deployment* that reads what was applied."""

import json

from labs.kit.checking import Fail, Reader

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def declared(cluster: Reader) -> None:
    deployment = cluster.need("deployments", "web")
    look = "kubectl apply view-last-applied deployment/web"
    if any(
        entry.get("operation") == "Apply" and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in deployment["metadata"].get("managedFields", ())
    ):
        # Server-side apply: the field is owned by an applier, so its value is the applied one.
        replicas = deployment["spec"]["replicas"]
    else:
        applied = deployment["metadata"].get("annotations", {}).get(LAST_APPLIED)
        if applied is None:
            raise Fail(cluster.say("applied"), cluster.say("never"), look)
        replicas = json.loads(applied).get("spec", {}).get("replicas")
    if replicas != 3:
        raise Fail(cluster.say("applied"), f"`replicas: {replicas}`", look)
