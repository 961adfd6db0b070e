"use strict";
// What every page does: hand data to charts, draw them, make tables sort and filter, light and dark.
window.citytrade = (() => {
  const language = document.documentElement.lang.slice(0, 2);
  const root = document.documentElement.dataset.root;
  const values = new Map();
  const waiting = new Map();
  const redraws = [];

  /** Called by each file of data/ with what it holds. */
  function data(name, value) {
    values.set(name, value);
    waiting.get(name)?.resolve(value);
  }

  /** The value of a file of data/, once it is there. */
  function load(name) {
    if (values.has(name)) return Promise.resolve(values.get(name));
    if (!waiting.has(name)) {
      const wait = {};
      wait.promise = new Promise((resolve, reject) => Object.assign(wait, { resolve, reject }));
      waiting.set(name, wait);
      const script = document.createElement("script");
      script.src = `${root}data/${name}.js`;
      script.onerror = () => wait.reject(new Error(`${script.src} is not there`));
      document.head.append(script);
    }
    return waiting.get(name).promise;
  }

  /** Columns as rows; a city's names beside its code. */
  function rows(columns, cities) {
    const names = Object.keys(columns);
    return columns[names[0]].map((_, at) => {
      const row = Object.fromEntries(names.map((name) => [name, columns[name][at]]));
      const about = cities[row.code]?.[language];
      if (about) [row.city, row.province] = about;
      return row;
    });
  }

  function isDark() {
    return document.documentElement.dataset.theme === "dark";
  }

  function look() {
    const ink = isDark() ? "#d7dde5" : "#27313d";
    const grid = isDark() ? "#3a4450" : "#dde2e8";
    const words = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12 };
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      axis: { ...words, gridColor: grid, domainColor: grid, tickColor: grid },
      legend: words,
      title: { color: ink },
      view: { stroke: null },
    };
  }

  /** Draw a specification on rows; the drawing is as wide as its place, and follows light and dark. */
  async function draw(place, specification, drawn) {
    const spec = { ...specification, config: look(), datasets: { rows: drawn } };
    place.replaceChildren();
    const label = place.getAttribute("aria-label");
    // ast: expressions are interpreted, so that the page needs no permission to make code of text.
    const options = { actions: false, ast: true, renderer: "canvas", tooltip: { theme: isDark() ? "dark" : "light" } };
    const found = await window.citytrade.vegaEmbed(place, spec, options);
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", label); // ours says what is drawn, Vega's only that something is
    place.dataset.drawn = drawn.length;
    return found;
  }

  async function drawFigure(figure) {
    const place = figure.querySelector(".drawing");
    const specification = JSON.parse(figure.querySelector("script").textContent);
    const [columns, cities] = await Promise.all([load(figure.dataset.rows), load("cities")]);
    const drawn = rows(columns, cities);
    await draw(place, specification, drawn);
    redraws.push(() => draw(place, specification, drawn));
  }

  const words = JSON.parse(document.getElementById("words").textContent);

  /** Sorting, a search box and pages for every table of class `sortable`. */
  async function enliven(table, more = {}) {
    const { default: DataTable } = await window.citytrade.tables;
    const many = table.tBodies[0].rows.length > 50 || "data" in more;
    return new DataTable(table, {
      order: [],
      autoWidth: false,
      paging: many,
      pageLength: 50,
      lengthMenu: [50, 200, { label: words.all, value: -1 }],
      searching: true,
      info: many,
      language: words.tables,
      layout: many
        ? { topStart: "search", topEnd: "pageLength", bottomStart: "info", bottomEnd: "paging" }
        : { topStart: "search", topEnd: null, bottomStart: null, bottomEnd: null },
      ...more,
    });
  }

  function kept(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // a browser may keep nothing of pages from disk
    }
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme").setAttribute("aria-pressed", String(theme === "dark"));
    for (const redraw of redraws) redraw();
  }

  function begin() {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("citytrade-theme", theme);
      } catch {
        // not kept, then
      }
      setTheme(theme);
    });
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    setTheme(kept("citytrade-theme") ?? system);
    const work = [
      ...[...document.querySelectorAll("figure[data-rows]")].map(drawFigure),
      ...[...document.querySelectorAll("table.sortable")].map((table) => enliven(table)),
    ];
    return Promise.all(work).then(() => document.documentElement.classList.add("ready"));
  }

  document.addEventListener("DOMContentLoaded", begin);
  return { data, load, rows, draw, enliven, language, words, redraws };
})();
