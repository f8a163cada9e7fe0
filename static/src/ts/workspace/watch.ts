// An instructor looks at a learner's cluster: the map alone, over the socket that the learner's own tab uses. It comes
// up when it is asked for, since a cluster that sleeps is woken by it.
import "../lib/sheet";
import "./map/map";
import { need } from "../lib/dom";
import { emit, isUp, on } from "./page";

const button = need<HTMLButtonElement>("[data-watch]");

button.addEventListener("click", () => {
  need("[data-watched]").hidden = false;
  button.hidden = true;
  emit("dd-up", { fresh: true });
});
on("dd-state", ({ state }) => {
  if (!isUp(state)) emit("dd-down", undefined);
});
