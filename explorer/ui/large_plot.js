// A chart in presenter mode: as high as the screen leaves room for, with type and lines for the back row.

const TYPE = 24 // pixels
const LOWEST = 240 // pixels a chart has at least
const FOOT = 14 // pixels to the lower edge
const THICKER = 1.8
const AROUND = 160 // pixels of a chart that its y axis does not have
const MOST_TICKS = 5 // of a logarithmic axis

// Pixels from where the chart begins to the lower edge, less what else the component draws below it.
function heightLeft(chart) {
  const below = [...chart.parent.children].filter((part) => part !== chart.host && part.offsetHeight)
  const others = below.reduce((sum, part) => sum + part.offsetHeight + 8, 0)
  const scrolled = chart.host.closest("[data-testid=stMain]")?.scrollTop ?? 0
  return Math.max(LOWEST, Math.floor(innerHeight - chart.host.getBoundingClientRect().top - scrolled - others - FOOT))
}

// Take the height that is left now that something above the chart has moved.
function fill(chart) {
  if (!chart.large || chart.gone) return
  const high = heightLeft(chart)
  if (high !== chart.high) chart.host.style.height = `${(chart.high = high)}px`
}

function enlarged({ data, layout }, high) {
  const large = grown(layout)
  const font = { ...large.font, size: TYPE }
  const hoverlabel = { ...large.hoverlabel, font: { ...large.hoverlabel?.font, size: TYPE } }
  const margin = { ...large.margin, t: Math.max(44, large.margin?.t ?? 0) }
  const whole = { ...large, font, hoverlabel, margin }
  if (large.legend?.y < 0) { // below the axes' titles, however low the chart is
    whole.legend = { ...large.legend, yref: "container", y: 0, yanchor: "bottom" }
    whole.margin = { ...margin, b: 100 + 34 * Math.floor((data.filter(named).length - 1) / 4) }
  }
  for (const name of Object.keys(large).filter((name) => /^[xy]axis\d*$/.test(name))) {
    whole[name] = axis(large[name], values(data, name), name[0] === "y" ? high - AROUND : Infinity)
  }
  return { data: data.map(grown), layout: whole }
}

// Powers as plain numbers: a raised exponent would be too small.
function axis(given, found, length) {
  const title = given.title && { ...given.title, font: { ...given.title.font, size: TYPE } }
  if (title?.text?.length * TYPE > length) title.text = halved(title.text)
  const shown = title ? { ...given, title } : given
  if (given.type !== "log" || given.tickvals) return shown
  const decades = found.length ? Math.log10(Math.max(...found) / Math.min(...found)) : 1
  return { ...shown, tickformat: "~g", dtick: Math.max(1, Math.ceil(decades / MOST_TICKS)), minor: { ticks: "" } }
}

// In two lines, broken at the space nearest to the middle.
function halved(text) {
  const spaces = [...text.matchAll(/ /g)].map((match) => match.index)
  const middle = spaces.sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0]
  return middle ? `${text.slice(0, middle)}<br>${text.slice(middle + 1)}` : text
}

function values(data, name) {
  const [letter, number] = [name[0], name.slice(5)]
  const others = /^yaxis/.test(name) ? data : data.filter((trace) => (trace[`${letter}axis`] ?? letter) === letter + number)
  return others.flatMap((trace) => trace[letter] ?? []).filter((value) => value > 0)
}

function named(trace) {
  return trace.name && trace.showlegend !== false
}

// The same, with all type at least so large, all lines and marks thicker.
function grown(value, name) {
  if (Array.isArray(value)) return typeof value[0] === "object" ? value.map((one) => grown(one, name)) : value
  if (typeof value !== "object" || value === null) return value
  const changed = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, grown(one, key)]))
  if (/font$/i.test(name ?? "") && changed.size) changed.size = Math.max(TYPE, changed.size)
  if (name === "line" && changed.width) changed.width *= THICKER
  if (name === "marker" && typeof changed.size === "number") changed.size *= THICKER
  if (name === "marker" && Array.isArray(changed.size)) changed.size = changed.size.map((size) => size * THICKER)
  return changed
}
