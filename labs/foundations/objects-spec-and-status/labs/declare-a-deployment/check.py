"""Checks of *Declare a Deployment*."""

import json

from labs.kit.checking import Fail, Reader, check, t

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
IMAGE = "nginx:1.27"


@check(
    "accepted",
    title=t("The Deployment `web` is accepted", "Deployment `web` 已被接受"),
    hint=t(
        "The labels of the template must contain what spec.selector.matchLabels asks for: app: web.",
        "模板的标签必须包含 spec.selector.matchLabels 所要求的：app: web。",
    ),
)
def accepted(cluster: Reader) -> None:
    selector = cluster.need("deployments", "web")["spec"]["selector"].get("matchLabels", {})
    if selector != {"app": "web"}:
        raise Fail(
            t("the selector `app: web`", "选择算符为 `app: web`"),
            f"`{json.dumps(selector)}`",
            "kubectl get deployment web -o yaml",
        )


@check(
    "image",
    title=t("It runs nginx 1.27", "运行的是 nginx 1.27"),
    hint=t(
        "The image of the container is nginx:1.27; a tag that does not exist leaves the Pod in ImagePullBackOff.",
        "容器镜像应为 nginx:1.27；标签不存在时，Pod 会停在 ImagePullBackOff。",
    ),
)
def image(cluster: Reader) -> None:
    containers = cluster.need("deployments", "web")["spec"]["template"]["spec"]["containers"]
    images = [container["image"] for container in containers]
    if images != [IMAGE]:
        raise Fail(
            t(f"one container with the image `{IMAGE}`", f"一个镜像为 `{IMAGE}` 的容器"),
            f"`{', '.join(images)}`",
            "kubectl get deployment web -o wide",
        )


@check(
    "three-ready",
    points=2,
    title=t("Three replicas are ready", "三个副本已就绪"),
    hint=t(
        "Set spec.replicas to 3 and apply; then `kubectl rollout status deployment/web` waits until all are ready.",
        "把 spec.replicas 设为 3 并应用；`kubectl rollout status deployment/web` 会等到全部就绪。",
    ),
)
def three_ready(cluster: Reader) -> None:
    deployment = cluster.need("deployments", "web")
    wanted = deployment["spec"]["replicas"]
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    updated = deployment.get("status", {}).get("updatedReplicas", 0)
    if (wanted, ready, updated) != (3, 3, 3):
        raise Fail(
            t("3 replicas wanted, 3 ready", "期望副本数为 3，并且 3 个都就绪"),
            t(f"{wanted} wanted, {ready} ready", f"期望 {wanted}，就绪 {ready}"),
            "kubectl get deployment web",
        )


@check(
    "declared",
    title=t("The number of replicas stands in the applied file", "副本数写在已应用的文件里"),
    hint=t(
        "Change `replicas` in web.yaml and run `kubectl apply -f web.yaml`; `kubectl scale` changes only the live object.",
        "在 web.yaml 里修改 `replicas`，再运行 `kubectl apply -f web.yaml`；`kubectl scale` 只改集群里的对象。",
    ),
)
def declared(cluster: Reader) -> None:
    deployment = cluster.need("deployments", "web")
    look = "kubectl apply view-last-applied deployment/web"
    expected = t("`replicas: 3` in what was applied last", "最近一次应用的内容里有 `replicas: 3`")
    if any(
        entry.get("operation") == "Apply" and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in deployment["metadata"].get("managedFields", ())
    ):
        # Server-side apply: the field is owned by an applier, so its value is the applied one.
        replicas = deployment["spec"]["replicas"]
    else:
        applied = deployment["metadata"].get("annotations", {}).get(LAST_APPLIED)
        if applied is None:
            raise Fail(expected, t("a Deployment that was never applied", "从未应用过的 Deployment"), look)
        replicas = json.loads(applied).get("spec", {}).get("replicas")
    if replicas != 3:
        raise Fail(expected, f"`replicas: {replicas}`", look)


@check(
    "heals",
    points=2,
    title=t("A lost Pod is replaced", "丢失的 Pod 会被补上"),
    hint=t(
        "Only Pods that a controller owns come back. The check deletes one Pod on a copy of your cluster and waits a minute.",
        "只有由控制器拥有的 Pod 才会被补上。检查程序在集群副本上删除一个 Pod，再等一分钟。",
    ),
)
def heals(cluster: Reader) -> None:
    pods = cluster.list("pods", "default", labels="app=web")
    if not pods:
        raise Fail(
            t("Pods with the label `app=web`", "带有标签 `app=web` 的 Pod"),
            t("none", "没有找到"),
            "kubectl get pods -l app=web",
        )
    trial = cluster.fork()
    trial.delete("pods", pods[0]["metadata"]["name"])
    trial.advance(60)
    ready = sum(
        condition["type"] == "Ready" and condition["status"] == "True"
        for pod in trial.list("pods", "default", "app=web")
        for condition in pod.get("status", {}).get("conditions", ())
    )
    if ready < 3:
        raise Fail(
            t(
                "3 ready Pods a minute after one was deleted",
                "删除一个 Pod 一分钟后，仍有 3 个就绪的 Pod",
            ),
            str(ready),
            "kubectl get pods -l app=web",
        )
