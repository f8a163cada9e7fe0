// The map by workload: who owns which Pods. Deployments with their ReplicaSets, the other controllers, and whatever else
// is the controller of a Pod, by the name in the Pod's owner reference; then the Pods that nobody looks after.
import { t } from "../../lib/i18n";
import { groupBy, type Boxes } from "./boxes";
import { byName, controllerOf, controllerUid, podCount, type DaemonSet, type Job, type KubeObject, type Pod, type Workload } from "./objects";

export interface Workloads {
  pods: Pod[];
  deployments: Workload[];
  replicasets: Workload[];
  daemonsets: DaemonSet[];
  statefulsets: Workload[];
  jobs: Job[];
}

export function drawWorkloads(boxes: Boxes, shown: Workloads, chosen: string | undefined): void {
  const byController = groupBy(shown.pods, (pod) => controllerUid(pod) ?? "");
  /** The Pods of a controller; whoever asks has shown them. */
  const take = (uid: string): Pod[] => {
    const pods = byController.get(uid) ?? [];
    byController.delete(uid);
    return pods;
  };
  const sets = groupBy([...shown.replicasets].sort(byName), (set) => controllerUid(set) ?? "");
  const drawSet = (set: Workload, inner: boolean): void => {
    const pods = take(set.metadata.uid);
    const revision = set.metadata.annotations?.["deployment.kubernetes.io/revision"];
    const idle = (set.spec.replicas ?? 1) === 0 && pods.length === 0;
    boxes.show(
      set.metadata.uid,
      `box-replicaset${inner ? " box-inner" : ""}${idle ? " is-idle" : ""}`,
      `ReplicaSet ${set.metadata.name}`,
      [revision && t("map.revision", { revision }), t("map.ready_n", { ready: set.status?.readyReplicas ?? 0, total: set.spec.replicas ?? 1 })],
      pods,
      chosen,
    );
  };
  for (const deployment of [...shown.deployments].sort(byName)) {
    const { uid, name } = deployment.metadata;
    const counts = { ready: deployment.status?.readyReplicas ?? 0, total: deployment.spec.replicas ?? 1 };
    boxes.show(uid, "box-deployment", `Deployment ${name}`, [t("map.ready_n", counts)], [], undefined);
    for (const set of sets.get(uid) ?? []) drawSet(set, true);
    sets.delete(uid);
  }
  for (const set of [...sets.values()].flat()) drawSet(set, false);
  const drawOne = (kind: string, { metadata: { uid, name } }: KubeObject, note: string): void => {
    boxes.show(uid, "box-replicaset", `${kind} ${name}`, [note], take(uid), chosen);
  };
  for (const set of [...shown.statefulsets].sort(byName)) {
    drawOne("StatefulSet", set, t("map.ready_n", { ready: set.status?.readyReplicas ?? 0, total: set.spec.replicas ?? 1 }));
  }
  for (const daemon of [...shown.daemonsets].sort(byName)) {
    const { numberReady: ready = 0, desiredNumberScheduled: total = 0 } = daemon.status ?? {};
    drawOne("DaemonSet", daemon, t("map.ready_n", { ready, total }));
  }
  for (const job of [...shown.jobs].sort(byName)) {
    drawOne("Job", job, t("map.completed_n", { done: job.status?.succeeded ?? 0, total: job.spec.completions ?? 1 }));
  }
  const lonely = take("");
  for (const [uid, pods] of byController) {
    const owner = pods[0] && controllerOf(pods[0]);
    // A static Pod belongs to its node's kubelet.
    const title = owner?.kind === "Node" ? t("map.static", { node: owner.name }) : `${owner?.kind ?? ""} ${owner?.name ?? ""}`;
    boxes.show(uid, "box-rest", title, [podCount(pods.length)], pods, chosen);
  }
  if (lonely.length) boxes.show("lonely", "box-rest", t("map.lonely"), [podCount(lonely.length)], lonely, chosen);
}
