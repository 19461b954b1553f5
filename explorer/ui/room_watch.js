// While a room is open in the page: has what it shows changed? Only then is the page told to draw it again.

const LOOK_SECONDS = 1.5
const WITHOUT_ADDRESS_SECONDS = 5 // where the address cannot be reached, the page looks by itself

const watches = new WeakMap()

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!watches.has(parentElement)) watches.set(parentElement, {})
  const watch = watches.get(parentElement)
  Object.assign(watch, { data, tell: setTriggerValue, told: undefined })
  document.cookie = data.cookie + (location.protocol === "https:" ? "; secure" : "")
  clearTimeout(watch.clock)
  if (data.url) watch.clock = setTimeout(() => look(watch), 1000 * LOOK_SECONDS)
  return () => setTimeout(() => {
    if (!parentElement.isConnected) clearTimeout(watch.clock), (watch.data = {})
  })
}

async function look(watch) {
  const { url, standing } = watch.data
  if (!url) return
  const now = await asked(watch.data)
  if (watch.data.url !== url || watch.data.standing !== standing) return
  const reached = now !== null
  if (now !== standing && now !== watch.told) watch.tell("standing", now ?? `asked ${Date.now()}`)
  watch.told = reached ? now : undefined
  watch.clock = setTimeout(() => look(watch), 1000 * (reached ? LOOK_SECONDS : WITHOUT_ADDRESS_SECONDS))
}

// What the server says; "ended" where the pass holds no more; null where it cannot be asked.
async function asked({ url, pass }) {
  try {
    const answer = await fetch(new URL(url, document.baseURI), { headers: { "X-Room-Pass": pass }, cache: "no-store" })
    if (answer.status === 403) return "ended"
    return answer.ok ? await answer.text() : null
  } catch {
    return null
  }
}
