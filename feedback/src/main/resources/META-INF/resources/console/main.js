// Follows the loop and lets the reader steer it.

import { events, post, Refused, useKey } from "./api.js";
import * as chat from "./chat.js";
import { draw } from "./loop.js";
import * as texts from "./texts.js";

const $ = (id) => document.getElementById(id);
const LONGEST_PAUSE = 10_000;

chat.start();
texts.start();
$("start-round").addEventListener("click", () => command({ kind: "start_round" }));
$("pause").addEventListener("click", () => command({ kind: $("pause").dataset.kind ?? "pause" }));
$("rollback").addEventListener("click", () => command({ kind: "rollback", reason: "by hand, on the page" }, $("rollback")));
$("canary-promote").addEventListener("click", () => command({ kind: "promote", version: $("canary").dataset.version }, $("canary-promote")));
$("canary-decline").addEventListener("click", () => command({ kind: "rollback", version: $("canary").dataset.version, reason: "by hand, on the page" }, $("canary-decline")));
$("versions").addEventListener("click", (event) => {
  const button = event.target.closest("[data-promote]");
  if (button) command({ kind: "promote", version: button.dataset.promote }, button);
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey($("key").value.trim());
  $("key-form").hidden = true;
  follow();
});
follow();

async function follow() {
  let pause = 500;
  for (;;) {
    try {
      for await (const data of events("v1/loop/events")) {
        const loop = JSON.parse(data);
        draw(loop);
        offer(loop.served.task ?? "answer");
        live(true, "Live");
        pause = 500;
      }
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 401) {
        live(false, "An API key is needed");
        $("key-form").hidden = false;
        $("key").focus();
        return;
      }
    }
    live(false, "Not connected, trying again…");
    await new Promise((resolve) => { setTimeout(resolve, pause); });
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }
}

/** Shows the panel for what the version that serves does. A hidden one keeps what was said in it. */
function offer(task) {
  const [shown, wanted] = [":not([hidden])", `[data-task="${task}"]`].map((which) => document.querySelector(`section[data-task]${which}`));
  if (!wanted || shown === wanted) return;
  const focused = shown.contains(document.activeElement);
  shown.hidden = true;
  wanted.hidden = false;
  if (focused) wanted.querySelector("textarea").focus({ preventScroll: true });
  $("skip").href = `#${wanted.getAttribute("aria-labelledby")}`;
  $("skip").textContent = wanted.dataset.skip;
}

function live(on, text) {
  $("live").className = on ? "live on" : "live off";
  if ($("live-text").textContent !== text) $("live-text").textContent = text;
}

async function command(body, button = body.kind === "start_round" ? $("start-round") : $("pause")) {
  button.disabled = true;
  try {
    await post("v1/commands", body);
  } catch (problem) {
    $("phase-detail").textContent = problem.message;
  } finally {
    button.disabled = false;
  }
}
