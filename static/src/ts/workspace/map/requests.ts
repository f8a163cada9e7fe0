// What Pods ask of their node, as the scheduler counts it, beside what the node has.
import { t } from "../../lib/i18n";
import type { Container, Node, Pod } from "./objects";

const SCALES: Record<string, number> = { n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** A quantity as Kubernetes writes it: `250m`, `1Gi`; what is no quantity is 0. */
export function quantity(text: string | undefined): number {
  const [, number, suffix = ""] = /^([\d.]+(?:[eE][-+]?\d+)?)([a-zA-Z]*)$/.exec(text ?? "") ?? [];
  return number === undefined ? 0 : Number(number) * (SCALES[suffix] ?? 0);
}

export interface Asked {
  cpu: number;
  memory: number;
}

type Resource = keyof Asked;

const known = new WeakMap<Pod, Asked>();

/** What a Pod asks for: its containers together, or its largest init container; sidecars count with both. */
export function askedBy(pod: Pod): Asked {
  let asked = known.get(pod);
  if (!asked) {
    const of = (resource: Resource): number => {
      const one = (container: Container): number => quantity(container.resources?.requests?.[resource]);
      let sidecars = 0;
      let most = 0;
      for (const container of pod.spec.initContainers ?? []) {
        most = Math.max(most, sidecars + one(container));
        if (container.restartPolicy === "Always") sidecars += one(container);
      }
      const together = pod.spec.containers.reduce((sum, container) => sum + one(container), sidecars);
      return Math.max(most, together) + quantity(pod.spec.overhead?.[resource]);
    };
    asked = { cpu: of("cpu"), memory: of("memory") };
    known.set(pod, asked);
  }
  return asked;
}

export interface Bar {
  label: string;
  used: number;
  total: number;
  /** `1.2/4`, and the same in words. */
  short: string;
  text: string;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** How full a node is: processors, memory, Pods. */
export function barsOf(node: Node, pods: Pod[]): Bar[] {
  const has = node.status?.allocatable ?? {};
  const there = pods.filter((pod) => pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed");
  const sum = (resource: Resource): number => there.reduce((total, pod) => total + askedBy(pod)[resource], 0);
  const bar = (label: string, used: number, total: number, unit: number, key: string): Bar => ({
    label,
    used,
    total,
    short: `${rounded(used / unit)}/${rounded(total / unit)}`,
    text: t(`map.bar_${key}`, { used: rounded(used / unit), total: rounded(total / unit) }),
  });
  return [
    bar("CPU", sum("cpu"), quantity(has.cpu), 1, "cpu"),
    bar(t("map.memory"), sum("memory"), quantity(has.memory), 2 ** 30, "memory"),
    bar("Pods", there.length, quantity(has.pods), 1, "pods"),
  ];
}
