// The keys of presenter mode: on and back as a clicker sends them, b for a black screen, c for the controls, Escape out.

const ON = new Set(["PageDown", " ", "Enter"])
const BACK = new Set(["PageUp", "Backspace"])
// What takes Space and Enter while it has the focus, what takes letters, and what Escape closes first
const LIVE = "input, textarea, select, button, a, [role=slider], [role=combobox], [role=radio], [role=option], summary"
const TYPED = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select"
const UNFOLDED = "[data-testid=stPopoverBody], [role=listbox]"

export default function ({ setTriggerValue, parentElement }) {
  const gone = new AbortController()
  addEventListener("keydown", (event) => press(event, setTriggerValue), { signal: gone.signal, capture: true })
  return () => setTimeout(() => {
    if (parentElement.isConnected) return
    gone.abort()
    document.querySelector(".rx-black")?.remove()
  })
}

function press(event, tell) {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return
  const black = document.querySelector(".rx-black")
  if (black || event.key === "b" || event.key === "B" || event.key === ".") {
    if (typing(event)) return
    take(event)
    return black ? black.remove() : document.body.append(blackness())
  }
  if (event.key === "Escape") return document.querySelector(UNFOLDED) ? undefined : tell("leave", true)
  if (event.key === "c" || event.key === "C") return typing(event) ? undefined : tell("controls", true)
  if (!event.key.startsWith("Page") && event.target.closest?.(LIVE)) return
  if (ON.has(event.key)) return turn(event, "next")
  if (BACK.has(event.key)) return turn(event, "back")
}

function turn(event, way) {
  const button = document.querySelector(`.st-key-lesson-${way} button`)
  if (!button) return
  take(event)
  button.click()
}

function typing({ target }) {
  return target.closest?.(TYPED)
}

function take(event) {
  event.preventDefault()
  event.stopPropagation()
}

function blackness() {
  const sheet = document.createElement("div")
  sheet.className = "rx-black"
  sheet.addEventListener("click", () => sheet.remove())
  return sheet
}
