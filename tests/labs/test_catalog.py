# ruff: noqa: E501 (one case a line)
"""Reading the course: what is wrong is told in a sentence with file, line, field, expected and found."""

import jsonschema
import pytest
import yaml

from cluster_engine.component_helpers import shapes
from labs.kit import catalog, lab_schema, located, runner, source, takehome, words

LAB = "foundations/pods/labs/two-containers-one-pod"


class Memory:
    """The course's files in memory: a second CourseSource."""

    def __init__(self):
        disk = source.DiskSource(catalog.ROOT)
        self.files = {path: disk.text(path) for path in disk.under("") if not path.endswith(".py")}
        self.files |= {path: disk.text(path) for path in disk.under("foundations") if path.endswith(".py")}

    def text(self, path):
        if path not in self.files:
            raise catalog.CatalogError(f"{path}: the file is missing")
        return self.files[path]

    def under(self, folder):
        return sorted(path for path in self.files if path.startswith(f"{folder}/"))

    def shown(self, path):
        return path

    def edit(self, path, old, new):
        assert old in self.files[path]
        self.files[path] = self.files[path].replace(old, new, 1)


@pytest.fixture
def course():
    return Memory()


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        pytest.param("course.yaml", "chapters:", "chapter:", "the field `chapters`", id="chapters"),
        pytest.param(
            "course.yaml", "chapters:", "[", "course.yaml:5: could not find expected ':'", id="not yaml"
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "nodes: 3",
            "nodes: many",
            "lab.yaml:5: nodes: expected a whole number, found 'many'",
            id="type",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "nodes: 3",
            "nods: 3",
            "lab.yaml:5: nods: expected `nodes`, found the unknown field `nods`",
            id="did you mean",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "difficulty: 2",
            "difficulty: 9",
            "lab.yaml:3: difficulty: expected at most 5, found 9",
            id="bound",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "- id: task-succeeded\n",
            "- id: task-succeeded\n    dns: {name: x}\n",
            "expected exactly one of object, list, request, dns, exec, can-i, event, log, on_fork, always, between, "
            "changed, python, "
            "found `object`, `dns`",
            id="two kinds",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "- id: task-succeeded\n    object:",
            "- id: task-succeeded\n    python: task_ended\n  - id: another\n    object:",
            "checks[4]: expected the check 'another' in one of the steps, found none",
            id="placed nowhere",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "      name: task\n",
            "      nam: task\n",
            "checks[3].object: expected the field `name`, found none",
            id="no name",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "is: Succeeded",
            "equals: Succeeded",
            "expected exactly one of is, isNot, in, atLeast, atMost, matches, contains, exists, found none of them",
            id="no operator",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "checks: [task-succeeded]",
            "checks: [task]",
            "steps[1].checks[0]: expected one of the checks two-ready, shared-volume, writer-writes, "
            "task-succeeded, greeter-mended, found 'task'",
            id="unknown check",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "- id: writer-writes\n",
            "- id: writer-writes\n    sticky: true\n",
            "expected a check whose past can be asked (object, list), found 'on_fork'",
            id="sticky fork",
        ),
        pytest.param(
            f"{LAB}/lab.zh-hans.md",
            "{#crash}",
            "{#crashed}",
            "expected the steps of lab.yaml ({#share}, {#end}, {#crash}), found {#share}, {#end}, {#crashed}",
            id="steps differ",
        ),
        pytest.param(
            f"{LAB}/lab.zh-hans.md",
            " {#crash}",
            "",
            "expected a step like `## Title {#id}`, found '## 反复崩溃的 Pod'",
            id="heading without id",
        ),
        pytest.param(
            f"{LAB}/lab.zh-hans.md",
            "  task-succeeded:",
            "  task-ended:",
            "checks: expected the texts of the check 'task-succeeded', found none",
            id="texts of a check",
        ),
        pytest.param(
            f"{LAB}/lab.en.md", "title: Two", "titel: Two", "expected the field `title`", id="no title"
        ),
        pytest.param(
            f"{LAB}/lab.en.md", "---\ntitle", "title", "expected a line `---` that begins", id="no front"
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "prerequisites: [declare-a-deployment]",
            "prerequisites: [nothing-such]",
            "expected a lab of the course, found 'nothing-such'",
            id="prerequisite",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "[declare-a-deployment]",
            "[declare-deployment]",
            "lab.yaml:8: prerequisites: expected `declare-a-deployment`, a lab of the course, "
            "found 'declare-deployment'",
            id="nearly a prerequisite",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "is: Succeeded",
            "matches: (Succeeded",
            "matches: expected a regular expression (RE2), found '(Succeeded': missing )",
            id="no expression",
        ),
        pytest.param(
            f"{LAB}/lab.yaml",
            "- id: task-succeeded\n    object:",
            "- id: task-succeeded\n    list: {kind: Pod, labels: 'a=b,,'}\n  - id: another\n    object:",
            "list.labels: expected a label selector, like app=web,tier!=db, found 'a=b,,': found ','",
            id="no selector",
        ),
        pytest.param(
            f"{LAB}/lab.en.md",
            '"`kubectl describe pod notebook` shows the state of each container."',
            "`kubectl describe pod notebook` shows the state of each container.",
            "lab.en.md:17: found character that cannot start any token; a text that begins with ` @ or % needs quotes",
            id="a backtick without quotes",
        ),
        pytest.param(
            f"{LAB}/lab.yaml", "type: guided", "type: guided\ntype: repair", "a second time", id="twice"
        ),
    ],
)
def test_a_broken_course_is_told_in_a_sentence(course, path, old, new, message):
    course.edit(path, old, new)
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.read(course)
    assert message in str(caught.value)
    assert path.rsplit("/", 1)[-1] in str(caught.value)


@pytest.mark.parametrize("path", [f"{LAB}/lab.zh-hans.md", "foundations/pods/lesson.en.md"])
def test_a_missing_file_is_named(course, path):
    del course.files[path]
    with pytest.raises(catalog.CatalogError, match=r"\.md: the file is missing"):
        catalog.read(course)


def test_a_lab_without_solutions_is_refused(course):
    del course.files[f"{LAB}/solutions/write-the-manifests.sh"]
    with pytest.raises(catalog.CatalogError, match="at least one solution, found none"):
        catalog.read(course)


def test_the_version_is_a_digest_of_all_files(course):
    before = catalog.read(course).lab("two-containers-one-pod").version
    assert before == catalog.load().lab("two-containers-one-pod").version
    course.edit(f"{LAB}/wrong/one-container.sh", "two-ready", "two-ready ")
    assert catalog.read(course).lab("two-containers-one-pod").version != before


def test_a_file_that_is_too_large_is_refused(tmp_path):
    (tmp_path / "course.yaml").write_text("x" * (source.MAX_FILE + 1))
    with pytest.raises(catalog.CatalogError, match=f"expected at most {source.MAX_FILE} bytes"):
        catalog.read(tmp_path)


def test_yaml_may_not_go_on_for_ever():
    text = "a: " + "[" * (located.MAX_DEPTH + 2) + "]" * (located.MAX_DEPTH + 2)
    with pytest.raises(catalog.CatalogError, match="at most 40 levels"):
        located.read(text, "x.yaml")


def test_every_language_of_the_library_says_the_same_things():
    keys = {language: set(texts) for language, texts in words.TEXTS.items()}
    assert len(set(map(frozenset, keys.values()))) == 1
    for key in keys["en"]:
        places = {language: set(words._NAME.findall(texts[key])) for language, texts in words.TEXTS.items()}
        assert len(set(map(frozenset, places.values()))) == 1, key


# ---- the schema that editors get -------------------------------------------------------------------------

GOOD = yaml.safe_load((catalog.ROOT / LAB / "lab.yaml").read_text())


def test_the_schema_for_editors_is_up_to_date():
    assert (catalog.ROOT / "lab.schema.json").read_text() == lab_schema.as_json()


def changed(path, value):
    def change(data, rest):
        if not rest:
            return value
        first, *more = rest
        copy = dict(data) if isinstance(data, dict) else list(data)
        if value is None and not more:
            del copy[first]
        else:
            copy[first] = change(data[first] if more else None, more)
        return copy

    return change(GOOD, path)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD, id="a lab"),
        pytest.param(changed(["nodes"], "3"), id="text for a number"),
        pytest.param(changed(["nodes"], True), id="true for a number"),
        pytest.param(changed(["nodes"], 0), id="too few"),
        pytest.param(changed(["nodes"], 21), id="too many"),
        pytest.param(changed(["type"], "test"), id="no such type"),
        pytest.param(changed(["checks"], []), id="no checks"),
        pytest.param(changed(["steps"], None), id="no steps"),
        pytest.param(changed(["slug"], "Two Words"), id="slug"),
        pytest.param(changed(["checks", 0, "points"], "{{points}}"), id="variable for points"),
        pytest.param(changed(["checks", 0, "object", "name"], "{{name}}"), id="variable for a name"),
        pytest.param(changed(["checks", 0, "object", "extra"], 1), id="unknown field"),
        pytest.param(changed(["checks", 0, "object", "expect", 0, "in"], ["a"]), id="two operators"),
        pytest.param(changed(["checks", 0, "object", "expect", 0, "field"], "a..b"), id="no path"),
        pytest.param(changed(["checks", 3], {"id": "x", "list": {"kind": "Pod", "count": 2}}), id="list"),
        pytest.param(
            changed(["checks", 3], {"id": "x", "list": {"kind": "Pod", "count": "{{n}}"}}), id="drawn count"
        ),
        pytest.param(
            changed(["checks", 3], {"id": "x", "list": {"kind": "Pod", "count": {}}}), id="empty count"
        ),
        pytest.param(
            changed(["checks", 3], {"id": "x", "always": {"object": {"kind": "Pod", "name": "a"}}}),
            id="always",
        ),
        pytest.param(
            changed(["checks", 3], {"id": "x", "always": {"dns": {"name": "a"}}}),
            id="always of what is no moment",
        ),
        pytest.param(
            changed(["checks", 2, "on_fork", "do", 0], {"advance": 5, "delete": {"kind": "Pod"}}),
            id="two deeds",
        ),
        pytest.param(changed(["variables"], {"a": {"of": []}}), id="nothing to draw from"),
        pytest.param(changed(["variables"], {"a": {"from": 1, "to": 3}}), id="variables"),
        pytest.param(changed(["variables"], {"a": {"from": 1, "of": [1]}}), id="two ways to draw"),
        pytest.param([], id="a list"),
    ],
)
def test_editors_and_the_loader_accept_the_same(data):
    validator = jsonschema.Draft202012Validator(lab_schema.SCHEMA)
    assert validator.is_valid(data) is (next(shapes.problems(lab_schema.SCHEMA, data), None) is None)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(lab_schema.SCHEMA)


CONFIG = "apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration"


def test_a_lab_may_have_a_cluster_of_its_own_kind(course):
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", f"nodes: 3\ncluster: {{cloud: true, scheduler: {{{CONFIG}}}}}")
    lab = catalog.read(course).lab("two-containers-one-pod")
    options = runner.boot(lab).options
    assert options.cloud
    assert yaml.safe_load(options.scheduler_config)["kind"] == "KubeSchedulerConfiguration"


AUDIT = "apiVersion: audit.k8s.io/v1, kind: Policy"


def test_a_lab_may_have_an_audit_log_and_admission_plugins(course):
    policy = f"{{{AUDIT}, rules: [{{level: Metadata}}]}}"
    cluster = f"{{audit: {policy}, admission: [AlwaysPullImages]}}"
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", f"nodes: 3\ncluster: {cluster}")
    lab = catalog.read(course).lab("two-containers-one-pod")
    options = runner.boot(lab).options
    assert yaml.safe_load(options.audit_policy)["rules"] == [{"level": "Metadata"}]
    assert options.admission_plugins == "AlwaysPullImages"


SHOP = "registry.drydock.example/shop"


def test_a_lab_may_have_images_of_its_own_which_vary(course):
    http = "{after: '{{warm}}', routes: {/: {body: '{{town}}'}}}"
    more = f"""nodes: 3
variables:
  warm: {{from: 2, to: 9}}
  town: {{of: [mill, quay]}}
cluster: {{images: {{{SHOP}: {{http: {http}}}}}}}"""
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", more)
    lab = catalog.read(course).lab("two-containers-one-pod")
    found = {runner.boot(lab, seed).options.images for seed in range(6)}
    assert len(found) > 2
    for text in found:
        http = yaml.safe_load(text)[SHOP]["http"]
        assert http["after"] in range(2, 10)
        assert http["routes"]["/"]["body"] in ("mill", "quay")
    assert "images.yaml" in takehome.files(lab.variant(1), "en", "")
    assert "--images images.yaml" in takehome.files(lab.variant(1), "zh-hans", "")["README.md"]


@pytest.mark.parametrize(
    ("images", "told"),
    [
        pytest.param("nginx: {}", "lab.yaml:8: cluster.images.nginx: expected the name of an image that Drydock has not got", id="a built-in"),
        pytest.param(f"{SHOP}: {{prot: 1}}", f"lab.yaml:8: cluster.images.{SHOP}.prot: expected one of base", id="a key"),
        pytest.param(f"{SHOP}: {{size: '{{{{n}}}}'}}", f"lab.yaml:8: cluster.images.{SHOP}.size: expected megabytes", id="no number"),
        pytest.param(f"{SHOP}: {{tags: {{a: {{exit: {{code: 999}}}}}}}}", f"lab.yaml:8: cluster.images.{SHOP}.tags.a.exit.code: expected", id="a tag"),
    ],
)  # fmt: skip
def test_images_that_cannot_be_are_refused(course, images, told):
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", f"nodes: 3\ncluster:\n  images:\n    {images}")
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.read(course)
    assert told in str(caught.value)


def test_an_audit_policy_of_no_level_is_refused(course):
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", f"nodes: 3\ncluster:\n  audit: {{{AUDIT}, rules: [{{}}]}}")
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.read(course)
    assert str(caught.value).endswith(
        "cluster.audit: expected what kube-apiserver takes: loading audit policy file: rules[0].level: Required value"
    )


def test_a_scheduler_that_would_not_start_is_refused(course):
    wrong = f"nodes: 3\ncluster:\n  scheduler: {{{CONFIG}, parallelism: 0}}"
    course.edit(f"{LAB}/lab.yaml", "nodes: 3", wrong)
    with pytest.raises(catalog.CatalogError) as caught:
        catalog.read(course)
    assert str(caught.value).endswith(
        "lab.yaml:7: cluster.scheduler: expected what kube-scheduler takes: parallelism: Invalid value: 0: should be "
        "an integer value greater than zero"
    )
