"use strict";
// What the page can do when scripts may run: sort and filter tables, fold all, copy a finding, switch colors.
// It finds its work by what stands in the page (tables, .finding, details); without it everything is visible.
// Texts of the capture only ever pass through textContent, append and setAttribute: nothing here parses HTML.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  const button = (text, action, attributes = {}) => {
    const element = make("button", { type: "button", class: "tool", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  };

  // Text of a packed part of the page (base64 of zlib): see report/packed.py.
  const unpacked = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  };

  const download = (blob, name) => {
    const url = URL.createObjectURL(blob);
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  };

  const status = make("p", { class: "hidden", role: "status" });
  const say = (text) => { status.textContent = text; };

  // --- tables -----------------------------------------------------------------------------------

  const FILTERED_FROM = 8; // rows; fewer are seen at a glance
  const SEVERITIES = ["critical", "warning", "info", "none"];
  const collator = new Intl.Collator("en", { numeric: true });

  // What a cell is sorted by: its data-sort, a severity, a number, or its text; null where there is no value.
  const keyOf = (cell) => {
    if (!cell) return null;
    if (cell.dataset.sort !== undefined) {
      const given = cell.dataset.sort;
      return given === "" ? null : Number.isNaN(Number(given)) ? given : Number(given);
    }
    const badge = cell.querySelector(".badge");
    const rank = badge ? SEVERITIES.findIndex((name) => badge.classList.contains(name)) : -1;
    if (rank >= 0) return SEVERITIES.length - rank;
    const text = cell.textContent.trim();
    if (!cell.classList.contains("num")) return text === "" || text === "–" ? null : text;
    const number = text.replaceAll(",", "").replaceAll("−", "-").match(/-?\d+(\.\d+)?(e[-+]?\d+)?/);
    if (!number) return null;
    return Number(number[0]) * (/\d GB\b/.test(text) ? 1024 : 1); // beside MB, which have no more than four digits
  };

  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));

  const sortable = (table, body) => {
    const original = [...body.rows];
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const sort = (column, direction) => {
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      if (!direction) return body.append(...original);
      heads[column].setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = original.map((row) => [row, keyOf(row.cells[column])]);
      const known = keyed.filter(([, key]) => key !== null).sort(([, a], [, b]) => sign * compare(a, b));
      const unknown = keyed.filter(([, key]) => key === null); // last, whichever way
      return body.append(...[...known, ...unknown].map(([row]) => row));
    };
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const down = head.classList.contains("num") || original.some((row) => row.cells[column]?.querySelector(".badge"));
      const turns = down ? ["descending", "ascending", ""] : ["ascending", "descending", ""];
      const next = () => {
        const direction = turns[(turns.indexOf(head.getAttribute("aria-sort") ?? "") + 1) % turns.length];
        sort(column, direction);
        say(direction ? `Sorted by ${head.textContent.trim()}, ${direction}` : "In the original order");
      };
      const press = button("", next, { class: "sort" });
      if (head.querySelector("a, button, [tabindex]")) { // no button may stand in a button
        press.setAttribute("aria-label", `Sort by ${head.textContent.trim()}`);
      } else {
        press.append(...head.childNodes);
      }
      head.append(press);
    });
  };

  const wordsIn = (field) => field.value.toLowerCase().split(/\s+/).filter(Boolean);

  // A row is hidden while one of the filters that know it leaves it out.
  const leftOut = new WeakMap();
  const hide = (row, filter, out) => {
    const filters = leftOut.get(row) ?? new Set();
    if (out) filters.add(filter); else filters.delete(filter);
    leftOut.set(row, filters);
    row.hidden = filters.size > 0;
  };

  // The worst badge in a row.
  const severityOf = (row) => SEVERITIES.find((name) => row.querySelector(`.badge.${name}`)) ?? "none";

  const filterable = (table, body) => {
    const frame = table.closest(".scroll") ?? table;
    const name = frame.getAttribute("aria-label") ?? "";
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const severities = make("select", {}, make("option", { value: "" }, "all"));
    const count = make("output", {});
    const filter = () => {
      const words = wordsIn(field);
      const rows = [...body.rows];
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const asked = !severities.value || severityOf(row) === severities.value;
        hide(row, table, !asked || !words.every((word) => text.includes(word)));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = words.length || severities.value ? `${shown} of ${rows.length} rows` : "";
    };
    field.addEventListener("input", filter);
    severities.addEventListener("change", filter);
    const named = (what, control) => make("label", {}, `${what} `, make("span", { class: "hidden" }, name), " ", control);
    const tools = make("div", { class: "filter" }, named("Filter", field), " ");
    const found = new Set([...body.rows].map(severityOf));
    if (found.size > 1) {
      severities.append(...SEVERITIES.filter((each) => found.has(each)).map((each) => make("option", { value: each }, each)));
      tools.append(named("Severity", severities), " ");
    }
    tools.append(count);
    frame.before(tools);
  };

  for (const table of document.querySelectorAll("main table:not([data-plain])")) {
    const body = table.tBodies[0];
    if (!table.tHead || !body || body.rows.length < 2 || body.querySelector("[rowspan], [colspan]")) continue;
    sortable(table, body);
    if (body.rows.length > FILTERED_FROM) filterable(table, body);
  }

  // --- panels -----------------------------------------------------------------------------------

  const panels = [...document.querySelectorAll("main .finding")];

  const foldAll = (folded) => {
    for (const details of document.querySelectorAll("main details:not(.thing, .things)")) details.open = !folded;
    say(folded ? "All panels collapsed" : "All panels expanded");
  };

  // A permalink opens what it leads to, and a finding that it names.
  const reveal = () => {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return; // a damaged address leads nowhere
    }
    if (!target) return;
    let opened = false;
    for (const details of target.matches(".finding") ? target.querySelectorAll(":scope > details:not([open])") : []) {
      details.open = true;
      opened = true;
    }
    for (let element = target; element; element = element.parentElement) {
      if (element.matches("details:not([open])")) { element.open = true; opened = true; }
    }
    if (opened) target.scrollIntoView();
  };

  // --- findings by severity and by name ----------------------------------------------------------

  const rules = [...document.querySelectorAll("#findings article.finding")];
  const filterFindings = () => {
    const boxes = SEVERITIES.slice(0, 3).filter((name) => rules.some((rule) => rule.classList.contains(name)))
      .map((name) => make("input", { type: "checkbox", value: name, checked: "" }));
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const count = make("output", {});
    const choose = () => {
      const levels = boxes.filter((box) => box.checked).map((box) => box.value);
      const words = wordsIn(field);
      const wanted = (row) => {
        const name = row.cells[0].textContent.toLowerCase();
        return levels.includes(severityOf(row)) && words.every((word) => name.includes(word));
      };
      for (const rule of rules) {
        const rows = [...rule.querySelectorAll("tbody tr")];
        for (const row of rows) hide(row, field, !wanted(row));
        rule.hidden = !rows.some(wanted);
      }
      for (const cause of document.querySelectorAll("#findings .cause")) {
        cause.hidden = [...cause.querySelectorAll("article")].every((rule) => rule.hidden);
      }
      const shown = rules.filter((rule) => !rule.hidden).length;
      count.textContent = shown < rules.length ? `${shown} of ${rules.length} rules` : "";
    };
    for (const control of [...boxes, field]) control.addEventListener("input", choose);
    document.querySelector("#findings h2").after(make("div", { class: "filter beside", role: "group", "aria-label": "Filter findings" },
      ...boxes.flatMap((box) => [make("label", {}, box, ` ${box.value}`), " "]),
      make("label", {}, "VM, device or other name ", field), " ", count));
  };
  if (rules.length > 1) filterFindings();

  // --- a finding as text ------------------------------------------------------------------------

  const NOT_COPIED = ".panel-tools, .chart, .chart-tools, .filter, .anchor, .hidden, [hidden], script, style";
  const TURNS_WRITING = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

  // One line: no name may begin a line of its own, move a terminal's cursor or turn the writing around it.
  const flat = (element) => {
    const copy = element.cloneNode(true);
    for (const extra of copy.querySelectorAll(NOT_COPIED)) extra.remove();
    for (const end of copy.querySelectorAll("br")) end.replaceWith(" ");
    const text = copy.textContent.replace(/\s+/g, " ").trim().replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
    return TURNS_WRITING.test(text) ? `\u2068${text}\u2069` : text;
  };

  const linesOf = (element) => {
    if (element.matches(NOT_COPIED)) return [];
    if (element.matches("table")) {
      return [...element.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(flat).join(" | "));
    }
    if (element.matches("li")) return [`- ${flat(element)}`];
    if (element.matches("dl > div")) return [[...element.children].map(flat).join(": ")];
    if (element.matches("h2, h3, h4, h5, p, dt, dd, figcaption, summary, pre")) return [flat(element), ""];
    const lines = [...element.children].flatMap(linesOf);
    return element.matches("ul, ol, dl, .scroll") ? [...lines, ""] : lines;
  };

  const textOf = (panel) => {
    const lines = [...linesOf(panel), `${flat(document.querySelector("title"))} #${panel.id}`];
    return `${lines.filter((line, n) => line || lines[n - 1]).join("\n")}\n`;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no right to the clipboard: the old way, through a selection
      const field = make("textarea", { class: "hidden", "aria-label": "Text to copy" });
      const focused = document.activeElement;
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      focused?.focus();
    }
    say("Copied as text");
  };

  panels.forEach((panel) => {
    const title = panel.getAttribute("aria-labelledby");
    const described = title ? { "aria-describedby": title } : {};
    const tools = make("div", { class: "panel-tools" });
    const copied = (event) => {
      copy(textOf(panel));
      event.target.textContent = "Copied";
      setTimeout(() => { event.target.textContent = "Copy as text"; }, 2000);
    };
    tools.append(button("Copy as text", copied, { class: "tool copy", ...described }));
    panel.prepend(tools);
    const heading = title && document.getElementById(title);
    if (heading && panel.id && !heading.querySelector(".anchor")) {
      const words = make("span", { class: "hidden" }, "Link to this panel");
      heading.append(" ", make("a", { class: "anchor", href: `#${panel.id}` }, "#", words));
    }
  });

  // --- actions of the first screen, and the text for a ticket -----------------------------------

  const copying = (text, what) => {
    const pressed = (event) => {
      copy(text);
      event.target.textContent = "Copied";
      setTimeout(() => { event.target.textContent = "Copy"; }, 2000);
    };
    return button("Copy", pressed, { class: "copy", "aria-label": `Copy: ${what}` });
  };
  document.querySelectorAll(".actions li").forEach((item) => {
    const text = flat(item);
    item.append(copying(text.replace(/^Confirm: /, ""), text));
  });
  const ticket = document.getElementById("ticket-text");
  if (ticket) ticket.before(copying(ticket.textContent, "text for a ticket"));

  // --- the page ---------------------------------------------------------------------------------

  const colors = make("select", {});
  for (const name of ["auto", "light", "dark"]) colors.append(make("option", { value: name }, name));
  colors.addEventListener("change", () => {
    if (colors.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = colors.value;
  });

  const tools = make("div", { class: "tools", role: "group", "aria-label": "This page" });
  if (panels.length) tools.append(button("Collapse all", () => foldAll(true)), button("Expand all", () => foldAll(false)));
  tools.append(make("label", {}, "Colors ", colors));
  if (document.getElementById("analysis")) {
    tools.append(button("Save JSON", async () => {
      const json = new Blob([await unpacked("analysis")], { type: "application/json" });
      download(json, `${document.title.replace(/[^\w.-]+/g, "-")}.json`);
    }));
  }
  const contents = document.querySelector("nav");
  contents.append(tools);
  document.body.append(status);
  new ResizeObserver(() => { // what is scrolled to stands below the contents where these stay in sight
    const stays = getComputedStyle(contents).position === "sticky";
    document.documentElement.style.setProperty("--nav", `${stays ? contents.offsetHeight : 0}px`);
  }).observe(contents);

  // The contents tell where the reader is.
  const entries = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const here = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) {
        for (const link of entries.values()) link.removeAttribute("aria-current");
        entries.get(target.id).setAttribute("aria-current", "true");
      }
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  for (const id of entries.keys()) {
    const section = document.getElementById(id);
    if (section) here.observe(section);
  }

  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a[href^='#']")) setTimeout(reveal);
  });
  reveal();

  // Paper has no folds; browsers that know ::details-content need no help, others do.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open], .thing, .things)")];
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });

  window.esxprobe = { make, button, say, unpacked, download }; // for the other scripts, which add theirs
})();
