"use strict";
// What changed here: the series of the page, ranked by how much they differ in the window that is marked in Explore.
(() => {
  const { explore, rankChanges, make, button, say } = window.esxprobe ?? {};
  if (!explore || !rankChanges) return;
  const MOST_THINGS = 12; // rows
  const MOST_COUNTERS = 5; // of a row
  const SURE = 0.01; // chance among all series, as in changes.js
  const DIGITS = 3;

  let window_ = null;
  const reference = make("select", {}, make("option", { value: "before" }, "the time before"), make("option", { value: "rest" }, "the rest of the capture"));
  const place = make("div", {});
  const title = make("h3", {}, "What changed here");
  explore.slot.append(title, make("p", { class: "tools" }, make("label", {}, "Compared with ", reference)), place);
  reference.addEventListener("change", () => rank());

  const amount = (value) => {
    if (!Number.isFinite(value)) return "–";
    if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(DIGITS)));
  };
  const words = ({ change, known, places }) => {
    const unit = known.unit ? ` ${known.unit}` : "";
    const what = change.kind === "spread" ? "standard deviation " : "";
    const where = places > 1 ? ` (${places} instances)` : "";
    return `${known.short}${where} ${what}${change.constantBefore ? "constant " : ""}${amount(change.before)} → ${amount(change.within)}${unit}`;
  };

  // "3" alone names nothing: a PCPU has the name that its power states have, all else its object's before the number.
  const called = ({ vm, instance, object }) => {
    if (vm || !instance) return vm || "host";
    return /^(\d+|_.*)$/.test(instance) ? `${object === "Physical Cpu" ? "PCPU" : object} ${instance}` : instance;
  };

  // Changes of one VM, device or other thing together, in the order of the largest.
  const byThing = (found) => {
    const things = new Map();
    for (const each of found) {
      const key = called(each.known);
      if (!things.has(key)) things.set(key, { name: key, counters: new Map() });
      // A counter of several vCPUs or disks is named once, by the one in which it changed most.
      const { counters } = things.get(key);
      const counter = `${each.known.object}\\${each.known.counter} ${each.change.kind}`;
      if (counters.has(counter)) counters.get(counter).places += 1;
      else counters.set(counter, { ...each, places: 1 });
    }
    return [...things.values()].map(({ name, counters }) => ({ name, changes: [...counters.values()] }));
  };

  const row = ({ name, changes }) => {
    const shown = changes.slice(0, MOST_COUNTERS);
    const more = changes.length - shown.length;
    const cell = make("td", {});
    for (const each of shown) {
      cell.append(button(words(each), () => explore.plot([each.series]), { class: "tool change", title: `${each.known.object}\\${each.known.counter}${each.known.where ? ` of ${each.known.where}` : ""}` }), " ");
    }
    if (more > 0) cell.append(make("span", { class: "members" }, `and ${more} more`));
    const all = button("Plot", () => explore.plot(shown.map(({ series }) => series)), { "aria-label": `Plot what changed of ${name}` });
    return make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, name)), cell, make("td", {}, all));
  };

  let turn = 0;
  const rank = async () => {
    const mine = (turn += 1);
    explore.slot.hidden = !window_;
    if (!window_) return;
    place.replaceChildren(make("p", { class: "note" }, "Comparing all series ..."));
    const capture = await explore.ready();
    await capture.needAll();
    if (mine !== turn) return;
    const ranked = rankChanges(capture.set(capture.moving), [window_.from, window_.to], reference.value, true);
    // Series that never changed were tested as well: each makes the others less sure.
    const share = capture.count / Math.max(1, capture.moving);
    const found = ranked.filter(({ q }) => q * share < SURE).map((change) => ({ change, series: change.index, known: explore.nameOf(change.index) }));
    const things = byThing(found);
    const text = found.length
      ? `${found.length.toLocaleString("en")} of ${capture.count.toLocaleString("en")} series differ from ${reference.selectedOptions[0].textContent}; fewer than 1 in 100 of these are expected by chance.`
      : `No series differs from ${reference.selectedOptions[0].textContent} by more than chance explains among ${capture.count.toLocaleString("en")} series.`;
    const parts = [make("p", { class: "note" }, text)];
    if (things.length) {
      const head = make("tr", {}, ...["What", "Counters, means before and in the window", "Plot"].map((name) => make("th", { scope: "col" }, name)));
      const table = make("table", { "data-plain": "" }, make("thead", {}, head), make("tbody", {}, ...things.slice(0, MOST_THINGS).map(row)));
      parts.push(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What changed in the marked window" }, table));
      if (things.length > MOST_THINGS) parts.push(make("p", { class: "note" }, `${things.length - MOST_THINGS} more VMs, devices and other things changed.`));
    }
    place.replaceChildren(...parts);
    say(text);
  };

  // Windows that stand out lead here.
  for (const item of document.querySelectorAll("#windows li[data-from]")) {
    item.querySelector("strong").after(" ", button("What changed here", async () => {
      await explore.mark(Number(item.dataset.from), Number(item.dataset.to));
      document.getElementById("explore").scrollIntoView();
    }));
  }
  explore.onMarked((marked) => { window_ = marked; rank(); });
})();
