"""Every kind of check: what passes, and in which words it fails in both languages."""

import pytest
import yaml

from cluster_engine import Cluster
from labs.kit import checks, fieldpath
from labs.kit.checking import Fail, Reader
from labs.kit.expectations import Expectation

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.27", resources: {requests: {cpu: 100m}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo hello; echo end; sleep 3600"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: huge}
spec: {containers: [{name: c, image: "busybox:1.36", resources: {requests: {cpu: "900"}}}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
"""


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(MANIFESTS)
    cluster.advance(60)
    return cluster


def verdict(cluster, text):
    """What a check of this YAML says: "" when it passes, else expected, found, look, in English."""
    judge = checks.build(yaml.safe_load(text), {})
    try:
        judge.judge(Reader(cluster.fork()))
    except Fail as failure:
        return failure.message["en"]
    return ""


@pytest.mark.parametrize(
    "text",
    [
        "object: {kind: Deployment, name: web, expect: [{field: spec.replicas, is: 2}]}",
        "object: {kind: deploy, name: web, expect: [{field: status.readyReplicas, atLeast: 2}]}",
        "object: {kind: Pod, name: nobody, exists: false}",
        "object: {kind: Node, name: worker-1}",
        "list: {kind: Pod, labels: app=web, ready: true, count: 2}",
        "list: {kind: Pod, labels: app=web, count: {atLeast: 1, atMost: 2}, distinct: {field: spec.nodeName, atLeast: 2}}",
        "list: {kind: Pod, fields: status.phase=Pending, count: 1, each: [{field: spec.nodeName, exists: false}]}",
        "list: {kind: Pod, namespace: '*', where: [{field: 'metadata.labels[k8s-app]', is: kube-dns}], count: 2}",
        "list: {kind: Node, count: 3}",
        "request: {from: {pod: client}, url: http://web/, contains: Welcome}",
        "request: {from: {namespace: default}, url: http://web.default.svc/, times: 3}",
        "request: {from: {node: true}, nodePortOf: {name: web}}",
        "request: {from: {pod: client}, url: http://web/nothing, status: 404}",
        "request: {from: {labels: app=client}, url: http://web:81/, answers: false, timeout: 2}",
        "dns: {from: {pod: client}, name: web, to: {service: web}}",
        "dns: {name: kubernetes.default.svc.cluster.local}",
        "dns: {from: {pod: client}, name: web.shop, resolves: false}",
        "exec: {from: {pod: client}, command: [cat, /etc/resolv.conf], contains: nameserver}",
        "can-i: {user: kubernetes-admin, verb: get, resource: pods, allowed: false}",
        "can-i: {serviceAccount: {name: reader}, verb: list, resource: pods, allowed: false}",
        "event: {reason: FailedScheduling, kind: Pod, name: huge, message: Insufficient cpu}",
        "event: {reason: Unheard, seen: false}",
        "log: {pod: client, matches: ^hel+o$}",
        "log: {labels: app=client, matches: end, every: true}",
        "log: {labels: app=client, matches: end, last: true}",
        "log: {labels: app=client, matches: goodbye, seen: false}",
        "log: {pod: client, matches: hello, last: true, seen: false}",
        "on_fork: {do: [{delete: {kind: Pod, labels: app=web, first: 1}}, {advance: 30}],"
        " then: [{list: {kind: Pod, labels: app=web, ready: true, count: 2}}]}",
        "on_fork: {do: [{scale: {kind: Deployment, name: web, to: 3}}, {advance: 30}],"
        " then: [{object: {kind: Deployment, name: web, expect: [{field: status.readyReplicas, is: 3}]}}]}",
        "on_fork: {do: [{apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}}],"
        " then: [{object: {kind: ConfigMap, name: a}}]}",
        "on_fork: {do: [{patch: {kind: Service, name: web, patch: {spec: {selector: {app: x}}}}}, {advance: 5}],"
        " then: [{request: {from: {pod: client}, url: http://web/, answers: false, timeout: 1}}]}",
        "on_fork: {do: [{evict: {labels: app=web, first: 1}}, {advance: 30}],"
        " then: [{event: {reason: Killing, kind: Pod}}, {list: {kind: Pod, labels: app=web, ready: true, count: 2}}]}",
        "on_fork: {do: [{exec: {pod: client, command: [touch, /tmp/a]}}],"
        " then: [{exec: {from: {pod: client}, command: [ls, /tmp/a]}}]}",
        "on_fork: {do: [{fault: {kind: container/kill, pod: client}}, {advance: 5}],"
        " then: [{object: {kind: Pod, name: client, expect:"
        " [{field: 'status.containerStatuses[0].restartCount', is: 1}]}}]}",
        "on_fork: {do: [{fault: {kind: node/power, node: worker-1, up: false}}, {advance: 70}],"
        " then: [{event: {reason: NodeNotReady, kind: Node, name: worker-1}}]}",
        "on_fork: {at: {list: {kind: Pod, labels: app=web, count: 1}}, do: [{delete: {kind: Deployment, name: web}},"
        " {advance: 60}], then: [{list: {kind: Pod, labels: app=web, count: 0}}]}",
        "on_fork: {at: {list: {kind: Pod, labels: app=web, ready: true, count: 1}}, do: [{advance: 0}],"
        " then: [{list: {kind: Pod, labels: app=web, ready: true, count: 1}}]}",
        "object: {kind: Deployment, name: web, expect: [{cel: self.spec.replicas == self.status.readyReplicas}]}",
        "object: {kind: Service, name: web, with: {pods: {kind: Pod, labels: app=web}, node: {kind: Node, name: worker-1}},"
        " expect: [{cel: 'pods.size() == 2 && node.metadata.name == \"worker-1\"'}]}",
        "list: {kind: Pod, labels: app=web, cel: 'self.all(pod, has(pod.spec.nodeName))'}",
        "always: {list: {kind: Pod, labels: app=web, count: {atLeast: 0}, cel: self.size() <= 2}}",
        "always: {object: {kind: Deployment, name: web}}",
        "between: {from: {object: {kind: Deployment, name: web}},"
        " to: {list: {kind: Pod, labels: app=web, ready: true, count: 2}},"
        " hold: {object: {kind: Deployment, name: web, expect: [{field: spec.replicas, is: 2}]}}}",
        "between: {from: {list: {kind: Pod, labels: app=web, ready: true, count: 2}},"
        " hold: {list: {kind: Pod, labels: app=web, ready: true, count: 2}}}",
        "between: {from: {object: {kind: Pod, name: client}}, to: {object: {kind: Pod, name: client}},"
        " hold: {object: {kind: Pod, name: client, expect: [{field: spec.nodeName, exists: false}]}}}",
        "changed: {kind: Deployment, name: web, field: spec.replicas, by: kubernetes-admin}",
        "changed: {kind: Pod, name: client, field: spec.nodeName, by: kube-scheduler, because: kubernetes-admin}",
        "changed: {kind: Deployment, name: web, field: status.readyReplicas, because: kubelet}",
        "changed: {kind: Deployment, name: web, field: spec.replicas, notBy: kube-scheduler}",
        "always: {list: {kind: Pod, labels: app=client, count: 1}}",
        "{sticky: true, list: {kind: Pod, labels: app=web, where: [{field: status.phase, is: Pending}], count: 2}}",
    ],
)
def test_what_is_as_expected_passes(cluster, text):
    before = cluster.state_hash()
    assert verdict(cluster, text) == ""
    assert cluster.state_hash() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "object: {kind: Deployment, name: shop}",
            "Expected a Deployment named `shop`, found none. Look at: `kubectl get deployments`",
            id="no object",
        ),
        pytest.param(
            "object: {kind: Deployment, name: web, expect: [{field: spec.replicas, is: 3}]}",
            "Expected `spec.replicas: 3` in the Deployment `web`, found `spec.replicas: 2`."
            " Look at: `kubectl get deployment web -o yaml`",
            id="a field",
        ),
        pytest.param(
            "object: {kind: Pod, name: huge, expect: [{field: spec.nodeName, exists: true}], look: kubectl get pod huge}",
            "Expected `spec.nodeName` to be set in the Pod `huge`, found no `spec.nodeName`."
            " Look at: `kubectl get pod huge`",
            id="a missing field, its own look",
        ),
        pytest.param(
            "object: {kind: Pod, name: client, exists: false}",
            "Expected no Pod named `client`, found a Pod named `client` that still exists."
            " Look at: `kubectl get pod client`",
            id="should be gone",
        ),
        pytest.param(
            "object: {kind: Deployment, name: web, expect: [{cel: self.spec.replicas > 5}]}",
            "Expected `self.spec.replicas > 5` to hold in the Deployment `web`, found that it does not.",
            id="a rule",
        ),
        pytest.param(
            "object: {kind: Deployment, name: web, expect: [{cel: self.spec.size > 5}]}",
            "Expected `self.spec.size > 5` to hold in the Deployment `web`, found `no such key: size`.",
            id="a rule about what is not there",
        ),
        pytest.param(
            "object: {kind: Deployment, name: web, with: {a: {kind: Pod, name: b}}, expect: [{cel: 'true'}]}",
            "Expected a Pod named `b`, found none. Look at: `kubectl get pods`",
            id="what a rule names is not there",
        ),
        pytest.param(
            "list: {kind: Pod, labels: app=web, ready: true, count: 3}",
            "Expected 3 ready Pods with `app=web`, found 2. Look at: `kubectl get pods -l 'app=web'`",
            id="too few",
        ),
        pytest.param(
            "list: {kind: Pod, labels: app=web, count: {atMost: 1}}",
            "Expected at most 1 Pods with `app=web`, found 2. Look at: `kubectl get pods -l 'app=web'`",
            id="too many",
        ),
        pytest.param(
            "list: {kind: Pod, labels: app=web, each: [{field: spec.hostNetwork, is: true}]}",
            "Expected `spec.hostNetwork: true` in each of the Pods with `app=web`, found no `spec.hostNetwork` in `web-",
            id="not each",
        ),
        pytest.param(
            "list: {kind: Pod, labels: app=client, distinct: {field: spec.nodeName, atLeast: 2}}",
            "Expected at least 2 different values of `spec.nodeName` among the Pods with `app=client`, found 1.",
            id="not distinct",
        ),
        pytest.param(
            "request: {from: {pod: client}, url: http://web/, contains: Hallo}",
            "Expected an answer of `http://web/` with status 200 that says `Hallo`, asked from the Pod `client`,"
            " found status 200: `<!DOCTYPE html>",
            id="another answer",
        ),
        pytest.param(
            "request: {from: {pod: client}, url: http://nobody/}",
            "Expected an answer of `http://nobody/` with status 200, asked from the Pod `client`, found no answer:"
            " `wget: bad address 'nobody'`.",
            id="no answer",
        ),
        pytest.param(
            "request: {from: {pod: client}, url: http://web/, answers: false}",
            "Expected no answer of `http://web/`, asked from the Pod `client`, found status 200:",
            id="an answer",
        ),
        pytest.param(
            "request: {from: {labels: app=nobody}, url: http://web/}",
            "Expected at least 1 Pod with `app=nobody`, found none.",
            id="nobody to ask",
        ),
        pytest.param(
            "request: {nodePortOf: {name: shop}}",
            "Expected a Service named `shop`, found none.",
            id="no Service",
        ),
        pytest.param(
            "dns: {from: {pod: client}, name: web, to: {service: kube-dns, namespace: kube-system}}",
            "Expected the name `web` to resolve to `10.96.0.10`, asked from the Pod `client`, found `10.",
            id="another address",
        ),
        pytest.param(
            "dns: {from: {pod: client}, name: web, resolves: false}",
            "Expected the name `web` not to resolve, asked from the Pod `client`, found `10.",
            id="resolves",
        ),
        pytest.param(
            "exec: {from: {pod: client}, command: [cat, /nothing]}",
            "Expected the command `cat /nothing` in `client` to end with status 0, found status 1:"
            " `cat: can't open '/nothing': No such file or directory`.",
            id="a command fails",
        ),
        pytest.param(
            "exec: {from: {pod: client}, command: [echo, a], contains: b}",
            "Expected the command `echo a` in `client` to end with status 0 and say `b`, found status 0: `a`.",
            id="a command says something else",
        ),
        pytest.param(
            "can-i: {serviceAccount: {name: reader}, verb: list, resource: pods}",
            "Expected `system:serviceaccount:default:reader` to be allowed to `list pods`, found that it is not."
            " Look at: `kubectl auth can-i list pods -n default --as=system:serviceaccount:default:reader`",
            id="may not",
        ),
        pytest.param(
            "event: {reason: Evicted, kind: Pod, name: huge}",
            "Expected an event `Evicted` about the Pod `huge`, found none."
            " Look at: `kubectl get events --field-selector=reason=Evicted`",
            id="no event",
        ),
        pytest.param(
            "event: {reason: FailedScheduling, kind: Pod, seen: false}",
            "Expected no event `FailedScheduling` about a Pod, found an event `FailedScheduling`.",
            id="an event",
        ),
        pytest.param(
            "log: {pod: client, matches: goodbye}",
            "Expected a line that matches `goodbye` in the log of `client`, found `end` as its last line."
            " Look at: `kubectl logs client`",
            id="no line",
        ),
        pytest.param(
            "log: {pod: client, matches: hello, last: true}",
            "Expected a last line that matches `hello` in the log of `client`, found `end` as its last line.",
            id="not the last line",
        ),
        pytest.param(
            "log: {labels: app=client, matches: hel, seen: false}",
            "Expected no line that matches `hel` in the log of `client`, found `hello`."
            " Look at: `kubectl logs -l app=client`",
            id="a line that must not be",
        ),
        pytest.param(
            "on_fork: {do: [{exec: {labels: app=client, command: ['false']}}],"
            " then: [{object: {kind: Pod, name: nobody}}]}",
            "Expected a Pod named `nobody` (on a copy of your cluster, after: `kubectl exec -l app=client -- false`), found none.",
            id="executed in a Pod by its label",
        ),
        pytest.param(
            "on_fork: {do: [{apply: {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all},"
            " spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}}, {advance: 3},"
            " {evict: {labels: app=web, first: 1}}], then: [{object: {kind: Deployment, name: web}}]}",
            "Expected an eviction of `-l app=web`, found Cannot evict pod as it would violate the pod's disruption budget.",
            id="an eviction that a budget refuses",
        ),
        pytest.param(
            "log: {pod: huge, matches: x}",
            "Expected a line that matches `x` in the log of `huge`, found none.",
            id="no log",
        ),
        pytest.param(
            "on_fork: {do: [{delete: {kind: Pod, name: client}}, {advance: 60}], then: [{object: {kind: Pod, name: client}}]}",
            "Expected a Pod named `client` (on a copy of your cluster, after: `kubectl delete pod client`, 60 s), found none.",
            id="on a fork",
        ),
        pytest.param(
            "on_fork: {do: [{apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-public}}},"
            " {delete: {kind: ConfigMap, name: a, namespace: kube-public}}],"
            " then: [{log: {labels: run=client, matches: hello}}]}",
            "Expected a line that matches `hello` in the log of `run=client` (on a copy of your cluster, after: "
            "`kubectl apply -n kube-public` ConfigMap/a, `kubectl delete configmap a -n kube-public`), found none."
            " Look at: `kubectl logs -l run=client`",
            id="on_fork elsewhere",
        ),
        pytest.param(
            "on_fork: {do: [{fault: {kind: container/kill, pod: client}}, {advance: 5}],"
            " then: [{object: {kind: Pod, name: nobody}}]}",
            "Expected a Pod named `nobody` (on a copy of your cluster, after: `container/kill pod=client`, 5 s), found none.",
            id="after a fault",
        ),
        pytest.param(
            "on_fork: {do: [{delete: {kind: Pod, labels: a=b}}], then: [{object: {kind: Pod, name: client}}]}",
            "Expected at least 1 Pod with `a=b`, found none.",
            id="nothing to delete",
        ),
        pytest.param(
            "on_fork: {do: [{patch: {kind: Pod, name: client, patch: {spec: {hostNetwork: true}}}}],"
            " then: [{object: {kind: Pod, name: client}}]}",
            'Expected `kubectl patch pod client`, found Pod "client" is invalid',
            id="refused on the fork",
        ),
        pytest.param(
            "always: {object: {kind: Deployment, name: web, expect: [{field: status.readyReplicas, atMost: 1}]}}",
            "Expected `status.readyReplicas` of at most 1 in the Deployment `web`, at every moment,"
            " found that it was otherwise for a while: `status.readyReplicas: 2`.",
            id="not always",
        ),
        pytest.param(
            "always: {list: {kind: Pod, labels: app=web, count: 9}}",
            "Expected 9 Pods with `app=web`, at every moment, found that it has not been so yet: 2.",
            id="never",
        ),
        pytest.param(
            "between: {from: {object: {kind: Deployment, name: web}},"
            " hold: {list: {kind: Pod, labels: app=web, count: {atMost: 1}}}}",
            "Expected at most 1 Pods with `app=web`, at every moment in between,"
            " found that it was otherwise for a while: 2.",
            id="not between",
        ),
        pytest.param(
            "between: {from: {object: {kind: Pod, name: nobody}}, hold: {object: {kind: Deployment, name: web}}}",
            "Expected a Pod named `nobody`, found that it has not been so yet: none.",
            id="not begun",
        ),
        pytest.param(
            "between: {from: {object: {kind: Pod, name: client}}, to: {object: {kind: Pod, name: nobody}},"
            " hold: {object: {kind: Pod, name: client}}}",
            "Expected a Pod named `nobody`, found that it has not been so yet: none.",
            id="not at its end",
        ),
        pytest.param(
            "on_fork: {at: {list: {kind: Pod, labels: app=web, count: 1}}, do: [{advance: 1}],"
            " then: [{list: {kind: Pod, labels: app=web, ready: true, count: 2}}]}",
            "Expected 2 ready Pods with `app=web` (on a copy of your cluster as it was then, after: 1 s), found 0.",
            id="on_fork of then",
        ),
        pytest.param(
            "on_fork: {at: {object: {kind: Pod, name: nobody}}, do: [{advance: 1}], then: [{object: {kind: Pod, name: client}}]}",
            "Expected a Pod named `nobody`, found that it has not been so yet: none.",
            id="on_fork of a moment that never was",
        ),
        pytest.param(
            "changed: {kind: Pod, name: client, field: spec.nodeName, by: kubelet}",
            "Expected `spec.nodeName` of the Pod `client` to have changed, last by `kubelet`,"
            " found last by `kube-scheduler`.",
            id="changed by another",
        ),
        pytest.param(
            "changed: {kind: Pod, name: client, field: spec.nodeName, notBy: kube-scheduler}",
            "Expected `spec.nodeName` of the Pod `client` to have changed, last not by `kube-scheduler`,"
            " found last by `kube-scheduler`.",
            id="changed by whom it should not",
        ),
        pytest.param(
            "changed: {kind: Pod, name: client, field: spec.nodeName, because: kubelet}",
            "Expected `spec.nodeName` of the Pod `client` to have changed, because of `kubelet`,"
            " found because of `kubernetes-admin`.",
            id="changed because of another",
        ),
        pytest.param(
            "changed: {kind: Pod, name: client, field: spec.hostname}",
            "Expected `spec.hostname` of the Pod `client` to have changed,"
            " found that it has not, as far as is remembered.",
            id="never changed",
        ),
        pytest.param(
            "{sticky: true, list: {kind: Pod, labels: app=web, count: 9}}",
            "Expected 9 Pods with `app=web`, found 2.",
            id="never once",
        ),
    ],
)
def test_what_is_not_as_expected_is_told(cluster, text, said):
    assert verdict(cluster, text).startswith(said)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("self.spec.replicas ==", "a rule in CEL; ERROR: <input>:1:22: Syntax error"),
        ("other.spec", "undeclared reference to 'other'"),
        ("'a' + 'b'", "true or false, found one that is string"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule, message):
    with pytest.raises(ValueError, match="a rule in CEL") as caught:
        checks.build({"object": {"kind": "Pod", "name": "a", "expect": [{"cel": rule}]}}, {})
    assert message in str(caught.value)


def test_who_wrote_it_and_who_did_not_are_not_asked_together():
    with pytest.raises(ValueError, match="`by` or `notBy`, found both"):
        checks.build({"changed": {"kind": "Pod", "name": "a", "field": "b", "by": "x", "notBy": "y"}}, {})


def test_a_past_that_is_over_is_seen(cluster):
    fork = cluster.fork()
    fork.delete("deployments", "web")
    fork.advance(60)
    inner = "{kind: Pod, labels: app=web, ready: true, count: {atLeast: 1}}"
    assert "for a while: 0" in verdict(fork, f"always: {{list: {inner}}}")
    assert verdict(fork, f"{{sticky: true, list: {inner}}}") == ""
    assert verdict(fork, f"list: {inner}") != ""


def test_who_made_a_change_may_be_forgotten(cluster, monkeypatch):
    def forgotten(*_asked):
        raise KeyError

    monkeypatch.setattr(Cluster, "why", forgotten)
    said = verdict(
        cluster, "changed: {kind: Deployment, name: web, field: spec.replicas, by: kubernetes-admin}"
    )
    assert "a change so long ago that who made it is forgotten" in said


def test_what_is_said_in_chinese(cluster):
    judge = checks.build(yaml.safe_load("list: {kind: Pod, labels: app=web, ready: true, count: 3}"), {})
    with pytest.raises(Fail) as caught:
        judge.judge(Reader(cluster.fork()))
    assert caught.value.message["zh-hans"] == (
        "期望有 3 个匹配 `app=web` 的就绪的 Pod，实际有 2 个。查看：`kubectl get pods -l 'app=web'`"
    )


OBJ = {"spec": {"c": [{"name": "a", "x": 1}, {"name": "b", "x": "64Mi"}]}, "m": {"a.b/c": "v"}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.c[name=b].x", "64Mi"),
        ("spec.c[0].x", 1),
        ("m[a.b/c]", "v"),
        ("spec.c[2].x", fieldpath.MISSING),
        ("spec.c[name=z]", fieldpath.MISSING),
        ("spec.c.x", fieldpath.MISSING),
        ("m.a.b", fieldpath.MISSING),
    ],
)
def test_a_path_leads_somewhere_or_nowhere(path, value):
    assert fieldpath.resolve(OBJ, path) == value


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("is", "64Mi", True),
        ("is", 64, False),
        ("isNot", "64Mi", False),
        ("in", ["1", "64Mi"], True),
        ("in", ["1"], False),
        ("atLeast", "0.05Gi", True),
        ("atLeast", "65Mi", False),
        ("atMost", "65Mi", True),
        ("atMost", "1", False),
        ("atMost", "nonsense", False),
        ("matches", "^[0-9]+Mi$", True),
        ("matches", "^x", False),
        ("contains", "4M", True),
        ("contains", "5", False),
        ("exists", True, True),
        ("exists", False, False),
    ],
)
def test_an_operator_holds_or_not(operator, value, holds):
    assert Expectation("spec.c[name=b].x", operator, value).holds(OBJ) is holds


@pytest.mark.parametrize(
    ("found", "wanted", "same"), [("3", 3, True), ("true", True, False), (3, "3", False), (3, 3, True)]
)
def test_a_number_is_the_text_of_a_label_too(found, wanted, same):
    assert Expectation("a", "is", wanted).holds({"a": found}) is same
    assert Expectation("a", "in", [wanted]).holds({"a": found}) is same
    assert Expectation("a", "isNot", wanted).holds({"a": found}) is not same


def test_a_missing_number_counts_as_nothing():
    assert Expectation("status.ready", "atMost", 0).holds({})
    assert not Expectation("status.ready", "atLeast", 1).holds({})
    assert not Expectation("status.ready", "is", 0).holds({})


@pytest.mark.parametrize(
    ("text", "mutants"),
    [
        pytest.param(
            "object: {kind: Pod, name: a, expect: [{field: a, is: 1}, {field: b, is: 2}]}",
            ["without a", "without b"],
            id="object",
        ),
        pytest.param(
            "list: {kind: Pod, ready: true, count: {atLeast: 1, atMost: 2}, where: [{field: a, is: 1}]}",
            ["where without a", "without ready", "any number", "without an upper bound"],
            id="list",
        ),
        pytest.param(
            "object: {kind: Pod, name: a, expect: [{cel: 'self.a == 1 && (self.b || self.c) && \"&&\" == self.d'}]}",
            [
                'without self.a == 1 && (self.b || self.c) && "&&" == self.d',
                'with (self.b || self.c) && "&&" == self.d alone',
                'with self.a == 1 && "&&" == self.d alone',
                "with self.a == 1 && (self.b || self.c) alone",
            ],
            id="the parts of a rule",
        ),
        pytest.param(
            "object: {kind: Pod, name: a, expect: [{cel: self.a || self.b && self.c}]}",
            ["without self.a || self.b && self.c"],
            id="parts that cannot be taken apart",
        ),
        pytest.param(
            "always: {object: {kind: Pod, name: a, expect: [{field: a, is: 1}]}}",
            ["only now", "without a"],
            id="always",
        ),
        pytest.param(
            "between: {from: {object: {kind: Pod, name: a}}, hold: {object: {kind: Pod, name: a, expect: [{field: a, is: 1}]}}}",
            ["only now", "without a"],
            id="between",
        ),
        pytest.param(
            "changed: {kind: Pod, name: a, field: spec.nodeName, by: kube-scheduler, because: kubernetes-admin}",
            ["by anybody", "because of anybody"],
            id="changed",
        ),
        pytest.param(
            "changed: {kind: Pod, name: a, field: spec.nodeName, notBy: kube-scheduler}",
            ["by anybody"],
            id="not changed by",
        ),
        pytest.param(
            "on_fork: {do: [{delete: {kind: Pod, name: a}}], then: [{object: {kind: Pod, name: a, expect: [{field: a, is: 1}]}}]}",
            ["nothing done", "then[0] without a"],
            id="on_fork",
        ),
        pytest.param(
            "on_fork: {at: {object: {kind: Pod, name: a}}, do: [{advance: 5}], then: [{object: {kind: Pod, name: a}}]}",
            ["only now"],
            id="on_fork of then",
        ),
    ],
)
def test_each_rule_can_be_taken_away(text, mutants):
    assert [what for what, _ in checks.build(yaml.safe_load(text), {}).mutants()] == mutants


def test_each_kind_of_check_has_its_file():
    modules = {kind.build.__module__.rpartition(".")[2] for kind in checks.KINDS}
    assert {kind.key.replace("-", "_") for kind in checks.KINDS} == modules
    assert len(modules) == len(checks.KINDS)
