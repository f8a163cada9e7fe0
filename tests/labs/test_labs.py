"""The labs library: reading the course, judging, and the sweep that must be able to fail."""

import shutil

import pytest
import yaml

from cluster_engine import Cluster
from labs.kit import catalog, runner, scaffold, sweep
from labs.kit.checking import CheckSpec, Fail, Reader, t

SLUGS = [lab.slug for lab in catalog.load().labs]


@pytest.fixture
def course_copy(tmp_path):
    """A copy of the course to break."""
    root = tmp_path / "labs"
    shutil.copytree(catalog.ROOT, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for check in catalog.ROOT.rglob("check.py"):
        shutil.copy(check, root / check.relative_to(catalog.ROOT))
    return root


@pytest.mark.parametrize("slug", SLUGS)
def test_each_lab_is_complete(slug):
    assert sweep.lint(catalog.load().lab(slug)).problems == []


LAB = "foundations/pods/labs/two-containers-one-pod"


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        pytest.param("course.yaml", "chapters: 3", "chapters: expected list, found 3", id="chapters"),
        pytest.param("course.yaml", "[", "course.yaml: while parsing", id="not yaml"),
        pytest.param(f"{LAB}/lab.yaml", "nodes: many", "nodes: expected int, found 'many'", id="nodes"),
        pytest.param(
            f"{LAB}/lab.yaml",
            "title: {en: Only English}",
            "title.zh-hans: expected text, found None",
            id="language",
        ),
        pytest.param(
            f"{LAB}/instructions.zh-hans.md", None, "instructions.zh-hans.md: the file is missing", id="page"
        ),
        pytest.param(f"{LAB}/solution.sh", None, "solution.sh: the file is missing", id="solution"),
    ],
)
def test_a_broken_course_is_told_in_a_sentence(course_copy, path, change, message):
    file = course_copy / path
    if change is None:
        file.unlink()
    elif change.startswith("["):
        file.write_text(change)
    else:
        data = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump({**data, **yaml.safe_load(change)}, allow_unicode=True))
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.read(course_copy)
    assert message in str(caught.value)
    assert path.rsplit("/", 1)[-1] in str(caught.value)


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
            "wrong/one-container.sh",
            "two-ready ",
            "two-redy ",
            "wrong/one-container.sh: there is no check 'two-redy'",
            id="unknown check",
        ),
        pytest.param(
            "instructions.en.md",
            "```sh norun",
            "```sh",
            "instructions: the languages differ in their code blocks",
            id="languages differ",
        ),
    ],
)
def test_lint_finds_what_is_wrong_in_a_lab(course_copy, path, old, new, problem):
    file = course_copy / LAB / path
    file.write_text(file.read_text().replace(old, new))
    problems = sweep.lint(catalog.read(course_copy).lab("two-containers-one-pod")).problems
    assert any(found.startswith(problem) for found in problems), problems


@pytest.mark.slow
@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        pytest.param(
            "solution.sh", "true\n", "solution.sh: the check etcd-node should have passed", id="solution"
        ),
        pytest.param("solution.sh", "false\n", "solution.sh: ended with status 1", id="solution ends badly"),
        pytest.param(
            "wrong/guessed-without-looking.sh",
            "# fails: etcd-node\ntrue\n",
            "wrong/guessed-without-looking.sh: the check proxy-count should have passed",
            id="wrong answer fails more than it says",
        ),
        pytest.param(
            "setup.yaml",
            "{apiVersion: v1, kind: Namespace, metadata: {name: survey}}",
            "instructions.en.md: a block ended with status 1",
            id="setup in the way",
        ),
    ],
)
def test_the_sweep_fails_when_a_lab_is_broken(course_copy, path, text, problem):
    folder = course_copy / "foundations/cluster-components/labs/explore-the-components"
    (folder / path).write_text(text + ("exit 1\n" if text == "false\n" else ""))
    for wrong in ("pod-address-for-service.sh", "in-the-wrong-namespace.sh"):
        (folder / "wrong" / wrong).unlink()
    problems = sweep.test(catalog.read(course_copy).lab("explore-the-components")).problems
    assert any(found.startswith(problem) for found in problems), problems


def test_a_new_lab_is_whole(course_copy):
    course = catalog.read(course_copy)
    folder = scaffold.new_lab(course.lesson("pods"), "say-ahoy")
    lesson = course_copy / "foundations/pods/lesson.yaml"
    lesson.write_text(lesson.read_text() + "  - say-ahoy\n")
    lab = catalog.read(course_copy).lab("say-ahoy")
    assert sweep.lint(lab).problems == []
    cluster = runner.boot(lab)
    assert [result.state for result in runner.grade(lab, cluster).checks] == ["failed"]
    with pytest.raises(ValueError, match="exists already"):
        scaffold.new_lab(course.lesson("pods"), folder.name)
    with pytest.raises(ValueError, match="lower-case words"):
        scaffold.new_lab(course.lesson("pods"), "Say Ahoy")


@pytest.fixture(scope="module")
def cluster():
    return Cluster(nodes=1, freezing=True)


def spec(run, points=3):
    return CheckSpec("it", t("title", "标题"), points, t("hint", "提示"), run)


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
            runner.CRASHED["en"],
            runner.CRASHED["zh-hans"],
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
    assert result.as_dict("en")["hint"] == ("" if state == "passed" else "hint")
    assert cluster.state_hash() == before


def test_a_reader_has_no_logs_of_what_is_not_there(cluster):
    reader = Reader(cluster)
    assert reader.logs("nobody", "x") == []
    assert reader.logs("etcd-control-plane", "nobody", "kube-system") == []
    assert reader.logs("etcd-control-plane", "etcd", "kube-system") != []


def test_found_may_be_said_in_each_language():
    failure = Fail(t("one", "一"), t("two", "二"))
    assert failure.message == t("Expected one, found two.", "期望一，实际二。")
