"""The authorizers of a cluster, asked in order until one allows or denies.

Models k8s.io/apiserver/pkg/authorization/union and pkg/endpoints/filters/authorization.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.errors import ApiError

from ..types import UserInfo
from .interface import NO_OPINION, Access, Authorizer, Decision, Rules


class AuthorizerChain:
    """Asks each link; who has no opinion leaves it to the next. Nobody's opinion is a refusal."""

    def __init__(self, links: Sequence[Authorizer]) -> None:
        self._links = tuple(links)
        self.generation = 0
        """Counts the changes; who remembers an answer asks again when it has moved."""

    def changed(self) -> None:
        """To be called by a link whose answers may now be others (a role, a binding)."""
        self.generation += 1

    def decide(self, asked: Access) -> Decision:
        """The first opinion, or none with all the reasons."""
        reasons = []
        for link in self._links:
            decision = link.decide(asked)
            if decision.verdict != "no opinion":
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return NO_OPINION._replace(reason="\n".join(reasons)) if reasons else NO_OPINION

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        """What the user may do in a namespace, as far as it can be listed."""
        found = [link.rules(user, namespace) for link in self._links]
        return Rules(
            tuple(rule for rules in found for rule in rules.resources),
            tuple(rule for rules in found for rule in rules.paths),
            ", ".join(rules.problem for rules in found if rules.problem),
        )

    def check(self, asked: Access) -> Decision:
        """The decision that allows it. Raises ApiError 403 in upstream's words."""
        decision = self.decide(asked)
        if not decision.allowed:
            raise denied(asked, decision)
        return decision


def denied(asked: Access, decision: Decision) -> ApiError:
    """The 403 that tells whoever asked, in upstream's words."""
    qualified = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    why = refusal(asked)
    return errors.forbidden(qualified, asked.name, f"{why}: {decision.reason}" if decision.reason else why)


def refusal(asked: Access) -> str:
    """What somebody may not do (responsewriters.ForbiddenMessage)."""
    who = f'User "{asked.user.username}" cannot {asked.verb}'
    if not asked.resource:
        return f'{who} path "{asked.path}"'
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return f'{who} resource "{asked.whole_resource}" in API group "{asked.group}" {where}'
