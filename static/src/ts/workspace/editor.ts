// <dd-editor>: the files of the terminal's home in CodeMirror, with Save, Apply, and what one does with files.
import { diagnosticCount, openLintPanel } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { h, icon, need } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { confirm } from "./dialog";
import { editing, isManifest } from "./editing";
import { emit, on, page } from "./page";
import { docAt, yamlHelp } from "./yaml/help";

interface Stored {
  path: string;
  content: string;
}

interface Applied {
  exit_code: number;
  stdout: string;
  stderr: string;
}

interface OpenFile {
  saved: string;
  /** Whether the server has it: one that vanishes there closes here, one that was never saved stays. */
  stored: boolean;
  state: EditorState;
  tab: HTMLButtonElement;
  /** Put away: it is in the menu, not among the tabs. */
  closed: boolean;
  /** What kubectl said of it last, or another sentence about it. */
  said: Node[];
}

class EditorElement extends HTMLElement {
  readonly #files = new Map<string, OpenFile>();
  readonly #tabs = h("div", { class: "files", role: "group", "aria-label": t("editor.files") });
  readonly #host = h("div", { class: "editor-host" });
  readonly #output = h("div", { class: "output", hidden: true, role: "log", "aria-label": t("editor.output"), tabindex: 0 });
  readonly #empty = h("p", { class: "editor-empty muted" }, t("editor.empty"));
  readonly #menu = h("details", { class: "menu file-menu" });
  readonly #save = h("button", { type: "button", class: "button button-small", disabled: true }, icon("save"), t("editor.save"));
  readonly #apply = h("button", { type: "button", class: "button button-small button-second", "data-apply": true, disabled: true }, icon("play"), t("editor.apply"));
  readonly #diff = h("button", { type: "button", class: "button button-small", disabled: true, title: t("editor.diff_title") }, t("editor.diff"));
  readonly #problems = h("button", { type: "button", class: "button button-small editor-problems", hidden: true }, icon("warning"), h("span", {}));
  #view: EditorView | undefined;
  #current = "";
  #up = false;
  /** How often a file was sent; while one is on its way, what the server has may be older or newer than what we think. */
  #sent = 0;
  #sending = 0;
  #loading: Promise<void> | undefined;
  #again = false;

  connectedCallback(): void {
    const add = h("button", { type: "button", class: "file file-new", title: t("editor.new") }, icon("plus"));
    add.append(h("span", { class: "visually-hidden" }, t("editor.new")));
    add.addEventListener("click", () => this.#askName(t("editor.name"), "", (path) => this.#create(path)));
    const open = h("summary", { class: "file", title: t("editor.menu"), onclick: () => this.#drawMenu() }, "⋯", h("span", { class: "visually-hidden" }, t("editor.menu")));
    this.#menu.append(open, h("ul", { class: "menu-list" }));
    this.append(
      h("div", { class: "editor-bar" }, this.#tabs, add, this.#menu, h("span", { class: "bar-space" }), this.#problems, this.#save, this.#diff, this.#apply),
      this.#empty,
      this.#host,
      this.#output,
    );
    this.#host.hidden = true;
    this.#save.addEventListener("click", () => void this.save());
    this.#apply.addEventListener("click", () => void this.#applyFile());
    this.#diff.addEventListener("click", () => void this.#kubectl("diff", t("editor.comparing")));
    this.#problems.addEventListener("click", () => this.#view && openLintPanel(this.#view));
    on("dd-up", ({ fresh }) => void this.#start(fresh));
    on("dd-down", () => {
      this.#up = false;
      this.#buttons();
    });
    on("dd-open", ({ path, content }) => void this.#open(path, content));
    on("dd-file", () => void this.#load());
    window.addEventListener("beforeunload", (event) => {
      if ([...this.#files.keys()].some((path) => this.#isDirty(path))) event.preventDefault();
    });
  }

  override focus(): void {
    if (this.#view && this.#current) this.#view.focus();
    else this.querySelector<HTMLElement>(".file-new")?.focus();
  }

  // -- files -----------------------------------------------------------------------------------------

  async #start(fresh: boolean): Promise<void> {
    this.#up = true;
    if (fresh) {
      this.#files.clear();
      this.#tabs.replaceChildren();
      this.#current = "";
    }
    await this.#load();
    this.#draw();
  }

  /** Read the files anew; asked for again meanwhile, once more. */
  #load(): Promise<void> {
    this.#again = this.#loading !== undefined;
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
      if (this.#again && !this.#sending) void this.#load();
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    let files: Stored[];
    const sent = this.#sent;
    try {
      ({ files } = await request<{ files: Stored[] }>("GET", `${page.base}files/`));
    } catch (error) {
      this.#print(this.#current, error);
      return;
    }
    for (const { path, content } of files) {
      const known = this.#files.get(path);
      if (!known) this.#add(path, content, content, true);
      else if (!this.#isDirty(path) || this.#text(path) === content) this.#replace(path, content);
      else if (this.#sending || sent !== this.#sent) this.#again = true;
      else if (content !== known.saved) {
        // Only what somebody else has written since is a conflict.
        known.saved = content;
        this.#say(path, t("editor.conflict", { path }));
      }
    }
    const there = new Set(files.map(({ path }) => path));
    for (const [path, file] of this.#files) {
      if (file.stored && !there.has(path) && !this.#isDirty(path)) this.#drop(path, file);
    }
    const first = [...this.#files].find(([, file]) => !file.closed)?.[0];
    if (!this.#current && first) this.#select(first);
    this.#draw();
  }

  #add(path: string, content: string, saved: string, stored: boolean): void {
    const tab = h("button", { type: "button", class: "file", "aria-pressed": "false", title: path }, path);
    tab.addEventListener("click", () => {
      this.#select(path);
      this.#view?.focus();
    });
    this.#tabs.append(tab);
    this.#files.set(path, { saved, stored, state: this.#stateFor(path, content), tab, closed: false, said: [] });
  }

  #drop(path: string, file: OpenFile): void {
    file.tab.remove();
    this.#files.delete(path);
    if (this.#current === path) this.#leave();
  }

  /** Another file comes to the front, or none. */
  #leave(): void {
    const next = [...this.#files].filter(([path, file]) => !file.closed && path !== this.#current).pop()?.[0];
    this.#current = "";
    if (next) this.#select(next);
    this.#draw();
  }

  #stateFor(path: string, content: string): EditorState {
    const own = [
      isManifest(path) ? yamlHelp(path, () => this.#up && !this.#isKustomized(path)) : [],
      EditorView.updateListener.of((update) => {
        if (update.docChanged) this.#draw();
        else if (diagnosticCount(update.state) !== diagnosticCount(update.startState)) this.#buttons();
      }),
    ];
    const keys = [
      { key: "Mod-s", preventDefault: true, run: () => (void this.save(), true) },
      { key: "Mod-Enter", preventDefault: true, run: () => (void this.#applyFile(), true) },
      { key: "F1", preventDefault: true, run: () => (void this.#explain(path), true) },
    ];
    return EditorState.create({ doc: content, extensions: editing(path, own, keys) });
  }

  #select(path: string): void {
    const file = this.#files.get(path);
    if (!file) return;
    const before = this.#files.get(this.#current);
    if (before && this.#view) before.state = this.#view.state;
    this.#current = path;
    file.closed = false;
    if (this.#view) this.#view.setState(file.state);
    else this.#view = new EditorView({ state: file.state, parent: this.#host });
    this.#draw();
  }

  #text(path: string): string {
    if (path === this.#current && this.#view) return this.#view.state.doc.toString();
    return this.#files.get(path)?.state.doc.toString() ?? "";
  }

  /** Whether its folder is put together by kustomize: what lies there need not be whole. */
  #isKustomized(path: string): boolean {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    return ["kustomization.yaml", "kustomization.yml", "Kustomization"].some((name) => this.#files.has(folder + name));
  }

  #isDirty(path: string): boolean {
    const file = this.#files.get(path);
    return file !== undefined && this.#text(path) !== file.saved;
  }

  #replace(path: string, content: string): void {
    const file = this.#files.get(path);
    if (!file) return;
    file.saved = content;
    file.stored = true;
    if (this.#text(path) === content) return;
    if (path === this.#current && this.#view) {
      this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: content } });
    } else {
      file.state = this.#stateFor(path, content);
    }
  }

  async #open(path: string, content?: string): Promise<void> {
    emit("dd-show", { view: "editor" });
    if (!this.#files.has(path)) await this.#load();
    if (!this.#files.has(path)) this.#add(path, content ?? "", "", false);
    this.#select(path);
    this.#view?.focus();
  }

  /** A new file is there at once: what is typed next belongs into it. */
  #create(path: string): void {
    if (!this.#files.has(path)) this.#add(path, "", "", false);
    this.#select(path);
    this.#view?.focus();
  }

  /** A field for a name, in the bar: Enter takes it, Escape does not. */
  #askName(label: string, value: string, take: (path: string) => void): void {
    this.querySelector(".file-name")?.remove();
    const back = document.activeElement;
    const input = h("input", { type: "text", class: "file-name", "aria-label": label, placeholder: "pod.yaml", maxlength: 120, value });
    let finished = false; // taking the field away makes it lose focus, which would finish a second time
    const finish = (make: boolean): void => {
      if (finished) return;
      finished = true;
      const path = input.value.trim().replace(/^\/+/, "");
      input.remove();
      if (make && path && path !== value) take(path);
      else if (back instanceof HTMLElement) back.focus();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // the editor takes the focus within this key: it must not get a line break of it
      finish(event.key === "Enter");
    });
    input.addEventListener("blur", () => finish(input.value.trim() !== "" && input.value !== value));
    this.#tabs.after(input);
    input.focus();
    input.setSelectionRange(0, value.lastIndexOf(".") > 0 ? value.lastIndexOf(".") : value.length);
  }

  // -- what one does with files ----------------------------------------------------------------------

  #drawMenu(): void {
    const path = this.#current;
    const item = (text: string, act: () => void): HTMLElement =>
      h("li", {}, h("button", { type: "button", onclick: () => ((this.#menu.open = false), act()) }, text));
    const closed = [...this.#files].filter(([, file]) => file.closed).map(([name]) => name);
    need("ul", this.#menu).replaceChildren(
      ...(path
        ? [
            item(t("editor.rename", { path }), () => this.#askName(t("editor.rename", { path }), path, (to) => void this.#rename(path, to))),
            item(t("editor.close", { path }), () => void this.#close(path)),
            item(t("editor.delete", { path }), () => void this.#delete(path)),
          ]
        : []),
      ...closed.map((name) => item(t("editor.reopen", { path: name }), () => (this.#select(name), this.#view?.focus()))),
    );
  }

  async #close(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (!file) return;
    if (this.#isDirty(path)) {
      if (!(await confirm(t("editor.discard_title", { path }), t("editor.discard_text"), t("editor.discard_do")))) return;
      if (!file.stored) return this.#drop(path, file);
      this.#replace(path, file.saved);
    }
    file.closed = true;
    this.#leave();
  }

  async #rename(path: string, to: string): Promise<void> {
    const file = this.#files.get(path);
    if (!file) return;
    const text = this.#text(path);
    if (file.stored) {
      try {
        await request("POST", `${page.base}files/`, { path, to });
      } catch (error) {
        return this.#print(path, error);
      }
    }
    const { saved, stored } = file;
    this.#drop(path, file);
    if (!this.#files.has(to)) this.#add(to, text, saved, stored);
    this.#select(to);
    this.#view?.focus();
  }

  async #delete(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (!file || !(await confirm(t("editor.delete_title", { path }), t("editor.delete_text"), t("editor.delete_do")))) return;
    if (file.stored) {
      try {
        await request("DELETE", `${page.base}files/`, { path });
      } catch (error) {
        return this.#print(path, error);
      }
    }
    this.#drop(path, file);
    this.focus();
  }

  // -- saving and applying ---------------------------------------------------------------------------

  async save(): Promise<boolean> {
    const path = this.#current;
    if (!path || !this.#up) return false;
    const content = this.#text(path);
    try {
      await this.#send(request("PUT", `${page.base}files/`, { path, content }));
    } catch (error) {
      this.#print(path, error);
      return false;
    }
    this.#kept(path, content);
    this.#draw();
    return true;
  }

  async #send<T>(sent: Promise<T>): Promise<T> {
    this.#sent++;
    this.#sending++;
    try {
      return await sent;
    } finally {
      this.#sending--;
      // What was read meanwhile did not count.
      if (this.#again) window.setTimeout(() => void this.#load());
    }
  }

  #kept(path: string, content: string): void {
    const file = this.#files.get(path);
    if (file) Object.assign(file, { saved: content, stored: true });
  }

  #applyFile(): Promise<void> {
    return this.#kubectl("apply", t("editor.applying"));
  }

  /** Save the file, and give it to kubectl: to apply it, or to say what that would change. */
  async #kubectl(verb: "apply" | "diff", meanwhile: string): Promise<void> {
    const path = this.#current;
    if (!path || !this.#up) return;
    const content = this.#text(path);
    this.#apply.disabled = this.#diff.disabled = true;
    this.#say(path, meanwhile);
    try {
      const result = await this.#send(request<Applied>("POST", `${page.base}${verb}/`, { path, content }));
      this.#kept(path, content);
      this.#result(path, verb, result);
    } catch (error) {
      this.#print(path, error);
    } finally {
      this.#draw();
    }
  }

  #result(path: string, verb: "apply" | "diff", { exit_code: code, stdout, stderr }: Applied): void {
    const file = this.#files.get(path);
    if (!file) return;
    // diff(1): 1 is that there are differences.
    const good = code === 0 || (verb === "diff" && code === 1 && stdout !== "");
    const word = verb === "diff" ? (code === 0 ? t("editor.same") : t("editor.differs")) : t("editor.ok");
    file.said = [
      h(
        "p",
        { class: "output-head" },
        h("code", {}, `kubectl ${verb} -f ${path}`),
        h("span", { class: `badge ${good ? "badge-passed" : "badge-failed"}` }, good ? word : t("editor.exit", { code })),
      ),
      ...(stdout ? [h("pre", {}, ...(verb === "diff" ? diffLines(stdout) : [stdout]))] : []),
      ...(stderr ? [h("pre", { class: good ? "output-warning" : "output-error" }, stderr)] : []),
    ];
  }

  /** What the field of this line means, where it can be read at leisure. */
  async #explain(path: string): Promise<void> {
    const state = this.#view?.state;
    const file = this.#files.get(path);
    if (!state || !file) return;
    const doc = isManifest(path) ? await docAt(state, state.selection.main.head, true) : undefined;
    file.said = [h("p", { class: "output-head" }, doc ? h("code", {}, doc.head) : t("editor.no_field")), ...(doc ? [doc.text] : [])];
    this.#draw();
  }

  #print(path: string, error: unknown): void {
    this.#say(path, error instanceof RequestError ? error.message : t("http.offline"));
  }

  /** A sentence about a file stands with that file alone. */
  #say(path: string, sentence: string): void {
    const file = this.#files.get(path);
    if (file) file.said = [h("p", { class: "output-head" }, sentence)];
    this.#draw();
  }

  #draw(): void {
    for (const [path, { tab, closed }] of this.#files) {
      const dirty = this.#isDirty(path);
      tab.hidden = closed;
      tab.setAttribute("aria-pressed", String(path === this.#current));
      tab.classList.toggle("is-dirty", dirty);
      tab.title = dirty ? t("editor.dirty", { path }) : path;
    }
    this.#empty.hidden = this.#current !== "";
    this.#host.hidden = this.#current === "";
    this.#menu.hidden = this.#files.size === 0;
    const said = this.#files.get(this.#current)?.said ?? [];
    this.#output.hidden = said.length === 0;
    if (said.some((node, index) => this.#output.childNodes[index] !== node) || said.length !== this.#output.childNodes.length) {
      this.#output.replaceChildren(...said);
    }
    this.#buttons();
  }

  #buttons(): void {
    this.#save.disabled = !this.#up || !this.#isDirty(this.#current);
    this.#apply.disabled = this.#diff.disabled = !this.#up || !this.#current;
    const problems = this.#view && this.#current ? diagnosticCount(this.#view.state) : 0;
    this.#problems.hidden = problems === 0;
    need("span", this.#problems).textContent = problems === 1 ? t("editor.problem_1") : t("editor.problems_n", { n: problems });
  }
}

/** The lines of a unified diff; what comes and goes is marked. */
function diffLines(text: string): (Node | string)[] {
  return text.split(/(?<=\n)/).map((line) => {
    const name = /^(\+\+\+|---|diff )/.test(line) ? "diff-file" : { "+": "diff-more", "-": "diff-less", "@": "diff-place" }[line[0] ?? ""];
    return name ? h("span", { class: name }, line) : line;
  });
}

customElements.define("dd-editor", EditorElement);
