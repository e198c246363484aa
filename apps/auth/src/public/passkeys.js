// Runs the two passkey ceremonies. A form with `data-passkey` says which one ("create" or "get") and carries the
// options in `data-options`; the browser's answer goes back in its `credential` field as an ordinary form post, so
// the page needs no other script and no request of its own.

const run = {
  create: async (options) =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: async (options) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
}

const isSupported =
  typeof PublicKeyCredential === 'function' &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!isSupported) continue
  form.hidden = false
  for (const note of document.querySelectorAll('[data-without-passkeys]')) note.hidden = true
  const credential = form.elements.namedItem('credential')
  const problem = form.querySelector('[data-problem]')

  form.addEventListener('submit', async (event) => {
    if (credential.value !== '') return
    event.preventDefault()
    problem.hidden = true
    try {
      const answer = await run[form.dataset.passkey](JSON.parse(form.dataset.options))
      credential.value = JSON.stringify(answer.toJSON())
      form.requestSubmit()
    } catch (error) {
      // The sentences stand in the page, in its language.
      problem.textContent = error.name === 'InvalidStateError' ? problem.dataset.known : problem.dataset.unused
      problem.hidden = false
    }
  })
}
