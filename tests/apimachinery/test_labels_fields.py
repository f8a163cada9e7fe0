"""Selectors: what parses, what matches, and what is said of what does not parse."""

from __future__ import annotations

import pytest

from cluster_engine.apimachinery import fields, labels

VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("text", "printed", "labelled", "matches"),
    [
        pytest.param("", "", {}, True, id="empty selects everything"),
        pytest.param("a=b", "a=b", {"a": "b"}, True, id="equal"),
        pytest.param("a==b,c!=d", "a==b,c!=d", {"a": "b"}, True, id="not equal passes when absent"),
        pytest.param("c!=d", "c!=d", {"c": "d"}, False, id="not equal"),
        pytest.param("x in (b, a)", "x in (a,b)", {"x": "a"}, True, id="in"),
        pytest.param("x notin (a)", "x notin (a)", {"x": "a"}, False, id="notin"),
        pytest.param("x", "x", {"x": ""}, True, id="exists"),
        pytest.param("!x", "!x", {"x": ""}, False, id="does not exist"),
        pytest.param("n>1,n<3", "n>1,n<3", {"n": "2"}, True, id="numbers"),
        pytest.param("n>1", "n>1", {"n": "two"}, False, id="no number"),
        pytest.param("a=", "a=", {"a": ""}, True, id="empty value"),
        pytest.param("in in (in)", "in in (in)", {"in": "in"}, True, id="a key named in"),
    ],
)
def test_label_selector(text: str, printed: str, labelled: dict[str, str], matches: bool) -> None:
    selector = labels.parse_selector(text)
    assert str(selector) == printed
    assert selector.matches(labelled) is matches


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            id="no operator",
        ),
        pytest.param("=a", "found '=', expected: !, identifier, or 'end of string'", id="no key"),
        pytest.param("a=b=c", "found '=', expected: ',' or 'end of string'", id="two operators"),
        pytest.param("a,,b", "found ',', expected: identifier after ','", id="empty term"),
        pytest.param(
            "a in (",
            "unable to parse requirement: found '', expected: ',', ')' or identifier",
            id="open parenthesis",
        ),
        pytest.param(
            "a=$",
            f'unable to parse requirement: values[0][a]: Invalid value: "$": {VALUE_RULE}',
            id="bad value",
        ),
    ],
)
def test_label_selector_errors(text: str, said: str) -> None:
    with pytest.raises(labels.SelectorError) as caught:
        labels.parse_selector(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("selector", "labelled", "matches"),
    [
        pytest.param(None, {"a": "b"}, False, id="null selects nothing"),
        pytest.param({}, {"a": "b"}, True, id="empty selects everything"),
        pytest.param({"matchLabels": {"a": "b"}}, {"a": "b"}, True, id="labels"),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, True, id="NotIn"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False, id="gone"
        ),
    ],
)
def test_selector_object(selector: dict[str, object] | None, labelled: dict[str, str], matches: bool) -> None:
    assert labels.compile_selector(selector).matches(labelled) is matches


def test_selector_object_with_a_bad_operator() -> None:
    with pytest.raises(labels.SelectorError) as caught:
        labels.compile_selector({"matchExpressions": [{"key": "a", "operator": "Foo"}]})
    assert str(caught.value) == '"Foo" is not a valid label selector operator'


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a=b,c!=d", [("a", "=", "b"), ("c", "!=", "d")], id="two"),
        pytest.param("a==b", [("a", "=", "b")], id="double"),
        pytest.param(r"a=b\,c\=d\\", [("a", "=", "b,c=d\\")], id="escapes"),
    ],
)
def test_field_selector(text: str, requirements: list[tuple[str, str, str]]) -> None:
    assert list(fields.parse_field_selector(text).requirements) == requirements


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a", "invalid selector: 'a'; can't understand 'a'", id="no operator"),
        pytest.param("a=b=c", "invalid field selector: unescaped character in value: =", id="unescaped"),
        pytest.param(r"a=b\x", r"invalid field selector: invalid escape sequence: \x", id="bad escape"),
    ],
)
def test_field_selector_errors(text: str, said: str) -> None:
    with pytest.raises(fields.FieldSelectorError) as caught:
        fields.parse_field_selector(text)
    assert str(caught.value) == said


def test_unsupported_field_label() -> None:
    selector = fields.parse_field_selector("metadata.name=a,spec.foo=x")
    assert fields.check_supported(selector, ("metadata.name",)) == "spec.foo"
