// A lesson in one file: its steps with their pictures, questions that say whether an answer is right.

import { mount } from "./index.js";

const MARKUP = `
<section class="lesson" aria-live="polite">
  <p class="lesson-text"></p>
  <p class="lesson-note" hidden></p>
  <fieldset hidden><legend></legend><div></div><p role="status"></p></fieldset>
  <nav aria-label="Steps"><button type="button" data-step="back">Back</button>
    <span></span><button type="button" data-step="on" title="Ctrl + Enter">Next step</button></nav>
</section>
<div class="stage"></div>`;

/**
 * `lesson`: steps of text, note and question, as Python writes them; `pictures`: what the player of each
 * step is given, null for a step without; `player`: the markup of one.
 */
export function give(main, lesson, pictures, player) {
  main.innerHTML = MARKUP;
  const find = (selector) => main.querySelector(selector);
  let at = Math.min(Math.max(Number(location.hash.slice(1)) || 1, 1), lesson.steps.length) - 1;
  let end = () => {};

  const show = () => {
    const step = lesson.steps[at];
    history.replaceState(null, "", `#${at + 1}`);
    find(".lesson-text").replaceChildren(...emphasised(step.text, lesson.own));
    find(".lesson-note").textContent = step.note;
    find(".lesson-note").hidden = !step.note;
    find("nav span").textContent = `Step ${at + 1} of ${lesson.steps.length}`;
    find('[data-step="back"]').disabled = at === 0;
    find('[data-step="on"]').disabled = at === lesson.steps.length - 1;
    ask(find("fieldset"), step.question, at, lesson.own);
    const stage = find(".stage");
    stage.innerHTML = pictures[at] ? player : "";
    end();
    // Another step may show the same run elsewhere.
    globalThis.__emPlayerMemory?.clear();
    end = pictures[at]
      ? mount({ parentElement: stage, data: pictures[at], setStateValue() {}, alone: true })
      : () => {};
  };
  const go = (by) => {
    const goal = at + by;
    if (goal < 0 || goal >= lesson.steps.length) return;
    at = goal;
    show();
  };
  find('[data-step="back"]').addEventListener("click", () => go(-1));
  find('[data-step="on"]').addEventListener("click", () => go(1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go(1);
  });
  show();
}

function ask(fieldset, question, at, own) {
  fieldset.hidden = !question;
  if (!question) return;
  fieldset.querySelector("legend").replaceChildren(...emphasised(question.asked, own));
  const said = fieldset.querySelector("p");
  said.textContent = "";
  fieldset.querySelector("div").replaceChildren(...question.choices.map((choice, c) => {
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: `step-${at}` });
    radio.addEventListener("change", () => {
      const right = c === question.answer;
      said.replaceChildren(...emphasised(right ? `**Yes.** ${question.why}` : "Not quite: look again, and choose another.", false));
    });
    const label = document.createElement("label");
    label.append(radio, " ", ...emphasised(choice, own));
    return label;
  }));
}

/** Text, with what stands between two pairs of stars in bold where it is not a person's own. */
export function emphasised(text, own) {
  if (own) return [text];
  return text.split("**").map((part, i) => {
    return i % 2 ? Object.assign(document.createElement("strong"), { textContent: part }) : part;
  });
}
