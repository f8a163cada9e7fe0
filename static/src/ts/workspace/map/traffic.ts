// Which Services and Pods are called, as the cluster tells it: how often in its last seconds, and how often nobody answered.
import { t } from "../../lib/i18n";
import { socket } from "../socket";
import type { Pod, Service } from "./objects";

type Counts = Record<string, [number, number]>;

export interface Calls {
  answered: number;
  refused: number;
  /** In words; "": nobody calls. */
  text: string;
}

export class Traffic {
  #services: Counts = {};
  #pods: Counts = {};
  #seconds = 0;
  #flows = false;

  constructor(changed: () => void) {
    socket.follow("traffic", {
      opened: () => this.#follow(),
      message: ({ seconds, services, pods }) => {
        [this.#seconds, this.#services, this.#pods] = [Number(seconds), services as Counts, pods as Counts];
        changed();
      },
    });
  }

  /** Follow the cluster, or do not: then nothing is told. */
  flow(open: boolean): void {
    if (open === this.#flows) return;
    this.#flows = open;
    this.clear();
    this.#follow();
  }

  clear(): void {
    this.#services = this.#pods = {};
  }

  ofService({ metadata }: Service): Calls {
    return this.#told(this.#services[`${metadata.namespace}/${metadata.name}`]);
  }

  ofPod({ status }: Pod): Calls {
    return this.#told(this.#pods[status?.podIP ?? ""]);
  }

  #told(counts: [number, number] = [0, 0]): Calls {
    const [answered, refused] = counts;
    const parts = [answered ? t("map.calls", { n: answered, seconds: this.#seconds }) : "", refused ? t("map.calls_refused", { n: refused }) : ""];
    return { answered, refused, text: parts.filter(Boolean).join(", ") };
  }

  #follow(): void {
    socket.send({ ch: "traffic", type: "follow", on: this.#flows });
  }
}
