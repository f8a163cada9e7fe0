// The questions of a lesson: the first answer that a reader opens is noted, so that the question comes back in some days.
import { request } from "./http";

/** `base` is the address of the review queue. */
export function noteAnswers(root: HTMLElement, base: string): void {
  for (const question of root.querySelectorAll<HTMLElement>("[data-question]")) {
    const answers = [...question.querySelectorAll<HTMLDetailsElement>("details")];
    let noted = false;
    answers.forEach((answer, number) =>
      answer.addEventListener("toggle", () => {
        if (noted || !answer.open) return;
        noted = true;
        // Without the server the answer is there all the same; it is only not remembered.
        request("POST", `${base}${question.dataset.question}/`, { answer: number }).catch(() => (noted = false));
      }),
    );
  }
}
