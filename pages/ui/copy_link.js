// A button that copies the page's address, says that it did, and where the browser forbids copying
// (no HTTPS, no permission) offers the address as selected text instead.
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  const status = parentElement.querySelector("[role=status]")
  const field = parentElement.querySelector("input")

  button.onclick = async () => {
    const link = new URL(location.href)
    if (data.instead) link.search = ""
    for (const [key, value] of Object.entries(data.more)) link.searchParams.set(key, value)
    let copied = true
    try {
      await navigator.clipboard.writeText(link.href)
    } catch {
      field.value = link.href
      field.hidden = false
      field.focus()
      field.select()
      copied = document.execCommand("copy")
      field.hidden = copied
      if (copied) button.focus()
    }
    // Emptied first, so that a second copy is announced as well.
    status.textContent = ""
    clearTimeout(button.timer)
    requestAnimationFrame(() => {
      status.textContent = copied ? "Link copied" : "Copy the selected link with Ctrl+C or ⌘C"
    })
    if (copied) button.timer = setTimeout(() => (status.textContent = ""), 4000)
  }
}
