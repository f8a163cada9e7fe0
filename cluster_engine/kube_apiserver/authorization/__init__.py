"""May they? A chain of authorizers, as kubeadm starts the API server: masters, Node, then RBAC.

A link is one file and one line in `authorizers`. What upstream's default roles give to components is a literal table
(`bootstrap_policy.py`); roles and bindings that are objects come last (`rbac.py`).
"""

from cluster_engine.etcd import Store

from .bootstrap_policy import BootstrapPolicy
from .chain import AuthorizerChain, denied, refusal
from .interface import Access, Authorizer, Decision, Rule, Rules
from .node import NodeAuthorizer
from .privileged_groups import PrivilegedGroups
from .rbac import RBACAuthorizer


def authorizers(store: Store, rbac: RBACAuthorizer) -> AuthorizerChain:
    """The chain of a cluster, in upstream's order."""
    chain = AuthorizerChain((PrivilegedGroups(), NodeAuthorizer(store), BootstrapPolicy(), rbac))
    rbac.follow(chain.changed)
    return chain


__all__ = [
    "Access",
    "Authorizer",
    "AuthorizerChain",
    "Decision",
    "RBACAuthorizer",
    "Rule",
    "Rules",
    "authorizers",
    "denied",
    "refusal",
]
