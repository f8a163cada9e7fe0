"""May they? A chain of authorizers, as kubeadm starts the API server: masters, Node, then the default roles.

A link is one file and one line in `authorizers`; RBAC comes in the place of the literal default roles.
"""

from cluster_engine.etcd import Store

from .bootstrap_policy import BootstrapPolicy
from .chain import AuthorizerChain, refusal
from .interface import Access, Authorizer, Decision, Rule, Rules
from .node import NodeAuthorizer
from .privileged_groups import PrivilegedGroups


def authorizers(store: Store) -> AuthorizerChain:
    """The chain of a cluster, in upstream's order."""
    return AuthorizerChain((PrivilegedGroups(), NodeAuthorizer(store), BootstrapPolicy()))


__all__ = [
    "Access",
    "Authorizer",
    "AuthorizerChain",
    "Decision",
    "Rule",
    "Rules",
    "authorizers",
    "refusal",
]
