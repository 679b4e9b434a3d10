// Keeps the page as it is now: sections that changed arrive as HTML, rendered and escaped by the
// server. Without this script the page reloads by itself.
"use strict";
(() => {
  const root = document.documentElement, live = document.getElementById("live");
  const { token } = document.body.dataset;
  // Without credentials in the address, which a request must not contain.
  const beside = new URL(document.body.dataset.beside, location.origin + location.pathname).href;
  const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (stored) root.dataset.theme = stored;

  const ago = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 1) return "now";
    if (s < 120) return s + " s ago";
    if (s < 7200) return Math.floor(s / 60) + " min ago";
    if (s < 172800) return Math.floor(s / 3600) + " h ago";
    return Math.floor(s / 86400) + " d ago";
  };
  const ages = (within) => {
    for (const time of within.querySelectorAll("time[data-at]")) {
      const text = ago(Date.now() / 1000 - time.dataset.at);
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // Replaces changed parts, and keeps the unfolded details and the focus.
  const put = (id, html) => {
    if (id === "title") { document.title = html; return; }
    const section = document.getElementById(id);
    if (!section || section.dataset.html === html) return;
    const unfolded = [...section.querySelectorAll("details[open]")].map((one) => one.id);
    const inside = section.contains(document.activeElement);
    const name = inside && document.activeElement.name, value = inside && document.activeElement.value;
    section.dataset.html = html;
    section.innerHTML = html;
    for (const one of section.querySelectorAll("details")) one.open = unfolded.includes(one.id);
    if (inside) {
      const again = [...section.querySelectorAll("button,a,summary")];
      const same = again.find((one) => name && one.name === name && one.value === value);
      (same || document.getElementById("main")).focus();
    }
    ages(section);
  };

  let events = null, heard = Date.now(), failed = false;
  const open = () => {
    if (events) events.close();
    events = new EventSource(beside + "events");
    events.onmessage = (message) => {
      heard = Date.now();
      failed = false;
      for (const [id, html] of Object.entries(JSON.parse(message.data))) put(id, html);
      document.dispatchEvent(new CustomEvent("selfheal:news"));
    };
    // The browser opens the next stream by itself, unless it was refused.
    events.onerror = () => {
      failed = true;
      if (events.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    };
  };
  const state = () => {
    const silent = Math.round((Date.now() - heard) / 1000);
    const late = silent > 4;
    const text = !late ? "live" : failed ? "no answer for " + silent + " s" : "stale, " + silent + " s old";
    if (live.textContent !== text) live.textContent = text;
    live.classList.toggle("late", late);
    root.classList.toggle("gone", silent > 12);
    ages(document);
  };
  setInterval(state, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { events.close(); } else { heard = Date.now(); open(); }
  });
  if (!document.hidden) open();
  state();

  // A command is confirmed first, and sent with the token that only this page has.
  const make = (tag, text, parent) => {
    const one = document.createElement(tag);
    one.textContent = text;
    return parent.appendChild(one);
  };
  const order = (button) => {
    const dialog = make("dialog", "", document.body), about = button.value ? " " + button.value : "";
    make("p", button.textContent + about + "? It is recorded with your name.", dialog).id = "order";
    dialog.setAttribute("aria-labelledby", "order");
    const failure = make("p", "", dialog), row = make("div", "", dialog);
    failure.className = "no";
    failure.setAttribute("role", "alert");
    const no = make("button", "Cancel", row), yes = make("button", button.textContent, row);
    yes.id = "confirm";
    no.onclick = () => dialog.close();
    dialog.onclose = () => { dialog.remove(); button.focus(); };
    yes.onclick = async () => {
      yes.disabled = true;
      try {
        const answer = await fetch(beside + "api/control/" + button.name, {
          method: "POST",
          headers: { "content-type": "application/json", "x-selfheal-token": token },
          body: JSON.stringify(button.value ? { key: button.value } : {}),
        });
        if (answer.ok) { dialog.close(); return; }
        failure.textContent = (await answer.json()).error;
      } catch (error) {
        failure.textContent = "Not done: " + error.message;
      }
      yes.disabled = false;
    };
    dialog.showModal();
  };
  if (token) {
    root.classList.add("control");
    document.addEventListener("click", (event) => {
      const button = event.target.closest(".acts button");
      if (button) order(button);
    });
  }

  const keys = {
    "/": () => document.getElementById("ask"),
    a: () => document.querySelector("#alerts .card"),
    t: () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it lasts as long as the page */ }
    },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const act = keys[event.key];
    if (!act) return;
    const to = act();
    if (to) { event.preventDefault(); if (to.tabIndex < 0) to.tabIndex = -1; to.focus(); }
  });
})();
