// What a page does beyond being read: lists of steps, tidy addresses, progress, "the log has changed".
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Lists in order: add, remove and move rows; what happened is said to screen readers.
for (const list of all("[data-list]")) {
  const rows = list.querySelector("ol");
  const template = list.querySelector("template");
  const add = list.querySelector("[data-add]");
  const name = list.querySelector("legend").textContent;
  const say = (text) => { list.querySelector("[data-said]").textContent = text; };
  const control = (row) => row.querySelector("select, input");

  const number = () => all("li", rows).forEach((row, index, every) => {
    control(row).setAttribute("aria-label", `${name} ${index + 1}`);
    row.querySelector(".moves").hidden = false;
    const [up, down, remove] = all("button", row);
    up.disabled = index === 0;
    down.disabled = index === every.length - 1;
    up.setAttribute("aria-label", `Move ${name} ${index + 1} up`);
    down.setAttribute("aria-label", `Move ${name} ${index + 1} down`);
    remove.setAttribute("aria-label", `Remove ${name} ${index + 1}`);
  });

  // The empty rows are for browsers without scripts.
  all("li", rows).filter((row) => !control(row).value).forEach((row) => row.remove());
  add.hidden = false;
  number();

  add.addEventListener("click", () => {
    rows.append(template.content.cloneNode(true));
    number();
    control(rows.lastElementChild).focus();
  });
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const row = button.closest("li");
    const said = control(row).value || "The empty row";
    if ("remove" in button.dataset) {
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      number();
      (next ? next.querySelector("[data-remove]") : add).focus();
      say(`${said} removed.`);
      return;
    }
    const other = button.dataset.move === "-1" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (button.dataset.move === "-1") other.before(row); else other.after(row);
    number();
    (button.disabled ? row.querySelector("button:not(:disabled)") : button).focus();
    say(`${said} is now number ${[...rows.children].indexOf(row) + 1} of ${rows.children.length}.`);
  });
}

// An address says what differs from the defaults and nothing else.
const form = document.getElementById("form");
if (form) {
  form.addEventListener("submit", () => {
    for (const field of all("input, select", form)) {
      if (field.type === "radio") field.disabled = field.checked && "default" in field.dataset;
      else if (field.type === "checkbox") hideDefault(field);
      else if (field.type !== "hidden") field.disabled = field.value === (field.dataset.default ?? "");
    }
  });
  addEventListener("pageshow", () => all("input, select", form).forEach((field) => { field.disabled = false; }));
  const ask = document.getElementById("ask");
  if (matchMedia("(max-width: 900px)").matches && !ask.querySelector("[aria-invalid]") && document.querySelector(".findings")) ask.open = false;
}

function hideDefault(box) {
  const off = form.querySelector(`input[type="hidden"][name="${box.name}"]`);
  if (box.checked && "default" in box.dataset) { box.disabled = true; if (off) off.disabled = true; }
}

// While a form is filled in, it says what it would look at.
const preview = document.getElementById("preview");
if (form && preview) {
  let asked = null;
  let timer = 0;
  const say = (text) => {
    const line = document.createElement("p");
    line.textContent = text;
    preview.replaceChildren(line);
  };
  const look = async () => {
    if (asked) asked.abort();
    const mine = asked = new AbortController();
    const slow = setTimeout(() => preview.setAttribute("aria-busy", "true"), 150);
    try {
      const answer = await fetch(`${preview.dataset.preview}?${new URLSearchParams(new FormData(form))}`, { signal: mine.signal });
      const text = await answer.text();
      if (mine !== asked) return;
      if (answer.ok) preview.innerHTML = text;
      else say("The count failed. The question can be asked all the same.");
    } catch {
      if (mine !== asked) return;
      say("The server does not answer, so nothing is counted.");
    } finally {
      clearTimeout(slow);
    }
    // While the server still counts, only its progress changes: nothing to be read out.
    const counting = preview.querySelector("[data-again]") !== null;
    preview.setAttribute("aria-busy", String(counting));
    if (counting) timer = setTimeout(look, 500);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, 300);
  };
  form.addEventListener("input", soon);
  form.addEventListener("click", (event) => { if (event.target.closest("[data-move], [data-remove]")) soon(); });
  if (preview.querySelector("[data-again]")) look();
}

// A link to a field opens the form that it stands in.
for (const link of all('a[href^="#field-"]')) {
  link.addEventListener("click", (event) => {
    const field = document.querySelector(link.getAttribute("href"));
    if (!field) return;
    event.preventDefault();
    document.getElementById("ask").open = true;
    const target = field.matches("fieldset") ? field.querySelector("select, input, button:not([hidden])") || field : field;
    target.focus();
  });
}

// Copy the address.
for (const button of all("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = button.parentElement.querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(location.href);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Copy it from the address bar.";
    }
  });
}

// Progress: ask until the answer is there, then load the page that shows it.
const waiting = document.getElementById("waiting");
if (waiting) {
  const bar = waiting.querySelector("progress");
  const said = document.getElementById("waiting-said");
  let told = 0;
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.job);
      const job = answer.ok ? await answer.json() : { state: "gone" };
      if (job.state !== "running") return location.reload();
      const percent = Math.round(job.share * 100);
      bar.value = percent;
      if (Math.abs(percent - told) >= 10) {
        told = percent;
        const pass = job.pass > 1 ? `, pass ${job.pass}` : "";
        said.textContent = percent < 100 ? `Reading the log${pass}: ${percent} %` : "The log is read; working out the rest.";
      }
    } catch {
      said.textContent = "The server does not answer. Trying again.";
    }
    setTimeout(look, 400);
  };
  setTimeout(look, 200);
}

// Say so when the log has changed under a page that stays open.
const stamp = document.body.dataset.stamp;
if (stamp && !waiting) {
  const check = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/api/state");
      if (answer.ok && (await answer.json()).stamp !== stamp) document.getElementById("stale").hidden = false;
    } catch { /* the server was stopped: the page can still be read */ }
  };
  setInterval(check, 30_000);
  document.addEventListener("visibilitychange", check);
}
