// Makes pages that work without it better: numbers stay fresh, charts show the values under the pointer.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `lars_zone=${encodeURIComponent(zone)}; path=${document.body.dataset.base || "/"}; max-age=31536000; samesite=lax`;

const words = () => document.getElementById("words").dataset;

function put(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
    element.classList.remove("fresh");
    void element.offsetWidth; // so that the animation begins again
    element.classList.add("fresh");
  }
}

function putState(element, state) {
  element.dataset.state = state;
  put(element, words()[state]);
}

function showFleet(now) {
  for (const name of ["calls", "errors", "ejected", "alarms", "agents", "silent", "modules", "hosts"]) {
    const element = document.querySelector(`[data-live="${name}"]`);
    put(element, now[name]);
    if (element.dataset.alert) element.dataset.alert = now[name] === "0" ? "no" : "yes";
  }
  document.querySelector('[data-live-empty="trouble"]').hidden = now.trouble.length > 0;
  document.querySelector('[data-live-full="trouble"]').hidden = now.trouble.length === 0;
  const rows = now.trouble.map((one) => {
    const row = document.getElementById("trouble-row").content.cloneNode(true);
    const part = (name) => row.querySelector(`[data-is="${name}"]`);
    part("module").href = `${document.body.dataset.base}/modules/${one.modid}/${one.cmdid}`;
    part("module").textContent = `(${one.modid}, ${one.cmdid})`;
    for (const name of ["name", "ejected", "errors", "calls"]) part(name).textContent = one[name];
    part("state").dataset.state = one.state;
    part("state").textContent = words()[one.state];
    return row;
  });
  document.querySelector('[data-live-rows="trouble"]').replaceChildren(...rows);
}

function showModule(now) {
  for (const row of document.querySelectorAll("tr[data-host]")) {
    const host = now.hosts[row.dataset.host];
    if (!host) continue;
    putState(row.querySelector("[data-live-state] .state"), host.state);
    const [by, callers] = host.by;
    put(row.querySelector('[data-live="by"]'), by ? words().by.replace("{n}", by).replace("{callers}", callers) : "");
    for (const name of ["share", "calls", "errors"]) put(row.querySelector(`[data-live="${name}"]`), host[name]);
    row.querySelector("[data-live-width]").setAttribute("width", host.portion);
  }
}

// What is more than numbers is fetched again, at a moment of each browser's own.
let fetching = false;
function fetchParts(parts) {
  if (fetching || document.body.dataset.parts === parts) return;
  fetching = true;
  setTimeout(async () => {
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
        if (fresh && !part.contains(document.activeElement)) part.replaceWith(fresh);
      }
      document.body.dataset.parts = page.body.dataset.parts || parts;
    } finally {
      fetching = false;
    }
  }, 200 + Math.random() * 1500);
}

// How old the figures are: they are gray, and the mark says why, while lars-web or its database does not answer.
const SILENT = 12_000; // beats come every 5 s
const AGAIN = 10_000;
let fresh = null;
function showAge() {
  if (!fresh) return;
  const mark = document.getElementById("live-mark");
  const age = Math.round((Date.now() - fresh.at) / 1000);
  const silent = Date.now() - fresh.heard > SILENT;
  const why = silent ? "lost" : fresh.why || (age > SILENT / 1000 ? "slow" : "");
  const old = age < 120 ? `${age} s` : `${Math.round(age / 60)} min`;
  const text = mark.getAttribute(`data-text-${why || "live"}`).replace("{age}", old);
  document.body.toggleAttribute("data-old", why !== "");
  mark.toggleAttribute("data-lost", why !== "");
  const word = mark.querySelector("[data-word]");
  if (word.textContent !== text) word.textContent = text;
}
setInterval(showAge, 1000);

let stream = null;
function listen() {
  const path = document.body.dataset.stream;
  if (!path || stream || document.hidden) return;
  const mark = document.getElementById("live-mark");
  stream = new EventSource(path);
  stream.addEventListener("error", (event) => {
    if (event.target.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (stream !== event.target) return;
      stream = null; // it was refused, and is not opened again by itself
      listen();
    }, AGAIN);
  });
  stream.addEventListener("open", () => {
    mark.hidden = false;
    fresh = { at: Date.now(), heard: Date.now(), why: "" };
    showAge();
  });
  stream.addEventListener("beat", (message) => {
    const beat = JSON.parse(message.data);
    fresh = { at: Date.now() - beat.age * 1000, heard: Date.now(), why: beat.why };
    showAge();
  });
  stream.addEventListener("now", (message) => {
    const now = JSON.parse(message.data);
    fresh = { at: Date.now(), heard: Date.now(), why: "" };
    showAge();
    (path.endsWith("/live/fleet") ? showFleet : showModule)(now);
    fetchParts(now.parts);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden && stream) {
    stream.close();
    stream = null;
  } else listen();
});
listen();

for (const chart of document.querySelectorAll(".chart")) {
  const plot = chart.querySelector(".plot");
  if (plot) plot.scrollLeft = plot.scrollWidth; // on a phone, which shows half of it: the newest
  const readout = chart.querySelector("[data-readout]");
  for (const title of chart.querySelectorAll(".bar title")) title.remove(); // the readout shows it sooner
  chart.addEventListener("pointerover", (event) => {
    const bar = event.target.closest(".bar");
    readout.textContent = bar ? bar.dataset.readoutText : "";
  });
  chart.addEventListener("pointerleave", () => (readout.textContent = ""));
}
