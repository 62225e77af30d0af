"use strict";
/* The state, its history, and the views that show it. */
const Page = (() => {
  const { el, many } = Dom;
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("document").textContent);
  const opened = Model.open(data);
  const start = Model.initial(opened);
  const base = Object.freeze({ ...opened, document: data, initialState: start, initial: Model.evaluate(opened, start) });
  const past = [];
  const future = [];
  let current = start;
  let evaluation = base.initial;

  const views = [
    ["glance-body", Charts.glance], ["treemap", Treemap.render], ["chosen", Tables.chosen], ["what-if", WhatIf.render], ["frontier-body", Charts.frontier],
    ["timeline-body", Timeline.render], ["arrows-body", Charts.arrows], ["distributions-body", Tables.distributions]];

  const render = () => {
    for (const [id, view] of views) view(at(id), base, current, evaluation, actions);
  };

  const show = (state) => {
    current = state;
    evaluation = Model.evaluate(base, state);
    render();
  };

  const written = (state) => {
    const fragment = Model.encode(base, state);
    window.history.pushState(null, "", fragment ? `#${fragment}` : window.location.pathname + window.location.search);
  };

  /* The split that the address names; null where it names a section. */
  const addressed = () => {
    const fragment = window.location.hash.slice(1);
    if (fragment && at(fragment)) return null;
    try {
      return Model.decode(base, fragment);
    } catch (error) {
      refuse(`The split of this address can't be shown: ${error.message}`);
      return null;
    }
  };

  const refuse = (words) => {
    at("refused")?.remove();
    at("main").prepend(el("p", { class: "notice bad", id: "refused", role: "alert" }, words));
  };

  /* Back and forward, and an address that is edited. */
  const arrive = () => {
    const state = addressed();
    if (state === null || Model.encode(base, state) === Model.encode(base, current)) return;
    past.push(current);
    future.length = 0;
    show(state);
  };

  /* A link to a section leaves the split in the address. */
  const visit = (event) => {
    const target = at(event.target.closest?.('a[href^="#"]')?.hash.slice(1) ?? "");
    if (!target) return;
    event.preventDefault();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };

  /** Shows another state; the one before can be had again by undo. */
  const set = (state) => {
    past.push(current);
    future.length = 0;
    show(state);
    written(state);
  };

  const step = (from, to) => {
    if (!from.length) return;
    to.push(current);
    show(from.pop());
    written(current);
  };
  const undo = () => step(past, future);
  const redo = () => step(future, past);

  const select = (name, { show: visit = false } = {}) => {
    actions.selected = name;
    for (const [id, view] of views) if (id === "chosen" || id === "treemap" || id === "what-if") view(at(id), base, current, evaluation, actions);
    at("status").textContent = `${name} is selected`;
    if (visit) at("chosen-title").scrollIntoView({ block: "center" });
  };

  const actions = {
    selected: null, select, set, undo, redo,
    move: (items, layer) => set(Model.move(base, current, items, layer)),
    canUndo: () => past.length > 0, canRedo: () => future.length > 0,
    reset: () => set(start),
    tell: (text) => { at("status").textContent = text; },
  };

  const isDark = () => {
    const asked = document.documentElement.dataset.theme;
    return asked ? asked === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  };

  const remembered = (value) => {
    try {
      if (value !== undefined) window.localStorage.setItem("layer-plan-theme", value);
      return window.localStorage.getItem("layer-plan-theme");
    } catch {
      return null; // a file may have no storage
    }
  };

  const theme = () => {
    const button = at("theme");
    const known = remembered();
    if (known === "dark" || known === "light") document.documentElement.dataset.theme = known;
    const tell = () => {
      button.textContent = isDark() ? "Light theme" : "Dark theme";
    };
    button.addEventListener("click", () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      remembered(document.documentElement.dataset.theme);
      tell();
    });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    button.removeAttribute("aria-pressed");
    tell();
  };

  const masthead = () => {
    const { plan, functions, history } = data;
    at("title").append(...functions.flatMap((one, n) => [n ? ", " : "", el("bdi", {}, one.name)]));
    const source = plan.source === "installed" ? "the running environment" : plan.source;
    at("subtitle").append(`${plan.target.runtime} on ${plan.target.architecture} · ${many(Object.keys(data.distributions).length, "distribution")} from `,
      el("bdi", {}, source), history ? ` · releases up to ${Dom.date(history.through)}` : "");
    const [verb, command, rest] = data.served
      ? ["Served", "tune", "What is tried here is written when you say so, and not before."]
      : ["Made", "plan --format html", "The page holds all that it shows and asks for nothing."];
    at("made").append(`${verb} by `, el("code", {}, `python -m optimizer ${command}`), `. ${rest}`);
  };

  const begin = () => {
    theme();
    masthead();
    Tables.leftOut(at("left-out-body"), base);
    current = addressed() ?? start;
    show(current);
    window.addEventListener("popstate", arrive);
    document.addEventListener("click", visit);
  };

  begin();
  return { state: () => current, set, undo, redo, base, actions };
})();
