"use strict";
/* The table of distributions, the one that is selected, and what is left out. */
const Tables = (() => {
  const { el, name, bytes, many, size, signed } = Dom;
  const sorting = { column: "unzipped_bytes", down: true };
  const words = new Intl.Collator("en", { numeric: true });
  const rows = new Map();
  let wanted = "";

  const COLUMNS = [
    ["name", "Distribution", ""], ["layer", "Layer", ""], ["version", "Version", ""], ["unzipped_bytes", "Unzipped", "right"],
    ["zipped_bytes", "Zipped", "right"], ["releases_per_year", "Releases a year", "right"], ["reason", "Why it is there", ""],
    ["alternative", "In another layer", ""]];

  const least = (distribution) => Math.min(...Object.values(distribution.alternatives), Infinity);

  const rowsOf = (base, state) => Object.entries(base.document.distributions).map(([title, distribution]) => ({
    ...distribution, name: title, layer: state.homes[distribution.item], planned: base.document.assignment[distribution.item],
    alternative: least(distribution) }));

  const compare = (a, b) => {
    const [one, other] = [a[sorting.column], b[sorting.column]];
    const order = typeof one === "string" ? words.compare(one, other) : (one ?? -1) - (other ?? -1) || 0;
    return (sorting.down ? -order : order) || (a.name < b.name ? -1 : 1);
  };

  const others = (distribution) => Object.entries(distribution.alternatives).sort((a, b) => a[1] - b[1]);

  const tableRow = (row, actions) => el("tr", { data: { name: row.name, home: row.layer, text: `${row.name} ${row.layer} ${row.version} ${row.reason}`.toLowerCase() },
    class: row.layer === row.planned ? null : "moved" },
  el("th", { scope: "row" }, el("button", { type: "button", class: "link", onclick: () => actions.select(row.name, { show: true }) }, name(row.name))),
  el("td", {}, name(row.layer), row.layer === row.planned ? null : el("span", { class: "tag" }, "moved")),
  el("td", {}, name(row.version)),
  el("td", { class: "right" }, size(row.unzipped_bytes)),
  el("td", { class: "right" }, size(row.zipped_bytes)),
  el("td", { class: "right" }, row.releases_per_year === null ? "unknown" : Dom.number(row.releases_per_year)),
  el("td", { class: "reason" }, el("bdi", {}, row.reason)),
  el("td", { class: "alternatives" }, others(row).map(([layer, more]) => el("span", {}, name(layer), ` ${signed(more)}`))));

  const filter = (element) => {
    const found = [...element.querySelector("tbody").rows];
    let shown = 0;
    for (const row of found) {
      const hidden = !row.dataset.text.includes(wanted);
      if (row.hidden !== hidden) row.hidden = hidden;
      if (!hidden) shown += 1;
    }
    const text = shown === found.length ? many(shown, "distribution") : `${shown} of ${many(found.length, "distribution")}`;
    const said = element.querySelector(".shown");
    if (said.textContent !== text) said.textContent = text;
  };

  const heading = ([key, label, kind], again) => {
    const sorted = key === sorting.column;
    return el("th", { scope: "col", class: kind || null, "aria-sort": sorted ? (sorting.down ? "descending" : "ascending") : null },
      el("button", { type: "button", class: "sort", data: { column: key }, onclick: () => {
        sorting.down = sorted ? !sorting.down : kind === "right";
        sorting.column = key;
        again();
      } }, label, el("span", { class: "direction", "aria-hidden": "true" }, sorted ? (sorting.down ? " ↓" : " ↑") : "")));
  };

  /* Rows are made once and again where their layer is another: a table of hundreds is slow to lay out. */
  const rowOf = (row, actions) => {
    const made = rows.get(row.name);
    if (made?.dataset.home === row.layer) return made;
    const fresh = tableRow(row, actions);
    if (made?.isConnected) made.replaceWith(fresh);
    rows.set(row.name, fresh);
    return fresh;
  };

  const arrange = (body, wantedRows) => {
    if (wantedRows.length !== body.rows.length || wantedRows.some((row, n) => body.rows[n] !== row)) body.replaceChildren(...wantedRows);
  };

  const COLUMN_WIDTHS = [15, 10, 8, 8, 8, 9, 24, 18];

  const distributions = (element, base, state, evaluation, actions) => {
    if (!element.firstChild) {
      const tall = base.items.size > 40 ? "scroll tall" : "scroll framed";
      const box = el("input", { type: "search", id: "filter", autocomplete: "off", spellcheck: "false" });
      box.addEventListener("input", () => { wanted = box.value.trim().toLowerCase(); filter(element); });
      element.append(el("p", { class: "lead" }, "What moving one alone to another layer would cost stands in the last column, in expected bytes a year."),
        el("div", { class: "bar-of-tools" }, el("label", { for: "filter" }, "Filter "), box, el("span", { class: "shown quiet-text", role: "status" })),
        el("div", { class: tall, tabindex: "0", role: "region", "aria-label": "Table of distributions" },
          el("table", { id: "distribution-table" }, el("caption", { class: "hidden" }, "Distributions"),
            el("colgroup", {}, COLUMN_WIDTHS.map((width) => el("col", { style: { width: `${width}%` } }))), el("thead"), el("tbody"))));
    }
    const draw = () => {
      const focused = document.activeElement?.dataset?.column;
      element.querySelector("thead").replaceChildren(el("tr", {}, COLUMNS.map((column) => heading(column, draw))));
      arrange(element.querySelector("tbody"), rowsOf(base, state).sort(compare).map((row) => rowOf(row, actions)));
      filter(element);
      if (focused) element.querySelector(`[data-column="${focused}"]`).focus();
    };
    draw();
  };

  const fact = (label, ...content) => [el("dt", {}, label), el("dd", {}, content)];

  const receipt = (rows) => el("ul", {}, rows.map((row) => el("li", {}, el("strong", {}, row.rule), ` ${bytes(row.bytes)}, ${many(row.files, "file")}: `, el("bdi", {}, row.why))));

  const list = (names) => names.map((one, n) => [n ? ", " : "", name(one)]);

  /* Which items alone made us publish a layer, how often, and what that sent: where a move would tell most. */
  const sole = (base, state, evaluation) => {
    const sizes = new Map(evaluation.layers.map((layer) => [layer.name, layer.zipped_bytes - base.document.end_bytes]));
    const found = new Map();
    for (const window of evaluation.windows) {
      for (const layer of window.layers) {
        const guilty = window.changed.filter((item) => state.homes[item] === layer);
        if (guilty.length !== 1) continue;
        const row = found.get(guilty[0]) ?? { item: guilty[0], times: 0, bytes: 0 };
        found.set(guilty[0], { ...row, times: row.times + 1, bytes: row.bytes + sizes.get(layer) });
      }
    }
    return [...found.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 5);
  };

  const nothingChosen = (base, state, evaluation, actions) => {
    const rows = sole(base, state, evaluation);
    return [
      el("p", { class: "quiet-text" }, "Choose a box or a row to see why it is where it is, and what another layer would cost."),
      rows.length ? el("h4", {}, "Alone made us publish its layer") : "",
      el("ul", { class: "sole" }, rows.map((row) => el("li", {},
        el("button", { type: "button", class: "link", onclick: () => actions.select(base.items.get(row.item).members[0]) }, name(row.item)),
        el("span", { class: "quiet-text" }, `${Dom.number(row.times)} ×`), size(row.bytes))))];
  };

  /** The facts of the distribution that is selected; without one, where to begin. */
  const chosen = (element, base, state, evaluation, actions) => {
    const distribution = base.document.distributions[actions.selected];
    if (!distribution) {
      element.replaceChildren(...nothingChosen(base, state, evaluation, actions));
      return;
    }
    const { members } = base.items.get(distribution.item);
    const gone = [...distribution.left_out, ...distribution.rewritten];
    element.replaceChildren(
      el("p", { class: "chosen-name" }, el("bdi", {}, actions.selected), " ", el("bdi", { class: "quiet-text" }, distribution.version)),
      distribution.summary ? el("p", {}, el("bdi", {}, distribution.summary)) : "",
      el("dl", { class: "facts" },
        fact("Layer", name(state.homes[distribution.item])), fact("Why", el("bdi", {}, distribution.reason)),
        fact("Ships", size(distribution.unzipped_bytes), " unzipped, ", size(distribution.zipped_bytes), " zipped; ", size(distribution.installed_bytes), " installed"),
        fact("Releases", distribution.releases_per_year === null ? "unknown" : `${Dom.number(distribution.releases_per_year)} a year`),
        members.length > 1 ? fact("Moves with", list(members.filter((one) => one !== actions.selected))) : [],
        distribution.requires.length ? fact("Requires", list(distribution.requires)) : [],
        others(distribution).length ? fact("Elsewhere", others(distribution).map(([layer, more]) => el("div", {}, name(layer), ` ${signed(more)} a year expected`))) : []),
      Dom.more("chosen-folders", many(distribution.folders.length, "folder"), () => Dom.table("Folders", ["Folder", ["Unzipped", "right"], ["Zipped", "right"]],
        distribution.folders.map((folder) => [name(folder.path), size(folder.unzipped_bytes), size(folder.zipped_bytes)]))),
      gone.length ? Dom.more("chosen-receipt", "Left out of it", () => receipt(gone)) : "");
  };

  const byRule = (base, key) => {
    const found = new Map();
    for (const [title, distribution] of Object.entries(base.document.distributions)) {
      for (const row of distribution[key]) {
        if (!found.has(row.rule)) found.set(row.rule, { rule: row.rule, why: row.why, files: 0, bytes: 0, of: [] });
        const rule = found.get(row.rule);
        rule.files += row.files;
        rule.bytes += row.bytes;
        rule.of.push({ title, files: row.files, bytes: row.bytes });
      }
    }
    return [...found.values()].sort((a, b) => b.bytes - a.bytes);
  };

  const rules = (base, key, heads) => {
    const found = byRule(base, key);
    if (!found.length) return [el("p", { class: "empty" }, "Nothing.")];
    return found.map((rule) => Dom.more(`${key} ${rule.rule}`,
      [el("strong", {}, rule.rule), " ", size(rule.bytes), el("span", { class: "count" }, `${many(rule.files, "file")} of ${many(rule.of.length, "distribution")}`), el("bdi", { class: "why" }, rule.why)],
      () => Dom.table(`${heads} ${rule.rule}`, ["Distribution", ["Files", "right"], ["Bytes", "right"]],
        rule.of.sort((a, b) => b.bytes - a.bytes).map((row) => [name(row.title), Dom.number(row.files), size(row.bytes)]))));
  };

  /** Every distribution that does not ship and every slimmed byte, with the reason. */
  const leftOut = (element, base) => {
    const { excluded } = base.document;
    element.replaceChildren(
      el("h3", {}, "Distributions that do not ship"),
      excluded.length ? Dom.table("Distributions that do not ship", ["Distribution", "Version", "Why"],
        excluded.map((row) => [name(row.name), name(row.version), el("bdi", {}, row.reason)]), { id: "excluded" })
        : el("p", { class: "empty" }, "None: all that the requirements lead to ships."),
      el("h3", {}, "Files that do not ship"), el("div", { class: "rules", id: "left-out-rules" }, rules(base, "left_out", "Left out by")),
      el("h3", {}, "Files that ship shorter than they are installed"), el("div", { class: "rules", id: "rewritten-rules" }, rules(base, "rewritten", "Shortened by")));
  };

  return { distributions, chosen, leftOut };
})();
