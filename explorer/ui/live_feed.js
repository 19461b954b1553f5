// While something trains, the chart asks the server for its newest picture itself; the page is run again only
// when its stage changes: a network has finished, was stopped, has failed.

const LOOK_SECONDS = 1
const WITHOUT_FEED_SECONDS = 3 // where the address cannot be reached, the page brings the picture

function watch(chart) {
  clearTimeout(chart.clock)
  chart.clock = chart.data.feed && setTimeout(() => look(chart), 1000 * LOOK_SECONDS)
}

async function look(chart) {
  const { feed } = chart.data
  if (chart.gone || !feed) return
  if (document.hidden) return watch(chart)
  const newest = await fetched(feed.url)
  if (chart.gone || chart.data.feed?.url !== feed.url) return
  if (!newest) return retry(chart)
  chart.newest = newest
  draw(chart)
  if (newest.stage !== chart.data.feed.stage) return chart.tell("stage", newest.stage)
  watch(chart)
}

// The browser keeps the last answer and its tag: what has not changed crosses the net as a few bytes.
async function fetched(url) {
  try {
    const answer = await fetch(new URL(url, document.baseURI), { cache: "no-cache" })
    return answer.ok ? await answer.json() : null
  } catch {
    return null
  }
}

function retry(chart) {
  chart.clock = setTimeout(() => {
    chart.tell("stage", `asked ${Date.now()}`)
    watch(chart)
  }, 1000 * WITHOUT_FEED_SECONDS)
}

// What was fetched stands for what the page said, until the page says something of another stage.
function newest(chart) {
  const fresh = chart.data.feed && chart.newest?.stage === chart.data.feed.stage ? chart.newest : null
  return { ...chart.data, ...fresh }
}

function drawStatus(chart, status) {
  if (!status) return chart.status?.remove(), (chart.status = undefined)
  if (!chart.status) {
    chart.status = child(chart.parent, "residual-plot-status")
    chart.status.append(child(chart.status, "residual-plot-bar"), child(chart.status, "residual-plot-words"))
    chart.status.firstChild.append(child(chart.status.firstChild, ""))
    chart.status.setAttribute("role", "progressbar")
  }
  const percent = Math.round(100 * Math.min(1, status.done))
  chart.status.setAttribute("aria-valuenow", percent)
  chart.status.setAttribute("aria-valuetext", status.text)
  chart.status.firstChild.firstChild.style.width = `${percent}%`
  chart.status.lastChild.textContent = status.text
}
