"""Random text for everything that parses: each answers, or says no with its own error, within its own limits.

Inputs are cut and glued from pieces that mean something to the parser, with noise in between. A failure names the
parser and the number of the input; `text_of(parser, number)` is that input again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import orjson
import pytest

from cluster_engine import cel
from cluster_engine.apimachinery import fields, json_body, labels, patch, protobuf, quantity, yaml
from cluster_engine.apimachinery.cow import freeze
from cluster_engine.apimachinery.schema import type_of
from cluster_engine.kube_apiserver.negotiation import parse_accept
from cluster_engine.linux.regex import PatternError, regex
from cluster_engine.linux.sh import arithmetic
from cluster_engine.linux.sh.errors import ParseError, ShellError
from cluster_engine.linux.sh.script import script
from cluster_engine.linux.text import octets

from .random_objects import Grower
from .random_objects import protobuf as protobuf_of
from .size import size

NOISE = (
    *("", " ", "\n", "\t", "\x00", "é", "日本", "🙂", "\\", '"', "'", "a", "0", "-", ".", "\u2028"),
    *("\x7f", "x" * 70),
)
PIECES: dict[str, tuple[str, ...]] = {
    "labels": (
        *("app", "=", "==", "!=", "in", "notin", "(", ")", ",", "!", ">", "<", "web", "a/b", "5", " "),
        *("x.y/z",),
    ),
    "fields": (
        *("metadata.name", "=", "==", "!=", ",", "\\,", "\\=", "\\\\", "a", "status.phase", "Running"),
        *("\\",),
    ),
    "quantity": (
        *("1", "0", ".", "5", "m", "k", "Ki", "Mi", "E", "e", "+", "-", "n", "u", "9" * 30, "e9"),
        *("E-5", "P"),
    ),
    "duration": (*("1", "h", "m", "s", "ms", "us", "µs", "ns", ".", "-", "+", "9" * 20, "0"),),
    "yaml": (
        *("a: ", "b:\n", "- ", "  ", "\n", "[", "]", "{", "}", ", ", ": ", "&x ", "*x", "<<: "),
        *("---\n", "...\n", "|\n", ">-\n", "'", '"', "!!int ", "!!binary ", "!t ", "? ", "# c\n", "~"),
        *("yes", "0x1F", "1e999", ".inf", "0o7", "%YAML 1.1\n", "\\u0041", "\\ud800", "1_0"),
        *("2026-01-01", "@", "`", "\ufeff", "\r\n", "!!float ", "=", "0b"),
    ),
    "json": (
        *("{", "}", "[", "]", ",", ":", '"a"', '"', "1", "-", "1e9", "1e999", "null", "true"),
        *("\\ud800", "\\u0041"),
    ),
    "accept": (
        *("application/json", ";", ",", "q=", "0.5", "nan", "inf", "as=Table", "v=v1", "*/*", "="),
        *("application/yaml",),
    ),
    "cel": (
        *("1", "2u", "0.5", "'a'", "b'x'", "true", "null", "self", ".a", ".b", "[0]", "['k']", "[", "]"),
        *("{", "}", "(", ")", ",", ":", "?", ".?a", "[?0]", " + ", " - ", " * ", " / ", " % ", "-", "!"),
        *(" == ", " != ", " < ", " <= ", " in ", " && ", " || ", ".all(x, ", ".exists(x, ", ".map(x, "),
        *(".filter(x, ", ".transformMap(k, v, ", "has(", "size(", "x", "k", "v", "int(", "string(", "dyn("),
        *("type(", "timestamp(", "duration('1h')", ".matches('", ".find('a+')", ".split('')", ".join()"),
        *(
            ".orValue(",
            "optional.of(",
            ".optMap(x, ",
            ".sum()",
            ".sort()",
            "lists.range(9)",
            "quantity('1Ki')",
        ),
        *("ip('::1')", "cidr('10.0.0.0/8')", "semver('1.2.3')", "url('http://a')", "// c\n", "'''", "r'\\d'"),
        *("'%s'.format([", "sets.contains(", "9223372036854775807", "1e308", "\\u00e9", "`a-b`", "$"),
    ),
    "arithmetic": (
        *("1", "0x", "08", "x", "+", "-", "*", "/", "%", "**", "<<", ">>", "(", ")", "?", ":", "="),
        *("+=", "!", "&&"),
    ),
    "regex": (
        *("a", "*", "+", "?", "[", "]", "^", "$", "\\(", "\\)", "(", ")", "|", "{1,3}", "\\{2\\}"),
        *("[:alpha:]", ".", "\\w"),
    ),
    "shell": (
        *("echo ", "$x", "${x:-", "}", "$(", ")", "`", "'", '"', "|", "||", "&&", ";", "\n", ">f"),
        *("<f", "2>&1", "<<E\n", "E\n", "if ", "then ", "fi", "while ", "do ", "done", "for i in "),
        *("case x in ", "esac", "{ ", "}", "f() ", "!", "x=1 ", "$((", "))", "true ", "false ", "cat "),
        *("*", "?", "[a-z]", "~", "#", "$@", "${#x}", "\\\n", "seq 3", "sed s/", "exit ", "break "),
        *("shift ", "set -e\n", "read x ", "printf %d ", "test -n ", "[ ", "]", "grep ", "eval ", "&"),
        *("ls ",),
    ),
}


def text_of(parser: str, number: int) -> str:
    """The input of this number."""
    random = Random(f"{parser}-{number}")
    pieces = PIECES[parser]
    return "".join(
        random.choice(pieces) if random.random() < 0.93 else random.choice(NOISE)
        for _ in range(random.choice((1, 2, 3, 5, 8, 13, 30)))
    )


def read_labels(text: str, number: int) -> None:
    selector = labels.parse_selector(text)
    selector.matches({"app": "web", "a/b": "5"})
    selector.matches(None)


def read_fields(text: str, number: int) -> None:
    fields.parse_field_selector(text).matches(lambda label: "web")


def read_quantity(text: str, number: int) -> None:
    canonical = quantity.canonical(text)
    assert quantity.canonical(canonical) == canonical
    assert quantity.compare(canonical, quantity.add(canonical, "0")) == 0
    quantity.value(text)
    quantity.milli(text)


def read_yaml(text: str, number: int) -> None:
    for value in yaml.load_all(text):
        again = yaml.load(yaml.dump(value))
        assert again == value, f"{value!r} is printed as {yaml.dump(value)!r}"


def read_json(text: str, number: int) -> None:
    value, _twice = json_body.load_json(text.encode())
    orjson.dumps(value)


def read_shell(text: str, number: int) -> None:
    for final in (False, True):
        script(text, final=final)


class Names(dict[str, int]):
    """Variables that are numbers."""

    def number(self, name: str) -> int:
        return self.get(name, 0)

    def assign(self, name: str, value: str) -> None:
        self[name] = int(value)


def read_arithmetic(text: str, number: int) -> None:
    assert -(2**63) <= arithmetic.compiled(text)(Names()) < 2**63


CEL_SELF = {"a": {"b": [1, 2.5, "x", None, True], "a": "text"}, "b": {"k": {"a": 1}}}


def read_cel(text: str, number: int) -> None:
    program = cel.compile(text, ["self"])
    again = [_outcome(program) for _ in range(2)]
    assert again[0] == again[1]


def _outcome(program: cel.Program) -> str:
    try:
        return repr(cel.to_json(program.evaluate({"self": CEL_SELF}, limit=20_000)))
    except cel.CelError as error:
        return str(error)


PARSERS: dict[str, tuple[Callable[[str, int], Any], tuple[type[Exception], ...]]] = {
    "labels": (read_labels, (labels.SelectorError,)),
    "fields": (read_fields, (fields.FieldSelectorError,)),
    "quantity": (read_quantity, (quantity.QuantityError,)),
    "yaml": (read_yaml, (yaml.YamlError,)),
    "json": (read_json, (json_body.DecodeError,)),
    "cel": (read_cel, (cel.CelCompileError,)),
    "accept": (lambda text, number: parse_accept(text), ()),
    "arithmetic": (read_arithmetic, (ShellError,)),
    "regex": (lambda text, number: regex(octets(text), extended=number % 2 == 0), (PatternError,)),
    "shell": (read_shell, (ParseError,)),
}


@pytest.mark.soak
@pytest.mark.parametrize("parser", PARSERS)
def test_any_text(parser: str) -> None:
    read, refusals = PARSERS[parser]
    taken = 0
    for number in range(size(2_000, 1_000_000)):
        text = text_of(parser, number)
        try:
            read(text, number)
            taken += 1
        except refusals:
            continue
        except BaseException:
            print(f"{parser}, input {number}: {text!r}")
            raise
    assert taken > 20, "hardly anything was accepted: the inputs are no good"


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"app": "web", "a/b~c": "d"}},
    "spec": {
        "containers": [
            {"name": "m", "image": "x", "ports": [{"containerPort": 80}]},
            {"name": "n", "args": ["a", "b"]},
        ],
        "tolerations": [{"key": "a"}],
    },
}
_POINTERS = (
    *("", "/", "/metadata", "/metadata/labels/app", "/metadata/labels/a~1b~0c", "/spec/containers"),
    *("/x/y", "/spec/containers/0", "/spec/containers/-", "/spec/containers/-1"),
    *("/spec/containers/1/args/0", "a", "/~", "/~3", "/spec/containers/01"),
    *("/spec/containers/9/spec/containers/9/spec/containers/9"),
    *("/spec/containers/9999999999999999999999", "/spec", "/é", None, 1),
)
_VALUES = (
    *(None, 1, -0.5, "x", [], {}, [1, [2]], {"a": {"b": None}}, True, 2**63, {"name": "m"}),
    {"$patch": "delete"},
)


def _json_patch(random: Random) -> Any:
    names = ("add", "remove", "replace", "move", "copy", "test", "x", None, [])
    made = []
    for _ in range(random.randrange(6)):
        operation = {
            "op": random.choices(names, (6, 6, 6, 6, 6, 6, 1, 1, 1))[0],
            "path": random.choice(_POINTERS),
            "from": random.choice(_POINTERS),
            "value": random.choice(_VALUES),
        }
        if random.random() < 0.1:
            del operation[random.choice(list(operation))]
        made.append(operation if random.random() < 0.98 else random.choice(_VALUES))
    return made if random.random() < 0.98 else random.choice(_VALUES)


def _merge_patch(random: Random, depth: int = 0) -> Any:
    if depth > 4 or random.random() < 0.3:
        return random.choice(_VALUES)
    if random.random() < 0.3:
        return [_merge_patch(random, depth + 1) for _ in range(random.randrange(3))]
    names = (
        *(
            "metadata",
            "labels",
            "spec",
            "containers",
            "name",
            "ports",
            "containerPort",
            "tolerations",
            "args",
            "key",
        ),
        *(
            "$patch",
            "$retainKeys",
            "$setElementOrder/containers",
            "$deleteFromPrimitiveList/args",
            "volumes",
            "$x",
        ),
    )
    return {random.choice(names): _merge_patch(random, depth + 1) for _ in range(random.randrange(4))}


@pytest.mark.soak
@pytest.mark.parametrize("form", ["json", "merge", "strategic", "protobuf"])
def test_any_patch_and_message(form: str) -> None:
    live = freeze(POD)
    schema = type_of("v1", "Pod")
    assert schema is not None
    whole = protobuf_of("v1", "Pod", POD)
    for number in range(size(2_000, 1_000_000)):
        random = Random(f"{form}-{number}")
        given: Any = None
        try:
            if form == "json":
                given = _json_patch(random)
                orjson.dumps(patch.json_patch(live, given))
            elif form == "merge":
                given = _merge_patch(random)
                orjson.dumps(patch.merge_patch(live, given))
            elif form == "strategic":
                grower = Grower(random)
                grower.left = 30
                given = grower.value(schema) if random.random() < 0.5 else _merge_patch(random)
                orjson.dumps(patch.strategic_merge_patch(live, given, schema))
            else:
                spoiled = bytearray(whole)
                for _ in range(random.randrange(4)):
                    spoiled[random.randrange(4, len(spoiled))] = random.randrange(256)
                given = bytes(spoiled[: random.randrange(len(spoiled))] if random.random() < 0.2 else spoiled)
                orjson.dumps(protobuf.decode(given))
        except (patch.PatchError, protobuf.ProtobufError):
            continue
        except BaseException:
            print(f"{form}, input {number}: {given!r}")
            raise
