// One Plotly chart per mounted component, redrawn in place. Streamlit calls the default export whenever
// the data or the page's theme change, always with the same element.

const charts = new WeakMap()
const BOOKMARK = { width: 24, height: 24, path: "M6 3h12v18l-6-5-6 5z" }
const TABLE = { width: 24, height: 24, path: "M3 4h18v4H3zM3 10h8v4H3zM13 10h8v4h-8zM3 16h8v4H3zM13 16h8v4h-8z" }
const NARROW = 560 // pixels; below, a figure may bring another arrangement

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!charts.has(parentElement)) charts.set(parentElement, mount(parentElement, data))
  const chart = charts.get(parentElement)
  chart.data = data
  chart.tell = setTriggerValue
  drawReplay(chart, data.replay)
  draw(chart)
  watch(chart)
  // Streamlit also calls this when one update overtakes another, with the chart still on the page
  return () => setTimeout(() => parentElement.isConnected || unmount(chart))
}

function mount(parent, { key }) {
  const host = child(parent, "residual-plot")
  const canvas = child(host, "residual-plot-canvas")
  const chart = { parent, host, canvas, picture: child(host, "residual-plot-picture") }
  chart.picture.setAttribute("role", "img")
  chart.sizes = new ResizeObserver(() => requestAnimationFrame(() => resize(chart)))
  chart.sizes.observe(host)
  chart.sizes.observe(host.closest("[data-testid=stMainBlockContainer]") ?? host) // what stands above it moves it
  host.addEventListener("pointerdown", () => hold(chart))
  count("__residualMounts", key)
  return chart
}

function unmount(chart) {
  chart.gone = true
  clearTimeout(chart.clock)
  chart.sizes.disconnect()
  window.Plotly?.purge(chart.canvas)
  for (const part of [chart.host, chart.status, chart.replay?.element]) part?.remove()
}

// A redraw under a drag would end it: while the reader holds the chart, only the newest figure is kept.
function hold(chart) {
  chart.held = true
  const over = new AbortController()
  const letGo = () => {
    over.abort()
    setTimeout(() => {
      chart.held = false
      if (!chart.gone) draw(chart)
    })
  }
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, letGo, { signal: over.signal })
}

async function draw(chart) {
  const shown = newest(chart)
  chart.wide = chart.host.clientWidth >= NARROW
  chart.narrow = chart.wide ? null : shown.narrow
  chart.large = chart.data.large && chart.wide // a phone is not looked at from the back row
  chart.picture.setAttribute("aria-label", shown.alt)
  drawStatus(chart, shown.status)
  chart.high = chart.large ? heightLeft(chart) : chart.narrow?.height ?? shown.height
  chart.host.classList.toggle("is-large", Boolean(chart.large))
  chart.host.style.height = `calc(${chart.high}px + var(--rx-toolbar))`
  try {
    const Plotly = await library(chart.data.plotly)
    if (!chart.gone && !chart.held) await react(Plotly, chart, shown.figure)
    fill(chart)
  } catch (error) {
    fail(chart, error)
  }
}

async function react(Plotly, chart, figure) {
  const colours = pageColours(chart.host)
  const drawn = JSON.stringify([colours, chart.data.height, chart.large, chart.narrow, chart.replay?.at]) + figure
  if (drawn === chart.drawn) return // nothing changed: a tick of a quiet run costs a comparison
  chart.drawn = drawn
  const parsed = JSON.parse(figure)
  const { data: whole, layout } = chart.large ? enlarged(parsed, chart.high) : parsed
  const data = played(chart, whole)
  chart.config ??= config(Plotly, chart) // one object for good: given another, plotly.js starts from scratch
  await Plotly.react(chart.canvas, identified(data), themed(arranged(layout, chart.narrow), colours), chart.config)
  link(Plotly, chart)
  chart.host.classList.add("is-drawn")
  count("__residualUpdates", chart.data.key)
}

// Two landscapes are looked at from one side: turning one turns the other.
function link(Plotly, chart) {
  if (chart.linked || !chart.canvas._fullLayout?.scene2) return
  chart.linked = true
  const follow = (change) => {
    const [[name, camera] = []] = Object.entries(change).filter(([name]) => /^scene\d*\.camera$/.test(name))
    if (!camera || chart.turning) return
    const others = Object.keys(chart.canvas._fullLayout).filter((key) => /^scene\d*$/.test(key) && `${key}.camera` !== name)
    chart.turning = true
    Plotly.relayout(chart.canvas, Object.fromEntries(others.map((key) => [`${key}.camera`, camera])))
      .finally(() => { chart.turning = false })
  }
  chart.canvas.on("plotly_relayouting", follow)
  chart.canvas.on("plotly_relayout", follow)
}

function resize(chart) {
  fill(chart)
  const { clientWidth: width, clientHeight: height } = chart.canvas
  if (chart.gone || !width || !height) return // on a hidden tab
  const turned = chart.wide !== chart.host.clientWidth >= NARROW // also while plotly.js is still on its way
  if (turned && (chart.data.narrow || chart.data.large)) return draw(chart)
  if (!chart.drawn) return
  const { width: oldWidth, height: oldHeight } = chart.canvas._fullLayout ?? {}
  if (width !== oldWidth || height !== oldHeight) window.Plotly.Plots.resize(chart.canvas)
}

// The layout with the changes that a narrow page wants; axes and the like are merged, all else is replaced.
function arranged(layout, narrow) {
  const changed = { ...layout }
  for (const [name, value] of Object.entries(narrow?.layout ?? {})) {
    const merges = value !== null && typeof value === "object" && !Array.isArray(value)
    changed[name] = merges ? { ...layout[name], ...value } : value
  }
  return changed
}

// A trace keeps what the reader did to it (hidden by the legend) by its uid, wherever in the list it moves.
function identified(traces) {
  const seen = {}
  return traces.map((trace, index) => {
    const words = [trace.legendgroup, trace.name ?? index, trace.xaxis, trace.yaxis].join("_")
    const name = words.replace(/[^\p{L}\p{N}_-]/gu, "-") // plotly.js makes a CSS class of it
    seen[name] = (seen[name] ?? 0) + 1
    return { uid: `${name}_${seen[name]}`, ...trace }
  })
}

function themed(layout, colours) {
  const coarse = matchMedia("(pointer: coarse)").matches
  const page = {
    uirevision: "constant",
    dragmode: coarse ? false : "zoom", // a finger scrolls the page, it does not zoom the chart
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    colorway: colours.series,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.text },
    hoverlabel: { bgcolor: colours.page, bordercolor: colours.line, font: { color: colours.text } },
  }
  const merged = { ...page, ...layout, autosize: true, font: { ...layout.font, ...colours.font } }
  delete merged.height // the host has it, and another one on a narrow page
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
    if (!/^[xy]axis\d*$/.test(name)) continue
    const lines = { linecolor: colours.line, tickcolor: colours.line, zerolinecolor: colours.line }
    merged[name] = { gridcolor: colours.grid, ...lines, ...layout[name] }
  }
  for (const name of Object.keys(layout).filter((name) => /^scene\d*$/.test(name))) {
    const quiet = { gridcolor: colours.line, zeroline: false, showspikes: false }
    const axes = ["xaxis", "yaxis", "zaxis"].map((axis) => [axis, { ...quiet, ...layout[name][axis] }])
    merged[name] = { ...layout[name], ...Object.fromEntries(axes) }
  }
  return merged
}

function pageColours(element) {
  const style = getComputedStyle(element)
  const value = (name) => style.getPropertyValue(name).trim()
  const text = value("--st-text-color") || style.color
  return {
    text,
    muted: value("--st-gray-text-color") || text,
    page: value("--st-background-color") || "rgba(0,0,0,0)",
    line: value("--st-border-color") || text,
    grid: value("--st-border-color-light") || value("--st-border-color") || text,
    font: { color: text, family: value("--st-font") || style.fontFamily },
    series: value("--st-chart-categorical-colors").split(",").filter(Boolean),
  }
}

function config(Plotly, chart) {
  const save = (format, icon, click = () => download(Plotly, chart, format)) => ({
    name: `download-${format}`,
    title: chart.data.words.download.replace("#", format.toUpperCase()),
    icon,
    click,
  })
  const keep = { name: "keep", title: chart.data.words.keep, icon: BOOKMARK, click: () => chart.tell("keep", true) }
  const table = save("csv", TABLE, () => downloadTable(chart))
  const files = [keep, save("png", Plotly.Icons.camera), save("svg", Plotly.Icons.disk), table]
  return {
    displaylogo: false,
    showTips: false,
    displayModeBar: true,
    modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d"], files],
    doubleClick: "reset+autosize",
  }
}

// As on the screen, zoom included, but on the page's colour: on white paper a dark page's text would vanish.
function download(Plotly, chart, format) {
  const { data, layout, clientWidth: width, clientHeight: height } = chart.canvas
  const page = pageColours(chart.host).page
  const figure = { data, layout: { ...layout, paper_bgcolor: page, plot_bgcolor: page } }
  return Plotly.downloadImage(figure, { format, width, height, scale: 2, filename: chart.data.key })
}

// plotly.js is loaded once per browser tab, however many charts there are.
function library(address) {
  window.__residualPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = new URL(address, document.baseURI).href
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      delete window.__residualPlotly // the next update tries again
      script.remove()
      reject(new Error(`cannot load ${script.src}`))
    }
    document.head.append(script)
  })
  return window.__residualPlotly
}

function fail(chart, error) {
  console.error("live plot", chart.data.key, error)
  if (chart.drawn || chart.gone) return
  chart.canvas.classList.add("residual-plot-failed")
  chart.canvas.textContent = chart.data.words.failed
}

function count(counter, key) {
  window[counter] ??= {}
  window[counter][key] = (window[counter][key] ?? 0) + 1
}

function child(parent, name) {
  const element = document.createElement("div")
  element.className = name
  parent.append(element)
  return element
}
