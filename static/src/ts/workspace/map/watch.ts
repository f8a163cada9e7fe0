// The objects that the map shows, kept true by watches of the run's API over the tab's socket.
//
// A watch goes on from the version it has reached when the line was lost or the map was out of sight; what is too
// old, or ended, begins anew with all that is there.
import { socket } from "../socket";
import type { KubeObject } from "./objects";

interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: KubeObject;
}

const AGAIN_MS = 1000;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export class Resource<T extends KubeObject = KubeObject> {
  readonly #live = new Map<string, T>();
  #past: Map<string, T> | undefined;
  /** Seen while everything that is there comes first; what is not among it is gone. */
  #fresh: Set<string> | undefined;
  #version = "";
  #rest = "";
  #decoder = new TextDecoder();

  constructor(readonly name: string) {}

  /** What is there; or was, while the past is shown. */
  get items(): ReadonlyMap<string, T> {
    return this.#past ?? this.#live;
  }

  /** Show these objects; undefined: what is there. */
  show(past: T[] | undefined): void {
    this.#past = past && new Map(past.map((object) => [object.metadata.uid, object]));
  }

  /** Where the next watch begins. */
  begin(): string {
    this.#rest = "";
    this.#decoder = new TextDecoder();
    if (this.#fresh) this.#version = "";
    if (!this.#version) this.#fresh = new Set();
    return this.#version;
  }

  forget(): void {
    this.#version = "";
  }

  clear(): void {
    this.#live.clear();
    this.forget();
  }

  take(data: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line) this.#event(JSON.parse(line) as WatchEvent);
  }

  #event({ type, object }: WatchEvent): void {
    if (type === "ERROR") return this.forget();
    const { uid, resourceVersion, annotations } = object.metadata;
    if (type === "DELETED") this.#live.delete(uid);
    else if (type !== "BOOKMARK") {
      this.#live.set(uid, object as T);
      this.#fresh?.add(uid);
    } else if (this.#fresh && annotations?.[INITIAL_EVENTS_END]) {
      for (const known of [...this.#live.keys()]) if (!this.#fresh.has(known)) this.#live.delete(known);
      this.#fresh = undefined;
    }
    this.#version = resourceVersion;
  }
}

export class Watches {
  readonly #resources: Map<string, Resource>;
  #open = false;

  constructor(
    resources: Resource[],
    readonly changed: () => void,
    readonly line: (ok: boolean) => void,
    /** Which of the API server and etcd do not run. */
    readonly server: (stopped: string[]) => void,
  ) {
    this.#resources = new Map(resources.map((resource) => [resource.name, resource]));
    socket.follow("map", {
      opened: () => {
        this.server([]); // it is told again if it is not so
        this.#watch([...this.#resources.keys()]);
      },
      message: (message) => {
        if (message.type === "server") return this.server(message.stopped as string[]);
        const name = String(message.resource);
        this.#resources.get(name)?.forget();
        window.setTimeout(() => this.#watch([name]), AGAIN_MS);
      },
      bytes: (name, data) => {
        this.#resources.get(name)?.take(data);
        this.changed();
      },
      line: (line) => this.line(line !== "reconnecting"),
    });
  }

  /** Follow the cluster, or do not: only while it can be seen. */
  flow(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    if (open) this.#watch([...this.#resources.keys()]);
    else socket.send({ ch: "map", type: "pause" });
  }

  /** Show a moment of the past; undefined: the present. */
  show(past: Record<string, { metadata: { uid: string } }[]> | undefined): void {
    for (const [name, resource] of this.#resources) resource.show(past && ((past[name] ?? []) as KubeObject[]));
    this.changed();
  }

  clear(): void {
    for (const resource of this.#resources.values()) resource.clear();
    this.changed();
  }

  #watch(names: string[]): void {
    if (!this.#open || !socket.connected) return;
    const resources = Object.fromEntries(names.map((name) => [name, this.#resources.get(name)?.begin() ?? ""]));
    socket.send({ ch: "map", type: "watch", resources });
  }
}
