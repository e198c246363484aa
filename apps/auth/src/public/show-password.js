// Lets whoever types a new password see it. Without a script there is no box to tick: the field stays as it is.

for (const box of document.querySelectorAll('input[data-shows]')) {
  const field = document.getElementById(box.dataset.shows)
  const show = () => {
    field.type = box.checked ? 'text' : 'password'
  }
  box.closest('[hidden]').hidden = false
  box.addEventListener('change', show)
  // What is sent as ordinary text is kept by some browsers, to be offered in other fields.
  field.form.addEventListener('submit', () => {
    box.checked = false
    show()
  })
  // A page that is gone back to has its boxes as they were left.
  show()
}
