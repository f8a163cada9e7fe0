"""What a cloud brings for its own controller manager. Not upstream's: every provider has a role of its own."""

from __future__ import annotations

from .rules import EVENTS, READ, Rules, core

ROLE = "system:cloud-controller-manager"
SUBJECTS = ("ServiceAccount:kube-system/cloud-controller-manager",)
RULES: Rules = (
    core((*READ, "update"), "nodes", "services"),
    core(("delete",), "nodes"),
    core(("update",), "nodes/status", "services/status"),
    EVENTS,
)
