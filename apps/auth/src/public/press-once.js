// Sends a form once where its button is pressed twice: a browser drops the answer to the first press for that to the second, and
// the first alone shows what was made. Without a script the page of the second says that the value is to be replaced.

/** Longer than it takes to press twice, shorter than whoever stopped the page would wait to press again. */
const ONE_PRESS_MS = 3000

for (const form of document.querySelectorAll('form[data-once]')) {
  let pressedMs = -Infinity
  form.addEventListener('submit', (event) => {
    if (event.timeStamp - pressedMs < ONE_PRESS_MS) event.preventDefault()
    else pressedMs = event.timeStamp
  })
  // A page that is gone back to is as it was left.
  addEventListener('pageshow', () => {
    pressedMs = -Infinity
  })
}
