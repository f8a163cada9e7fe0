"""mongod's side of a connection: a line of JSON comes, a line of JSON goes back; documents lie in one file.

A request is {"user", "password", "database", "asks"}, where "asks" is ``["show", what]`` or ``["run", expressions]``;
the answer is {"text"} (printed as it is), {"value"} or {"error"}.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from cluster_engine.container_runtime.mongo import documents
from cluster_engine.container_runtime.mongo.documents import MAX_DATA, Collections, Document, Failed, check
from cluster_engine.container_runtime.mongo.language import Unread
from cluster_engine.container_runtime.mongo.printing import shown
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import State, Sys
from cluster_engine.linux.text import octets
from cluster_engine.sim import SECOND

FILE = "/data/db/collections.json"
MAX_REQUEST = 256 * 1024
"""Bytes of a request."""
MAX_COLLECTIONS = 64
"""Collections of one server."""
STEP = 2_000
"""Steps of a processor (µs) that a request costs; each document that it looks at costs ``LOOK``."""
LOOK = 2
_NOTHING = {"text": ""}
_UNAUTHORIZED = "MongoServerError[Unauthorized]: Command {} requires authentication"

Databases = dict[str, Collections]


def load(sys: Sys) -> Databases:
    """What lies on the volume; nothing yet: no databases."""
    try:
        found: Databases = json.loads(sys.fs.read(FILE).encode("latin-1"))
    except (FileError, ValueError):
        return {}
    return found


def answer(sys: Sys, state: State, own: State, line: str) -> tuple[str, bool]:
    """The answer to a request, and whether the connection ends."""
    try:
        asked = json.loads(line.encode("latin-1"))
        said = _answered(sys, state, asked)
    except (Failed, Unread) as problem:
        said = {"error": str(problem)}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        said = {"error": "MongoServerError[BadValue]: the request is not understood here"}
    return octets(json.dumps(said, ensure_ascii=False)) + "\n", False


def _answered(sys: Sys, state: State, asked: dict[str, Any]) -> dict[str, Any]:
    refused = _refused(sys, asked)
    if refused:
        raise Failed(refused)
    databases = load(sys)
    count = sum(len(each) for collections in databases.values() for each in collections.values())
    sys.tick(STEP + LOOK * count)
    kind, what = asked["asks"]
    if kind == "show":
        return {"text": _listed(databases, asked["database"], what)}
    said: dict[str, Any] = _NOTHING
    for expression in what:
        before = json.dumps(databases)
        said = _run(sys, databases, asked["database"], expression)
        if json.dumps(databases) != before:
            _keep(sys, databases)
    return said


def _refused(sys: Sys, asked: dict[str, Any]) -> str:
    """Why somebody may not come in; "": they may."""
    root, password = (sys.env.get(f"MONGO_INITDB_ROOT_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if not root:
        return ""
    if not asked["user"]:
        return _UNAUTHORIZED.format("find" if asked["asks"][0] == "run" else "listDatabases")
    good = (octets(asked["user"]), octets(asked["password"])) == (root, password)
    return "" if good else "MongoServerError: Authentication failed."


def _keep(sys: Sys, databases: Databases) -> None:
    text = octets(json.dumps(databases, separators=(",", ":"), ensure_ascii=False))
    if len(text) > MAX_DATA:
        raise Failed(
            f"MongoServerError: a server with more than {MAX_DATA} bytes of documents is not simulated here"
        )
    if sum(len(each) for each in databases.values()) > MAX_COLLECTIONS:
        raise Failed(f"MongoServerError: more than {MAX_COLLECTIONS} collections are not kept here")
    try:
        sys.fs.makedirs(FILE.rpartition("/")[0])
        sys.fs.write(FILE, text)
    except FileError as error:
        raise Failed(f"MongoServerError: {FILE}: {error.reason}") from None


def _listed(databases: Databases, database: str, what: str) -> str:
    if what in ("collections", "tables"):
        return "\n".join(sorted(databases.get(database, {})))
    sizes = {"admin": "40.00 KiB", "config": "12.00 KiB", "local": "40.00 KiB"}
    sizes |= dict.fromkeys((name for name, collections in databases.items() if collections), "40.00 KiB")
    width = max(map(len, sizes)) + 2
    return "\n".join(f"{name:{width}}{size}" for name, size in sorted(sizes.items()))


def _run(sys: Sys, databases: Databases, database: str, expression: list[Any]) -> dict[str, Any]:
    if expression[0] == "value":
        return {"value": expression[1]}
    _, words, calls = expression
    if not words and calls[0][0] == "print":
        return {"text": " ".join(str(each) for each in calls[0][1])}
    if not words or words[0] != "db":
        raise Failed(f"ReferenceError: {words[0] if words else calls[0][0]} is not defined")
    if not calls:
        return {"text": database if len(words) == 1 else ".".join([database, *words[1:]])}
    if len(words) == 1 and calls[0][0] == "getSiblingDB":
        raise Failed("getSiblingDB is not simulated here: say use NAME")
    if len(words) == 1 and calls[0][0] == "getCollection":
        words, calls = ["db", str(calls[0][1][0])], calls[1:]
    if len(words) == 1:
        return _of_database(databases, database, calls)
    return _of_collection(sys, databases.setdefault(database, {}), ".".join(words[1:]), calls)


def _of_database(databases: Databases, database: str, calls: list[list[Any]]) -> dict[str, Any]:
    method, given = calls[0]
    match method:
        case "getName":
            return {"text": database}
        case "getCollectionNames":
            return {"value": sorted(databases.get(database, {}))}
        case "createCollection":
            _check_options("createCollection()", given, 1)
            databases.setdefault(database, {}).setdefault(str(given[0]), [])
            return {"value": {"ok": 1}}
        case "dropDatabase":
            databases.pop(database, None)
            return {"value": {"ok": 1, "dropped": database}}
        case "runCommand" | "adminCommand":
            command = given[0] if isinstance(given[0], str) else next(iter(given[0]))
            if command in ("ping", "hello", "ismaster"):
                return {"value": {"ok": 1} if command == "ping" else {"isWritablePrimary": True, "ok": 1}}
            raise Failed(f"the command {command} is not simulated here; a real mongod may have it")
        case "version":
            return {"text": "8.2.1"}
    raise Failed(f"TypeError: db.{method} is not a function, or one that is not simulated here")


def _of_collection(sys: Sys, collections: Collections, name: str, calls: list[list[Any]]) -> dict[str, Any]:
    method, given = calls[0]
    act = _METHODS.get(method)
    if act is None:
        raise Failed(f"TypeError: db.{name}.{method} is not a function, or one that is not simulated here")
    if method != "find" and len(calls) > 1:
        raise Failed(f"what follows {method}() is not simulated here")
    _check_options(
        f"{method}()", given, _TAKES.get(method, 1), ("upsert",) if method.startswith("update") else ()
    )
    return act(sys, collections, name, given if method != "find" else [given, calls[1:]])


def _check_options(what: str, given: list[Any], takes: int, known: tuple[str, ...] = ()) -> None:
    """Raises Failed for options that nothing would come of."""
    options = given[takes] if len(given) > takes else {}
    unknown = [name for name in options if name not in known] if isinstance(options, dict) else [str(options)]
    unknown += [str(each) for each in given[takes + 1 :]]
    if unknown:
        raise Failed(f"the option {unknown[0]} of {what} is not simulated here; a real mongod may have it")


# ---- methods of collections ----------------------------------------------------------------------------------


def _document(given: list[Any], at: int = 0) -> Document:
    value = given[at] if len(given) > at else {}
    check(value)
    return dict(value)


def _new_id(sys: Sys, collections: Collections, number: int) -> dict[str, str]:
    """The second, who made it, and a count."""
    who = hashlib.blake2b(sys.hostname.encode(), digest_size=5).hexdigest()
    count = sum(map(len, collections.values())) + number
    return {"$oid": f"{sys.now // SECOND:08x}{who}{(sys.now + count) % (1 << 24):06x}"}


def _insert(sys: Sys, collections: Collections, name: str, several: list[Any]) -> list[Any]:
    held = collections.get(name, [])
    ids = {json.dumps(each["_id"]) for each in held}
    fresh = []
    for number, value in enumerate(several):
        check(value)
        document = {"_id": value.get("_id", _new_id(sys, collections, number)), **value}
        if json.dumps(document["_id"]) in ids:
            key = shown(document["_id"])
            raise Failed(
                f"MongoServerError: E11000 duplicate key error collection: {name} index: _id_ dup key: {{ _id: {key} }}"
            )
        ids.add(json.dumps(document["_id"]))
        fresh.append(document)
    collections[name] = [*held, *fresh]
    return [each["_id"] for each in fresh]


def _insert_one(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    (made,) = _insert(sys, collections, name, [_document(given)])
    return {"value": {"acknowledged": True, "insertedId": made}}


def _insert_many(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    if not given or not isinstance(given[0], list) or not given[0]:
        raise Failed('MongoInvalidArgumentError: Argument "docs" must be an array of documents')
    made = _insert(sys, collections, name, given[0])
    return {"value": {"acknowledged": True, "insertedIds": {str(at): each for at, each in enumerate(made)}}}


def _find(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    words, calls = given
    asked: Document = {"filter": _document(words), "projection": _document(words, 1)}
    counts = False
    for method, values in calls:
        if method in ("sort", "limit", "skip") and values:
            asked[method] = values[0]
        elif method == "count":
            counts = True
        elif method not in ("pretty", "toArray"):
            raise Failed(f"TypeError: find().{method} is not a function, or one that is not simulated here")
    found = documents.found(collections.get(name, []), asked)
    if counts:
        return {"value": len(found)}
    return {"value": found} if found or ["toArray", []] in calls else _NOTHING


def _find_one(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    asked = {"filter": _document(given), "projection": _document(given, 1), "limit": 1}
    found = documents.found(collections.get(name, []), asked)
    return {"value": found[0] if found else None}


def _count(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    wanted = _document(given)
    return {"value": sum(documents.fits(each, wanted) for each in collections.get(name, []))}


def _distinct(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    values: list[Any] = []
    for each in collections.get(name, []):
        value = each.get(str(given[0]))
        if value is not None and value not in values and documents.fits(each, _document(given, 1)):
            values.append(value)
    return {"value": sorted(values, key=str)}


def _update(most: int) -> Callable[[Sys, Collections, str, list[Any]], dict[str, Any]]:
    def act(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
        wanted, update, options = _document(given), _document(given, 1), _document(given, 2)
        held, matched, modified = [], 0, 0
        for each in collections.get(name, []):
            if matched < most and documents.fits(each, wanted):
                fresh = documents.changed(each, update)
                matched, modified = matched + 1, modified + (fresh != each)
                each = fresh
            held.append(each)
        made = None
        if not matched and options.get("upsert"):
            plain = {
                key: value
                for key, value in wanted.items()
                if not key.startswith("$") and not isinstance(value, dict)
            }
            collections[name] = held
            (made,) = _insert(sys, collections, name, [documents.changed(plain, update)])
        elif matched:
            collections[name] = held
        told = {"matchedCount": matched, "modifiedCount": modified, "upsertedCount": int(made is not None)}
        return {"value": {"acknowledged": True, "insertedId": made, **told}}

    return act


def _delete(most: int) -> Callable[[Sys, Collections, str, list[Any]], dict[str, Any]]:
    def act(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
        if not given:
            raise Failed("MongoInvalidArgumentError: Missing required argument at position 0")
        wanted, held, gone = _document(given), [], 0
        for each in collections.get(name, []):
            if gone < most and documents.fits(each, wanted):
                gone += 1
            else:
                held.append(each)
        if gone:
            collections[name] = held
        return {"value": {"acknowledged": True, "deletedCount": gone}}

    return act


def _drop(sys: Sys, collections: Collections, name: str, given: list[Any]) -> dict[str, Any]:
    return {"value": collections.pop(name, None) is not None}


_ALL = 1 << 30
_TAKES = {
    "find": 2,
    "findOne": 2,
    "distinct": 2,
    "updateOne": 2,
    "updateMany": 2,
    "drop": 0,
    "estimatedDocumentCount": 0,
}
"""Arguments of a method before its options, where it is not one."""
_METHODS: dict[str, Callable[[Sys, Collections, str, list[Any]], dict[str, Any]]] = {
    "insertOne": _insert_one,
    "insertMany": _insert_many,
    "find": _find,
    "findOne": _find_one,
    "countDocuments": _count,
    "estimatedDocumentCount": _count,
    "distinct": _distinct,
    "updateOne": _update(1),
    "updateMany": _update(_ALL),
    "deleteOne": _delete(1),
    "deleteMany": _delete(_ALL),
    "drop": _drop,
}
