// The peer's side of the benchmarks: prints one line of JSON.
//   node webernetes.out.mjs boot            a cluster until its system Pods are Ready
//   node webernetes.out.mjs scale N NODES   a Deployment of N until all are Ready
import { BaseImage, Cluster } from "@ngrok/webernetes";

class Sleeper extends BaseImage {
  static imageName = "sleeper";
  static imageVersion = "1.0";
  defaultCommand = ["run"];
  async exec(ctx, argv) {
    return argv[0] === "run" ? await ctx.waitUntilKilled() : await super.exec(ctx, argv);
  }
}

const ready = (pod) =>
  (pod.status?.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");

/** Resolves when `count` Pods of the namespace are Ready at once. */
function allReady(cluster, namespace, count) {
  return new Promise((resolve) => {
    const seen = new Map();
    cluster.informer(
      "pods",
      (type, pod) => {
        if (type === "delete") seen.delete(pod.metadata.name);
        else seen.set(pod.metadata.name, ready(pod));
        if (seen.size >= count && [...seen.values()].filter(Boolean).length >= count) resolve();
      },
      { namespace },
    );
  });
}

const [mode, count, nodes] = process.argv.slice(2);
const wall = performance.now();
const cpu = process.cpuUsage();
const cluster = new Cluster({ nodes: Number(nodes ?? 3) });
cluster.registerImage(Sleeper);
await cluster.init();
let began = wall;
let from = cpu;
if (mode === "scale") {
  began = performance.now();
  from = process.cpuUsage();
  const labels = { app: "bench" };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: "main", image: "sleeper:1.0" }] },
  };
  const spec = { replicas: Number(count), selector: { matchLabels: labels }, template };
  const done = allReady(cluster, "default", Number(count));
  await cluster.apply([
    { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "bench" }, spec },
  ]);
  await done;
} else {
  await allReady(cluster, "kube-system", 1);
}
const used = process.cpuUsage(from);
console.log(
  JSON.stringify({
    wall_seconds: (performance.now() - began) / 1000,
    cpu_seconds: (used.user + used.system) / 1e6,
  }),
);
process.exit(0);
