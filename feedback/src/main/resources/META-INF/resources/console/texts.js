// What an encoder says of one text: its labels or its score, or guesses for its masked words.

import { post } from "./api.js";
import { el, number, percent, whole } from "./format.js";

const $ = (id) => document.getElementById(id);
const MASK = "[MASK]";
const LIKELIEST = 10;

export function start() {
  panel("classify", "v1/classifications", classified);
  panel("fill-mask", "v1/fill-mask", filled);
  $("insert-mask").addEventListener("click", () => {
    const box = $("fill-mask-text");
    box.setRangeText(MASK, box.selectionStart, box.selectionEnd, "end");
    box.focus();
  });
}

/**
 * A form that asks one endpoint about one text. The text stays, so that the next version can be asked the same.
 *
 * @param draw what is shown of the endpoint's answer and the text
 */
function panel(name, path, draw) {
  const box = $(`${name}-text`);
  const button = $(`${name}-send`);
  const reading = $(`${name}-reading`);
  const label = button.textContent;
  let running = null;

  $(name).addEventListener("submit", (event) => { event.preventDefault(); running ? running.abort() : send(box.value); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !running) { event.preventDefault(); $(name).requestSubmit(); }
  });

  async function send(text) {
    if (!text.trim()) return;
    running = new AbortController();
    button.textContent = "Stop";
    try {
      const { model, data: [said] } = await post(path, { input: text }, running.signal);
      reading.replaceChildren(...draw(said, text), said.truncated ? cut() : "", el("p", { class: "note" }, `Said by ${model}.`));
    } catch (problem) {
      reading.replaceChildren(el("span", { class: "note", role: "status" }, problem.name === "AbortError" ? "Stopped." : problem.message));
    } finally {
      running = null;
      button.textContent = label;
      box.focus({ preventScroll: true });
    }
  }
}

function classified(said, text) {
  const quoted = el("p", { class: "quoted" }, text);
  if (said.probabilities === undefined) return [quoted, figure(number(said.score), "its score")];
  const likeliest = Object.entries(said.probabilities).sort(([, a], [, b]) => b - a);
  const right = new Set(said.labels ?? [said.label]);
  const bars = likeliest.map(([label, likely]) => bar(label, likely, right.has(label), said.labels !== undefined));
  const rest = bars.splice(LIKELIEST);
  return [
    quoted,
    said.labels ? figure(said.labels.join(", ") || "No label", "above one half, each label judged on its own")
      : figure(said.label, `${percent(said.probabilities[said.label])} likely`),
    el("ul", { class: "bars" }, ...bars),
    rest.length ? el("details", {}, el("summary", {}, `${whole(rest.length)} more, less likely`), el("ul", { class: "bars" }, ...rest)) : "",
  ];
}

function filled({ masks }) {
  return masks.map((guesses, i) => el("div", { class: "mask" },
    masks.length > 1 ? el("h3", {}, `Mask ${i + 1}`) : "",
    figure(guesses[0].token_str, `${percent(guesses[0].score)} likely`),
    el("ul", { class: "bars" }, ...guesses.map((guess, place) => bar(guess.token_str, guess.score, place === 0))),
    el("p", { class: "quoted" }, guesses[0].sequence)));
}

const figure = (what, how) => el("p", { class: "figure" }, el("b", {}, what), " ", el("span", {}, how));

/** Its number is what is spoken; a tick says it of those that are right on their own. */
function bar(name, likely, right, ticked = false) {
  return el("li", { class: right ? "right" : "" },
    el("span", {}, name, right && ticked ? el("span", { class: "tick" }, " ✓") : ""),
    el("progress", { max: 1, value: likely, "aria-hidden": "true" }),
    el("span", { class: "numbers" }, percent(likely)));
}

const cut = () => el("p", { class: "note" }, el("span", { class: "badge" }, "cut"), " The text is longer than the model reads: its end was left out.");
