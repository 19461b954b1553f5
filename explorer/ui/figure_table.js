// A chart's numbers as a table, a row for each point that is drawn: CSV, as spreadsheets and pandas read it.

const MARK = "\ufeff" // by which spreadsheets know UTF-8

function downloadTable(chart) {
  const address = URL.createObjectURL(new Blob([MARK, tableOf(chart.canvas)], { type: "text/csv;charset=utf-8" }))
  const anchor = document.createElement("a")
  Object.assign(anchor, { href: address, download: `${chart.data.key}.csv` }).click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

// Columns are called by the titles of the axes where all panels agree on them; one that stays empty is left out.
function tableOf({ _fullData: traces, _fullLayout: layout }) {
  const drawn = traces.filter((trace) => trace.visible === true && tells(trace))
  const panels = drawn.map((trace) => panelOf(trace, layout))
  const rows = drawn.flatMap((trace, index) => pointsOf(trace).map((point) => [panels[index].title, ...point]))
  const heads = [..."xyz"].map((axis) => {
    const titles = new Set(panels.map((panel) => panel[axis]).filter(Boolean))
    return titles.size === 1 ? [...titles][0] : axis
  })
  const whole = [["panel", "series", "point", ...heads, "±"], ...rows]
  const kept = whole[0].map((_, column) => rows.some((row) => (row[column] ?? "") !== ""))
  return whole.map((row) => row.filter((_, column) => kept[column]).map(cellOf).join(",")).join("\r\n") + "\r\n"
}

// Bands only surround lines; pictures are no numbers; a mark that has neither a name nor a hover is the page's own.
function tells(trace) {
  const band = trace.fill && trace.fill !== "none"
  return !band && trace.type !== "image" && (trace.type === "bar" || trace.hoverinfo !== "skip" || trace._input.name)
}

// [series, point, x, y, z, ±] of each point that has a value. A figure that draws a value changed, as its logarithm or
// cut off where the axis ends, has the measured one in customdata; text there, or beside the point, is its name.
function pointsOf(trace) {
  const { x, y, z, text, customdata: own, error_y: spread } = trace
  const name = plain(trace._input.name)
  const measured = (drawn, given) => (typeof given === "number" ? given : drawn)
  const called = (given, i) => [given, text?.[i]].find((words) => typeof words === "string") ?? ""
  if (Array.isArray(z) && typeof z[0] === "object") {
    const places = z.flatMap((line, i) => Array.from(line, (drawn, j) => [i, j, drawn]))
    return places.filter(([, , drawn]) => drawn != null).map(([i, j, drawn]) =>
      [name, called(own?.[i]?.[j]), x?.[j] ?? j, y?.[i] ?? i, measured(drawn, own?.[i]?.[j])])
  }
  const half = spread?.visible ? spread.array : null
  const points = Array.from(y ?? [], (drawn, i) =>
    [name, called(own?.[i], i), x?.[i] ?? i, measured(drawn, own?.[i]), z?.[i], half?.[i]])
  return points.filter(([, , , value]) => value != null)
}

// The title above a trace's panel, and those of its axes.
function panelOf(trace, layout) {
  const scene = trace.scene && layout[trace.scene]
  const [xaxis, yaxis] = scene ? [scene.xaxis, scene.yaxis] : [..."xy"].map((one) => layout[axisName(trace, one)])
  const [across, up] = scene ? [scene.domain.x, scene.domain.y] : [xaxis?.domain, yaxis?.domain]
  const middle = across && (across[0] + across[1]) / 2
  const above = layout.annotations?.find((one) =>
    one.xref === "paper" && one.yref === "paper" && Math.abs(one.x - middle) < 0.02 && Math.abs(one.y - up[1]) < 0.02)
  const bar = trace.colorbar ?? layout[trace.coloraxis]?.colorbar
  const given = (what) => (Object.values(layout._dfltTitle).includes(what?.title?.text) ? "" : plain(what?.title?.text))
  return { title: plain(above?.text), x: given(xaxis), y: given(yaxis), z: given(bar) || given(scene?.zaxis) }
}

function axisName(trace, one) {
  return `${one}axis${(trace[`${one}axis`] ?? one).slice(1)}`
}

function plain(text) {
  return (text ?? "").replaceAll("<sup>", "^").replace(/<[^>]*>/g, "")
}

// Quoted where it must be; text that a spreadsheet would compute is marked as text.
function cellOf(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : ""
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&")
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
