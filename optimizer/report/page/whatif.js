"use strict";
/* What if: something is moved, a layer added or taken away; what that costs is there at once. */
const WhatIf = (() => {
  const { el, name, bytes, many, size } = Dom;
  let fault = "";
  let last = null;
  let listening = null;

  const button = (id, words, click, more = {}) =>
    el("button", { type: "button", id: `what-if-${id}`, onclick: click, ...more }, words);

  /* Not `disabled`, which would take the focus away from whoever pressed it. */
  const able = (possible) => (possible ? {} : { "aria-disabled": "true" });

  const against = (count, other, what) => {
    if (count === other) return `as ${what}`;
    return `${bytes(Math.abs(count - other))} ${count > other ? "more" : "less"} than ${what}`;
  };

  /* What the best split into as many layers is known to send. */
  const best = (base, state) => (base.document.plan.frontier ?? [])
    .find((row) => row.layers === state.layers.length && row.republished_bytes_per_year !== null) ?? null;

  const year = (base, state, evaluation) => {
    const now = evaluation.republished_bytes_per_year;
    if (now === null) return el("span", {}, "unknown: run ", el("code", {}, "python -m optimizer history update"));
    const known = best(base, state);
    return [size(now, { id: "what-if-year" }),
      el("div", { class: "quiet-text" }, against(now, base.document.plan.objective.republished_bytes_per_year, "the plan")),
      known ? el("div", { class: "quiet-text", id: "what-if-best" },
        against(now, known.republished_bytes_per_year, `the best known with ${many(state.layers.length, "layer")}`)) : null];
  };

  const room = (evaluation) => (evaluation.fits
    ? `${bytes(evaluation.headroom_bytes)} below Lambda's limit`
    : `${bytes(-evaluation.headroom_bytes)} over Lambda's limit`);

  const order = (evaluation) => {
    const pairs = evaluation.arrows.filter((arrow) => arrow.backward).flatMap((arrow) => arrow.pairs.map((pair) => [arrow, pair]));
    if (!pairs.length) return "each layer requires the same and earlier ones";
    return Dom.more("what-if-order", `${many(pairs.length, "requirement")} of a layer attached later`, () => el("ul", {},
      pairs.map(([arrow, [one, other]]) => el("li", {}, name(one), ` in ${arrow.from} requires `, name(other), ` in ${arrow.to}`))));
  };

  const numbers = (base, state, evaluation) => [
    el("dl", { class: "facts" },
      el("dt", {}, "Last year's releases"), el("dd", {}, year(base, state, evaluation)),
      el("dt", {}, "Ships"), el("dd", {}, size(evaluation.total_unzipped_bytes, { id: "what-if-total" }), " unzipped",
        el("div", { class: "quiet-text" }, room(evaluation))),
      el("dt", {}, "Order"), el("dd", {}, order(evaluation))),
    evaluation.broken.length ? el("div", { class: "notice bad", id: "what-if-broken" }, el("strong", {}, "What stands in the way"),
      el("ul", {}, evaluation.broken.map((row) => el("li", { data: { kind: row.kind } }, el("bdi", {}, row.text))))) : null];

  /* Each layer but the item's own, with what it would have sent more or less of last year's releases. */
  const places = (base, state, evaluation, item) => state.layers.filter((layer) => layer.name !== state.homes[item]).map((layer) => {
    const now = evaluation.republished_bytes_per_year;
    const then = now === null ? null : Model.evaluate(base, Model.move(base, state, item, layer.name)).republished_bytes_per_year;
    return el("option", { value: layer.name }, then === null ? layer.name : `${layer.name} (${Dom.signed(then - now)})`);
  });

  const mover = (base, state, evaluation, attempt, actions) => {
    const item = base.itemOf.get(actions.selected);
    if (item === undefined) return el("p", { class: "quiet-text" }, "Choose a distribution, and move it to another layer here, or drag it there.");
    const { members } = base.items.get(item);
    const others = members.filter((member) => member !== actions.selected);
    const choices = places(base, state, evaluation, item);
    if (!choices.length) return el("p", { class: "quiet-text" }, "There is no other layer to move it to: add one.");
    const select = el("select", { id: "what-if-to" }, choices);
    return el("div", { class: "row" },
      el("label", { for: "what-if-to" }, "Move ", name(actions.selected), others.length ? [" with ", others.map((one, n) => [n ? ", " : "", name(one)])] : null, " to"),
      select, button("move", "Move", () => attempt(() => Model.move(base, state, item, select.value))));
  };

  const layerControls = (base, state, layer, place, attempt) => {
    const box = el("input", { id: `what-if-name-${layer.name}`, value: layer.name, autocomplete: "off", spellcheck: "false" });
    const others = state.layers.filter((one) => one !== layer);
    const into = el("select", { id: `what-if-into-${layer.name}` }, others.map((one) => el("option", { value: one.name }, one.name)));
    const shift = (by) => () => (state.layers[place + by] ? attempt(() => Model.reorder(base, state, layer.name, place + by)) : null);
    const submit = (event) => {
      event.preventDefault();
      if (box.value.trim() !== layer.name) attempt(() => Model.rename(base, state, layer.name, box.value.trim()));
    };
    return el("div", { class: "layer-controls" },
      el("form", { class: "row", onsubmit: submit }, el("label", { for: box.id }, "Name"), box, el("button", { id: `what-if-rename-${layer.name}` }, "Rename")),
      el("div", { class: "buttons" },
        button(`earlier-${layer.name}`, "Attach earlier", shift(-1), able(place > 0)),
        button(`later-${layer.name}`, "Attach later", shift(1), able(place < state.layers.length - 1))),
      others.length ? el("div", { class: "row" }, el("label", { for: into.id }, "Remove it, what it holds goes to"), into,
        button(`remove-${layer.name}`, "Remove", () => attempt(() => Model.removeLayer(base, state, layer.name, into.value)))) : null);
  };

  const layers = (base, state, attempt) => {
    const box = el("input", { id: "what-if-new", autocomplete: "off", spellcheck: "false" });
    const submit = (event) => {
      event.preventDefault();
      attempt(() => Model.addLayer(base, state, box.value.trim()));
    };
    return [el("h3", {}, "Layers in attach order"),
      el("ol", { class: "what-if-layers" }, state.layers.map((layer, place) => el("li", {},
        Dom.more(`what-if-layer-${layer.name}`, layer.name, () => layerControls(base, state, layer, place, attempt))))),
      el("form", { class: "row", onsubmit: submit }, el("label", { for: box.id }, "New layer"), box, el("button", { id: "what-if-add" }, "Add"))];
  };

  const history = (base, state, actions) => {
    const made = Model.changes(base, state);
    const step = (possible, run) => () => (possible ? run() : null);
    return [el("div", { class: "buttons" },
      button("undo", "Undo", step(actions.canUndo(), actions.undo), able(actions.canUndo())),
      button("redo", "Redo", step(actions.canRedo(), actions.redo), able(actions.canRedo())),
      button("reset", "Back to the plan", step(made.length, actions.reset), able(made.length > 0))),
    made.length ? Dom.more("what-if-changes", many(made.length, "change"), () => el("ul", { id: "what-if-changes" },
      made.map((change) => el("li", {}, el("bdi", {}, `${change.text[0].toUpperCase()}${change.text.slice(1)}`))))) : null];
  };

  /* What a screen reader says of a change: what is new in it, or what was taken back. */
  const sentence = (base, before, state, evaluation) => {
    const [then, made] = [before, state].map((one) => Model.changes(base, one).map((change) => change.text));
    const fresh = made.filter((text) => !then.includes(text));
    const back = then.filter((text) => !made.includes(text)).map((text) => `not ${text}`);
    const parts = [(fresh.length ? fresh : back).join(", ") || "as planned"];
    const now = evaluation.republished_bytes_per_year;
    if (now !== null) parts.push(`${bytes(now)} a year, ${against(now, base.document.plan.objective.republished_bytes_per_year, "the plan")}`);
    parts.push(room(evaluation), ...evaluation.broken.map((row) => row.text.replace(/\.$/, "")));
    return `${parts.join(". ")}.`;
  };

  /* Dragging is for a mouse; "Move to" does the same for all. */
  const listen = () => {
    const target = (event) => event.target.closest?.("[data-layer]");
    let dragged = null;
    const mark = (box) => {
      for (const one of document.querySelectorAll(".drop")) one.classList.remove("drop");
      box?.classList.add("drop");
    };
    document.addEventListener("pointerdown", (event) => {
      const box = event.pointerType === "mouse" ? event.target.closest?.("[data-distribution]") : null;
      if (box) box.draggable = true;
    });
    document.addEventListener("dragstart", (event) => {
      dragged = event.target.closest?.("[data-distribution]")?.dataset.distribution ?? null;
      if (dragged === null) return;
      event.dataTransfer.setData("text/plain", dragged);
      event.dataTransfer.effectAllowed = "move";
    });
    document.addEventListener("dragover", (event) => {
      const box = dragged === null ? null : target(event);
      mark(box);
      if (box) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      const box = target(event);
      if (dragged === null || !box) return;
      event.preventDefault();
      const { base, state, attempt } = listening;
      if (state.homes[base.itemOf.get(dragged)] !== box.dataset.layer) attempt(() => Model.move(base, state, dragged, box.dataset.layer));
    });
    document.addEventListener("dragend", () => {
      dragged = null;
      mark(null);
    });
  };

  const draw = (element, base, state, evaluation, actions) => {
    const again = () => draw(element, base, state, evaluation, actions);
    const attempt = (change) => {
      let next;
      try {
        next = change();
      } catch (error) {
        fault = error.message;
        again();
        return;
      }
      fault = "";
      actions.set(next);
    };
    if (listening === null) listen();
    listening = { base, state, attempt };
    const held = element.contains(document.activeElement) ? document.activeElement.id : "";
    const typed = document.getElementById("what-if-new")?.value ?? "";
    element.replaceChildren(...[
      el("h3", { id: "what-if-title", tabindex: "-1" }, "What if"),
      mover(base, state, evaluation, attempt, actions),
      numbers(base, state, evaluation),
      history(base, state, actions),
      layers(base, state, attempt),
      el("p", { class: "fault", role: "alert", id: "what-if-fault" }, fault),
      el("h3", {}, "Take it along"),
      Handover.parts(base, state, { actions, again }),
    ].flat().filter(Boolean));
    if (fault) document.getElementById("what-if-new").value = typed;
    if (held) (document.getElementById(held) ?? document.getElementById("what-if-title")).focus({ preventScroll: true });
  };

  /** Draws the panel into `element`; `actions` are those of the page. */
  const render = (element, base, state, evaluation, actions) => {
    if (last !== null && last !== state) {
      fault = "";
      Handover.forget();
      actions.tell(sentence(base, last, state, evaluation));
    }
    last = state;
    draw(element, base, state, evaluation, actions);
  };

  return { render };
})();
