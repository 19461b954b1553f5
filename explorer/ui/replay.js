// A finished chart played again: what lies to the right of the moment is left out.

const DURATIONS = [5, 15, 60] // seconds

function drawReplay(chart, replay) {
  if (!replay) {
    chart.replay?.element.remove()
    chart.replay = undefined
    return
  }
  chart.replay ??= player(chart)
  const { words } = chart.data
  const { slider, speed } = chart.replay
  const drawn = JSON.stringify([replay, words])
  if (chart.replay.drawn === drawn) return
  chart.replay.drawn = drawn
  chart.replay.words = words
  slider.setAttribute("aria-label", words.moment)
  speed.setAttribute("aria-label", words.speed)
  label(chart.replay)
  slider.max = replay.steps
  slider.step = Math.max(1, Math.round(replay.steps / 500))
  speed.replaceChildren(
    ...DURATIONS.map((seconds) => new Option(words.inSeconds.replace("#", seconds), seconds)),
    new Option(words.asItWas, replay.seconds),
  )
  speed.value = "15"
  show(chart, replay.steps)
}

function player(chart) {
  const element = child(chart.parent, "residual-plot-replay")
  const button = element.appendChild(document.createElement("button"))
  const slider = element.appendChild(document.createElement("input"))
  const moment = element.appendChild(document.createElement("output"))
  const speed = element.appendChild(document.createElement("select"))
  button.type = "button"
  slider.type = "range"
  slider.min = 0
  button.addEventListener("click", () => (chart.replay.playing ? pause(chart) : play(chart)))
  slider.addEventListener("input", () => {
    pause(chart)
    show(chart, Number(slider.value))
  })
  return { element, button, slider, moment, speed, at: Infinity, playing: false }
}

function play(chart) {
  const { replay } = chart
  const end = Number(replay.slider.max)
  let at = replay.at >= end ? 0 : replay.at
  let before = performance.now()
  replay.playing = true
  label(replay)
  const tick = (now) => {
    if (!replay.playing || chart.gone || chart.replay !== replay) return
    at += (end * (now - before)) / (1000 * Number(replay.speed.value))
    before = now
    show(chart, Math.min(at, end))
    if (at >= end) return pause(chart)
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
}

function pause({ replay }) {
  replay.playing = false
  label(replay)
}

function label({ button, playing, words }) {
  button.textContent = playing ? "❚❚" : "▶"
  button.setAttribute("aria-label", playing ? words.pause : words.play)
}

function show(chart, step) {
  const { slider, moment, words } = chart.replay
  chart.replay.at = step
  slider.value = step
  moment.textContent = words.steps.replace("#", Math.round(step).toLocaleString("en"))
  slider.setAttribute("aria-valuetext", moment.textContent)
  draw(chart)
}

// The figure as it was at the moment that is shown; what is no measurement of the run (meta: reference) stays.
function played(chart, data) {
  const at = chart.replay?.at ?? Infinity
  if (!(at < Number(chart.replay?.slider.max))) return data
  return data.map((trace) => {
    if (trace.meta === "reference" || !Array.isArray(trace.x)) return trace
    const kept = trace.x.map((x, index) => index).filter((index) => trace.x[index] <= at)
    const cut = (values) => (Array.isArray(values) ? kept.map((index) => values[index]) : values)
    return { ...trace, x: cut(trace.x), y: cut(trace.y), customdata: cut(trace.customdata) }
  })
}
