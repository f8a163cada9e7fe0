"""What client-go's reflector asks of lists and watches, and what it is told when it asks too late or in vain.

The rows follow k8s.io/apiserver/pkg/storage (continue.go, etcd3/store.go, cacher) and
k8s.io/apimachinery/pkg/apis/meta/internalversion/validation of 1.37.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from apiserver_bench import MAPS, Bench, config_map

LATER = 600_000_000
"""µs after which everything that was written by then is compacted, once more is written."""
NEVER_OLDER = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
INITIAL = {**NEVER_OLDER, "allowWatchBookmarks": "true"}


def _token(**parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def _age(bench: Bench) -> None:
    for name in ("x", "y"):
        bench.clock.run_until(bench.clock.now + LATER)
        bench.ok("POST", MAPS, config_map(name))


@pytest.fixture
def two(bench: Bench) -> tuple[str, str]:
    """The revisions after a and b were made, and after b was changed."""
    for name in "ab":
        bench.ok("POST", MAPS, config_map(name))
    first = str(bench.store.revision)
    bench.ok("PUT", f"{MAPS}/b", config_map("b", changed="yes"))
    return first, str(bench.store.revision)


def _frames(bench: Bench, **query: str) -> list[str]:
    """What a new watch says at once: a letter for each event with its object's name, or its code."""
    stream = bench.call("GET", MAPS, watch="1", **query).stream
    assert stream is not None
    told = []
    for frame in map(orjson.loads, stream.take().splitlines()):
        meta = frame["object"]["metadata"]
        ends = "k8s.io/initial-events-end" in (meta.get("annotations") or {})
        what = "end" if ends else meta.get("name") or frame["object"].get("code", "")
        told.append(f"{frame['type']} {what}")
    return told


# ---- lists -----------------------------------------------------------------------------------------------

# resourceVersion ("first" and "last" stand for what `two` gives), match -> what b holds, and the list's revision.
LISTS = {
    "the newest": ("", "", "yes", "last"),
    "any": ("0", "", "yes", "last"),
    "any, said": ("0", "NotOlderThan", "yes", "last"),
    "not older": ("first", "", "yes", "last"),
    "not older, said": ("first", "NotOlderThan", "yes", "last"),
    "exact": ("first", "Exact", None, "first"),
    "exactly the newest": ("last", "Exact", "yes", "last"),
}


@pytest.mark.parametrize(("version", "match", "changed", "at"), LISTS.values(), ids=LISTS.keys())
def test_lists(
    bench: Bench, two: tuple[str, str], version: str, match: str, changed: str | None, at: str
) -> None:
    named = {"first": two[0], "last": two[1]}
    listed = bench.ok("GET", MAPS, resourceVersion=named.get(version, version), resourceVersionMatch=match)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a", "b"]
    assert (listed["items"][1].get("data") or {}).get("changed") == changed
    assert listed["metadata"]["resourceVersion"] == named[at]


KEY = "invalid continue token: continue key is not valid"
V1 = "meta.k8s.io/v1"
TOKENS = {
    "no base64": ("!!", f"{KEY}: illegal base64 data at input byte 0"),
    "no base64 in the end": ("ab!", f"{KEY}: illegal base64 data at input byte 2"),
    "another version": (
        _token(v="meta.k8s.io/v2", rv=5, start="a"),
        f"{KEY}: server does not recognize this encoded version meta.k8s.io/v2",
    ),
    "no version": (_token(rv=5, start="a"), f"{KEY}: server does not recognize this encoded version "),
    "no revision": (
        _token(v=V1, start="a"),
        f"{KEY}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
    ),
    "no start": (_token(v=V1, rv=5), f"{KEY}: encoded start key empty (version meta.k8s.io/v1)"),
    "out of the resource": (_token(v=V1, rv=5, start="../secrets/x"), f"{KEY}: ../secrets/x"),
    "a folder": (_token(v=V1, rv=5, start="a//b"), f"{KEY}: a//b"),
}


@pytest.mark.parametrize(("token", "text"), TOKENS.values(), ids=TOKENS.keys())
def test_tokens_that_nobody_made(bench: Bench, two: tuple[str, str], token: str, text: str) -> None:
    assert bench.error("GET", MAPS, **{"continue": token}) == (400, "BadRequest", text)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b'{"v":"meta.k8s.io/v1","rv":"5","start":"a"}'])
def test_tokens_of_other_shapes(bench: Bench, body: bytes) -> None:
    token = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    code, _reason, text = bench.error("GET", MAPS, **{"continue": token})
    assert (code, text.startswith(KEY)) == (400, True)


def test_a_token_knows_its_version(bench: Bench, two: tuple[str, str]) -> None:
    token = bench.ok("GET", MAPS, limit="1")["metadata"]["continue"]
    assert bench.error("GET", MAPS, resourceVersion=two[0], **{"continue": token}) == (
        400,
        "BadRequest",
        "specifying resource version is not allowed when using continue",
    )
    for version in ("", "0"):
        rest = bench.ok("GET", MAPS, resourceVersion=version, **{"continue": token})
        assert [item["metadata"]["name"] for item in rest["items"]] == ["b"]


def test_a_list_that_goes_on_after_compaction(bench: Bench, two: tuple[str, str]) -> None:
    """The rest of it is of another moment: what came right behind the last one is in it."""
    token = bench.ok("GET", MAPS, limit="1")["metadata"]["continue"]
    _age(bench)
    bench.ok("POST", MAPS, config_map("a1"))
    status = orjson.loads(bench.call("GET", MAPS, **{"continue": token}).body)
    assert (status["code"], status["reason"]) == (410, "Expired")
    rest = bench.ok("GET", MAPS, limit="2", **{"continue": status["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in rest["items"]] == ["a1", "b"]
    assert rest["metadata"]["resourceVersion"] == str(bench.store.revision)
    rest = bench.ok("GET", MAPS, **{"continue": rest["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in rest["items"]] == ["x", "y"]


def test_the_last_chunk_has_no_token(bench: Bench, two: tuple[str, str]) -> None:
    assert "continue" not in bench.ok("GET", MAPS, limit="2")["metadata"]
    chosen = bench.ok("GET", MAPS, limit="1", labelSelector="!none")["metadata"]
    assert "remainingItemCount" not in chosen
    assert chosen["continue"]


# ---- watches ---------------------------------------------------------------------------------------------

STARTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "from now, with what is there": ({}, ["ADDED a", "ADDED b"]),
    "from any version": ({"resourceVersion": "0"}, ["ADDED a", "ADDED b"]),
    "from a version": ({"resourceVersion": "first"}, ["MODIFIED b"]),
    "from the last": ({"resourceVersion": "last"}, []),
    "from before the first": ({"resourceVersion": "1"}, ["ADDED a", "ADDED b", "MODIFIED b"]),
    "a list as a watch": (INITIAL, ["ADDED a", "ADDED b", "BOOKMARK end"]),
    "a list as a watch, of any version": (
        {**INITIAL, "resourceVersion": "0"},
        ["ADDED a", "ADDED b", "BOOKMARK end"],
    ),
    "a list as a watch, not older": (
        {**INITIAL, "resourceVersion": "first"},
        ["ADDED a", "ADDED b", "BOOKMARK end"],
    ),
    "a list as a watch, of one": (
        {**INITIAL, "fieldSelector": "metadata.name=b"},
        ["ADDED b", "BOOKMARK end"],
    ),
    "a list as a watch, of none": ({**INITIAL, "labelSelector": "a=b"}, ["BOOKMARK end"]),
    "without bookmarks nobody says the end": (NEVER_OLDER, ["ADDED a", "ADDED b"]),
    "nothing at first": ({**INITIAL, "sendInitialEvents": "false"}, []),
    "nothing at first, from a version": (
        {**INITIAL, "sendInitialEvents": "false", "resourceVersion": "first"},
        ["MODIFIED b"],
    ),
}


@pytest.mark.parametrize(("query", "told"), STARTS.values(), ids=STARTS.keys())
def test_where_a_watch_begins(
    bench: Bench, two: tuple[str, str], query: dict[str, str], told: list[str]
) -> None:
    named = {"first": two[0], "last": two[1]}
    assert _frames(bench, **{name: named.get(value, value) for name, value in query.items()}) == told


def test_a_watch_from_what_is_compacted(bench: Bench, two: tuple[str, str]) -> None:
    bench.store.compact(bench.store.revision)
    assert _frames(bench, resourceVersion=two[0]) == ["ERROR 410"]
    assert _frames(bench, resourceVersion=two[0], **INITIAL)[-1] == "BOOKMARK end"  # it begins anew


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param(MAPS, {}, id="a list"),
        pytest.param(MAPS, {"resourceVersionMatch": "Exact"}, id="a list of that very version"),
        pytest.param(MAPS, {"limit": "1"}, id="a chunk"),
        pytest.param("/api/v1/namespaces/default", {}, id="one object"),
    ],
)
def test_a_version_that_is_yet_to_come(bench: Bench, path: str, query: dict[str, str]) -> None:
    """As a client meets it whose cluster was restored: client-go knows it by the cause, and lists anew."""
    reply = bench.call("GET", path, resourceVersion="1000000", **query)
    assert (reply.status, reply.headers["retry-after"]) == (504, "1")
    status = orjson.loads(reply.body)
    assert status["reason"] == "Timeout"
    told = f"Timeout: Too large resource version: 1000000, current: {bench.store.revision}"
    assert status["message"] == told
    assert status["details"] == {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }


def test_a_watch_from_a_version_that_is_yet_to_come(bench: Bench) -> None:
    """A list as a watch is told the same; who only goes on would wait for ever, and is told to begin anew."""
    assert _frames(bench, resourceVersion="1000000", **INITIAL) == ["ERROR 504"]
    assert _frames(bench, resourceVersion="1000000") == ["ERROR 410"]


def _forbidden(text: str) -> str:
    return f"resourceVersionMatch: Forbidden: {text}"


REQUIRED = _forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
UNASKED = _forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
CONTINUED = _forbidden("resourceVersionMatch is forbidden when continue is provided")
REFUSED: dict[str, tuple[dict[str, str], list[str]]] = {
    "events without a match": ({"watch": "1", "sendInitialEvents": "true"}, [REQUIRED]),
    "none without a match": ({"watch": "1", "sendInitialEvents": "false"}, [REQUIRED]),
    "events at exactly": (
        {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "Exact"},
        [REQUIRED, 'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"'],
    ),
    "a match without events": ({"watch": "1", "resourceVersionMatch": "NotOlderThan"}, [UNASKED]),
    "exactly without events": (
        {"watch": "1", "resourceVersionMatch": "Exact"},
        [UNASKED, 'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"'],
    ),
    "a watch goes on": ({"watch": "1", "continue": "x", **NEVER_OLDER}, [CONTINUED]),
    "a list of events": (
        {"sendInitialEvents": "true"},
        ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
    ),
    "a match of nothing": (
        {"resourceVersionMatch": "Exact"},
        [_forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided")],
    ),
    "a match that goes on": (
        {"resourceVersionMatch": "NotOlderThan", "resourceVersion": "1", "continue": "x"},
        [CONTINUED],
    ),
    "exactly any": (
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
        [_forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')],
    ),
    "another match": (
        {"resourceVersionMatch": "Newer", "resourceVersion": "1"},
        ['resourceVersionMatch: Unsupported value: "Newer": supported values: "Exact", "NotOlderThan", ""'],
    ),
}


@pytest.mark.parametrize(("query", "texts"), REFUSED.values(), ids=REFUSED.keys())
def test_options_that_do_not_fit(bench: Bench, query: dict[str, str], texts: list[str]) -> None:
    code, reason, message = bench.error("GET", MAPS, **query)
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    assert (code, reason, message) == (
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {told}',
    )


def test_bookmarks_come_to_who_asks(bench: Bench, two: tuple[str, str]) -> None:
    for asked in ("true", ""):
        stream = bench.call("GET", MAPS, watch="1", resourceVersion=two[1], allowWatchBookmarks=asked).stream
        assert stream is not None
        stream.take()
        bench.ok("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": f"s{asked}"}})
        mark = stream.tick()
        assert bool(mark) == bool(asked)
        if mark:
            told = orjson.loads(mark)
            assert (told["type"], told["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
            assert told["object"]["metadata"]["resourceVersion"] == str(bench.store.revision)
        stream.cancel()


# What is done to a map with the label app=in (or out), and what a watcher of app=in hears.
SELECTED = {
    "comes in": (["POST out", "PUT in"], ["ADDED m"]),
    "goes out": (["POST in", "PUT out"], ["ADDED m", "DELETED m"]),
    "goes out and comes back": (
        ["POST in", "PUT out", "PUT in"],
        ["ADDED m", "DELETED m", "ADDED m"],
    ),
    "stays in": (["POST in", "PUT in"], ["ADDED m", "MODIFIED m"]),
    "stays out": (["POST out", "PUT out", "DELETE"], []),
    "ends within": (["POST in", "DELETE"], ["ADDED m", "DELETED m"]),
    "ends outside": (["POST in", "PUT out", "DELETE"], ["ADDED m", "DELETED m"]),
}


@pytest.mark.parametrize(("done", "heard"), SELECTED.values(), ids=SELECTED.keys())
@pytest.mark.parametrize("late", [False, True], ids=["as it happens", "afterwards"])
def test_who_enters_and_leaves(bench: Bench, done: list[str], heard: list[str], late: bool) -> None:
    start = str(bench.store.revision)
    query = {"watch": "1", "labelSelector": "app=in", "resourceVersion": start}
    stream = None if late else bench.call("GET", MAPS, **query).stream
    for step, (method, _, label) in enumerate(each.partition(" ") for each in done):
        body = {"metadata": {"name": "m", "labels": {"app": label}}, "data": {"step": str(step)}}
        bench.ok(method, MAPS if method == "POST" else f"{MAPS}/m", body if label else None)
    stream = stream or bench.call("GET", MAPS, **query).stream
    assert stream is not None
    frames = [orjson.loads(line) for line in stream.take().splitlines()]
    assert [f"{frame['type']} {frame['object']['metadata']['name']}" for frame in frames] == heard
    # What leaves is told as the watcher knew it, under the revision of the change.
    assert {frame["object"]["metadata"]["labels"]["app"] for frame in frames} <= {"in"}
    versions = [int(frame["object"]["metadata"]["resourceVersion"]) for frame in frames]
    assert versions == sorted(set(versions))
