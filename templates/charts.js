"use strict";
// Brings the drawn charts to life on the first touch: values under the pointer on all of them at once, one time
// window for all, saving as an image. Each drawing (svg[data-chart]) has its Vega-Lite spec in #charts; the Vega
// bundle is in #vega and is not unpacked before somebody asks for it, so that opening the page stays quick.
// A chart whose spec has one time scale at its top level takes part in the common time axis.
(async () => {
  const { make, button, say, unpacked, download } = window.esxprobe;
  const MOST_DIGITS = 4;
  const BRUSHED_PX = 5; // a shorter drag is a click
  const SECONDS_UNTIL_MS = 2 * 3600 * 1000; // a shorter window has seconds on its axis

  const carried = document.getElementById("charts");
  const specs = JSON.parse(await unpacked("charts").catch(() => "[]")); // an old browser keeps the drawings
  const charts = [];
  let shown = null; // the time window of all charts [ms, ms]; null for everything
  let at = null; // the time that is read [ms]
  let awake = false;

  // The zone that a person named for the capture, where this browser knows it.
  const { timezone } = carried.dataset;
  let there = null;
  try {
    there = timezone ? new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: timezone }) : null;
  } catch { /* the text of the page has it */ }

  const clock = (ms) => {
    const text = `${new Date(ms).toISOString().slice(11, 19)} UTC`;
    return there ? `${text} = ${there.format(ms)} ${timezone}` : text;
  };
  const plain = (value) => {
    if (typeof value !== "number") return String(value);
    const rounded = Math.abs(value) < 10 ** MOST_DIGITS ? Number(value.toPrecision(MOST_DIGITS)) : Math.round(value);
    return rounded.toLocaleString("en", { maximumFractionDigits: 9 });
  };

  // --- what a spec says about its data ----------------------------------------------------------

  // Units of a spec with the data and encodings that they inherit.
  const unitsOf = (spec, above = {}) => {
    const here = { data: spec.data ?? above.data, encoding: { ...above.encoding, ...spec.encoding }, mark: spec.mark };
    const inner = spec.layer ?? spec.vconcat ?? spec.hconcat ?? spec.concat;
    return inner ? inner.flatMap((part) => unitsOf(part, here)) : [here];
  };

  const markOf = (unit) => (typeof unit.mark === "string" ? { type: unit.mark } : unit.mark ?? {});

  // Lines over time: [{label, unit, color, points: [[ms, value, name]]}], in the order of the legend.
  const seriesOf = (spec) => unitsOf(spec).flatMap((unit) => {
    const { x, y, color } = unit.encoding;
    if (!["line", "area"].includes(markOf(unit).type) || x?.type !== "temporal" || !y?.field) return [];
    const [, title, measure] = /^(.*?)(?: \[([^\]]*)\])?$/.exec([y.title ?? y.field].flat().join(" ")) ?? [];
    const groups = new Map();
    for (const row of unit.data?.values ?? []) {
      const label = color?.field ? row[color.field] : title;
      if (!groups.has(label)) groups.set(label, []);
      groups.get(label).push([row[x.field], row[y.field], row.n]); // n: the name of a state
    }
    const { domain = [], range = [] } = color?.scale ?? {};
    return [...groups].map(([label, points]) => ({
      label,
      unit: measure ?? "",
      color: range[domain.indexOf(label)] ?? markOf(unit).color ?? "currentColor",
      points: points.sort((a, b) => a[0] - b[0]),
    }));
  });

  // Fields of a single mark under the pointer, for charts that are not lines over time: [[title, field, type]]. Without
  // a title where it says nothing; a field whose title is null is not told.
  const fieldsOf = (spec) => {
    const found = new Map();
    for (const unit of unitsOf(spec)) {
      for (const [channel, part] of Object.entries(unit.encoding)) {
        if (!part?.field || part.title === null || found.has(part.field)) continue;
        const type = part.type ?? unit.encoding[channel.replace(/2$/, "")]?.type; // the end of a span has its start's
        found.set(part.field, [part.title ?? part.field, part.field, type]);
      }
    }
    return [...found.values()];
  };

  const nearest = (points, time) => {
    let low = 0;
    let high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][0] < time) low = middle;
      else high = middle;
    }
    return high >= 0 && Math.abs(points[high][0] - time) < Math.abs(points[low][0] - time) ? high : low;
  };

  // --- Vega -------------------------------------------------------------------------------------

  let engine = null;
  const embed = async (...given) => {
    engine ??= unpacked("vega").then((text) => {
      const script = make("script");
      script.textContent = text; // the policy knows its sum
      document.head.append(script);
    });
    await engine;
    return window.vegaEmbed(...given);
  };

  // The compiled spec with a signal for the common time window; gives the name of its time scale.
  const followWindow = (vega) => {
    const scale = (vega.scales ?? []).find(({ type }) => type === "utc" || type === "time");
    if (!scale) return "";
    vega.signals = [...(vega.signals ?? []), { name: "shownTimes", value: shown }];
    scale.domainRaw = { signal: "shownTimes" };
    vega.autosize = { type: "pad", resize: true }; // other times have labels of other widths
    const visit = (group) => {
      for (const axis of group.axes ?? []) {
        if (axis.scale !== scale.name) continue;
        if (Array.isArray(axis.values)) { // round times of the whole capture; a window has its own. Numbers: Dates in a list are lost
          const whole = axis.values.map((value) => /\d{6,}/.exec(value.signal ?? value)?.[0] ?? "null").join(",");
          axis.values = { signal: `shownTimes ? null : [${whole}]` };
          axis.tickCount ??= 7;
        }
        if (typeof axis.format === "string") {
          const short = `shownTimes && shownTimes[1] - shownTimes[0] < ${SECONDS_UNTIL_MS}`;
          axis.format = { signal: `${short} ? '%H:%M:%S' : '${axis.format}'` };
        }
      }
      for (const mark of group.marks ?? []) {
        if (mark.type === "group") visit(mark);
        else if (mark.type !== "text") mark.clip = true;
      }
    };
    visit(vega);
    return scale.name;
  };

  const bring = async (chart) => {
    const host = make("div");
    const { view } = await embed(host, chart.spec, {
      mode: "vega-lite", ast: true, renderer: "svg", actions: false, tooltip: false, hover: false, defaultStyle: false,
      patch: (vega) => { chart.scale = followWindow(vega); return vega; },
    });
    chart.view = view;
    const svg = host.querySelector("svg");
    svg.setAttribute("aria-hidden", "true"); // the figure has the words
    svg.setAttribute("focusable", "false");
    svg.dataset.chart = chart.svg.dataset.chart;
    chart.svg.replaceWith(svg);
    chart.svg = svg;
    chart.box.classList.add("live");
    if (chart.scale) chart.box.append(chart.cross, chart.brush);
    follow(chart);
    read(chart);
    return chart;
  };

  // Alive once, however often it is asked for; a chart that Vega cannot draw stays as it was drawn.
  const alive = (chart) => {
    chart.coming ??= bring(chart).catch(() => null);
    return chart.coming;
  };

  const wake = () => {
    if (awake) return;
    awake = true;
    document.documentElement.style.overflowAnchor = "none"; // readings keep their own place
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watcher.unobserve(entry.target);
        alive(charts.find((chart) => chart.box === entry.target));
      }
    }, { rootMargin: "200px" });
    charts.forEach((chart) => watcher.observe(chart.box));
  };

  // --- reading ----------------------------------------------------------------------------------

  // Where the plot is [px from the left and top of the box's content], and its times.
  const plotOf = (chart) => {
    const frame = chart.box.getBoundingClientRect();
    const plots = [...chart.svg.querySelectorAll("path.background")]
      .filter((path) => !path.closest(".role-legend")).map((path) => path.getBoundingClientRect())
      .filter(({ width, height }) => width > 1 && height > 1);
    const side = (name, pick) => Math.round(pick(...plots.map((plot) => plot[name])));
    const left = side("left", Math.min);
    const [from, to] = chart.view.scale(chart.scale).domain().map(Number);
    return {
      left: left - frame.left + chart.box.scrollLeft - chart.box.clientLeft,
      top: side("top", Math.min) - frame.top,
      width: side("right", Math.max) - left,
      height: side("bottom", Math.max) - side("top", Math.min),
      from, to, client: left,
    };
  };

  const timeUnder = (chart, event) => {
    const plot = plotOf(chart);
    const share = (event.clientX - plot.client) / plot.width;
    return plot.from + Math.min(1, Math.max(0, share)) * (plot.to - plot.from);
  };

  const place = (element, left, width, plot) => {
    element.hidden = false;
    Object.assign(element.style, { left: `${left}px`, width: `${width}px`, top: `${plot.top}px`, height: `${plot.height}px` });
  };

  const tell = (chart, parts) => {
    chart.reading.replaceChildren(...parts.flatMap((part, n) => (n ? [" ", part] : [part])));
  };

  const read = (chart) => {
    chart.cross.hidden = true;
    if (at === null || !chart.series.length) {
      if (at === null) tell(chart, [chart.hint]);
    } else {
      const [first] = chart.series;
      const time = first.points[nearest(first.points, at)][0];
      const told = chart.series.map(({ label, unit, color, points }) => {
        const [, value, name] = points[nearest(points, at)];
        const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
        swatch.style.backgroundColor = color;
        const text = value === null ? "no value" : name ?? `${plain(value)} ${unit}`.trim();
        return make("span", { class: "value" }, swatch, make("bdi", {}, label), " ", make("b", {}, text));
      });
      tell(chart, [make("time", {}, clock(time)), ...told]);
    }
    if (at === null || !chart.view || !chart.scale) return;
    const plot = plotOf(chart);
    if (at < plot.from || at > plot.to) return;
    place(chart.cross, plot.left + ((at - plot.from) / (plot.to - plot.from)) * plot.width, 0, plot);
  };

  // What is told of many things takes several lines: they stay as high as they ever were, and the chart that is
  // pointed at stays where it is, or it would slip away under the pointer.
  const keepHeights = (living) => {
    const heights = living.map(({ reading }) => reading.offsetHeight);
    living.forEach((chart, n) => {
      if (heights[n] <= chart.highest) return;
      chart.highest = heights[n];
      chart.reading.style.minHeight = `${heights[n]}px`;
    });
  };

  let asked = 0;
  const readAll = (time, pointed = null, followed = null) => {
    at = time;
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => {
      const living = charts.filter(({ view }) => view);
      const top = pointed?.box.getBoundingClientRect().top;
      living.forEach(read);
      keepHeights(living);
      if (pointed) window.scrollBy(0, pointed.box.getBoundingClientRect().top - top);
      followed?.cross.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone a chart scrolls in its frame
    });
  };

  // One mark of a scatter or a heat strip.
  const readMark = (chart, target) => {
    const item = [target.__data__].flat()[0];
    const told = chart.fields.filter(([, field]) => item?.datum?.[field] !== undefined).map(([title, field, type]) => {
      const value = item.datum[field];
      const text = type === "temporal" ? clock(Number(value)) : plain(value);
      return make("span", { class: "value" }, title ? `${title}: ` : "", make("bdi", {}, text));
    });
    tell(chart, told.length ? told : [chart.hint]);
  };

  // --- the common time window -------------------------------------------------------------------

  const follow = async (chart) => {
    if (!chart.scale) return;
    await chart.view.signal("shownTimes", shown).runAsync();
    read(chart);
  };

  const bar = make("div", { class: "zoombar", role: "region", "aria-label": "Time window" });
  const told = make("span", {});

  const show = (times, heard = false) => {
    shown = times;
    if (!heard) document.dispatchEvent(new CustomEvent("esxprobe:window", { detail: { by: "charts", times } }));
    bar.hidden = !shown;
    told.textContent = shown ? `${clock(shown[0])} to ${clock(shown[1])}` : "";
    say(shown ? `Charts show ${told.textContent}` : "Charts show the whole capture");
    charts.filter(({ view }) => view).forEach(follow);
  };
  bar.append(told, " ", button("Whole capture", () => show(null)));
  bar.hidden = true;

  const wholeOf = (chart) => {
    const times = chart.series.flatMap(({ points }) => points.map(([time]) => time));
    return times.length ? [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))] : null;
  };

  // Closer (0.5) or wider (2) around the time that is read.
  const zoom = (chart, factor) => {
    const whole = wholeOf(chart);
    if (!whole) return;
    const [from, to] = shown ?? whole;
    const middle = at ?? (from + to) / 2;
    const half = ((to - from) * factor) / 2;
    const times = [Math.max(whole[0], middle - half), Math.min(whole[1], middle + half)];
    if (times[1] - times[0] < 1) return;
    show(times[0] === whole[0] && times[1] === whole[1] ? null : times);
  };

  // --- pointer and keys -------------------------------------------------------------------------

  const onKey = async (chart, event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !chart.series.length) return;
    const { points } = chart.series[0];
    const now = at === null ? 0 : nearest(points, at);
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: now - step, ArrowRight: at === null ? 0 : now + step, Home: 0, End: points.length - 1 };
    const acts = {
      "+": () => zoom(chart, 0.5), "=": () => zoom(chart, 0.5), "-": () => zoom(chart, 2), "0": () => show(null),
      Escape: () => { show(null); readAll(null); },
    };
    if (!(event.key in moves) && !(event.key in acts)) return;
    event.preventDefault();
    if (!(await alive(chart))) return;
    acts[event.key]?.();
    if (event.key in moves) {
      chart.reading.setAttribute("aria-live", "polite"); // spoken for who moves by keys, silent for a pointer
      readAll(points[Math.min(points.length - 1, Math.max(0, moves[event.key]))][0], chart, chart);
    }
  };

  const listen = (chart) => {
    let pressed = null; // [client x, time] where a brush began
    const { box, brush } = chart;
    box.addEventListener("pointerenter", wake);
    box.addEventListener("focus", wake);
    box.addEventListener("keydown", (event) => onKey(chart, event));
    box.addEventListener("pointermove", (event) => {
      if (!chart.view) return;
      if (!chart.scale || !chart.series.length) readMark(chart, event.target);
      if (!chart.scale) return;
      chart.reading.setAttribute("aria-live", "off");
      const time = timeUnder(chart, event);
      readAll(time, chart);
      if (!pressed) return;
      const plot = plotOf(chart);
      const edge = (ms) => plot.left + ((ms - plot.from) / (plot.to - plot.from)) * plot.width;
      place(brush, edge(Math.min(time, pressed[1])), Math.abs(edge(time) - edge(pressed[1])), plot);
    });
    box.addEventListener("pointerleave", () => { if (!pressed) readAll(null); });
    box.addEventListener("pointerdown", (event) => {
      // A finger scrolls and reads; who drags with a mouse or a pen means a window.
      if (!chart.view || !chart.scale || event.button !== 0 || event.pointerType === "touch") return;
      pressed = [event.clientX, timeUnder(chart, event)];
      box.setPointerCapture(event.pointerId);
    });
    const release = (event) => {
      if (!pressed) return;
      const [began, from] = pressed;
      pressed = null;
      brush.hidden = true;
      if (event.type === "pointercancel" || Math.abs(event.clientX - began) < BRUSHED_PX) return;
      const to = timeUnder(chart, event);
      if (Math.abs(to - from) >= 1) show([Math.min(from, to), Math.max(from, to)]);
    };
    box.addEventListener("pointerup", release);
    box.addEventListener("pointercancel", release);
    box.addEventListener("dblclick", () => show(null));
  };

  // --- saving -----------------------------------------------------------------------------------

  const save = async (chart, kind) => {
    if (!(await alive(chart))) return;
    const { view } = chart;
    view.background("#ffffff"); // an image leaves the page: dark on white, whatever the page's colors are
    const blob = kind === "png"
      ? await view.toCanvas(2).then((canvas) => new Promise((done) => { canvas.toBlob(done, "image/png"); }))
      : new Blob([await view.toSVG()], { type: "image/svg+xml" });
    view.background("transparent");
    download(blob, `${chart.name}.${kind}`);
  };

  const HINT_TIME = "Hover to read values, drag to zoom (all charts). Keyboard: arrows, +, -, 0 = reset.";
  const HINT_MARK = "Hover over a point for its values.";
  document.querySelectorAll("svg[data-chart]").forEach((svg) => {
    const box = svg.closest(".chart");
    const spec = specs[Number(svg.dataset.chart)];
    if (!box || !spec) return;
    const series = seriesOf(spec);
    // Said once for each kind, not under every chart.
    const told = series.length ? HINT_TIME : HINT_MARK;
    const hint = charts.some((chart) => chart.hint === told) ? "" : told;
    const chart = {
      box, svg, spec, series, hint,
      fields: fieldsOf(spec),
      view: null,
      scale: "",
      highest: 0,
      name: `${(box.closest("[id]")?.id ?? "chart").replace(/[^\w-]+/g, "-")}-${charts.length + 1}`,
      cross: make("div", { class: "cross", hidden: "" }),
      brush: make("div", { class: "brush", hidden: "" }),
      reading: make("p", { class: "reading" }, hint),
    };
    const about = box.getAttribute("aria-label") ?? "";
    const named = (text) => ({ "aria-label": `${text}: ${about}` });
    box.tabIndex = 0;
    if (series.length) box.setAttribute("role", "application"); // arrow keys belong to it
    box.after(make("div", { class: "chart-tools" }, chart.reading,
      button("Save PNG", () => save(chart, "png"), named("Save PNG")),
      button("Save SVG", () => save(chart, "svg"), named("Save SVG"))));
    charts.push(chart);
    listen(chart);
  });
  document.body.append(bar);
  document.addEventListener("esxprobe:window", ({ detail }) => { if (detail.by !== "charts") show(detail.times, true); });
  document.addEventListener("esxprobe:time", ({ detail }) => { if (awake) readAll(detail.ms); });
  document.documentElement.dataset.charts = "ready";
})();
