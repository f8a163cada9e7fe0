// <dd-terminal>: the run's terminals, one in front, and what one does with them.
//
// A terminal lives in the host and outlasts the connection: on reconnect it is shown again. All of a run's terminals
// work on the same files; each has a shell of its own.
import { h, icon } from "../lib/dom";
import { t } from "../lib/i18n";
import { emit, on, type Previewed } from "./page";
import { Screen, type Look } from "./screen";
import { socket, type Line, type Message } from "./socket";

const MAX_TERMINALS = 4;
const FIRST = "1";
const FONT = { store: "dd-font", start: 13, min: 9, max: 24 };
const READER_STORE = "dd-reader";

class TerminalElement extends HTMLElement {
  readonly #screens = new Map<string, Screen>();
  readonly #stack = h("div", { class: "terminal-stack" });
  readonly #tabs = h("div", { class: "terminal-tabs", role: "group", "aria-label": t("terminal.tabs") });
  readonly #more = h("button", { type: "button", class: "bar-button", title: t("terminal.more") }, icon("plus"), hiddenText(t("terminal.more")));
  readonly #state = h("span", { class: "line-state", role: "status" });
  readonly #again = h("button", { type: "button", class: "bar-button", hidden: true }, t("terminal.again"));
  readonly #copy = h("button", { type: "button", class: "bar-button", disabled: true, title: t("terminal.copy") }, icon("copy"), label(t("terminal.copy")));
  readonly #find = h("form", { class: "terminal-find", hidden: true, role: "search" });
  readonly #busy = h("div", { class: "terminal-busy", hidden: true, role: "alert" });
  readonly #look: Look = {
    fontSize: clampFont(Number(localStorage.getItem(FONT.store)) || FONT.start),
    screenReaderMode: localStorage.getItem(READER_STORE) === "1",
  };
  #front = FIRST;

  connectedCallback(): void {
    this.append(this.#bar(), this.#findBar(), this.#busy, this.#stack);
    this.#show(FIRST);
    on("dd-run", ({ command }) => this.#run(command, false));
    this.#again.addEventListener("click", () => socket.again());
    socket.follow("terminal", {
      opened: () => this.#screens.forEach((screen) => screen.open()),
      message: (message) => this.#receive(message),
      bytes: (id, data) => this.#screens.get(id)?.take(data),
      line: (line, tries) => this.#line(line, tries),
    });
    this.#line("closed", 0);
  }

  override focus(): void {
    this.#screens.get(this.#front)?.focus();
  }

  // -- the bar ---------------------------------------------------------------------------------------

  #bar(): HTMLElement {
    const button = (name: string, mark: string | SVGSVGElement, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "bar-button", title: name, onclick: act }, mark, hiddenText(name));
    const paste = h("button", { type: "button", class: "bar-button", title: t("terminal.paste"), onclick: () => void this.#paste() }, icon("paste"), label(t("terminal.paste")));
    const reader = h(
      "button",
      { type: "button", class: "bar-button", "aria-pressed": String(this.#look.screenReaderMode), title: t("terminal.reader") },
      icon("reader"),
      hiddenText(t("terminal.reader")),
    );
    reader.addEventListener("click", () => {
      this.#look.screenReaderMode = !this.#look.screenReaderMode;
      localStorage.setItem(READER_STORE, this.#look.screenReaderMode ? "1" : "0");
      reader.setAttribute("aria-pressed", String(this.#look.screenReaderMode));
      this.#restyle();
    });
    this.#copy.addEventListener("click", () => {
      void navigator.clipboard?.writeText(this.#screens.get(this.#front)?.selection ?? "");
      this.focus();
    });
    this.#more.addEventListener("click", () => this.#add());
    return h(
      "div",
      { class: "pane-bar pane-bar-dark" },
      h("h2", { class: "bar-title" }, t("terminal.title")),
      this.#tabs,
      this.#more,
      this.#state,
      this.#again,
      h("span", { class: "bar-space" }),
      h("span", { class: "bar-help" }, t("terminal.help")),
      button(t("terminal.find"), icon("search"), () => this.#toggleFind()),
      this.#copy,
      paste,
      button(t("terminal.smaller"), "A−", () => this.#font(-1)),
      button(t("terminal.larger"), "A+", () => this.#font(1)),
      reader,
    );
  }

  #font(by: number): void {
    this.#look.fontSize = clampFont(this.#look.fontSize + by);
    localStorage.setItem(FONT.store, String(this.#look.fontSize));
    this.#restyle();
  }

  #restyle(): void {
    for (const screen of this.#screens.values()) screen.style(this.#look);
    this.focus();
  }

  async #paste(): Promise<void> {
    this.focus();
    try {
      this.#screens.get(this.#front)?.paste(await navigator.clipboard.readText());
    } catch {
      this.#tell(t("terminal.paste_refused"));
    }
  }

  // -- finding ---------------------------------------------------------------------------------------

  #findBar(): HTMLElement {
    const input = h("input", { type: "search", "aria-label": t("terminal.find"), placeholder: t("terminal.find"), maxlength: 200 });
    const none = h("span", { role: "status" });
    const seek = (up: boolean): void => {
      const found = input.value === "" || this.#screens.get(this.#front)?.find(input.value, up);
      none.textContent = found ? "" : t("terminal.not_found");
    };
    this.#find.append(
      input,
      h("button", { type: "submit", class: "bar-button" }, t("terminal.find_up")),
      h("button", { type: "button", class: "bar-button", onclick: () => seek(false) }, t("terminal.find_down")),
      none,
    );
    this.#find.addEventListener("submit", (event) => {
      event.preventDefault();
      seek(true);
    });
    this.#find.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#toggleFind();
    });
    return this.#find;
  }

  #toggleFind(): void {
    this.#find.hidden = !this.#find.hidden;
    if (this.#find.hidden) this.focus();
    else this.#find.querySelector("input")?.select();
  }

  // -- terminals -------------------------------------------------------------------------------------

  /** Bring a terminal to the front, begun if need be. */
  #show(id: string): void {
    this.#front = id;
    let screen = this.#screens.get(id);
    if (!screen) {
      screen = new Screen(
        id,
        this.#look,
        () => this.#toggleFind(),
        () => this.#tell(t("terminal.full")),
      );
      this.#screens.set(id, screen);
      this.#stack.append(screen.root);
      screen.attach();
      screen.onSelection(() => (this.#copy.disabled = !this.#screens.get(this.#front)?.selection));
    }
    for (const [name, other] of this.#screens) other.root.hidden = name !== id;
    this.#busy.hidden = true;
    screen.refit();
    this.#drawTabs();
  }

  #add(): void {
    const id = ["1", "2", "3", "4"].find((name) => !this.#screens.has(name));
    if (!id) return;
    this.#show(id);
    this.focus();
  }

  #close(id: string): void {
    this.#screens.get(id)?.end();
    this.#screens.delete(id);
    this.#show([...this.#screens.keys()].pop() ?? FIRST);
    this.focus();
  }

  #drawTabs(): void {
    const several = this.#screens.size > 1;
    const ids = several ? [...this.#screens.keys()].sort() : [];
    this.#tabs.replaceChildren(
      ...ids.map((id) =>
        h(
          "span",
          { class: "terminal-tab" },
          h(
            "button",
            { type: "button", class: "bar-button", "aria-pressed": String(id === this.#front), onclick: () => (this.#show(id), this.focus()) },
            hiddenText(`${t("terminal.title")} `),
            id,
          ),
          id !== FIRST &&
            h("button", { type: "button", class: "bar-button", title: t("terminal.end", { n: id }), onclick: () => this.#close(id) }, icon("cross"), hiddenText(t("terminal.end", { n: id }))),
        ),
      ),
    );
    this.#more.hidden = this.#screens.size >= MAX_TERMINALS;
  }

  // -- what the host tells ---------------------------------------------------------------------------

  #receive(message: Message): void {
    const id = message.id ?? FIRST;
    if (message.type === "file") emit("dd-file", { path: String(message.path) });
    else if (message.type === "edit") emit("dd-open", { path: String(message.path) });
    else if (message.type === "preview") emit("dd-preview", message.of as Previewed);
    else if (message.type === "busy") this.#offer(String(message.line), String(message.command));
    else if (message.type === "exit" && id !== FIRST) this.#close(id);
    else if (message.type === "terminals") this.#others((message.ids as string[]) ?? []);
    else this.#screens.get(id)?.receive(message);
  }

  /** Which terminals the run has: those of another tab, or of before a reload, are shown here too. */
  #others(ids: string[]): void {
    const front = this.#front;
    for (const id of ids) if (!this.#screens.has(id)) this.#show(id);
    if (this.#front !== front) this.#show(front);
    this.#drawTabs();
  }

  #run(command: string, stop: boolean): void {
    emit("dd-show", { view: "terminal" });
    this.focus();
    this.#busy.hidden = true;
    this.#screens.get(this.#front)?.send({ type: "run", line: command, stop });
  }

  /** Something runs: it is not disturbed unless the learner says so. */
  #offer(line: string, command: string): void {
    this.#busy.replaceChildren(
      h("p", {}, t("terminal.busy"), " ", h("code", {}, command)),
      h("button", { type: "button", class: "bar-button", onclick: () => this.#run(line, true) }, t("terminal.stop_and_run")),
      h("button", { type: "button", class: "bar-button", onclick: () => ((this.#busy.hidden = true), this.focus()) }, t("terminal.leave_it")),
    );
    this.#busy.hidden = false;
  }

  /** In the place of the line's state, until that changes. */
  #tell(text: string): void {
    this.#state.textContent = text;
    this.#state.classList.add("is-told");
  }

  #line(line: Line, tries: number): void {
    if (line !== "connected") this.#screens.forEach((screen) => screen.rest());
    this.dataset.line = line;
    this.#state.textContent = t(`terminal.${line}`);
    this.#state.classList.remove("is-told");
    this.#again.hidden = !(line === "reconnecting" && tries > 2);
  }
}

function clampFont(size: number): number {
  return Math.min(FONT.max, Math.max(FONT.min, Math.round(size)));
}

function hiddenText(text: string): HTMLElement {
  return h("span", { class: "visually-hidden" }, text);
}

/** A label that narrow bars show to screen readers alone. */
function label(text: string): HTMLElement {
  return h("span", { class: "bar-label" }, text);
}

customElements.define("dd-terminal", TerminalElement);
