// A document's board: write in place, move, and see others write, without losing a word of anybody's.
"use strict";

(() => {
  const doc = document.getElementById("doc");
  if (!doc) return;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, props = {}, ...inside) => { const made = Object.assign(document.createElement(tag), props); made.append(...inside); return made; };
  const { name, branch } = doc.dataset;
  const past = "past" in doc.dataset;
  const at = `/documents/${encodeURIComponent(name)}`;
  const on = `branch=${encodeURIComponent(branch)}`;
  const POLL = 2500;
  const QUIET = 4000;

  const live = () => document.getElementById("live");
  const board = () => doc.querySelector(".board");
  const saved = document.getElementById("saved");
  const toast = document.getElementById("toast");
  const panel = document.getElementById("panel");
  let seen = Number(live().dataset.revision);
  let told = seen;
  let comments = Number(live().dataset.comments);
  let bound = live().dataset.bound;
  const mine = new Set();

  // ---------------------------------------------------------------- saying
  let clearing = 0;
  const say = (text) => {
    toast.textContent = text;
    clearTimeout(clearing);
    clearing = setTimeout(() => { toast.textContent = ""; }, 6000);
  };
  const state = (text, wrong = false) => {
    saved.textContent = text;
    saved.classList.toggle("wrong-now", wrong);
  };

  // ---------------------------------------------------------------- sending
  const OFFLINE = "Not saved: the server does not answer. What you wrote stays here.";

  class Refused extends Error {
    constructor(error) { super(error.problem); Object.assign(this, { code: error.code, where: error.where || "", hint: error.hint || "", conflicts: error.conflicts || [] }); }
    get words() { return [this.message, this.hint].filter(Boolean).join(" "); }
  }

  let sending = 0; // while something is sent, what comes back may be our own

  async function asked(address, options = {}) {
    let answer;
    if (options.method) sending += 1;
    try {
      answer = await fetch(address, { ...options, signal: AbortSignal.timeout(20_000) });
    } catch {
      throw new Refused({ code: "offline", problem: OFFLINE });
    } finally {
      if (options.method) sending -= 1;
    }
    const said = await answer.json().catch(() => null);
    if (answer.ok && said) return said;
    if (said && said.error && said.error.code === "refused") {
      await refresh(); // the forms of a server that was started again carry another token
      throw new Refused({ code: "refused", problem: "Not saved: the server was started again meanwhile.", hint: "What you wrote is still here: save once more." });
    }
    throw new Refused((said && said.error) || { code: "fault", problem: `Not saved: the server failed (${answer.status}).`, hint: "Try again." });
  }

  async function sent(promise) {
    state("Saving…");
    try {
      const said = await promise;
      if (said.revision) mine.add(said.revision);
      await refresh();
      state(`Saved, revision ${seen}`);
      return said;
    } catch (error) {
      state(error.code === "offline" ? "Not saved" : "", true);
      throw error;
    }
  }

  const post = (path, body) => sent(asked(`/api${at}/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ branch, seen, ...body }) }));
  const change = (...changes) => post("changes", { changes });
  const submit = (form, button) => {
    const said = new FormData(form);
    if (button && button.name) said.set(button.name, button.value);
    return sent(asked(form.action, { method: "POST", headers: { accept: "application/json" }, body: said }));
  };

  // One thing after the other: fast keys never overtake each other.
  let work = Promise.resolve();
  const queued = (task) => { work = work.then(task).catch((error) => { say(error.words || String(error)); if (!(error instanceof Refused)) throw error; }); return work; };

  // ---------------------------------------------------------------- the notes
  const notes = (within = board()) => all(".note", within);
  const noteOf = (id) => notes().find((li) => li.dataset.id === id);
  const cardOf = (li) => li.querySelector(":scope > .card-note");
  const textOf = (li) => cardOf(li).querySelector("[data-text]");
  const listOf = (li) => li.parentElement;
  const words = (li) => { const text = textOf(li); const said = text ? text.dataset.text : cardOf(li).textContent; return said.length > 60 ? `${said.slice(0, 59)}…` : said; };
  const editing = new Map(); // note id -> what is being written in it

  // What the server said of each note: what is compared when it says more.
  const pristine = new WeakMap();
  function prepare(li) {
    pristine.set(li, cardOf(li).outerHTML);
    dress(li);
    if (!past) li.draggable = true;
  }

  // With scripts, a note's text is not a way to another page.
  function dress(li) {
    const text = textOf(li);
    if (text) text.setAttribute("role", "button");
  }

  function remembered() {
    const active = document.activeElement;
    const li = active && active.closest && active.closest(".note");
    const key = active && active.closest && active.closest("[data-focus]");
    const shelf = active && active.closest && active.closest(".shelf");
    if (!active || (!li && !key)) return () => {};
    const [start, end] = "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : [];
    const id = li && li.dataset.id;
    const focus = key && key.dataset.focus;
    const title = shelf && shelf.className;
    return () => {
      if (document.activeElement === active) return;
      let target = active.isConnected ? active : null;
      if (!target && id && noteOf(id)) target = cardOf(noteOf(id)).querySelector(`[data-focus="${focus || "text"}"]`);
      if (!target && !id && focus) target = all(`[data-focus="${focus}"]`).find((each) => !title || (each.closest(".shelf") || {}).className === title);
      if (!target) return;
      target.focus({ preventScroll: true });
      if (start !== undefined && target === active) try { active.setSelectionRange(start, end); } catch { /* not a text field */ }
    };
  }

  function fold(fresh, byOthers) {
    const restore = remembered();
    const next = fresh.querySelector(".board");
    const coming = new Map(notes(next).map((li) => [li.dataset.id, li]));
    const there = new Map(notes().map((li) => [li.dataset.id, li]));
    for (const [id, li] of there) if (!coming.has(id)) leave(li, id);
    for (const list of all("[data-notes]", next)) {
      const here = board().querySelector(`[data-notes="${CSS.escape(list.dataset.notes)}"]`);
      if (!here) continue;
      let place = here.firstElementChild;
      for (const made of [...list.children]) {
        const id = made.dataset.id;
        let li = there.get(id);
        if (!li) {
          li = document.importNode(made, true);
          all(":scope > .notes > .note", li).forEach((inner) => inner.remove());
          prepare(li);
          there.set(id, li);
          if (byOthers) mark(li);
        } else if (pristine.get(li) !== cardOf(made).outerHTML) {
          renew(li, made);
          if (byOthers) mark(li);
        }
        if (li === place) place = place.nextElementSibling;
        else here.insertBefore(li, place);
      }
    }
    for (const part of all(".says", next)) {
      const shelf = part.closest(".shelf");
      const here = board().querySelector(`.${CSS.escape(shelf.classList[1])} > .says`);
      if (here && here.innerHTML !== part.innerHTML) here.innerHTML = part.innerHTML;
    }
    restore();
  }

  function renew(li, made) {
    const now = cardOf(made).outerHTML;
    const edit = editing.get(li.dataset.id);
    if (edit) {
      const theirs = textOf(made).dataset.text;
      if (theirs !== edit.was && theirs !== edit.field.value.trim()) edit.meanwhile(theirs);
      return; // what is being written stays; the rest comes when it is done
    }
    cardOf(li).replaceWith(document.importNode(cardOf(made), true));
    pristine.set(li, now);
    dress(li);
    all(":scope > .notes", li).forEach((list) => {
      const fresh = made.querySelector(":scope > .notes");
      for (const key of ["title", "into", "of"]) list.dataset[key] = fresh.dataset[key];
      list.setAttribute("aria-label", fresh.getAttribute("aria-label"));
    });
  }

  function leave(li, id) {
    const edit = editing.get(id);
    if (edit) edit.gone();
    else if (!notes(li).some((inner) => editing.has(inner.dataset.id))) li.remove();
  }

  function mark(li) {
    li.classList.add("theirs");
    setTimeout(() => li.classList.remove("theirs"), 3000);
  }

  function patch(fresh) {
    for (const part of all("[data-live]", doc)) {
      const key = part.dataset.live;
      const copy = fresh.querySelector(`template[data-live-copy="${key}"]`);
      const made = copy ? copy.innerHTML : (fresh.querySelector(`[data-live="${key}"]`) || part).innerHTML;
      if (part._said === undefined) part._said = part.innerHTML;
      if (part._said.trim() === made.trim()) continue;
      const held = part.contains(document.activeElement) && document.activeElement.dataset.focus;
      part.innerHTML = made;
      part._said = made;
      if (held) { const again = part.querySelector(`[data-focus="${held}"]`); if (again) again.focus(); }
    }
    all("[data-seen]").forEach((field) => { field.value = String(seen); });
    const token = fresh.querySelector("[name=token]");
    if (token) all("[name=token]").forEach((field) => { field.value = token.value; });
  }

  let refreshing = Promise.resolve();
  function refresh(byOthers = false) {
    refreshing = refreshing.then(async () => {
      let answer;
      try {
        answer = await fetch(`${at}/live?${on}`, { signal: AbortSignal.timeout(20_000) });
      } catch { return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = fresh.getElementById("live");
      if (!part) return;
      seen = Number(part.dataset.revision);
      comments = Number(part.dataset.comments);
      bound = part.dataset.bound;
      fold(part, byOthers);
      patch(part);
      badges();
      followPanel();
    });
    return refreshing;
  }

  // ---------------------------------------------------------------- others
  let missing = 0;
  let other = "Somebody else";
  async function poll() {
    if (document.hidden || past || sending) return;
    let now;
    try {
      now = await asked(`/api${at}/state?${on}&seen=${told}`);
    } catch (error) {
      missing += 1;
      if (missing === 2) state(error.code === "offline" ? "The server does not answer. What you write stays here." : error.message, true);
      return;
    }
    if (missing >= 2) {
      state("The server answers again.");
      await refresh();
    }
    missing = 0;
    if (sending) return;
    const theirs = now.changes.filter((each) => !mine.has(each.revision));
    told = now.revision;
    if (theirs.length) other = theirs[0].who;
    if (now.revision !== seen || now.comments !== comments) await refresh(theirs.length > 0);
    if (theirs.length) say(theirs.length > 3 ? `${theirs[0].who} and others made ${theirs.length} changes.` : theirs.reverse().map((each) => `${each.who}: ${each.why || `revision ${each.revision}`}.`).join(" "));
  }
  let timer = 0;
  let turn = 0;
  const again = async () => {
    const now = turn += 1;
    clearTimeout(timer);
    await poll();
    if (now === turn) timer = setTimeout(again, POLL);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });

  // ---------------------------------------------------------------- write in place
  function edit(li) {
    const id = li.dataset.id;
    const link = textOf(li);
    if (past || !link || !("editable" in link.dataset)) return open(id, li);
    if (editing.has(id)) return editing.get(id).field.focus();
    const card = cardOf(li);
    const field = make("textarea", { value: link.dataset.text, rows: 2, maxLength: 10_000 });
    field.setAttribute("aria-label", `What the note says: ${words(li)}`);
    const said = make("p", { className: "inline-said" });
    said.setAttribute("role", "alert");
    const extra = make("div");
    link.hidden = true;
    li.draggable = false;
    card.querySelector(".note-text").after(field, extra, said);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    const entry = { was: link.dataset.text, field, asking: false };
    editing.set(id, entry);

    const close = (focus) => {
      if (editing.get(id) !== entry) return;
      editing.delete(id);
      const held = card.contains(document.activeElement);
      [field, extra, said].forEach((each) => each.remove());
      link.hidden = false;
      li.draggable = true;
      pristine.set(li, ""); // what came meanwhile is shown now
      if (focus && held) link.focus();
    };
    const choices = (text, ...buttons) => {
      entry.asking = true;
      extra.replaceChildren(make("div", { className: "meanwhile" }, make("p", { textContent: text }), make("div", { className: "actions" }, ...buttons)));
      extra.firstChild.setAttribute("role", "status");
    };
    const button = (text, act) => { const made = make("button", { type: "button", textContent: text }); made.addEventListener("click", act); return made; };
    entry.meanwhile = (theirs) => {
      if (entry.asking && theirs === entry.theirs) return;
      entry.theirs = theirs;
      const answered = (act) => () => { entry.was = theirs; entry.asking = false; extra.replaceChildren(); act(); };
      choices(
        `${other} wrote meanwhile:\n${theirs}`,
        button("Keep mine", answered(() => save(true))),
        button("Take theirs", answered(() => { close(true); refresh(); })),
        button("Both", answered(() => { field.value = `${theirs}\n${field.value}`; field.focus(); })),
      );
    };
    entry.gone = () => {
      const list = listOf(li).dataset;
      choices("Somebody deleted this note meanwhile. Your words are still here.",
        button("Add it again", () => queued(async () => { await change({ do: "add", into: list.into, of: list.of, item: { ...JSON.parse(list.sets || "{}"), text: field.value, ...kindOf(li) } }); drop(); })),
        button("Let it go", () => drop()));
    };
    const drop = () => { const next = neighbour(li); close(false); li.remove(); if (next) textOf(next).focus(); };
    const save = async (focus) => {
      const now = field.value.trim();
      if (entry.saving || entry.asking || editing.get(id) !== entry) return;
      if (!now) { said.textContent = "A note needs words."; return; }
      if (now === entry.was) { close(focus); refresh(); return; }
      entry.saving = true;
      said.textContent = "";
      try {
        await written({ do: "set", id, field: "text", was: entry.was, to: now }, () => { link.textContent = link.dataset.text = now; close(focus); });
      } catch (error) {
        const clash = error.conflicts && error.conflicts[0];
        if (clash) entry.meanwhile(String(clash.theirs));
        else if (error.code === "gone") entry.gone();
        else said.replaceChildren(error.words || String(error), " ", button("Try again", () => { entry.failed = false; save(true); }));
        entry.failed = true;
      } finally { entry.saving = false; }
    };
    entry.dirty = () => field.value.trim() !== entry.was;
    field.addEventListener("input", () => { entry.failed = false; });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); save(true); }
      if (event.key === "Escape") { event.preventDefault(); close(true); refresh(); }
    });
    field.addEventListener("blur", () => setTimeout(() => {
      if (editing.get(id) !== entry || document.activeElement === field || card.contains(document.activeElement) || entry.failed) return;
      if (entry.dirty()) save(false); else if (!entry.asking) { close(false); refresh(); }
    }, 120));
  }

  // The edit is closed before the board is folded, so that the fold may renew the note.
  async function written(what, done) {
    state("Saving…");
    const said = await asked(`/api${at}/changes`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ branch, seen, changes: [what] }) }).catch((error) => { state("Not saved", true); throw error; });
    mine.add(said.revision);
    done();
    await refresh();
    state(`Saved, revision ${seen}`);
    return said;
  }

  const kindOf = (li) => { const shelf = li.closest(".shelf"); const kinds = shelf && shelf.querySelector(".adder select[name=kind]"); return kinds ? { kind: kinds.value } : {}; };

  // ---------------------------------------------------------------- move
  function neighbour(li) {
    const every = notes();
    const index = every.indexOf(li);
    return every.find((other, number) => number > index && !li.contains(other)) || every[index - 1];
  }

  const lists = () => all(".shelf > [data-notes]", board());

  async function move(li, list, before) {
    const from = listOf(li);
    const sets = JSON.parse(list.dataset.sets || "{}");
    const was = JSON.parse(from.dataset.sets || "{}");
    const id = li.dataset.id;
    const set = Object.keys(sets).filter((key) => sets[key] !== was[key]).map((key) => ({ do: "set", id, field: key, was: was[key] ?? null, to: sets[key] }));
    await change(...set, { do: "move", id, into: list.dataset.into, of: list.dataset.of, before: before || null });
    const moved = noteOf(id);
    if (!moved) return;
    const place = [...listOf(moved).children].indexOf(moved) + 1;
    say(`${words(moved)} is now ${place} of ${listOf(moved).children.length} in ${listOf(moved).dataset.title}.`);
  }

  const step = (id, key) => queued(async () => {
    const li = noteOf(id);
    if (!li) return;
    const list = listOf(li);
    const siblings = [...list.children];
    const index = siblings.indexOf(li);
    if (key === "ArrowUp" && index > 0) return move(li, list, siblings[index - 1].dataset.id);
    if (key === "ArrowDown" && index < siblings.length - 1) return move(li, list, siblings[index + 2] ? siblings[index + 2].dataset.id : null);
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    const every = lists();
    const shelf = li.closest(".shelf").querySelector(":scope > [data-notes]");
    const target = every[every.indexOf(shelf) + (key === "ArrowRight" ? 1 : -1)];
    if (target && target.dataset.into !== "personas" && shelf.dataset.into !== "personas") await move(li, target, null);
  });

  function remove(li) {
    const id = li.dataset.id;
    const said = words(li);
    const next = neighbour(li);
    const held = li.contains(document.activeElement);
    queued(async () => {
      await change({ do: "remove", id });
      say(`${said} is deleted. Undo brings it back.`);
      if (held || document.activeElement === document.body) {
        const target = next && next.isConnected ? textOf(next) : board().querySelector(".adder summary");
        if (target) target.focus();
      }
    });
  }

  const undo = () => queued(async () => {
    const form = doc.querySelector("[data-undo]");
    if (!form || form.querySelector("button").disabled) return;
    const what = form.querySelector("button").title;
    try {
      await submit(form);
    } catch (error) { await refresh(); throw error; }
    say(`Undone: ${what}`);
  });

  // ---------------------------------------------------------------- details of a note
  let from = null;
  let dirty = false;
  let warned = false;

  async function open(id, opener) {
    if (dirty && !panel.hidden && !(await leaveable())) return;
    from = opener || from;
    let answer;
    try {
      answer = await fetch(`${at}/item?part=1&${on}&id=${encodeURIComponent(id)}`);
    } catch { say("The server does not answer."); return; }
    if (!answer.ok) { say("This note is not there any more."); refresh(); return; }
    panel.innerHTML = await answer.text();
    panel.hidden = false;
    dirty = false;
    warned = false;
    enhance(panel);
    badges();
    const first = panel.querySelector(".item-form :is(textarea, input:not([type=hidden]), select)");
    if (first) first.focus();
  }

  async function leaveable() {
    if (warned) return true;
    warned = true;
    tell("What you wrote is not saved. Do it again to drop it, or save it.");
    return false;
  }

  function shut() {
    panel.hidden = true;
    panel.replaceChildren();
    dirty = false;
    const back = from && (from.isConnected ? from : null);
    const target = back && (back.matches(".note") ? textOf(back) : back);
    if (target) target.focus();
    from = null;
  }

  const tell = (text) => { panel.querySelector(".panel-said").textContent = text; };

  // What others change of the note in the panel comes in unless something is being written there.
  async function followPanel() {
    if (panel.hidden) return;
    const item = panel.querySelector(".item");
    if (!item) return;
    const address = `${at}/item?part=1&${on}&id=${encodeURIComponent(item.dataset.id)}`;
    const answer = await fetch(address).catch(() => null);
    if (!answer || panel.hidden || panel.querySelector(".item") !== item) return;
    if (!answer.ok) { tell("Somebody deleted this note meanwhile. What you wrote is still here."); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const was = (within) => within.querySelector("[name=was]").value;
    const talk = fresh.querySelector("[data-part=comments]");
    if (talk) panel.querySelector("[data-part=comments]").innerHTML = talk.innerHTML;
    if (was(fresh) === was(panel)) return;
    if (dirty && panel.querySelector(".meanwhile")) return;
    if (dirty) { tell("Somebody changed this note meanwhile. Saving compares field by field, and shows both where you meet."); return; }
    const name = document.activeElement && panel.contains(document.activeElement) && document.activeElement.name;
    panel.innerHTML = fresh.querySelector(".item").outerHTML;
    enhance(panel);
    badges();
    const again = name && panel.querySelector(`[name="${CSS.escape(name)}"]`);
    if (again) again.focus();
  }

  function enhance(within) {
    for (const rows of all("[data-new]", within)) {
      if (rows._ready) continue;
      rows._ready = true;
      all(":scope > ol > [data-spare]", rows).forEach((li) => li.remove());
      let count = all(":scope > ol > li", rows).length;
      const drops = () => all(":scope > ol > li > [data-drop-row]", rows).forEach((button) => { button.hidden = false; });
      drops();
      const add = rows.querySelector(":scope > [data-add-row]");
      add.hidden = false;
      add.addEventListener("click", () => {
        const holder = make("ol");
        holder.innerHTML = rows.querySelector(":scope > template").innerHTML.replaceAll(rows.dataset.new, String(count));
        count += 1;
        const li = holder.firstElementChild;
        rows.querySelector(":scope > ol").append(li);
        drops();
        enhance(li);
        li.querySelector("input, textarea, select").focus();
        dirty = true;
      });
      rows.addEventListener("click", (event) => {
        const button = event.target.closest("[data-drop-row]");
        if (!button || button.closest("[data-new]") !== rows) return;
        const next = button.closest("li").nextElementSibling || button.closest("li").previousElementSibling;
        button.closest("li").remove();
        (next ? next.querySelector("input, textarea, select") : add).focus();
        dirty = true;
      });
    }
    for (const choice of all("[data-variant]", within)) {
      const show = () => all(".variant", choice.closest(".variants")).forEach((part) => { part.hidden = part.dataset.variantOf !== choice.value; });
      choice.addEventListener("change", show);
      show();
    }
  }

  function wrong(error) {
    all(".wrong, .meanwhile", panel).forEach((each) => each.remove());
    all("[aria-invalid]", panel).forEach((each) => each.removeAttribute("aria-invalid"));
    const clashes = error.conflicts || [];
    tell(clashes.length ? "Somebody changed the same meanwhile. Both versions are below; what you wrote is still here." : error.words || String(error));
    for (const clash of clashes) meet(clash);
    const control = error.where && all("[name]", panel).find((each) => each.name === error.where);
    const place = control || all("[data-field]", panel).find((each) => each.dataset.field === error.where);
    if (!place || clashes.length) return;
    const fold = place.closest("details");
    if (fold) fold.open = true;
    place.closest("[data-field]").append(make("p", { className: "wrong", textContent: error.message }));
    if (control) { control.setAttribute("aria-invalid", "true"); control.focus(); }
  }

  const plain = (value) => value === null || value === "" || (Array.isArray(value) && !value.length) ? "(empty)" : typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);

  function meet(clash) {
    const place = all("[data-field]", panel).find((each) => each.dataset.field === clash.field) || panel.querySelector(".item-form");
    const fold = place.closest("details");
    if (fold) fold.open = true;
    const known = panel.querySelector("[name=was]");
    const accept = () => {
      const was = JSON.parse(known.value);
      const steps = clash.field.split(".");
      let node = was;
      for (const each of steps.slice(0, -1)) node = node[each];
      node[steps.at(-1)] = clash.theirs;
      known.value = JSON.stringify(was);
      box.remove();
      if (!panel.querySelector(".meanwhile")) tell("");
    };
    const field = place.querySelector(`[name="${CSS.escape(clash.field)}"]`);
    const button = (text, act) => { const made = make("button", { type: "button", textContent: text }); made.addEventListener("click", () => { accept(); act(); }); return made; };
    const buttons = [button("Keep mine", () => panel.querySelector(".item-form [value=save]").focus())];
    if (field) buttons.push(button("Take theirs", () => { field.value = clash.theirs ?? ""; field.focus(); }));
    if (field && field.matches("textarea")) buttons.push(button("Both", () => { field.value = `${clash.theirs ?? ""}\n${field.value}`; field.focus(); }));
    const box = make("div", { className: "meanwhile" }, make("p", { textContent: `Now it is:\n${plain(clash.theirs)}` }), make("div", { className: "actions" }, ...buttons));
    place.append(box);
  }

  panel.addEventListener("input", (event) => { if (event.target.closest(".item-form")) { dirty = true; warned = false; } });
  panel.addEventListener("click", async (event) => {
    if (event.target.closest("[data-close]") && (!dirty || await leaveable())) shut();
  });
  panel.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") { event.preventDefault(); if (!dirty || await leaveable()) shut(); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest("form");
      if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[type=submit]")); }
    }
  });

  // ---------------------------------------------------------------- forms
  const handled = {
    add: async (form, button) => {
      const field = form.querySelector("textarea, input[type=text]");
      form.querySelector(".form-said").textContent = "";
      try {
        await submit(form, button);
        field.value = "";
        field.focus();
      } catch (error) {
        form.querySelector(".form-said").textContent = error.words || String(error);
        field.focus();
      }
    },
    item: async (form, button) => {
      tell("");
      const id = form.elements.id.value;
      try {
        await asked(form.action, options(form, button)).then((said) => mine.add(said.revision));
      } catch (error) { state("Not saved", true); wrong(error); return; }
      dirty = false;
      from = from && from.isConnected ? from : noteOf(id) || null;
      shut();
      await refresh();
      state(`Saved, revision ${seen}`);
    },
    place: async (form, button) => {
      const id = form.elements.id.value;
      if (dirty && !(await leaveable())) return;
      dirty = false;
      const next = button && button.value === "remove" ? noteOf(id) && neighbour(noteOf(id)) : null;
      try {
        await submit(form, button);
      } catch (error) { wrong(error); return; }
      if (button.value === "remove") { from = next || null; shut(); say("The note is deleted. Undo brings it back."); return; }
      const focus = button.dataset.focus;
      await open(id, from);
      const again = panel.querySelector(`[data-focus="${focus}"]`);
      if (again) again.focus();
    },
  };
  handled.part = handled.comment = handled["item-comment"] = handled.add;
  const options = (form, button) => {
    const said = new FormData(form);
    if (button && button.name) said.set(button.name, button.value);
    state("Saving…");
    return { method: "POST", headers: { accept: "application/json" }, body: said };
  };

  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-undo]")) { event.preventDefault(); undo(); return; }
    const act = handled[form.dataset.send];
    if (!act) return;
    event.preventDefault();
    queued(() => act(form, event.submitter));
  });

  // ---------------------------------------------------------------- keys and mouse
  doc.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const text = event.target.closest(".note-text[data-text]");
    const more = event.target.closest(".note-more");
    const about = event.target.closest("[data-about]");
    if (about) { event.preventDefault(); open("", about); }
    if (text) { event.preventDefault(); edit(text.closest(".note")); }
    if (more) { event.preventDefault(); open(more.dataset.item || more.closest(".note").dataset.id, more.closest(".note") || more); }
  });
  doc.addEventListener("toggle", (event) => {
    if (event.target.matches(".adder[open]")) event.target.querySelector("textarea, input[type=text]").focus();
  }, true);
  for (const menu of all(".menu")) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
  }
  const go = doc.querySelector("[data-go]");
  if (go) go.addEventListener("change", () => go.form.requestSubmit());

  doc.addEventListener("keydown", (event) => {
    const typing = event.target.closest("textarea, input, select");
    const adder = event.target.closest(".adder");
    if (adder && typing) {
      if (event.key === "Escape") { adder.open = false; adder.querySelector("summary").focus(); }
      if (event.key === "Enter" && event.target.matches("textarea") && !event.shiftKey && !event.isComposing) { event.preventDefault(); adder.querySelector("form").requestSubmit(adder.querySelector("button")); }
      return;
    }
    if (typing && (event.ctrlKey || event.metaKey) && event.key === "Enter" && !event.target.closest("#panel") && typing.form) { event.preventDefault(); typing.form.requestSubmit(typing.form.querySelector("[type=submit]")); return; }
    if (typing || past) return;
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") { event.preventDefault(); undo(); return; }
    const text = event.target.closest(".note-text");
    if (!text || event.ctrlKey || event.metaKey || event.altKey) return;
    const li = text.closest(".note");
    if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); remove(li); return; }
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    if (event.shiftKey) step(li.dataset.id, event.key);
    else travel(li, event.key);
  });

  function travel(li, key) {
    const every = notes();
    if (key === "ArrowUp" || key === "ArrowDown") {
      const next = every[every.indexOf(li) + (key === "ArrowDown" ? 1 : -1)];
      if (next) textOf(next).focus();
      return;
    }
    const lines = lists().filter((list) => list.querySelector(".note"));
    const here = lines.findIndex((list) => list.contains(li));
    const target = lines[here + (key === "ArrowRight" ? 1 : -1)];
    if (target) textOf(target.querySelector(".note")).focus();
  }

  let dragged = null;
  const clear = () => all(".drop-before, .drop-end, .dropping").forEach((each) => each.classList.remove("drop-before", "drop-end", "dropping"));
  function aim(event) {
    const over = event.target.closest(".note");
    const list = over && over !== dragged ? listOf(over) : (event.target.closest(".notes") || (event.target.closest(".shelf") || doc).querySelector(":scope > [data-notes]"));
    if (!list || dragged.contains(list)) return null;
    if (!over || over === dragged) return { list, before: null };
    const box = cardOf(over).getBoundingClientRect();
    const late = event.clientY > box.top + box.height / 2;
    return { list, before: late ? over.nextElementSibling : over };
  }
  doc.addEventListener("dragstart", (event) => {
    const li = event.target.closest && event.target.closest(".note");
    if (!li || past) return;
    dragged = li;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", words(li));
    li.classList.add("dragged");
  });
  doc.addEventListener("dragover", (event) => {
    const place = dragged && aim(event);
    clear();
    if (!place) return;
    event.preventDefault();
    place.list.closest(".shelf").classList.add("dropping");
    if (place.before) place.before.classList.add("drop-before"); else place.list.classList.add("drop-end");
  });
  doc.addEventListener("drop", (event) => {
    const li = dragged;
    const place = li && aim(event);
    if (!place) return;
    event.preventDefault();
    if (place.before === li || (listOf(li) === place.list && li.nextElementSibling === place.before)) return;
    queued(() => move(li, place.list, place.before && place.before.dataset.id));
  });
  doc.addEventListener("dragend", () => { if (dragged) dragged.classList.remove("dragged"); dragged = null; clear(); });

  // ---------------------------------------------------------------- evidence
  const VERDICTS = { holds: ["Holds", "M3.5 8.2l3 3 6-6.4"], fails: ["Fails", "M4.5 4.5l7 7m0-7l-7 7"], too_few: ["Too few to say", "M4 8h.1M8 8h.1M12 8h.1"] };
  const sources = all("[data-evidence]", doc).map((source) => ({ data: source.dataset.evidence, page: source.dataset.page, items: null }));
  let evidenced = "";
  let waiting = 0;

  function badge({ verdict, text }, page, full) {
    const [word, path] = VERDICTS[verdict] || [];
    const link = make("a", { href: page, className: `verdict verdict-${word ? verdict : "plain"}`, title: text });
    if (word) {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" })) svg.setAttribute(key, value);
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      for (const [key, value] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" })) line.setAttribute(key, value);
      svg.append(line);
      link.append(svg, word);
    }
    if (word && !full) link.append(make("span", { className: "unseen", textContent: `: ${text}` }));
    else link.append(word ? `: ${text}` : text);
    return link;
  }

  const found = (id, full) => sources.filter((source) => source.items && source.items[id]).map((source) => badge(source.items[id], source.page, full));

  function badges() {
    if (!sources.some((source) => source.items)) return;
    for (const li of notes()) {
      const slot = cardOf(li).querySelector(".badges");
      if (slot) slot.replaceChildren(...found(li.dataset.id, false));
    }
    for (const slot of all("[data-badge-of]")) slot.replaceChildren(...found(slot.dataset.badgeOf, true));
    if (evidenced !== bound) { clearTimeout(waiting); waiting = setTimeout(look, QUIET); }
  }

  async function look() {
    const line = document.getElementById("evidence-said");
    if (!line) return;
    if (document.hidden) { waiting = setTimeout(look, QUIET); return; }
    evidenced = bound;
    if (!sources[0].items) line.textContent = "Asking the log what it knows of this…";
    for (const source of sources) {
      try {
        const answer = await fetch(source.data);
        const said = await answer.json();
        if (!answer.ok) { line.textContent = `No evidence yet: ${said.error.problem} ${said.error.hint}`; return; }
        source.items = said.items;
      } catch {
        line.textContent = "The log could not be asked.";
        return;
      }
      badges();
    }
    const known = sources.flatMap((source) => Object.values(source.items));
    const counts = Object.entries(VERDICTS).map(([verdict, [word]]) => [known.filter((item) => item.verdict === verdict).length, word.toLowerCase()]).filter(([number]) => number).map(([number, word]) => `${number} ${word}`);
    const links = sources.filter((source) => Object.keys(source.items).length).map((source) => make("a", { href: source.page, textContent: source.page.split("?")[0].split("/").at(-1).replaceAll("_", " ") }));
    if (!links.length) line.textContent = "The log says nothing of these notes yet: their details bind them to it.";
    else line.replaceChildren(counts.length ? `By the log: ${counts.join(", ")}. ` : "", "How that is known: ", ...links.flatMap((link, index) => (index ? [", ", link] : [link])));
  }

  // ---------------------------------------------------------------- begin
  doc.classList.add("scripts");
  all("[data-scripts]").forEach((each) => { each.hidden = false; });
  notes().forEach(prepare);
  for (const part of all("[data-live]", doc)) part._said = part.innerHTML;
  if (sources.length) look();
  addEventListener("beforeunload", (event) => {
    const written = dirty || [...editing.values()].some((entry) => entry.dirty()) || all(".adder textarea, .beside textarea").some((field) => field.value.trim());
    if (written) event.preventDefault();
  });
  timer = setTimeout(again, POLL);
})();
