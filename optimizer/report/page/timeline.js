"use strict";
/* The windows of the last year: what was released, and what that made us publish. */
const Timeline = (() => {
  const { el, name, bytes, exact, many, size, day, date, month } = Dom;
  let pinned = null;

  const layerBytes = (base, evaluation) =>
    new Map(evaluation.layers.map((layer, n) => [layer.name, { n, bytes: layer.zipped_bytes - base.document.end_bytes }]));

  const span = (window) => `${day(window.from)} – ${date(window.to)}`;

  const said = (base, evaluation, n) => {
    const { bytes: sent, layers } = evaluation.windows[n];
    const { releases } = base.document.windows[n];
    return `${span(base.document.windows[n])}: ${many(releases.length, "release")}, ${many(layers.length, "layer")} published, ${bytes(sent)}`;
  };

  const column = (base, evaluation, sizes, most, n) => {
    const { bytes: sent, layers } = evaluation.windows[n];
    return el("button", {
      type: "button", class: "week", tabindex: "-1", "aria-label": said(base, evaluation, n), "aria-pressed": String(n === pinned),
      data: { stop: "", window: n, bytes: sent } },
    el("span", { class: "pile", style: { height: `${(100 * sent) / most}%` } },
      layers.map((layer) => el("span", { class: "slice", style: { "flex-grow": sizes.get(layer).bytes, background: Dom.layerColour(sizes.get(layer).n) } }))));
  };

  /** Round steps for the axis: at most four lines below the highest bar. */
  const lines = (most) => {
    const unit = most >= 1024 * 1024 ? 1024 * 1024 : 1024;
    const raw = most / unit / 4;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((found) => found >= raw) * unit;
    return Array.from({ length: Math.floor(most / step) }, (_, n) => (n + 1) * step);
  };

  const months = (windows, order) => el("div", { class: "months", "aria-hidden": "true" }, order.map((n, place) => {
    const first = place === 0 || windows[n].to.slice(0, 7) !== windows[order[place - 1]].to.slice(0, 7);
    return el("span", {}, first && place < order.length - 1 ? el("span", {}, month(windows[n].to)) : null);
  }));

  /* The releases of one distribution in a line: 1.0, 1.1, 1.2 on 3 Mar – 6 Mar. */
  const because = (base, state, window, layer) => {
    const found = new Map();
    for (const release of window.releases) {
      if (state.homes[base.document.distributions[release.name].item] !== layer) continue;
      found.set(release.name, [...(found.get(release.name) ?? []), release]);
    }
    return [...found].map(([title, releases]) => {
      const [first, last] = [day(releases[0].day), day(releases[releases.length - 1].day)];
      return el("li", {}, name(title), " ", releases.map((release, n) => [n ? ", " : "", el("bdi", {}, release.version)]),
        el("span", { class: "quiet-text" }, ` ${first === last ? first : `${first} – ${last}`}`));
    });
  };

  const detail = (base, state, evaluation, n) => {
    const window = base.document.windows[n];
    const seen = evaluation.windows[n];
    const sizes = layerBytes(base, evaluation);
    return [
      el("h3", {}, span(window)),
      el("p", {}, seen.layers.length ? `${many(window.releases.length, "release")} made us publish ${many(seen.layers.length, "layer")}: ` : "Nothing was released, so nothing was published.",
        seen.layers.length ? size(seen.bytes) : null),
      el("ul", { class: "published" }, seen.layers.map((layer) => el("li", { style: { "--own": Dom.layerColour(sizes.get(layer).n) } },
        el("span", { class: "published-head" }, name(layer), " ", size(sizes.get(layer).bytes)),
        el("ul", { class: "releases" }, because(base, state, window, layer)))))];
  };

  const alternative = (base, evaluation) => Dom.more("timeline-table", "As a table", () => Dom.table(
    "What each window's releases made us publish", ["Window", ["Published", "right"], "Layers", "Releases"],
    base.document.windows.map((window, n) => [span(window), size(evaluation.windows[n].bytes),
      evaluation.windows[n].layers.map((layer, place) => [place ? ", " : "", name(layer)]),
      window.releases.map((release, place) => [place ? ", " : "", name(release.name), " ", el("bdi", {}, release.version)])])));

  const legend = (evaluation) => el("ul", { class: "legend" }, evaluation.layers.map((layer, n) => el("li", {},
    el("span", { class: "swatch", style: { background: Dom.layerColour(n) } }), name(layer.name), " ",
    el("span", { class: "quiet-text" }, many(layer.publishes, "publish").replace(/publishs$/, "publishes"), ", ", bytes(layer.republished_bytes)))));

  /* What the listeners show: the split that was drawn last. */
  let drawn = null;

  const listen = (weeks, shown) => {
    const of = (event) => event.target.closest("[data-window]");
    const show = (n) => shown.replaceChildren(...detail(...drawn, n).flat());
    const over = (event) => of(event) && show(Number(of(event).dataset.window));
    weeks.addEventListener("pointerover", over);
    weeks.addEventListener("focusin", over);
    weeks.addEventListener("pointerleave", () => show(pinned));
    weeks.addEventListener("click", (event) => {
      if (!of(event)) return;
      pinned = Number(of(event).dataset.window);
      for (const node of weeks.children) node.setAttribute("aria-pressed", String(node === of(event)));
      show(pinned);
    });
    weeks.addEventListener("keydown", (event) => Dom.roving([...weeks.children], event, (key, at, count) =>
      ({ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1, PageDown: at + 4, PageUp: at - 4 })[key]));
  };

  const frame = (element, base) => {
    const { windows, history } = base.document;
    const weeks = el("div", { class: "weeks", role: "group", "aria-label": "Windows of releases, oldest first. Arrow keys move, Enter keeps one shown." });
    const shown = el("div", { class: "panel week-panel", "aria-live": "polite" });
    element.append(
      el("p", { class: "lead" }, `If every ${history.cadence}'s releases had been taken with this split, from ${date(history.since)} to ${date(history.through)}: a layer is published whole as soon as one distribution in it is released.`),
      el("div", { class: "weeks-legend" }),
      el("div", { class: "plot" }, el("div", { class: "grid", "aria-hidden": "true" }), weeks, months(windows, windows.map((_, n) => n).reverse())),
      shown, el("div", { class: "weeks-more" }));
    listen(weeks, shown);
  };

  /** Oldest first, each window a bar of the layers that it made us publish; by default the dearest is told. */
  const render = (element, base, state, evaluation) => {
    const { windows } = base.document;
    if (!windows.length) {
      element.replaceChildren(el("p", { class: "empty" }, "There is no release history yet. Run ",
        el("code", {}, "python -m optimizer history update"), " and plan again."));
      return;
    }
    if (!element.firstChild) frame(element, base);
    drawn = [base, state, evaluation];
    const sizes = layerBytes(base, evaluation);
    const sent = evaluation.windows.map((window) => window.bytes);
    const most = Math.max(...sent) || 1;
    if (pinned === null) pinned = sent.indexOf(Math.max(...sent));
    const part = (kind) => element.querySelector(kind);
    part(".weeks-legend").replaceChildren(legend(evaluation));
    part(".grid").replaceChildren(...lines(most).map((line) =>
      el("span", { class: "line", style: { bottom: `${(100 * line) / most}%` } }, el("span", { title: exact(line) }, bytes(line).replace(".0 ", " ")))));
    part(".weeks").replaceChildren(...windows.map((_, n) => column(base, evaluation, sizes, most, n)).reverse());
    part(`[data-window="${pinned}"]`).tabIndex = 0;
    part(".week-panel").replaceChildren(...detail(base, state, evaluation, pinned).flat());
    part(".weeks-more").replaceChildren(alternative(base, evaluation));
  };

  return { render };
})();
