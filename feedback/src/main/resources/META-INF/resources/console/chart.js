// One measure by version: a point for each, its interval as a bar, and a line through the versions that were promoted.

import { el, svg } from "./format.js";

const WIDTH = 480;
const HEIGHT = 230;
const LEFT = 46;
const RIGHT = 14;
const TOP = 18;
const BOTTOM = 30;

/**
 * @param points [{label, value, low, high, accepted}], in order
 * @param format value to text
 * @param chance a level that guessing reaches, or null
 */
export function chart(container, points, { title, format, chance = null }) {
  if (!points.length) {
    container.replaceChildren(el("p", { class: "empty" }, "Nothing has been judged by this yet."));
    return;
  }
  const [low, high] = range(points, chance);
  const x = (i) => (points.length === 1 ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + 14 + ((WIDTH - LEFT - RIGHT - 28) * i) / (points.length - 1));
  const y = (v) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - v)) / (high - low);
  const spoken = points.map((p) => `${p.label} ${format(p.value)}`).join(", ");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} by version: ${spoken}` });

  for (const level of levels(low, high)) {
    drawing.append(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(level), y2: y(level) }),
      text(LEFT - 8, y(level) + 4, format(level), "end"));
  }
  if (chance !== null && chance > low && chance < high) {
    drawing.append(svg("line", { class: "chance", x1: LEFT, x2: WIDTH - RIGHT, y1: y(chance), y2: y(chance) }));
  }
  const accepted = points.map((p, i) => [p, i]).filter(([p]) => p.accepted);
  drawing.append(svg("path", { class: "line", d: accepted.map(([p, i], n) => `${n ? "L" : "M"}${x(i)} ${y(p.value)}`).join("") || "M0 0" }));

  const everyLabel = Math.ceil(points.length / 9);
  points.forEach((p, i) => {
    const group = svg("g", { class: p.accepted ? "accepted" : "refused" });
    if (p.low !== null && p.high !== null) {
      group.append(...bar(x(i), y(p.low), y(p.high)));
    }
    group.append(svg("circle", { class: "point", cx: x(i), cy: y(p.value), r: 5 }, titleOf(p, format)));
    if (i === points.length - 1) group.append(text(x(i), y(p.high ?? p.value) - 7, format(p.value), "middle", "value"));
    if (i % everyLabel === 0 || i === points.length - 1) group.append(text(x(i), HEIGHT - 8, p.label, "middle"));
    drawing.append(group);
  });
  container.replaceChildren(drawing);
}

function range(points, chance) {
  const all = points.flatMap((p) => [p.value, p.low ?? p.value, p.high ?? p.value]);
  let low = Math.min(...all);
  let high = Math.max(...all);
  // Chance is drawn only where it is near enough not to press the points together.
  if (chance !== null && low - chance < 3 * (high - low + 0.01)) low = Math.min(low, chance - 0.01);
  const space = (high - low || Math.abs(high) * 0.1 || 1) * 0.16;
  return [low - space, high + space];
}

/** Three to six round numbers inside the range. */
function levels(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const result = [];
  for (let level = Math.ceil(low / step) * step; level <= high; level += step) result.push(Number(level.toPrecision(10)));
  return result;
}

function bar(x, low, high) {
  const line = (x1, y1, x2, y2) => svg("line", { class: "interval", x1, y1, x2, y2 });
  return [line(x, low, x, high), line(x - 5, low, x + 5, low), line(x - 5, high, x + 5, high)];
}

function text(x, y, content, anchor, kind = "") {
  return svg("text", { x, y, "text-anchor": anchor, class: kind }, content);
}

function titleOf(p, format) {
  const interval = p.low === null ? "" : ` (${format(p.low)} to ${format(p.high)})`;
  return svg("title", {}, `${p.name}: ${format(p.value)}${interval}${p.accepted ? "" : ", refused"}`);
}
