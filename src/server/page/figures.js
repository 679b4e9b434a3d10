// The figures and charts of the page, and the metric explorer: queries of the last minutes or hours
// to the query API beside the page.
"use strict";
(() => {
  const parts = document.querySelectorAll(".figures");
  if (!parts.length) return;
  for (const part of parts) part.hidden = "maybe" in part.dataset;
  document.documentElement.classList.add("charts");
  const { amount, draw, spark } = selfhealChart;
  const beside = new URL(document.body.dataset.beside, location.origin + location.pathname).href;
  let minutes = 15, asked = null;

  const ask = async (path, parameters) => {
    const answer = await fetch(beside + "api/v1/" + path + "?" + new URLSearchParams(parameters));
    const body = await answer.json();
    if (body.status !== "success") throw new Error(body.error);
    return body.data;
  };
  // Without the labels that are equal in all series, which tell none from another.
  const title = ({ __name__: name, ...labels }, equal) => {
    if (equal.includes("__name__")) name = "";
    const pairs = Object.entries(labels).filter(([label]) => !equal.includes(label)).map(([label, value]) => label + "=" + value);
    return (name || "") + (pairs.length ? (name ? " " : "") + pairs.join(", ") : "") || "value";
  };
  const number = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));
  const key = ({ metric }) => JSON.stringify(metric);
  const points = ({ values }) => (values || []).map(([time, value]) => [time, number(value)]);
  // The last answers to the queries of the page itself, by expression. Only the steps since then are
  // asked for, and those of the minute before, whose samples may have been recorded after the answer.
  const answers = new Map(), SETTLES = 60;
  const range = async (query, own) => {
    const step = Math.max(5, Math.round(minutes / 4)), now = Date.now() / 1000, to = own ? Math.floor(now / step) * step : now, from = to - minutes * 60;
    let known = own ? answers.get(query) : undefined;
    if (!known || known.step !== step || known.to > to || known.to < from) known = { step, to: from - step, series: new Map() };
    if (known.to < to) {
      const start = Math.max(from, known.to - SETTLES), series = new Map();
      const { result } = await ask("query_range", { query, start, end: to, step });
      for (const [name, one] of known.series) series.set(name, { metric: one.metric, points: one.points.filter(([time]) => time >= from && time < start) });
      for (const one of result) {
        const before = series.get(key(one));
        series.set(key(one), { metric: one.metric, points: [...(before ? before.points : []), ...points(one)] });
      }
      for (const [name, one] of series) if (!one.points.length) series.delete(name);
      known = { step, to, series };
      if (own) answers.set(query, known);
    }
    const all = [...known.series.values()], [first, ...others] = all.map((one) => one.metric);
    const equal = others.length ? Object.keys(first).filter((label) => others.every((one) => one[label] === first[label])) : [];
    const series = all.map((one) => ({ name: title(one.metric, equal), points: one.points }));
    return { from, to, gap: 2.5 * step, series };
  };

  // Events, as marks on the time axis.
  const flags = () => [...document.querySelectorAll("#recent li")].map((row) => ({
    time: +row.querySelector("time").dataset.at,
    kind: row.querySelector(".mark").classList[1],
    text: row.querySelector("b").textContent + ": " + row.querySelector(".what").lastChild.textContent,
  }));

  const tile = async (card) => {
    const { gap, series } = await range(card.dataset.query, true), big = card.querySelector(".big");
    if ("maybe" in card.dataset) card.hidden = !series.length;
    const points = series.length ? series[0].points.filter(([, value]) => Number.isFinite(value)) : [];
    const [figure, ...unit] = amount(points.length ? points[points.length - 1][1] : null, card.dataset.unit).split(" ");
    const small = document.createElement("small");
    small.textContent = unit.join(" ");
    big.replaceChildren(figure, small);
    spark(card.querySelector(".spark"), points, gap);
  };
  const chart = async (figure) => {
    const lines = JSON.parse(figure.dataset.lines), all = await Promise.all(lines.map(([, query]) => range(query, true)));
    const series = all.flatMap((one, n) => one.series.map((line) => ({ name: lines[n][0], points: line.points })));
    draw(figure, { ...all[0], series, unit: figure.dataset.unit, flags: flags(), label: figure.dataset.label });
  };
  // The alerts of rules that are pending or firing, with the expression of each and its values.
  const rules = async () => {
    const section = document.getElementById("rules"), list = section.querySelector("ul");
    const { groups } = await ask("rules", {});
    const alerting = groups.flatMap((group) => group.rules).filter((rule) => (rule.alerts || []).length).slice(0, 10);
    const known = JSON.stringify(alerting.map((rule) => [rule.name, rule.state, rule.query, rule.alerts.length]));
    if (section.dataset.known !== known) {
      section.dataset.known = known;
      list.replaceChildren(...alerting.map(alert));
    }
    section.hidden = !alerting.length;
    for (const figure of [...list.querySelectorAll("figure")].slice(0, 3)) {
      const found = await range(figure.dataset.expression);
      draw(figure, { ...found, series: found.series.slice(0, 5), label: figure.dataset.expression, empty: "No value in this time." });
    }
  };
  const alert = (rule) => {
    const make = (tag, name, parent, text) => {
      const one = document.createElement(tag);
      one.className = name;
      one.textContent = text;
      parent.appendChild(one);
      return one;
    };
    const row = document.createElement("li"), firing = rule.state === "firing";
    make("span", "mark " + (firing ? "down" : "degraded"), row, firing ? "✕" : "▲");
    make("b", "", row, rule.name);
    make("span", "", row, ` ${rule.state}` + (rule.alerts.length > 1 ? `, ${rule.alerts.length} series` : ""));
    const { summary } = { ...rule.annotations, ...rule.alerts[0].annotations };
    if (summary) make("p", "why", row, summary);
    make("code", "", row, rule.query);
    make("figure", "chart", row, "").dataset.expression = rule.query;
    return row;
  };
  // Seconds or bytes, if the values of an expression are surely of that unit: of a metric, of its
  // extremes, means and quantiles, but not of rates, counts, quotients and points in time.
  const unitOf = (expression) => {
    const text = expression.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|\{[^}]*\}/g, "");
    const rate = /\b(i?rate|deriv|count(_over_time|_values)?|changes|resets|group|absent(_over_time)?|present_over_time|std(var|dev)_over_time|bool)\b/;
    const quantile = /^\s*histogram_(quantile|avg)\s*\(/.test(text);
    if (!quantile && (rate.test(text) || /_(count|bucket)\b|[*/%^]/.test(text))) return "";
    if (/_time(stamp)?_seconds\b/.test(text) && !/\btime\s*\(/.test(text)) return "";
    const seconds = /_seconds(_|\b)/.test(text), bytes = /_bytes(_|\b)/.test(text);
    return seconds === bytes ? "" : seconds ? "s" : "B";
  };
  const explorer = async () => {
    const into = document.getElementById("answer"), about = document.getElementById("about");
    try {
      const found = await range(asked), most = 10, name = /^[a-zA-Z_:][\w:]*$/.test(asked.trim()) && asked.trim();
      draw(into, { ...found, series: found.series.slice(0, most), unit: unitOf(asked), flags: flags(), label: asked, empty: "No values: no series match, or there are too few samples so far." });
      let text = found.series.length + " series" + (found.series.length > most ? ", " + most + " of them shown" : "");
      if (name) {
        // The parts of a histogram are described under its name.
        const described = async (metric) => (await ask("metadata", { metric }))[metric];
        const known = (await described(name)) || (await described(name.replace(/_(bucket|sum|count)$/, "")));
        if (known) text += " · " + known[0].type + " · " + known[0].help;
      }
      about.textContent = text;
      about.className = "soft";
    } catch (error) {
      into.replaceChildren();
      about.textContent = error.message;
      about.className = "no";
    }
  };

  let busy = false;
  const refresh = async () => {
    if (busy || document.hidden) return;
    busy = true;
    // One after the other: the server evaluates two at a time, for all clients.
    const work = [...document.querySelectorAll("[data-query]")].map((card) => () => tile(card));
    work.push(...[...document.querySelectorAll("[data-lines]")].map((figure) => () => chart(figure)));
    work.push(rules);
    if (asked) work.push(explorer);
    for (const one of work) try { await one(); } catch { /* the next round tries again */ }
    busy = false;
  };
  setInterval(refresh, 5000);
  document.addEventListener("visibilitychange", refresh);
  let resized = null;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(refresh, 200); });

  for (const button of document.querySelectorAll(".seg button")) {
    button.addEventListener("click", () => {
      minutes = +button.value;
      for (const one of document.querySelectorAll(".seg button")) one.setAttribute("aria-pressed", one === button);
      refresh();
    });
  }
  const form = document.getElementById("explorer");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked = document.getElementById("ask").value;
    const about = document.getElementById("about");
    about.textContent = "asking …";
    about.className = "soft";
    explorer();
  });
  ask("label/__name__/values", {}).then((names) => {
    const list = document.getElementById("names");
    for (const name of names) list.appendChild(document.createElement("option")).value = name;
  }, () => {});
  refresh();
})();
