// <dd-terminal>: xterm.js on the run's WebSocket.
//
// The session lives in the host and outlasts the connection: on reconnect the server shows it again, so the
// screen is cleared first. Nothing typed while the line is down is queued: it would run at a time nobody chose.
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type ITheme } from "@xterm/xterm";
import { h } from "../lib/dom";
import { t } from "../lib/i18n";
import { emit, on, page, type RunState } from "./page";

const BACKOFF_FIRST = 400;
const BACKOFF_MAX = 10_000;
const CLOSE_OVER = 4410;
const SCROLLBACK = 5000;
const READER_KEY = "dd-reader";

const THEME: ITheme = {
  background: "#071522",
  foreground: "#d9e4ec",
  cursor: "#ff9a73",
  cursorAccent: "#071522",
  selectionBackground: "#2b5a7a",
  black: "#1b3145",
  red: "#ff8b8b",
  green: "#74d3a0",
  yellow: "#f2c46b",
  blue: "#7fb8f0",
  magenta: "#d3a5f0",
  cyan: "#74cadb",
  white: "#d9e4ec",
  brightBlack: "#7f97aa",
  brightRed: "#ffabab",
  brightGreen: "#9be6bf",
  brightYellow: "#ffdc95",
  brightBlue: "#a8d2ff",
  brightMagenta: "#e6c8fa",
  brightCyan: "#a1e2ee",
  brightWhite: "#ffffff",
};

type Line = "connecting" | "connected" | "reconnecting" | "closed";

interface ServerFrame {
  type: string;
  path?: string;
  state?: string;
}

class TerminalElement extends HTMLElement {
  readonly #term = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize: 13.5,
    lineHeight: 1.25,
    theme: THEME,
    scrollback: SCROLLBACK,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    screenReaderMode: localStorage.getItem(READER_KEY) === "1",
    macOptionIsMeta: true,
  });
  readonly #fit = new FitAddon();
  readonly #state = h("span", { class: "line-state", role: "status" });
  readonly #again = h("button", { type: "button", class: "bar-button", hidden: true }, t("terminal.again"));
  #socket: WebSocket | undefined;
  #wanted = false;
  #tries = 0;
  #timer = 0;

  connectedCallback(): void {
    const screen = h("div", { class: "terminal-screen" });
    this.append(this.#bar(), screen);
    this.#term.loadAddon(this.#fit);
    this.#term.loadAddon(new WebLinksAddon());
    this.#term.open(screen);
    this.#term.textarea?.setAttribute("aria-label", t("terminal.label"));
    this.#term.onData((data) => this.#send({ type: "input", data }));
    this.#term.onResize(({ cols, rows }) => this.#send({ type: "resize", cols, rows }));
    this.#term.attachCustomKeyEventHandler((event) => this.#key(event));
    new ResizeObserver(() => this.#refit()).observe(screen);
    on("dd-up", () => this.#start());
    on("dd-down", () => this.#stop());
    on("dd-run", ({ command }) => this.#run(command));
    this.#again.addEventListener("click", () => this.#connect());
    this.#show("closed");
  }

  override focus(): void {
    this.#term.focus();
  }

  #bar(): HTMLElement {
    const reader = h(
      "button",
      { type: "button", class: "bar-button", "aria-pressed": String(this.#term.options.screenReaderMode) },
      t("terminal.reader"),
    );
    reader.addEventListener("click", () => {
      const next = !this.#term.options.screenReaderMode;
      this.#term.options.screenReaderMode = next;
      localStorage.setItem(READER_KEY, next ? "1" : "0");
      reader.setAttribute("aria-pressed", String(next));
      this.#term.focus();
    });
    return h(
      "div",
      { class: "pane-bar pane-bar-dark" },
      h("h2", { class: "bar-title" }, t("terminal.title")),
      this.#state,
      this.#again,
      h("span", { class: "bar-space" }),
      h("span", { class: "bar-help" }, t("terminal.help")),
      reader,
    );
  }

  /** Ctrl-C copies when text is selected; Ctrl-V pastes; F6 leaves the terminal, since Tab belongs to the shell. */
  #key(event: KeyboardEvent): boolean {
    if (event.key === "F6") return false;
    if (event.type !== "keydown") return true;
    const control = event.ctrlKey && !event.altKey && !event.metaKey;
    if (control && event.key.toLowerCase() === "c" && (event.shiftKey || this.#term.hasSelection())) {
      if (!this.#term.hasSelection()) return true;
      void navigator.clipboard?.writeText(this.#term.getSelection());
      this.#term.clearSelection();
      event.preventDefault();
      return false;
    }
    // Returning false without preventing it leaves the browser's own paste event, which xterm takes up.
    return !(control && event.key.toLowerCase() === "v");
  }

  #run(command: string): void {
    emit("dd-show", { view: "terminal" });
    this.#term.focus();
    this.#term.paste(command);
    this.#send({ type: "input", data: "\r" });
  }

  #start(): void {
    this.#wanted = true;
    this.#tries = 0;
    this.#connect();
  }

  #stop(): void {
    this.#wanted = false;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
    this.#show("closed");
  }

  #connect(): void {
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    const url = new URL(`${page.base}terminal/`, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#show(this.#tries ? "reconnecting" : "connecting");
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      this.#term.reset();
    });
    socket.addEventListener("message", (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    });
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      this.#established();
      this.#term.write(new Uint8Array(data));
      return;
    }
    const frame = JSON.parse(data) as ServerFrame;
    if (frame.type === "state" && frame.state === "connected") this.#established();
    else if (frame.type === "state" && frame.state) emit("dd-state", { state: frame.state as RunState, message: "" });
    else if (frame.type === "edit" && frame.path) emit("dd-open", { path: frame.path });
    else if (frame.type === "file" && frame.path) emit("dd-file", { path: frame.path });
  }

  #established(): void {
    if (this.dataset.line === "connected") return;
    this.#tries = 0;
    this.#show("connected");
    this.#refit();
    this.#send({ type: "resize", cols: this.#term.cols, rows: this.#term.rows });
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
    this.dataset.line = line;
    this.#state.textContent = t(`terminal.${line}`);
    this.#again.hidden = !(line === "reconnecting" && this.#tries > 2);
    this.#term.options.disableStdin = line !== "connected";
  }

  #send(frame: { type: "input"; data: string } | { type: "resize"; cols: number; rows: number }): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #refit(): void {
    // Hidden panes have no size; fitting to them would tell the shell that its screen is two columns wide.
    if (this.offsetWidth > 80 && this.offsetHeight > 40) this.#fit.fit();
  }
}

customElements.define("dd-terminal", TerminalElement);
