"""Whom a container's process runs as. Pure.

Models pkg/kubelet/kuberuntime/security_context.go and what containerd makes of it (supplementalGroupsPolicy Merge).
"""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON


class User(NamedTuple):
    """Numbers of a user, its first group and all its groups, in order."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def user_of(pod_spec: JSON, container: JSON, image_uid: int) -> User:
    """The container's user; ``image_uid`` is the one that the image names."""
    level, own = pod_spec.get("securityContext") or {}, container.get("securityContext") or {}
    uid = own.get("runAsUser", level.get("runAsUser"))
    gid = own.get("runAsGroup", level.get("runAsGroup")) or 0
    groups = {gid, *(level.get("supplementalGroups") or ())}
    if level.get("fsGroup") is not None:
        groups.add(level["fsGroup"])
    return User(image_uid if uid is None else uid, gid, tuple(sorted(groups)))


def refusal(pod_spec: JSON, container: JSON, image_uid: int, pod: str) -> str:
    """Why the container may not run as root (verifyRunAsNonRoot); "" when it may, or does not."""
    level, own = pod_spec.get("securityContext") or {}, container.get("securityContext") or {}
    if not own.get("runAsNonRoot", level.get("runAsNonRoot")):
        return ""
    uid = own.get("runAsUser", level.get("runAsUser"))
    where = f'(pod: "{pod}", container: {container["name"]})'
    if uid == 0:
        return f"container's runAsUser breaks non-root policy {where}"
    if uid is None and image_uid == 0:
        return f"container has runAsNonRoot and image will run as root {where}"
    return ""


def token_owner(pod_spec: JSON) -> int | None:
    """The user to whom a projected token belongs: the one that all containers run as (FsUserFrom)."""
    level = pod_spec.get("securityContext") or {}
    every = (*pod_spec["containers"], *(pod_spec.get("initContainers") or ()))
    found = {(c.get("securityContext") or {}).get("runAsUser", level.get("runAsUser")) for c in every}
    return found.pop() if len(found) == 1 else None
