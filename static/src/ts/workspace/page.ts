// What the page tells its parts: addresses, and a small typed event bus on `document`.

export type RunState = "requested" | "booting" | "ready" | "passed" | "stopped" | "failed";

export interface ClockState {
  /** The cluster's time, RFC 3339. */
  now: string;
  /** Its seconds a second; 0: it stands. */
  speed: number;
  /** The speed at which it goes on. */
  resume: number;
  /** The time that the terminals look back at; empty: they do not. */
  looking: string;
}

export interface Events {
  /** The run's state, whenever it is read anew. */
  "dd-state": { state: RunState; message: string };
  /** How fast the cluster runs beside the wall's clock: 1, or less when its host is busy. */
  "dd-pace": { pace: number };
  /** The cluster's clock was set or moved. */
  "dd-clock": ClockState;
  /** The cluster can be used (again): connect, load, watch. `fresh` after a reset, when all before is gone. */
  "dd-up": { fresh: boolean };
  /** The cluster is gone: stop asking for it. */
  "dd-down": undefined;
  /** The lab begins anew. */
  "dd-reset": undefined;
  /** The run goes on on another of its branches: what is known of its cluster is of another one. */
  "dd-branch": undefined;
  /** Type a command into the terminal. */
  "dd-run": { command: string };
  /** Open a file in the editor; with `content` when it may not exist yet. */
  "dd-open": { path: string; content?: string };
  /** A file changed outside the editor. */
  "dd-file": { path: string };
  /** Show the page of a Pod or Service. */
  "dd-preview": Previewed;
  /** Tell why an object is as it is. */
  "dd-why": Asked;
  /** Follow the requests to an object. */
  "dd-trail": Asked;
  /** Ask what would happen if something were done to it. */
  "dd-whatif": Tried;
  /** Open, or close, the way back into the run's past. */
  "dd-look-back": undefined;
  /** The way back is closed. */
  "dd-looked": undefined;
  /** Show the cluster as it was; undefined: as it is. */
  "dd-past": { at: string; objects: PastObjects; against: string } | undefined;
  /** Bring a pane to the front (narrow screens show one at a time). */
  "dd-show": { view: View };
}

export interface Previewed {
  kind: "pods" | "services";
  namespace: string;
  name: string;
  port: number;
}

export interface Tried extends Asked {
  /** Where it runs, of a Pod. */
  node?: string | undefined;
}

/** Objects of a moment, by the map's names of their kinds. */
export type PastObjects = Record<string, { metadata: { uid: string } }[]>;

export interface Asked {
  /** As the API names it: `pods`. */
  resource: string;
  namespace: string;
  name: string;
}

export type View = "guide" | "terminal" | "editor" | "map";

const data = document.body.dataset;

export const page = {
  run: data.run ?? "",
  base: data.base ?? "",
  cluster: data.cluster ?? "",
  lab: data.lab ?? "/",
  /** The address of the lesson `slug`. */
  lesson: data.lesson ?? "/",
  state: (data.state ?? "requested") as RunState,
  message: data.message ?? "",
};

export function emit<K extends keyof Events>(name: K, detail: Events[K]): void {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

export function on<K extends keyof Events>(name: K, handler: (detail: Events[K]) => void): void {
  // A detail that is undefined arrives as null.
  document.addEventListener(name, (event) => handler((event as CustomEvent<Events[K] | null>).detail ?? (undefined as Events[K])));
}

export function isUp(state: RunState): boolean {
  return state === "ready" || state === "passed";
}

export function isOver(state: RunState): boolean {
  return state === "stopped" || state === "failed";
}
