"use strict";
// Explore: every series of the capture, searched by what people type, on lanes over one time axis.
// A view is kept in the fragment of the address; a window that is marked is told to who asked (`esxprobe.explore`).
(() => {
  const { make, button, say, download, lanes: drawing } = window.esxprobe;
  const section = document.getElementById("explore");
  if (!section || !window.esxprobe.capture) return;
  const SVG = "http://www.w3.org/2000/svg";
  const SHOWN = 60; // results that are listed
  const TOP_OF = 5;
  const MOST_OF_ALL = 12; // series that are plotted at once
  const COLORS = 8;
  const OF_A_NAME = /[\p{L}\p{N}]/u;
  const EVENTS_READ = 3; // that the line below the lanes names
  const MOST_POINTS = 255; // of how well words fit a series
  const MOST_UNITS = 2;
  const DRAGGED_PX = 5; // a shorter drag is a click
  const GAP = /\*|\.\.\.|…/;
  const COMPARED = /^(.*?)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$/s;
  const PRESETS = {
    CPU: [["%RDY", "%CSTP"], ["%RUN"], ["%MLMTD", "%SWPWT"], ["%WAIT", "%IDLE"]],
    Memory: [["MEMSZ", "GRANT", "TCHD"], ["MCTLSZ", "SWCUR", "ZIP/s"], ["SWR/s", "SWW/s"]],
    Disk: [["LAT/rd", "LAT/wr"], ["READS/s", "WRITES/s"], ["MBREAD/s", "MBWRTN/s"]],
    Network: [["MbTX/s", "MbRX/s"], ["PKTTX/s", "PKTRX/s"], ["%DRPTX", "%DRPRX"]],
    "Page faults": [["guest soft faults", "guest hard faults"], ["%RUN"], ["guest user time", "guest system time"]],
  };

  let capture = null;
  let lanes = []; // [{items: [{key, kind, ids, label, unit, values, color, thresholds}]}]
  let preview = null;
  let shown = null; // the time window [s, s]; null for everything
  let mark = null; // the marked window [s, s]
  let at = null; // the sample that is read
  let marking = false;
  let withThresholds = true;
  let withEvents = true;
  const listeners = [];

  const svg = (tag, attributes = {}, text = "") => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };

  // --- what a series is called ------------------------------------------------------------------

  // What is left of an instance behind its VM: `vmx-vcpu-0` of `GID:VM:WORLD:vmx-vcpu-0:VM`.
  const partOf = ({ object, instance, vm, gid }) => {
    if (!vm) return instance;
    const rest = instance.startsWith(`${gid}:${vm}`) ? instance.slice(`${gid}:${vm}`.length + 1) : instance.startsWith(`${vm}:`) ? instance.slice(vm.length + 1) : instance;
    if (object !== "Vcpu") return rest === vm ? "" : rest;
    const world = rest.replace(/^\d+:/, "");
    return world.endsWith(`:${vm}`) ? world.slice(0, -vm.length - 1) : world;
  };
  const nameOf = (series) => {
    const known = capture.about(series);
    const part = partOf(known);
    return { ...known, short: known.label || known.counter || "unnamed column", where: [known.vm, part].filter(Boolean).join(" · ") || "host" };
  };
  const isVcpu = (series) => prepared().vcpus[capture.index.thing[series]] === 1;

  // --- search -------------------------------------------------------------------------------------

  // What is searched, in lower-case letters, once for all searches: of each counter, and of each thing that has some.
  let searched = null;
  const prepared = () => {
    const { meanings, objects, things, vms } = capture.index;
    searched ??= {
      meanings: meanings.map(([object, counter, label, unit, meaning]) => {
        const names = [label, objects[object], counter, unit].join(" ").toLowerCase();
        return { label: label.toLowerCase(), names, text: `${names} ${meaning.toLowerCase()}` };
      }),
      things: things.map(([, instance, vm]) => `${instance} ${vm < 0 ? "" : vms[vm][0]}`.toLowerCase()),
      vcpus: Uint8Array.from(things, ([object, instance, vm]) => {
        if (objects[object] !== "Vcpu" || vm < 0) return 0;
        const part = partOf({ object: "Vcpu", instance, vm: vms[vm][0], gid: vms[vm][1] });
        return /^(?:vmx-vcpu-\d+|vmm\d+)/.test(part) ? 1 : 0;
      }),
    };
    return searched;
  };

  const pattern = (word) => new RegExp(word.split(GAP).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"), "s");

  class Search {
    constructor(text) {
      const compared = COMPARED.exec(text);
      this.words = (compared ? compared[1] : text).toLowerCase().split(/\s+/).filter(Boolean);
      [this.sign, this.value] = compared ? [compared[2], Number(compared[3])] : ["", 0];
    }

    // Series that all words fit, the best first; of equal ones vCPUs before other worlds, then as in the capture.
    fitting() {
      const { index } = capture;
      const { meanings, things, vcpus } = prepared();
      const exact = new Set(this.words.filter((word) => meanings.some(({ label }) => label === word)));
      if (exact.size > 1) return [];
      const words = this.words.filter((word) => !exact.has(word));
      const plainWords = words.filter((word) => !GAP.test(word));
      const gapped = words.filter((word) => GAP.test(word)).map(pattern);
      const byMeaning = plainWords.map((word) => meanings.map(({ names, text }) => (names.includes(word) ? 3 : text.includes(word) ? 1 : 0)));
      const byThing = plainWords.map((word) => things.map((text) => (text.includes(word) ? 2 : 0)));
      const keys = new Float64Array(capture.count);
      let found = 0;
      for (let series = 0; series < capture.count; series += 1) {
        const meaning = index.meaning[series];
        if (exact.size && !exact.has(meanings[meaning].label)) continue;
        let points = capture.isConstant(series) ? 0 : 1;
        const fits = plainWords.every((_, n) => {
          const best = Math.max(byMeaning[n][meaning], byThing[n][index.thing[series]]);
          points += 4 * best;
          return best > 0;
        });
        if (!fits) continue;
        const text = gapped.length ? `${meanings[meaning].names} ${things[index.thing[series]]} ${meanings[meaning].text}` : "";
        if (!gapped.every((each) => each.test(text))) continue;
        const thing = index.thing[series];
        keys[found] = ((MOST_POINTS - Math.min(points, MOST_POINTS) + (vcpus[thing] ? 0 : 0.5)) * 2 * things.length + thing) * capture.count + series;
        found += 1;
      }
      return Array.from(keys.subarray(0, found).sort(), (key) => key % capture.count);
    }

    // Those that reached what they are compared with in some sample.
    async found() {
      const fitting = this.fitting();
      if (!this.sign) return fitting;
      await capture.need(fitting);
      const { sign, value } = this;
      const reached = { ">": (each) => each > value, ">=": (each) => each >= value, "<": (each) => each < value, "<=": (each) => each <= value }[sign];
      return fitting.filter((series) => capture.values(series).some(reached));
    }
  }

  const order = (series) => capture.index.thing[series];

  // --- lanes ----------------------------------------------------------------------------------------

  const thresholdsOf = (series) => {
    const { object, counter } = capture.about(series);
    return (capture.index.thresholds?.[`${object}\\${counter}`] ?? []).map(([severity, value, rule]) => ({ severity, value, rule }));
  };

  // --- events of logs ---------------------------------------------------------------------------

  // [{time, kind, severity, vms, names, says}], in the order of time.
  const events = () => {
    const given = capture.index.events;
    if (!given) return [];
    capture.events ??= given.marks.map(([ms, kind, vms, names, whose, figure]) => {
      const [noun, severity] = given.kinds[kind];
      const time = capture.times[0] + ms / 1000;
      return { time, severity, vms, names, says: [`${drawing.clock(time)} ${noun}`, whose || "the host", figure].filter(Boolean).join(", ") };
    });
    return capture.events;
  };

  // Whether a name is in an instance by itself: `vmhba1:C0:T0:L1` is not in `vmhba1:C0:T0:L10`.
  const isNamed = (instance, name) => {
    for (let start = instance.indexOf(name); start >= 0; start = instance.indexOf(name, start + 1)) {
      if (!OF_A_NAME.test(instance[start - 1] ?? "") && !OF_A_NAME.test(instance[start + name.length] ?? "")) return true;
    }
    return false;
  };

  // Events of the VMs and devices whose series a lane has.
  const eventsOf = (lane) => {
    const all = withEvents ? events() : [];
    if (!all.length) return [];
    const things = lane.items.flatMap(({ ids }) => ids.map((id) => capture.index.things[capture.index.thing[id]]));
    const vms = new Set(things.map(([, , vm]) => vm));
    const instances = [...new Set(things.map(([, instance]) => instance))];
    return all.filter((event) => event.vms.some((vm) => vms.has(vm)) || event.names.some((name) => instances.some((instance) => isNamed(instance, name))));
  };

  const eventMark = (event, height) => {
    const x = view.x(event.time);
    const mark = svg("g", { class: `event ${event.severity}` });
    mark.append(svg("title", {}, event.says), svg("line", { x1: x, x2: x, y1: 0, y2: height }), svg("path", { d: `M${x - 4} ${height}h8l-4 -7z` }));
    return mark;
  };
  const inView = ({ time }) => time >= view.from && time <= view.to;

  const together = (kind, ids) => {
    const many = ids.map((id) => capture.values(id));
    return Float64Array.from(capture.times, (_, n) => {
      let [sum, count] = [0, 0];
      for (const values of many) if (!Number.isNaN(values[n])) { sum += values[n]; count += 1; }
      return count ? (kind === "sum" ? sum : sum / count) : NaN;
    });
  };

  const itemOf = async (kind, ids) => {
    await capture.need(ids);
    const known = nameOf(ids[0]);
    const one = kind === "series";
    const vms = [...new Set(ids.map((id) => capture.about(id).vm))];
    const whose = vms.length === 1 && vms[0] ? ` of ${vms[0]}` : "";
    return {
      key: one ? `${ids[0]}` : `${kind[0]}${ids.join(".")}`, kind, ids, unit: known.unit,
      label: one ? known.short : `${kind === "sum" ? "sum" : "mean"} of ${ids.length} × ${known.short}`,
      where: one ? known.where : whose.slice(4),
      says: [known.object, known.counter, known.meaning].filter(Boolean).join(" · "),
      values: one ? capture.values(ids[0]) : together(kind, ids),
      thresholds: kind === "sum" ? [] : thresholdsOf(ids[0]),
    };
  };

  const fitsInto = (lane, item) => {
    const units = new Set(lane.items.map(({ unit }) => unit));
    return lane.items.length < COLORS && (units.has(item.unit) || units.size < MOST_UNITS);
  };

  // Plots items: into a lane where they fit, else into lanes of their own.
  const put = (items, into = null) => {
    let lane = into;
    for (const item of items) {
      if (lane?.items.some(({ key }) => key === item.key)) continue;
      if (!lane || !fitsInto(lane, item)) { lane = { items: [] }; lanes.push(lane); }
      const used = new Set(lane.items.map(({ color }) => color));
      item.color = Array.from({ length: COLORS }, (_, n) => n).find((n) => !used.has(n)) ?? 0;
      lane.items.push(item);
    }
    return lane;
  };

  const plot = async (ids, { kind = "series", into = null } = {}) => {
    preview = null;
    put(kind === "series" ? await Promise.all(ids.map((id) => itemOf("series", [id]))) : [await itemOf(kind, ids)], into);
    say(`Plotted ${ids.length === 1 ? nameOf(ids[0]).short : `${ids.length} series`}`);
    changed();
  };

  const topOf = async (ids) => {
    await capture.need(ids);
    const [from, to] = shown ?? whole();
    const ranked = ids.map((id) => {
      const values = capture.values(id);
      let [sum, count] = [0, 0];
      for (let n = 0; n < values.length; n += 1) {
        if (capture.times[n] < from || capture.times[n] > to || Number.isNaN(values[n])) continue;
        sum += values[n];
        count += 1;
      }
      return [id, count ? sum / count : -Infinity];
    });
    return ranked.sort((a, b) => b[1] - a[1]).slice(0, TOP_OF).map(([id]) => id);
  };

  const whole = () => [capture.times[0], capture.times[capture.times.length - 1]];

  // --- the panel ------------------------------------------------------------------------------------

  const field = make("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "%rdy > 10, davg naa, ready vcpu-0" });
  const count = make("output", {});
  const actions = make("div", { class: "explore-actions" });
  const list = make("ul", { class: "results", "aria-label": "Counters found" });
  const machines = make("select", {});
  const board = make("div", { class: "lanes-board", tabindex: "0", role: "application", "aria-label": "Lanes: arrows read, + and - zoom, 0 shows all, [ and ] mark a window" });
  const axis = svg("svg", { class: "lane-axis", "aria-hidden": "true" });
  const stack = make("div", {});
  const reading = make("p", { class: "reading" });
  const left = make("p", { class: "note" });
  const marked = make("p", { class: "note marked", hidden: "" });
  // What ranks the changes of a marked window puts its table in here.
  const slot = make("div", { id: "explore-changes", hidden: "" });
  const marker = button("Mark a window", () => { marking = !marking; marker.setAttribute("aria-pressed", String(marking)); if (marking && capture) soon(); }, { "aria-pressed": "false" });
  const limits = make("input", { type: "checkbox", checked: "" });
  limits.addEventListener("change", () => { withThresholds = limits.checked; draw(); });
  const logged = make("input", { type: "checkbox", checked: "" });
  logged.addEventListener("change", () => { withEvents = logged.checked; draw(); });
  const loggedLabel = make("label", { hidden: "" }, logged, " Events");
  const tools = make("div", { class: "tools", role: "group", "aria-label": "Lanes" },
    button("Whole capture", () => show(null)), marker, make("label", {}, limits, " Thresholds"), loggedLabel,
    button("Save CSV", () => saveCsv()), button("Save PNG", () => savePng()), button("Copy link", () => copyLink()), button("Clear", () => { lanes = []; changed(); }));
  const presets = make("div", { class: "tools", role: "group", "aria-label": "Plots of a VM" }, make("label", {}, "VM ", machines), " ",
    ...Object.keys(PRESETS).map((name) => button(name, () => preset(name))));

  const result = (series) => {
    const known = nameOf(series);
    const text = [make("b", {}, known.short), " ", make("bdi", {}, known.where), " ",
      make("span", { class: "members" }, `${known.object}\\${known.counter}${known.unit ? ` [${known.unit}]` : ""}${capture.isConstant(series) ? " · never changed" : ""}`)];
    const row = make("li", {}, make("button", { type: "button", class: "result", title: known.meaning }, ...text));
    row.firstChild.addEventListener("click", () => plot([series]));
    row.append(button("+", () => plot([series], { into: lanes.at(-1) ?? null }), { "aria-label": `Add ${known.short} ${known.where} to the last lane` }));
    return row;
  };

  // What can be plotted of everything that was found of the first one's counter.
  const actionsOf = (found) => {
    const meaning = capture.index.meaning[found[0]];
    const alike = found.filter((series) => capture.index.meaning[series] === meaning);
    const vcpus = alike.filter(isVcpu);
    const some = vcpus.length ? vcpus : alike;
    if (some.length < 2) return [];
    const name = nameOf(some[0]).short;
    return [
      ...(some.length <= MOST_OF_ALL ? [button(`All ${some.length} × ${name}`, () => plot(some, { into: { items: [] } }))] : []),
      ...(some.length > TOP_OF ? [button(`Top ${TOP_OF} of ${some.length} × ${name}`, async () => plot(await topOf(some)))] : []),
      button("Sum", () => plot(some, { kind: "sum" }), { "aria-label": `Sum of ${some.length} × ${name}` }),
      button(vcpus.length ? "Mean per vCPU" : "Mean", () => plot(some, { kind: "mean" }), { "aria-label": `Mean of ${some.length} × ${name}` }),
    ];
  };

  let asked = 0;
  const search = async () => {
    const turn = (asked += 1);
    await ready();
    const wanted = new Search(field.value);
    const found = wanted.words.length ? await wanted.found() : [];
    if (turn !== asked) return;
    list.replaceChildren(...found.slice(0, SHOWN).map(result));
    actions.replaceChildren(...(found.length ? actionsOf(found) : []));
    count.textContent = wanted.words.length ? `${found.length.toLocaleString("en")} found${found.length > SHOWN ? `, the first ${SHOWN} are listed` : ""}` : "";
    preview = found.length ? { items: [{ ...(await itemOf("series", [found[0]])), color: 0 }] } : null;
    if (turn === asked) draw();
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); list.querySelector(".result")?.click(); }
    if (event.key === "ArrowDown") { event.preventDefault(); list.querySelector(".result")?.focus(); }
    if (event.key === "Escape" && field.value) { event.preventDefault(); field.value = ""; search(); }
  });
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    (next?.querySelector(".result") ?? (event.key === "ArrowUp" ? field : null))?.focus();
  });

  const preset = async (name) => {
    await ready();
    const vm = Number(machines.value);
    const { index } = capture;
    const mine = new Map();
    for (let series = 0; series < capture.count; series += 1) {
      if (index.things[index.thing[series]][2] !== vm) continue;
      const label = index.meanings[index.meaning[series]][2];
      if (label) mine.set(label, [...(mine.get(label) ?? []), series]);
    }
    const before = lanes.length;
    for (const labels of PRESETS[name]) {
      const series = labels.flatMap((label) => {
        const all = mine.get(label) ?? [];
        const vcpus = all.filter(isVcpu);
        return (vcpus.length ? vcpus : all).sort((a, b) => order(a) - order(b));
      });
      const items = series.length > COLORS ? await Promise.all(labels.filter((label) => mine.has(label)).map((label) => {
        const all = mine.get(label);
        const vcpus = all.filter(isVcpu);
        return itemOf("mean", vcpus.length ? vcpus : all);
      })) : await Promise.all(series.map((each) => itemOf("series", [each])));
      if (items.length) put(items, null);
    }
    preview = null;
    const given = index.vms[vm]?.[0] ?? "";
    say(lanes.length > before ? `Plotted ${name} of ${given}` : `The page has no ${name} series of ${given}`);
    count.textContent = lanes.length > before ? "" : `The page has no ${name} series of ${given}.`;
    changed();
  };

  // --- drawing ----------------------------------------------------------------------------------------

  const colorOf = (n) => `var(--s${n})`;
  let view = null;
  let drawnLanes = []; // [{lane, svg, cross, band, values}]

  const chip = (lane, item) => {
    const value = make("b", {});
    const remove = button("×", () => { lane.items = lane.items.filter((each) => each !== item); changed(); }, { "aria-label": `Remove ${item.label} ${item.where}`, class: "tool chip-x" });
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.backgroundColor = colorOf(item.color);
    return [make("span", { class: "chip", title: item.says }, swatch, item.label, " ", make("bdi", {}, item.where), " ", value, item.unit ? ` ${item.unit} ` : " ", lane === preview ? "" : remove), value];
  };

  const laneOf = (lane) => {
    const { scales, lines } = drawing.drawn(lane, view, withThresholds);
    const picture = svg("svg", { viewBox: `0 0 ${view.width} ${drawing.HEIGHT}`, width: view.width, height: drawing.HEIGHT, "aria-hidden": "true", class: "lane" });
    const right = drawing.LEFT + view.inner;
    scales.forEach(({ unit, ticks, limits: lines_ }, n) => {
      for (const [y, text] of ticks) {
        if (!n) picture.append(svg("line", { x1: drawing.LEFT, x2: right, y1: y, y2: y, class: "grid" }));
        picture.append(svg("text", { x: n ? right + 5 : drawing.LEFT - 5, y: y + 4, "text-anchor": n ? "start" : "end" }, text));
      }
      if (unit && scales.length > 1) picture.append(svg("text", { x: n ? right + 5 : 2, y: 46, class: "unit" }, `[${unit}]`));
      const several = new Set(lane.items.map(({ label }) => label)).size > 1;
      for (const { y, severity, rule, labels } of lines_) {
        const line = svg("line", { x1: drawing.LEFT, x2: right, y1: y, y2: y, class: `limit ${severity}` });
        line.append(svg("title", {}, `${severity} of ${rule}`));
        picture.append(line);
        if (several) picture.append(svg("text", { x: right - 3, y: y < 14 ? y + 10 : y - 2, "text-anchor": "end", class: "of" }, [...labels].join(", ")));
      }
    });
    const band = svg("rect", { y: 0, height: drawing.HEIGHT, class: "band", width: 0 });
    const cut = `cut-${Math.random().toString(36).slice(2)}`;
    const clip = svg("clipPath", { id: cut });
    clip.append(svg("rect", { x: drawing.LEFT, y: 0, width: view.inner, height: drawing.HEIGHT }));
    picture.append(clip, band);
    for (const { color, d } of lines) picture.append(svg("path", { d, stroke: colorOf(color), "clip-path": `url(#${cut})` }));
    for (const event of eventsOf(lane).filter(inView)) picture.append(eventMark(event, drawing.HEIGHT));
    const cross = svg("line", { y1: 0, y2: drawing.HEIGHT, class: "pointer", x1: -9, x2: -9 });
    picture.append(cross);
    const chips = lane.items.map((item) => chip(lane, item));
    const head = make("div", { class: "lane-head" }, ...chips.flatMap(([element]) => [element, " "]));
    if (lane === preview) head.prepend(make("span", { class: "members" }, "Preview, Enter keeps it: "));
    else head.append(button("Remove lane", () => { lanes = lanes.filter((each) => each !== lane); changed(); }, { class: "tool chip-x" }));
    const box = make("div", { class: lane === preview ? "lane-box preview" : "lane-box" }, head, picture);
    return { lane, box, cross, band, values: chips.map(([, value]) => value) };
  };

  const draw = () => {
    if (!capture) return;
    const all = [...(preview ? [preview] : []), ...lanes];
    board.hidden = tools.hidden = reading.hidden = !all.length;
    const width = Math.max(240, Math.floor(stack.clientWidth || board.clientWidth));
    const [from, to] = shown ?? whole();
    const twoUnits = all.some(({ items }) => new Set(items.map(({ unit }) => unit)).size > 1);
    view = drawing.viewOf(capture.times, from, to, width, twoUnits);
    drawnLanes = all.map(laneOf);
    stack.replaceChildren(...drawnLanes.map(({ box }) => box));
    axis.replaceChildren();
    Object.entries({ viewBox: `0 0 ${width} ${drawing.AXIS}`, width, height: drawing.AXIS }).forEach(([name, value]) => axis.setAttribute(name, value));
    for (const [time, text] of drawing.timeTicks(view)) {
      axis.append(svg("text", { x: view.x(time), y: 15, "text-anchor": "middle" }, text));
    }
    if (withEvents) for (const event of events().filter(inView)) axis.append(eventMark(event, drawing.AXIS));
    read();
    band(mark);
  };

  const band = (span) => {
    for (const each of drawnLanes) {
      const [begin, end] = span ? span.map((time) => Math.min(drawing.LEFT + view.inner, Math.max(drawing.LEFT, view.x(time)))) : [0, 0];
      each.band.setAttribute("x", begin);
      each.band.setAttribute("width", Math.max(0, end - begin));
    }
  };

  const read = () => {
    const n = at;
    reading.textContent = n === null ? "Point at a lane to read it; drag to zoom all charts; with Shift, or Mark a window, a drag marks. Times are UTC." : `${drawing.clock(capture.times[n])} UTC${capture.setAside[n] ? " (set aside: not judged)" : ""}`;
    // Events in a pause of the capture belong to no sample.
    const until = n === null ? 0 : capture.times[n];
    const after = n === null || !view ? until : Math.max(capture.times[n - 1] ?? -Infinity, until - view.hole);
    const near = withEvents && n !== null ? events().filter(({ time }) => time > after && time <= until) : [];
    if (near.length) reading.textContent += `. Events in this sample: ${near.slice(0, EVENTS_READ).map(({ says }) => says).join("; ")}${near.length > EVENTS_READ ? `; and ${near.length - EVENTS_READ} more` : ""}`;
    for (const { lane, cross, values } of drawnLanes) {
      const x = n === null ? -9 : view.x(capture.times[n]);
      const inside = x >= drawing.LEFT && x <= drawing.LEFT + view.inner;
      cross.setAttribute("x1", inside ? x : -9);
      cross.setAttribute("x2", inside ? x : -9);
      values.forEach((value, k) => { value.textContent = n === null ? "" : drawing.plain(lane.items[k].values[n]); });
    }
  };

  new ResizeObserver(() => { if (capture && view && Math.abs(stack.clientWidth - view.width) > 1) draw(); }).observe(stack);

  // --- time window, marks, pointer and keys -------------------------------------------------------

  const show = (span, told = false) => {
    if (!capture) return;
    const [first, last] = whole();
    shown = span && (span[0] > first || span[1] < last) ? [Math.max(first, span[0]), Math.min(last, span[1])] : null;
    if (shown && shown[1] - shown[0] < 1e-3) shown = null;
    if (!told) document.dispatchEvent(new CustomEvent("esxprobe:window", { detail: { by: "lanes", times: shown && shown.map((time) => time * 1000) } }));
    if (lanes.length || preview) changed();
  };
  document.addEventListener("esxprobe:window", async ({ detail }) => {
    if (detail.by === "lanes") return;
    await ready();
    show(detail.times && detail.times.map((time) => time / 1000), true);
  });

  // All series are compared once a window is marked: while it is being drawn they are unpacked, and what is known of
  // them before the window is, some at a time, so that drawing goes on.
  const soon = async () => {
    try {
      await capture.needAll();
      capture.sums ??= window.esxprobe.sumsOf?.(capture.set(capture.moving));
      while (capture.sums?.more()) await new Promise((next) => setTimeout(next));
    } catch { /* told when they are asked for */ }
  };

  const setMark = (span) => {
    mark = span;
    marked.hidden = !mark;
    if (mark) {
      const inside = capture.times.filter((time) => time >= mark[0] && time <= mark[1]).length;
      marked.textContent = `Marked: ${drawing.clock(mark[0])} to ${drawing.clock(mark[1])} UTC, ${inside} samples.`;
      say(marked.textContent);
    }
    for (const listener of listeners) listener(mark && { from: mark[0], to: mark[1] });
    if (mark) soon();
    document.dispatchEvent(new CustomEvent("esxprobe:marked", { detail: mark && { from: mark[0], to: mark[1] } }));
    changed();
  };

  const timeAt = (event) => {
    const frame = stack.getBoundingClientRect();
    const share = (event.clientX - frame.left - drawing.LEFT) / view.inner;
    return view.from + Math.min(1, Math.max(0, share)) * (view.to - view.from);
  };

  let pressed = null;
  board.addEventListener("pointermove", (event) => {
    if (!view) return;
    at = drawing.nearest(capture.times, timeAt(event));
    read();
    document.dispatchEvent(new CustomEvent("esxprobe:time", { detail: { ms: capture.times[at] * 1000 } }));
    if (pressed) band([Math.min(pressed.time, timeAt(event)), Math.max(pressed.time, timeAt(event))]);
  });
  board.addEventListener("pointerleave", () => {
    if (pressed) return;
    at = null;
    read();
    document.dispatchEvent(new CustomEvent("esxprobe:time", { detail: { ms: null } }));
  });
  board.addEventListener("pointerdown", (event) => {
    if (!view || event.button !== 0 || !event.target.closest("svg.lane") || (event.pointerType === "touch" && !marking)) return;
    pressed = { x: event.clientX, time: timeAt(event), marks: marking || event.shiftKey };
    if (pressed.marks) soon();
    board.setPointerCapture(event.pointerId);
  });
  const release = (event) => {
    if (!pressed) return;
    const { x, time, marks } = pressed;
    pressed = null;
    const span = [Math.min(time, timeAt(event)), Math.max(time, timeAt(event))];
    if (event.type === "pointercancel" || Math.abs(event.clientX - x) < DRAGGED_PX) band(mark);
    else if (marks) setMark(span);
    else show(span);
  };
  board.addEventListener("pointerup", release);
  board.addEventListener("pointercancel", release);
  board.addEventListener("dblclick", () => show(null));

  const zoom = (factor) => {
    const [from, to] = shown ?? whole();
    const middle = at === null ? (from + to) / 2 : capture.times[at];
    const half = ((to - from) * factor) / 2;
    show([middle - half, middle + half]);
  };
  board.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target !== board || !capture) return;
    const last = capture.times.length - 1;
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: (at ?? 0) - step, ArrowRight: at === null ? 0 : at + step, Home: 0, End: last };
    const acts = {
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(null),
      "[": () => at !== null && setMark([capture.times[at], Math.max(capture.times[at], mark?.[1] ?? capture.times[last])]),
      "]": () => at !== null && setMark([Math.min(capture.times[at], mark?.[0] ?? capture.times[0]), capture.times[at]]),
      Escape: () => { at = null; setMark(null); show(null); },
    };
    if (!(event.key in moves) && !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]?.();
    if (event.key in moves) {
      at = Math.min(last, Math.max(0, moves[event.key]));
      read();
      say([reading.textContent, ...drawnLanes.flatMap(({ lane }) => lane.items.map((item) => `${item.label} ${item.where} ${drawing.plain(item.values[at])} ${item.unit}`))].join("; "));
    }
  });

  // --- permalink --------------------------------------------------------------------------------------

  const LINK = "#explore=";
  const fragment = () => {
    const parts = [LINK + lanes.map(({ items }) => items.map(({ key }) => key).join(",")).join(";")];
    if (shown) parts.push(`show=${shown.map((time) => Math.round(time * 1000)).join("-")}`);
    if (mark) parts.push(`mark=${mark.map((time) => Math.round(time * 1000)).join("-")}`);
    return parts.join("&");
  };
  const changed = () => {
    lanes = lanes.filter(({ items }) => items.length);
    draw();
    if (lanes.length || location.hash.startsWith(LINK)) history.replaceState(null, "", lanes.length ? fragment() : "#explore");
  };

  const spanOf = (text) => {
    const span = (text ?? "").split("-").map((ms) => Number(ms) / 1000);
    return span.length === 2 && span.every(Number.isFinite) && span[0] < span[1] ? span : null;
  };
  const restore = async () => {
    if (!location.hash.startsWith(LINK)) return;
    await ready();
    const [given, ...rest] = location.hash.slice(LINK.length).split("&");
    const said = new Map(rest.map((part) => part.split("=")));
    const made = [];
    for (const text of given.split(";").slice(0, 64)) {
      const items = [];
      for (const key of text.split(",").slice(0, COLORS)) {
        const kind = { s: "sum", m: "mean" }[key[0]] ?? "series";
        const ids = key.replace(/^[sm]/, "").split(".").map((id) => (/^\d+$/.test(id) ? Number(id) : -1));
        if (ids.every((id) => id >= 0 && id < capture.count)) items.push(await itemOf(kind, ids));
      }
      if (items.length) made.push(items);
    }
    lanes = [];
    for (const items of made) put(items, null);
    shown = spanOf(said.get("show"));
    mark = spanOf(said.get("mark"));
    if (shown) show(shown);
    if (mark) setMark(mark);
    draw();
    section.scrollIntoView();
  };
  window.addEventListener("hashchange", restore);

  const copyLink = async () => {
    const link = location.href.replace(/#.*$/, "") + fragment();
    try {
      await navigator.clipboard.writeText(link);
      say("Link copied");
    } catch {
      history.replaceState(null, "", fragment());
      say("The address of this page is the link");
    }
  };

  // --- saving ---------------------------------------------------------------------------------------------

  const titled = (ending) => `${document.title.replace(/[^\w.-]+/g, "-")}-explore.${ending}`;
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

  // The series of the lanes, what sums are made of among them, as PDH-CSV: the cells as they were printed, in UTC.
  const saveCsv = async () => {
    const ids = [...new Set(lanes.flatMap(({ items }) => items.flatMap((item) => item.ids)))];
    if (!ids.length) return;
    await capture.need(ids);
    const cells = ids.map((id) => capture.cells(id));
    const [from, to] = shown ?? whole();
    const rows = [[quoted("(PDH-CSV 4.0) (UTC)(0)"), ...ids.map((id) => quoted(capture.path(id)))].join(",")];
    capture.times.forEach((time, n) => {
      if (time < from || time > to) return;
      const [, year, month, date, clock] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(new Date(time * 1000).toISOString());
      rows.push([quoted(`${month}/${date}/${year} ${clock}`), ...cells.map((column) => quoted(column[n]))].join(","));
    });
    download(new Blob([`${rows.join("\n")}\n`], { type: "text/csv" }), titled("csv"));
  };

  // An image leaves the page: dark on white, whatever the page's colors are.
  const savePng = () => {
    if (!drawnLanes.length) return;
    const theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    const style = getComputedStyle(section);
    const inks = Array.from({ length: COLORS }, (_, n) => style.getPropertyValue(`--s${n}`).trim());
    if (theme === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const [scale, head] = [2, 18];
    const each = head + drawing.HEIGHT + 4;
    const canvas = make("canvas", { width: view.width * scale, height: (drawing.AXIS + lanes.length * each) * scale });
    const ink = canvas.getContext("2d");
    ink.scale(scale, scale);
    ink.fillStyle = "#ffffff";
    ink.fillRect(0, 0, canvas.width, canvas.height);
    ink.font = "12px system-ui, sans-serif";
    const write = (text, x, y, align, color = "#57606a") => { ink.fillStyle = color; ink.textAlign = align; ink.fillText(text, x, y); };
    for (const [time, text] of drawing.timeTicks(view)) write(text, view.x(time), 15, "center");
    lanes.forEach((lane, n) => {
      const { scales, lines } = drawing.drawn(lane, view, withThresholds);
      ink.save();
      ink.translate(0, drawing.AXIS + n * each);
      let x = drawing.LEFT;
      for (const item of lane.items) {
        const text = `${item.label} ${item.where}${item.unit ? ` [${item.unit}]` : ""}`;
        write("■", x, 13, "left", inks[item.color]);
        write(text, x + 14, 13, "left", "#1b1f24");
        x += ink.measureText(text).width + 28;
      }
      ink.translate(0, head);
      scales.forEach(({ ticks, limits: lines_ }, k) => {
        for (const [y, text] of ticks) {
          ink.fillStyle = "#d0d7de";
          if (!k) ink.fillRect(drawing.LEFT, y, view.inner, 0.5);
          write(text, k ? drawing.LEFT + view.inner + 5 : drawing.LEFT - 5, y + 4, k ? "left" : "right");
        }
        ink.setLineDash([5, 4]);
        for (const { y, severity } of lines_) {
          ink.strokeStyle = severity === "critical" ? "#b3261e" : "#8a5a00";
          ink.stroke(new Path2D(`M${drawing.LEFT} ${y}h${view.inner}`));
        }
        ink.setLineDash([]);
      });
      ink.beginPath();
      ink.rect(drawing.LEFT, 0, view.inner, drawing.HEIGHT);
      ink.clip();
      for (const event of eventsOf(lane).filter(inView)) {
        ink.fillStyle = ink.strokeStyle = { critical: "#b3261e", warning: "#8a5a00" }[event.severity] ?? "#0a5a9c";
        ink.lineWidth = 0.6;
        const x = view.x(event.time);
        ink.stroke(new Path2D(`M${x} 0V${drawing.HEIGHT}`));
        ink.fill(new Path2D(`M${x - 4} ${drawing.HEIGHT}h8l-4 -7z`));
      }
      ink.lineWidth = 1.4;
      for (const { color, d } of lines) { ink.strokeStyle = inks[color]; ink.stroke(new Path2D(d)); }
      ink.restore();
    });
    canvas.toBlob((blob) => download(blob, titled("png")), "image/png");
  };

  // --- the start --------------------------------------------------------------------------------------------

  const leftOut = () => {
    const { series, unread, untellable, samples } = capture.index.left_out;
    const guests = capture.index.guests ?? { series: 0, left_out: 0 };
    const said = [`${(capture.count - guests.series).toLocaleString("en")} series of ${capture.times.length.toLocaleString("en")} samples are in this page, to the digit; ${(capture.moving - guests.series).toLocaleString("en")} of them changed.`];
    if (guests.series) said.push(`${guests.series.toLocaleString("en")} are of guests: means over each sample, on the host's clock.`);
    if (guests.left_out) said.push(`${guests.left_out.toLocaleString("en")} of guests did not fit.`);
    if (series - untellable > 0) said.push(`${(series - untellable).toLocaleString("en")} that say less did not fit: esxprobe report --embed all brings them.`);
    if (unread) said.push(`${unread.toLocaleString("en")} columns that no rule or table needs were not read: --all-counters brings them.`);
    if (untellable) said.push(`${untellable.toLocaleString("en")} are printed in ways that cannot be kept to the digit.`);
    if (samples) said.push(`${samples.toLocaleString("en")} samples whose time is not later than the one before are left out.`);
    return said.join(" ");
  };

  let coming = null;
  const ready = () => {
    coming ??= window.esxprobe.capture().then((found) => {
      capture = found;
      machines.replaceChildren(...capture.index.vms.map(([name], n) => make("option", { value: String(n) }, name)));
      machines.value = String(capture.index.first_vm ?? 0);
      presets.hidden = !capture.index.vms.length;
      for (const each of presets.querySelectorAll("button")) each.hidden = each.textContent === "Page faults" && !capture.index.objects.includes("Guest");
      loggedLabel.hidden = !events().length;
      left.textContent = leftOut();
    });
    return coming;
  };

  section.append(
    make("div", { class: "explore-bar" }, make("div", { class: "filter" }, make("label", {}, "Search counters ", field), " ", count), presets),
    actions, list, left, tools,
    (() => { board.append(axis, stack); return board; })(), reading, marked, slot);
  section.hidden = false;
  board.hidden = tools.hidden = reading.hidden = true;
  for (const link of document.querySelectorAll('a[href="#explore"]')) link.hidden = false;
  new IntersectionObserver((entries, watcher) => {
    if (entries.some(({ isIntersecting }) => isIntersecting)) { watcher.disconnect(); ready(); }
  }, { rootMargin: "300px" }).observe(section);
  field.addEventListener("focus", ready);

  // For what ranks changes: the series in its shape, lanes for what it found, and marked windows as they come.
  window.esxprobe.explore = {
    slot,
    ready: async () => { await ready(); return capture; },
    plot: async (ids, options) => { await ready(); return plot(ids, options); },
    mark: async (from, to) => { await ready(); setMark([from, to]); },
    onMarked: (listener) => { listeners.push(listener); },
    nameOf: (series) => nameOf(series),
  };
  restore();
})();
