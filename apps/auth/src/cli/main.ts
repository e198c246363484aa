import { text } from 'node:stream/consumers'
import { runCommandLine } from './run.ts'

// Whoever reads may leave early, as `head` does, and a disk may be full: what was done is done, and says no more.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') console.error(`The output could not be written: ${code}.`)
    process.exit(1)
  })
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: undefined,
  readInput: () => text(process.stdin),
  print: console.log,
  complain: console.error,
})
