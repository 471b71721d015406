// Draws the state of the loop: what waits, what the mill does, what the gate said, what serves.

import { chart } from "./chart.js";
import { drawHistory } from "./history.js";
import { ago, bytes, compact, el, facts, inUnit, isShare, millis, number, percent, svg, whole, words } from "./format.js";

const $ = (id) => document.getElementById(id);
const PHASES = {
  phase_unspecified: "No news yet", waiting: "Waiting", reading: "Reading", training: "Training", gating: "At the gate",
  publishing: "Publishing", promoted: "Promoted", refused: "Refused", paused: "Paused", failed: "Failed",
};
const WORKING = new Set(["reading", "training", "gating", "publishing"]);
const KINDS = { pretrain: "texts", sft: "demonstrations", preference: "preferences", rating: "ratings", rollout: "prompts", "masked-lm": "texts", classification: "labelled texts", "held-out": "held out", "without-objective": "of no use yet", "in-a-pair": "in a pair", undecided: "neither good nor bad", repeated: "repeats", unreadable: "unreadable", "too-long": "too long", withdrawal: "withdrawals" };
const STAGES = { pretrain: "reading on", sft: "learning to answer", preference: "learning preferences", rating: "learning from ratings", rollout: "answering and being judged", "masked-lm": "learning to fill masks", classification: "learning labels", reference: "asking the champion" };
const FULL_BASIN = 2000;
const PREFERENCES = "preference-accuracy";
const ENCODERS = new Set(["classify", "fill-mask"]);

const kind = (stage) => KINDS[stage] ?? words(stage);

let losses = [];
let lossesOf = "";

for (let i = 0; i < 8; i++) {
  $("paddles").append(svg("line", { class: "paddle", x1: 60, y1: 32, x2: 60, y2: 18, transform: `rotate(${i * 45} 60 60)` }));
}

export function draw(loop) {
  waiting(loop.round.waiting);
  mill(loop.round);
  gate(loop);
  served(loop);
  charts(loop);
  versions(loop);
  drawHistory(loop);
  notices(loop);
  counts(loop);
}

function waiting(counts) {
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  $("waiting-total").textContent = whole(total);
  facts($("waiting-list"), Object.entries(counts).map(([stage, n]) => [kind(stage), whole(n)]));
  // A logarithm, so that ten show as well as ten thousand.
  const level = Math.min(1, Math.log10(1 + total) / Math.log10(1 + FULL_BASIN));
  $("water").style.transform = `translateY(${total ? 64 - 52 * level : 80}px)`;
}

function mill(round) {
  const working = WORKING.has(round.phase);
  const share = round.steps > 0 ? Math.min(1, round.step / round.steps) : working ? 0 : 1;
  $("stage-mill").classList.toggle("turning", working);
  $("phase").textContent = PHASES[round.phase] ?? words(round.phase);
  const stage = round.stage ? STAGES[round.stage] ?? round.stage : "";
  const steps = round.steps ? `, step ${whole(round.step)} of ${whole(round.steps)}` : "";
  $("phase-detail").textContent = round.phase === "training"
    ? [round.version, stage].filter(Boolean).join(" · ") + steps
    : round.message || round.version;
  const shown = working && round.steps > 0;
  $("progress").hidden = !shown;
  $("progress").value = share;
  $("wheel-bar").setAttribute("stroke-dasharray", `${shown ? share * 100 : 0} 100`);
  $("wheel-bar").classList.toggle("empty", !shown || share === 0);
  $("wheel-title").textContent = shown ? `Round at ${percent(share, 0)}` : "No round is running";
  facts($("round-facts"), [
    ["Loss", working && round.loss ? number(round.loss) : ""],
    ["Tokens a second", working && round.tokens_per_second ? whole(Math.round(round.tokens_per_second)) : ""],
    ...Object.entries(round.examples).map(([name, n]) => [`From ${kind(name)}`, whole(n)]),
    ["Started", round.started ? ago(round.started) : ""],
  ]);
  spark(round);
  $("pause").textContent = round.phase === "paused" ? "Resume" : "Pause";
  $("pause").dataset.kind = round.phase === "paused" ? "resume" : "pause";
  $("start-round").disabled = working;
}

function spark(round) {
  const key = `${round.version}/${round.stage}`;
  if (key !== lossesOf) { losses = []; lossesOf = key; }
  const last = losses.at(-1);
  if (round.phase === "training" && round.loss && last?.step !== round.step) losses.push({ step: round.step, loss: round.loss });
  if (losses.length < 3) { $("spark").replaceChildren(); return; }
  const values = losses.map((l) => l.loss);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (step) => (200 * (step - losses[0].step)) / (losses.at(-1).step - losses[0].step || 1);
  const y = (loss) => 37 - (34 * (loss - low)) / (high - low || 1);
  $("spark").replaceChildren(svg("path", { d: losses.map((l, i) => `${i ? "L" : "M"}${x(l.step)} ${y(l.loss)}`).join("") }));
}

function gate({ round, versions }) {
  const judged = round.verdict ? { version: round.version, verdict: round.verdict } : versions.filter((v) => v.verdict?.suites.length).at(-1);
  const label = $("gate");
  label.className = "";
  if (!judged) {
    label.textContent = round.phase === "gating" ? "Judging" : "Open";
    $("gate-detail").textContent = "No candidate has been judged yet.";
    $("gate-suites").replaceChildren();
    return;
  }
  const { verdict } = judged;
  label.textContent = verdict.passed ? "Passed" : "Refused";
  label.className = verdict.passed ? "good" : "bad";
  $("gate-detail").textContent = judged.version;
  $("gate-suites").replaceChildren(...verdict.suites.map((s) => el("li", { title: s.rule },
    wasJudged(s) ? el("span", { class: `mark ${s.passed ? "good" : "bad"}` }, s.passed ? "✓" : "✗") : el("span", { class: "mark" }, "–"),
    el("span", {}, suiteName(s)),
    el("span", { class: "numbers" }, s.examples ? change(s) : "no examples yet"))));
}

function served({ served: now, activity, versions }) {
  $("served").textContent = now.version ?? "Nothing yet";
  $("served-detail").textContent = now.loading ? `loading ${now.loading}…` : now.since ? `since ${ago(now.since)}` : "waiting for the first version";
  const answer = activity.answer_millis;
  facts($("served-facts"), [
    ["Task", now.task && now.task !== "answer" ? now.task : ""],
    ["Weights", now.parameters ? compact(now.parameters) : ""],
    ["Versions so far", versions.length ? whole(versions.length) : ""],
    ["Answers, half within", answer.samples ? millis(answer.p50) : ""],
    ["Answers, 95 % within", answer.samples ? millis(answer.p95) : ""],
    ["First word, 95 % within", activity.first_token_millis.samples ? millis(activity.first_token_millis.p95) : ""],
    ["Answering now", activity.running || activity.waiting ? `${activity.running} (+${activity.waiting} waiting)` : ""],
  ]);
}

/** The newest verdict says which suites there are: an encoder has no preferences, and one without labels no accuracy. */
function charts({ versions, served: now }) {
  const judged = versions.filter((v) => v.verdict?.suites.length).at(-1);
  const suites = judged?.verdict.suites.filter((s) => !s.against) ?? [];
  const loss = suites.find((s) => /^held-?out-loss/.test(s.suite) || s.suite === "loss");
  $("loss-unit").textContent = loss?.examples && !isShare(loss.unit) ? loss.unit : "";
  chart($("chart-loss"), points(versions, loss), { title: "Held-out loss", format: (v) => number(v, 4) });

  const accuracy = judged || now.task !== "answer" ? suites.find((s) => /accuracy/.test(s.suite)) : { suite: PREFERENCES, unit: "" };
  $("accuracy").hidden = !accuracy;
  if (!accuracy) return;
  const title = words(accuracy.suite).replace(/^./, (first) => first.toUpperCase());
  const chance = accuracy.suite === PREFERENCES ? 0.5 : null;  // of labels it depends on how many there are
  $("accuracy-title").textContent = title;
  $("accuracy-unit").textContent = accuracy.unit;
  $("accuracy-key").textContent = `higher is better; ${chance === null ? "bars are 95 % intervals" : "the dashed line is chance"}`;
  chart($("chart-accuracy"), points(versions, accuracy), { title, format: (v) => `${Number((v * 100).toFixed(1))} %`, chance });
}

/** What a suite measured of each version; the first one's `before` is the version that the lineage began with. */
function points(versions, wanted) {
  const result = [];
  for (const v of versions) {
    const suite = v.verdict?.suites.find((s) => !s.against && s.suite === wanted?.suite);
    if (!suite?.examples) continue;
    if (!result.length && v.parent) result.push({ name: v.parent, label: short(v.parent), value: suite.before, low: null, high: null, accepted: true });
    const interval = suite.after_high > suite.after_low;
    result.push({
      name: v.version, label: short(v.version), value: suite.after, accepted: v.state !== "refused",
      low: interval ? suite.after_low : null, high: interval ? suite.after_high : null,
    });
  }
  return result;
}

/** A suite is compared with the version's parent, or with the ancestor that it names. */
const suiteName = (s) => (s.against ? `${words(s.suite)} since ${s.against}` : words(s.suite));

/** The gate takes a suite with too few examples as passed, and its rule says so. */
const wasJudged = (s) => s.examples > 0 && !s.rule?.startsWith("not judged");

const change = (s) => `${inUnit(s.before, s.unit)} → ${inUnit(s.after, s.unit)}`;

const short = (version) => String(Number(version.slice(version.lastIndexOf("-") + 1)));

let drawnVersions = "";

function versions({ versions: all, served: now }) {
  const state = JSON.stringify([all, now.version]);
  if (state === drawnVersions) return;  // an open list of files stays open
  drawnVersions = state;
  const list = $("versions");
  if (!all.length) {
    list.replaceChildren(el("li", { class: "card empty" }, "No version has been announced yet."));
    return;
  }
  list.replaceChildren(...all.slice().reverse().map((v) => el("li", { class: "card version", id: v.version },
    el("div", {},
      el("p", { class: "name" }, v.version),
      el("p", {}, el("span", { class: `badge ${v.state}` }, words(v.state)), " ",
        v.version === now.version ? el("span", { class: "badge live" }, "serving") : ""),
      el("p", { class: "when" }, [ago(v.time), v.parent ? `from ${v.parent}` : "first of its line"].filter(Boolean).join(", "))),
    el("div", {},
      el("p", { class: "why" }, v.verdict?.summary || v.reason || ""),
      el("p", { class: "numbers" }, ...numbers(v)),
      madeOf(v)),
    el("div", {}, files(v), again(v, now)))));
}

function numbers(v) {
  const suites = (v.verdict?.suites ?? []).filter((s) => s.examples).map((s) => el("span", {}, `${suiteName(s)} ${change(s)}`));
  const examples = Object.entries(v.lineage?.examples ?? {}).map(([name, n]) => el("span", {}, `${whole(n)} ${kind(name)}`));
  return [...suites, ...examples];
}

/** What a version was made of, and how it was judged; the way from it to its events and back is ./tidemill explain and where. */
function madeOf(v) {
  const slices = v.lineage?.slices.filter((s) => s.records) ?? [];
  const suites = v.verdict?.suites ?? [];
  if (!slices.length && !suites.length) return null;
  return el("details", {},
    el("summary", {}, `${whole(v.lineage?.records ?? 0)} records, ${few(suites.length, "suite")}`),
    el("ul", {},
      ...slices.map((s) => el("li", {}, `${s.topic}-${s.partition}: offsets ${whole(s.from_offset)} to ${whole(s.to_offset)}, ${few(s.records, "record")}`)),
      ...suites.map((s) => el("li", {}, `${s.passed ? "✓" : "✗"} ${suiteName(s)}: ${s.rule}`))));
}

/** A version that served before can serve again. */
function again(v, now) {
  if (v.version === now.version || !["promoted", "rolled_back"].includes(v.state) || !v.files.length) return null;
  return el("button", { type: "button", class: "again", "data-promote": v.version }, "Serve again");
}

function files(v) {
  if (!v.files.length || !v.files_url) return el("span", {});
  const size = v.files.reduce((sum, f) => sum + f.length, 0);
  const base = v.files_url.endsWith("/") ? v.files_url : `${v.files_url}/`;
  return el("details", {},
    el("summary", {}, `Download, ${bytes(size)}`),
    el("ul", {}, ...v.files.map((f) => el("li", {},
      el("a", { href: base + f.path.split("/").map(encodeURIComponent).join("/"), download: "" }, f.path), ` ${bytes(f.length)}`))));
}

/** Of texts that an encoder read nothing is kept, and there is no feedback on it. */
function counts({ activity: a, served: now }) {
  const feedback = Object.values(a.feedback).reduce((sum, n) => sum + n, 0);
  const kept = [[a.completions, "answer", " kept"], [feedback, "piece", " of feedback"]]
    .filter(([n]) => n || !ENCODERS.has(now.task)).map(([n, noun, rest]) => few(n, noun) + rest);
  $("counts").textContent = `Since ${new Date(a.since).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}: `
    + [`${few(a.answered, "request")} answered`, ...kept].join(", ") + ".";
}

const few = (n, noun) => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;

function notices(loop) {
  const all = [];
  if (!loop.kafka.reachable) all.push(["bad", "Kafka does not answer: answers come, but they cannot be rated now."]);
  const failure = loop.served.failure;
  if (failure) all.push(["", `${failure.version} could not be taken over: ${failure.reason}`]);
  if (loop.round.phase === "failed") all.push(["bad", loop.round.message || "The round failed."]);
  const { notice } = loop.round;
  if (notice) {
    const at = new Date(notice.time).toLocaleTimeString("en", { timeStyle: "short" });
    all.push(["", `${at}, ${notice.done ? "done" : "not done"}: ${notice.text}`]);
  }
  const texts = all.map(([, message]) => message).join("\n");
  const box = $("notices");
  if (box.dataset.texts === texts) return;  // an alert is spoken once
  box.dataset.texts = texts;
  box.replaceChildren(...all.map(([kind, message]) => el("p", { class: `notice ${kind}` }, message)));
}
