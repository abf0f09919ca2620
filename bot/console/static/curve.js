// The loss curve: asks for the run's numbers every second while it is open, and draws them with uPlot and as a table.
"use strict";

(() => {
  const POLL_MS = 1000;
  const figure = document.getElementById("curve");
  const plot = figure.querySelector(".plot");
  const rows = figure.querySelector("tbody");
  const caption = figure.querySelector("figcaption");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let chart = null;
  let drawn = -1;

  function options() {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const font = "12px system-ui, sans-serif";
    return {
      width: plot.clientWidth,
      height: 260,
      scales: { x: { time: false } },
      cursor: { show: false },
      legend: { live: false },
      axes: [{ ...axis, font, label: "Step", incrs: [1, 2, 5].flatMap((n) => [n, n * 10, n * 100, n * 1e3, n * 1e4]).sort((a, b) => a - b), labelFont: font, labelSize: 18, labelGap: 0 }, { ...axis, font, size: 52 }],
      series: [
        { label: "Step" },
        { label: "Training loss", stroke: colour("--accent"), width: 2, spanGaps: true, points: { show: false } },
        { label: "Held-out loss", stroke: colour("--second"), width: 2, dash: [6, 4], spanGaps: true, points: { show: true } },
      ],
    };
  }

  function cell(value) {
    const td = document.createElement("td");
    td.className = "number";
    td.textContent = value;
    return td;
  }

  function draw(numbers) {
    const { steps, train_loss: train, valid_loss: valid } = numbers;
    const told = steps.length + valid.filter((loss) => loss !== null).length;
    if (!steps.length || told === drawn) return;
    drawn = told;
    const data = [steps, train, valid];
    if (chart) chart.setData(data);
    else chart = new uPlot(options(), data, plot);
    const loss = (value) => (value === null ? "" : value.toFixed(3));
    rows.replaceChildren(
      ...steps.map((step, index) => {
        const row = document.createElement("tr");
        row.append(cell(String(step)), cell(loss(train[index])), cell(loss(valid[index])));
        return row;
      }),
    );
    plot.setAttribute("aria-label", `Loss curve from step ${steps[0]} to ${steps.at(-1)}. The numbers are in the table below.`);
    caption.textContent = figure.dataset.caption;
  }

  async function poll() {
    try {
      const response = await fetch(figure.dataset.numbers, { headers: { Accept: "application/json" } });
      if (!response.ok) return; // signed out, or the run is gone: the page itself says so
      const numbers = await response.json();
      draw(numbers);
      if (numbers.is_open) setTimeout(poll, POLL_MS);
    } catch {
      setTimeout(poll, POLL_MS); // the console is being restarted
    }
  }

  new ResizeObserver(() => chart?.setSize({ width: plot.clientWidth, height: 260 })).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    chart?.destroy();
    chart = null;
    drawn = -1;
    poll();
  });
  poll();
})();
