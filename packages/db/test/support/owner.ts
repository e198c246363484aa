// Owns an embedded database in a process of its own, so that a test can kill it: prints its URL, then waits.
import { startEmbedded } from '../../src/embedded/embedded.ts'

try {
  const { url } = await startEmbedded(process.argv[2] ?? '')
  process.stdout.write(`${url}\n`)
  setInterval(() => {}, 1_000)
} catch (error) {
  process.stdout.write(`refused ${(error as Error).name}\n`)
  process.exit(3)
}
