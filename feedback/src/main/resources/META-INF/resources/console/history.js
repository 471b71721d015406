// What became of versions: the canary with both of its arms, the time of the rounds, and the tree of the versions.

import { ago, el, number, percent, svg, whole, words } from "./format.js";

const $ = (id) => document.getElementById(id);
const WAITS = new Set(["canary", "candidate"]);
const MOST_NODES = 40;
const STEP = 46;
const LANE = 34;

export function drawHistory(loop) {
  canary(loop);
  timeline(loop.timeline ?? []);
  lineage(loop);
  rollback(loop);
  ledger(loop.ledger ?? {});
}

/** The version that passed its gate and waits for a decision. */
export const undecided = (versions) => versions.filter((v) => WAITS.has(v.state)).at(-1);

function canary({ versions, served, round }) {
  const waiting = undecided(versions);
  $("canary").hidden = !waiting;
  if (!waiting) return;
  $("canary").dataset.version = waiting.version;
  $("canary-heading").textContent = `${waiting.version} ${waiting.state === "canary" ? "is a canary" : "waits for you"}`;
  const figures = waiting.state === "canary" ? round.canary ?? waiting.canary : null;
  $("canary-arms").hidden = !figures;
  $("canary-evidence").toggleAttribute("hidden", !figures);
  if (!figures) {
    $("canary-told").textContent = "It passed its gate. The next round starts when it has been promoted or declined.";
    return;
  }
  const answers = served.canary === waiting.version ? `It answers ${percent(figures.share, 0)} of the conversations` : "It is not loaded here, so the champion answers all conversations";
  const after = figures.promoted_without_evidence ? "promoted" : "rolled back";
  $("canary-told").textContent = `${answers}. Without evidence it is ${after} on ${new Date(figures.until).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}.`;
  const cells = (tag, texts) => el("tr", {}, ...texts.map((text) => el(tag, {}, text)));
  const arm = (name, version, f) => cells("td", [name, version, whole(f.completions), whole(f.rated), f.rated ? number(f.mean_score, 3) : "–"]);
  $("canary-arms").replaceChildren(
    el("thead", {}, cells("th", ["Arm", "Version", "Answers", "Rated conversations", "Mean score"])),
    el("tbody", {}, arm("Canary", waiting.version, figures.canary), arm("Champion", waiting.parent, figures.champion)));
  evidence(figures);
}

/** On a logarithmic scale from 1 to what decides. */
function evidence(figures) {
  const full = Math.log(figures.evidence_needed);
  const bar = (label, value, y, kind) => {
    const share = Math.min(1, Math.max(0, Math.log(Math.max(1, value)) / full));
    return [text(0, y + 11, label), svg("rect", { class: "track", x: 150, y, width: 250, height: 14, rx: 7 }),
      svg("rect", { class: kind, x: 150, y, width: 250 * share, height: 14, rx: 7 }),
      text(410, y + 11, `${number(value, 3)} of ${number(figures.evidence_needed, 3)}`)];
  };
  const bounds = `${signed(figures.difference)} [${signed(figures.difference_low)}, ${signed(figures.difference_high)}], margin ${number(figures.margin, 3)}, ${whole(figures.comparisons)} comparisons`;
  $("canary-evidence").setAttribute("aria-label", `Evidence for the canary ${number(figures.evidence_for, 3)}, against it ${number(figures.evidence_against, 3)}, needed ${number(figures.evidence_needed, 3)}. Difference ${bounds}`);
  $("canary-evidence").replaceChildren(
    ...bar("Good enough", figures.evidence_for, 2, "for"),
    ...bar("Too bad", figures.evidence_against, 22, "against"),
    text(0, 56, `Difference ${bounds}`));
}

const signed = (n) => (n > 0 ? "+" : "") + number(n, 3);

const text = (x, y, content, anchor = "start") => svg("text", { x, y, "text-anchor": anchor }, content);

let drawnTimeline = "";

function timeline(rounds) {
  const state = JSON.stringify(rounds);
  if (state === drawnTimeline) return;
  drawnTimeline = state;
  if (!rounds.length) {
    $("timeline").replaceChildren(el("li", { class: "empty" }, "No round has run yet."));
    return;
  }
  const total = (r) => r.phases.reduce((sum, p) => sum + p.elapsed_millis, 0);
  const longest = Math.max(1, ...rounds.map(total));
  $("timeline").replaceChildren(...rounds.slice().reverse().map((r) => {
    const told = r.phases.map((p) => `${words(p.name)} ${seconds(p.elapsed_millis)}`).join(", ");
    const drawing = svg("svg", { viewBox: "0 0 600 16", preserveAspectRatio: "none", role: "img", "aria-label": `${r.version}: ${told}` });
    let x = 0;
    r.phases.forEach((p, i) => {
      const width = (600 * p.elapsed_millis) / longest;
      drawing.append(svg("rect", { class: `phase p${i % 5}`, x, y: 0, width, height: 16 }, svg("title", {}, `${words(p.name)} ${seconds(p.elapsed_millis)}`)));
      x += width;
    });
    return el("li", {},
      el("span", { class: "name" }, r.version),
      drawing,
      el("span", { class: "numbers" }, `${seconds(total(r))} · ${r.outcome ? words(r.outcome) : "running"}`),
      el("span", { class: "phases" }, told));
  }));
}

const seconds = (ms) => (ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`);

let drawnLineage = "";

function lineage({ versions, served }) {
  const state = JSON.stringify([versions.map((v) => [v.version, v.parent, v.state]), served.version, served.canary]);
  if (state === drawnLineage) return;
  drawnLineage = state;
  const shown = versions.slice(-MOST_NODES);
  const byName = new Map(versions.map((v) => [v.version, v]));
  const live = new Set();
  for (let v = byName.get(served.version); v && !live.has(v.version); v = byName.get(v.parent)) live.add(v.version);
  const place = new Map();
  let aside = 0;
  shown.forEach((v, i) => {
    aside = live.has(v.version) ? 0 : (aside % 2) + 1;
    place.set(v.version, { x: 30 + i * STEP, y: 24 + LANE * aside });
  });
  const width = 60 + STEP * Math.max(1, shown.length - 1);
  const drawing = $("lineage");
  drawing.setAttribute("viewBox", `0 0 ${width} 118`);
  drawing.setAttribute("width", width);
  drawing.setAttribute("height", 118);
  drawing.setAttribute("aria-label", `Versions and their parents: ${shown.map((v) => `${v.version} ${words(v.state)}${v.parent ? ` from ${v.parent}` : ""}`).join("; ")}`);
  const edges = shown.filter((v) => place.has(v.parent)).map((v) => {
    const [a, b] = [place.get(v.parent), place.get(v.version)];
    const middle = (a.x + b.x) / 2;
    return svg("path", { class: `edge${live.has(v.version) ? " live" : ""}`, d: `M${a.x} ${a.y}C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}` });
  });
  const nodes = shown.map((v) => {
    const { x, y } = place.get(v.version);
    const label = `${v.version}, ${words(v.state)}${v.version === served.version ? ", serving" : ""}`;
    const node = svg("a", { href: `#${v.version}`, class: `node ${v.state}${v.version === served.version ? " serving" : ""}` },
      svg("title", {}, `${label}${v.time ? `, ${ago(v.time)}` : ""}`),
      svg("circle", { cx: x, cy: y, r: v.version === served.version ? 9 : 7 }),
      text(x, y + 21, String(Number(v.version.slice(v.version.lastIndexOf("-") + 1))), "middle"));
    node.setAttribute("aria-label", label);
    return node;
  });
  drawing.replaceChildren(...edges, ...nodes);
}

const TRAINED = new Set(["pretrain", "sft", "preference", "rating", "rollout", "masked-lm", "classification"]);

/** Of the live version and its ancestors. Received is counted as it is read, the rest by what became of it: they must agree. */
function ledger(topics) {
  const names = Object.keys(topics);
  $("ledger").hidden = !names.length;
  const sum = (outcomes, wanted) => Object.entries(outcomes).filter(([name]) => wanted(name)).reduce((total, [, n]) => total + n, 0);
  const columns = [
    ["Received", (o) => o.received ?? 0],
    ["Trained", (o) => sum(o, (n) => TRAINED.has(n))],
    ["Held out", (o) => o["held-out"] ?? 0],
    ["Waiting", (o) => o.waiting ?? 0],
    ["Erased", (o) => o.erased ?? 0],
    ["Of no use", (o) => sum(o, (n) => !TRAINED.has(n) && !["received", "held-out", "waiting", "erased"].includes(n))],
    ["Unaccounted for", (o) => (o.received ?? 0) - sum(o, (n) => n !== "received")],
  ];
  const row = (tag, cells) => el("tr", {}, ...cells.map((cell) => el(tag, {}, cell)));
  $("ledger-topics").replaceChildren(
    el("thead", {}, row("th", ["Topic", ...columns.map(([name]) => name)])),
    el("tbody", {}, ...names.map((name) => row("td", [name, ...columns.map(([, of]) => whole(of(topics[name])))]))));
}

function rollback({ versions, served }) {
  const now = versions.find((v) => v.version === served.version);
  $("rollback").hidden = !now?.parent;
  $("rollback").textContent = now?.parent ? `Roll back to ${now.parent}` : "Roll back";
}
