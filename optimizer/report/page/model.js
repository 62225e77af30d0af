"use strict";
/* What changes when something is moved, as a link and as a file, without a DOM.

   `base` has `items` by name, `list` in the order of names, `itemOf` each distribution and item, `start` what is planned.
   A state is {layers: [{name, role, origin}], homes: {item: layer name}}, frozen; `origin` is the name that a layer has
   in the plan, or null for one that was added here. */
const Model = (() => {
  const { evaluate, crowd, nameFault, round } = Arithmetic;

  const freeze = (layers, homes) =>
    Object.freeze({ layers: Object.freeze(layers.map((layer) => Object.freeze({ ...layer }))), homes: Object.freeze(homes) });

  function open(document) {
    const items = document.problem.items;
    const index = new Map(items.map((item, i) => [item.name, i]));
    const itemOf = new Map();
    for (const item of items) for (const member of item.members) itemOf.set(member, item.name);
    for (const item of items) itemOf.set(item.name, item.name);
    const homes = {};
    for (const item of items) homes[item.name] = document.assignment[item.name];
    const layers = document.layers.map(({ name, role }) => ({ name, role, origin: name }));
    const named = new Map(items.map((item) => [item.name, item]));
    return Object.freeze({ document, list: items, items: named, index, itemOf, start: freeze(layers, homes) });
  }

  const initial = (base) => base.start;

  function at(state, name) {
    const place = state.layers.findIndex((layer) => layer.name === name);
    if (place < 0) throw new Error(`There is no layer "${name}".`);
    return place;
  }

  function move(base, state, items, layer) {
    at(state, layer);
    const homes = { ...state.homes };
    for (const given of Array.isArray(items) ? items : [items]) {
      const name = base.itemOf.get(given);
      if (name === undefined) throw new Error(`The plan has no distribution "${given}".`);
      homes[name] = layer;
    }
    return freeze(state.layers, homes);
  }

  function addLayer(base, state, name) {
    const fault = crowd(base, state.layers.length + 1)?.text ?? nameFault(base, state.layers, name);
    if (fault) throw new Error(fault);
    return freeze([...state.layers, { name, role: null, origin: null }], { ...state.homes });
  }

  function renamed(homes, from, to) {
    return Object.fromEntries(Object.entries(homes).map(([item, home]) => [item, home === from ? to : home]));
  }

  function removeLayer(base, state, name, into) {
    const place = at(state, name);
    if (state.layers.length === 1) throw new Error(`${name} is the only layer: there has to be one.`);
    const held = base.list.some((item) => state.homes[item.name] === name);
    if (held || into) {
      if (!into || into === name) throw new Error(`Say which layer takes what is in ${name}.`);
      at(state, into);
    }
    return freeze(state.layers.filter((_, k) => k !== place), renamed(state.homes, name, into));
  }

  function rename(base, state, name, to) {
    const place = at(state, name);
    const fault = nameFault(base, state.layers.filter((_, k) => k !== place), to);
    if (fault) throw new Error(fault);
    const layers = state.layers.map((layer, k) => (k === place ? { ...layer, name: to } : layer));
    return freeze(layers, renamed(state.homes, name, to));
  }

  function reorder(base, state, name, place) {
    const moved = state.layers[at(state, name)];
    if (!Number.isInteger(place) || place < 0 || place >= state.layers.length) {
      throw new Error(`There is no place ${place + 1} among ${state.layers.length} layers.`);
    }
    const layers = state.layers.filter((layer) => layer !== moved);
    layers.splice(place, 0, moved);
    return freeze(layers, { ...state.homes });
  }

  /* The state with another split of its items; a layer of a name that it does not have is a new one. */
  function arrange(base, state, names, assignment) {
    const known = new Map(state.layers.map((layer) => [layer.name, layer]));
    const layers = names.map((name) => known.get(name) ?? { name, role: null, origin: null });
    for (const { name } of base.list) {
      if (!names.includes(assignment[name])) throw new Error(`The split does not say where ${name} goes.`);
    }
    return freeze(layers, Object.fromEntries(base.list.map(({ name }) => [name, assignment[name]])));
  }

  /* Where an item would be if nobody had moved it: what its layer of the plan is called now, or null. */
  function stay(base, state, item) {
    return state.layers.find((layer) => layer.origin === base.start.homes[item])?.name ?? null;
  }

  const movedItems = (base, state) =>
    base.list.map((item) => item.name).filter((name) => state.homes[name] !== stay(base, state, name));

  function changes(base, state) {
    const found = [];
    const kept = state.layers.filter((layer) => layer.origin !== null);
    for (const { name } of base.start.layers) {
      if (!kept.some((layer) => layer.origin === name)) {
        found.push({ kind: "removed", layer: name, text: `removed layer ${name}` });
      }
    }
    for (const { name, origin } of state.layers) {
      if (origin === null) found.push({ kind: "added", layer: name, text: `added layer ${name}` });
      else if (origin !== name) {
        found.push({ kind: "renamed", layer: name, from: origin, text: `renamed ${origin} to ${name}` });
      }
    }
    const before = base.start.layers.map((layer) => layer.name).filter((name) => kept.some((l) => l.origin === name));
    const natural = [...before, ...state.layers.filter((l) => l.origin === null).map((l) => l.name)];
    const now = state.layers.map((layer) => layer.origin ?? layer.name);
    if (now.join("\n") !== natural.join("\n")) {
      const order = state.layers.map((layer) => layer.name);
      found.push({ kind: "reordered", order, text: `attach order ${order.join(", ")}` });
    }
    for (const item of movedItems(base, state)) {
      const [from, to] = [base.start.homes[item], state.homes[item]];
      found.push({ kind: "moved", item, from, to, text: `moved ${item} from ${from} to ${to}` });
    }
    return found;
  }

  /* The fragment: layers by their place in the plan, then what was moved, then a sum that a damaged link fails. */
  function checksum(text) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash.toString(36);
  }

  function encode(base, state) {
    if (changes(base, state).length === 0) return "";
    const places = new Map(base.start.layers.map((layer, k) => [layer.name, k]));
    const layers = state.layers.map(({ name, origin }) => {
      if (origin === null) return `+${name}`;
      return origin === name ? `${places.get(origin)}` : `${places.get(origin)}:${name}`;
    });
    const to = new Map(state.layers.map((layer, k) => [layer.name, k]));
    const moves = movedItems(base, state).map((item) => `${encodeURIComponent(item)}:${to.get(state.homes[item])}`);
    const text = `layers=${layers.join(",")}&moved=${moves.join(",")}`;
    return `${text}&sum=${checksum(text)}`;
  }

  function decode(base, fragment) {
    const given = fragment.replace(/^#/, "");
    if (given === "") return base.start;
    const parts = /^(layers=([^&]*)&moved=([^&]*))&sum=([0-9a-z]+)$/.exec(given);
    if (!parts || checksum(parts[1]) !== parts[4]) {
      throw new Error("This link is damaged: part of it is missing or was changed. Ask for it again.");
    }
    const other = (what) => new Error(`This link was made on another plan: ${what}. Compare the plans' dates and layers.`);
    const layers = parts[2].split(",").map((text) => {
      const [, added, place, name] = /^(?:\+(.+)|(\d+)(?::(.+))?)$/.exec(text) ?? [];
      if (added !== undefined) return { name: added, role: null, origin: null };
      const known = base.start.layers[place];
      if (known === undefined) throw other("it has other layers than this one");
      return { name: name ?? known.name, role: known.role, origin: known.origin };
    });
    layers.forEach((layer, k) => {
      const fault = nameFault(base, layers.filter((_, i) => i !== k), layer.name);
      if (fault) throw other(fault.replace(/\.$/, ""));
      if (layer.origin !== null && layers.findIndex((l) => l.origin === layer.origin) !== k) throw other("a layer is twice in it");
    });
    const many = crowd(base, layers.length);
    if (many) throw other(many.text.replace(/\.$/, ""));
    const homes = {};
    for (const { name } of base.list) homes[name] = stay(base, { layers }, name);
    for (const text of parts[3] === "" ? [] : parts[3].split(",")) {
      const [, coded, place] = /^(.+):(\d+)$/.exec(text) ?? [];
      let item;
      try {
        item = decodeURIComponent(coded ?? "");
      } catch {
        throw other("a name in it can't be read");
      }
      if (!base.index.has(item)) throw other(`it moves ${item || text}, which is not here`);
      if (layers[place] === undefined) throw other(`it moves ${item} to a layer that is not here`);
      homes[item] = layers[place].name;
    }
    const lost = base.list.find((item) => homes[item.name] === null);
    if (lost) throw other(`it does not say where ${lost.name} goes`);
    return freeze(layers, homes);
  }

  /* The [[layer]] tables that the state stands for: {name, was, roots, include, self_contained}; `was` is the
     configured layer's name, null for one that is new.

     With `everything` each item is pinned where it is shown; otherwise what was moved is. What was a root of a layer that
     is still there is pinned by `include` where it went; the roots of one that was removed stay roots. At most one layer
     may have no roots, so that others have what they hold as roots. */
  function tables(base, state, { everything = false } = {}) {
    const before = base.document.configuration.layers;
    const kept = new Set(state.layers.map((layer) => layer.origin));
    const rows = state.layers.map((layer) => {
      const own = before.find((table) => table.name === layer.origin);
      return { name: layer.name, was: own?.name ?? null, roots: [], include: [], self_contained: own?.self_contained ?? false, own };
    });
    const row = (item) => rows[state.layers.findIndex((layer) => layer.name === state.homes[item])];
    const pinned = new Set();
    for (const table of before) {
      for (const key of ["roots", "include"]) {
        for (const name of table[key]) {
          const item = base.itemOf.get(name);
          const to = row(item);
          pinned.add(item);
          to[to.own === table || !kept.has(table.name) ? key : "include"].push(name);
        }
      }
    }
    const pin = (item) => base.items.get(item).members[0];
    const moved = new Set(movedItems(base, state));
    for (const { name } of base.list) {
      if (!pinned.has(name) && (everything || moved.has(name))) row(name).include.push(pin(name));
    }
    const open = rows.filter((r) => r.roots.length === 0);
    const rest = open.find((r) => r.own?.roots.length === 0) ?? open[open.length - 1];
    for (const r of rows) {
      if (r.roots.length || r === rest) continue;
      const shown = base.list.filter((item) => state.homes[item.name] === r.name).map((item) => pin(item.name));
      [r.roots, r.include] = [r.include.length ? r.include : shown, []];
    }
    return rows.map(({ own, ...table }) => table);
  }

  const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

  function array(key, names) {
    const line = `${key} = [${names.map(quoted).join(", ")}]\n`;
    return line.length <= 101 ? line : `${key} = [\n${names.map((name) => `    ${quoted(name)},\n`).join("")}]\n`;
  }

  function toml(base, state, options) {
    const { head, tail } = base.document.configuration;
    const text = tables(base, state, options).map((table) => {
      const lines = [`[[layer]]\nname = ${quoted(table.name)}\n`];
      if (table.roots.length) lines.push(array("roots", table.roots));
      if (table.include.length) lines.push(array("include", table.include));
      if (table.self_contained) lines.push("self_contained = true\n");
      return lines.join("");
    });
    const start = head === "" || head.endsWith("\n") ? head : `${head}\n`;
    return start + text.join("\n") + (tail.trim() ? `\n${tail.replace(/^\s*\n/, "")}` : "");
  }

  return Object.freeze({ open, initial, evaluate, move, addLayer, removeLayer, rename, reorder, arrange, movedItems, encode, decode,
                         changes, tables, toml, round });
})();
