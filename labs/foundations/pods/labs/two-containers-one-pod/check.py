"""Checks of *Two containers, one Pod*."""

from typing import Any

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from labs.kit.checking import NOTHING, Fail, Reader, check, t


def container_names(pod: dict[str, Any], ready_only: bool = False) -> list[str]:
    statuses = pod.get("status", {}).get("containerStatuses", ())
    if ready_only:
        return sorted(status["name"] for status in statuses if status.get("ready"))
    return sorted(container["name"] for container in pod["spec"]["containers"])


@check(
    "two-ready",
    points=2,
    title=t("`notebook` runs `web` and `writer`", "`notebook` 运行着 `web` 和 `writer`"),
    hint=t(
        "spec.containers is a list: add a second item named writer at the same indentation as the first.",
        "spec.containers 是列表：以相同缩进添加名为 writer 的第二项。",
    ),
)
def two_ready(cluster: Reader) -> None:
    ready = container_names(cluster.need("pods", "notebook"), ready_only=True)
    if ready != ["web", "writer"]:
        raise Fail(
            t("the containers `web` and `writer`, both ready", "容器 `web` 和 `writer` 都就绪"),
            ", ".join(ready) or NOTHING,
            "kubectl describe pod notebook",
        )


@check(
    "shared-volume",
    title=t("Both mount the same emptyDir", "两个容器挂载同一个 emptyDir"),
    hint=t(
        "Declare the volume under spec.volumes, then name it in volumeMounts of both containers.",
        "在 spec.volumes 下声明卷，再在两个容器的 volumeMounts 里引用它的名字。",
    ),
)
def shared_volume(cluster: Reader) -> None:
    spec = cluster.need("pods", "notebook")["spec"]
    empty = {volume["name"] for volume in spec.get("volumes", ()) if "emptyDir" in volume}
    mounts = {
        container["name"]: {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", ())}
        for container in spec["containers"]
    }
    shared = sorted(empty & set(mounts.get("web", {})) & set(mounts.get("writer", {})))
    if not shared:
        raise Fail(
            t(
                "one emptyDir volume that `web` and `writer` mount",
                "一个由 `web` 和 `writer` 共同挂载的 emptyDir 卷",
            ),
            NOTHING,
            "kubectl get pod notebook -o yaml",
        )
    path = mounts["web"][shared[0]]
    if path.rstrip("/") != "/usr/share/nginx/html":
        raise Fail(
            t("the volume in `web` at /usr/share/nginx/html", "卷在 `web` 中挂载到 /usr/share/nginx/html"),
            f"`{path}`",
            "kubectl get pod notebook -o yaml",
        )


PAGE = "/usr/share/nginx/html/index.html"
#: Virtual seconds in which a writer that writes every five must have written.
PATIENCE = 12.0


def page(trial: Cluster) -> bytes:
    """What `web` has to serve; nothing when there is no page, or nobody to ask."""
    try:
        done = trial.execute("notebook", ["cat", PAGE], container="web")
    except (ApiError, TimeoutError):
        return b""
    return done.stdout if done.exit_code == 0 else b""


@check(
    "writer-writes",
    title=t("What `writer` writes reaches `web`", "`writer` 写入的内容到达 `web`"),
    hint=t(
        "The path after >> must lie where `writer` has mounted the volume: date >> /pages/index.html",
        ">> 后面的路径必须位于 `writer` 挂载卷的目录里：date >> /pages/index.html",
    ),
)
def writer_writes(cluster: Reader) -> None:
    cluster.need("pods", "notebook")
    trial = cluster.fork()
    before = page(trial)
    trial.advance(PATIENCE)
    after = page(trial)
    if len(after) <= len(before):
        raise Fail(
            t(f"`{PAGE}` in `web`, longer every five seconds", f"`web` 中的 `{PAGE}` 每五秒变长一次"),
            t(f"{len(after)} bytes, and no more after a while", f"{len(after)} 字节，过一会儿也没有增加"),
            f"kubectl exec notebook -c web -- cat {PAGE}",
        )


@check(
    "task-succeeded",
    title=t("`task` has ended well", "`task` 已正常结束"),
    hint=t(
        "With restartPolicy Always a container is restarted even after it has ended well; use OnFailure or Never.",
        "restartPolicy 为 Always 时，容器即使正常结束也会被重启；请使用 OnFailure 或 Never。",
    ),
)
def task_succeeded(cluster: Reader) -> None:
    phase = cluster.need("pods", "task").get("status", {}).get("phase")
    if phase != "Succeeded":
        raise Fail(
            t("the phase `Succeeded`", "阶段为 `Succeeded`"), f"`{phase}`", "kubectl describe pod task"
        )


@check(
    "greeter-mended",
    points=2,
    title=t("`greeter` runs without restarts", "`greeter` 稳定运行"),
    hint=t(
        "`kubectl logs greeter` says which variable is missing. Recreate the Pod with it under env:.",
        "`kubectl logs greeter` 会说缺少哪个变量。把它写在 env: 下，重新创建 Pod。",
    ),
)
def greeter_mended(cluster: Reader) -> None:
    pod = cluster.need("pods", "greeter")
    if container_names(pod, ready_only=True) != ["greeter"]:
        raise Fail(
            t("the container `greeter`, ready", "容器 `greeter` 已就绪"),
            t("a container that is not ready", "容器没有就绪"),
            "kubectl describe pod greeter",
        )
    if not any(entry.get("name") == "GREETING" for entry in pod["spec"]["containers"][0].get("env", ())):
        raise Fail(
            t("the same program with the variable `GREETING` set", "同一个程序，并设置了变量 `GREETING`"),
            NOTHING,
            "kubectl get pod greeter -o yaml",
        )
