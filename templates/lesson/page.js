addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement;
  const all = (query, under = document) => [...under.querySelectorAll(query)];
  const steps = all(".steps article");
  if (!steps.length) return;
  const panes = { spec: document.querySelector(".spec"), code: document.querySelector(".code") };
  const detail = document.querySelector(".steps");
  const said = document.getElementById("said");
  const links = all(".spec a[data-s]");
  const wide = matchMedia("(min-width: 64rem)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // The elements of each step, what stands in it included.
  const own = new Map(steps.map((step) => [step.dataset.n, []]));
  for (const pane of Object.values(panes))
    for (const element of all(".l[data-s], tr[data-s], b[data-s]", pane)) own.get(element.dataset.s)?.push(element);
  const family = (n) => [n, ...steps.filter((step) => step.dataset.above === n).flatMap((step) => family(step.dataset.n))];
  const elements = (n) => family(n).flatMap((each) => own.get(each) ?? []);

  let marked = { on: [], lit: [] };
  const mark = (kind, n) => {
    for (const element of marked[kind]) element.classList.remove(kind);
    marked[kind] = n === null ? [] : elements(n);
    for (const element of marked[kind]) element.classList.add(kind);
  };

  const scroll = (pane, top) => pane.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
  // On a narrow page the explanation covers the lower part.
  const uncover = (parts) => {
    const free = innerHeight * .4;
    const tops = parts.map((part) => part.getBoundingClientRect().top);
    if (!tops.some((top) => top >= 0 && top < free)) scrollBy(0, tops[0] - free / 3);
  };
  // Brings a step into view: all of it where it fits, else as much of it as does, with the shortest way.
  const reveal = (pane, n) => {
    const parts = elements(n).filter((element) => pane.contains(element));
    if (!parts.length || !wide.matches) return;
    const head = pane.querySelector("thead, h2").getBoundingClientRect().height;
    const up = pane.getBoundingClientRect().top + head - pane.scrollTop;
    const high = pane.clientHeight - head;
    // A row that has both files' lines says most.
    const boxes = parts.map((part) => {
      const box = part.getBoundingClientRect();
      return [box.top - up, box.bottom - up, part.querySelectorAll("td:not(:empty)").length > 1 ? 9 : 1];
    });
    const seen = (top) => boxes.filter((box) => box[0] >= top && box[1] <= top + high)
      .reduce((sum, box) => sum + box[2], 0);
    const margin = Math.min(48, high / 8);
    const ways = [pane.scrollTop, ...boxes.flatMap((box) => [box[0] - margin, box[1] + margin - high])];
    const far = (top) => Math.abs(top - pane.scrollTop);
    const best = ways.reduce((a, b) => (seen(b) > seen(a) || (seen(b) === seen(a) && far(b) < far(a)) ? b : a));
    if (best !== pane.scrollTop) scroll(pane, best);
  };

  let current = null;
  const choose = (step, { focus = false, address = true } = {}) => {
    current = step;
    const n = step.dataset.n;
    for (const each of steps) each.classList.toggle("shown", each === step);
    detail.scrollTop = 0;
    root.classList.toggle("chosen", n !== "0");
    mark("lit", null);
    mark("on", n === "0" ? null : n);
    for (const link of links) {
      const here = link.dataset.s === n;
      link.tabIndex = here ? 0 : -1;
      if (here) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      if (here && focus) link.focus({ preventScroll: true });
    }
    if (address) history.replaceState(null, "", `#${step.id}`);
    if (n !== "0" && wide.matches) for (const pane of Object.values(panes)) reveal(pane, n);
    else if (n !== "0") uncover(elements(n));
    const sentence = step.querySelector(".what");
    said.textContent = sentence ? `${step.querySelector("h3").innerText}: ${sentence.innerText}` : "";
  };
  const byAddress = () => steps.find((step) => `#${step.id}` === decodeURI(location.hash));
  const move = (to, focus) => choose(steps[Math.max(0, Math.min(steps.length - 1, to))], { focus });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const step = link && steps.find((each) => `#${each.id}` === link.getAttribute("href"));
    if (step) {
      event.preventDefault();
      choose(step, { focus: link.matches(".spec a") });
      return;
    }
    const part = event.target.closest(".spec [data-s], .code [data-s]");
    if (part && !link && !String(getSelection())) choose(steps.find((each) => each.dataset.n === part.dataset.s));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const at = steps.indexOf(current);
    const listed = event.target.matches(".spec a");
    const to = { j: at + 1, k: at - 1, Escape: 0 }[event.key]
      ?? (listed ? { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: steps.length - 1 }[event.key] : undefined);
    if (to === undefined) return;
    event.preventDefault();
    move(to, listed || event.key !== "Escape");
  });

  let waiting;
  for (const [name, pane] of Object.entries(panes)) {
    const other = name === "spec" ? panes.code : panes.spec;
    pane.addEventListener("pointerover", (event) => {
      if (event.pointerType === "touch") return;
      const part = event.target.closest("[data-s]");
      clearTimeout(waiting);
      const n = part && part.dataset.s !== "0" ? part.dataset.s : null;
      mark("lit", n);
      if (n !== null) waiting = setTimeout(() => reveal(other, n), 120);
    });
    pane.addEventListener("pointerleave", () => { clearTimeout(waiting); mark("lit", null); });
  }

  for (const link of all(".code th a")) link.tabIndex = -1;
  addEventListener("hashchange", () => { const step = byAddress(); if (step) choose(step, { address: false }); });
  choose(byAddress() ?? steps[0], { address: false });
});
