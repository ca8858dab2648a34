// Draws the charts in the page's colours, and again when those or the medium change.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const PAPER_WIDTH = 700;
  const CONFIG = { displayModeBar: false, showTips: false };
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
    // From nothing: a legend that is drawn again in another width may keep the room it had, and cover the posts. So it
    // does where the library itself follows the width, too.
    Plotly.purge(place);
    // The numbers are copied by reference: only the looks differ between two drawings.
    return Plotly.newPlot(place, resolved(data, style), framed(resolved(layout, style), data.length, style), CONFIG);
  }

  let drawn = "";
  function drawAll() {
    const queries = [dark, narrow, coarse, paper].map((query) => query.matches);
    const looks = [document.documentElement.clientWidth, ...queries].join();
    // Beginning to print is told more than once, and a phone's bar that comes and goes changes the height alone.
    if (looks !== drawn) for (const name of Object.keys(charts)) draw(name);
    drawn = looks;
  }

  for (const query of [dark, narrow, coarse, paper]) query.addEventListener("change", drawAll);
  let resizing;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(drawAll, 150);
  });
  addEventListener("beforeprint", drawAll);
  addEventListener("afterprint", drawAll);
  drawAll();
})();
