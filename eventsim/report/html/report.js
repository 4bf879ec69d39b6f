"use strict";

// Tables: a click on a heading sorts by it, another one the other way round; what has no value comes last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const rising = head.getAttribute("aria-sort") === "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.value;
      const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      [...body.rows].sort((r, s) => {
        const a = value(r), b = value(s);
        if (a === "" || b === "") return (a === "") - (b === "");
        return rising ? compare(a, b) : compare(b, a);
      }).forEach((row) => body.append(row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}

// Recordings: frames are lists of cells with events, drawn in the colours of the theme.
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const rgb = (name) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return found;
};
const players = [...document.querySelectorAll(".player")].map((player) => {
  const data = JSON.parse(player.dataset.frames), start = data.frame_ptr, n = start.length - 1;
  const raw = bytes(data.cell), view = new DataView(raw.buffer), count = bytes(data.count);
  const canvas = player.querySelector("canvas"), context = canvas.getContext("2d");
  const slider = player.querySelector("input"), label = player.querySelector("output"), play = player.querySelector(".play");
  canvas.width = data.width;
  canvas.height = data.height;
  canvas.style.aspectRatio = `${data.width} / ${Math.max(data.height, data.width / 12)}`;
  slider.max = n - 1;
  let timer = null;
  const draw = () => {
    const i = Number(slider.value), colours = [rgb("--off"), rgb("--on")];
    const image = context.createImageData(data.width, data.height);
    for (let k = start[i]; k < start[i + 1]; k++) {
      const entry = view.getUint16(2 * k, true), at = 4 * (entry >> 1), strength = 255 * Math.min(1, 0.45 + 0.2 * count[k]);
      if (strength >= image.data[at + 3]) image.data.set([...colours[entry & 1], strength], at);
    }
    context.putImageData(image, 0, 0);
    label.textContent = `${(i * data.frame_ms).toFixed(1)} ms`;
  };
  const step = () => { slider.value = (Number(slider.value) + 1) % n; draw(); };
  const toggle = () => {
    timer = timer === null ? setInterval(step, 60) : clearInterval(timer) ?? null;
    play.textContent = timer === null ? "▶" : "❚❚";
  };
  slider.addEventListener("input", draw);
  play.addEventListener("click", toggle);
  draw();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) toggle();
  return draw;
});

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = dark ? "light" : "dark";
  players.forEach((draw) => draw());
});
