// In a fragment, whose every run sends this again: the frame's writer does the work. It comes last
// on a page that opens, and then knows the same.
export default function ({ data }) {
  window.emExplorerLink?.write?.(data)
}
