"use strict";
/* Elements, and quantities in words. All text goes in as text, never as markup; names are isolated from what is around. */
const Dom = (() => {
  const KIB = 1024;
  const MIB = KIB * KIB;
  const SVG = "http://www.w3.org/2000/svg";

  const fill = (node, properties, children) => {
    for (const [name, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
      else if (name === "data") Object.assign(node.dataset, value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  };

  /** An element with attributes, `on…` listeners, `style` and `data`; children are nodes or text. */
  const el = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);
  const svg = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

  /** A name that comes from elsewhere: cut where it is long, whole in its title, and its direction its own. */
  const name = (text, properties = {}) => el("bdi", { class: "name", title: text, ...properties }, text);

  const NUMBER = new Intl.NumberFormat("en");
  const number = (count) => NUMBER.format(count);

  /* As Python's format rounds: halves to the even digit. */
  const tenths = (count, unit) => {
    const whole = Math.floor((count * 10) / unit);
    const rest = count * 10 - whole * unit;
    const up = rest * 2 > unit || (rest * 2 === unit && whole % 2 === 1);
    const found = whole + (up ? 1 : 0);
    return `${number(Math.floor(found / 10))}.${found % 10}`;
  };

  /** Bytes for people, as every other report of ours says them: 18.4 MiB, 57.1 KiB, 312 B. */
  const bytes = (count) => {
    const most = Math.abs(count);
    const sign = count < 0 ? "-" : "";
    if (most >= MIB) return `${sign}${tenths(most, MIB)} MiB`;
    return most >= KIB ? `${sign}${tenths(most, KIB)} KiB` : `${count} B`;
  };
  const signed = (count) => (count > 0 ? `+${bytes(count)}` : bytes(count));
  const exact = (count) => `${number(count)} bytes`;
  const share = (part, whole) => `${((100 * part) / whole).toFixed(1)}%`;
  const many = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

  /** Bytes with the exact number in the title. */
  const size = (count, properties = {}) =>
    el("span", { class: "number", title: exact(count), data: { bytes: count }, ...properties }, bytes(count));

  const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
  const day = (text) => DAY.format(new Date(`${text}T00:00:00Z`));
  const date = (text) => DATE.format(new Date(`${text}T00:00:00Z`));
  const month = (text) => MONTH.format(new Date(`${text}T00:00:00Z`));

  /** A table: `heads` are texts, or [text, class]; each row a list of cells; the first cell of a row is its heading. */
  const table = (caption, heads, rows, properties = {}) => {
    const classes = heads.map((head) => (Array.isArray(head) ? head[1] : ""));
    const cell = (content, place) =>
      place ? el("td", { class: classes[place] || null }, content) : el("th", { scope: "row" }, content);
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", properties,
        el("caption", { class: "hidden" }, caption),
        el("thead", {}, el("tr", {}, heads.map((head, place) =>
          el("th", { scope: "col", class: classes[place] || null }, Array.isArray(head) ? head[0] : head)))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
  };

  /** What is there for those who ask: a summary that opens. It stays open when the view is drawn again. */
  const opened = new Set();
  const shown = new WeakMap();
  window.addEventListener("beforeprint", () => {
    for (const node of document.querySelectorAll("details.more")) shown.get(node)?.();
  });
  const more = (key, summary, make) => {
    const body = el("div", { class: "more-body" });
    const open = opened.has(key);
    const node = el("details", { class: "more", open }, el("summary", {}, summary), body);
    const show = () => body.childElementCount || body.append(...[make()].flat());
    if (open) show();
    node.addEventListener("toggle", () => {
      if (node.open) show();
      opened[node.open ? "add" : "delete"](key);
    });
    shown.set(node, show);
    return node;
  };

  /** Radio buttons that look like one switch. */
  const choice = (label, options, current, change) => {
    const group = `choice-${label.replace(/\W+/g, "-").toLowerCase()}`;
    return el("fieldset", { class: "choice" }, el("legend", { class: "hidden" }, label),
      options.map(([value, text]) => el("label", {},
        el("input", { type: "radio", name: group, value, checked: value === current, onchange: () => change(value) }),
        el("span", {}, text))));
  };

  /** Arrow keys move the focus among nodes of which one is in the tab order. */
  const roving = (nodes, event, keys) => {
    const at = nodes.indexOf(event.target.closest("[data-stop]"));
    const next = keys(event.key, at, nodes.length);
    if (at < 0 || next === null || next === undefined) return;
    event.preventDefault();
    const target = nodes[Math.max(0, Math.min(nodes.length - 1, next))];
    nodes[at].tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  };

  const layerColour = (place) => `var(--layer-${(place % 5) + 1})`;

  return { el, svg, name, number, bytes, signed, exact, share, many, size, day, date, month, table, more, choice, roving, layerColour };
})();
