// The tab's one WebSocket: channels for the terminals, the map, the checks and the run's state
// (platform/workspace/consumers.py says what goes over it).
//
// A lost connection is tried again with a doubling pause, and each channel then asks for what it has missed. A tab
// that nobody looks at hangs up after a while and does the same when it is seen again. Nothing is queued while the
// line is down: what is typed would take effect at a time nobody chose.
import { emit, on, page, type ClockState, type RunState } from "./page";

const VERSION = "drydock.v1";
const BACKOFF_FIRST = 400;
const BACKOFF_MAX = 10_000;
const HIDDEN_MS = 30_000;
const CLOSE_OVER = 4410;

export type Line = "closed" | "connecting" | "connected" | "reconnecting" | "asleep";

export interface Message {
  ch: string;
  type: string;
  id?: string;
  [field: string]: unknown;
}

export interface Handlers {
  /** The line is up (again): ask for what you follow. */
  opened?(): void;
  /** A JSON message. */
  message?(message: Message): void;
  /** Raw bytes for `id`. */
  bytes?(id: string, data: Uint8Array): void;
  /** The line has changed; `tries` counts the attempts since it was lost. */
  line?(line: Line, tries: number): void;
}

class RunSocket {
  readonly #channels = new Map<string, Handlers>();
  #socket: WebSocket | undefined;
  #wanted = false;
  #line: Line = "closed";
  #tries = 0;
  #timer = 0;
  #hiding = 0;
  /** The branch of the run that the last line led to. */
  #branch: number | undefined;

  constructor() {
    on("dd-up", () => {
      this.#wanted = true;
      this.again();
    });
    on("dd-down", () => {
      this.#wanted = false;
      this.#hangUp("closed");
    });
    document.addEventListener("visibilitychange", () => this.#visibility());
    this.#visibility();
  }

  follow(channel: string, handlers: Handlers): void {
    this.#channels.set(channel, handlers);
  }

  /** Whether it could be sent. */
  send(message: Message): boolean {
    if (this.#line !== "connected") return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  get connected(): boolean {
    return this.#line === "connected";
  }

  /** Connect now, whatever the back-off says. */
  again(): void {
    this.#tries = 0;
    this.#connect();
  }

  #visibility(): void {
    window.clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = window.setTimeout(() => {
        if (document.hidden && this.#wanted) this.#hangUp("asleep");
      }, HIDDEN_MS);
    } else if (this.#wanted && this.#line !== "connected" && this.#line !== "connecting") {
      this.again();
    }
  }

  #hangUp(line: Line): void {
    window.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#show(line);
  }

  #connect(): void {
    this.#hangUp(this.#tries ? "reconnecting" : "connecting");
    const url = new URL(`${page.base}socket/`, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, VERSION);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("message", (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    });
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      const bytes = new Uint8Array(data);
      const end = 1 + (bytes[0] ?? 0);
      const [channel = "", id = ""] = new TextDecoder().decode(bytes.subarray(1, end)).split("/");
      this.#channels.get(channel)?.bytes?.(id, bytes.subarray(end));
      return;
    }
    const message = JSON.parse(data) as Message;
    if (message.ch === "status" && message.type === "pace") emit("dd-pace", { pace: Number(message.pace) });
    else if (message.ch === "status" && message.type === "clock") emit("dd-clock", message as unknown as ClockState);
    else if (message.ch === "status") this.#status(message.state as RunState, String(message.message ?? ""), Number(message.branch));
    else this.#channels.get(message.ch)?.message?.(message);
  }

  /** The run's state comes first on every new line: then it is up. */
  #status(state: RunState, text: string, branch: number): void {
    const another = this.#branch !== undefined && this.#branch !== branch;
    this.#branch = branch;
    if (another) emit("dd-branch", undefined);
    emit("dd-state", { state, message: text });
    if (!this.#wanted || this.#line === "connected") return;
    this.#tries = 0;
    this.#show("connected");
    for (const handlers of this.#channels.values()) handlers.opened?.();
  }

  #lost(code: number): void {
    this.#socket = undefined;
    if (!this.#wanted || code === CLOSE_OVER) {
      this.#show("closed");
      return;
    }
    const delay = Math.min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** this.#tries);
    this.#tries += 1;
    this.#show("reconnecting");
    this.#timer = window.setTimeout(() => this.#connect(), delay);
  }

  #show(line: Line): void {
    this.#line = line;
    for (const handlers of this.#channels.values()) handlers.line?.(line, this.#tries);
  }
}

export const socket = new RunSocket();
