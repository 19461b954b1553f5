// A drawing of networks: one container for good, into which each new SVG is put. Streamlit calls the default export
// whenever the data change, always with the same element.

const drawings = new WeakMap()
const GAP = 10 // pixels between a block and its card
const LINGER = 140 // milliseconds in which the pointer may cross from the block to its card
const LARGEST_SIDES = [32767, 16384] // of a canvas: in most browsers, in all

export default function ({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  if (!drawings.has(parentElement)) drawings.set(parentElement, mount(parentElement, data))
  const drawing = drawings.get(parentElement)
  drawing.send = (stages) => setStateValue("unfolded", stages)
  drawing.tell = (block) => setTriggerValue("pressed", block)
  show(drawing, data)
  // Streamlit also calls this when one update overtakes another, with the drawing still on the page
  return () => setTimeout(() => parentElement.isConnected || unmount(drawing))
}

function mount(parent, { key }) {
  const host = child(parent, "div", "residual-drawing")
  const files = child(host, "div", "residual-drawing-files")
  const words = child(host, "div", "residual-drawing-words")
  words.setAttribute("role", "img")
  const scroller = child(host, "div", "residual-drawing-scroller")
  const card = child(host, "div", "residual-drawing-card")
  card.setAttribute("popover", "manual") // above everything, whatever the page around it clips
  card.setAttribute("role", "tooltip")
  card.id = `residual-drawing-card-${key}`
  const drawing = { host, words, scroller, card, gone: new AbortController() }
  button(files, "SVG", () => save(drawing, svgFile(drawing), "svg"))
  button(files, "PNG", async () => save(drawing, await pngFile(drawing), "png"))
  listen(drawing)
  count("__residualMounts", key)
  return drawing
}

function unmount(drawing) {
  drawing.gone.abort()
  drawing.host.remove()
}

function show(drawing, data) {
  const before = drawing.data
  drawing.data = data
  drawing.words.setAttribute("aria-label", data.alt)
  for (const element of drawing.host.querySelectorAll(".residual-drawing-files button"))
    element.setAttribute("aria-label", data.words.download.replace("#", element.textContent))
  drawing.scroller.removeAttribute("aria-busy")
  drawing.host.classList.toggle("is-pressable", Boolean(data.pressed))
  if (before?.svg === data.svg) return strike(drawing)
  const held = drawing.scroller.contains(focused(drawing)) ? name(focused(drawing)) : null
  hide(drawing)
  drawing.scroller.innerHTML = data.svg
  const svg = drawing.scroller.firstElementChild
  svg.setAttribute("role", "group") // its blocks can be reached, which an image's parts cannot; `words` is the image
  svg.setAttribute("aria-label", data.words.blocks)
  drawing.scroller.style.setProperty("--natural", `${svg.viewBox.baseVal.width}px`)
  const stops = items(drawing)
  const again = held && stops.find((item) => name(item) === held)
  ;(again ?? stops[0])?.setAttribute("tabindex", "0")
  again?.focus({ preventScroll: true })
  strike(drawing)
  count("__residualUpdates", data.key)
}

function listen(drawing) {
  const { scroller, card } = drawing
  const on = (element, type, handler) => element.addEventListener(type, handler, { signal: drawing.gone.signal })
  on(scroller, "pointerover", (event) => event.pointerType === "mouse" && point(drawing, event.target))
  on(scroller, "pointerleave", () => leave(drawing))
  on(card, "pointerenter", () => clearTimeout(drawing.leaving))
  on(card, "pointerleave", () => leave(drawing))
  on(scroller, "focusin", (event) => event.target.matches(":focus-visible") && point(drawing, event.target))
  on(scroller, "focusout", () => leave(drawing))
  on(scroller, "click", (event) => click(drawing, event))
  on(scroller, "keydown", (event) => press(drawing, event))
  on(document, "keydown", (event) => event.key === "Escape" && hide(drawing))
  on(document, "pointerdown", (event) => event.composedPath().includes(drawing.host) || hide(drawing))
  on(scroller, "scroll", () => follow(drawing))
  document.addEventListener("scroll", () => follow(drawing), { capture: true, signal: drawing.gone.signal })
}

function click(drawing, event) {
  const badge = event.target.closest(".rx-badge")
  if (badge) return fold(drawing, badge)
  const block = event.target.closest(".rx-block")
  if (!block) return hide(drawing)
  rove(drawing, block)
  take(drawing, block)
  point(drawing, event.target)
}

// Where blocks can be pressed, a press takes one away, and the next gives it back.
function take(drawing, block) {
  const { pressed, pressable } = drawing.data
  if (!pressed || !pressable.includes(block.dataset.block)) return
  const now = new Set(pressed)
  if (!now.delete(block.dataset.block)) now.add(block.dataset.block)
  drawing.data = { ...drawing.data, pressed: [...now] } // a second press may come before the answer to the first
  strike(drawing)
  drawing.tell(block.dataset.block)
}

function strike(drawing) {
  const { pressed, pressable } = drawing.data
  for (const block of drawing.scroller.querySelectorAll(".rx-block")) {
    const away = Boolean(pressed?.includes(block.dataset.block))
    block.classList.toggle("is-away", away)
    if (!pressable?.includes(block.dataset.block)) continue
    block.setAttribute("role", "button")
    block.setAttribute("aria-pressed", away)
  }
}

function press(drawing, event) {
  const item = event.target.closest(".rx-badge, .rx-block")
  if (!item) return
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault()
    if (item.matches(".rx-badge")) return fold(drawing, item)
    take(drawing, item)
    return point(drawing, item)
  }
  const next = neighbour(drawing, item, event.key)
  if (!next) return
  event.preventDefault()
  rove(drawing, next)
  next.focus()
}

function fold(drawing, badge) {
  const stages = new Set(drawing.data.unfolded)
  const stage = badge.dataset.fold
  if (!stages.delete(stage)) stages.add(stage)
  drawing.data.unfolded = [...stages] // a second click may come before the answer to the first
  rove(drawing, badge)
  drawing.scroller.setAttribute("aria-busy", "true")
  drawing.send([...stages].sort())
}

// Blocks and badges in the order of the signal, column by column; one of them is the drawing's only tab stop.
function items(drawing) {
  return [...drawing.scroller.querySelectorAll(".rx-badge, .rx-block")]
}

function neighbour(drawing, item, key) {
  const columns = [...drawing.scroller.querySelectorAll(".rx-column")]
  const own = item.closest(".rx-column")
  const stops = items(drawing).filter((other) => other.closest(".rx-column") === own)
  const index = stops.indexOf(item)
  const aside = { ArrowLeft: -1, ArrowRight: 1 }[key]
  if (aside) return level(columns[columns.indexOf(own) + aside], item)
  return { ArrowDown: stops[index + 1], ArrowUp: stops[index - 1], Home: stops[0], End: stops.at(-1) }[key]
}

function level(column, item) {
  const height = (element) => element.getBoundingClientRect().top
  const others = [...(column?.querySelectorAll(".rx-block") ?? [])]
  return others.sort((a, b) => Math.abs(height(a) - height(item)) - Math.abs(height(b) - height(item)))[0]
}

function rove(drawing, item) {
  for (const other of items(drawing)) other.setAttribute("tabindex", other === item ? "0" : "-1")
}

function name(item) {
  return [item.closest(".rx-column").dataset.network, item.dataset.fold ?? "", item.dataset.block ?? ""].join("/")
}

function focused(drawing) {
  return drawing.host.getRootNode().activeElement
}

function point(drawing, target) {
  clearTimeout(drawing.leaving)
  const block = target.closest(".rx-block")
  if (!block) return leave(drawing)
  const layer = target.closest("[data-layer]")?.dataset.layer ?? ""
  if (drawing.pointed !== block) open(drawing, block)
  for (const row of drawing.card.querySelectorAll("tr[data-layer]"))
    row.classList.toggle("is-pointed", layer === block.dataset.block + row.dataset.layer || layer === row.dataset.layer)
}

function leave(drawing) {
  clearTimeout(drawing.leaving)
  drawing.leaving = setTimeout(() => hide(drawing), LINGER)
}

function hide(drawing) {
  clearTimeout(drawing.leaving)
  unmark(drawing)
  if (drawing.card.matches(":popover-open")) drawing.card.hidePopover()
}

function open(drawing, block) {
  unmark(drawing)
  drawing.pointed = block
  block.classList.add("is-pointed")
  block.setAttribute("aria-describedby", drawing.card.id)
  fill(drawing.card, block, drawing.data.cards[block.dataset.card], drawing.data.words)
  if (!drawing.card.matches(":popover-open")) drawing.card.showPopover()
  place(drawing.card, block.getBoundingClientRect())
}

function unmark(drawing) {
  drawing.pointed?.classList.remove("is-pointed")
  drawing.pointed?.removeAttribute("aria-describedby")
  drawing.pointed = null
}

// The page scrolls under an open card, as it does when a key leads to a block outside the window.
function follow(drawing) {
  const block = drawing.pointed?.getBoundingClientRect()
  if (!block) return
  if (block.bottom < 0 || block.top > innerHeight) return hide(drawing)
  place(drawing.card, block)
}

// Beside the block where there is room, else under or over it; always inside the window.
function place(card, block) {
  const { offsetWidth: width, offsetHeight: height } = card
  const { clientWidth: right, clientHeight: bottom } = document.documentElement
  const within = (value, size, end) => Math.max(8, Math.min(value, end - size - 8))
  let left = block.right + GAP
  let top = block.top
  if (left + width > right - 8) left = block.left - GAP - width
  if (left < 8) {
    left = block.left
    top = block.bottom + GAP + height < bottom ? block.bottom + GAP : block.top - GAP - height
  }
  card.style.left = `${within(left, width, right)}px`
  card.style.top = `${within(top, height, bottom)}px`
}

function fill(card, block, { formula, shape, parameters, macs, layers }, words) {
  card.replaceChildren()
  child(card, "div", "title", block.dataset.title)
  if (formula) mathematics(child(card, "div", "formula"), formula)
  child(card, "div", "shape", shape)
  child(card, "div", "", words.counts.replace("{parameters}", parameters).replace("{macs}", macs))
  if (block.dataset.title !== block.dataset.block) child(card, "div", "note", words.equal)
  const table = child(card, "table")
  const head = child(child(table, "thead"), "tr")
  for (const column of ["layer", "output", "parameters", "macs"]) child(head, "th", "", words[column])
  const body = child(table, "tbody")
  for (const layer of layers) row(body, layer)
}

function row(body, { path, layer, text, shape, parameters, macs }) {
  const line = child(body, "tr")
  if (path) {
    const heading = child(line, "td", "path", path)
    heading.colSpan = 4
    return
  }
  line.dataset.layer = layer
  for (const word of [text, shape, parameters, macs]) child(line, "td", "", word)
}

// Single letters are variables, and italic; words such as pad stand upright.
function mathematics(element, formula) {
  for (const part of formula.split(/(?<!\p{L})(\p{L}[ₛ]?)(?!\p{L})/u)) {
    if (/^\p{L}[ₛ]?$/u.test(part)) child(element, "i", "", part)
    else element.append(part)
  }
}

function svgFile({ data }) {
  return new Blob([text(exported(data.svg))], { type: "image/svg+xml" })
}

// On white, at natural size, without what only works on the page.
function exported(source) {
  const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement
  for (const control of svg.querySelectorAll(".rx-control")) control.remove()
  for (const stop of svg.querySelectorAll("[tabindex]")) stop.removeAttribute("tabindex")
  return svg
}

function text(svg) {
  return new XMLSerializer().serializeToString(svg)
}

async function pngFile({ data }) {
  const svg = exported(data.svg)
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text(svg))}`
  await image.decode()
  for (const largest of LARGEST_SIDES) {
    const blob = await raster(image, svg.viewBox.baseVal, largest)
    if (blob) return blob
  }
}

// Twice the natural size, or what a canvas can hold; null if this one cannot.
function raster(image, { width, height }, largest) {
  const scale = Math.min(2, largest / Math.max(width, height))
  const canvas = document.createElement("canvas")
  canvas.width = Math.floor(width * scale)
  canvas.height = Math.floor(height * scale)
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"))
}

function save({ data }, blob, ending) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = `${data.file.replace(/[^\w-]+/g, "-")}.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href))
}

function button(parent, format, action) {
  const element = child(parent, "button", "", format)
  element.type = "button"
  element.addEventListener("click", action)
}

function count(counter, key) {
  window[counter] ??= {}
  window[counter][key] = (window[counter][key] ?? 0) + 1
}

function child(parent, tag, className = "", text = "") {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text) element.textContent = text
  parent.append(element)
  return element
}
