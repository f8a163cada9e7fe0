"""Whether a container that has ended is started again: its rules by exit code, its own policy, its Pod's. Pure.

Models pkg/api/v1/pod/util.go (ContainerShouldRestart, FindMatchingContainerRestartRule, AllContainersCouldRestart).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

RESTART, RESTART_ALL = "Restart", "RestartAllContainers"
"""The actions of a rule: that container begins anew, or all of the Pod where it is."""


def action_of(container: JSON, exit_code: int) -> str | None:
    """The action of the first rule that the end meets; None when there is none."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            action: str = rule.get("action") or ""
            return action
    return None


def should_restart(container: JSON, pod_policy: str, exit_code: int) -> bool:
    """Whether it begins anew; ``pod_policy``: its Pod's ``restartPolicy``."""
    if action_of(container, exit_code) in (RESTART, RESTART_ALL):
        return True
    policy = container.get("restartPolicy") or pod_policy
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def could_restart_all(pod_spec: JSON) -> bool:
    """Whether a container's end may have all of them begin anew."""
    for kind in ("initContainers", "containers"):
        for container in pod_spec.get(kind) or ():
            for rule in container.get("restartPolicyRules") or ():
                if rule.get("action") == RESTART_ALL:
                    return True
    return False
