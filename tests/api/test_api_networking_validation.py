"""Ingresses, their classes and NetworkPolicies: what is refused, in Kubernetes' own words; defaults and columns."""

import pytest
from api_bench import BY_KIND, NOW, created, load, merged, problems, updated

BASES = load("""
Ingress:
  apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: web}
  spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
IngressClass:
  apiVersion: networking.k8s.io/v1
  kind: IngressClass
  metadata: {name: outer}
  spec: {controller: example.com/ingress}
NetworkPolicy:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: p}
  spec: {podSelector: {}}
ServiceCIDR:
  apiVersion: networking.k8s.io/v1
  kind: ServiceCIDR
  metadata: {name: more}
  spec: {cidrs: [10.0.0.0/24]}
IPAddress:
  apiVersion: networking.k8s.io/v1
  kind: IPAddress
  metadata: {name: 10.96.0.77}
  spec: {parentRef: {resource: services, namespace: default, name: web}}
""")
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    "regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
BACK = "backend: {service: {name: web, port: {number: 80}}}"


def path(entry: str) -> str:
    return f"spec: {{rules: [{{http: {{paths: [{entry}]}}}}]}}"


AT = "spec.rules[0].http.paths[0]"
# id: (kind, change, expected errors)
CREATES = {
    "no ranges": (
        "ServiceCIDR", "spec: {cidrs: []}", ["spec.cidrs: Required value: at least one CIDR required"],
    ),
    "three ranges": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.0/24, 10.1.0.0/24, '2001:db8::/64']}",
        ['spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","10.1.0.0/24","2001:db8::/64"]}: '
         "may only hold up to 2 values"],
    ),
    "two ranges of a family": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.0/24, 10.1.0.0/24]}",
        ['spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","10.1.0.0/24"]}: may specify no more than one IP for each '
         "IP family, i.e 192.168.0.0/24 and 2001:db8::/64"],
    ),
    "no range at all": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.0]}",
        ['spec.cidrs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ),
    "a range with bits of a host": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.7/24]}",
        ['spec.cidrs[0]: Invalid value: "10.0.0.7/24": must not have bits set beyond the prefix length'],
    ),
    "a range with leading zeros": (
        "ServiceCIDR", "spec: {cidrs: [10.00.0.0/24]}",
        ['spec.cidrs[0]: Invalid value: "10.00.0.0/24": must not have leading 0s in IP or prefix length'],
    ),
    "a length with leading zeros": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.0/024]}",
        ['spec.cidrs[0]: Invalid value: "10.0.0.0/024": must not have leading 0s in IP or prefix length'],
    ),
    "a range of mapped addresses": (
        "ServiceCIDR", "spec: {cidrs: ['::ffff:10.0.0.0/120']}",
        ['spec.cidrs[0]: Invalid value: "::ffff:10.0.0.0/120": must not have an IPv4-mapped IPv6 address'],
    ),
    "a range in capitals": (
        "ServiceCIDR", "spec: {cidrs: ['2001:DB8::/64']}",
        ['spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")'],
    ),
    "a range's name": ("ServiceCIDR", "metadata: {name: A}", [f'metadata.name: Invalid value: "A": {SUBDOMAIN}']),
    "no address": (
        "IPAddress", "metadata: {name: web}",
        ['metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ),
    "an address with leading zeros": (
        "IPAddress", "metadata: {name: 10.96.0.077}",
        ['metadata.name: Invalid value: "10.96.0.077": must not have leading 0s'],
    ),
    "a mapped address": (
        "IPAddress", "metadata: {name: '::ffff:10.0.0.1'}",
        ['metadata.name: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address'],
    ),
    "an address in full": (
        "IPAddress", "metadata: {name: '0001:002:03:4::'}",
        ['metadata.name: Invalid value: "0001:002:03:4::": must be in canonical form ("1:2:3:4::")'],
    ),
    "nobody's address": ("IPAddress", "spec: {parentRef: null}", ["spec.parentRef: Required value"]),
    "an address of nothing": (
        "IPAddress", "spec: {parentRef: {resource: null, name: null}}",
        ["spec.parentRef.resource: Required value", "spec.parentRef.name: Required value"],
    ),
    "an address of odd names": (
        "IPAddress", "spec: {parentRef: {group: A, resource: a/b, name: 'c%', namespace: ..}}",
        [f'spec.parentRef.group: Invalid value: "A": {SUBDOMAIN}',
         "spec.parentRef.resource: Invalid value: \"a/b\": may not contain '/'",
         "spec.parentRef.name: Invalid value: \"c%\": may not contain '%'",
         "spec.parentRef.namespace: Invalid value: \"..\": may not be '..'"],
    ),
    "nothing to serve": (
        "Ingress", "spec: {defaultBackend: null}",
        ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"],
    ),
    "two backends": (
        "Ingress", "spec: {defaultBackend: {resource: {kind: Bucket, name: b}}}",
        ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
    ),
    "no backend": (
        "Ingress", "spec: {defaultBackend: {service: null}}",
        ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    ),
    "resource without a name": (
        "Ingress", "spec: {defaultBackend: {service: null, resource: {kind: Bucket}}}",
        ["spec.defaultBackend.resource.name: Required value: name is required"],
    ),
    "two ports": (
        "Ingress", "spec: {defaultBackend: {service: {port: {name: http}}}}",
        ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
    ),
    "no port": (
        "Ingress", "spec: {defaultBackend: {service: {port: null}}}",
        ["spec.defaultBackend: Required value: port name or number is required"],
    ),
    "port number": (
        "Ingress", "spec: {defaultBackend: {service: {port: {number: 70000}}}}",
        ["spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "no path type": (
        "Ingress", path(f"{{path: /, {BACK}}}"),
        [f"{AT}.pathType: Required value: pathType must be specified"],
    ),
    "unknown path type": (
        "Ingress", path(f"{{path: /, pathType: Regex, {BACK}}}"),
        [f'{AT}.pathType: Unsupported value: "Regex": supported values: '
         '"Exact", "ImplementationSpecific", "Prefix"'],
    ),
    "relative path": (
        "Ingress", path(f"{{path: api, pathType: Prefix, {BACK}}}"),
        [f'{AT}.path: Invalid value: "api": must be an absolute path'],
    ),
    "path upwards": (
        "Ingress", path(f"{{path: /a//b/.., pathType: Exact, {BACK}}}"),
        [f"{AT}.path: Invalid value: \"/a//b/..\": must not contain '//'",
         f"{AT}.path: Invalid value: \"/a//b/..\": cannot end with '/..'"],
    ),
    "path of whoever implements it": (
        "Ingress", path(f"{{pathType: ImplementationSpecific, {BACK}}}"), [],
    ),
    "no paths": ("Ingress", path(""), ["spec.rules[0].http.paths: Required value"]),
    "an address for a host": (
        "Ingress", "spec: {rules: [{host: 10.0.0.1}]}",
        ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ),
    "upper case": (
        "Ingress", "spec: {rules: [{host: Shop.example.com}]}",
        [f'spec.rules[0].host: Invalid value: "Shop.example.com": {SUBDOMAIN}'],
    ),
    "wildcard inside": (
        "Ingress", "spec: {rules: [{host: a.*.example.com}]}",
        [f'spec.rules[0].host: Invalid value: "a.*.example.com": {WILDCARD}'],
    ),
    "wildcard": ("Ingress", "spec: {rules: [{host: '*.example.com'}]}", []),
    "hosts of certificates": (
        "Ingress", "spec: {tls: [{hosts: ['*']}]}", [f'spec.tls[0].hosts[0]: Invalid value: "*": {WILDCARD}'],
    ),
    "class twice": (
        "Ingress", "{metadata: {annotations: {kubernetes.io/ingress.class: old}}, spec: {ingressClassName: new}}",
        ['annotations.kubernetes.io/ingress.class: Invalid value: "old": '
         "must match `ingressClassName` when both are specified"],
    ),
    "controller": (
        "IngressClass", "spec: {controller: nginx}",
        ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'],
    ),
    "no controller": ("IngressClass", "spec: {controller: ''}", ["spec.controller: Required value"]),
    "parameters somewhere": (
        "IngressClass", "spec: {parameters: {kind: Config, name: c, scope: Planet}}",
        ['spec.parameters.scope: Unsupported value: "Planet": supported values: "Cluster", "Namespace"'],
    ),
    "parameters of a namespace": (
        "IngressClass", "spec: {parameters: {kind: Config, name: c, scope: Namespace}}",
        ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ),
    "parameters of the cluster": (
        "IngressClass", "spec: {parameters: {kind: Config, name: c, namespace: n}}",
        ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ),
    "nobody": (
        "NetworkPolicy", "spec: {ingress: [{from: [{}]}]}",
        ["spec.ingress[0].from[0]: Required value: must specify a peer"],
    ),
    "addresses and Pods": (
        "NetworkPolicy", "spec: {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
        ["spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer"],
    ),
    "no range": (
        "NetworkPolicy", "spec: {ingress: [{from: [{ipBlock: {}}]}]}",
        ["spec.ingress[0].from[0].ipBlock.cidr: Required value"],
    ),
    "no such range": (
        "NetworkPolicy", "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}",
        ['spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": '
         "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"],
    ),
    "an exception outside": (
        "NetworkPolicy", "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
        ['spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": '
         "must be a strict subset of `cidr`"],
    ),
    "protocol": (
        "NetworkPolicy", "spec: {ingress: [{ports: [{protocol: ICMP}]}]}",
        ['spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"'],
    ),
    "range backwards": (
        "NetworkPolicy", "spec: {ingress: [{ports: [{port: 80, endPort: 79}]}]}",
        ["spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`"],
    ),
    "range of a name": (
        "NetworkPolicy", "spec: {ingress: [{ports: [{port: http, endPort: 79}]}]}",
        ["spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is non-numeric"],
    ),
    "range of nothing": (
        "NetworkPolicy", "spec: {ingress: [{ports: [{endPort: 79}]}]}",
        ["spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified"],
    ),
    "policy type": (
        "NetworkPolicy", "spec: {policyTypes: [Both]}",
        ['spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"'],
    ),
    "policy types": (
        "NetworkPolicy", "spec: {policyTypes: [Ingress, Egress, Ingress]}",
        ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: '
         "may not specify more than two policyTypes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BASES)
def test_the_base_is_fine(kind: str) -> None:
    assert problems(BASES[kind]) == []


@pytest.mark.parametrize(("kind", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(kind: str, change: str, expected: list[str]) -> None:
    assert problems(merged(BASES[kind], load(change))) == expected


def test_a_class_keeps_its_controller() -> None:
    old = created(BASES["IngressClass"])
    assert updated(old, merged(old, {"spec": {"controller": "example.com/other"}}))[1] == [
        'spec.controller: Invalid value: "example.com/other": field is immutable'
    ]


# id: (spec, policy types)
TYPES = {
    "ingress by itself": ("{podSelector: {}}", ["Ingress"]),
    "egress where there are rules": ("{podSelector: {}, egress: [{}]}", ["Ingress", "Egress"]),
    "not for an empty list": ("{podSelector: {}, egress: []}", ["Ingress"]),
    "as given": ("{podSelector: {}, policyTypes: [Egress]}", ["Egress"]),
}


@pytest.mark.parametrize(("spec", "types"), TYPES.values(), ids=TYPES.keys())
def test_policy_types(spec: str, types: list[str]) -> None:
    assert created({**BASES["NetworkPolicy"], "spec": load(spec)})["spec"]["policyTypes"] == types


ROWS = {
    "Ingress": ("Ingress", "{}", ["web", "<none>", "*", "", "80", "0s"]),
    "Ingress with hosts": (
        "Ingress",
        "{spec: {ingressClassName: outer, tls: [{}], rules: [{host: a}, {host: b}, {host: c}, {host: d}]},"
        " status: {loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: lb}]}}}",
        ["web", "outer", "a,b,c + 1 more...", "1.2.3.4,lb", "80, 443", "0s"],
    ),
    "Ingress with rules for any host": (
        "Ingress",
        "{spec: {rules: [{host: a}, {}, {host: b}, {host: c}, {}]}}",
        ["web", "<none>", "a,b,c + 2 more...", "", "80", "0s"],
    ),
    "Ingress with long hosts": (
        "Ingress",
        "{spec: {rules: [{}, {host: a-very-long-name.example.com}, {host: another-very-long-name.example.com}]}}",
        ["web", "<none>", "a-very-long-name.example.com,another-very-long-name.example.com", "", "80", "0s"],
    ),
    "Ingress whose points are told twice": (
        "Ingress",
        "{status: {loadBalancer: {ingress: [{hostname: lb}, {ip: 1.2.3.4}, {hostname: lb}, {}]}}}",
        ["web", "<none>", "*", "1.2.3.4,lb", "80", "0s"],
    ),
    "class": (
        "IngressClass",
        "{metadata: {annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}},"
        " spec: {parameters: {apiGroup: example.com, kind: Config, name: c}}}",
        ["outer (default)", "example.com/ingress", "Config.example.com/c", "0s"],
    ),
    "range": (
        "ServiceCIDR", "spec: {cidrs: [10.0.0.0/24, '2001:db8::/64']}", ["more", "10.0.0.0/24,2001:db8::/64", "0s"],
    ),
    "address": ("IPAddress", "{}", ["10.96.0.77", "services/default/web"]),
    "policy": (
        "NetworkPolicy", "spec: {podSelector: {matchLabels: {app: db}}}", ["p", "app=db", "0s"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "cells"), ROWS.values(), ids=ROWS.keys())
def test_printed(kind: str, change: str, cells: list[object]) -> None:
    assert BY_KIND[kind].row(merged(created(BASES[kind]), load(change)), NOW) == cells
