// A button that copies the page's address, says that it did, and where the browser forbids copying
// (no HTTPS, no permission) offers the address as selected text instead. Where a text is to stand
// around the address, it is copied with it. What is ticked above it is
// added here, in the browser: a copy made before the server has answered must not lack it.
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  const status = parentElement.querySelector("[role=status]")
  const field = parentElement.querySelector("input[readonly]")
  const choices = parentElement.querySelector(".choices")
  if (!choices.hasChildNodes()) choices.append(...data.choices.map(offer))

  button.onclick = async () => {
    const link = new URL(location.href)
    if (data.instead) link.search = new URLSearchParams(data.instead)
    for (const { name, value } of choices.querySelectorAll(":checked")) {
      link.searchParams.set(name, value)
    }
    for (const [name, value] of Object.entries(data.added)) link.searchParams.set(name, value)
    const bare = data.around === "LINK"
    const text = bare ? link.href : data.around.replace("LINK", () => escaped(link.href))
    let copied = true
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      field.value = text
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
      status.textContent = copied ? `${bare ? "Link" : "Frame"} copied` : "Copy the selected text with Ctrl+C or ⌘C"
    })
    if (copied) button.timer = setTimeout(() => (status.textContent = ""), 4000)
  }
}

// As the value of an attribute of HTML.
function escaped(address) {
  return address.replaceAll("&", "&amp;").replaceAll('"', "&quot;")
}

function offer([words, help, key, value]) {
  const label = document.createElement("label")
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: key, value })
  const note = Object.assign(document.createElement("small"), { textContent: help })
  label.append(box, words, note)
  return label
}
