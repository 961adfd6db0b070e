"use strict";
// The explorer: one column on a map in one year, by year for some cities, and as a table.
document.addEventListener("DOMContentLoaded", async () => {
  const place = document.getElementById("explorer");
  if (!place) return;
  const { load, draw, enliven, language, words, redraws } = window.citytrade;
  const setting = JSON.parse(document.getElementById("explorer-setting").textContent);
  const [cities, filled] = await Promise.all(["cities", `${setting.panel}_filled`].map(load));
  const codes = setting.codes;
  const [column, year, yearText, scale, more, chosen] = ["column", "year", "year-text", "scale", "cities", "chosen"].map(
    (id) => document.getElementById(id),
  );
  let lines = setting.lines;
  const about = new Map(setting.columns.map((one) => [one.name, one]));
  const shown = (value) =>
    value === null ? "" : Number(value).toLocaleString("en", { maximumSignificantDigits: 6 });
  const table = await enliven(document.getElementById("values"), {
    data: [],
    order: [[2, "desc"]],
    columns: [
      { data: "city", render: DOMText },
      { data: "province", render: DOMText },
      { data: "value", className: "number", type: "num", render: (value, kind) => (kind === "display" ? shown(value) : (value ?? -Infinity)) },
    ],
  });

  /** Text for a cell, never markup. */
  function DOMText(text, kind) {
    if (kind !== "display") return text;
    const holder = document.createElement("span");
    holder.textContent = text;
    return holder.innerHTML;
  }

  function fromAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (about.has(asked.get("column"))) column.value = asked.get("column");
    const at = setting.years.indexOf(Number(asked.get("year")));
    if (at >= 0) year.value = at;
    if (asked.has("cities")) lines = [...new Set(asked.get("cities").split(","))].filter((code) => code in cities);
    for (const code of lines) choose(code);
  }

  /** A button for a city that has a line; pressing it takes the line out. */
  function choose(code) {
    const name = cities[code][language][0];
    const [place, button] = ["li", "button"].map((kind) => document.createElement(kind));
    button.type = "button";
    button.textContent = `${name} ×`;
    button.setAttribute("aria-label", words.remove.replace("{city}", name));
    button.addEventListener("click", () => {
      lines = lines.filter((one) => one !== code);
      place.remove();
      more.focus();
      update();
    });
    place.append(button);
    chosen.append(place);
  }

  function add() {
    const code = more.value;
    more.value = "";
    if (!code || lines.includes(code)) return;
    lines = [...lines, code];
    choose(code);
    update();
  }

  async function update() {
    const name = column.value;
    const grid = await load(`${setting.panel}_${name}`);
    if (name !== column.value) return; // another one was chosen meanwhile
    const one = about.get(name);
    const at = Number(year.value);
    const label = one.label || name;
    const unit = language === "zh" ? `（${one.unit}）` : ` (${one.unit})`;
    const title = one.unit ? label + unit : label;
    yearText.textContent = setting.years[at];
    year.setAttribute("aria-valuetext", setting.years[at]);
    document.getElementById("definition").textContent = one.definition;
    for (const holder of document.querySelectorAll(".what")) holder.textContent = title;
    const points = codes.map((code, row) => ({
      code,
      city: cities[code][language][0],
      province: cities[code][language][1],
      longitude: cities[code].at[0],
      latitude: cities[code].at[1],
      value: grid[row][at],
      chosen: lines.includes(code),
    }));
    const there = points.filter((point) => point.value !== null).length;
    document.getElementById("count").textContent = words.count
      .replace("{there}", there)
      .replace("{all}", points.length)
      .replace("{year}", setting.years[at]);
    table.clear().rows.add(points).draw();
    const series = lines.flatMap((code) =>
      setting.years.map((when, index) => ({
        code,
        city: cities[code][language][0],
        year: when,
        value: grid[codes.indexOf(code)][index],
        filled: Boolean(filled[name]?.[code]?.includes(when)),
      })),
    );
    await Promise.all([
      draw(document.getElementById("map"), scaled(setting.map, points), points),
      draw(document.getElementById("lines"), setting.line, series),
    ]);
    history.replaceState(null, "", `#column=${name}&year=${setting.years[at]}&cities=${lines.join(",")}`);
    place.dataset.shown = `${name} ${setting.years[at]} ${lines.join(",")}`;
  }

  /**
   * A scale of logarithms and four numbers for its legend, as far apart as they have room. Zero has
   * the smallest number's colour; of numbers below zero logarithms know nothing, so they get a scale
   * that is even around zero.
   */
  function logarithms(points) {
    const values = points.map((point) => point.value).filter((value) => value !== null);
    const above = values.filter((value) => value > 0);
    const [low, first, high] = [Math.min(...values), Math.min(...above), Math.max(...values)];
    if (low < 0) return [{ type: "symlog" }, high > 0 ? [low, 0, high] : [low, high]];
    if (!(first < high)) return [{ type: "linear" }, undefined];
    const share = (part) => first * (high / first) ** part;
    return [{ type: "log", domain: [first, high], clamp: true }, [0, 1 / 3, 2 / 3, 1].map(share)];
  }

  /** The map's specification with the scale of colours that was chosen. */
  function scaled(specification, points) {
    const own = structuredClone(specification);
    const [type, marks] = scale.value === "log" ? logarithms(points) : [{ type: "linear" }, undefined];
    for (const { encoding } of own.layer) {
      if (!encoding?.color?.field) continue;
      Object.assign(encoding.color.scale, type);
      if (points.every((point) => point.value === null)) encoding.color.legend = null;
      else if (marks) encoding.color.legend.values = marks;
    }
    return own;
  }

  fromAddress();
  for (const control of [column, scale]) control.addEventListener("change", update);
  more.addEventListener("change", add);
  year.addEventListener("input", update);
  redraws.push(update);
  await update();
});
