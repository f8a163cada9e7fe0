"""Judging a lab, seeded variants, and the sweep that must be able to fail."""

import asyncio

import pytest

from cluster_engine import Cluster
from labs.kit import catalog, runner, scaffold, sweep, variables, wrong
from labs.kit.checking import CheckSpec, Fail, Function, Reader
from labs.kit.plays import Plays
from labs.kit.words import LANGUAGES, plain, say, t

SLUGS = [lab.slug for lab in catalog.load().labs]


@pytest.mark.parametrize("slug", SLUGS)
def test_each_lab_is_complete(slug):
    assert sweep.lint(catalog.load().lab(slug)).problems == []


LAB = "foundations/pods/labs/two-containers-one-pod"


def test_a_check_that_nothing_fails_alone_says_why(course_copy):
    wrong_answer = course_copy / LAB / "wrong/a-task-that-fails.sh"
    wrong_answer.write_text(
        wrong_answer.read_text().replace("task-succeeded", "task-succeeded greeter-mended")
    )
    yaml = course_copy / LAB / "lab.yaml"
    why = "Who fails the task fails the greeter."
    yaml.write_text(
        yaml.read_text().replace("- id: task-succeeded", f"- id: task-succeeded\n    never_alone: {why}")
    )
    lab = catalog.read(course_copy).lab("two-containers-one-pod")
    assert sweep.lint(lab).problems == []
    answers = wrong.alone(lab)
    assert answers["task-succeeded"] == why
    assert answers["shared-volume"] == "wrong/a-folder-of-the-machine.sh"


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        pytest.param(
            "wrong/one-container.sh",
            "# fails:",
            "# breaks:",
            "wrong/one-container.sh: a line `# fails: <check> …` is missing",
            id="no fails line",
        ),
        pytest.param(
            "wrong/a-task-that-fails.sh",
            "# fails: task-succeeded",
            "# fails: task-succeeded greeter-mended",
            "wrong/: no wrong answer fails the check 'task-succeeded' and no other: expected one, or a sentence "
            "under never_alone in lab.yaml why there can be none",
            id="never failed alone",
        ),
        pytest.param(
            "lab.yaml",
            "- id: task-succeeded",
            "- id: task-succeeded\n    never_alone: Because.",
            "lab.yaml: checks.task-succeeded.never_alone: wrong/a-task-that-fails.sh fails it alone",
            id="failed alone against its word",
        ),
        pytest.param(
            "wrong/one-container.sh",
            "two-ready ",
            "two-redy ",
            "wrong/one-container.sh: there is no check 'two-redy'",
            id="unknown check",
        ),
        pytest.param(
            "wrong/one-container.sh",
            "# fails:",
            "# after: by-magic.sh\n# fails:",
            "wrong/one-container.sh: after: expected one of write-the-manifests.sh, found 'by-magic.sh'",
            id="goes on from no solution",
        ),
        pytest.param(
            "lab.en.md",
            "```sh norun",
            "```sh",
            "instructions: the languages differ in their code blocks",
            id="languages differ in blocks",
        ),
        pytest.param(
            "lab.zh-hans.md",
            "      - spec.containers 是列表，各项的缩进相同。\n",
            "",
            "lab.zh-hans.md: checks.two-ready.hints: expected 3: where to look, what to think of, "
            "how it is written; found 2",
            id="a hint is missing",
        ),
        pytest.param(
            "lab.zh-hans.md",
            "  - 从状态和日志中找出崩溃的原因。\n",
            "",
            "lab.zh-hans.md: objectives: expected 3 sentences, found 2",
            id="languages differ in objectives",
        ),
        pytest.param(
            "lab.en.md",
            "Run a Pod named `task`",
            "Run a Pod named `{{task}}`",
            "lab.en.md: expected a variable of lab.yaml, found {{task}}",
            id="no such variable",
        ),
        pytest.param(
            "lab.en.md",
            "`kubectl describe pod notebook` shows",
            "`kubectl describe pod {{pod}}` shows",
            "LAB/lab.en.md:17: checks.two-ready.hints[0]: expected a variable of lab.yaml, found {{pod}}",
            id="no such variable in a hint",
        ),
        pytest.param(
            "lab.yaml",
            "look: kubectl describe pod notebook",
            "look: kubectl describe pod {{pod}}",
            "LAB/lab.yaml:25: checks[0].object.look: expected a variable of lab.yaml, found {{pod}}",
            id="no such variable in a check",
        ),
        pytest.param(
            "wrong/one-container.sh",
            "# fails: two-ready",
            "kubectl get pods -o go-template='{{if .items}}{{end}}' # {{pod}}\n# fails: two-ready",
            "wrong/one-container.sh:1: expected a variable of lab.yaml, found {{pod}}",
            id="no such variable in a script",
        ),
        pytest.param(
            "lab.zh-hans.md",
            "title: ",
            "title: 初始化容器与",
            "lab.zh-hans.md: expected the term 'Init 容器', found '初始化容器'",
            id="a word that is not the term",
        ),
        pytest.param(
            "lab.en.md",
            '    expected: "one emptyDir volume that `writer` mounts, and `web` at /usr/share/nginx/html"\n',
            "",
            "lab.en.md: checks.shared-volume.expected: a rule in CEL is no sentence",
            id="a rule without a sentence",
        ),
        pytest.param(
            "lab.yaml",
            "type: guided",
            "type: repair",
            "solutions/: expected two different ways at least, for a repair, found 1",
            id="one way only",
        ),
    ],
)
def test_lint_finds_what_is_wrong_in_a_lab(course_copy, path, old, new, problem):
    file = course_copy / LAB / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    problems = sweep.lint(catalog.read(course_copy).lab("two-containers-one-pod")).problems
    assert any(found.startswith(problem.replace("LAB", str(file.parent))) for found in problems), problems


@pytest.mark.slow
@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        pytest.param(
            "solutions/note-and-heal.sh",
            "true\n",
            "solutions/note-and-heal.sh: the check etcd-node should have passed",
            id="solution",
        ),
        pytest.param(
            "solutions/note-and-heal.sh",
            "false\nexit 1\n",
            "solutions/note-and-heal.sh: ended with status 1",
            id="solution ends badly",
        ),
        pytest.param(
            "wrong/guessed-without-looking.sh",
            "# fails: etcd-node\ntrue\n",
            "wrong/guessed-without-looking.sh: the check proxy-count should have passed",
            id="wrong answer fails more than it says",
        ),
        pytest.param(
            "setup.yaml",
            "{apiVersion: v1, kind: Pod, metadata: {name: Wrong}}",
            'setup.yaml: Pod "Wrong" is invalid',
            id="setup refused",
        ),
        pytest.param(
            "setup.yaml",
            "{apiVersion: v1, kind: Namespace, metadata: {name: survey}}",
            "lab.en.md: a block ended with status 1",
            id="setup in the way",
        ),
    ],
)
def test_the_sweep_fails_when_a_lab_is_broken(course_copy, path, text, problem):
    folder = course_copy / "foundations/cluster-components/labs/explore-the-components"
    (folder / path).write_text(text)
    for name in ("pod-address-for-service.sh", "in-the-wrong-namespace.sh"):
        (folder / "wrong" / name).unlink()
    problems = sweep.prove(catalog.read(course_copy).lab("explore-the-components")).problems
    assert any(found.startswith(problem) for found in problems), problems


@pytest.mark.slow
@pytest.mark.kubectl
def test_the_sweep_finds_a_rule_that_nobody_needs(course_copy):
    """A new lab is proved as it stands, in all its variants; a rule that no wrong answer needs is named."""
    course = catalog.read(course_copy)
    folder = scaffold.new_lab(course_copy, course.lesson("pods"), "say-ahoy")
    lesson = course_copy / "foundations/pods/lesson.yaml"
    lesson.write_text(lesson.read_text() + "  - say-ahoy\n")
    assert sweep.prove(catalog.read(course_copy).lab("say-ahoy")).problems == []
    yaml = (folder / "lab.yaml").read_text()
    (folder / "lab.yaml").write_text(yaml + "        - {field: metadata.name, is: hello}\n")
    assert sweep.prove(catalog.read(course_copy).lab("say-ahoy")).problems == [
        "wrong/: no answer tells the check greeting from the same without metadata.name"
    ]
    (folder / "lab.yaml").write_text(
        yaml.replace("steps:", "variables: {word: {of: [ahoy, hey]}}\nsteps:").replace(
            "is: ahoy", 'is: "{{word}}"'
        )
    )
    problems = sweep.prove(catalog.read(course_copy).lab("say-ahoy"), seeds=10).problems
    assert any("solutions/one-command.sh: the check greeting should have passed" in each for each in problems)


@pytest.mark.slow
@pytest.mark.kubectl
def test_a_script_goes_on_where_another_ended():
    """With its files, its cluster and its kubectl's namespace; and the other's stay as they were."""
    lab, plays = catalog.load().lab("two-containers-one-pod"), Plays()
    first = """
    kubectl create namespace cellar
    kubectl config set-context --current --namespace=cellar
    rm notebook.yaml; echo kept > note.txt; sleep 5
    """
    then = """
    test ! -e notebook.yaml || exit 2
    kubectl create configmap found --from-file=note.txt || exit 3
    kubectl get pod greeter -n default || exit 4
    """
    before = asyncio.run(plays.play(lab, 13, first))
    state = before.cluster.state_hash()
    after = asyncio.run(plays.play(lab, 13, then, first))
    assert after.status == 0, after.output
    assert after.cluster.get("configmaps", "found", "cellar")["data"] == {"note.txt": "kept\n"}
    assert before.cluster.state_hash() == state
    assert asyncio.run(plays.play(lab, 13, then, first)) is after
    assert asyncio.run(plays.play(lab, 13, then, "false\nexit 5\n")).status == 5


def test_a_new_lab_is_whole(course_copy):
    course = catalog.read(course_copy)
    folder = scaffold.new_lab(course_copy, course.lesson("pods"), "say-ahoy")
    lesson = course_copy / "foundations/pods/lesson.yaml"
    lesson.write_text(lesson.read_text() + "  - say-ahoy\n")
    lab = catalog.read(course_copy).lab("say-ahoy")
    assert sweep.lint(lab).problems == []
    cluster = runner.boot(lab)
    assert [result.state for result in runner.grade(lab, cluster).checks] == ["failed"]
    with pytest.raises(ValueError, match="exists already"):
        scaffold.new_lab(course_copy, course.lesson("pods"), folder.name)
    with pytest.raises(ValueError, match="lower-case words"):
        scaffold.new_lab(course_copy, course.lesson("pods"), "Say Ahoy")


# ---- seeded variants -------------------------------------------------------------------------------------


def test_a_variant_is_fed_to_everything_from_one_source(course_copy):
    folder = course_copy / LAB
    for path in [*folder.glob("lab.*.md"), *folder.rglob("*.sh"), *folder.glob("files/*")]:
        path.write_text(path.read_text().replace("notebook", "{{book}}"))
    yaml = folder / "lab.yaml"
    text = yaml.read_text().replace(": notebook", ': "{{book}}"')
    yaml.write_text(text.replace("seed: 13", "variables:\n  book: {of: [notebook, diary, logbook]}"))
    lab = catalog.read(course_copy).lab("two-containers-one-pod")
    books = {seed: lab.variant(seed).values["book"] for seed in range(12)}
    assert set(books.values()) == {"notebook", "diary", "logbook"}
    for seed, book in list(books.items())[:4]:
        this = lab.variant(seed)
        assert this.variant(seed) == this
        assert f"name: {book}" in this.files["notebook.yaml"]
        for text in (this.instructions["zh-hans"], this.solution_text, *this.wrong.values()):
            assert book in text or "notebook" not in text
            assert "{{" not in text
        report = runner.grade(lab, runner.boot(lab, seed))
        assert f"a Pod named `{book}`" in report.checks[0].message["en"]


def test_a_start_is_acted_out_after_the_set_up(course_copy):
    yaml = course_copy / LAB / "lab.yaml"
    start = (
        "start: [{patch: {kind: Pod, name: greeter, patch: {metadata: {labels: {a: b}}}}}, {advance: 30}]\n"
    )
    yaml.write_text(yaml.read_text().replace("steps:", start + "steps:"))
    lab = catalog.read(course_copy).lab("two-containers-one-pod")
    began, acted = runner.boot(catalog.load().lab(lab.slug)), runner.boot(lab)
    labels = {"app": "greeter", "a": "b"}
    assert acted.get("pods", "greeter")["metadata"]["labels"].items() >= labels.items()
    assert acted.clock.now >= began.clock.now + 30_000_000
    assert Cluster.replay(acted.journal, until=acted.clock.now).state_hash() == acted.state_hash()


def test_a_set_up_may_put_pods_into_namespaces_that_it_makes(course_copy):
    (course_copy / LAB / "setup.yaml").write_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop},"
        " spec: {containers: [{name: c, image: 'nginx:1.27'}]}}"
    )
    cluster = runner.boot(catalog.read(course_copy).lab("two-containers-one-pod"))
    assert cluster.get("pods", "a", "shop")["status"]["phase"] == "Running"


def test_a_variable_without_quotes_is_told(course_copy):
    yaml = course_copy / LAB / "lab.yaml"
    yaml.write_text(yaml.read_text().replace("name: task", "name: {{task}}"))
    with pytest.raises(
        catalog.CatalogError, match=r'expected text as a key; a variable needs quotes: "\{\{name\}\}"'
    ):
        catalog.read(course_copy)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param({"a": {"from": 2, "to": 2}, "b": {"plus": ["a", 3]}}, {"a": 2, "b": 5}, id="sum"),
        pytest.param({"a": {"of": [{"x": 1}]}}, {"a": {"x": 1}}, id="mapping"),
    ],
)
def test_variables_are_drawn(rules, expected):
    assert variables.draw("lab", rules, 1) == expected


def test_a_sum_of_words_is_refused():
    with pytest.raises(ValueError, match="variables before it that are numbers"):
        variables.draw("lab", {"b": {"plus": ["a", 3]}}, 1)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("{{n}}", 3),
        ("{{ n }} Pods", "3 Pods"),
        ("{{m.x}}", "y"),
        ("{{range .items}}{{end}}", "{{range .items}}{{end}}"),
        ({"{{n}}": ["{{n}}"]}, {"3": [3]}),
    ],
)
def test_values_are_put_into_texts_and_data(data, value):
    assert variables.put_everywhere(data, {"n": 3, "m": {"x": "y"}}) == value


# ---- judging ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    return Cluster(nodes=1, freezing=True)


def spec(run, points=3, **more):
    hints = (t("hint", "提示"), t("more", "更多"))
    return CheckSpec("it", t("title", "标题"), Function(run), points, hints, "step", **more)


def judge(monkeypatch, cluster, *specs):
    lab = catalog.load().labs[0]
    monkeypatch.setitem(lab.__dict__, "checks", specs)
    return runner.grade(lab, cluster)


def failing(reader):
    reader.need("deployments", "web", "shop")


def crashing(reader):
    raise ZeroDivisionError


def meddling(reader):
    fork = reader.fork()
    fork.delete("deployments", "coredns", "kube-system")
    fork.advance(30)


@pytest.mark.parametrize(
    ("run", "state", "score", "english", "chinese"),
    [
        pytest.param(lambda reader: None, "passed", 3, "", "", id="passes"),
        pytest.param(
            failing,
            "failed",
            0,
            "Expected a Deployment named `web`, found none. Look at: `kubectl get deployments -n shop`",
            "期望名为 `web` 的 Deployment，实际没有找到。查看：`kubectl get deployments -n shop`",
            id="fails",
        ),
        pytest.param(
            crashing,
            "error",
            0,
            say("crashed")["en"],
            say("crashed")["zh-hans"],
            id="a crash is no wrong answer",
        ),
        pytest.param(meddling, "passed", 3, "", "", id="acts on a fork"),
    ],
)
def test_a_check_passes_fails_or_errs(monkeypatch, cluster, run, state, score, english, chinese):
    before = cluster.state_hash()
    report = judge(monkeypatch, cluster, spec(run))
    (result,) = report.checks
    assert (result.state, result.score, result.message) == (state, score, t(english, chinese))
    assert report.passed is (state == "passed")
    assert (report.score, report.max_score) == (score, 3)
    told = result.as_dict("en")
    assert told["hint"] == ("" if state == "passed" else "hint")
    assert told["step"] == "step"
    assert told["look"] == ("kubectl get deployments -n shop" if state == "failed" else "")
    assert bool(result.error) is (state == "error")
    assert "error" not in told
    assert cluster.state_hash() == before


def _ready(reader):
    pod = reader.need("pods", "slow")
    if pod["status"].get("phase") != "Running":
        raise Fail(plain("Running"), pod["status"]["phase"])


def test_what_will_pass_by_itself_is_pending(monkeypatch, cluster):
    busy = cluster.fork()
    busy.apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: slow}, spec: {tolerations: [{operator: Exists}],"
        " containers: [{name: c, image: 'busybox:1.36', command: [sleep, '9']}]}}"
    )
    report = judge(monkeypatch, busy, spec(_ready), spec(failing))
    assert [result.state for result in report.checks] == ["pending", "failed"]
    assert (
        report.checks[0]
        .message["en"]
        .startswith("On its way, but not there yet. Expected Running, found Pending")
    )
    assert (report.score, report.passed) == (0, False)
    busy.settle()
    assert judge(monkeypatch, busy, spec(_ready)).passed


def test_a_guard_counts_once_another_check_passes(monkeypatch, cluster):
    def holds(reader):
        pass

    report = judge(monkeypatch, cluster, spec(holds, guard=True), spec(failing))
    assert [(result.state, result.score) for result in report.checks] == [("pending", 0), ("failed", 0)]
    report = judge(monkeypatch, cluster, spec(holds, guard=True), spec(holds))
    assert [result.score for result in report.checks] == [3, 3]
    report = judge(monkeypatch, cluster, spec(failing, guard=True), spec(holds))
    assert [result.state for result in report.checks] == ["failed", "passed"]


def test_a_check_may_say_it_in_its_own_words(monkeypatch, cluster):
    texts = {"expected": plain("this"), "found": plain("that, namely {found}")}
    (result,) = judge(monkeypatch, cluster, spec(failing, texts=texts)).checks
    assert result.message["en"].startswith("Expected this, found that, namely none.")


def test_a_reader_has_no_logs_of_what_is_not_there(cluster):
    reader = Reader(cluster)
    assert reader.logs("nobody", "x") == []
    assert reader.logs("etcd-control-plane", "nobody", "kube-system") == []
    assert reader.logs("etcd-control-plane", "etcd", "kube-system") != []


def test_a_sentence_of_the_lab_is_filled_in(cluster):
    reader = Reader(cluster, {"ready": t("{count} ready", "{count} 个就绪")})
    assert reader.say("ready", count=3) == t("3 ready", "3 个就绪")
    assert LANGUAGES == ("en", "zh-hans")
