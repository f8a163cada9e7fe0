"""Collections of documents: what fits a filter, what an update makes of a document, and what methods do. Pure."""

from __future__ import annotations

from typing import Any

import re2

from cluster_engine.container_runtime.mongo.language import Unread

Document = dict[str, Any]
Collections = dict[str, list[Document]]
MAX_DATA = 512 * 1024
"""Bytes of all documents of one server, as JSON."""
MAX_FOUND = 1_000
"""Documents of one answer."""
_COMPARES = {"$gt": 1, "$gte": 1, "$lt": -1, "$lte": -1}


class Failed(Exception):
    """What the server answers: mongosh prints it."""


def fits(document: Document, wanted: Document) -> bool:
    """Whether a document is one that a filter asks for. Raises Failed for operators that are not here."""
    for field, value in wanted.items():
        if field in ("$and", "$or", "$nor"):
            found = [fits(document, each) for each in value]
            if not {"$and": all(found), "$or": any(found), "$nor": not any(found)}[field]:
                return False
            continue
        if field.startswith("$"):
            raise Failed(f"MongoServerError: unknown top level operator: {field}")
        held, there = _at(document, field)
        tests = (
            value
            if isinstance(value, dict) and any(name.startswith("$") for name in value)
            else {"$eq": value}
        )
        if "$oid" in tests or "$date" in tests:
            tests = {"$eq": value}
        tests = _with_options(tests)
        if not all(_passes(held, there, name, operand) for name, operand in tests.items()):
            return False
    return True


def _at(document: Any, path: str) -> tuple[Any, bool]:
    """What lies at a dotted path, and whether anything does."""
    for name in path.split("."):
        if isinstance(document, list) and name.isdecimal() and int(name[:6]) < len(document):
            document = document[int(name)]
        elif isinstance(document, dict) and name in document:
            document = document[name]
        else:
            return None, False
    return document, True


def _passes(held: Any, there: bool, name: str, operand: Any) -> bool:
    several = held if isinstance(held, list) else [held]
    match name:
        case "$eq":
            return held == operand or (isinstance(held, list) and operand in held)
        case "$ne":
            return not _passes(held, there, "$eq", operand)
        case "$in":
            return any(_passes(held, there, "$eq", each) for each in operand)
        case "$nin":
            return not _passes(held, there, "$in", operand)
        case "$exists":
            return there == bool(operand)
        case "$not":
            return not all(_passes(held, there, each, value) for each, value in operand.items())
        case "$size":
            return isinstance(held, list) and len(held) == operand
        case "$regex":
            return any(isinstance(each, str) and _search(operand, each) for each in several)
    if name not in _COMPARES:
        raise Failed(f"MongoServerError[BadValue]: unknown operator: {name}")
    return any(_compared(each, operand, name) for each in several)


def _with_options(tests: Document) -> Document:
    """The tests with the options of a pattern in the pattern itself. Raises Failed."""
    if "$options" not in tests:
        return tests
    options, rest = str(tests["$options"]), {name: each for name, each in tests.items() if name != "$options"}
    if "$regex" not in rest:
        raise Failed("MongoServerError[BadValue]: $options needs a $regex")
    if set(options) - set("ims"):
        raise Failed(
            f"the options {options} of $regex are not simulated here (i, m and s are); a real mongod has more"
        )
    return {**rest, "$regex": f"(?{options}){rest['$regex']}"} if options else rest


def _search(pattern: Any, text: str) -> bool:
    try:
        return re2.search(str(pattern), text) is not None
    except re2.error:
        raise Failed("MongoServerError: Regular expression is invalid") from None


def _compared(held: Any, operand: Any, name: str) -> bool:
    kinds = (
        (int, float)
        if isinstance(operand, (int, float)) and not isinstance(operand, bool)
        else (type(operand),)
    )
    if (
        not isinstance(held, kinds)
        or isinstance(held, bool) != isinstance(operand, bool)
        or isinstance(held, (dict, list))
    ):
        return False
    if held == operand:
        return name.endswith("e")
    return bool((held > operand) == (_COMPARES[name] > 0))


def changed(document: Document, update: Document) -> Document:
    """The document after an update. Raises Failed."""
    if not update or not all(name.startswith("$") for name in update):
        raise Failed("MongoInvalidArgumentError: Update document requires atomic operators")
    fresh = dict(document)
    for operator, fields in update.items():
        for path, value in fields.items():
            fresh = _put(fresh, path.split("."), operator, value)
    return fresh


def _put(document: Document, names: list[str], operator: str, value: Any) -> Document:
    name, *rest = names
    if rest:
        below = document.get(name)
        return {**document, name: _put(below if isinstance(below, dict) else {}, rest, operator, value)}
    held = document.get(name)
    match operator:
        case "$set":
            return {**document, name: value}
        case "$unset":
            return {key: each for key, each in document.items() if key != name}
        case "$inc" if isinstance(held or 0, (int, float)) and isinstance(value, (int, float)):
            return {**document, name: (held or 0) + value}
        case "$inc":
            raise Failed("MongoServerError: Cannot apply $inc to a value of non-numeric type.")
        case "$push" if isinstance(held or [], list):
            return {**document, name: [*(held or []), value]}
        case "$pull" if isinstance(held, list):
            return {**document, name: [each for each in held if each != value]}
    raise Failed(f"MongoServerError: Unknown modifier: {operator}. Expected a valid update modifier")


def found(documents: list[Document], asked: Document) -> list[Document]:
    """What ``find`` gives: {"filter", "projection", "sort", "skip", "limit"}. Raises Failed."""
    chosen = [each for each in documents if fits(each, asked.get("filter") or {})]
    for field, way in reversed(list((asked.get("sort") or {}).items())):
        chosen.sort(key=lambda each, field=field: _order(_at(each, field)[0]), reverse=way == -1)  # type: ignore[misc]
    chosen = chosen[asked.get("skip") or 0 :]
    chosen = chosen[: asked.get("limit") or MAX_FOUND]
    return [_projected(each, asked.get("projection") or {}) for each in chosen[:MAX_FOUND]]


def _order(value: Any) -> tuple[int, Any]:
    """MongoDB's order of types: nothing, numbers, texts, the rest."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 4, value
    if isinstance(value, (int, float)):
        return 1, value
    return (2, value) if isinstance(value, str) else (3, str(value))


def _projected(document: Document, projection: Document) -> Document:
    if not projection:
        return document
    kept = {name for name, want in projection.items() if want}
    if kept - {"_id"}:
        kept |= {"_id"} if projection.get("_id", 1) else set()
        return {name: value for name, value in document.items() if name in kept}
    dropped = {name for name, want in projection.items() if not want}
    return {name: value for name, value in document.items() if name not in dropped}


def check(value: Any) -> None:
    """Raises Unread when it is no document."""
    if not isinstance(value, dict):
        raise Unread("MongoInvalidArgumentError: Argument must be an object")
