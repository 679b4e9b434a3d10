// Lines over time as SVG, drawn to the available width. Texts are set as text, never as markup.
"use strict";
const selfhealChart = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes, parent, text) => {
    const one = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    if (text !== undefined) one.textContent = text;
    if (parent) parent.appendChild(one);
    return one;
  };
  const html = (tag, name, parent, text) => {
    const one = document.createElement(tag);
    one.className = name;
    if (text !== undefined) one.textContent = text;
    return parent.appendChild(one);
  };

  const digits = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 100) return value.toFixed(0);
    if (size >= 10) return String(+value.toFixed(1));
    return size >= 0.001 ? String(+value.toPrecision(3)) : value.toExponential(1);
  };
  const scaled = (value, steps) => {
    if (value === 0) return "0";
    const [size, name] = steps.find(([size]) => Math.abs(value) >= size) || steps[steps.length - 1];
    return digits(value / size) + " " + name;
  };
  // A value with its unit: seconds and bytes in the multiple that reads best.
  const amount = (value, unit) => {
    if (value === null || Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (unit === "s") return scaled(value, [[60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"]]);
    if (unit === "B") return scaled(value, [[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "kB"], [1, "B"]]);
    if (unit === "%") return digits(value * 100) + " %";
    if (unit) return digits(value) + " " + unit;
    return Math.abs(value) >= 1e4 ? scaled(value, [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) : digits(value);
  };

  // At most `most` steps of 1, 2 or 5 times a power of ten.
  const step = (span, most) => {
    const raw = span / Math.max(1, most), power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].find((times) => times * power >= raw) * power;
  };
  const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440];
  const age = (seconds) => {
    const minutes = Math.round(seconds / 60);
    if (minutes === 0) return "now";
    return minutes < 120 ? "−" + minutes + " min" : "−" + +(minutes / 60).toFixed(1) + " h";
  };
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

  // A path with a gap wherever a point is missing. A single point is a dot: a line of no
  // length with round ends.
  const path = (points, x, y, gap) => {
    let text = "", last = null;
    for (const [time, value] of points) {
      if (!Number.isFinite(value)) { last = null; continue; }
      const alone = last === null || time - last > gap;
      text += (alone ? "M" : "L") + x(time).toFixed(1) + " " + y(value).toFixed(1) + (alone ? "h0" : "");
      last = time;
    }
    return text;
  };
  const bounds = (series) => {
    let low = Infinity, high = -Infinity;
    for (const one of series) for (const [, value] of one.points) if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return low > high ? null : [Math.min(0, low), high === low && high <= 0 ? low + 1 : Math.max(high, 0)];
  };

  // Marks that would touch are one, of the worst kind: a storm of faults hides no line.
  const APART = 16, WORST = ["down", "degraded", "unknown", "up"];
  const crowds = (flags, x) => {
    const found = new Map();
    for (const flag of flags) {
      const place = Math.floor(x(flag.time) / APART);
      if (!found.has(place)) found.set(place, []);
      found.get(place).push(flag);
    }
    return [...found.values()];
  };
  const few = (texts, most = 5) => (texts.length > most ? [...texts.slice(0, most), `and ${texts.length - most} more`] : texts);

  // A small line without axes, which adds nothing to its figure.
  const spark = (into, points, gap) => {
    into.replaceChildren();
    const range = bounds([{ points }]);
    if (!range || points.length < 2) return;
    const width = into.clientWidth || 160, height = 34, first = points[0][0], last = points[points.length - 1][0];
    const x = (time) => ((time - first) / (last - first || 1)) * width;
    const y = (value) => height - 2 - ((value - range[0]) / (range[1] - range[0] || 1)) * (height - 4);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true", class: "c0" }, into);
    svg("path", { d: path(points, x, y, gap), class: "line" }, picture);
  };

  // Five colours, then the same with dashes.
  const colour = (n) => "c" + (n % 5) + (n % 10 < 5 ? "" : " dashed");

  // `chart`: { series: [{ name, points: [[seconds, value]] }], from, to, gap, unit, flags, label }.
  const draw = (into, chart) => {
    const cursor = into.dataset.cursor === undefined ? null : +into.dataset.cursor;
    into.replaceChildren();
    const { series, from, to, unit } = chart, range = bounds(series);
    if (!range) { html("p", "soft", into, chart.empty || "No samples yet."); return; }
    const width = into.clientWidth || 600, height = width < 500 ? 160 : 210;
    const by = step(range[1] - range[0] || 1, 4), top = Math.ceil(range[1] / by - 1e-9) * by, bottom = Math.floor(range[0] / by + 1e-9) * by;
    const ticks = [];
    for (let n = 0; bottom + n * by <= top + by / 2 && n < 12; n += 1) ticks.push(bottom + n * by);
    const texts = ticks.map((tick) => amount(tick, unit)), left = 14 + 6.2 * Math.max(...texts.map((text) => text.length));
    const box = { x: left, y: 10, w: width - left - 6, h: height - 34 };
    const x = (time) => box.x + ((time - from) / (to - from)) * box.w;
    const y = (value) => box.y + box.h - ((value - bottom) / (top - bottom || 1)) * box.h;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": chart.label || "", tabindex: "0" }, into);
    ticks.forEach((tick, n) => {
      svg("line", { class: "grid", x1: box.x, x2: box.x + box.w, y1: y(tick), y2: y(tick) }, picture);
      svg("text", { x: box.x - 8, y: y(tick) + 4, "text-anchor": "end" }, picture, texts[n]);
    });
    const every = 60 * (MINUTES.find((minutes) => (to - from) / (60 * minutes) <= box.w / 90) || 1440);
    for (let back = 0; back <= to - from + 1; back += every) {
      const anchor = back === 0 ? "end" : x(to - back) < box.x + 30 ? "start" : "middle";
      svg("text", { x: x(to - back), y: height - 8, "text-anchor": anchor }, picture, age(back));
    }
    for (const flags of crowds((chart.flags || []).filter(({ time }) => time >= from && time <= to), x)) {
      const at = x(flags[0].time), kind = WORST.find((one) => flags.some((flag) => flag.kind === one)) || "";
      const mark = svg("line", { class: "flag " + kind, x1: at, x2: at, y1: box.y, y2: box.y + box.h }, picture);
      svg("title", {}, mark, few(flags.map((flag) => clock(flag.time) + " " + flag.text)).join("\n"));
    }
    series.forEach((one, n) => {
      const group = svg("g", { class: colour(n) }, picture), line = path(one.points, x, y, chart.gap);
      if (series.length === 1 && line && !line.slice(1).includes("M")) {
        const ends = one.points.filter(([, value]) => Number.isFinite(value));
        svg("path", { class: "area", d: `${line}L${x(ends[ends.length - 1][0]).toFixed(1)} ${y(bottom)}L${x(ends[0][0]).toFixed(1)} ${y(bottom)}Z` }, group);
      }
      svg("path", { class: "line", d: line }, group);
    });
    if (series.length > 1) {
      const key = html("ul", "key", into);
      series.forEach((one, n) => {
        const row = html("li", colour(n), key);
        html("i", "", row);
        html("span", "", row, one.name);
      });
    }
    pointer(into, picture, chart, { x, box }, cursor);
  };

  // The values at one time: under the mouse, or moved by the arrow keys.
  const pointer = (into, picture, chart, { x, box }, cursor) => {
    const times = [...new Set(chart.series.flatMap((one) => one.points.map(([time]) => time)))].sort((a, b) => a - b);
    if (!times.length) return;
    const line = svg("line", { class: "cursor", y1: box.y, y2: box.y + box.h, visibility: "hidden" }, picture);
    const tip = html("div", "tip", into);
    tip.hidden = true;
    tip.setAttribute("role", "status");
    const show = (time) => {
      if (time === null) { line.setAttribute("visibility", "hidden"); tip.hidden = true; delete into.dataset.cursor; return; }
      into.dataset.cursor = time;
      line.setAttribute("visibility", "visible");
      line.setAttribute("x1", x(time));
      line.setAttribute("x2", x(time));
      tip.replaceChildren();
      html("b", "", tip, clock(time));
      for (const one of chart.series) {
        const at = one.points.find(([when]) => when === time);
        html("div", "", tip, (one.name ? one.name + " " : "") + amount(at ? at[1] : null, chart.unit));
      }
      const near = (chart.flags || []).filter((flag) => Math.abs(flag.time - time) <= chart.gap);
      for (const text of few(near.map((flag) => flag.text))) html("div", "soft", tip, text);
      tip.hidden = false;
      const right = x(time) > into.clientWidth / 2;
      tip.style.left = right ? "auto" : x(time) + 10 + "px";
      tip.style.right = right ? into.clientWidth - x(time) + 10 + "px" : "auto";
      tip.style.top = box.y + "px";
    };
    const nearest = (time) => times.reduce((best, one) => (Math.abs(one - time) < Math.abs(best - time) ? one : best));
    picture.addEventListener("pointermove", (event) => {
      const left = picture.getBoundingClientRect().left;
      show(nearest(chart.from + ((event.clientX - left - box.x) / box.w) * (chart.to - chart.from)));
    });
    picture.addEventListener("pointerleave", () => show(null));
    picture.addEventListener("blur", () => show(null));
    picture.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") show(null);
      if (!to) return;
      event.preventDefault();
      const at = into.dataset.cursor === undefined ? times.length : times.indexOf(nearest(+into.dataset.cursor));
      show(times[Math.max(0, Math.min(times.length - 1, at + to))]);
    });
    if (cursor !== null && cursor >= chart.from) show(nearest(cursor));
  };

  return { amount, draw, spark };
})();
