// Runs before everything else, so in words that a Node of ten years ago can read.
var needed = require('../package.json')
  .engines.node.replace(/[^0-9.]/g, '')
  .split('.')
  .map(Number)
var found = process.versions.node.split('.').map(Number)
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(
    'VertexSMS Connect needs Node ' +
      needed.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '. Get one from https://nodejs.org.',
  )
  process.exit(1)
}
