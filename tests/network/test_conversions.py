# ruff: noqa: E501 (one case a line)
"""Conversion webhooks: custom resources in all their versions, and what is said when the webhook fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, RequestContext, conversion, webhook_client
from tests.network import webhooks
from tests.network.test_conformance_webhooks import CRDS, Api
from tests.network.webhooks import bundle, cluster_with_webhook, hosts, objects

JSON = dict[str, Any]
CRD = f"{CRDS}/tests.stable.example.com"
NAME = "tests.stable.example.com"
V1, V2 = (f"/apis/stable.example.com/{version}/namespaces/default/tests" for version in ("v1", "v2"))
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
ABOUT = "conversion webhook for stable.example.com/v1, Kind=Test"
POST = 'Post "https://hooks.default.svc:443/{}?timeout=30s"'
X509 = "tls: failed to verify certificate: x509: "


def thing(name: str, version: str = "v1", **fields: Any) -> JSON:
    """An object; fields of its metadata begin with ``meta_``."""
    meta = {key.removeprefix("meta_"): value for key, value in fields.items() if key.startswith("meta_")}
    rest = {key: value for key, value in fields.items() if not key.startswith("meta_")}
    head = {"apiVersion": f"stable.example.com/{version}", "kind": "Test"}
    return {**head, "metadata": {"name": name, **meta}, **rest}


def own(obj: JSON) -> JSON:
    """What an object says beside its metadata."""
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = cluster_with_webhook("crd-conversion-webhook")
    cluster.apply(hosts())
    assert cluster.settle()
    return cluster


@pytest.fixture
def api(base: Cluster) -> Api:
    return Api(base.fork())


def stored(api: Api, name: str) -> JSON:
    found = api.cluster.get("tests.stable.example.com", name)
    assert found is not None
    return found


def status(api: Api, path: str) -> int:
    return api.cluster.request(Request("GET", path, [], {}, b"", ADMIN)).status


def redefine(api: Api, **change: Any) -> JSON:
    made = api("PUT", CRD, {**api("GET", CRD), "spec": hosts(**change)["spec"]})
    api.cluster.settle()
    assert isinstance(made, dict), made
    return made


# ---- upstream's conformance suite ------------------------------------------------------------------------


def from_first_to_second(api: Api) -> None:
    api("POST", V1, thing("cr-instance-1", hostPort="localhost:8080"))
    found = api("GET", f"{V2}/cr-instance-1")
    assert found["apiVersion"] == "stable.example.com/v2"
    assert own(found) == {"host": "localhost", "port": "8080"}


def mixed_list(api: Api) -> None:
    api("POST", V1, thing("cr-instance-1", hostPort="localhost:8080"))
    redefine(api, stored="v2")
    api("POST", V2, thing("cr-instance-2", "v2", host="localhost", port="8080"))
    kept = [stored(api, f"cr-instance-{number}")["apiVersion"] for number in (1, 2)]
    assert kept == ["stable.example.com/v1", "stable.example.com/v2"]
    assert [own(obj) for obj in api("GET", V2)["items"]] == [{"host": "localhost", "port": "8080"}] * 2
    assert [own(obj) for obj in api("GET", V1)["items"]] == [{"hostPort": "localhost:8080"}] * 2


_CONVERSION = (
    "[sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able to convert"
)
CONVERTED: dict[str, Callable[[Api], None]] = {
    f"{_CONVERSION} a non homogeneous list of CRs": mixed_list,
    f"{_CONVERSION} from CR v1 to CR v2": from_first_to_second,
}


@pytest.mark.parametrize("codename", CONVERTED)
def test_a_conversion(api: Api, codename: str) -> None:
    CONVERTED[codename](api)
    api.cluster.advance(10)
    assert Cluster.replay(api.cluster.journal).state_hash() == api.cluster.state_hash()


# ---- what holds -------------------------------------------------------------------------------------------


def test_writes_in_any_version_are_stored_in_one(api: Api) -> None:
    assert own(api("POST", V2, thing("a", "v2", host="h", port="1"))) == {"host": "h", "port": "1"}
    assert (stored(api, "a")["apiVersion"], own(stored(api, "a"))) == (
        "stable.example.com/v1",
        {"hostPort": "h:1"},
    )
    live = api("GET", f"{V2}/a")
    assert own(api("PUT", f"{V2}/a", {**live, "port": "2"})) == {"host": "h", "port": "2"}
    assert own(api("PATCH", f"{V2}/a", {"host": "i"}, MERGE)) == {"host": "i", "port": "2"}
    assert own(stored(api, "a")) == {"hostPort": "i:2"}
    dry = api("PATCH", f"{V2}/a?dryRun=All", {"host": "j"}, MERGE)
    assert (own(dry), own(stored(api, "a"))) == ({"host": "j", "port": "2"}, {"hostPort": "i:2"})
    assert api("DELETE", f"{V2}/a")["status"] == "Success"


def test_who_owns_what_is_told_in_the_versions_of_the_owners(api: Api) -> None:
    api("PATCH", f"{V1}/a?fieldManager=one", thing("a", hostPort="h:1"), APPLY)
    refused = api("PATCH", f"{V2}/a?fieldManager=two", thing("a", "v2", port="2"), APPLY)
    assert refused == (409, 'Apply failed with 1 conflict: conflict with "one": .hostPort')
    done = api("PATCH", f"{V2}/a?fieldManager=two&force=true", thing("a", "v2", port="2"), APPLY)
    assert own(done) == {"host": "h", "port": "2"}
    owned = {e["manager"]: (e["apiVersion"], e["fieldsV1"]) for e in done["metadata"]["managedFields"]}
    assert owned == {"two": ("stable.example.com/v2", {"f:port": {}})}


def test_what_is_selected_is_what_was_converted(api: Api) -> None:
    redefine(
        api,
        v1={"selectableFields": [{"jsonPath": ".hostPort"}]},
        v2={"selectableFields": [{"jsonPath": ".host"}]},
    )
    for name, where in (("a", "x:1"), ("b", "y:1")):
        api("POST", V1, thing(name, hostPort=where, meta_labels={"app": name}))

    def names(path: str) -> Any:
        found = api("GET", path)
        return [obj["metadata"]["name"] for obj in found["items"]] if isinstance(found, dict) else found

    assert names(f"{V2}?fieldSelector=host=y") == ["b"]
    assert names(f"{V1}?fieldSelector=hostPort=x:1") == ["a"]
    assert names(f"{V1}?fieldSelector=host=y") == (400, "field label not supported: host")
    assert names(f"{V2}?labelSelector=app=a") == ["a"]
    page = api("GET", f"{V2}?limit=1")
    assert names(f"{V2}?limit=1&continue={page['metadata']['continue']}") == ["b"]
    gone = api("DELETE", f"{V2}?fieldSelector=host=y")
    assert [own(obj) for obj in gone["items"]] == [{"host": "y", "port": "1"}]
    assert names(V2) == ["a"]


def test_tables_and_partial_objects(api: Api) -> None:
    redefine(api, v2={"additionalPrinterColumns": [{"name": "Host", "type": "string", "jsonPath": ".host"}]})
    api("POST", V1, thing("a", hostPort="h:1"))

    def shown(path: str, form: str, include: str = "Object") -> JSON:
        accept = f"application/json;as={form};v=v1;g=meta.k8s.io"
        query = [("includeObject", include)] if form == "Table" else []
        reply = api.cluster.request(Request("GET", path, query, {"accept": accept}, b"", ADMIN))
        found: JSON = orjson.loads(reply.body)
        return found

    for path in (V2, f"{V2}/a"):
        [row] = shown(path, "Table")["rows"]
        assert (row["cells"], own(row["object"])) == (["a", "h"], {"host": "h", "port": "1"})
    assert shown(f"{V2}/a", "PartialObjectMetadata")["metadata"]["name"] == "a"


def test_a_watch_shows_its_version(api: Api) -> None:
    api("POST", V1, thing("a", hostPort="h:1", meta_labels={"app": "a"}))
    streams = [
        api.cluster.request(Request("GET", V2, [("watch", "true"), *more], {}, b"", ADMIN)).stream
        for more in ([], [("labelSelector", "app=a")])
    ]
    api("PATCH", f"{V1}/a", {"hostPort": "h:2"}, MERGE)
    api("PATCH", f"{V1}/a", {"metadata": {"labels": None}}, MERGE)
    for stream, last in zip(streams, ("MODIFIED", "DELETED"), strict=True):
        assert stream is not None
        frames = [orjson.loads(line) for line in stream.take().splitlines()]
        assert [(f["type"], own(f["object"])) for f in frames] == [
            ("ADDED", {"host": "h", "port": "1"}),
            ("MODIFIED", {"host": "h", "port": "2"}),
            (last, {"host": "h", "port": "2"}),
        ]
        assert {f["object"]["apiVersion"] for f in frames} == {"stable.example.com/v2"}


def test_objects_move_to_the_storage_version_when_they_are_written(api: Api) -> None:
    api("POST", V1, thing("a", hostPort="h:1"))
    assert redefine(api, stored="v2")["status"]["storedVersions"] == ["v1", "v2"]
    assert stored(api, "a")["apiVersion"] == "stable.example.com/v1"
    api("POST", V1, thing("b", hostPort="i:1"))
    assert own(stored(api, "b")) == {"host": "i", "port": "1"}
    said = api("PATCH", f"{CRD}/status", {"status": {"storedVersions": ["v1"]}}, MERGE)
    assert "must have the storage version v2" in said[1]
    # A write that changes nothing moves it all the same: so storage is migrated.
    before = stored(api, "a")["metadata"]["resourceVersion"]
    assert own(api("PUT", f"{V1}/a", api("GET", f"{V1}/a"))) == {"hostPort": "h:1"}
    assert own(stored(api, "a")) == {"host": "h", "port": "1"}
    assert stored(api, "a")["metadata"]["resourceVersion"] != before
    done = api("PATCH", f"{CRD}/status", {"status": {"storedVersions": ["v2"]}}, MERGE)
    assert done["status"]["storedVersions"] == ["v2"]


def test_a_component_changes_what_is_stored_in_an_older_version(api: Api) -> None:
    """An owner goes and leaves its object, which the garbage collector writes as it has read it."""
    owner = api("POST", V1, thing("owner", hostPort="o:1"))["metadata"]["uid"]
    reference = {"apiVersion": "stable.example.com/v1", "kind": "Test", "name": "owner", "uid": owner}
    api("POST", V1, thing("a", hostPort="h:1", meta_ownerReferences=[reference]))
    redefine(api, stored="v2")
    context = RequestContext(ADMIN, manager="component", trusted=True)
    changed = {**stored(api, "a"), "hostPort": "h:2"}
    api.cluster.server.registry.update(context, NAME, "default", "a", changed)
    assert own(stored(api, "a")) == {"host": "h", "port": "2"}
    api("DELETE", f"{V1}/owner?propagationPolicy=Orphan")
    assert api.cluster.settle()
    assert "ownerReferences" not in stored(api, "a")["metadata"]
    assert status(api, f"{V1}/owner") == 404
    assert own(stored(api, "a")) == {"host": "h", "port": "2"}


def test_who_only_reads_changes_nothing(api: Api) -> None:
    api("POST", V1, thing("a", hostPort="h:1"))
    before, entries = api.cluster.state_hash(), len(api.cluster.journal.entries)
    for path in (V2, f"{V2}/a", f"{V2}?labelSelector=a!=b"):
        assert isinstance(api("GET", path), dict)
    assert own(api("PATCH", f"{V2}/a?dryRun=All", {"host": "j"}, MERGE))["host"] == "j"
    assert (api.cluster.state_hash(), len(api.cluster.journal.entries)) == (before, entries)


def test_a_write_is_told_of_in_the_log_and_at_a_replay(api: Api) -> None:
    def lines() -> int:
        reply = api.cluster.request(
            Request("GET", "/api/v1/namespaces/default/pods/hooks/log", [], {}, b"", ADMIN)
        )
        return reply.body.count(b"converting crd")

    before = lines()
    api("POST", V2, thing("a", "v2", host="h", port="1"))
    assert lines() == before + 1
    api("GET", f"{V2}/a")
    assert lines() == before + 1
    api.cluster.advance(10)
    assert Cluster.replay(api.cluster.journal).state_hash() == api.cluster.state_hash()


def test_a_webhook_sees_the_version_that_it_asks_for(api: Api) -> None:
    """An admission policy of v1 judges what was sent as v2."""
    rule = {
        "apiGroups": ["stable.example.com"],
        "apiVersions": ["v1"],
        "operations": ["*"],
        "resources": ["tests"],
    }
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.hostPort != 'bad:1'", "message": "no bad host"}],
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1"}
    api.cluster.apply(
        {**head, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": policy}
    )
    binding = {"policyName": "p", "validationActions": ["Deny"]}
    api.cluster.apply(
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": binding}
    )
    assert isinstance(api("POST", V2, thing("a", "v2", host="good", port="1")), dict)
    assert api("POST", V2, thing("b", "v2", host="bad", port="1"))[1].endswith("denied request: no bad host")


def test_a_definition_goes_while_its_objects_are_converted(api: Api) -> None:
    for number in range(3):
        api("POST", V2, thing(f"a{number}", "v2", host="h", port="1"))
    stream = api.cluster.request(Request("GET", V2, [("watch", "true")], {}, b"", ADMIN)).stream
    assert stream is not None
    stream.take()
    api("DELETE", CRD)
    assert api.cluster.settle()
    frames = [orjson.loads(line) for line in stream.take().splitlines()]
    assert {f["type"] for f in frames} == {"DELETED"}
    assert {f["object"]["apiVersion"] for f in frames} == {"stable.example.com/v2"}
    assert status(api, V2) == 404


def test_five_hundred_objects_in_few_questions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    post = webhook_client.post

    def counted(*args: Any, **more: Any) -> JSON:
        asked.append(len(args[4]["request"]["objects"]))
        return post(*args, **more)

    for number in range(501):
        api("POST", V1, thing(f"a{number:03}", hostPort=f"h:{number}"))
    monkeypatch.setattr(webhook_client, "post", counted)
    found = api("GET", V2)["items"]
    assert [obj["port"] for obj in found] == [str(number) for number in range(501)]
    assert asked == [500, 1]
    asked.clear()
    monkeypatch.setattr(conversion, "BATCH_BYTES", 40_000)
    assert len(api("GET", V2)["items"]) == 501
    assert sum(asked) == 501
    assert 3 < len(asked) < 12


# ---- what is said when it does not ------------------------------------------------------------------------

SILENT: JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "hooks", "namespace": "default", "labels": {"app": "hooks"}},
    "spec": {
        "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 1d | nc -l -p 8444"]}]
    },
}
HANGS_UP: JSON = {
    **SILENT,
    "spec": {
        "containers": [
            {"name": "c", "image": "busybox", "command": ["sh", "-c", "nc -l -p 8444 < /dev/null"]}
        ]
    },
}

# id: (the Pod, the change of the client configuration, what is said)
CALLS: dict[str, tuple[JSON | None, JSON, str]] = {
    "no Pod": (None, {}, "{post}: dial tcp {ip}:443: connect: connection refused"),
    "another authority": (objects()[1], {"caBundle": bundle(2)}, f"{{post}}: {X509}certificate signed by unknown authority"),
    "silent": (SILENT, {}, "{post}: context deadline exceeded"),
    "it hangs up": (HANGS_UP, {}, "{post}: EOF"),
    "another path": (objects(command="crd-conversion-webhook")[1], {"path": "/no"}, "the server could not find the requested resource"),
    "garbage": (
        objects()[1], {"path": "/readyz"},
        "couldn't get version/kind; json parse error: invalid character 'o' looking for beginning of value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_a_call_that_fails(api: Api, case: str) -> None:
    pod, change, said = CALLS[case]
    api("POST", V1, thing("a", hostPort="h:1"))
    watch = api.cluster.request(Request("GET", V2, [("watch", "true")], {}, b"", ADMIN)).stream
    assert watch is not None
    watch.take()
    path = str(change.pop("path", "/crdconvert"))
    redefine(api, conversion=webhooks.conversion(path, **change))
    api.cluster.delete("pods", "hooks")
    assert api.cluster.settle()
    if pod is not None:
        api.cluster.apply(pod)
        assert api.cluster.settle()
    service = api.cluster.get("services", "hooks")
    assert service is not None
    post = POST.format(path.removeprefix("/"))
    wanted = (500, f"{ABOUT} failed: {said.format(post=post, ip=service['spec']['clusterIP'])}")
    for question in (f"{V2}/a", V2, f"{V2}?labelSelector=a!=b"):
        assert api("GET", question) == wanted
    assert api("PATCH", f"{V2}/a?dryRun=All", {"host": "i"}, MERGE) == wanted
    assert api("DELETE", f"{V2}/a?dryRun=All") == wanted
    second = wanted[1].replace("v1, Kind", "v2, Kind")
    assert api("POST", V2, thing("b", "v2", host="h", port="1")) == (500, second)
    # The version that is stored needs nobody.
    assert own(api("PATCH", f"{V1}/a", {"hostPort": "h:2"}, MERGE)) == {"hostPort": "h:2"}
    assert api("DELETE", f"{V1}/a")["status"] == "Success"


def test_a_watch_ends_with_the_error(api: Api) -> None:
    stream = api.cluster.request(Request("GET", V2, [("watch", "true")], {}, b"", ADMIN)).stream
    assert stream is not None
    api.cluster.delete("pods", "hooks")
    assert api.cluster.settle()
    api("POST", V1, thing("a", hostPort="h:1"))
    [frame] = [orjson.loads(line) for line in stream.take().splitlines()]
    assert (frame["type"], frame["object"]["code"], frame["object"]["reason"]) == (
        "ERROR",
        500,
        "InternalError",
    )
    assert frame["object"]["message"].startswith(f"{ABOUT} failed: Post")
    assert stream.closed


def test_the_converter_refuses(api: Api) -> None:
    api("POST", V1, thing("a", hostPort="nowhere"))
    wanted = (500, f"{ABOUT} failed: invalid hostPort value `nowhere`")
    assert api("GET", f"{V2}/a") == wanted
    api("POST", V1, thing("b", hostPort="h:1"))
    assert api("GET", V2) == wanted


def answered(**change: Any) -> Callable[[JSON], JSON]:
    """A review with this response."""

    def of(review: JSON) -> JSON:
        objects = [{**obj, "apiVersion": "stable.example.com/v2"} for obj in review["request"]["objects"]]
        response = {
            "uid": review["request"]["uid"],
            "convertedObjects": objects,
            "result": {"status": "Success"},
            **change,
        }
        return {"kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response}

    return of


def changed(change: Callable[[JSON], Any]) -> Callable[[JSON], JSON]:
    """A review whose objects were changed."""

    def of(review: JSON) -> JSON:
        made = answered()(review)
        made["response"]["convertedObjects"] = [change(obj) for obj in made["response"]["convertedObjects"]]
        return made

    return of


def meta(**change: Any) -> Callable[[JSON], JSON]:
    return changed(lambda obj: {**obj, "metadata": {**obj["metadata"], **change}})


ONE, MANY = " object", " converted object at index 1"

# id: (the answer, what is said of one object, and of several where that is something else)
ANSWERS: dict[str, tuple[Callable[[JSON], JSON], str, str]] = {
    "nothing": (
        lambda review: {**answered()(review), "response": None},
        " failed: no response provided", "",
    ),
    "another kind": (
        lambda review: {**answered()(review), "kind": "Pod", "apiVersion": "v1"},
        " failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /v1, Kind=Pod", "",
    ),
    "no kind": (
        lambda review: {"response": answered()(review)["response"]},
        " failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=", "",
    ),
    "another uid": (answered(uid="x"), ' failed: expected response.uid="{uid}", got "x"', ""),
    "no result": (answered(result=None), " failed: response.result.status was '', not 'Success'", ""),
    "failure": (answered(result={"status": "Failure"}), " failed: response.result.status was 'Failure', not 'Success'", ""),
    "failure with words": (answered(result={"status": "Failure", "message": "no way"}), " failed: no way", ""),
    "too few": (answered(convertedObjects=[]), " returned 0 objects, expected 1", " returned 0 objects, expected 2"),
    "no object": (
        changed(lambda obj: {"a": 1}),
        "Object 'Kind' is missing in '{{\"a\":1}}'",
        " returned invalid converted object at index 0: Object 'Kind' is missing in '{{\"a\":1}}'",
    ),
    "not converted": (
        changed(lambda obj: {**obj, "apiVersion": "stable.example.com/v1"}),
        " returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)",
        " returned invalid converted object at index 1: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)",
    ),
    "another kind of object": (
        changed(lambda obj: {**obj, "kind": "Toast"}),
        " returned invalid object at index 0: invalid kind (expected Test, received Toast)",
        " returned invalid converted object at index 1: invalid kind (expected Test, received Toast)",
    ),
    "another name": (
        meta(name="x"), f" returned invalid{ONE}: must have the same name: a != x",
        f" returned invalid{MANY}: must have the same name: a != x",
    ),
    "another namespace": (meta(namespace="x"), f" returned invalid{ONE}: must have the same namespace: default != x", "-"),
    "another UID": (meta(uid="x"), f" returned invalid{ONE}: must have the same UID: {{own}} != x", "-"),
    "no metadata": (
        changed(lambda obj: {name: value for name, value in obj.items() if name != "metadata"}),
        f" returned invalid{ONE}: must have the same name: a != ", "-",
    ),
    "labels that are none": (
        meta(labels=["a"]), " returned invalid metadata: invalid metadata.labels of type []interface {{}} in converted object",
        " returned invalid metadata in object at index 1: invalid metadata.labels of type []interface {{}} in converted object",
    ),
    "a label that is a number": (
        meta(labels={"a": 1}), " returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object", "-",
    ),
    "a label that is not valid": (
        meta(labels={"a": "b c"}), ' returned invalid metadata: metadata.labels: Invalid value: "b c": a valid label', "-",
    ),
    "an annotation that is not valid": (
        meta(annotations={"a b": "c"}), ' returned invalid metadata: metadata.annotation: Invalid value: "a b": name part', "-",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_an_odd_answer(api: Api, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, one, many = ANSWERS[case]
    reviews: list[JSON] = []

    def post(nodes: Any, store: Any, config: JSON, timeout: int, body: JSON, **more: Any) -> JSON:
        reviews.append(body)
        return answer(body)

    for name in ("a", "b"):
        api("POST", V1, thing(name, hostPort="h:1"))
    monkeypatch.setattr(webhook_client, "post", post)
    code, said = api("GET", f"{V2}/a")
    wanted = one.format(uid=reviews[0]["request"]["uid"], own=stored(api, "a")["metadata"]["uid"])
    assert code == 500
    assert said.startswith(f"{ABOUT}{wanted}" if wanted.startswith(" ") else wanted)
    if many != "-":
        wanted = (many or one).format(uid=reviews[-1]["request"]["uid"])
        code, said = api("GET", V2)
        wanted = (many or one).format(uid=reviews[-1]["request"]["uid"])
        assert (code, said) == (500, f"{ABOUT}{wanted}")


def test_metadata_stays_but_for_labels_and_annotations(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    change = meta(labels={"a": "b"}, annotations=None, generation=7, finalizers=["x"], resourceVersion="1")
    api("POST", V1, thing("a", hostPort="h:1", meta_annotations={"c": "d"}))
    monkeypatch.setattr(webhook_client, "post", lambda *args, **more: change(args[4]))
    found = api("GET", f"{V2}/a")
    was = stored(api, "a")["metadata"]
    assert found["metadata"] == {**{k: v for k, v in was.items() if k != "annotations"}, "labels": {"a": "b"}}
    # The webhook has left hostPort where it was: the second version does not know it.
    assert own(found) == {}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_first_version_of_reviews_that_is_known_is_spoken(
    api: Api, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []
    post = webhook_client.post

    def heard(*args: Any, **more: Any) -> JSON:
        spoken.append(args[4]["apiVersion"])
        return post(*args, **more)

    monkeypatch.setattr(webhook_client, "post", heard)
    way = webhooks.conversion()
    way["webhook"]["conversionReviewVersions"] = ["v9", version]
    redefine(api, conversion=way)
    api("POST", V1, thing("a", hostPort="h:1"))
    assert own(api("GET", f"{V2}/a")) == {"host": "h", "port": "1"}
    assert spoken == [f"apiextensions.k8s.io/{version}"]


def test_an_address_outside_is_refused_in_a_sentence(api: Api) -> None:
    way = webhooks.conversion()
    way["webhook"]["clientConfig"] = {"url": "https://example.com/convert"}
    redefine(api, conversion=way)
    api("POST", V1, thing("a", hostPort="h:1"))
    code, said = api("GET", f"{V2}/a")
    assert code == 501
    assert 'a call of the conversion webhook of "tests.stable.example.com"' in said
    assert "https://example.com/convert?timeout=30s" in said
    assert own(api("GET", f"{V1}/a")) == {"hostPort": "h:1"}


def test_nodes_apart(api: Api) -> None:
    api("POST", V1, thing("a", hostPort="h:1"))
    api.cluster.wire("control-plane", "worker-1", partition=True)
    assert api("GET", f"{V2}/a")[1].endswith("context deadline exceeded")
    api.cluster.wire("control-plane", "worker-1")
    assert own(api("GET", f"{V2}/a"))["host"] == "h"


def test_a_bundle_that_is_none_keeps_a_definition_from_being_served() -> None:
    api = Api(cluster_with_webhook("crd-conversion-webhook"))
    api("POST", CRDS, hosts(conversion=webhooks.conversion(caBundle="Cg==")))
    api.cluster.settle()
    [condition] = [c for c in api("GET", CRD)["status"]["conditions"] if c["type"] == "Established"]
    assert (condition["status"], condition["reason"]) == ("False", "InvalidCABundle")
    assert status(api, V1) == 404
    redefine(api)
    assert api("GET", V1)["items"] == []
    code, said = api(
        "PUT",
        CRD,
        {**api("GET", CRD), "spec": hosts(conversion=webhooks.conversion(caBundle="Cg=="))["spec"]},
    )
    assert code == 422
    assert said.endswith(
        'spec.conversion.webhookClientConfig.caBundle: Invalid value: "Cg==": unable to load root certificates: '
        "unable to parse bytes as PEM block"
    )
