// Copies what a button names by id. Without a script there is no button: what it would copy can be selected.

for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy)
  const status = document.querySelector('[data-copy-status]')
  button.hidden = false
  button.addEventListener('click', async () => {
    const text = source.value ?? source.textContent
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      // Only pages over https or on localhost reach the clipboard: it is selected, to be copied by hand.
      if (source.select) source.select()
      else getSelection().selectAllChildren(source)
      if (!document.execCommand('copy')) return
    }
    // What a status says already is not read out again; a blank that is not seen makes it another.
    status.textContent = button.dataset.copied + (status.textContent === button.dataset.copied ? '\u00a0' : '')
    // The clipboard holds what was copied last.
    for (const other of document.querySelectorAll('[data-done]')) delete other.dataset.done
    button.dataset.done = button.dataset.copied
  })
}
