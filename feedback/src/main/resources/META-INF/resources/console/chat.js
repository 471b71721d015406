// The conversation: two answers to each question, side by side, and what the reader thinks of them.

import { events, post } from "./api.js";
import { el, svg } from "./format.js";

const $ = (id) => document.getElementById(id);

let history = [];
let session = newSession();
let running = null;

function newSession() {
  return `page-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
}

export function start() {
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); running ? running.abort() : ask(); });
  $("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !running) { event.preventDefault(); $("ask").requestSubmit(); }
  });
  $("new-chat").addEventListener("click", () => {
    running?.abort();
    history = [];
    session = newSession();
    $("talk").replaceChildren();
    $("prompt").focus();
  });
}

async function ask() {
  const prompt = $("prompt").value.trim();
  if (!prompt) return;
  settle();
  const choices = $("two").checked ? 2 : 1;
  $("talk").append(el("p", { class: "said user" }, prompt));
  $("prompt").value = "";
  const turn = new Turn([...history, { role: "user", content: prompt }], choices);
  $("talk").append(turn.element);
  busy(new AbortController());
  try {
    await turn.run(running.signal);
  } catch (problem) {
    turn.failed(problem.name === "AbortError" ? "Stopped." : problem.message);
  } finally {
    busy(null);
    $("prompt").focus({ preventScroll: true });
  }
}

function busy(controller) {
  running = controller;
  $("send").textContent = controller ? "Stop" : "Ask";
}

/** What goes on in the history of an unjudged turn is its left answer: it is what the reader read first. */
function settle() {
  current?.close();
  current = null;
}

let current = null;

/** One question and its answers. Which answer stands on the left is drawn by lot, and told with the verdict. */
class Turn {
  constructor(messages, choices) {
    this.messages = messages;
    this.sides = choices === 2 && Math.random() < 0.5 ? [1, 0] : [...Array(choices).keys()];
    this.appeared = [];
    this.ids = [];
    this.answers = this.sides.map((choice, place) => new Answer(choice, choices === 2 ? "AB"[place] : "Answer"));
    this.verdicts = el("div", { class: "verdicts" });
    this.element = el("div", {}, el("div", { class: choices === 2 ? "pair" : "pair single" },
      ...this.answers.map((answer) => answer.element)), this.verdicts);
    current = this;
  }

  async run(signal) {
    const body = {
      messages: this.messages, n: this.sides.length, stream: true,
      temperature: Number($("temperature").value), max_tokens: Number($("max-tokens").value),
    };
    for await (const data of events("v1/chat/completions", body, signal, { "X-Session-Id": session })) {
      if (data === "[DONE]") break;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      for (const choice of chunk.choices) this.take(choice);
      if (chunk.tidemill) this.done(chunk.tidemill);
    }
  }

  take(choice) {
    const content = choice.delta?.content;
    if (!content) return;
    if (!this.appeared.includes(choice.index)) this.appeared.push(choice.index);
    this.answers.find((answer) => answer.choice === choice.index).append(content);
  }

  done(tidemill) {
    this.ids = tidemill.completion_ids;
    for (const answer of this.answers) answer.done(tidemill);
    if (!tidemill.rateable) {
      this.verdicts.append(el("span", { class: "note" }, "These answers were not kept, so they cannot be rated."));
    } else if (this.answers.length === 2) {
      const button = (label, verdict, place) => el("button", { type: "button", onclick: () => this.judge(verdict, place) }, label);
      this.buttons = [button("A is better", "left", 0), button("B is better", "right", 1), button("Tie", "tie", 0), button("Both bad", "both_bad", null)];
      this.verdicts.append(...this.buttons);
    }
  }

  async judge(verdict, place) {
    for (const button of this.buttons) button.disabled = true;
    const side = (choice) => (choice === 0 ? "a" : "b");
    const said = verdict === "left" ? side(this.sides[0]) : verdict === "right" ? side(this.sides[1]) : verdict;
    try {
      await post("v1/feedback/comparisons", {
        completion_a: this.ids[0], completion_b: this.ids[1], verdict: said,
        left: side(this.sides[0]), displayed_order: this.appeared.map((choice) => this.ids[choice]), source: "page",
      });
    } catch (problem) {
      for (const button of this.buttons) button.disabled = false;
      this.note(problem.message);
      return;
    }
    this.judged = { place };
    this.answers.forEach((answer, i) => answer.element.classList.toggle("chosen", i === place && verdict !== "tie"));
    this.verdicts.replaceChildren(el("span", { class: "note", role: "status" }, place === null
      ? "Kept: both bad. Edit one to say what it should have been." : "Kept. The next round learns from it."));
  }

  note(message) {
    this.verdicts.querySelector(".note")?.remove();
    this.verdicts.append(el("span", { class: "note", role: "status" }, message));
  }

  failed(message) {
    this.verdicts.replaceChildren(el("span", { class: "note", role: "status" }, message));
  }

  /** Adds the turn to the history: the correction, or the better answer, or the left one; nothing where both are bad. */
  close() {
    const corrected = this.answers.find((answer) => answer.corrected);
    const place = this.judged ? this.judged.place : 0;
    const answer = corrected?.corrected ?? (place === null ? "" : this.answers[place].text);
    if (answer) history = [...this.messages, { role: "assistant", content: answer }];
    for (const button of this.buttons ?? []) button.disabled = true;
  }
}

/** One answer with its thumbs and its correction. */
class Answer {
  constructor(choice, name) {
    this.choice = choice;
    this.name = name;
    this.text = "";
    this.body = el("div", { class: "text" });
    this.tools = el("div", { class: "tools" });
    this.element = el("article", { class: "answer", "aria-label": name === "Answer" ? name : `Answer ${name}` },
      el("span", { class: "name" }, name), this.body, this.tools);
  }

  append(content) {
    this.text += content;
    this.body.textContent = this.text;
  }

  done(tidemill) {
    if (!this.text) this.body.append(el("span", { class: "empty" }, "(nothing)"));
    if (!tidemill.rateable) return;
    this.id = tidemill.completion_ids[this.choice];
    const named = this.name === "Answer" ? "this answer" : `answer ${this.name}`;
    this.up = el("button", { type: "button", "aria-pressed": "false", "aria-label": `Thumb up for ${named}`, onclick: () => this.thumb(true) }, thumb(true));
    this.down = el("button", { type: "button", "aria-pressed": "false", "aria-label": `Thumb down for ${named}`, onclick: () => this.thumb(false) }, thumb(false));
    this.edit = el("button", { type: "button", "aria-label": `Correct ${named}`, onclick: () => this.correct() }, "Correct");
    this.tools.append(this.up, this.down, this.edit);
  }

  async thumb(up) {
    await this.send("v1/feedback/thumbs", { completion_id: this.id, up, source: "page" }, () => {
      this.up.setAttribute("aria-pressed", String(up));
      this.down.setAttribute("aria-pressed", String(!up));
    });
  }

  correct() {
    const area = el("textarea", { rows: 5, "aria-label": "What the answer should have been" });
    area.value = this.text;
    const back = () => { this.body.textContent = this.corrected ?? this.text; this.edit.hidden = false; };
    const send = () => this.send("v1/feedback/corrections", { completion_id: this.id, corrected: area.value, source: "page" }, () => {
      this.corrected = area.value;
      back();
      this.say("Correction kept.");
    });
    this.edit.hidden = true;
    this.body.replaceChildren(area, el("div", { class: "tools" },
      el("button", { type: "button", class: "primary", onclick: send }, "Send correction"), el("button", { type: "button", onclick: back }, "Cancel")));
    area.focus();
  }

  async send(path, body, then) {
    try {
      await post(path, body);
      then();
    } catch (problem) {
      this.say(problem.message);
    }
  }

  say(message) {
    this.tools.querySelector(".note")?.remove();
    this.tools.append(el("span", { class: "note", role: "status" }, message));
  }
}

function thumb(up) {
  const path = svg("path", { d: "M3 9h3v8H3zM6 9l3.600-7c1.500 0 2.300 1.100 1.900 2.600L10.800 8h4.700c1.100 0 1.900 1 1.600 2.100l-1.400 5.400c-.2.900-1 1.500-1.900 1.500H6" });
  return svg("svg", { class: up ? "thumb" : "thumb down", viewBox: "0 0 20 20", "aria-hidden": "true" }, path);
}
