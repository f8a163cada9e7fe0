// What the run's API server publishes of its kinds (OpenAPI v3), custom resources included. A document is fetched when
// it is first asked for, under the address that names its state.
import { request } from "../../lib/http";
import type { Path } from "./outline";

export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

interface Operation {
  "x-kubernetes-group-version-kind"?: { kind: string };
}

interface Document {
  paths: Record<string, { post?: Operation }>;
  components?: { schemas?: Record<string, Schema> };
}

type Index = Record<string, { serverRelativeURL: string }>;

/** Definitions come and go: the index is read anew after so long. */
const INDEX_MS = 10_000;
const PREFIX = "#/components/schemas/";

/** A kind's schema, and what its references mean. */
export class Shape {
  constructor(
    readonly schema: Schema,
    readonly all: Record<string, Schema>,
  ) {}

  /** The schema with its references taken in; what stands beside them counts more. */
  get whole(): Schema {
    let found = this.schema;
    for (let hops = 0; hops < 8; hops++) {
      const { $ref, allOf, ...own } = found;
      const base = $ref ? this.all[$ref.slice(PREFIX.length)] : allOf?.[0];
      if (!base) return found;
      found = { ...base, ...own };
    }
    return found;
  }

  /** What a step leads to. */
  step(step: string | number): Shape | undefined {
    const { properties, additionalProperties, items } = this.whole;
    const found = typeof step === "number" ? items : (properties?.[step] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined));
    return found && new Shape(found, this.all);
  }

  at(path: Path): Shape | undefined {
    return path.reduce<Shape | undefined>((shape, step) => shape?.step(step), this);
  }

  get type(): string {
    const { type, format, items, properties, additionalProperties } = this.whole;
    if (this.whole["x-kubernetes-int-or-string"] || format === "int-or-string") return "integer or string";
    if (type === "array") return `[]${items ? new Shape(items, this.all).type : ""}`;
    if (type) return type;
    return properties ?? additionalProperties ? "object" : "";
  }
}

export class Schemas {
  #index: Promise<Index> | undefined;
  #asked = -Infinity;
  readonly #documents = new Map<string, Promise<Document>>();

  constructor(readonly cluster: string) {}

  #paths(): Promise<Index> {
    if (performance.now() - this.#asked > INDEX_MS) {
      this.#asked = performance.now();
      this.#index = request<{ paths: Index }>("GET", `${this.cluster}/openapi/v3`).then(({ paths }) => paths);
      this.#index.catch(() => (this.#asked = -Infinity));
    }
    return this.#index as Promise<Index>;
  }

  async #document(apiVersion: string): Promise<Document | undefined> {
    const url = (await this.#paths())[apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`]?.serverRelativeURL;
    if (url === undefined) return undefined;
    let document = this.#documents.get(url);
    if (!document) {
      document = request<Document>("GET", this.cluster + url);
      this.#documents.set(url, document);
      document.catch(() => this.#documents.delete(url));
    }
    return document;
  }

  async versions(): Promise<string[]> {
    return Object.keys(await this.#paths()).map((path) => path.replace(/^apis?\//, ""));
  }

  /** The kinds of that version that can be created. */
  async kinds(apiVersion: string): Promise<string[]> {
    const { paths = {} } = (await this.#document(apiVersion)) ?? {};
    const creating = Object.entries(paths).filter(([path]) => !path.includes("/{name}"));
    const found = creating.map(([, { post }]) => post?.["x-kubernetes-group-version-kind"]?.kind ?? "");
    return [...new Set(found.filter(Boolean))].sort();
  }

  async of(apiVersion: string, kind: string): Promise<Shape | undefined> {
    const all = (await this.#document(apiVersion))?.components?.schemas ?? {};
    const found = Object.values(all).find((schema) =>
      schema["x-kubernetes-group-version-kind"]?.some((each) => each.kind === kind && apiVersion === (each.group ? `${each.group}/${each.version}` : each.version)),
    );
    return found && new Shape(found, all);
  }
}
