// The simulator on the agreement's page: two cutoffs that move. The page works without it, by its forms; all figures and
// all words come from the service, so that nothing is computed twice.
(() => {
  "use strict";
  const simulator = document.querySelector("[data-simulator]");
  const chart = simulator && simulator.querySelector("[data-chart]");
  if (!chart) return;
  const one = (name, within = simulator) => within.querySelector(`[data-${name}]`);
  const fields = { mql: document.getElementById("mql"), sql: document.getElementById("sql") };
  const sliders = { mql: one('slider="mql"'), sql: one('slider="sql"') };
  const handles = { mql: one('handle="mql"'), sql: one('handle="sql"') };
  const saved = { mql: one('save="mql"'), sql: one('save="sql"') };
  const [left, right, lowest, highest] = ["left", "right", "lowest", "highest"].map((each) => Number(chart.dataset[each]));
  const at = { mql: Number(saved.mql ? saved.mql.value : 0), sql: Number(saved.sql ? saved.sql.value : 0) };
  let asking = null;
  let waiting = 0;

  // Cutoffs stand on a logarithmic scale; `part` is how far along it, from 0 to 1.
  const part = (cutoff) => Math.min(Math.max(Math.log(cutoff / lowest) / Math.log(highest / lowest), 0), 1);
  const cutoffAt = (share) => {
    const cutoff = lowest * Math.pow(highest / lowest, Math.min(Math.max(share, 0), 1));
    return Number(Math.min(Math.max(cutoff, 0.0001), 0.99).toPrecision(2));
  };
  const next = (cutoff, way) => {
    const step = Math.pow(10, Math.floor(Math.log10(cutoff) + 1e-9) - 1);
    return Number(Math.min(Math.max(cutoff + way * step, 0.0001), 0.99).toPrecision(2));
  };
  const percent = (cutoff) => `${Number((100 * cutoff).toFixed(4))}%`;
  const fill = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

  function place(name) {
    const x = left + part(at[name]) * (right - left);
    handles[name].setAttribute("transform", `translate(${x.toFixed(1)} 0)`);
    const band = one(`band="${name}"`);
    band.setAttribute("x", x.toFixed(1));
    band.setAttribute("width", (right - x).toFixed(1));
    fill(one('part="label"', handles[name]), `${name.toUpperCase()} ${percent(at[name])}`);
    sliders[name].value = String(Math.round(1000 * part(at[name])));
    sliders[name].setAttribute("aria-valuetext", percent(at[name]));
    if (document.activeElement !== fields[name]) fields[name].value = percent(at[name]);
  }

  // The other cutoff gives way, so that MQL never lies above SQL.
  function move(name, cutoff) {
    at[name] = cutoff;
    if (at.mql > at.sql) at[name === "mql" ? "sql" : "mql"] = cutoff;
    place("mql");
    place("sql");
    ask({ mql: at.mql, sql: at.sql });
  }

  function ask(values) {
    clearTimeout(waiting);
    waiting = setTimeout(() => answer(values), 30);
  }

  async function answer(values) {
    if (asking) asking.abort();
    const mine = (asking = new AbortController());
    const address = new URL(simulator.dataset.address, location.href);
    for (const [name, value] of Object.entries(values)) address.searchParams.set(name, value);
    try {
      const reply = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" }, cache: "no-store" });
      const told = await reply.json();
      if (mine !== asking) return;
      tell(reply.ok ? "" : told.problem || told.detail || String(reply.status));
      if (reply.ok) show(told);
    } catch (error) {
      if (error.name !== "AbortError") tell(String(error.message));
    }
  }

  function tell(problem) {
    const notice = one("problem");
    fill(notice, problem);
    notice.hidden = !problem;
  }

  function show(told) {
    for (const name of ["mql", "sql"]) {
      at[name] = told[name];
      place(name);
      if (saved[name]) saved[name].value = String(told[name]);
      const mark = told.marks && told.marks[name];
      if (!mark) continue;
      fill(one('part="label"', handles[name]), mark.label);
      for (const what of ["volume", "precision"]) {
        const dot = one(`part="${what}-dot"`, handles[name]);
        if (!dot) continue;
        dot.setAttribute("cy", mark[`${what}_y`]);
        const text = one(`part="${what}"`, handles[name]);
        text.setAttribute("y", mark[`${what}_y`] - 7);
        fill(text, mark[what]);
      }
    }
    for (const [column, rows] of Object.entries(told.cells)) {
      for (const [row, cell] of Object.entries(rows)) {
        const place = one(`cell="${column}.${row}"`);
        if (!place) continue;
        fill(one('part="value"', place), cell.value);
        fill(one('part="interval"', place), cell.interval);
      }
    }
    for (const [column, text] of Object.entries(told.cutoffs)) fill(one(`cutoffs="${column}"`), text);
    fill(one("sentence"), told.sentence);
    fill(one("save-words"), told.save);
    if (told.moves) {
      fill(one("moves-sentence"), told.moves.sentence);
      for (const row of [...told.moves.rows.map((each) => each.cells), told.moves.totals]) {
        for (const cell of row) {
          const place = one(`move="${cell.key}"`);
          if (!place) continue;
          fill(place, cell.text);
          place.classList.toggle("is-moving", Boolean(cell.moves));
        }
      }
    }
    const kept = new URL(location.href);
    for (const name of ["mql", "sql"]) kept.searchParams.set(name, told[name]);
    kept.searchParams.delete("capacity");
    kept.searchParams.delete("done");
    history.replaceState(null, "", kept);
  }

  for (const each of simulator.querySelectorAll("[data-sliders]")) each.hidden = false;
  for (const name of ["mql", "sql"]) {
    place(name);
    sliders[name].addEventListener("input", () => {
      const share = Number(sliders[name].value) / 1000;
      const cutoff = cutoffAt(share);
      // a key's step may be less than a digit: then it is the next one
      move(name, cutoff === at[name] ? next(cutoff, Math.sign(share - part(cutoff))) : cutoff);
    });
  }
  one("pair").addEventListener("submit", (event) => {
    event.preventDefault();
    answer({ mql: fields.mql.value, sql: fields.sql.value });
  });
  one("capacity").addEventListener("submit", (event) => {
    event.preventDefault();
    answer({ capacity: document.getElementById("capacity").value, mql: at.mql });
  });
  for (const name of ["mql", "sql"]) {
    fields[name].addEventListener("change", () => answer({ mql: fields.mql.value, sql: fields.sql.value }));
  }

  // Dragging: whichever line is nearer follows the pointer.
  let dragged = null;
  const shareAt = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    return (point.x - left) / (right - left);
  };
  chart.addEventListener("pointerdown", (event) => {
    const share = shareAt(event);
    const [mql, sql] = [part(at.mql), part(at.sql)];
    dragged = mql === sql ? (share < mql ? "mql" : "sql") : Math.abs(share - mql) < Math.abs(share - sql) ? "mql" : "sql";
    chart.setPointerCapture(event.pointerId);
    move(dragged, cutoffAt(share));
  });
  chart.addEventListener("pointermove", (event) => { if (dragged) move(dragged, cutoffAt(shareAt(event))); });
  for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { dragged = null; });
})();
