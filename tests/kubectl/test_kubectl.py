"""The real kubectl against a served cluster: everyday commands print what Kubernetes prints.

Ages, hashes, generated names and addresses are placeholders (see kubectl_driver.shape).
"""

from __future__ import annotations

import json
import re

import pytest
from kubectl_driver import Kubectl, shape

pytestmark = pytest.mark.kubectl

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  replicas: 2
  selector:
    matchLabels: {app: app}
  template:
    metadata:
      labels: {app: app}
    spec:
      containers:
      - name: web
        image: nginx:1.27
---
apiVersion: v1
kind: Service
metadata:
  name: app
spec:
  selector: {app: app}
  ports:
  - port: 80
"""


def make(kubectl: Kubectl, replicas: int = 2) -> None:
    """The Deployment `web`, rolled out."""
    assert kubectl("create", "deployment", "web", "--image=nginx", f"--replicas={replicas}") == (
        "deployment.apps/web created\n"
    )
    kubectl("rollout", "status", "deployment/web")


def test_the_cluster_presents_itself(kubectl: Kubectl) -> None:
    assert re.fullmatch(
        r"v1\.37\.\d+", json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    )
    info = re.sub(r"\x1b\[[0-9;]*m", "", kubectl("cluster-info", "-n", "kube-system"))
    assert "Kubernetes control plane is running at https://127.0.0.1:" in info
    assert "CoreDNS is running at https://127.0.0.1:" in info
    who = shape(kubectl("auth", "whoami"))
    assert who[:3] == [
        ["ATTRIBUTE", "VALUE"],
        ["Username", "kubernetes-admin"],
        ["Groups", "[system:masters system:authenticated]"],
    ]
    assert who[3][0] == "Extra: authentication.kubernetes.io/credential-id"
    assert who[3][1].startswith("[X509SHA256=")
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert "no\n" in kubectl.run("auth", "can-i", "list", "pods", "--as", "jane").stdout


def test_nodes_and_system_pods(kubectl: Kubectl) -> None:
    assert shape(kubectl("get", "nodes")) == [
        ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
        ["<node>", "Ready", "<node>", "<age>", "v1.37.0"],
        ["<node>", "Ready", "<none>", "<age>", "v1.37.0"],
        ["<node>", "Ready", "<none>", "<age>", "v1.37.0"],
    ]
    pods = shape(kubectl("get", "pods", "-n", "kube-system"))
    assert pods[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert {(row[1], row[2]) for row in pods[1:]} == {("1/1", "Running")}
    names = " ".join(row[0] for row in pods)
    for part in (
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "coredns",
    ):
        assert part in names


def test_api_resources(kubectl: Kubectl) -> None:
    rows = [re.split(r"\s+", line) for line in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["pods", "po", "v1", "true", "Pod"] in rows
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in rows
    assert ["nodes", "no", "v1", "false", "Node"] in rows


BOATS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: boats.shop.example.com
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {crew: {type: integer}}}
          status: {type: object, properties: {crew: {type: integer}}}
    subresources:
      scale: {specReplicasPath: .spec.crew, statusReplicasPath: .status.crew}
"""
BOAT = """\
apiVersion: shop.example.com/v1
kind: Boat
metadata: {name: ann}
spec: {crew: 1}
"""


def test_scale_of_a_custom_resource(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=BOATS)
    kubectl("apply", "-f", "-", stdin=BOAT)
    assert kubectl("scale", "boat/ann", "--replicas=3") == "boat.shop.example.com/ann scaled\n"
    assert kubectl("get", "boat", "ann", "-o", "jsonpath={.spec.crew}") == "3"
    kubectl("delete", "crd", "boats.shop.example.com")


def test_create_get_scale(kubectl: Kubectl) -> None:
    make(kubectl)
    assert shape(kubectl("get", "deploy,rs,pods", "-o", "wide")) == [
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
        ["deployment.apps/web", "2/2", "2", "2", "<age>", "nginx", "nginx", "app=web"],
        ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
        [
            "replicaset.apps/web-7957885594",
            "2",
            "2",
            "2",
            "<age>",
            "nginx",
            "nginx",
            "app=web,pod-template-hash=7957885594",
        ],
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
        *[
            ["pod/web-<hash>-<id>", "1/1", "Running", "0", "<age>", "<pod-ip>", "<node>", "<none>", "<none>"]
            for _ in range(2)
        ],
    ]
    assert kubectl("scale", "deployment/web", "--replicas=4") == "deployment.apps/web scaled\n"
    kubectl("rollout", "status", "deployment/web")
    assert shape(kubectl("get", "deploy", "web")) == [
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
        ["web", "4/4", "4", "4", "<age>"],
    ]


def test_rollouts(kubectl: Kubectl) -> None:
    make(kubectl)
    assert (
        kubectl("set", "image", "deployment/web", "nginx=nginx:1.27") == "deployment.apps/web image updated\n"
    )
    status = kubectl("rollout", "status", "deployment/web")
    assert status.splitlines()[-1] == 'deployment "web" successfully rolled out'
    assert kubectl("rollout", "history", "deployment/web") == (
        "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    )
    assert kubectl("rollout", "undo", "deployment/web") == "deployment.apps/web rolled back\n"
    kubectl("rollout", "status", "deployment/web")
    assert (
        kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "nginx"
    )
    assert kubectl("rollout", "history", "deployment/web").splitlines()[2:4] == [
        "2         <none>",
        "3         <none>",
    ]
    assert kubectl("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"


def test_describe(kubectl: Kubectl) -> None:
    make(kubectl)
    text = kubectl("describe", "deployment", "web")
    for line in (
        "Name:                   web",
        "Selector:               app=web",
        "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
        "StrategyType:           RollingUpdate",
        "RollingUpdateStrategy:  25% max unavailable, 25% max surge",
        "  Available      True    MinimumReplicasAvailable",
        "  Progressing    True    NewReplicaSetAvailable",
        "OldReplicaSets:  <none>",
        "NewReplicaSet:   web-7957885594 (2/2 replicas created)",
    ):
        assert line in text.splitlines()
    assert re.search(
        r"Normal +ScalingReplicaSet +\S+ +deployment-controller  "
        r"Scaled up replica set web-7957885594 from 0 to 2\n",
        text,
    )
    pod = kubectl("describe", *kubectl("get", "pods", "-o", "name").split()[:1])
    for line in (
        "Status:           Running",
        "Controlled By:  ReplicaSet/web-7957885594",
        "    State:          Running",
    ):
        assert line in pod.splitlines()
    reasons = re.findall(r"^  Normal  (\w+) ", pod, re.MULTILINE)
    assert reasons[:2] == ["Scheduled", "Pulling"]
    assert {"Pulled", "Created", "Started"} <= set(reasons)


def test_explain(kubectl: Kubectl) -> None:
    lines = kubectl("explain", "pod.spec.containers").splitlines()
    assert lines[:4] == ["KIND:       Pod", "VERSION:    v1", "", "FIELD: containers <[]Container>"]
    assert "  image\t<string>" in lines
    assert "  name\t<string> -required-" in lines
    assert "replicas\t<integer>" in kubectl("explain", "deployment.spec", "--recursive")
    policy = kubectl("explain", "pod.spec.restartPolicy").splitlines()
    assert policy[-6:-2] == [
        "    Possible enum values:",
        '     - `"Always"`',
        '     - `"Never"`',
        '     - `"OnFailure"`',
    ]
    assert policy[3:8] == [
        "FIELD: restartPolicy <string>",
        "ENUM:",
        "    Always",
        "    Never",
        "    OnFailure",
    ]
    assert kubectl.fails("explain", "pod.spec.nope") == 'error: field "nope" does not exist\n'


def test_labels_and_annotations(kubectl: Kubectl) -> None:
    make(kubectl, 1)
    assert kubectl("label", "deployment", "web", "tier=front") == "deployment.apps/web labeled\n"
    assert kubectl("annotate", "deployment", "web", "note=hello") == "deployment.apps/web annotated\n"
    assert kubectl("label", "deployment", "web", "tier-") == "deployment.apps/web unlabeled\n"
    shown = json.loads(kubectl("get", "deploy", "web", "-o", "json"))["metadata"]
    assert shown["labels"] == {"app": "web"}
    assert shown["annotations"]["note"] == "hello"
    table = shape(kubectl("get", "pods", "-l", "app=web", "--show-labels"))
    assert table[1][:-1] == ["web-<hash>-<id>", "1/1", "Running", "0", "<age>"]
    own, _, placed = table[1][-1].partition(",topology.kubernetes.io/region=")
    assert own == "app=web,pod-template-hash=7957885594"
    assert re.fullmatch(r"region-1,topology\.kubernetes\.io/zone=region-1[a-c]", placed)


def test_output_formats(kubectl: Kubectl) -> None:
    make(kubectl, 1)
    assert kubectl("get", "deploy", "web", "-o", "name") == "deployment.apps/web\n"
    columns = "custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image"
    assert shape(kubectl("get", "deploy", "-o", columns)) == [["NAME", "IMAGE"], ["web", "nginx"]]
    yaml = kubectl("get", "deploy", "web", "-o", "yaml")
    assert yaml.startswith("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n")
    assert "managedFields" not in yaml
    assert "  revisionHistoryLimit: 10\n" in yaml
    assert "manager: kubectl-create" in kubectl("get", "deploy", "web", "-o", "yaml", "--show-managed-fields")
    listed = json.loads(kubectl("get", "pods", "-o", "json"))
    assert (listed["kind"], listed["items"][0]["kind"]) == ("List", "Pod")
    assert kubectl("get", "deploy", "-o", "jsonpath={.items[*].metadata.name}") == "web"
    assert kubectl("get", "deploy", "-o", "go-template={{len .items}}") == "1"


def test_watching(kubectl: Kubectl) -> None:
    kubectl("run", "early", "--image=nginx")
    watch = kubectl.popen("get", "pods", "-w")
    assert watch.stdout is not None
    rows: list[list[str]] = []
    try:
        for line in watch.stdout:
            rows += shape(line)
            if rows[-1][0] == "early":
                break
        kubectl("run", "solo", "--image=nginx")
        kubectl("wait", "--for=condition=Ready", "pod/solo")
        assert kubectl("delete", "pod", "solo") == f'pod "solo" deleted from {kubectl.namespace} namespace\n'
        for line in watch.stdout:
            rows += shape(line)
            if rows[-1][0] == "solo" and rows[-1][2] == "Completed":
                break
    finally:
        watch.terminate()
        watch.wait(timeout=10)
    assert rows[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert list(dict.fromkeys(row[2] for row in rows if row[0] == "solo")) == [
        "Pending",
        "ContainerCreating",
        "Running",
        "Terminating",
        "Completed",
    ]


def test_client_side_apply_and_diff(kubectl: Kubectl) -> None:
    (kubectl.home / "app.yaml").write_text(MANIFEST)
    assert kubectl("apply", "-f", "app.yaml") == "deployment.apps/app created\nservice/app created\n"
    assert kubectl("apply", "-f", "app.yaml") == "deployment.apps/app unchanged\nservice/app unchanged\n"
    assert kubectl("diff", "-f", "app.yaml") == ""
    changed = MANIFEST.replace("replicas: 2", "replicas: 3")
    (kubectl.home / "app.yaml").write_text(changed)
    found = kubectl.run("diff", "-f", "app.yaml")
    assert found.returncode == 1
    assert [line for line in found.stdout.splitlines() if re.match(r"[-+] ", line)] == [
        "-  generation: 1",
        "+  generation: 2",
        "-  replicas: 2",
        "+  replicas: 3",
    ]
    assert kubectl("apply", "-f", "app.yaml") == "deployment.apps/app configured\nservice/app unchanged\n"
    assert kubectl("apply", "-f", "-", stdin=changed).endswith("service/app unchanged\n")
    assert kubectl("delete", "-f", "app.yaml") == (
        f'deployment.apps "app" deleted from {kubectl.namespace} namespace\n'
        f'service "app" deleted from {kubectl.namespace} namespace\n'
    )


def test_server_side_apply(kubectl: Kubectl) -> None:
    (kubectl.home / "app.yaml").write_text(MANIFEST)
    apply = ("apply", "--server-side", "-f", "app.yaml")
    assert kubectl(*apply) == "deployment.apps/app serverside-applied\nservice/app serverside-applied\n"
    kubectl("scale", "deployment/app", "--replicas=5")
    refused = kubectl.fails(*apply)
    assert refused.startswith(
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: '
        ".spec.replicas\n"
    )
    kubectl(*apply, "--force-conflicts")
    assert kubectl("get", "deploy", "app", "-o", "jsonpath={.spec.replicas}") == "2"
    typo = MANIFEST.partition("---")[0].replace("replicas:", "replica:")
    assert ".spec.replica: field not declared in schema" in kubectl.fails(
        "apply", "--server-side", "-f", "-", stdin=typo
    )


def test_what_was_got_can_be_applied(kubectl: Kubectl) -> None:
    """kubectl finds no List in OpenAPI v3, so it asks for v2 in protobuf."""
    kubectl("create", "configmap", "got", "--from-literal=a=b")
    listed = kubectl("get", "configmaps", "-o", "yaml")
    assert "configmap/got configured" in kubectl("apply", "-f", "-", stdin=listed)
    unknown = "{apiVersion: foo.example.com/v1, kind: Foo, metadata: {name: x}}"
    assert kubectl.fails("apply", "-f", "-", stdin=unknown).strip() == (
        'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Foo" in '
        'version "foo.example.com/v1"\nensure CRDs are installed first'
    )


def test_wait_and_delete(kubectl: Kubectl) -> None:
    make(kubectl)
    assert (
        kubectl("wait", "--for=condition=Available", "deployment/web")
        == "deployment.apps/web condition met\n"
    )
    namespace = kubectl.namespace
    assert (
        kubectl("delete", "deployment", "web")
        == f'deployment.apps "web" deleted from {namespace} namespace\n'
    )
    kubectl("wait", "--for=delete", "pods", "-l", "app=web")
    done = kubectl.run("get", "pods")
    assert (done.stdout, done.stderr) == ("", f"No resources found in {namespace} namespace.\n")


def test_events(kubectl: Kubectl) -> None:
    make(kubectl, 1)
    rows = shape(kubectl("get", "events", "--sort-by=.metadata.creationTimestamp"))
    assert rows[0] == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert ["<age>", "Normal", "ScalingReplicaSet", "deployment/web"] in [row[:4] for row in rows]
    assert ["<age>", "Normal", "Started", "pod/web-<hash>-<id>", "Container started"] in rows


def test_logs_and_exec(kubectl: Kubectl) -> None:
    make(kubectl, 1)
    assert "start worker process" in kubectl("logs", "deployment/web")
    assert len(kubectl("logs", "deployment/web", "--tail=1").splitlines()) == 1
    stamped = kubectl("logs", "deployment/web", "--tail=1", "--timestamps")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ", stamped)
    assert kubectl("exec", "deployment/web", "--", "echo", "hello") == "hello\n"
    assert kubectl("exec", "-i", "deployment/web", "--", "cat", stdin="typed\n") == "typed\n"
    failed = kubectl.run("exec", "deployment/web", "--", "sh", "-c", "exit 3")
    assert (failed.returncode, failed.stderr) == (3, "command terminated with exit code 3\n")


def test_typed_calls_send_protobuf(kubectl: Kubectl) -> None:
    assert kubectl("create", "configmap", "settings", "--from-literal=a=1") == "configmap/settings created\n"
    assert kubectl("create", "secret", "generic", "hidden", "--from-literal=p=q") == "secret/hidden created\n"
    assert kubectl("create", "serviceaccount", "robot") == "serviceaccount/robot created\n"
    assert kubectl("create", "token", "robot").count(".") == 2
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.data.a}") == "1"
    assert kubectl("get", "secret", "hidden", "-o", "jsonpath={.data.p}") == "cQ=="


def test_services(kubectl: Kubectl) -> None:
    make(kubectl, 2)
    assert kubectl("expose", "deployment", "web", "--port=80") == "service/web exposed\n"
    assert shape(kubectl("get", "service", "web")) == [
        ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
        ["web", "ClusterIP", "<cluster-ip>", "<none>", "80/TCP", "<age>"],
    ]
    found = kubectl.run("get", "endpoints", "web")
    assert found.stderr == (
        "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
    )
    assert re.search(r"web\s+10\.244\.\d+\.\d+:80,10\.244\.\d+\.\d+:80\s", found.stdout)


def test_a_replication_controller_is_exposed(kubectl: Kubectl) -> None:
    labels = {"app": "primary"}
    controller = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "primary"},
        "spec": {
            "replicas": 1,
            "selector": labels,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{"name": "c", "image": "redis:7", "ports": [{"containerPort": 6379}]}]
                },
            },
        },
    }
    kubectl("create", "-f", "-", stdin=json.dumps(controller))
    kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=primary", "--timeout=120s")
    words = ("--port=1234", "--target-port=6379")
    assert kubectl("expose", "rc", "primary", "--name=one", *words) == "service/one exposed\n"
    assert kubectl("expose", "service", "one", "--name=two", "--port=2345", "--target-port=6379") == (
        "service/two exposed\n"
    )
    for name, port in (("one", "1234"), ("two", "2345")):
        assert kubectl("get", "service", name, "-o", "jsonpath={.spec.ports[0].port}") == port
        slices = ("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}")
        path = "jsonpath={.items[0].ports[0].port} {.items[0].endpoints[0].conditions.ready}"
        assert kubectl(*slices, "-o", path) == "6379 true"


REFUSALS = {
    "unknown-kind": (("get", "nope"), 'error: the server doesn\'t have a resource type "nope"\n'),
    "not-found": (("get", "pod", "nope"), 'Error from server (NotFound): pods "nope" not found\n'),
    "bad-selector": (
        ("get", "pods", "--field-selector", "spec.colour=red"),
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", '
        'field selector "spec.colour=red": field label not supported: spec.colour\n',
    ),
    "immortal-namespace": (
        ("delete", "namespace", "kube-system"),
        'Error from server (Forbidden): namespaces "kube-system" is forbidden: this namespace may not be deleted\n',
    ),
    "not-allowed": (
        ("get", "pods", "-n", "default", "--as", "jane"),
        'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
        'in the namespace "default"\n',
    ),
    "bad-name": (
        ("create", "configmap", "Bad_Name"),
        'error: failed to create configmap: ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: '
        '"Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '
        "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
        "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n",
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(kubectl: Kubectl, arguments: tuple[str, ...], expected: str) -> None:
    said = kubectl.fails(*arguments)
    # kubectl's own remark about --namespace, which these tests always pass.
    assert (
        said.removeprefix(
            "Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n"
        )
        == expected
    )


# An upgrade is refused with a Status, first over WebSocket, then over SPDY. kubectl 1.37 reads it in both forms, but of
# the second it keeps only the message (streaming/pkg/httpstream/spdy: upgradeErrorMessage).
UPGRADES = {
    "exec-unscheduled": (
        ("exec", "pend", "--", "ls"),
        "error: unable to upgrade connection: pod pend does not have a host assigned\n",
    ),
    "exec-unscheduled-interactive": (
        ("exec", "-i", "pend", "--", "ls"),
        "error: unable to upgrade connection: pod pend does not have a host assigned\n",
    ),
    "attach-unscheduled": (
        ("attach", "pend", "--quiet"),
        "error: unable to upgrade connection: pod pend does not have a host assigned\n",
    ),
    "exec-not-found": (("exec", "nope", "--", "ls"), 'Error from server (NotFound): pods "nope" not found\n'),
    "exec-bad-container": (
        ("exec", "pend", "-c", "nope", "--", "ls"),
        "error: container nope is not valid for pod pend out of: c\n",
    ),
    "portforward-unscheduled": (
        ("port-forward", "pend", "8080:80"),
        "error: unable to forward port because pod is not running. Current status=Pending\n",
    ),
    "raw-exec-unscheduled": (
        ("create", "--raw", "{pods}/pend/exec?command=ls&stdout=true", "-f", "/dev/null"),
        "Error from server (BadRequest): pod pend does not have a host assigned\n",
    ),
    "raw-attach-unscheduled": (
        ("create", "--raw", "{pods}/pend/attach?stdout=true", "-f", "/dev/null"),
        "Error from server (BadRequest): pod pend does not have a host assigned\n",
    ),
    "raw-portforward-unscheduled": (
        ("create", "--raw", "{pods}/pend/portforward", "-f", "/dev/null"),
        "Error from server (BadRequest): pod pend does not have a host assigned\n",
    ),
    "raw-portforward-not-found": (
        ("create", "--raw", "{pods}/nope/portforward", "-f", "/dev/null"),
        'Error from server (NotFound): pods "nope" not found\n',
    ),
    "raw-exec-forbidden": (
        ("create", "--raw", "{pods}/pend/exec?command=ls", "-f", "/dev/null", "--as", "jane"),
        'Error from server (Forbidden): pods "pend" is forbidden: User "jane" cannot create resource "pods/exec" '
        'in API group "" in the namespace "{namespace}"\n',
    ),
    "raw-exec-without-upgrade": (
        ("create", "--raw", "{pods}/runs/exec?command=ls&stdout=true", "-f", "/dev/null"),
        "Error from server (BadRequest): Upgrade request required\n",
    ),
}
PENDING = """
apiVersion: v1
kind: Pod
metadata: {name: pend}
spec:
  nodeSelector: {no-such: label}
  containers: [{name: c, image: "nginx:1.27"}]
"""


def test_refused_upgrades(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=PENDING)
    kubectl("run", "runs", "--image=nginx:1.27")
    kubectl("wait", "--for=condition=Ready", "pod/runs")
    places = {"pods": f"/api/v1/namespaces/{kubectl.namespace}/pods", "namespace": kubectl.namespace}
    said = {
        name: kubectl.fails(*(word.format(**places) for word in arguments))
        for name, (arguments, _expected) in UPGRADES.items()
    }
    assert said == {name: expected.format(**places) for name, (_arguments, expected) in UPGRADES.items()}


def test_one_priority_class_is_the_default(kubectl: Kubectl) -> None:
    two = "".join(
        f"---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {name}}}\n"
        f"value: {value}\nglobalDefault: true\n"
        for name, value in (("d-one", 5), ("d-two", 6))
    )
    done = kubectl.run("create", "-f", "-", stdin=two)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "priorityclass.scheduling.k8s.io/d-one created\n",
        'Error from server (Forbidden): error when creating "STDIN": priorityclasses.scheduling.k8s.io "d-two" is '
        "forbidden: PriorityClass d-one is already marked as default. Only one default can exist\n",
    )
    kubectl("delete", "priorityclass", "d-one")


def test_a_manifest_with_mistakes(kubectl: Kubectl) -> None:
    wrong = MANIFEST.partition("---")[0].replace("image:", "imge:")
    assert kubectl.fails("apply", "-f", "-", stdin=wrong) == (
        'Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled '
        'as a Deployment: strict decoding error: unknown field "spec.template.spec.containers[0].imge"\n'
    )
    other = MANIFEST.partition("---")[0].replace("labels: {app: app}", "labels: {app: other}")
    assert kubectl.fails("apply", "-f", "-", stdin=other) == (
        'The Deployment "app" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}: '
        "`selector` does not match template `labels`\n"
    )
