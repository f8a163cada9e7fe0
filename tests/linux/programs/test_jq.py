# ruff: noqa: E501 (one case a line)
"""`jq` against the real one: `jq.json` holds what jq 1.6 prints (`pytest --update` writes it anew where there is one)."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.linux.programs.jq import PROGRAM
from cluster_engine.linux.programs.jq.interpret import MAX_STEPS
from cluster_engine.linux.text import characters, octets
from tests.linux.world import TABLE, World

GOLDEN = Path(__file__).with_name("jq.json")
NAMES = {**TABLE, "jq": PROGRAM}
PODS = '{"kind":"List","items":[{"metadata":{"name":"web-1","namespace":"a","labels":{"app":"web"}},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"nginx:1","resources":{}}]},"status":{"phase":"Running","restarts":3}},{"metadata":{"name":"db","namespace":"b","labels":null},"spec":{"containers":[{"name":"d","image":"pg"},{"name":"e","image":"busy"}]},"status":{"phase":"Pending","restarts":0}}]}'
CASES: dict[str, list[str]] = {
    "identity": ["."],
    "compact": ["-c", "."],
    "names": ["-r", ".items[].metadata.name"],
    "first": [".items[0].metadata"],
    "missing": [".nosuch.deep"],
    "length": [".items | length"],
    "keys": ["-c", "keys"],
    "map": ["-c", "[.items[] | .status.restarts + 1]"],
    "select": ["-r", '.items[] | select(.status.phase == "Running") | .metadata.name'],
    "not running": ["-r", '.items[] | select(.status.phase != "Running").metadata.name'],
    "object": ["-c", ".items[] | {name: .metadata.name, phase: .status.phase}"],
    "shorthand": ["-c", ".items[].status | {phase}"],
    "template": ["-r", '.items[] | "\\(.metadata.namespace)/\\(.metadata.name): \\(.status.restarts * 2)"'],
    "alternative": ["-r", '.items[] | .spec.nodeName // "none"'],
    "tsv": ["-r", ".items[] | [.metadata.name, .status.restarts] | @tsv"],
    "csv": ["-r", '.items[] | [.metadata.name, .status.restarts, null, true, "a\\"b"] | @csv'],
    "sort_by": ["-c", "[.items | sort_by(.status.restarts)[] | .metadata.name]"],
    "group_by": [
        "-c",
        ".items | group_by(.metadata.namespace) | map({ns: .[0].metadata.namespace, n: length})",
    ],
    "any all": ["-c", "[(.items | any(.status.restarts > 2)), (.items | all(.status.restarts > 2))]"],
    "to_entries": ["-c", ".items[0].metadata.labels | to_entries"],
    "with_entries": ["-c", '.items[0].status | with_entries(.key |= "x_" + .)'],
    "del": ["-c", ".items[0] | del(.spec, .status.phase)"],
    "update": ["-c", ".items[].status.restarts |= . + 10 | [.items[].status.restarts]"],
    "assign": ["-c", '.items[0].metadata | .labels.tier = "front" | .name += "x"'],
    "reduce": ["reduce .items[] as $p (0; . + $p.status.restarts)"],
    "slices": ["-c", "[.items[0].metadata.name[0:3], (.items[1:] | length), ([1,2,3,4][-2:])]"],
    "optional": ["-c", "[.items[] | .metadata.labels | .app?]"],
    "try": ["-c", '[.items[] | try (.metadata.labels | keys | .[0]) catch "none"]'],
    "error": [".items | .x"],
    "iterate null": [".nosuch[]"],
    "iterate number": [".items[0].status.restarts[]"],
    "if": [
        "-c",
        '[.items[].status | if .restarts > 2 then "many" elif .restarts > 0 then "some" else "none" end]',
    ],
    "recurse": ["-c", "[.. | .image? // empty]"],
    "paths": ["-c", "[paths] | length"],
    "leaf": ["-c", '.items[0].status | [paths(type == "number")]'],
    "has": ["-c", '.items[] | [has("spec"), (.metadata | has("labels"))]'],
    "contains": ["-c", '[.items[].metadata.name | contains("web")]'],
    "test": ["-c", '[.items[].metadata.name | test("^web-[0-9]+$")]'],
    "sub": ["-r", '.items[].metadata.name | sub("-(?<n>[0-9]+)"; "#\\(.n)")'],
    "gsub": ["-r", '.items[].metadata.name | gsub("[aeiou]"; "_")'],
    "capture": ["-c", '.items[0].metadata.name | capture("(?<base>[a-z]+)-(?<n>[0-9]+)")'],
    "split join": ["-c", '.items[0].metadata.name | split("-"), (split("-") | join("+"))'],
    "ascii": ["-r", ".items[].metadata.name | ascii_upcase"],
    "tostring": ["-c", '[.items[].status.restarts | tostring | . + "x"]'],
    "numbers": [
        "-c",
        '[1/2, 1.0, 3.5*2, 7%3, -7%3, 10/5, 1e3, 0.1+0.2, (5|floor), (5.7|floor), ("12"|tonumber)]',
    ],
    "arg": ["-r", "--arg", "n", "db", ".items[] | select(.metadata.name == $n) | .status.phase"],
    "argjson": ["-c", "--argjson", "n", "5", "[.items[].status.restarts + $n]"],
    "slurp": ["-s", "-c", "length"],
    "null input": ["-n", "-c", "[range(5)], [range(2;4)], ([limit(2; range(9))])"],
    "exit status": ["-e", ".nosuch"],
    "sort keys": ["-S", "-c", ".items[1].spec"],
    "raw join": ["-j", ".items[].metadata.name"],
    "tab": ["--tab", ".items[0].status"],
    "indent": ["--indent", "4", ".items[0].status"],
    "empty": ["empty"],
    "comma": ["-c", ".items[0].status | .phase, .restarts"],
    "min max": ["-c", "[.items[].status.restarts] | [min, max, add, length]"],
    "unique": ["-c", "[3,1,2,3,1] | unique, sort, reverse"],
    "flatten": ["-c", "[1,[2,[3]]] | flatten, flatten(1)"],
    "index": ["-c", '"a,b, cd" | index(","), rindex(","), indices(",")'],
    "inside": ["-c", '"bar" | inside("foobar")'],
    "def": ["-c", "def inc: . + 1; def twice(f): f | f; [1,2] | map(twice(inc))"],
    "def value": ["-c", "def add($a; $b): $a + $b; add(1; 2)"],
    "foreach": ["-c", "[foreach range(4) as $i (0; . + $i; [$i, .])]"],
    "destructure": ["-c", ". as {items: [$a, $b]} | [$a.metadata.name, $b.metadata.name]"],
    "base64": ["-r", '"hello" | @base64, (@base64 | @base64d)'],
    "json": ["-r", '.items[0].status | @json, tojson, ("[1]"|fromjson|tojson)'],
    "escapes": ["-r", '"a\\tb\\u00e9\\"c"'],
    "unicode": ["-c", '"é世" | length, utf8bytelength, explode'],
    "limit first": ["-c", "[first(.items[]), (.items | first, last)] | map(.metadata.name)"],
    "env off": ["-c", "[.[]?] | length"],
    "compare": ["-c", '[1 < 2, "a" < "b", null < 1, [1] < [1,2], {} == {}, 1 == 1.0]'],
    "and or not": ["-c", "[true and false, true or false, (true|not), (null // 1)]"],
    "nested arrays": ["-c", "[.items[] | [.spec.containers[].image]]"],
    "ltrimstr": ["-r", '"nginx:1" | ltrimstr("nginx"), rtrimstr(":1")'],
    "entries numbers": ["-c", '{"b":1,"a":2} | to_entries | map(.value), keys, keys_unsorted'],
    "walk": ["-c", '[1,[2]] | walk(if type == "number" then . + 1 else . end)'],
    "transpose": ["-c", "[[1,2],[3]] | transpose"],
    "group count": [
        "-c",
        '[.items[].spec.containers[].image | split(":")[0]] | group_by(.) | map({(.[0]): length}) | add',
    ],
    "error message": ['error("no")'],
    "catch": ["-c", '[.[] | try error("x") catch .]'],
    "alternative update": ["-c", '.items[1].metadata | .labels //= {"a":"b"}'],
    "setpath": ["-c", '{} | setpath(["a","b"]; 1) | getpath(["a","b"])'],
    "syntax": [".items["],
    "unknown": ["nosuch"],
    "sort error": [".kind | sort"],
    "add error": ["{} + 1"],
    "todate": ["-r", "0 | todate"],
    "until": ["-c", "1 | until(. > 100; . * 2)"],
    "while": ["-c", "[1 | while(. < 10; . * 2)]"],
    "string multiply": ["-c", '"ab" * 3'],
    "object merge": ["-c", '{"a":{"b":1}} * {"a":{"c":2}}'],
    "array minus": ["-c", "[1,2,3] - [2]"],
    "input": ["-n", "-c", "[inputs] | length"],
    "with index": ["-c", '[.items | to_entries[] | "\\(.key)"]'],
    "dot quoted": ["-c", '."kind", .["kind"], ."items"[0]."status"'],
    "optional chain": ["-c", "[.items[].spec.nodeName?]"],
    "scan": ["-c", '"a1b22" | [scan("[0-9]+")]'],
    "splits": ["-c", '"a, b" | split(", *"; null)'],
    "negative": ["-c", "[-1, -(2), 3 - -1]"],
    "float": ["-c", "[3.14, 100000000000000000000, 1.5e300]"],
}


def ours(argv: list[str], text: str = PODS) -> list[Any]:
    """Status, output, whether it complains, what it says."""
    world = World(table=NAMES.get, names=NAMES)
    process = world.start("jq", *map(octets, argv))
    world.machine.input("s", octets(text))
    world.machine.end_input("s")
    world.settle()
    err = world.host.out(2)
    return [world.host.exits.get(process), characters(world.host.out(1)), bool(err), characters(err)]


def test_like_the_real_one(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        real = shutil.which("jq")
        assert real, "--update needs jq"
        fresh = {}
        for name, argv in CASES.items():
            done = subprocess.run(
                [real, *argv], input=PODS.encode(), capture_output=True, timeout=30, check=False
            )
            fresh[name] = [done.returncode, done.stdout.decode(), bool(done.stderr)]
        GOLDEN.write_text(json.dumps(fresh, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    expected = json.loads(GOLDEN.read_text())
    assert sorted(expected) == sorted(CASES)
    assert {name: found for name, argv in CASES.items() if (found := ours(argv)[:3]) != expected[name]} == {}


SAID = {
    "no filter": ([], PODS, 2, "Usage:"),
    "option": (["--nosuch", "."], PODS, 2, "jq: Unknown option: --nosuch"),
    "argument": ([".", "--arg", "x"], PODS, 2, "jq: --arg takes 2 parameters"),
    "json of an argument": (["--argjson", "x", "{", "."], PODS, 2, "jq: Invalid JSON text passed to --argjson"),
    "no json": (["."], '{"a": nope}', 2, "jq: parse error: Invalid literal at line 1, column 7"),
    "half of one": (["."], '{"a": 1', 2, "jq: parse error: Unfinished JSON term at line 1, column 8"),
    "index": ([".kind.x"], PODS, 5, 'jq: error (at <stdin>:0): Cannot index string with "x"'),
    "for ever": (["[range(1e9)]"], "1", 5, f"jq: error: stopped: the program did more than {MAX_STEPS:,} steps"),
    "deep": (["def f: f; f"], "1", 5, "jq: error: stopped: functions more than"),
    "nested": (["[" * 200 + "]" * 200], "1", 3, "jq: error: syntax error, nested more than 60 deep"),
    "long": (['"a" * 2000000'], "1", 5, "jq: error (at <stdin>:0): the string would be too long"),
    "program": (["1" + " " * 17_000], "1", 3, "a program may have at most 16,384 characters"),
    "input": (["."], '"' + "a" * 4_200_000, 2, "jq: error: the input has more than 4 MiB"),
    "large index": ([".[9999999] = 1"], "[]", 5, "jq: error (at <stdin>:0): Array index too large"),
}  # fmt: skip


@pytest.mark.parametrize(("argv", "text", "status", "said"), SAID.values(), ids=SAID)
def test_what_cannot_be_done_is_said(argv: list[str], text: str, status: int, said: str) -> None:
    found = ours(argv, text)
    assert found[0] == status
    assert said in found[3]


TOKENS = (
    ".", "[", "]", "{", "}", "(", ")", "|", ",", ":", ";", "?", "..", ".a", ".items", "[]", "+", "-", "*", "/", "%", "==",
    "<", "//", "|=", "+=", "=", "and", "not", "if", "then", "else", "end", "as", "$x", "reduce", "foreach", "def f: ",
    "def f($a): ", "try", "catch", "map(", "select(", "length", "keys", "add", "to_entries", "from_entries", "sort_by(",
    "del(", "path(", "range(", "limit(3;", "recurse", '"a"', '"\\(', "1", "-1", "1e999", "null", "@csv", "@base64d",
    "split(", "test(", "sub(", "implode", "tojson", "fromjson", "flatten", "until(.;", "repeat(", "input", "error", "é",
    '"\\ud83d"', "getpath(", "setpath(", "walk(", "99999999999", "strftime(",
)  # fmt: skip
INPUTS = (PODS, "{}", "[1,[2]]", '"a" 1', "nul", "", '"\\ud83d"', "1e999 [1")
COUNT = 20_000 if os.environ.get("DRYDOCK_SOAK") else 150


def test_no_program_breaks_it() -> None:
    for seed in range(COUNT):
        chance = random.Random(seed)
        if seed % 2:
            text = " ".join(chance.choice(TOKENS) for _ in range(chance.randint(1, 12)))
        else:
            edited = list(chance.choice(list(CASES.values()))[-1])
            for _ in range(chance.randint(1, 3)):
                at = chance.randrange(len(edited)) if edited else 0
                edited[at : at + chance.randint(0, 2)] = [chance.choice(TOKENS)]
            text = "".join(edited)
        try:
            assert ours([text], chance.choice(INPUTS))[0] is not None
        except Exception as error:
            raise AssertionError(f"seed {seed}: {text!r}") from error
