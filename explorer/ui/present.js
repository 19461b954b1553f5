// The keys of presenter mode: on and back as a clicker sends them, b for a black screen, c for the controls, Escape out.

const ON = new Set(["PageDown", " ", "Enter"])
const BACK = new Set(["PageUp", "Backspace"])
const LIVE = "input, textarea, select, button, a, [role=slider], [role=combobox], [role=radio], [role=option], summary"

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
  const clicker = event.key.startsWith("Page")
  if (!clicker && event.target.closest?.(LIVE)) return // space and Enter belong to what has the focus
  if (ON.has(event.key)) return turn(event, "next")
  if (BACK.has(event.key)) return turn(event, "back")
  if (event.key === "Escape") return tell("leave", true)
  if (event.key === "c" || event.key === "C") return tell("controls", true)
}

function turn(event, way) {
  const button = document.querySelector(`.st-key-lesson-${way} button`)
  if (!button) return
  take(event)
  button.click()
}

function typing({ target }) {
  return target.closest?.("input:not([type=radio], [type=checkbox], [type=range]), textarea")
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
