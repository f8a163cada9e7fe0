"""May they? A chain of authorizers, as kubeadm starts the API server: masters, Node, then RBAC.

A link is one file and one line in `authorizers`. Upstream's default roles are literal tables (`bootstrap_policy/`), and
objects from the first moment of a cluster.
"""

from cluster_engine.etcd import Store

from .bootstrap_policy import bootstrap_objects
from .chain import AuthorizerChain, denied, refusal
from .interface import Access, Authorizer, Decision, Rule, Rules
from .node import NodeAuthorizer
from .privileged_groups import PrivilegedGroups
from .rbac import RBACAuthorizer


def authorizers(store: Store, rbac: RBACAuthorizer) -> AuthorizerChain:
    """The chain of a cluster, in upstream's order."""
    chain = AuthorizerChain((PrivilegedGroups(), NodeAuthorizer(store), rbac))
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
    "bootstrap_objects",
    "denied",
    "refusal",
]
