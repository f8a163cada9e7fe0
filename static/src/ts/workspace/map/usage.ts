// Which Pods use a ConfigMap, a Secret or a claim.
import type { Container, Pod } from "./objects";

export type Used = "ConfigMap" | "Secret" | "PersistentVolumeClaim";

const known = new WeakMap<Pod, Set<string>>();

function ofContainer({ env = [], envFrom = [] }: Container): [Used, string | undefined][] {
  return [
    ...env.flatMap(({ valueFrom }): [Used, string | undefined][] => [
      ["ConfigMap", valueFrom?.configMapKeyRef?.name],
      ["Secret", valueFrom?.secretKeyRef?.name],
    ]),
    ...envFrom.flatMap(({ configMapRef, secretRef }): [Used, string | undefined][] => [
      ["ConfigMap", configMapRef?.name],
      ["Secret", secretRef?.name],
    ]),
  ];
}

function usedBy(pod: Pod): Set<string> {
  let used = known.get(pod);
  if (!used) {
    const { spec } = pod;
    const volumes = (spec.volumes ?? []).flatMap((volume): [Used, string | undefined][] => [
      ["ConfigMap", volume.configMap?.name],
      ["Secret", volume.secret?.secretName],
      ["PersistentVolumeClaim", volume.persistentVolumeClaim?.claimName],
      ...(volume.projected?.sources ?? []).flatMap(({ configMap, secret }): [Used, string | undefined][] => [
        ["ConfigMap", configMap?.name],
        ["Secret", secret?.name],
      ]),
    ]);
    const pulled = (spec.imagePullSecrets ?? []).map(({ name }): [Used, string | undefined] => ["Secret", name]);
    const all = [...volumes, ...pulled, ...[...spec.containers, ...(spec.initContainers ?? [])].flatMap(ofContainer)];
    used = new Set(all.filter(([, name]) => name).map(([kind, name]) => `${kind} ${name}`));
    known.set(pod, used);
  }
  return used;
}

export function usersOf(kind: Used, namespace: string, name: string, pods: Pod[]): Pod[] {
  return pods.filter((pod) => pod.metadata.namespace === namespace && usedBy(pod).has(`${kind} ${name}`));
}
