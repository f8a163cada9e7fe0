"""The check of *Two containers, one Pod* that follows a volume through two containers."""

from labs.kit.checking import Fail, Reader
from labs.kit.words import say

LOOK = "kubectl get pod notebook -o yaml"
HTML = "/usr/share/nginx/html"


def shared_volume(cluster: Reader) -> None:
    spec = cluster.need("pods", "notebook")["spec"]
    empty = {volume["name"] for volume in spec.get("volumes", ()) if "emptyDir" in volume}
    mounts = {
        container["name"]: {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", ())}
        for container in spec["containers"]
    }
    shared = sorted(empty & set(mounts.get("web", {})) & set(mounts.get("writer", {})))
    if not shared:
        raise Fail(cluster.say("mount"), say("nothing"), LOOK)
    path = mounts["web"][shared[0]]
    if path.rstrip("/") != HTML:
        raise Fail(cluster.say("place"), f"`{path}`", LOOK)
