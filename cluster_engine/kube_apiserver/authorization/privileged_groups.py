"""The group system:masters may do anything, whatever anybody else thinks.

Models k8s.io/apiserver/pkg/authorization/authorizerfactory (NewPrivilegedGroups).
"""

from __future__ import annotations

from ..types import UserInfo
from .interface import ALLOW, NO_OPINION, Access, Decision, Rules

MASTERS = "system:masters"


class PrivilegedGroups:
    """The first link, so that nobody can lock the administrator out."""

    def decide(self, asked: Access) -> Decision:
        """Allow or no opinion."""
        return ALLOW if MASTERS in asked.user.groups else NO_OPINION

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        """Nothing: that masters may do all is listed as a role of theirs, as upstream."""
        return Rules()
