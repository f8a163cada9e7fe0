"""The official Python client against a served cluster: what it decodes, it found as it expects."""

from __future__ import annotations

import pytest
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

pytestmark = pytest.mark.kubectl


@pytest.fixture
def api(kubectl):
    """(CoreV1Api, AppsV1Api, namespace) of the test's own namespace."""
    loaded = config.new_client_from_config(kubectl.environment["KUBECONFIG"])
    return client.CoreV1Api(loaded), client.AppsV1Api(loaded), kubectl.namespace


def deployment(replicas: int) -> client.V1Deployment:
    labels = {"app": "py"}
    container = client.V1Container(name="nginx", image="nginx:1.27")
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
    )
    selector = client.V1LabelSelector(match_labels=labels)
    spec = client.V1DeploymentSpec(replicas=replicas, selector=selector, template=template)
    return client.V1Deployment(metadata=client.V1ObjectMeta(name="py"), spec=spec)


def test_a_deployment_from_creation_to_deletion(api):
    core, apps, namespace = api
    made = apps.create_namespaced_deployment(namespace, deployment(2))
    assert made.metadata.generation == 1
    running = {}
    stream = watch.Watch().stream(
        core.list_namespaced_pod, namespace, label_selector="app=py", timeout_seconds=60
    )
    for event in stream:
        if event["object"].status.phase == "Running":
            running[event["object"].metadata.name] = event["type"]
        if len(running) == 2:
            break
    assert len(running) == 2
    apps.patch_namespaced_deployment_scale("py", namespace, {"spec": {"replicas": 1}})
    assert apps.read_namespaced_deployment("py", namespace).spec.replicas == 1
    apps.delete_namespaced_deployment("py", namespace)
    with pytest.raises(ApiException) as caught:
        apps.read_namespaced_deployment("py", namespace)
    assert caught.value.status == 404


def test_errors_are_the_status_that_kubernetes_sends(api):
    _core, apps, namespace = api
    wrong = deployment(1)
    wrong.spec.template.metadata.labels = {"app": "other"}
    with pytest.raises(ApiException) as caught:
        apps.create_namespaced_deployment(namespace, wrong)
    assert caught.value.status == 422
    assert "`selector` does not match template `labels`" in caught.value.body
