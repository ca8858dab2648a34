// Draws the charts in the page's colours, and again when those or the medium change.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const PAPER_WIDTH = 700;
  const CONFIG = { responsive: true, displayModeBar: false, showTips: false };
  const narrow = matchMedia("(max-width: 40rem)"), coarse = matchMedia("(pointer: coarse)"), paper = matchMedia("print");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function resolved(value, style) {
    if (typeof value === "string" && value.startsWith("@")) return style.getPropertyValue(`--${value.slice(1)}`).trim();
    if (Array.isArray(value)) return typeof value[0] === "object" ? value.map((item) => resolved(item, style)) : value;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, style)]));
  }

  function framed(layout, traces, style) {
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { gridcolor: color("grid"), linecolor: color("line"), zerolinecolor: color("line"), automargin: true };
    const framed = {
      paper_bgcolor: color("surface"),
      plot_bgcolor: color("surface"),
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("text") },
      hoverlabel: { bgcolor: color("raised"), bordercolor: color("line"), font: { color: color("text") }, align: "left" },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", itemsizing: "constant", traceorder: "normal" },
      margin: narrow.matches ? { l: 44, r: 8, t: 10, b: 40 } : { l: 56, r: 16, t: 10, b: 44 },
      // A finger that moves over a chart scrolls the page.
      dragmode: coarse.matches ? false : "zoom",
      ...layout,
    };
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
      framed[name] = { ...axis, ...layout[name], fixedrange: coarse.matches };
    }
    // The legend has a line for each name there, which mustn't be taken from the chart.
    if (narrow.matches) framed.height = layout.height + 15 * traces;
    return paper.matches ? { ...framed, width: PAPER_WIDTH, autosize: false } : framed;
  }

  function draw(name) {
    const style = getComputedStyle(document.documentElement);
    const { data, layout } = charts[name];
    const place = document.getElementById(`chart-${name}`);
    // The numbers are copied by reference: only the looks differ between two drawings.
    return Plotly.react(place, resolved(data, style), framed(resolved(layout, style), data.length, style), CONFIG);
  }

  function drawAll() {
    for (const name of Object.keys(charts)) draw(name);
  }

  for (const query of [dark, narrow, coarse, paper]) query.addEventListener("change", drawAll);
  addEventListener("beforeprint", drawAll);
  addEventListener("afterprint", drawAll);
  drawAll();
})();
