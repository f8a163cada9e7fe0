// The map by workload: who owns which Pods. Deployments with their ReplicaSets, the other controllers, and whatever else
// is the controller of a Pod, by the name in the Pod's owner reference; then the Pods that nobody looks after.
import { h, icon } from "../../lib/dom";
import { t } from "../../lib/i18n";
import { emit } from "../page";
import { groupBy, type Boxes } from "./boxes";
import { conditionList, facts, head, whatIfButton, whyButton } from "./detail";
import { byName, controllerOf, controllerUid, podCount, type Pod, type Workload } from "./objects";
import type { Choice } from "./podview";

export interface Workloads {
  pods: Pod[];
  deployments: Workload[];
  replicasets: Workload[];
  daemonsets: Workload[];
  statefulsets: Workload[];
  jobs: Workload[];
  cronjobs: Workload[];
}

/** `Deployment` and the like, of the workloads that can be chosen. */
export type WorkloadKind = "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "CronJob";

/** All of them, the controllers of controllers first. */
export function workloadsOf(shown: Workloads): [WorkloadKind, Workload][] {
  const all: [WorkloadKind, Workload[]][] = [
    ["Deployment", shown.deployments],
    ["ReplicaSet", shown.replicasets],
    ["StatefulSet", shown.statefulsets],
    ["DaemonSet", shown.daemonsets],
    ["CronJob", shown.cronjobs],
    ["Job", shown.jobs],
  ];
  return all.flatMap(([kind, some]) => [...some].sort(byName).map((one): [WorkloadKind, Workload] => [kind, one]));
}

/** How far it has come: `2/3 ready`. */
export function progressOf(kind: WorkloadKind, { spec, status = {} }: Workload): string {
  if (kind === "CronJob") return spec.suspend ? t("map.suspended") : (spec.schedule ?? "");
  if (kind === "Job") return t("map.completed_n", { done: status.succeeded ?? 0, total: spec.completions ?? 1 });
  if (kind === "DaemonSet") return t("map.ready_n", { ready: status.numberReady ?? 0, total: status.desiredNumberScheduled ?? 0 });
  return t("map.ready_n", { ready: status.readyReplicas ?? 0, total: spec.replicas ?? 1 });
}

/** `folded`: Pods that are not the subject. */
export function drawWorkloads(boxes: Boxes, shown: Workloads, folded: Pod[], choice: Choice): void {
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
    const { uid, name } = set.metadata;
    boxes.show(
      {
        key: uid,
        uid,
        look: `box-replicaset${inner ? " box-inner" : ""}${idle ? " is-idle" : ""}`,
        title: `ReplicaSet ${name}`,
        notes: [revision && t("map.revision", { revision }), progressOf("ReplicaSet", set)],
        pods,
      },
      choice,
    );
  };
  for (const deployment of [...shown.deployments].sort(byName)) {
    const { uid, name } = deployment.metadata;
    boxes.show({ key: uid, uid, look: "box-deployment", title: `Deployment ${name}`, notes: [progressOf("Deployment", deployment)] }, choice);
    for (const set of sets.get(uid) ?? []) drawSet(set, true);
    sets.delete(uid);
  }
  for (const set of [...sets.values()].flat()) drawSet(set, false);
  const drawOne = (kind: WorkloadKind, one: Workload, inner = ""): void => {
    const { uid, name } = one.metadata;
    boxes.show({ key: uid, uid, look: `box-replicaset${inner}`, title: `${kind} ${name}`, notes: [progressOf(kind, one)], pods: take(uid) }, choice);
  };
  const jobs = groupBy([...shown.jobs].sort(byName), (job) => controllerUid(job) ?? "");
  for (const cron of [...shown.cronjobs].sort(byName)) {
    const { uid, name } = cron.metadata;
    boxes.show({ key: uid, uid, look: "box-deployment", title: `CronJob ${name}`, notes: [progressOf("CronJob", cron)] }, choice);
    for (const job of jobs.get(uid) ?? []) drawOne("Job", job, " box-inner");
    jobs.delete(uid);
  }
  for (const [kind, one] of workloadsOf({ ...shown, deployments: [], replicasets: [], cronjobs: [], jobs: [...jobs.values()].flat() })) drawOne(kind, one);
  const lonely = take("");
  for (const [uid, pods] of byController) {
    const owner = pods[0] && controllerOf(pods[0]);
    // A static Pod belongs to its node's kubelet.
    const title = owner?.kind === "Node" ? t("map.static", { node: owner.name }) : `${owner?.kind ?? ""} ${owner?.name ?? ""}`;
    boxes.show({ key: uid, look: "box-rest", title, notes: [podCount(pods.length)], pods }, choice);
  }
  if (lonely.length) boxes.show({ key: "lonely", look: "box-rest", title: t("map.lonely"), notes: [podCount(lonely.length)], pods: lonely }, choice);
  if (folded.length) boxes.show({ key: "folded", look: "box-rest box-system", title: t("map.system"), notes: [podCount(folded.length)], folded }, choice);
}

export function workloadDetail(kind: WorkloadKind, workload: Workload, pods: Pod[], close: () => void): HTMLElement {
  const { name, namespace = "", labels = {} } = workload.metadata;
  const resource = kind.toLowerCase();
  const command = `kubectl describe ${resource} ${name}${namespace === "default" ? "" : ` -n ${namespace}`}`;
  return h(
    "div",
    {},
    head(name, close),
    h("p", {}, h("span", { class: "badge" }, kind)),
    h(
      "div",
      { class: "detail-acts" },
      h("button", { type: "button", class: "button button-small", onclick: () => emit("dd-run", { command }) }, icon("play"), "kubectl describe"),
      whyButton({ resource: `${resource}s`, namespace, name }),
      whatIfButton({ resource: `${resource}s`, namespace, name }),
    ),
    facts([
      [t("map.namespace"), namespace],
      [t("map.replicas"), workload.spec?.replicas === undefined ? undefined : String(workload.spec.replicas)],
      [t("map.schedule"), workload.spec?.schedule],
      [t("map.last_run"), workload.status?.lastScheduleTime?.slice(11, 19)],
      [t("map.pods"), podCount(pods.length)],
      [t("map.owner"), workload.metadata.ownerReferences?.map((owner) => `${owner.kind} ${owner.name}`).join(", ")],
      [t("map.labels"), Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(", ")],
    ]),
    conditionList(workload.status?.conditions ?? []),
  );
}
