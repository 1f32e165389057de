// Writes the settings into the address bar without adding a step to the browser's history.
// `data`: {session, count, query}. Several writers may be on the page (one in the frame, one in a
// fragment), each holding what it was last told: the highest count of the session is the truth.
export default function ({ data }) {
  const last = window.emExplorerLink
  if (last && last.session === data.session && last.count > data.count) return
  window.emExplorerLink = { session: data.session, count: data.count }

  // Streamlit's own parameters are not ours to drop.
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => key.startsWith("embed"))
  const search = new URLSearchParams([...kept, ...Object.entries(data.query)]).toString()
  const address = location.pathname + (search && "?" + search) + location.hash
  if (address !== location.pathname + location.search + location.hash) {
    history.replaceState(history.state, "", address)
  }
}
