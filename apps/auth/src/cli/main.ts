import { text } from 'node:stream/consumers'
import { runCommandLine } from './run.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: undefined,
  readInput: () => text(process.stdin),
  print: console.log,
  complain: console.error,
})
