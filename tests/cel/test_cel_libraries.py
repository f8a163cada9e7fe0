"""The libraries beside the standard one, function by function: value or exact error."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import cel
from cluster_engine.cel.library import FUNCTIONS
from cluster_engine.cel.library.authorizer import Answer, Authorizer, Question
from cluster_engine.cel.types import Type

STRINGS: list[tuple[str, Any]] = [
    ("'tacocat'.charAt(3)", "o"),
    ("'tacocat'.charAt(7)", ""),
    ("'tacocat'.charAt(8)", "!index out of range: 8"),
    ("'©αT'.charAt(1)", "α"),
    ("'tacocat'.indexOf('ac')", 1),
    ("'tacocat'.indexOf('z')", -1),
    ("'tacocat'.indexOf('')", 0),
    ("'tacocat'.indexOf('a', 2)", 5),
    ("'tacocat'.indexOf('a', 30)", "!index out of range: 30"),
    ("'tacocat'.lastIndexOf('at')", 5),
    ("'tacocat'.lastIndexOf('')", 7),
    ("'tacocat'.lastIndexOf('a', 4)", 1),
    ("['x', 'y'].join()", "xy"),
    ("['x', 'y'].join('-')", "x-y"),
    ("[].join('-')", ""),
    ("[dyn('x'), 1].join()", "!join: invalid input: 1"),
    ("'TacoCÆt Xii'.lowerAscii()", "tacocÆt xii"),
    ("'TacoCÆt Xii'.upperAscii()", "TACOCÆT XII"),
    ("'12 days 12 hours'.replace('{0}', '2')", "12 days 12 hours"),
    ("'{0} days {0} hours'.replace('{0}', '2')", "2 days 2 hours"),
    ("'{0} days {0} hours'.replace('{0}', '2', 1)", "2 days {0} hours"),
    ("'{0} days'.replace('{0}', '2', 0)", "{0} days"),
    ("'abc'.replace('', '_')", "_a_b_c_"),
    ("'abc'.replace('', '_', 2)", "_a_bc"),
    ("'hello world'.split(' ')", ["hello", "world"]),
    ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
    ("'a,b,c'.split(',', 1)", ["a,b,c"]),
    ("'a,b,c'.split(',', 0)", []),
    ("'a,b,c'.split(',', -1)", ["a", "b", "c"]),
    ("'abc'.split('')", ["a", "b", "c"]),
    ("'abc'.split('', 2)", ["a", "bc"]),
    ("'tacocat'.substring(4)", "cat"),
    ("'tacocat'.substring(0, 4)", "taco"),
    ("'ta©o©αT'.substring(2, 6)", "©o©α"),
    ("'tacocat'.substring(7)", ""),
    ("'tacocat'.substring(40)", "!index out of range: 40"),
    ("'tacocat'.substring(-1)", "!index out of range: -1"),
    ("'tacocat'.substring(3, 50)", "!index out of range: 50"),
    ("'tacocat'.substring(2, 1)", "!invalid substring range. start: 2, end: 1"),
    (r"' \f\n\r\t\vtext  '.trim()", "text"),
    ("strings.quote('a\"b\\n')", '"a\\"b\\n"'),
    ("'%s has %d'.format([dyn('web'), 3])", "web has 3"),
    (
        "'%.2f|%e|%b|%o|%x|%X|%%'.format([dyn(1.5), 1000.0, 5, 8, 255, 'hi'])",
        "1.50|1.000000e+03|101|10|ff|6869|%",
    ),
    ("'%s'.format([[1, 2]])", "[1, 2]"),
    ("'%s'.format([{'b': 1, 'a': true}])", "?expected type 'int' but found 'bool'"),
    ("'%s'.format([{'b': 1, 'a': 2}])", "{a: 2, b: 1}"),
    ("'%s'.format([null])", "null"),
    ("'%s %s'.format([1])", "!index 1 out of range"),
    (
        "'%d'.format(['a'])",
        "!error during formatting: decimal clause can only be used on integers, was given string",
    ),
    ("'%z'.format([1])", '!could not parse formatting clause: unrecognized formatting clause "z"'),
    ("dyn(1).trim()", "!no such overload: trim(int)"),
    ("'a'.trim(1)", "?found no matching overload for 'trim' applied to 'string.(int)'"),
    ("'a'.reverse()", "?found no matching overload for 'reverse' applied to 'string.()'"),
]

LISTS: list[tuple[str, Any]] = [
    ("[1, 2, 3].isSorted()", True),
    ("['b', 'a'].isSorted()", False),
    ("[].isSorted()", True),
    ("[1, 3].sum()", 4),
    ("[1.0, 3.0].sum()", 4.0),
    ("[duration('1m'), duration('1s')].sum() == duration('61s')", True),
    ("[9223372036854775807, 1].sum()", "!integer overflow"),
    ("['a'].sum()", "?found no matching overload for 'sum' applied to 'list(string).()'"),
    ("[1, 3].min()", 1),
    ("[1, 3].max()", 3),
    ("['b', 'a'].min()", "a"),
    ("[].min()", "!min called on empty list"),
    ("[].max()", "!max called on empty list"),
    ("[1, 2, 2, 3].indexOf(2)", 1),
    ("[1, 2, 2, 3].lastIndexOf(2)", 2),
    ("['a', 'b'].indexOf('c')", -1),
    ("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
    ("[1, 2].slice(0, 3)", "!cannot slice(0, 3), list is length 2"),
    ("[1, 2].slice(-1, 1)", "!cannot slice(-1, 1), negative indexes not supported"),
    ("[1, 2].slice(2, 1)", "!cannot slice(2, 1), start index must be less than or equal to end index"),
    ("[[1, 2], [3]].flatten()", [1, 2, 3]),
    ("[[[1]], [[2]]].flatten()", [[1], [2]]),
    ("[dyn([[1], [2]]), [3]].flatten(2)", [1, 2, 3]),
    ("[dyn([[1], [2]]), [3]].flatten(1)", [[1], [2], 3]),
    ("[1].flatten(-1)", "!level must be non-negative"),
    ("[1, 2, 2, 1].distinct()", [1, 2]),
    ("[dyn(1), 1.0, 1u].distinct()", [1]),
    ("lists.range(3)", [0, 1, 2]),
    ("[1, 2].reverse()", [2, 1]),
    ("[3, 1, 2].sort()", [1, 2, 3]),
    ("[dyn(3), 'a'].sort()", "!list elements must have the same type"),
    ("['aa', 'b'].sortBy(x, x.size())", ["b", "aa"]),
    (
        "[1, 2].sortBy(x, [x])",
        "?found no matching overload for '@sortByAssociatedKeys' applied to 'list(dyn).(list(list(int)))'",
    ),
    ("sets.contains([1, 2, 3], [2, 3])", True),
    ("sets.contains([1], [2])", False),
    ("sets.equivalent([1, 2], [2, 1, 1])", True),
    ("sets.equivalent([1], [1, 2])", False),
    ("sets.intersects([1, 2], [2, 3])", True),
    ("sets.intersects([1], [])", False),
]

REGEXES: list[tuple[str, Any]] = [
    ("'abc 123'.find('[0-9]+')", "123"),
    ("'abc 123'.find('xyz')", ""),
    ("'123 abc 456'.findAll('[0-9]+')", ["123", "456"]),
    ("'123 abc 456'.findAll('[0-9]+', 1)", ["123"]),
    ("'123 abc 456'.findAll('xyz')", []),
    ("'a'.find('(')", "!error parsing regexp: missing closing ): `(`"),
    ("'a'.find('a**')", "!error parsing regexp: invalid nested repetition operator: `**`"),
    ("'a'.find('[')", "!error parsing regexp: missing closing ]: `[`"),
]

URLS: list[tuple[str, Any]] = [
    ("isURL('https://example.com:80/')", True),
    ("isURL('../relative')", False),
    ("isURL('/absolute')", True),
    ("url('https://example.com:80/').getHost()", "example.com:80"),
    ("url('https://example.com:80/').getHostname()", "example.com"),
    ("url('https://[::1]:80/').getHostname()", "::1"),
    ("url('https://[::1]:80/').getPort()", "80"),
    ("url('https://example.com/').getPort()", ""),
    ("url('https://example.com/').getScheme()", "https"),
    ("url('/path').getScheme()", ""),
    ("url('https://example.com/with space/').getEscapedPath()", "/with%20space/"),
    ("url('https://example.com').getEscapedPath()", ""),
    ("url('https://example.com/p?k1=a&k2=b&k2=c').getQuery()", {"k1": ["a"], "k2": ["b", "c"]}),
    ("url('https://example.com/p?k=1%202').getQuery()['k'][0]", "1 2"),
    ("url('../x')", '!URL parse error during conversion from string: parse "../x": invalid URI for request'),
    (
        "url('https://a:b/')",
        '!URL parse error during conversion from string: parse "https://a:b/": invalid port ":b" after host',
    ),
]

QUANTITIES: list[tuple[str, Any]] = [
    ("isQuantity('1.3Gi')", True),
    ("isQuantity('1,3G')", False),
    ("quantity('1k') == quantity('1000')", True),
    ("quantity('200M').isLessThan(quantity('1G'))", True),
    ("quantity('1Gi').isGreaterThan(quantity('1G'))", True),
    ("quantity('50k').compareTo(quantity('50000'))", 0),
    ("quantity('50k').compareTo(quantity('1M'))", -1),
    ("quantity('50k').add(quantity('20k')) == quantity('70k')", True),
    ("quantity('50k').add(20) == quantity('50020')", True),
    ("quantity('50k').sub(quantity('20k')) == quantity('30k')", True),
    ("quantity('50k').sub(20) == quantity('49980')", True),
    ("quantity('50k').sign()", 1),
    ("quantity('-1').sign()", -1),
    ("quantity('0').sign()", 0),
    ("quantity('50k').asInteger()", 50000),
    ("quantity('0.5').isInteger()", False),
    ("quantity('0.5').asInteger()", "!cannot convert value to integer"),
    ("quantity('500m').asApproximateFloat()", 0.5),
    (
        "quantity('10x')",
        "!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
    ("type(quantity('1')) == kubernetes.Quantity", True),
]

SEMVERS: list[tuple[str, Any]] = [
    ("isSemver('1.2.3')", True),
    ("isSemver('v1.2.3')", False),
    ("isSemver('v01.01', true)", True),
    ("isSemver('1.0')", False),
    ("semver('1.2.3').major()", 1),
    ("semver('1.2.3').minor()", 2),
    ("semver('1.2.3').patch()", 3),
    ("semver('1.2.3').isLessThan(semver('1.10.0'))", True),
    ("semver('1.2.3-alpha.1').isLessThan(semver('1.2.3-alpha.beta'))", True),
    ("semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1'))", True),
    ("semver('1.2.3+a').compareTo(semver('1.2.3+b'))", 0),
    ("semver('1.2')", "!No Major.Minor.Patch elements found"),
    ("semver('1.2.03')", '!Patch number must not contain leading zeroes "03"'),
    ("semver('v1.0', true) == semver('1.0.0')", True),
]

ADDRESSES: list[tuple[str, Any]] = [
    ("isIP('127.0.0.1')", True),
    ("isIP('::1')", True),
    ("isIP('127.0.0.256')", False),
    ("isIP('::ffff:1.2.3.4')", False),
    ("ip('10.0.0.1').family()", 4),
    ("ip('::1').family()", 6),
    ("ip('0.0.0.0').isUnspecified()", True),
    ("ip('127.0.0.1').isLoopback()", True),
    ("ip('169.254.169.254').isLinkLocalUnicast()", True),
    ("ip('224.0.0.1').isLinkLocalMulticast()", True),
    ("ip('224.0.1.1').isLinkLocalMulticast()", False),
    ("ip('ff02::1').isLinkLocalMulticast()", True),
    ("ip('192.168.0.1').isGlobalUnicast()", True),
    ("ip('255.255.255.255').isGlobalUnicast()", False),
    ("ip.isCanonical('2001:DB8::1')", False),
    ("ip.isCanonical('2001:db8::1')", True),
    ("string(ip('2001:DB8::1'))", "2001:db8::1"),
    ("ip('10.0.0.1') == ip('10.0.0.1')", True),
    (
        "ip('nope')",
        '!IP Address "nope" parse error during conversion from string: ParseAddr("nope"): unable to parse IP',
    ),
    (
        "ip('1.2.3')",
        '!IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short',
    ),
    (
        "ip('1.2.3.400')",
        '!IP Address "1.2.3.400" parse error during conversion from string: '
        'ParseAddr("1.2.3.400"): IPv4 field has value >255',
    ),
    ("isCIDR('10.0.0.0/8')", True),
    ("isCIDR('10.0.0.0')", False),
    ("isCIDR('10.0.0.0/33')", False),
    ("cidr('192.168.0.0/24').containsIP('192.168.0.7')", True),
    ("cidr('192.168.0.0/24').containsIP(ip('192.168.1.7'))", False),
    ("cidr('192.168.0.0/24').containsIP('::1')", False),
    ("cidr('192.168.0.0/24').containsCIDR('192.168.0.0/25')", True),
    ("cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/23'))", False),
    ("cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')", True),
    ("cidr('192.168.0.1/24').ip() == ip('192.168.0.1')", True),
    ("cidr('192.168.0.1/24').prefixLength()", 24),
    ("string(cidr('192.168.0.1/24'))", "192.168.0.1/24"),
    (
        "cidr('10.0.0.0')",
        "!network address parse error during conversion from string: netip.ParsePrefix(\"10.0.0.0\"): no '/'",
    ),
]

FORMATS: list[tuple[str, Any]] = [
    ("format.dns1123Label().validate('web').hasValue()", False),
    ("format.dns1123Label().validate('Web').value().size()", 1),
    ("format.dns1123Subdomain().validate('a.b').hasValue()", False),
    ("format.dns1035Label().validate('1a').hasValue()", True),
    ("format.dns1123SubdomainPrefix().validate('a.b-').hasValue()", False),
    ("format.dns1035LabelPrefix().validate('1a-').hasValue()", True),
    ("format.dns1123LabelPrefix().validate('web-').hasValue()", False),
    ("format.qualifiedName().validate('example.com/a').hasValue()", False),
    ("format.labelValue().validate('a b').hasValue()", True),
    ("format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()", False),
    ("format.uuid().validate('nope').value()", ["does not match the UUID format"]),
    ("format.byte().validate('aGk=').hasValue()", False),
    ("format.byte().validate('!').value()", ["invalid base64"]),
    ("format.date().validate('2024-02-30').value()", ["invalid date"]),
    ("format.datetime().validate('2024-02-29T00:00:00Z').hasValue()", False),
    ("format.uri().validate('http://a/b').hasValue()", False),
    ("format.named('dns1123Label').value().validate('web').hasValue()", False),
    ("format.named('nope').hasValue()", False),
    ("jsonpatch.escapeKey('a/b~c')", "a~1b~0c"),
]

AUTHORIZATION: list[tuple[str, Any]] = [
    ("authorizer.group('apps').resource('deployments').namespace('default').check('create').allowed()", True),
    (
        "authorizer.group('apps').resource('deployments').namespace('kube-system').check('create').allowed()",
        False,
    ),
    (
        "authorizer.group('').resource('pods').subresource('log').name('a').check('get').reason()",
        "pods/log a get",
    ),
    ("authorizer.path('/healthz').check('get').allowed()", True),
    ("authorizer.path('  ')", "!path must not be empty"),
    ("authorizer.group('').resource('')", "!resource must not be empty"),
    (
        "authorizer.serviceAccount('default', 'sa').group('').resource('pods').check('get').reason()",
        "default/sa pods get",
    ),
    ("authorizer.serviceAccount('not@valid', 'sa')", "!Invalid service account namespace"),
    ("authorizer.serviceAccount('default', 'invalid@*')", "!Invalid service account name"),
    (
        "authorizer.group('').resource('pods').labelSelector('a=b').fieldSelector('c=d').check('list').reason()",
        "pods list c=d a=b",
    ),
    ("authorizer.path('/x').check('get').errored()", False),
    ("authorizer.path('/x').check('get').error()", ""),
    (
        "[1, 2, 3].all(x, authorizer.path('/x').check('get').allowed() || true)",
        "!operation cancelled: actual cost limit exceeded",
    ),
]

TABLES = {
    "strings": STRINGS,
    "lists": LISTS,
    "regexes": REGEXES,
    "urls": URLS,
    "quantities": QUANTITIES,
    "semvers": SEMVERS,
    "addresses": ADDRESSES,
    "formats": FORMATS,
    "authorization": AUTHORIZATION,
}


def _ask(question: Question) -> Answer:
    if question.path:
        return Answer(question.path in ("/healthz", "/x"))
    account = "/".join(question.account) if question.account else ""
    resource = question.resource + (f"/{question.subresource}" if question.subresource else "")
    parts = (
        account,
        resource,
        question.name,
        question.verb,
        question.field_selector,
        question.label_selector,
    )
    return Answer(question.namespace == "default", " ".join(filter(None, parts)))


VARIABLES = {"authorizer": Type(Authorizer.type_name)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(*case, id=f"{name}: {case[0]}") for name, table in TABLES.items() for case in table],
)
def test_function(text: str, expected: Any) -> None:
    """``!text`` is an error of the evaluation, ``?text`` the first message of the compiler."""
    if isinstance(expected, str) and expected[:1] == "?":
        with pytest.raises(cel.CelTypeError) as refused:
            cel.compile(text, VARIABLES)
        assert refused.value.issues[0].message == expected[1:]
        return
    program = cel.compile(text, VARIABLES)
    if isinstance(expected, str) and expected[:1] == "!":
        with pytest.raises(cel.CelError) as failed:
            program.evaluate({"authorizer": Authorizer(_ask)})
        assert str(failed.value) == expected[1:]
        return
    value = program.evaluate({"authorizer": Authorizer(_ask)})
    assert value == expected
    assert type(value) is type(expected)


def test_every_function_reads_its_signatures_and_is_tested() -> None:
    cases = " ".join(text for table in TABLES.values() for text, _ in table)
    for name, function in FUNCTIONS.items():
        assert function.signatures, name
        library = any(o.id for o in function.overloads) and name[0].isalpha() and function.named
        if library and name not in ("type", "dyn"):
            assert f"{name}(" in cases or name in _STANDARD, name


_STANDARD = frozenset(
    name
    for name in FUNCTIONS
    if name.startswith(("get", "optional.")) or name in ("value", "hasValue", "first", "last", "unwrapOpt")
)
"""What tests/cel/test_cel_values.py has cases for."""


CHEAP = (
    "big.contains('ab') || big.size() > 0",
    "lists.range(1000).all(x, deep == deep)",
    "lists.range(1000).all(x, !'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a+)+$'))",
    "lists.range(100).map(x, deep).distinct().size() == 1",
)
"""What is no more than it looks like."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        *CHEAP,
        "lists.range(900000).distinct()",
        "lists.range(100000000)",
        "sets.contains(lists.range(100000), lists.range(100000))",
        "lists.range(2000).all(x, lists.range(2000).all(y, x == y || true))",
        "lists.range(100000).map(x, x)",
        "lists.range(900).map(x, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa').map(x, x.replace('', x)).map(x, x.replace('', x))",
        "big.replace('a', big).size() > 0",
        "[big, big, big, big, big, big, big, big, big, big, big, big].join().size()",
        "[big].map(x, x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x).size()",
        "lists.range(1000).all(x, deep == twin)",
        "lists.range(1000).all(x, deep in [twin])",
        "lists.range(99).map(x, twin).distinct().size() == 2 || lists.range(1000).map(x, twin).indexOf(deep) == 1",
    ],
    ids=lambda text: text[:40],
)
def test_hostile_evaluations_are_bounded(text: str) -> None:
    """Costs are counted before the work is done: none of these takes long or much."""
    deep: Any = 1
    twin: Any = 1
    for _ in range(12):
        deep, twin = [deep, deep], [twin, twin]
    program = cel.compile(text, ["big", "deep", "twin"])
    values = {"big": "a" * 1_000_000, "deep": deep, "twin": twin}
    if text in CHEAP:
        assert program.evaluate(values)
        return
    with pytest.raises(cel.CelCostError, match="operation cancelled: actual cost limit exceeded"):
        program.evaluate(values)
