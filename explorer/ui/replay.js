// A finished chart played again: what lies to the right of the moment is left out.

const DURATIONS = { 5: "in 5 s", 15: "in 15 s", 60: "in 1 min" }

function drawReplay(chart, replay) {
  if (!replay) {
    chart.replay?.element.remove()
    chart.replay = undefined
    return
  }
  chart.replay ??= player(chart)
  const { slider, speed } = chart.replay
  if (Number(slider.max) === replay.steps) return
  slider.max = replay.steps
  slider.step = Math.max(1, Math.round(replay.steps / 500))
  speed.replaceChildren(
    ...Object.entries(DURATIONS).map(([seconds, text]) => new Option(text, seconds)),
    new Option("as fast as it was", replay.seconds),
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
  slider.setAttribute("aria-label", "Moment of the training, in steps")
  speed.setAttribute("aria-label", "How fast it is played")
  button.addEventListener("click", () => (chart.replay.playing ? pause(chart) : play(chart)))
  slider.addEventListener("input", () => {
    pause(chart)
    show(chart, Number(slider.value))
  })
  const replay = { element, button, slider, moment, speed, at: Infinity, playing: false }
  label(replay)
  return replay
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

function label({ button, playing }) {
  button.textContent = playing ? "❚❚" : "▶"
  button.setAttribute("aria-label", playing ? "Pause the replay" : "Play the training again")
}

function show(chart, step) {
  const { slider, moment } = chart.replay
  chart.replay.at = step
  slider.value = step
  moment.textContent = `${Math.round(step).toLocaleString("en")} steps`
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
