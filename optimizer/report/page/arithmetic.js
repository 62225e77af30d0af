"use strict";
/* What a split costs and what stands in its way: the arithmetic of optimizer.partition, without a DOM. */
const Arithmetic = (() => {
  const words = (names, most = 4) => {
    const shown = names.slice(0, most);
    if (names.length > most) shown.push(`${names.length - most} more`);
    return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown[shown.length - 1]}`;
  };

  /* As Python's round: half to even. */
  const round = (number) => {
    const below = Math.floor(number);
    const over = number - below;
    if (over !== 0.5) return over < 0.5 ? below : below + 1;
    return below % 2 === 0 ? below : below + 1;
  };

  function evaluate(base, state) {
    const { problem, limits } = base.document;
    const place = new Map(state.layers.map((layer, k) => [layer.name, k]));
    const homes = base.list.map((item) => place.get(state.homes[item.name]));
    const layers = state.layers.map(({ name, role }) => ({
      name, role, items: [], zipped_bytes: base.document.end_bytes, unzipped_bytes: 0, publishes: 0, republished_bytes: 0,
    }));
    const plain = layers.map(() => 0);
    base.list.forEach((item, i) => {
      const layer = layers[homes[i]];
      layer.items.push(item.name);
      layer.zipped_bytes += item.zipped_bytes;
      layer.unzipped_bytes += item.unzipped_bytes;
      plain[homes[i]] += item.zipped_bytes;
    });
    const touched = (names) => [...new Set(names.map((name) => homes[base.index.get(name)]))].sort((a, b) => a - b);
    const windows = problem.observed.map((changed) => {
      const dirty = touched(changed);
      for (const k of dirty) {
        layers[k].publishes += 1;
        layers[k].republished_bytes += plain[k];
      }
      const bytes = dirty.reduce((sum, k) => sum + plain[k], 0);
      return { bytes, layers: dirty.map((k) => layers[k].name), changed: [...changed] };
    });
    const known = problem.scenarios.length > 0 && base.list.length > 0;
    const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
    const size = (name) => base.items.get(name).zipped_bytes;
    const scenario = ({ weight, items }) => weight * sum(touched(items).map((k) => problem.publish_bytes + plain[k]));
    const least = () => sum(problem.observed.map((changed) => sum(changed.map(size))));
    const code = base.document.functions.map((f) => f.unzipped_bytes + f.external_unzipped_bytes);
    const total = sum(layers.map((layer) => layer.unzipped_bytes)) + Math.max(0, ...code);
    const arrows = arrowsOf(base, state, homes);
    const found = {
      layers, windows, arrows,
      total_unzipped_bytes: total,
      headroom_bytes: limits.unzipped_bytes - total,
      fits: total <= limits.unzipped_bytes,
      republished_bytes_per_year: known ? round(sum(windows.map((w) => w.bytes)) / problem.observed_years) : null,
      cost: known ? sum(problem.scenarios.map(scenario)) : null,
      floor_bytes_per_year: known ? round(least() / problem.observed_years) : null,
    };
    return { ...found, broken: brokenOf(base, state, found) };
  }

  function arrowsOf(base, state, homes) {
    const found = new Map();
    base.list.forEach((item, i) => {
      for (const other of item.requires) {
        const to = homes[base.index.get(other)];
        if (to === undefined || to === homes[i]) continue;
        const key = `${homes[i]} ${to}`;
        if (!found.has(key)) {
          const [from, into] = [state.layers[homes[i]].name, state.layers[to].name];
          found.set(key, { from, to: into, pairs: [], backward: to > homes[i] });
        }
        found.get(key).pairs.push([item.name, other]);
      }
    });
    return [...found.values()];
  }

  /* What the planner would refuse, or Lambda, in words. */
  function brokenOf(base, state, found) {
    const { problem, limits } = base.document;
    const broken = [];
    for (const layer of state.layers) {
      if (!problem.self_contained.includes(configured(base, layer))) continue;
      const missing = found.arrows.filter((arrow) => arrow.from === layer.name);
      const pairs = missing.flatMap((arrow) => arrow.pairs.map(([a, b]) => ({ a, b, where: arrow.to })));
      if (!pairs.length) continue;
      const said = words(pairs.map(({ a, b, where }) => `${a} requires ${b}, which is in ${where}`));
      broken.push({ kind: "self_contained", text: `${layer.name} is to be self-contained, but ${said}.`,
                    items: [...new Set(pairs.flatMap(({ a, b }) => [a, b]))] });
    }
    for (const names of problem.apart) {
      for (const layer of state.layers) {
        const both = names.filter((name) => state.homes[name] === layer.name);
        if (both.length < 2) continue;
        broken.push({ kind: "apart", text: `${words(both)} are to be kept apart, but share ${layer.name}.`, items: both });
      }
    }
    for (const layer of found.layers) {
      if (layer.items.length) continue;
      broken.push({ kind: "empty", text: `${layer.name} is empty: move something into it, or remove it.`, items: [] });
    }
    if (!found.fits) {
      const text = `Together they unzip to ${-found.headroom_bytes} bytes more than Lambda's ${limits.unzipped_bytes}.`;
      broken.push({ kind: "limit", text, items: [] });
    }
    const many = crowd(base, state.layers.length);
    if (many) broken.push({ ...many, items: [] });
    state.layers.forEach((layer, k) => {
      const text = nameFault(base, state.layers.filter((_, other) => other !== k), layer.name);
      if (text) broken.push({ kind: "name", text, items: [] });
    });
    return broken;
  }

  /* The configured layer that a shown one is; null for one that was added, here or by --layers. */
  function configured(base, layer) {
    const known = base.document.configuration.layers.some((table) => table.name === layer.origin);
    return known ? layer.origin : null;
  }

  function crowd(base, count) {
    const slots = base.document.limits.layers;
    if (count <= slots) return null;
    const external = base.document.plan.limits.layers - slots;
    const beside = external ? `, and ${external} ${external === 1 ? "is" : "are"} external` : "";
    const text = `${count} layers: Lambda attaches at most ${base.document.plan.limits.layers}${beside}.`;
    return { kind: external && count + external > slots ? "external" : "count", text };
  }

  function nameFault(base, others, name) {
    const { layer_name: pattern, layer_name_length: length } = base.document.limits;
    if (!new RegExp(`^(?:${pattern})$`).test(name) || name.length > length) {
      return `"${name}" is not a layer's name: letters, digits, "-" and "_", at most ${length}.`;
    }
    if (others.some((layer) => layer.name === name)) return `There is a layer "${name}" already.`;
    const codes = ["function", ...base.document.functions.map((f) => `function-${f.name}`)];
    if (codes.includes(name)) return `"${name}" is the name of a function's zip: call the layer something else.`;
    return null;
  }

  return Object.freeze({ evaluate, crowd, nameFault, round });
})();
