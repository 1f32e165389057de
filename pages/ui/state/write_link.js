// Writes the settings into the address bar without adding a step to the browser's history.
// `data`: {session, count, query}. Several writers may be on the page (one in the frame, one in a
// fragment), each holding what it was last told: the highest count of the session is the truth.
function write({ session, count, query }, missed) {
  const last = window.emExplorerLink
  if (last.session === session && last.count > count) return

  // Streamlit's own parameters are not ours to drop.
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => key.startsWith("embed"))
  const search = "?" + new URLSearchParams([...kept, ...new URLSearchParams(query)])
  const go = (search) => location.pathname + (search === "?" ? "" : search) + location.hash

  if (last.session && last.session !== session && last.search !== search) {
    // The server lost the session (a restart, a long pause) and Streamlit came back with the
    // address as it last knew it, which lacks what was only replaced since: say that one.
    if (missed) {
      missed(last.search)
      Object.assign(last, { session, count })
    }
    return
  }
  Object.assign(last, { session, count, search })
  if (go(search) !== go(location.search)) history.replaceState(history.state, "", go(search))
}

export default function ({ data, setTriggerValue }) {
  window.emExplorerLink ??= {}
  window.emExplorerLink.write = write
  write(data, (search) => setTriggerValue("missed", search))
}
