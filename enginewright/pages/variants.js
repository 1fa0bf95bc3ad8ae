"use strict";
// Everything here makes the page handier and nothing says anything new: without it, all rows and plots are shown.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const table = document.querySelector("#variants table");
  const told = document.querySelector("#told");
  const say = (text) => { told.textContent = text; };

  // Colours: the choice is kept where the browser allows a page from a file to keep anything.
  const themes = all('input[name="theme"]');
  try {
    const kept = localStorage.getItem("enginewright-theme");
    for (const theme of themes) theme.checked = kept ? theme.id === kept : theme.checked;
  } catch { /* the system's colours, then */ }
  for (const theme of themes) theme.addEventListener("change", () => {
    try { localStorage.setItem("enginewright-theme", theme.id); } catch { /* not kept */ }
  });

  // Sorting: a click on a column's head, again for the other way; what has no value stays last.
  const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (one, two, numeric) => (numeric ? Number(one) - Number(two) : one.localeCompare(two, "en", { numeric: true }));
  const sort = (head) => {
    const column = head.cellIndex, numeric = head.classList.contains("number");
    const up = head.getAttribute("aria-sort") !== "ascending";
    const rows = [...table.tBodies[0].rows].sort((one, two) => {
      const [a, b] = [value(one, column), value(two, column)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return (up ? 1 : -1) * compare(a, b, numeric);
    });
    table.tBodies[0].append(...rows);
    for (const other of all("th[aria-sort]", table)) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    say(`sorted by ${head.innerText.trim()}, ${up ? "ascending" : "descending"}`);
  };
  for (const head of all("th[aria-sort]", table ?? document)) head.querySelector("button").addEventListener("click", () => sort(head));

  // Filters: rows that do not fit are hidden, their points are dimmed.
  const controls = document.querySelector("#filters");
  const fits = (row, chosen) => chosen.every(([name, wanted]) =>
    name === "text" ? row.textContent.toLowerCase().includes(wanted.toLowerCase()) : row.dataset[name] === wanted);
  const filter = () => {
    const chosen = [...new FormData(controls)].filter(([, wanted]) => wanted !== "");
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) row.hidden = !fits(row, chosen);
    const shown = new Set(rows.filter((row) => !row.hidden).map((row) => row.id));
    for (const mark of all("[data-row]")) {
      mark.classList.toggle("dim", !mark.dataset.row.split(" ").some((row) => shown.has(row)));
    }
    document.querySelector("#shown").textContent = `${shown.size} of ${rows.length} shown`;
  };
  if (controls) {
    controls.hidden = false;
    controls.addEventListener("input", filter);
    controls.addEventListener("submit", (event) => event.preventDefault());
    controls.addEventListener("reset", () => setTimeout(filter));
    filter();
  }

  // Plots: one cost at a time; arrow keys go from point to point, Enter goes to the row.
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  const show = (point) => {
    const plot = point.closest(".plot"), frame = plot.getBoundingClientRect(), at = point.getBoundingClientRect();
    plot.append(tip);
    // Variants of the same figures lie on one another: the tip tells of all of them.
    const place = point.getAttribute("transform");
    const there = all(".point", point.closest("svg")).filter((one) => one.getAttribute("transform") === place);
    tip.textContent = there.map((one) => one.getAttribute("aria-label")).join("\n");
    tip.hidden = false;
    tip.style.left = `${Math.max(0, Math.min(at.left - frame.left + 14, frame.width - tip.offsetWidth))}px`;
    tip.style.top = `${at.bottom - frame.top + 10}px`;
  };
  const hide = () => { tip.hidden = true; };
  const step = (point, by) => {
    const points = all(".point", point.closest("svg"));
    const next = points[(points.indexOf(point) + by + points.length) % points.length];
    point.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  };
  const visit = (point) => {
    const row = document.getElementById(point.dataset.row);
    if (row.hidden) controls.reset();
    location.hash = row.id;
    (row.querySelector("th a") ?? row.querySelector("th")).focus({ preventScroll: true });
  };
  const keys = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  for (const point of all(".point")) {
    point.addEventListener("pointerenter", () => show(point));
    point.addEventListener("pointerleave", hide);
    point.addEventListener("focus", () => show(point));
    point.addEventListener("blur", hide);
    point.addEventListener("click", () => visit(point));
    point.addEventListener("keydown", (event) => {
      if (event.key in keys) { event.preventDefault(); step(point, keys[event.key]); }
      if (event.key === "Enter") visit(point);
      if (event.key === "Escape") hide();
    });
  }
  for (const choice of all(".choice")) {
    const board = choice.closest(".board");
    const choose = () => {
      const key = choice.querySelector("input:checked").value;
      for (const plot of all(".plot", board)) plot.hidden = plot.dataset.cost !== key;
    };
    choice.hidden = false;
    choice.addEventListener("change", choose);
    choose();
  }

  // A link to a variant opens what it leads to.
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();
})();
