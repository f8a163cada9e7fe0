"""`kubectl get`, `logs`, `version`, `auth can-i`.

Models k8s.io/kubectl/pkg/cmd.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.kubectl import printing
from cluster_engine.container_runtime.kubectl.arguments import Arguments
from cluster_engine.container_runtime.kubectl.conversation import (
    JSON_TYPE,
    TABLE,
    Conversation,
    Failed,
    Refused,
    Resource,
    not_here,
)
from cluster_engine.container_runtime.kubectl.conversation import parsed as answered
from cluster_engine.container_runtime.kubectl.naming import (
    Files,
    body_of,
    named,
    namespace_of,
    seconds,
)
from cluster_engine.linux.text import characters

_NO_TYPE = (
    'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported '
    "resources.\n\n"
)
_NO_RESOURCE = """\
Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples"""


def get(given: Arguments, talk: Conversation, files: Files) -> int:
    form = given.value("output")
    printing.check(form)
    everywhere = given.yes("all-namespaces")
    if not given.words:
        talk.err(_NO_TYPE)
        raise Failed(_NO_RESOURCE)
    namespace = "" if everywhere else namespace_of(given, talk)
    wanted: list[tuple[Resource, list[str]]] = []
    if "/" in given.words[0]:
        for target in named(given, talk, given.words):
            wanted.append((target.resource, [target.name]))
    else:
        kinds = [resource for word in given.words[0].split(",") for resource in talk.resources(word)]
        wanted = [(resource, given.words[1:]) for resource in kinds]
    query = [
        (name, given.value(flag))
        for flag, name in (("selector", "labelSelector"), ("field-selector", "fieldSelector"))
        if given.value(flag)
    ]
    accept = TABLE if form in ("", "wide") else JSON_TYPE
    status, objects, tables = 0, list[JSON](), list[tuple[Resource, JSON]]()
    for resource, names in wanted:
        for name in names or [""]:
            try:
                path = resource.path(namespace, name)
                answer = talk.read("GET", path, () if name else query, accept=accept)
            except Refused as refusal:
                if refusal.code == 404 and given.yes("ignore-not-found"):
                    continue
                talk.err(f"{refusal.told()}\n")
                status = 1
                continue
            tables.append((resource, answer))
            objects += (
                [
                    {
                        "apiVersion": f"{resource.group}/{resource.version}".lstrip("/"),
                        "kind": resource.kind,
                        **item,
                    }
                    for item in answer.get("items") or ()
                ]
                if not name
                else [answer]
            )
    if accept == TABLE:
        _tables(given, talk, tables, namespace, several=len(wanted) > 1)
    elif form == "name":
        talk.out("".join(f"{_full(talk, obj)}/{obj['metadata']['name']}\n" for obj in objects))
    elif objects or not status:
        one = len(objects) == 1 and any(names for _, names in wanted)
        talk.out(printing.shown(objects[0] if one else printing.listed(objects), form))
    return status


def _full(talk: Conversation, obj: JSON) -> str:
    group = obj["apiVersion"].rpartition("/")[0]
    return f"{obj['kind'].lower()}.{group}" if group else obj["kind"].lower()


def _tables(
    given: Arguments,
    talk: Conversation,
    tables: list[tuple[Resource, JSON]],
    namespace: str,
    *,
    several: bool,
) -> None:
    merged: dict[Resource, JSON] = {}
    for resource, answer in tables:
        before = merged.get(resource)
        merged[resource] = (
            answer if before is None else {**before, "rows": [*before["rows"], *answer["rows"]]}
        )
    texts = [
        printing.table(
            answer,
            resource,
            wide=given.value("output") == "wide",
            headers=not given.yes("no-headers"),
            namespaces=given.yes("all-namespaces") and resource.namespaced,
            labels=given.yes("show-labels"),
            prefix=several,
        )
        for resource, answer in merged.items()
        if answer.get("rows")
    ]
    talk.out("\n".join(texts))
    if not texts and tables and not given.yes("ignore-not-found"):
        named = namespace and any(resource.namespaced for resource, _ in tables)
        talk.err(f"No resources found in {namespace} namespace.\n" if named else "No resources found\n")


def logs(given: Arguments, talk: Conversation, files: Files) -> int:
    if len(given.words) != 1:
        raise Failed("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.")
    kind, slash, name = given.words[0].rpartition("/")
    if slash and kind not in ("pod", "pods", "po"):
        not_here(f"kubectl logs of {kind}")
    query = [("container", given.value("container"))] if given.value("container") else []
    if given.value("tail", "-1") != "-1":
        query.append(("tailLines", given.value("tail")))
    if given.yes("previous"):
        query.append(("previous", "true"))
    if given.yes("timestamps"):
        query.append(("timestamps", "true"))
    if given.value("since"):
        query.append(("sinceSeconds", str(seconds(given.value("since")))))
    path = f"/api/v1/namespaces/{namespace_of(given, talk)}/pods/{name}/log"
    if given.yes("follow"):
        status, text = talk.follow(path, [("follow", "true"), *query])
    else:
        status, text = talk.ask("GET", path, query)
    if status == 404:
        message = answered(text).get("message")
        raise Failed(f'error from server (NotFound): {message} in namespace "{namespace_of(given, talk)}"')
    if status >= 400:
        raise Refused(status, answered(text))
    talk.out(characters(text))
    return 0


def version(given: Arguments, talk: Conversation, files: Files) -> int:
    talk.out("Client Version: v1.37.0\nKustomize Version: v5.7.1\n")
    if not given.yes("client"):
        talk.out(f"Server Version: {talk.read('GET', '/version')['gitVersion']}\n")
    return 0


def auth(given: Arguments, talk: Conversation, files: Files) -> int:
    if given.words[:1] != ["can-i"]:
        not_here(f"kubectl auth {' '.join(given.words[:1])}".rstrip())
    if len(given.words) != 3:
        raise Failed("you must specify two arguments: verb resource or verb resource/resourceName.")
    _, verb, what = given.words
    word, _, name = what.partition("/")
    resource = talk.resource(word) if word != "*" else Resource("*", "*", "*", "*", True)
    attributes = {"verb": verb, "group": resource.group, "resource": resource.plural}
    if name:
        attributes["name"] = name
    if not resource.namespaced:
        talk.err(f"Warning: resource '{resource.plural}' is not namespace scoped\n\n")
    elif not given.yes("all-namespaces"):
        attributes["namespace"] = namespace_of(given, talk)
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = talk.read("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body_of(review))
    allowed = bool((answer.get("status") or {}).get("allowed"))
    talk.out("" if given.yes("quiet") else "yes\n" if allowed else "no\n")
    return 0 if allowed else 1
