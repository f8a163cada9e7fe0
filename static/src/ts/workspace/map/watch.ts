// List and watch one resource, as every Kubernetes client does: list, watch from that resourceVersion,
// on 410 Gone list anew, on a lost connection try again with backoff.
import type { KubeObject } from "./objects";

interface List<T> {
  metadata: { resourceVersion: string };
  items: T[];
}

interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: T;
}

const BACKOFF_FIRST = 500;
const BACKOFF_MAX = 8000;
/** A longer line than this is no watch event of ours. */
const LINE_LIMIT = 4 * 1024 * 1024;

class Gone extends Error {}

export class ResourceWatch<T extends KubeObject> {
  readonly items = new Map<string, T>();
  #abort: AbortController | undefined;

  constructor(
    readonly path: string,
    readonly changed: () => void,
    readonly line: (ok: boolean) => void,
  ) {}

  start(): void {
    if (this.#abort) return;
    this.#abort = new AbortController();
    void this.#loop(this.#abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }

  clear(): void {
    this.items.clear();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let version = "";
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (!version) version = await this.#list(signal);
        failures = 0;
        this.line(true);
        version = await this.#watch(version, signal);
      } catch (error) {
        if (signal.aborted) return;
        version = "";
        if (error instanceof Gone) continue;
        this.line(false);
        failures += 1;
        await pause(Math.min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** (failures - 1)), signal);
      }
    }
  }

  async #get(query: string, signal: AbortSignal): Promise<Response> {
    const response = await fetch(`${this.path}${query}`, {
      signal,
      credentials: "same-origin",
      headers: { Accept: "application/json" },
    });
    if (response.status === 410) throw new Gone();
    if (!response.ok) throw new Error(`${this.path}: ${response.status}`);
    return response;
  }

  async #list(signal: AbortSignal): Promise<string> {
    const list = (await (await this.#get("", signal)).json()) as List<T>;
    this.items.clear();
    for (const item of list.items) this.items.set(item.metadata.uid, item);
    this.changed();
    return list.metadata.resourceVersion;
  }

  /** Follow the stream until it ends; the version reached. */
  async #watch(from: string, signal: AbortSignal): Promise<string> {
    const query = `?watch=1&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(from)}`;
    const body = (await this.#get(query, signal)).body;
    if (!body) throw new Error("no stream");
    let version = from;
    let rest = "";
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return version;
      rest += value;
      if (rest.length > LINE_LIMIT) throw new Error("line too long");
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line) version = this.#take(JSON.parse(line) as WatchEvent<T>);
      }
      this.changed();
    }
  }

  #take({ type, object }: WatchEvent<T>): string {
    if (type === "ERROR") throw new Gone();
    const { uid, resourceVersion } = object.metadata;
    if (type === "DELETED") this.items.delete(uid);
    else if (type !== "BOOKMARK") this.items.set(uid, object);
    return resourceVersion;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (window.clearTimeout(timer), resolve()), { once: true });
  });
}
