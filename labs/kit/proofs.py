"""What was proved before: a lab is proved again only when it, the library or the engine has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

import cluster_engine
from labs.kit.lab import Lab
from labs.kit.wrong import WRONG


@dataclass(frozen=True)
class Proof:
    """The outcome for one lab."""

    lab: str
    key: str
    """Of what was proved: the lab's version, the code's digest, how many variants."""
    seconds: float
    numbers: dict[str, int]
    problems: list[str] = field(default_factory=list)
    alone: dict[str, str] = field(default_factory=dict)
    """By check: the wrong answer that fails it and no other, or why there can be none (``wrong.alone``)."""
    again: bool = True
    """Whether it was run now; False when it stands from before."""

    @property
    def line(self) -> str:
        """One line about it."""
        words = ("checks", "solutions", "wrong", "mutants", "variants")
        counts = ", ".join(f"{self.numbers[word]} {word}" for word in words if self.numbers.get(word))
        took = f"{self.seconds:.1f} s" if self.again else "unchanged"
        return f"{'FAILED' if self.problems else 'ok    '} {self.lab} ({counts}; {took})"


def told_apart(proofs: Iterable[Proof]) -> dict[str, int]:
    """How many checks there are, how many a wrong answer fails alone, how many say why none can."""
    answers = [answer for proof in proofs for answer in proof.alone.values()]
    failed = sum(answer.startswith(WRONG) for answer in answers)
    return {"checks": len(answers), "alone": failed, "never_alone": sum(map(bool, answers)) - failed}


@cache
def code_digest() -> str:
    """Of the engine's and the library's code, read once per process."""
    digest = hashlib.sha256()
    for root in (Path(cluster_engine.__file__).parent, Path(__file__).parent):
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".json", ".yaml"):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def key_of(lab: Lab, seeds: int) -> str:
    """What a proof of the lab depends on."""
    return f"{lab.version} {code_digest()} {seeds}"


class Proofs:
    """A file of proofs. One that cannot be read counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            known: dict[str, Any] = orjson.loads(path.read_bytes())
            self._known = {slug: Proof(**proof) for slug, proof in known.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._known = {}

    def of(self, lab: Lab, seeds: int) -> Proof | None:
        """The proof that still holds; None when there is none, or when something was wrong."""
        proof = self._known.get(lab.slug)
        if proof is None or proof.problems or proof.key != key_of(lab, seeds):
            return None
        return Proof(**{**asdict(proof), "again": False})

    def keep(self, proof: Proof) -> None:
        """Writes it down."""
        self._known[proof.lab] = proof
        self._path.parent.mkdir(parents=True, exist_ok=True)
        data = {slug: asdict(each) for slug, each in sorted(self._known.items())}
        self._path.write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
