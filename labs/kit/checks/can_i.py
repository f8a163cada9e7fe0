"""``can-i``: whether somebody may do something, asked of the API server as ``kubectl auth can-i`` asks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from cluster_engine.kube_apiserver import ADMIN, Request
from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks.kind import LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.words import say

_PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@dataclass(frozen=True)
class CanIJudge:
    """Judges what a user or service account may do."""

    who: str
    verb: str
    resource: str
    group: str = ""
    namespace: str = "default"
    name: str = ""
    subresource: str = ""
    allowed: bool = True
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail. Asks on a fork."""
        attributes = {
            "verb": self.verb,
            "resource": self.resource,
            "group": self.group,
            "namespace": self.namespace,
            "name": self.name,
            "subresource": self.subresource,
        }
        groups = ["system:authenticated"]
        if self.who.startswith("system:serviceaccount:"):
            groups += ["system:serviceaccounts", f"system:serviceaccounts:{self.who.split(':')[2]}"]
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": self.who, "groups": groups, "resourceAttributes": attributes},
        }
        headers = {"content-type": "application/json", "accept": "application/json"}
        request = Request("POST", _PATH, [], headers, orjson.dumps(review), ADMIN)
        answer = orjson.loads(reader.fork().request(request).body)
        if answer["status"].get("allowed", False) is not self.allowed:
            resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
            what = f"{self.verb} {resource}"
            look = f"kubectl auth can-i {what} -n {self.namespace} --as={self.who}"
            expected = say("allowed" if self.allowed else "denied", who=self.who, what=f"`{what}`")
            raise Fail(expected, say("is_denied" if self.allowed else "is_allowed"), self.look or look)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """None: it has one rule."""
        return iter(())


def _build(data: Any, context: Context) -> Judge:
    more = {name: value for name, value in data.items() if name not in ("user", "serviceAccount")}
    account = data.get("serviceAccount")
    if account is None:
        return CanIJudge(who=data["user"], **more)
    namespace = account.get("namespace", more.get("namespace", "default"))
    return CanIJudge(who=f"system:serviceaccount:{namespace}:{account['name']}", **more)


KIND = CheckKind(
    "can-i",
    "Whether a user or a service account may do something.",
    {
        **mapping(
            ("verb", "resource"),
            user=NAME,
            serviceAccount=mapping(("name",), name=NAME, namespace=NAMESPACE),
            verb={"type": "string", "description": "a verb, like get, list, create"},
            resource={"type": "string", "description": "a resource, like pods"},
            group={"type": "string", "description": "the resource's API group, like apps"},
            namespace=NAMESPACE,
            name=NAME,
            subresource={"type": "string", "description": "a subresource, like log"},
            allowed={"type": "boolean", "description": "false: it must be refused"},
            look=LOOK,
        ),
        "oneOf": [{"required": ["user"]}, {"required": ["serviceAccount"]}],
    },
    _build,
)
