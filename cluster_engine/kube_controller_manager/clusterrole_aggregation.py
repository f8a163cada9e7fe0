"""The aggregation controller: a ClusterRole that gathers holds the rules of all that its selectors pick.

Models pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import SelectorError, compile_selector
from cluster_engine.component import Context, Controller

_CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io"


def gathered(role: JSON, roles: Sequence[JSON]) -> list[JSON]:
    """The rules that a gathering role is to have: of the others, in the order of their names, each rule once."""
    rules: list[JSON] = []
    for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
        try:
            wanted = compile_selector(selector)
        except SelectorError:
            continue
        for other in roles:
            if other["metadata"]["name"] == role["metadata"]["name"]:
                continue
            if wanted.matches(other["metadata"].get("labels") or {}):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
    return rules


class ClusterRoleAggregationController(Controller):
    """Keeps the rules of the roles with an ``aggregationRule``."""

    name = "clusterrole-aggregation-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.roles = ctx.informers.of(_CLUSTER_ROLES)
        self.roles.on(
            add=self._changed, update=lambda change: self._changed(change.new), delete=self._changed
        )

    def _changed(self, role: JSON) -> None:
        """Any of them may have gathered it."""
        for other in self.roles.list():
            if other.get("aggregationRule") is not None:
                self.queue.add(other["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        role = self.roles.get(key)
        if role is None or role.get("aggregationRule") is None:
            return
        rules = gathered(role, self.roles.list())
        if rules != (role.get("rules") or []):
            self.client.update(_CLUSTER_ROLES, {**role, "rules": rules})
