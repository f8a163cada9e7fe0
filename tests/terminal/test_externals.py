# ruff: noqa: E501 (one case a line)
"""External programs as the shell sees them: streams, environment, budgets, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.api import KINDS
from cluster_engine.apimachinery import schema
from cluster_engine.linux.limits import Limits
from cluster_engine.terminal.kubectl import parse_completions, reads_input, refuse, subcommands
from tests.terminal.desk import Desk


def program(args: dict[str, Any], stdin: bytes) -> tuple[int, bytes, bytes]:
    """Tells what it was given; `fail N` exits so."""
    argv = args["argv"]
    if argv[1:2] == ["fail"]:
        return int(argv[2]), b"", b"failed\n"
    if argv[1:2] == ["env"]:
        return 0, "".join(f"{k}={v}\n" for k, v in args["env"].items()).encode(), b""
    out = f"{' '.join(argv)} in {args['cwd']}"
    return 0, (out + (f" <{stdin.decode()}>" if stdin else "") + "\n").encode(), b""


CASES = {
    "plain": ("kubectl get pods", "kubectl get pods in /h\n", 0),
    "alias": ("k get pods -o 'jsonpath={.items[*]}'", "kubectl get pods -o jsonpath={.items[*]} in /h\n", 0),
    "unquoted jsonpath": ("k get -o jsonpath={.items[0].a}", "kubectl get -o jsonpath={.items[0].a} in /h\n", 0),
    "stdin pipe": ("echo a | kubectl apply -f -", "kubectl apply -f - in /h <a\n>\n", 0),
    "here-document": ("kubectl apply -f - <<EOF\nkind: $((1+1))\nEOF", "kubectl apply -f - in /h <kind: 2\n>\n", 0),
    "stdin file": ("kubectl x -f - < f.yaml", "kubectl x -f - in /h <f: 1\n>\n", 0),
    "stdout pipe": ("kubectl get pods | tr a-z A-Z", "KUBECTL GET PODS IN /H\n", 0),
    "stdout file": ("kubectl x > out; cat out", "kubectl x in /h\n", 0),
    "stderr": ("kubectl fail 3 2>&1; echo $?", "failed\n3\n", 0),
    "status": ("kubectl fail 4 2>/dev/null", "", 4),
    "and or": ("kubectl fail 1 2>/dev/null || echo no; kubectl a && echo yes", "no\nkubectl a in /h\nyes\n", 0),
    "substitution": ("x=$(kubectl a); echo [$x]", "[kubectl a in /h]\n", 0),
    "cwd": ("cd /; kubectl a", "kubectl a in /\n", 0),
    "environment": ("export A=1; b=2; C=3 kubectl env | grep '^[ABC]='", "A=1\nC=3\n", 0),
    "by path": ("/bin/kubectl a", "/bin/kubectl a in /h\n", 0),
    "xargs": ("echo a b | xargs -n1 kubectl get", "kubectl get a in /h\nkubectl get b in /h\n", 0),
    "function": ("kubectl() { command kubectl \"$@\" -v; }; kubectl a", "kubectl a -v in /h\n", 0),
    "loop keeps its input": (
        "printf '1\\n2\\n' | while read x; do kubectl get $x; done",
        "kubectl get 1 in /h\nkubectl get 2 in /h\n",
        0,
    ),
    "type": ("type kubectl; which kubectl; command -v k", "kubectl is /bin/kubectl\n/bin/kubectl\nalias k='kubectl'\n", 0),
}  # fmt: skip


@pytest.mark.parametrize(("line", "out", "status"), CASES.values(), ids=CASES.keys())
def test_externals(line: str, out: str, status: int) -> None:
    desk = Desk({"/h/f.yaml": "f: 1\n"}, program=program)
    assert desk.line(line.replace("\n", "\r")).rpartition("> ")[2] == out
    assert desk.line("echo $?") == f"{status}\n"


def test_sleep_and_date_are_the_hosts() -> None:
    desk = Desk()
    before = desk.now
    assert desk.line("sleep 1.5; sleep 2m; date; date +%s-%F", 200).splitlines() == [
        "Thu Jan  1 00:02:01 UTC 2026", "1767225721-2026-01-01",
    ]  # fmt: skip
    assert desk.now - before == 121_500_000


def test_a_file_opens_in_the_editor() -> None:
    desk = Desk({"/h/a.yaml": "x"})
    for line, path in (
        ("vim a.yaml", "/h/a.yaml"),
        ("nano new.yaml", "/h/new.yaml"),
        ("vi -n +3 ./a.yaml", "/h/a.yaml"),
    ):
        desk.type(line + "\r")
        ((call, (name, args)),) = desk.calls.items()
        assert (name, args) == ("edit", {"path": path, "wait": False})
        desk.answer(call, ["said", f"opened {path}\n"], last=False)
        desk.answer(call, ["done"])
        assert f"opened {path}" in desk.screen.text()
    assert desk.line("vim; echo $?; vim /h; echo $?; ls") == (
        "vim: name a file: vim file.yaml\n1\nvim: /h: Is a directory\n1\na.yaml    new.yaml\n"
    )


REFUSALS = {
    ("kubectl", "create", "-f", "x", "--edit"): "no editor opens before this command",
    ("kubectl", "apply", "edit-last-applied", "deploy/x"): "no editor opens before this command",
    ("kubectl", "port-forward", "pod/x", "80"): None,
    ("kubectl", "proxy"): "opens a port",
    ("kubectl", "apply", "-f", "https://example.com/x.yaml"): "there is no Internet here",
    ("kubectl", "create", "--filename=https://example.com/x.yaml"): "there is no Internet here",
    ("kubectl", "create", "-fhttps://example.com/x.yaml"): "there is no Internet here",
    ("kubectl", "-n", "proxy", "get", "pods"): None,
    ("kubectl", "get", "proxy"): None,
    ("kubectl", "proxy", "--help"): None,
    ("kubectl", "exec", "x", "--", "wget", "http://web"): None,
    ("kubectl", "run", "x", "--image=y", "--", "wget", "https://web"): None,
    ("kubectl", "--server=http://127.0.0.1:1", "get", "cm", "x"): None,
    ("kubectl", "edit", "deploy/x"): None,
    ("kubectl", "diff", "-f", "x"): None,
}


@pytest.mark.parametrize(("argv", "message"), REFUSALS.items(), ids=[" ".join(argv) for argv in REFUSALS])
def test_refusals(argv: tuple[str, ...], message: str | None) -> None:
    answer = refuse(list(argv))
    assert (answer is None) == (message is None)
    assert message is None or message in (answer or "")


def test_a_refusal_is_an_error_of_the_command() -> None:
    desk = Desk(program=program)
    assert "kubectl: proxy opens a port on this machine" in desk.line("kubectl proxy")
    assert desk.line("echo $?") == "1\n"


DEPLOYMENT = 'kind: Deployment\nmetadata:\n  resourceVersion: "7"\nspec:\n  replicas: 1\n'


class Objects:
    """A cluster of one object, for `kubectl edit`: who replaces it with an old version is refused once."""

    def __init__(self) -> None:
        self.argvs: list[list[str]] = []
        self.conflicts = 1

    def __call__(self, args: dict[str, Any], stdin: bytes) -> tuple[int, bytes, bytes]:
        argv = args["argv"]
        self.argvs.append(argv[1:])
        if "replace" in argv:
            self.conflicts -= 1
            if self.conflicts >= 0:
                return 1, b"", b"Error from server (Conflict): the object has been modified\n"
            return 0, b"deployment.apps/web replaced\n", b""
        return (
            (0, b"9", b"")
            if "jsonpath={.metadata.resourceVersion}" in argv
            else (0, DEPLOYMENT.encode(), b"")
        )


def test_edit_keeps_its_flags_and_puts_back_what_is_saved() -> None:
    objects = Objects()
    desk = Desk(program=objects)
    desk.type("kubectl -n shop edit deploy web --context=c --save-config -o json --field-manager me\r")
    ((call, (name, args)),) = desk.calls.items()
    assert (name, args["wait"]) == ("edit", True)
    desk.answer(call, ["said", "open\n"], last=False)
    path = args["path"]
    text = desk.console.machine.read_file("terminal", path)
    assert text is not None
    assert text.startswith("# Please edit the object below.")
    assert text.endswith(DEPLOYMENT)
    desk.console.disk.write(path, text.replace("replicas: 1", "replicas: 2").encode())
    desk.answer(call, ["saved"])
    assert desk.screen.text().endswith("open\ndeployment.apps/web edited\n$")
    reading = ["-n", "shop", "deploy", "web", "--context=c"]
    writing = ["replace", "--field-manager=kubectl-edit", "-n", "shop", "--context=c", "--save-config"]
    writing += ["--field-manager", "me", "-f", path]
    assert objects.argvs == [
        ["get", *reading, "-o", "yaml"], writing,
        ["get", *reading, "-o", "jsonpath={.metadata.resourceVersion}"], writing,
    ]  # fmt: skip
    assert desk.line("ls") == ""


def test_edit_without_a_change_and_given_up() -> None:
    desk = Desk(program=Objects())
    desk.type("kubectl edit deploy web\r")
    ((call, _),) = desk.calls.items()
    desk.answer(call, ["saved"])
    assert desk.screen.text().endswith("Edit cancelled, no changes made.\n$")
    desk.type("kubectl edit deploy web\r")
    ((call, _),) = desk.calls.items()
    desk.type("\x03")
    assert desk.dropped[-1] == call
    assert desk.line("echo $?; ls") == "130\n"


def test_diff_is_the_machines_own() -> None:
    desk = Desk()
    desk.console.disk.write("/tmp/LIVE-1/x", b"a\n")
    desk.console.disk.write("/tmp/MERGED-2/x", b"b\n")
    desk.type("kubectl diff -f x.yaml\r")
    ((call, (_, args)),) = desk.calls.items()
    assert args["tty"] is False
    desk.answer(call, ["differ", "/tmp/LIVE-1", "/tmp/MERGED-2"], last=False)
    desk.answer(call, ["ended", 1, False, ""])
    assert desk.screen.text().endswith("--- /tmp/LIVE-1/x\n+++ /tmp/MERGED-2/x\n@@ -1 +1 @@\n-a\n+b\n$")
    assert desk.line("echo $?; ls -d /tmp/LIVE-1 2>/dev/null") == "1\n"


METRICS = (
    "No metrics server answers in this cluster. One is installed as a workload is; a new cluster has none."
)
UNSERVED = {
    "error: Metrics API not available": METRICS,
    'error: the server doesn\'t have a resource type "nosuch"': "",
    'Error from server (NotFound): pods "jobs" not found': "",
}


@pytest.mark.parametrize(("said", "sentence"), UNSERVED.items(), ids=UNSERVED)
def test_what_is_not_there_is_said(said: str, sentence: str) -> None:
    desk = Desk(program=lambda args, stdin: (1, b"", said.encode() + b"\n"))
    shown = desk.line("kubectl get it 2>&1 | cat").splitlines()
    assert shown == [said, *([sentence] if sentence else [])]


def test_every_kind_of_1_37_is_served() -> None:
    known = {name.rpartition("/")[2] for name in schema._tables()["kinds"] if not name.endswith("List")}
    bodies = {
        "APIGroup",
        "APIVersions",
        "Eviction",
        "Scale",
        "Status",
        "TokenRequest",
    }  # of requests and answers
    assert known - {kind.kind for kind in KINDS} - bodies == set()


READS = {
    "kubectl get pods -w": False,
    "kubectl apply -f -": True,
    "kubectl apply --filename=-": True,
    "kubectl apply -f x.yaml": False,
    "kubectl exec -it x -- sh": True,
    "kubectl exec x -- sh -i": False,
    "kubectl exec x -i -- cat": True,
    "kubectl run x --rm --stdin --image=y": True,
    "kubectl run -ti x --image=nginx": True,
    "kubectl delete pod x -i": True,
    "kubectl delete pod --interactive": True,
    "kubectl logs -f x": False,
    "kubectl get -o wide -l tier=it": False,
    "kubectl run x --image=busybox": False,
    "kubectl create -f-": True,
}


@pytest.mark.parametrize(("line", "reads"), READS.items(), ids=READS)
def test_who_reads_the_input(line: str, reads: bool) -> None:
    assert reads_input(line.split()) is reads


SAID = {
    "helm": "helm: not in this terminal; download the kubeconfig and use your own helm\n",
    "sudo ls": "sudo: there is no other user here; run the command without it\n",
    "shopt -s x": "shopt: belongs to bash\n",
    "nosuch": "sh: nosuch: not found\n",
}


@pytest.mark.parametrize(("line", "said"), SAID.items(), ids=SAID)
def test_what_is_not_there_says_so(line: str, said: str) -> None:
    desk = Desk()
    assert desk.line(line) == said
    assert desk.line("echo $?") in ("1\n", "127\n")


TYPED = {
    "for i in {1..3}; do echo $i; done": "1\n2\n3\n",
    "[[ web-1 =~ -([0-9]+)$ ]] && echo ${BASH_REMATCH[1]}": "1\n",
    "pods=(a b c); echo ${#pods[@]} ${pods[-1]}": "3 c\n",
    "for ((i = 0; i < 2; i++)); do echo -n $i; done; echo": "01\n",
    "sh -c 'echo {a,b}'": "{a,b}\n",
}


@pytest.mark.parametrize(("line", "shown"), TYPED.items(), ids=TYPED)
def test_what_is_typed_is_bash(line: str, shown: str) -> None:
    assert Desk().line(line) == shown


def test_help_and_man_know_every_program() -> None:
    desk = Desk()
    listed = desk.line("help | cat")
    assert "  kubectl" in listed
    assert "  grep" in listed
    assert desk.line("man sleep; help export; help nosuch; echo $?").splitlines()[-2:] == [
        "help: no help for nosuch", "1",
    ]  # fmt: skip


def test_a_shell_that_works_for_long_gets_its_share() -> None:
    desk = Desk(limits=Limits(burst=20_000))
    desk.type("i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done\r")
    steps = desk.console.machine.steps
    desk.advance(1)
    assert 1_000 < desk.console.machine.steps - steps < 20_000
    desk.type("\x03")
    assert desk.console.foreground("1") is None


def test_a_full_disk_says_so() -> None:
    desk = Desk()
    assert "No space left on device" in desk.line("yes | head -c 9000000 > f; echo", 60)


def test_subcommands_skip_flags_and_their_values() -> None:
    argv = ["kubectl", "--context", "a", "-n", "b", "get", "--all-namespaces", "pods", "x", "--", "y"]
    assert subcommands(argv) == ["get", "pods", "x"]


COMPLETED = {
    "names": ("po\tPods\nsvc\n:4\nmore", ["po", "svc"], " ", False),
    "no space": ("a=\n:2\n", ["a="], "", False),
    "files": (":0\n", [], None, True),
    "nothing": (":4\n", [], None, False),
    "extensions": ("yaml\nyml\n:8\n", [], None, True),
    "error": ("x\n:1\n", [], None, False),
    "help": ("_activeHelp_ hi\nx\n:4\n", ["x"], " ", False),
}


@pytest.mark.parametrize(("output", "names", "final", "files"), COMPLETED.values(), ids=COMPLETED.keys())
def test_parse_completions(output: str, names: list[str], final: str | None, files: bool) -> None:
    found = parse_completions(output)
    assert (found.names, found.files) == (names, files)
    assert found.final == final or not names


FORWARDS = {
    "port-forward web 8080:80": ["pods", "", "web", "80"],
    "port-forward pod/web 80": ["pods", "", "web", "80"],
    "-n shop port-forward svc/web :http": ["services", "shop", "web", "http"],
    "port-forward --address 0.0.0.0 deploy/web 8080:80 9090:90 -nshop": [
        "deployments.apps",
        "shop",
        "web",
        "80",
    ],
    "port-forward --namespace=shop sts/db 5432": ["statefulsets.apps", "shop", "db", "5432"],
}


@pytest.mark.parametrize(("line", "wanted"), FORWARDS.items(), ids=FORWARDS.keys())
def test_a_forwarded_port_becomes_a_page(line: str, wanted: list[str]) -> None:
    desk = Desk()
    desk.type(f"kubectl {line}\r")
    ((call, (name, args)),) = desk.calls.items()
    assert (name, args) == ("preview", wanted)
    desk.answer(call, ["said", "it opens", 3])
    assert desk.console.foreground("1") is None
    assert desk.line("echo $?") == "3\n"


def test_what_cannot_be_forwarded_says_so() -> None:
    desk = Desk()
    assert "name a Pod or a Service" in desk.line("kubectl port-forward node/x 80; echo rc=$?")
