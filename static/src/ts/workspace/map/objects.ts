// The parts of Kubernetes objects that the map reads, and what it concludes from them.

import { t } from "../../lib/i18n";

export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
}

export interface KubeObject {
  metadata: Meta;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: object;
  terminated?: { reason?: string; exitCode?: number; signal?: number };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  image?: string;
  state?: ContainerState;
}

interface Named {
  name?: string;
}

export interface Container {
  name: string;
  image: string;
  ports?: { containerPort: number; protocol?: string }[];
  restartPolicy?: string;
  resources?: { requests?: Record<string, string> };
  env?: { valueFrom?: { configMapKeyRef?: Named; secretKeyRef?: Named } }[];
  envFrom?: { configMapRef?: Named; secretRef?: Named }[];
}

interface Mounted {
  configMap?: Named;
  secret?: { secretName?: string };
  persistentVolumeClaim?: { claimName?: string };
  projected?: { sources?: { configMap?: Named; secret?: Named }[] };
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string;
    containers: Container[];
    initContainers?: Container[];
    volumes?: Mounted[];
    imagePullSecrets?: Named[];
    overhead?: Record<string, string>;
  };
  status?: {
    phase?: string;
    reason?: string;
    podIP?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface Node extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status?: {
    conditions?: Condition[];
    allocatable?: Record<string, string>;
    addresses?: { type: string; address: string }[];
    nodeInfo?: { kubeletVersion?: string };
  };
}

/** Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs: each has some of it. */
export interface Workload extends KubeObject {
  spec: { replicas?: number; completions?: number; schedule?: string; suspend?: boolean };
  status?: {
    readyReplicas?: number;
    desiredNumberScheduled?: number;
    numberReady?: number;
    succeeded?: number;
    lastScheduleTime?: string;
    conditions?: Condition[];
  };
}

export interface Service extends KubeObject {
  spec: { type?: string; clusterIP?: string; selector?: Record<string, string>; ports?: { port: number; targetPort?: number | string }[] };
}

export interface Claim extends KubeObject {
  spec: { storageClassName?: string; volumeName?: string };
  status?: { phase?: string; capacity?: { storage?: string } };
}

export interface Volume extends KubeObject {
  spec: { storageClassName?: string; capacity?: { storage?: string }; claimRef?: { namespace: string; name: string } };
  status?: { phase?: string };
}

/** Whether it lies in a namespace of the system's own. */
export function isSystem({ metadata: { namespace = "" } }: KubeObject): boolean {
  return namespace.startsWith("kube-");
}

export function zoneOf(node: Node): string {
  return node.metadata.labels?.["topology.kubernetes.io/zone"] ?? "";
}

/** As `kubectl describe node` writes them; what only says that the node is cordoned or not ready is told otherwise. */
export function taintsOf(node: Node): string[] {
  const taints = (node.spec?.taints ?? []).filter(({ key }) => key !== "node.kubernetes.io/unschedulable");
  return taints.map(({ key, value, effect }) => `${key}${value ? `=${value}` : ""}:${effect}`);
}

/** How a Pod is drawn. */
export type Look = "running" | "unready" | "pending" | "failed" | "done" | "leaving";

const BAD = /BackOff|Err|Error|Failed|Invalid|OOMKilled|Evicted|Lost|DeadlineExceeded|CannotRun/;

const statuses = new WeakMap<Pod, string>();

/** The STATUS column of `kubectl get pods`. An object of the API is never changed in place: it is worked out once. */
export function statusOf(pod: Pod): string {
  let status = statuses.get(pod);
  if (status === undefined) statuses.set(pod, (status = workedOut(pod)));
  return status;
}

function workedOut(pod: Pod): string {
  const status = pod.status ?? {};
  let reason = status.reason || status.phase || "Unknown";
  const sidecars = new Set((pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always").map((c) => c.name));
  const inits = status.initContainerStatuses ?? [];
  let initializing = false;
  for (const [index, container] of inits.entries()) {
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0 || (sidecars.has(container.name) && container.state?.running)) continue;
    if (terminated) reason = `Init:${terminated.reason || `ExitCode:${terminated.exitCode ?? 0}`}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    else reason = `Init:${index}/${inits.length}`;
    initializing = true;
    break;
  }
  if (!initializing) {
    let running = false;
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      const { terminated, waiting } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`);
      else if (container.ready && container.state?.running) running = true;
    }
    if (reason === "Completed" && running) reason = isReady(pod) ? "Running" : "NotReady";
  }
  if (pod.metadata.deletionTimestamp) return status.reason === "NodeLost" ? "Unknown" : "Terminating";
  return reason;
}

export function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");
}

const looks = new WeakMap<Pod, Look>();

export function lookOf(pod: Pod): Look {
  let look = looks.get(pod);
  if (look === undefined) looks.set(pod, (look = judged(pod, statusOf(pod))));
  return look;
}

function judged(pod: Pod, status: string): Look {
  if (pod.metadata.deletionTimestamp) return "leaving";
  if (pod.status?.phase === "Succeeded" || status === "Completed") return "done";
  if (pod.status?.phase === "Failed" || BAD.test(status)) return "failed";
  if (pod.status?.phase === "Running") return isReady(pod) ? "running" : "unready";
  return "pending";
}

export function readyCount(pod: Pod): string {
  const ready = (pod.status?.containerStatuses ?? []).filter((c) => c.ready).length;
  return `${ready}/${pod.spec.containers.length}`;
}

export function restarts(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, c) => sum + c.restartCount, 0);
}

export function isNodeReady(node: Node): boolean {
  return (node.status?.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");
}

export function isControlPlane(node: Node): boolean {
  return "node-role.kubernetes.io/control-plane" in (node.metadata.labels ?? {});
}

export function controllerOf(object: KubeObject): { kind: string; name: string; uid: string } | undefined {
  return object.metadata.ownerReferences?.find((ref) => ref.controller);
}

export function controllerUid(object: KubeObject): string | undefined {
  return controllerOf(object)?.uid;
}

/** How many Pods, in words. */
export function podCount(n: number): string {
  return n === 1 ? t("map.pods_1") : t("map.pods_n", { n });
}

/** As kubectl puts names in order: a locale has no say in it, and hundreds of them are compared at each frame. */
export function inOrder(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export function byName(a: KubeObject, b: KubeObject): number {
  return inOrder(a.metadata.namespace ?? "", b.metadata.namespace ?? "") || inOrder(a.metadata.name, b.metadata.name);
}
