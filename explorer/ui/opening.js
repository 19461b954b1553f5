// The picture goes when the page's own chart is drawn, or the page turns out to be another one.
;(() => {
  const opening = document.getElementById("rx-opening")
  const at = location.pathname
  const theme = new URLSearchParams(location.search).get("theme") ?? kept()
  const root = document.documentElement.style
  if (/^(light|dark)$/i.test(theme)) root.colorScheme = theme.toLowerCase()
  const watching = new MutationObserver(look)
  watching.observe(document.body, { subtree: true, childList: true, attributeFilter: ["class", "data-test-script-state"] })
  addEventListener("scroll", leave, true) // it would stay behind
  setTimeout(leave, 60_000)

  function look() {
    const main = document.querySelector("[data-testid=stMain]")?.getBoundingClientRect()
    if (main?.width) Object.assign(opening.style, { left: `${main.left}px`, width: `${main.width}px` })
    const elsewhere = location.pathname !== at || /[?&]present=/.test(location.search)
    if (elsewhere || document.querySelector(".residual-plot.is-drawn, .residual-plot-failed")) leave()
    else if (hasNoChart()) setTimeout(() => hasNoChart() && leave(), 1000)
  }

  function hasNoChart() {
    const ended = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning] h1")
    return ended && !document.querySelector(".residual-plot")
  }

  function leave() {
    watching.disconnect()
    removeEventListener("scroll", leave, true)
    opening.remove() // with its style
    root.colorScheme = ""
  }

  // Streamlit's own choice of a theme; the browser may refuse to say
  function kept() {
    try {
      return JSON.parse(localStorage.getItem(`stActiveTheme-${at}-v2`))
    } catch {
      return null
    }
  }
})()
