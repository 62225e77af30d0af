"use strict";
/* The headline, the frontier, and the arrows between layers. */
const Charts = (() => {
  const { el, svg, name, bytes, exact, many, size, share } = Dom;

  const tile = (key, label, value, ...notes) => el("div", { class: "tile", data: { tile: key } },
    el("dt", {}, label), el("dd", { class: "value" }, value), notes.filter(Boolean).map((note) => el("dd", { class: "note" }, note)));

  const known = (base, count) => base.document.plan.frontier?.find((row) => row.layers === count && row.cost !== null);

  /** The least that is known of any split into so many layers, in expected bytes a year; null where nothing is. */
  const bound = (base, count) => {
    const { objective } = base.document.plan;
    return count === base.document.layers.length ? objective.lower_bound : known(base, count)?.lower_bound ?? null;
  };

  const certainty = (base, evaluation) => {
    const least = bound(base, evaluation.layers.length);
    if (evaluation.cost === null || least === null) return ["Unknown", "without a release history"];
    const above = least > 0 ? evaluation.cost / least - 1 : 0;
    if (above <= 1e-6) return ["The best", `proved for ${many(evaluation.layers.length, "layer")}`];
    if (above > 1) return [`≤ ${(above + 1).toFixed(1)} ×`, "the least that is possible: no better bound was found"];
    return [`≤ ${(100 * Math.max(above, 0.0001)).toFixed(2)}%`, "above the best possible, in expected bytes"];
  };

  const was = (now, before, show) => (before === null || now === before ? null : `the plan: ${show(before)}`);

  const comparison = (base, evaluation) => {
    const { initial } = base;
    const best = known(base, evaluation.layers.length);
    const changed = evaluation.republished_bytes_per_year !== initial.republished_bytes_per_year;
    const rows = [
      [changed ? "This split" : "This plan", evaluation.republished_bytes_per_year, "this"],
      changed ? ["The plan", initial.republished_bytes_per_year, "plan"] : null,
      best ? [`Best known, ${many(best.layers, "layer")}`, best.republished_bytes_per_year, "best"] : null,
      ["Floor: a layer for each", evaluation.floor_bytes_per_year, "floor"],
    ].filter(Boolean);
    const most = Math.max(...rows.map((row) => row[1]), 1);
    return el("table", { class: "bars", id: "comparison" },
      el("caption", {}, "Bytes published again over a year of releases"),
      el("tbody", {}, rows.map(([label, count, kind]) => el("tr", { data: { row: kind } },
        el("th", { scope: "row" }, label),
        el("td", { class: "bar-cell" }, el("span", { class: `bar ${kind}`, style: { width: `${(100 * count) / most}%` } })),
        el("td", { class: "right" }, size(count))))));
  };

  const used = (base, evaluation) => {
    const { document } = base;
    const total = document.limits.unzipped_bytes;
    const most = document.functions.reduce((a, b) =>
      (b.unzipped_bytes + b.external_unzipped_bytes > a.unzipped_bytes + a.external_unzipped_bytes ? b : a));
    const parts = evaluation.layers.map((layer, n) => [layer.name, layer.unzipped_bytes, Dom.layerColour(n), "layer"]);
    parts.push([`code of ${most.name}`, most.unzipped_bytes, "var(--code)", "code"]);
    if (most.external_unzipped_bytes) parts.push(["external layers", most.external_unzipped_bytes, "var(--external)", "external"]);
    const scale = Math.max(total, evaluation.total_unzipped_bytes);
    const items = [...parts, evaluation.fits ? ["headroom", evaluation.headroom_bytes, "var(--headroom)", "headroom"]
      : ["over the limit", -evaluation.headroom_bytes, "var(--bad)", "over"]];
    const drawn = evaluation.fits ? items : parts;
    return el("figure", { class: "used" },
      el("figcaption", {}, `Unzipped bytes of the ${bytes(total)} that Lambda allows a function with its layers`),
      el("div", { class: "stack", "aria-hidden": "true" }, drawn.map(([label, count, colour, kind]) =>
        el("span", { class: `part ${kind}`, title: `${label}: ${bytes(count)} (${exact(count)})`, style: { width: `${(100 * count) / scale}%`, background: colour } })),
      evaluation.fits ? null : el("span", { class: "limit", style: { left: `${(100 * total) / scale}%` } })),
      el("ul", { class: "legend" }, items.map(([label, count, colour, kind]) => el("li", { data: { part: kind } },
        el("span", { class: "swatch", style: { background: colour } }), name(label), " ", size(count),
        el("span", { class: "quiet-text" }, share(count, total))))));
  };

  /* What is very long begins here and goes on where it is opened. */
  const told = (text) => el("li", {}, text.length <= 320 ? el("bdi", {}, text)
    : Dom.more(`warning ${text}`, el("bdi", {}, `${text.slice(0, 240)}…`), () => el("bdi", {}, text)));

  const isPlanned = (base, state) => Model.encode(base, state) === "";

  const notes = (base, state, evaluation) => {
    const { document } = base;
    const said = [...document.warnings, ...(document.never_imported_text ? [document.never_imported_text] : [])];
    const broken = evaluation.broken.map((one) => one.text);
    return [
      broken.length ? el("div", { class: "notice bad" }, el("h3", {}, "This split can't be had"), el("ul", {}, broken.map((text) => el("li", {}, el("bdi", {}, text))))) : null,
      el("div", { class: "words" }, el("h3", {}, isPlanned(base, state) ? "Certificate" : "Certificate of the plan"), el("ul", { id: "certificate" }, document.certificate.map((text) => el("li", {}, el("bdi", {}, text))))),
      said.length ? el("div", { class: "notice" }, el("h3", {}, many(said.length, "warning")), el("ul", { id: "warnings" }, said.map(told))) : null];
  };

  const compared = (found) => el("div", { class: "words", id: "compared" },
    el("h3", {}, "Compared with ", el("bdi", {}, found.base)),
    el("ul", {}, [found.headline, ...found.notes, ...found.totals].map((text) => el("li", {}, el("bdi", {}, `${text[0].toUpperCase()}${text.slice(1)}.`)))),
    found.rows.length ? Dom.table("Distributions that differ", ["Distribution", "What became of it", "Layer", ["Zipped", "right"], ["Unzipped", "right"]],
      found.rows.map((row) => [name(row.name), el("bdi", {}, row.change), el("bdi", {}, row.place), row.zipped, row.unzipped])) : null);

  const glance = (element, base, state, evaluation) => {
    const { document, initial } = base;
    const year = evaluation.republished_bytes_per_year;
    const [sure, why] = certainty(base, evaluation);
    element.replaceChildren(
      el("dl", { class: "tiles" },
        tile("year", "Published again a year", year === null ? "Unknown" : size(year),
          year === null ? el("span", {}, "run ", el("code", {}, "python -m optimizer history update")) : `the floor is ${bytes(evaluation.floor_bytes_per_year)}`,
          was(year, initial.republished_bytes_per_year, bytes)),
        tile("share", `Of ${bytes(document.limits.unzipped_bytes)} used`, share(evaluation.total_unzipped_bytes, document.limits.unzipped_bytes),
          evaluation.fits ? `${bytes(evaluation.headroom_bytes)} of headroom` : `${bytes(-evaluation.headroom_bytes)} too many`),
        tile("layers", "Layers", String(evaluation.layers.length), `of ${document.limits.layers} that Lambda leaves us`),
        tile("certainty", "How far from the best", sure, why)),
      el("div", { class: "two" }, used(base, evaluation), year === null ? null : comparison(base, evaluation)),
      document.compared ? compared(document.compared) : "",
      ...notes(base, state, evaluation).filter(Boolean));
  };

  const sure = (row) => (row.proved ? "proved the best" : row.lower_bound > 0
    ? `at most ${(100 * Math.max(row.cost / row.lower_bound - 1, 0.0001)).toFixed(2)}% above the best` : "no bound is known");

  const frontierRow = (base, row, before, scale, evaluation, planned) => {
    const count = row.republished_bytes_per_year;
    const here = row.layers === evaluation.layers.length;
    const mark = here ? evaluation.republished_bytes_per_year : null;
    const own = mark === null || mark === count ? null : `this split sends ${bytes(mark)}`;
    const roles = new Set(base.document.layers.map((layer) => layer.role)).size;
    const said = [sure(row), row.layers < roles ? "without the roles" : null, own].filter(Boolean).join(", ");
    return el("tr", { class: here ? "here" : null, data: { layers: row.layers, bytes: count } },
      el("th", { scope: "row" }, many(row.layers, "layer"), row.layers === planned ? el("span", { class: "tag" }, "planned") : null),
      el("td", { class: "bar-cell" },
        el("span", { class: `bar ${here ? "this" : "plain"}`, style: { width: `${100 * count / scale}%` } }),
        el("span", { class: "floor-line", style: { left: `${(100 * evaluation.floor_bytes_per_year) / scale}%` } }),
        mark === null ? null : el("span", { class: "mark", title: `this split: ${bytes(mark)}`, style: { left: `${(100 * mark) / scale}%` } })),
      el("td", { class: "right" }, size(count)),
      el("td", { class: "right" }, before ? Dom.signed(count - before.republished_bytes_per_year) : ""),
      el("td", { class: "quiet-text" }, said));
  };

  /** Bytes a year for each number of layers, the floor through all of them, and where this split stands. */
  const frontier = (element, base, state, evaluation) => {
    const rows = base.document.plan.frontier?.filter((row) => row.cost !== null) ?? [];
    if (!rows.length) {
      element.replaceChildren(el("p", { class: "empty" }, "Nothing is known of other numbers of layers. Run ",
        el("code", {}, "python -m optimizer history update"), ", and ", el("code", {}, "plan --format html"), " again, with its frontier."));
      return;
    }
    const now = evaluation.republished_bytes_per_year;
    const planned = base.document.layers.length;
    const scale = Math.max(...rows.map((row) => row.republished_bytes_per_year), now) || 1;
    element.replaceChildren(
      el("p", { class: "lead" }, "The best split known for each number of layers, by the bytes that a year of releases publishes again. The dashed line is the floor, ",
        size(evaluation.floor_bytes_per_year), ": a layer for each distribution. The diamond is ", isPlanned(base, state) ? "this plan." : `this split, of ${many(evaluation.layers.length, "layer")}.`),
      Dom.table("Bytes a year for each number of layers", ["Layers", ["", "bar-head"], ["Published a year", "right"], ["The layer changes", "right"], "Certainty"], [], { class: "bars frontier" }));
    element.querySelector("tbody").append(...rows.map((row, n) =>
      frontierRow(base, row, rows[n - 1]?.layers === row.layers - 1 ? rows[n - 1] : null, scale, evaluation, planned)));
  };

  const ROW = 64;
  const HALF = 110;
  const bulge = (steps) => 20 + 44 * steps;

  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  const arc = (arrow, places) => {
    const from = places.get(arrow.from);
    const to = places.get(arrow.to);
    const side = arrow.backward ? -1 : 1;
    const [y1, y2] = [from * ROW + 32 - 8 * Math.sign(from - to), to * ROW + 32 + 8 * Math.sign(from - to)];
    const x = side * (HALF + 2);
    const reach = x + side * bulge(Math.abs(from - to));
    const middle = (y1 + y2) / 2;
    const peak = x + 0.75 * (reach - x);
    return svg("g", { class: arrow.backward ? "arc backward" : "arc" },
      svg("title", {}, `${arrow.from} requires ${arrow.to}: ${arrow.pairs.length}`),
      svg("path", { d: `M ${x} ${y1} C ${reach} ${y1}, ${reach} ${y2}, ${x + side * 3} ${y2}`, "marker-end": arrow.backward ? "url(#tip-back)" : "url(#tip)" }),
      svg("circle", { cx: peak, cy: middle, r: 12 }),
      svg("text", { x: peak, y: middle + 4, "text-anchor": "middle" }, String(arrow.pairs.length)));
  };

  const tip = (id) => svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
    svg("path", { d: "M 0 0 L 8 4 L 0 8 z" }));

  const picture = (evaluation) => {
    const places = new Map(evaluation.layers.map((layer, n) => [layer.name, n]));
    const steps = Math.max(...evaluation.arrows.map((arrow) => Math.abs(places.get(arrow.from) - places.get(arrow.to))));
    const half = HALF + 18 + 0.75 * bulge(steps);
    return svg("svg", { class: "arcs", viewBox: `${-half} 0 ${2 * half} ${evaluation.layers.length * ROW}`, width: 2 * half,
      "aria-hidden": "true", focusable: "false" },
      svg("defs", {}, tip("tip"), tip("tip-back")),
      evaluation.arrows.map((arrow) => arc(arrow, places)),
      evaluation.layers.map((layer, n) => svg("g", { class: "node", style: { "--own": Dom.layerColour(n) } },
        svg("title", {}, layer.name),
        svg("rect", { x: -HALF, y: n * ROW + 12, width: 2 * HALF, height: 40, rx: 8 }),
        svg("text", { x: 0, y: n * ROW + 37, "text-anchor": "middle" }, `${n + 1}  ${cut(layer.name, 24)}`))));
  };

  /** Which layers require which, in attach order; those that need a layer attached later are marked. */
  const arrows = (element, base, state, evaluation) => {
    if (!evaluation.arrows.length) {
      element.replaceChildren(el("p", { class: "empty" }, "No layer requires another: each can be attached alone."));
      return;
    }
    const lists = evaluation.arrows.map((arrow) => Dom.more(`arrow ${arrow.from} ${arrow.to}`,
      [name(arrow.from), " → ", name(arrow.to), el("span", { class: "count" }, many(arrow.pairs.length, "requirement")),
        arrow.backward ? el("span", { class: "tag warn" }, "attached later") : null],
      () => el("ul", { class: "pairs" }, arrow.pairs.map(([one, other]) => el("li", {}, name(one), " → ", name(other))))));
    element.replaceChildren(
      el("p", { class: "lead" }, "A layer whose distributions require another's can't be attached without it. Arrows on the left lead to a layer that is attached later; Lambda unpacks all before the code runs, so that they hold where both are attached."),
      el("div", { class: "two" }, picture(evaluation), el("div", { class: "arrow-list" }, lists)));
  };

  return { glance, frontier, arrows };
})();
