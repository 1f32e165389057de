// In a fragment, whose every run sends this again: the frame's writer does the work. It comes last
// on a page that opens, and then knows the same. Two lines: Streamlit takes one for a path.
export default ({ data }) =>
  window.emExplorerLink?.write?.(data)
