// The table of every post: pages, filters and sorting. Makes the rows that reelpub/report/posts.py makes.
"use strict";
(() => {
  const PAGE = 100;
  const byId = (id) => document.getElementById(id);
  const record = JSON.parse(byId("record").textContent);
  const form = byId("filters"), body = byId("rows"), count = byId("count"), pager = byId("pager");
  const heads = [...document.querySelectorAll(".posts thead [data-key]")];
  const NOT_TOLD = "not told", NOT_NAMED = "not named";
  const FILTERS = ["text", "status", "platform", "account", "publisher"];

  // ---- times, as the report tells them

  function wall(at) {
    let ahead = 0;
    for (const [from, seconds] of record.offsets) {
      if (from > at) break;
      ahead = seconds;
    }
    return new Date(at + ahead * 1000).toISOString().slice(0, 19).replace("T", " ");
  }

  function spoken(seconds) {
    if (seconds < 10) return `${Math.floor(seconds * 10 + 0.5) / 10} s`;
    const whole = Math.floor(seconds + 0.5);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return two(whole, 60, "min", 1, "s");
    return whole < 86400 ? two(whole, 3600, "h", 60, "min") : two(whole, 86400, "d", 3600, "h");
  }

  function two(seconds, large, largeName, small, smallName) {
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ""}`;
  }

  const number = (value) => value.toLocaleString("en");
  const spaced = (status) => status.replaceAll("_", " ");

  // ---- rows: text only ever becomes text nodes and plain attributes

  function tag(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  function badge(status) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#icon-${status}`);
    for (const [key, value] of [["class", "icon"], ["viewBox", "0 0 16 16"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    svg.append(use);
    return tag("span", { class: `badge ${record.tones[status] || "quiet"}` }, svg, spaced(status));
  }

  function clock(at) {
    const utc = new Date(at).toISOString();
    return tag("time", { datetime: utc, title: `${utc.slice(0, 19).replace("T", " ")} UTC` }, wall(at));
  }

  function account(one) {
    const parts = [one.status ? badge(one.status) : null, tag("bdi", { class: "name" }, one.name)];
    if (one.href && /^https?:\/\//i.test(one.href)) {
      parts.push(tag("a", { href: one.href, target: "_blank", rel: "noopener noreferrer" }, one.url));
    } else if (one.url) {
      parts.push(tag("bdi", { class: "address" }, one.url));
    }
    if (one.words) parts.push(tag("q", {}, tag("bdi", {}, one.words)));
    return tag("li", {}, ...parts);
  }

  function post(row) {
    return ["label", "title", "caption"].filter((name) => row[name]).map((name) => tag("bdi", { class: name }, row[name]));
  }

  function details(row) {
    const summary = tag("summary", { "aria-label": `Details of row ${number(row.number)}` }, "Details");
    const element = tag("details", {}, summary);
    // Most are never opened.
    element.addEventListener("toggle", () => element.append(...told(row)), { once: true });
    return [element];
  }

  function told(row) {
    const fact = ([name, value]) => tag("div", {}, tag("dt", {}, name), tag("dd", {}, tag("bdi", {}, value)));
    const moment = ([at, kind, text]) => tag("li", { class: kind }, clock(at), " ", tag("bdi", {}, text));
    const moments = row.moments ? [tag("ol", {}, ...row.moments.map(moment))] : [];
    return [tag("dl", {}, ...row.facts.map(fact)), ...moments];
  }

  function when(row) {
    const ended = row.status === "scheduled" ? "since" : "ended";
    const told = [["for", "planned"], "settled" in row ? [ended, "settled"] : ["began", "submitted"]];
    const parts = told.filter(([, name]) => name in row).map(([word, name]) => tag("span", {}, tag("i", {}, `${word} `), clock(row[name])));
    return parts.length ? parts : ["-"];
  }

  function element(row) {
    const words = row.words ? tag("ul", { class: "words" }, ...row.words.map((text) => tag("li", {}, tag("bdi", {}, text)))) : null;
    const cells = [
      ["label", post(row)],
      ["status", [badge(row.status), words]],
      ["accounts", row.accounts ? [tag("ul", {}, ...row.accounts.map(account))] : ["-"]],
      ["when", when(row)],
      ["took", ["took" in row ? spoken(row.took) : "-"]],
      ["sends", ["sends" in row ? `${number(row.sends)}\u00d7` : "-"]],
      ["details", details(row)],
    ];
    const line = tag("small", {}, `line ${number(row.line)}`);
    const head = tag("th", { scope: "row", role: "rowheader", class: "number", tabindex: "-1" }, number(row.number), " ", line);
    const rest = cells.map(([name, content]) => tag("td", { role: "cell", class: name }, ...content));
    return tag("tr", { role: "row", id: `row-${row.number}` }, head, ...rest);
  }

  // ---- what is asked for: kept in the address, so that it can be passed on

  let state = { page: 1, sort: "number", way: "up" };
  let found = record.rows;
  const haystacks = new Map();

  function haystack(row) {
    if (!haystacks.has(row)) {
      const accounts = (row.accounts || []).flatMap((one) => [one.name, one.url, one.words, one.raw, one.post]);
      const parts = [row.label, row.title, row.caption, spaced(row.status), row.publisher, ...(row.words || []), ...accounts, ...row.facts.flat()];
      haystacks.set(row, parts.filter(Boolean).join("\n").toLowerCase());
    }
    return haystacks.get(row);
  }

  function matches(row, asked) {
    const ofAccount = asked.status.startsWith("account.") ? asked.status.slice(8) : "";
    if (asked.status && !ofAccount && row.status !== asked.status) return false;
    if (asked.publisher && row.publisher !== asked.publisher) return false;
    if (ofAccount || asked.platform || asked.account) {
      // One and the same account has to be all of what is asked for.
      const fits = (one) =>
        (!ofAccount || (one.status ?? NOT_TOLD) === ofAccount) &&
        (!asked.platform || (one.platform ?? NOT_NAMED) === asked.platform) &&
        (!asked.account || one.name === asked.account);
      if (!(row.accounts || []).some(fits)) return false;
    }
    return asked.words.every((word) => haystack(row).includes(word));
  }

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const KEYS = {
    number: (row) => row.number,
    label: (row) => row.label,
    status: (row) => record.statuses.indexOf(row.status),
    accounts: (row) => (row.accounts || []).map((one) => one.name).join(" "),
    when: (row) => row.planned ?? row.settled ?? row.submitted,
    took: (row) => row.took,
    sends: (row) => row.sends,
  };

  function compare(a, b) {
    const one = KEYS[state.sort](a), other = KEYS[state.sort](b);
    if (one === undefined || other === undefined) return (one === undefined) - (other === undefined);
    const order = typeof one === "string" ? collator.compare(one, other) : one - other;
    return state.way === "up" ? order : -order;
  }

  function search() {
    const asked = Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value]));
    asked.words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
    found = record.rows.filter((row) => matches(row, asked));
    if (state.sort !== "number" || state.way !== "up") found = [...found].sort(compare);
  }

  // ---- showing it

  const pages = () => Math.max(1, Math.ceil(found.length / PAGE));

  function show() {
    state.page = Math.min(Math.max(1, state.page), pages());
    const from = (state.page - 1) * PAGE;
    body.replaceChildren(...found.slice(from, from + PAGE).map(element));
    tell(from);
    for (const head of heads) {
      if (head.dataset.key === state.sort) head.setAttribute("aria-sort", state.way === "up" ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    form.elements.sort.value = `${state.sort}.${state.way}`;
  }

  function tell(from) {
    const all = record.rows.length;
    const posts = `${number(all)} post${all === 1 ? "" : "s"}`;
    const which = found.length === all ? posts : `${number(found.length)} of ${posts}`;
    const shown = pages() > 1 ? `, shown: ${number(from + 1)} to ${number(Math.min(from + PAGE, found.length))}` : "";
    count.textContent = found.length || !all ? which + shown : `None of ${posts} fits. “Show all” clears the filters.`;
    pager.hidden = pages() === 1;
    byId("page").textContent = `Page ${number(state.page)} of ${number(pages())}`;
    for (const button of pager.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", String(target(button.dataset.go) === state.page));
    }
  }

  function target(go) {
    return { first: 1, previous: Math.max(1, state.page - 1), next: Math.min(pages(), state.page + 1), last: pages() }[go];
  }

  function remember() {
    const kept = new URLSearchParams(FILTERS.map((name) => [name, form.elements[name].value]).filter(([, value]) => value));
    if (state.sort !== "number" || state.way !== "up") kept.set("sort", `${state.sort}.${state.way}`);
    if (state.page > 1) kept.set("page", state.page);
    const hash = kept.size ? `#?${kept}` : "";
    if (hash === location.hash) return;
    try {
      history.replaceState(null, "", hash || location.pathname + location.search);
    } catch {
      // Some viewers of files let nothing touch the address; the filter works without.
    }
  }

  function ask({ page = 1 } = {}) {
    search();
    state.page = page;
    show();
    remember();
  }

  function sortBy(value) {
    const [sort, way] = value.split(".");
    if (sort in KEYS) state = { ...state, sort, way: way === "down" ? "down" : "up" };
  }

  // ---- addresses within the page: #?status=failed&page=2 and #row-17

  function follow({ scroll }) {
    const hash = location.hash;
    if (hash.startsWith("#?")) {
      const asked = new URLSearchParams(hash.slice(2));
      for (const name of FILTERS) form.elements[name].value = asked.get(name) ?? "";
      // A value that isn't among the choices leaves nothing chosen: that is no filter.
      for (const name of FILTERS) if (form.elements[name].selectedIndex === -1) form.elements[name].value = "";
      sortBy(asked.get("sort") ?? "number.up");
      ask({ page: Number.parseInt(asked.get("page"), 10) || 1 });
      if (scroll) byId("posts").scrollIntoView();
    } else if (/^#row-\d+$/.test(hash)) {
      reveal(Number(hash.slice(5)));
    }
  }

  function reveal(wanted) {
    let place = found.findIndex((row) => row.number === wanted);
    if (place === -1) {
      for (const name of FILTERS) form.elements[name].value = "";
      search();
      place = found.findIndex((row) => row.number === wanted);
    }
    if (place === -1) return;
    state.page = Math.floor(place / PAGE) + 1;
    show();
    const row = byId(`row-${wanted}`);
    row.classList.add("found");
    row.scrollIntoView({ block: "center" });
    row.firstElementChild.focus({ preventScroll: true });
  }

  // ---- paper has room for everything

  let printing = false;
  function print(on) {
    if (on === printing) return;
    printing = on;
    if (on) body.replaceChildren(...found.map(element));
    else show();
  }

  // ---- beginning

  for (const head of heads) {
    const key = head.dataset.key;
    const button = tag("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => {
      sortBy(`${key}.${state.sort === key && state.way === "up" ? "down" : "up"}`);
      ask();
    });
    head.replaceChildren(button);
  }

  for (const [go, text] of [["first", "First"], ["previous", "Previous"], ["", ""], ["next", "Next"], ["last", "Last"]]) {
    if (!go) {
      pager.append(tag("span", { id: "page" }));
      continue;
    }
    const button = tag("button", { type: "button", "data-go": go }, text);
    button.addEventListener("click", () => {
      if (target(go) === state.page) return;
      state.page = target(go);
      show();
      remember();
      byId("count").scrollIntoView({ block: "nearest" });
    });
    pager.append(button);
  }

  let typing;
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    if (event.target.name === "sort") sortBy(event.target.value);
    typing = setTimeout(ask, event.target.name === "text" ? 150 : 0);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    ask();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    sortBy("number.up");
    ask();
  }));
  addEventListener("hashchange", () => follow({ scroll: true }));
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  matchMedia("print").addEventListener("change", (event) => print(event.matches));

  form.hidden = false;
  search();
  show();
  follow({ scroll: true });
})();
