"""What a command of kubectl asks of the API server, as a function that is run again with each answer.

A command is written from top to bottom, as if each answer were there at once. It is run with the answers that have
come so far; where the next one is missing, ``Missing`` ends the run, and it begins anew when that has come. So all
that a process has to keep is the list of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import orjson

from cluster_engine.apimachinery.cow import JSON

MAX_ANSWERS = 500
"""Requests that one command makes."""
JSON_TYPE = "application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Failed(Exception):
    """``error: …``, and the command ends with 1."""


class Missing(Exception):
    """The answer to ``ask`` is not there yet."""

    def __init__(self, ask: list[Any]) -> None:
        super().__init__()
        self.ask = ask


@dataclass(frozen=True, slots=True)
class Resource:
    """What the API server says of a resource."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def full(self) -> str:
        """As kubectl names it before an object's name: ``deployment.apps``."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()

    @property
    def plural_full(self) -> str:
        """As errors name it: ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """Where it is; ``namespace`` "" asks for all of them."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [base]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(each, safe="") for each in (name, part) if each]
        return "/".join(parts)


class Refused(Exception):
    """The API server's refusal."""

    def __init__(self, code: int, status: JSON) -> None:
        super().__init__()
        self.code = code
        self.status = status

    def told(self, doing: str = "") -> str:
        """As kubectl tells it (cmdutil.StandardErrorMessage)."""
        reason, message = self.status.get("reason") or "", self.status.get("message") or "unknown"
        details = self.status.get("details") or {}
        if reason == "Invalid" and details:
            causes = [f"{each.get('field')}: {each.get('message')}" for each in details.get("causes") or ()]
            what = f'The {details.get("kind")} "{details.get("name")}" is invalid'
            listed = (
                f": {causes[0]}" if len(causes) == 1 else ": \n" + "\n".join(f"* {each}" for each in causes)
            )
            return what + (listed if causes else "")
        return (
            f"Error from server ({reason}): {doing}{message}"
            if reason
            else f"Error from server: {doing}{message}"
        )


class Conversation:
    """The answers that a command has, and what it says."""

    def __init__(self, answers: Sequence[Any], now: int, namespace: str) -> None:
        self._answers = answers
        self._at = 0
        self.now = now
        self.namespace = namespace
        self.said: list[tuple[int, str]] = []
        """(1 or 2, text) in order."""

    def out(self, text: str) -> None:
        """Characters, for standard output."""
        self.said.append((1, text))

    def err(self, text: str) -> None:
        """Characters, for standard error."""
        self.said.append((2, text))

    def _next(self, ask: list[Any]) -> Any:
        if self._at == len(self._answers):
            if self._at >= MAX_ANSWERS:
                raise Failed(f"more than {MAX_ANSWERS} requests of one command are not made in Pods")
            raise Missing(ask)
        answer = self._answers[self._at]
        self._at += 1
        return answer

    def ask(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        body: str = "",
        content: str = JSON_TYPE,
        accept: str = JSON_TYPE,
    ) -> tuple[int, str]:
        """(status, body) of any answer."""
        target = f"{path}?{urlencode(query)}" if query else path
        status, text = self._next(["http", method, target, accept, content if body else "", body])
        return status, text

    def read(self, method: str, path: str, query: Sequence[tuple[str, str]] = (), **more: str) -> JSON:
        """An answer's object. Raises Refused."""
        status, text = self.ask(method, path, query, **more)
        value = parsed(text)
        if status >= 400:
            raise Refused(status, value)
        return value

    def follow(self, path: str, query: Sequence[tuple[str, str]]) -> tuple[int, str]:
        """(status, body) of an answer that goes on: what is not a refusal is said as it comes, and is not in it."""
        status, text = self._next(["follow", f"{path}?{urlencode(query)}"])
        return status, text

    def until(self, path: str, wanted: list[str], deadline: int) -> tuple[bool, JSON | None]:
        """Whether an object became as ``wanted`` (``judging.HOLDS``) in time, and how it is then (None: gone).

        It is asked for each second; only the last answer is kept. Raises Refused.
        """
        told, code, value = self._next(["until", path, wanted, deadline])
        if told == "refused":
            raise Refused(code, value)
        return told == "done", value

    # ---- resources -------------------------------------------------------------------------------------

    def resource(self, word: str) -> Resource:
        """What a word such as ``po``, ``deployments`` or ``deployments.v1.apps`` means. Raises Failed."""
        found = self._found(word)
        if not found:
            raise Failed(f'the server doesn\'t have a resource type "{word}"')
        return found[0]

    def resources(self, word: str) -> list[Resource]:
        """The same, of a category such as ``all`` several."""
        found = self._found(word)
        if not found:
            raise Failed(f'the server doesn\'t have a resource type "{word}"')
        return found

    def of_object(self, api_version: str, kind: str) -> Resource:
        """The resource of a manifest. Raises Failed."""
        found = self._found(f"{api_version} {kind}")
        if not found:
            raise Failed(
                f'resource mapping not found for kind "{kind}" in version "{api_version}"\n'
                "ensure CRDs are installed first"
            )
        return found[0]

    def _found(self, word: str) -> list[Resource]:
        """One ask: of the API server's long answers only what fits the word is kept."""
        rows = self._next(["discover", ["/api", "/apis"], _DISCOVERY, word])
        return [Resource(*row) for row in rows]


def matching(documents: Sequence[str], word: str) -> list[list[Any]]:
    """Of discovery's documents what a word means: rows of ``Resource``."""
    rows: list[list[Any]] = []
    several: list[list[Any]] = []
    name, _, rest = word.partition(".")
    lower = name.lower()
    for document in documents:
        for group in parsed(document).get("items") or ():
            label = (group.get("metadata") or {}).get("name", "")
            for at, version in enumerate(group.get("versions") or ()):
                for each in version.get("resources") or ():
                    row = [
                        label,
                        version["version"],
                        each["resource"],
                        each["responseKind"]["kind"],
                        each["scope"] == "Namespaced",
                    ]
                    api_version = f"{label}/{version['version']}" if label else version["version"]
                    if " " in word:
                        if word == f"{api_version} {row[3]}":
                            rows.append(row)
                        continue
                    names = (
                        each["resource"],
                        each.get("singularResource"),
                        row[3].lower(),
                        *(each.get("shortNames") or ()),
                    )
                    fits = not rest or rest in (label, f"{version['version']}.{label}")
                    if lower in names and fits:
                        rows.append(row)
                    elif not at and lower in (each.get("categories") or ()):
                        several.append(row)
    return rows[:1] or several


@lru_cache(32)
def parsed(text: str) -> JSON:
    """The object of an answer; what is none becomes a Status' message. Shared: never changed."""
    try:
        value = orjson.loads(text.encode("latin-1"))
    except ValueError:
        return {"message": text.strip()}
    return value if isinstance(value, dict) else {}


def not_here(what: str) -> NoReturn:
    """What a real kubectl has and this one refuses."""
    raise Failed(f"{what} is not simulated in Pods; a real kubectl has it")
