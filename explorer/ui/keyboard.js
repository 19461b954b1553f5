// Keys that work on every page unless something is typed, and the overview of them, a modal dialog of the browser's own;
// and presses that wait for what was typed just before them.

const AFTER_G = 1500 // milliseconds that g waits for its letter
const TYPED = [
  "input:not([type=radio], [type=checkbox], [type=range], [type=button])", "textarea", "select", "[contenteditable=true]",
  "[role=combobox]", "[role=listbox]", "[role=textbox]", "[data-testid=stDataFrame]",
].join()
const LEADING = "[data-testid=stSidebarNavLink], [data-testid=stPageLink-NavLink], [data-testid=stDownloadButton] button"
const SENT = 100, RAN = 3000 // milliseconds after a field was left: its words are sent, the page has run with them
const COLOURS = ["background-color", "text-color", "border-color", "font"]
let led = 0 // when g was pressed: its letter may come after Streamlit has called again
let left = -RAN // when a field was left
let before = null // what listens, until the next comes: Streamlit calls again for other words or another theme

export default function ({ data: [data], parentElement }) {
  before?.abort()
  const gone = (before = new AbortController())
  const dialog = overview(data)
  const theme = getComputedStyle(parentElement)
  for (const name of COLOURS) dialog.style.setProperty(`--st-${name}`, theme.getPropertyValue(`--st-${name}`))
  dialog.style.colorScheme = theme.colorScheme
  const open = () => dialog.showModal()
  const entry = parentElement.querySelector(".rx-keyboard") ?? parentElement.appendChild(made("button", "rx-keyboard"))
  entry.type = "button"
  entry.replaceChildren(made("kbd", "", "?"), data.words.open)
  entry.addEventListener("click", open, { signal: gone.signal })
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || dialog.open) return
    if (event.target.closest?.(TYPED) || document.querySelector(".rx-black, [role=dialog]")) return
    const key = letter(event)
    const page = performance.now() - led < AFTER_G ? data.pages[key] : undefined
    led = key === "g" && page === undefined ? performance.now() : 0
    const done = page !== undefined ? visit(page) : key === "?" ? (open(), true) : key === "g" || press(key)
    if (!done) return
    event.preventDefault()
    event.stopImmediatePropagation() // Streamlit has keys of its own
  }, { signal: gone.signal, capture: true })
  addEventListener("focusout", leave, { signal: gone.signal, capture: true })
  addEventListener("click", wait, { signal: gone.signal, capture: true })
  return () => setTimeout(() => {
    if (parentElement.isConnected) return
    gone.abort()
    dialog.remove()
  })
}

// The letter of a key, of a Korean keyboard too, which gives ㅎ for g.
function letter({ key, code, shiftKey }) {
  if (/^[a-z?]$/i.test(key)) return key.toLowerCase()
  if (code === "Slash" && shiftKey) return "?"
  return code.startsWith("Key") ? code.slice(3).toLowerCase() : ""
}

function visit(page) {
  const links = [...document.querySelectorAll("[data-testid=stSidebarNavLink]")]
  const link = links.find(({ href }) => new URL(href).pathname.split("/").at(-1) === page)
  link?.click()
  return Boolean(link)
}

function leave({ target }) {
  if (target.matches?.(TYPED)) left = performance.now()
}

// Words that are sent after the next page was opened are lost, and a file that was made before is without them: what
// leads to either waits for the page.
function wait(event) {
  const wanted = event.target.closest?.(LEADING)
  const since = performance.now() - left
  if (!wanted || event.ctrlKey || event.metaKey || event.shiftKey || since >= RAN) return
  event.preventDefault()
  event.stopImmediatePropagation()
  setTimeout(go, Math.max(0, SENT - since), wanted)
}

function go(wanted) {
  const runs = document.querySelector("[data-testid=stApp]").dataset.testScriptState === "running"
  if (runs && performance.now() - left < RAN) return setTimeout(go, SENT / 2, wanted)
  left = -RAN
  wanted.click()
}

function press(key) {
  const main = document.querySelector("[data-testid=stMain]")
  const wanted = {
    s: () => main.querySelector("[class*='-stop'] button:enabled") ?? main.querySelector("[data-testid$=-primary]:enabled"),
    p: () => document.querySelector(".st-key-present-begin button"),
  }[key]?.()
  wanted?.click()
  return Boolean(wanted)
}

function overview({ words, groups }) {
  const dialog = document.querySelector(".rx-keys") ?? document.body.appendChild(made("dialog", "rx-keys"))
  const said = JSON.stringify([words, groups])
  if (dialog.said === said) return dialog
  dialog.said = said
  const inner = made("div", "rx-keys-inner"), title = made("h2", "", words.title), close = made("button", "rx-keys-close", words.close)
  title.id = "rx-keys-title"
  dialog.setAttribute("aria-labelledby", title.id)
  close.addEventListener("click", () => dialog.close())
  dialog.onclick = (event) => event.target === dialog && dialog.close() // beside it
  inner.append(title, close, ...groups.map(section))
  dialog.replaceChildren(inner)
  return dialog
}

function section({ title, rows }) {
  const part = made("section")
  const list = made("dl")
  for (const [keys, what] of rows) {
    const row = made("div"), names = made("dt")
    names.append(...keys.flatMap((key) => [made("kbd", "", key), " "]))
    row.append(names, made("dd", "", what))
    list.append(row)
  }
  part.append(made("h3", "", title), list)
  return part
}

function made(tag, name = "", text = "") {
  const element = document.createElement(tag)
  if (name) element.className = name
  element.textContent = text
  return element
}
