// Draws the explorer's chart with ECharts in the place of the drawing that came with the page. Its figures are the
// table's. On canvas and with tooltips as text, because the page's policy lets nobody set style attributes.
"use strict";
document.querySelectorAll("[data-chart]").forEach((figure) => {
  const drawn = figure.querySelector("svg");
  const told = JSON.parse(figure.dataset.chart);
  const colours = ["#16477a", "#d98a1f", "#17653a", "#b9a3d6", "#a11d1d", "#7fc4c9", "#788696"];
  const baht = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const frame = document.createElement("div");
  frame.className = "stacked-chart";
  frame.setAttribute("role", "img");
  frame.setAttribute("aria-label", drawn.getAttribute("aria-label"));
  drawn.replaceWith(frame);
  figure.querySelector(".stacked-months").hidden = true; // the page's legend stays: it shows every name whole
  const chart = echarts.init(frame, null, { renderer: "canvas" });
  const font = getComputedStyle(document.body).fontFamily;
  chart.setOption({
    animation: false,
    color: colours,
    textStyle: { fontFamily: font, fontSize: 14 },
    grid: { left: 8, right: 8, top: 16, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, renderMode: "richText", valueFormatter: (value) => baht.format(value) },
    xAxis: { type: "category", data: told.months, axisLabel: { interval: 0, rotate: frame.clientWidth < 600 ? 60 : 0 } },
    yAxis: { type: "value", axisLabel: { formatter: (value) => new Intl.NumberFormat(document.documentElement.lang).format(value) } },
    series: told.series.map((each) => ({ name: each.name, type: "bar", stack: "month", data: each.amounts.map((amount, month) => ({ value: Number(amount), itemStyle: { opacity: told.estimated[month] ? 0.55 : 1 } })), itemStyle: { borderColor: "#fff", borderWidth: 1 } })),
  });
  new ResizeObserver(() => chart.resize()).observe(frame);
});
