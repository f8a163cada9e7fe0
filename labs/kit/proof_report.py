"""Proofs as a report for people (HTML) and for machines (JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import orjson

from labs.kit.proofs import Proof, told_apart

_WORDS = ("checks", "solutions", "wrong", "mutants", "variants")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Labs</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc; vertical-align: top; }}
td.n {{ text-align: right; }}
pre {{ white-space: pre-wrap; }}
.bad {{ color: #a11; font-weight: 600; }}
</style>
<h1>Labs: {ok} proved, {failed} not</h1>
<p>{checks} checks: {alone} are failed by a wrong answer that fails no other, {never_alone} say why none can.</p>
<table>
<thead><tr><th>Lab<th>Outcome<th>{heads}<th>Seconds</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def write(folder: Path, proofs: Sequence[Proof]) -> None:
    """``labs.json`` and ``labs.html`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = sum(bool(proof.problems) for proof in proofs)
    data = {
        "ok": len(proofs) - failed,
        "failed": failed,
        **told_apart(proofs),
        "labs": [asdict(proof) for proof in proofs],
    }
    (folder / "labs.json").write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    page = _PAGE.format(
        **{key: value for key, value in data.items() if key != "labs"},
        heads="<th>".join(_WORDS),
        rows="\n".join(_row(proof) for proof in proofs),
    )
    (folder / "labs.html").write_text(page, encoding="utf-8")


def _row(proof: Proof) -> str:
    outcome = "proved" if not proof.problems else "<span class='bad'>not proved</span>"
    problems = "".join(f"<pre>{escape(problem)}</pre>" for problem in proof.problems)
    alone = "".join(f"<li><b>{escape(check)}</b>: {escape(answer)}" for check, answer in proof.alone.items())
    told = f"<details><summary>What each check alone refuses</summary><ul>{alone}</ul></details>"
    counts = "".join(f"<td class='n'>{proof.numbers.get(word, 0)}" for word in _WORDS)
    return f"<tr><td>{escape(proof.lab)}<td>{outcome}{problems}{told}{counts}<td class='n'>{proof.seconds:.1f}</tr>"
