"use strict";
/* Layers → distributions → folders, their areas by bytes. */
const Treemap = (() => {
  const { el, name, bytes, exact, many } = Dom;
  const HEAT = [[0, "none"], [4, "1–4"], [12, "5–12"], [26, "13–26"], [Infinity, "27+"]];
  const HEAD = 26;
  const GAP = 3;

  /** The step of the colour scale for so many releases a year; "unknown" where nothing is known. */
  const heat = (rate) => (rate === null ? "unknown" : String(HEAT.findIndex(([most]) => rate <= most)));

  /* The most stretched box of a row along `side`: its largest or its least. */
  const worst = (first, last, sum, side) => Math.max((side * side * first) / (sum * sum), (sum * sum) / (side * side * last));

  /** Squarified treemap (Bruls, Huizing and van Wijk, 2000): `parts` are {value}, largest first; boxes in their order. */
  const squarify = (parts, box) => {
    const total = parts.reduce((sum, part) => sum + part.value, 0);
    const found = [];
    let { x, y, width, height } = box;
    const scale = total > 0 ? (width * height) / total : 0;
    const areas = parts.map((part) => part.value * scale);
    for (let start = 0, end = 1; start < areas.length; start = end, end += 1) {
      const side = Math.min(width, height);
      const first = areas[start];
      let sum = first;
      while (end < areas.length && worst(first, areas[end], sum + areas[end], side) <= worst(first, areas[end - 1], sum, side)) {
        sum += areas[end];
        end += 1;
      }
      const thick = side > 0 ? sum / side : 0;
      let along = 0;
      for (const area of areas.slice(start, end)) {
        const length = thick > 0 ? area / thick : 0;
        found.push(width >= height
          ? { x, y: y + along, width: thick, height: length }
          : { x: x + along, y, width: length, height: thick });
        along += length;
      }
      if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
    }
    return found;
  };

  const inner = (box, top) => ({
    x: GAP, y: top, width: Math.max(0, box.width - 2 * GAP), height: Math.max(0, box.height - top - GAP) });

  /* Shares of the parent, so that the picture fits whatever width it is printed on. */
  const place = (box, parent) => ({
    left: `${(100 * box.x) / parent.width}%`, top: `${(100 * box.y) / parent.height}%`,
    width: `${(100 * box.width) / parent.width}%`, height: `${(100 * box.height) / parent.height}%` });

  const largest = (list, key) => list.filter((one) => one[key] > 0).sort((a, b) => b[key] - a[key]);

  /* The last folder's name; a date alone, as botocore's models have it, says nothing without the folder before. */
  const short = (path) => path.split("/").slice(/\d{4}-\d\d-\d\d$/.test(path) ? -2 : -1).join("/");

  const folderBoxes = (distribution, box, key) => {
    const parts = largest(distribution.folders, key);
    if (box.width < 46 || box.height < 34 || parts.length < 2) return [];
    const room = { x: 2, y: 19, width: box.width - 4, height: box.height - 21 };
    const boxes = squarify(parts.map((folder) => ({ value: folder[key] })), room);
    return parts.map((folder, n) => (boxes[n].width < 5 || boxes[n].height < 5 ? null
      : el("span", { class: "folder", "aria-hidden": "true", style: place(boxes[n], box),
        title: `${folder.path}\n${bytes(folder[key])} (${exact(folder[key])}), ${many(folder.files, "file")}` },
      boxes[n].width > 62 && boxes[n].height > 17 ? el("bdi", {}, short(folder.path)) : null)));
  };

  const said = (rate) => (rate === null ? "releases unknown" : `${Dom.number(rate)} releases a year`);

  const drawn = { layers: new Map(), rooms: new Map(), distributions: new Map() };

  const put = (node, name_, value) => { if (node.getAttribute(name_) !== value) node.setAttribute(name_, value); };
  const lay = (node, box, parent) => Object.assign(node.style, place(box, parent));

  const inside = (title, distribution, box, key) => [
    box.height > 15 && box.width > Math.min(64, 7 * title.length + 10) ? el("span", { class: "box-head" },
      el("bdi", { class: "name" }, title),
      box.width > 130 ? el("span", { class: "box-size" }, bytes(distribution[key])) : null) : null,
    folderBoxes(distribution, box, key)].flat().filter((node) => node !== null);

  /* What is in a box is drawn again where its size is another by more than a step: the folders' places are shares of it. */
  const distributionBox = (title, distribution, box, parent, context) => {
    const { key, actions, moved } = context;
    let found = drawn.distributions.get(title);
    if (!found) {
      found = { step: "", node: el("div", { role: "treeitem", "aria-level": "2", tabindex: "-1",
        data: { stop: "", distribution: title, heat: heat(distribution.releases_per_year) } }) };
      drawn.distributions.set(title, found);
    }
    const { node } = found;
    const label = `${title} ${distribution.version}: ${bytes(distribution[key])}, ${said(distribution.releases_per_year)}${moved ? ", moved" : ""}`;
    put(node, "class", moved ? "box moved" : "box");
    put(node, "aria-label", label);
    put(node, "title", label);
    put(node, "aria-selected", String(actions.selected === title));
    put(node, "data-bytes", String(distribution[key]));
    lay(node, box, parent);
    const step = [key, Math.round(box.width / 6), Math.round(box.height / 6)].join();
    if (step !== found.step) {
      found.step = step;
      node.replaceChildren(...inside(title, distribution, box, key));
    }
    return node;
  };

  const layerNode = (layer, n) => {
    if (!drawn.layers.has(layer.name)) {
      drawn.layers.set(layer.name, el("div", { class: "layer-box", role: "treeitem", "aria-level": "1", "aria-expanded": "true",
        "aria-selected": "false", tabindex: "-1", data: { stop: "", layer: layer.name } },
      el("span", { class: "layer-head" }, name(layer.name), el("span", { class: "box-size" })), el("div", { role: "group", class: "boxes" })));
    }
    const node = drawn.layers.get(layer.name);
    node.style.setProperty("--own", Dom.layerColour(n));
    return node;
  };

  /* Nodes stay in the document where they can, so that the focus stays on them. */
  const arrange = (parent, nodes) => {
    if (nodes.length !== parent.childNodes.length || nodes.some((node, n) => parent.childNodes[n] !== node)) parent.replaceChildren(...nodes);
  };

  /* The boxes in a layer, as they were where it holds the same and has about the same size: places are shares of it. */
  const arranged = (layer, parts, box, key) => {
    const room = inner(box, HEAD);
    const holds = JSON.stringify([key, parts.map((part) => part.title)]);
    const before = drawn.rooms.get(layer);
    const alike = (a, b) => Math.abs(a - b) <= 0.04 * b;
    if (before && before.holds === holds && alike(room.width, before.room.width) && alike(room.height, before.room.height)) return before;
    const boxes = squarify(parts.map((part) => ({ value: Math.max(1, part.distribution[key]) })), { ...room, x: 0, y: 0 });
    drawn.rooms.set(layer, { holds, room, boxes });
    return drawn.rooms.get(layer);
  };

  const layerBox = (layer, n, box, whole, context) => {
    const { base, key, state, actions } = context;
    const members = layer.items.flatMap((item) => base.items.get(item).members);
    const parts = members.map((title) => ({ title, distribution: base.document.distributions[title] }))
      .sort((a, b) => b.distribution[key] - a.distribution[key] || (a.title < b.title ? -1 : 1));
    const sum = parts.reduce((total, part) => total + part.distribution[key], 0);
    const node = layerNode(layer, n);
    const { room, boxes } = arranged(layer.name, parts, box, key);
    const group = node.querySelector(".boxes");
    put(node, "data-bytes", String(sum));
    put(node, "aria-label", `Layer ${layer.name}: ${bytes(sum)}, ${many(parts.length, "distribution")}`);
    node.querySelector(".layer-head > .box-size").textContent = bytes(sum);
    lay(node, box, whole);
    lay(group, inner(box, HEAD), box);
    arrange(group, parts.map(({ title, distribution }, m) => distributionBox(title, distribution, boxes[m], room,
      { key, actions, moved: base.document.assignment[distribution.item] !== state.homes[distribution.item] })));
    return node;
  };

  const legend = () => el("ul", { class: "legend heat-legend", "aria-label": "Releases a year" },
    el("li", { class: "legend-title" }, "Releases a year"),
    HEAT.map(([, text], n) => el("li", {}, el("span", { class: "swatch", data: { heat: String(n) } }), text)),
    el("li", {}, el("span", { class: "swatch", data: { heat: "unknown" } }), "unknown"));

  const keys = (nodes) => (key, at, count) => {
    const layers = nodes.flatMap((node, n) => (node.dataset.layer === undefined ? [] : [n]));
    const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: count - 1,
      PageDown: layers.find((n) => n > at) ?? count - 1, PageUp: layers.findLast((n) => n < at) ?? 0 };
    return next[key];
  };

  const alternative = (base, evaluation) => Dom.more("treemap-table", "As a table", () => Dom.table(
    "Layers, distributions and folders", ["Layer", "Distribution", "Folder", ["Unzipped", "right"], ["Zipped", "right"]],
    evaluation.layers.flatMap((layer) => layer.items.flatMap((item) => base.items.get(item).members).flatMap((title) =>
      base.document.distributions[title].folders.map((folder) => [name(layer.name), name(title), name(folder.path),
        Dom.size(folder.unzipped_bytes), Dom.size(folder.zipped_bytes)])))));

  let key = "unzipped_bytes";

  const draw = (frame, base, state, evaluation, actions) => {
    const whole = { x: 0, y: 0, width: frame.clientWidth || 900, height: frame.clientHeight || 520 };
    const held = frame.contains(document.activeElement) ? document.activeElement : null;
    const shown = evaluation.layers.map((layer, n) => ({ layer, n, value: layer[key] }))
      .filter((one) => one.layer.items.length).sort((a, b) => b.value - a.value);
    const boxes = squarify(shown, whole);
    arrange(frame, shown.map(({ layer, n }, m) => layerBox(layer, n, boxes[m], whole, { base, key, state, actions })));
    const current = held?.isConnected ? held : drawn.distributions.get(actions.selected)?.node ?? frame.firstChild;
    for (const node of frame.querySelectorAll('[tabindex="0"]')) if (node !== current) node.tabIndex = -1;
    if (current) current.tabIndex = 0;
    if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
  };

  const chosen = (event, actions) => {
    const box = event.target.closest("[data-distribution]");
    if (box) actions.select(box.dataset.distribution);
  };

  const pressed = (event, frame, actions) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      chosen(event, actions);
      return;
    }
    const nodes = [...frame.querySelectorAll("[data-stop]")];
    Dom.roving(nodes, event, keys(nodes));
  };

  /** Draws the treemap into `element`; what is drawn around it the first time stays. */
  const render = (element, base, state, evaluation, actions) => {
    let frame = element.querySelector(".treemap");
    if (!frame) {
      frame = el("div", { class: "treemap", role: "tree", "aria-label": "Bytes of layers and distributions. Arrow keys move, Enter selects." });
      const again = () => { element.redraw(); };
      element.append(
        el("div", { class: "bar-of-tools" },
          Dom.choice("Bytes", [["unzipped_bytes", "Unzipped"], ["zipped_bytes", "Zipped"]], key, (value) => { key = value; again(); }),
          legend()),
        frame, el("div", { class: "treemap-more" }));
      frame.addEventListener("click", (event) => chosen(event, actions));
      frame.addEventListener("keydown", (event) => pressed(event, frame, actions));
      new ResizeObserver(() => again()).observe(frame);
    }
    element.redraw = () => draw(frame, base, state, evaluation, actions);
    element.redraw();
    element.querySelector(".treemap-more").replaceChildren(alternative(base, evaluation));
  };

  return { render, squarify, heat };
})();
