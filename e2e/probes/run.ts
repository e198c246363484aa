// Inputs that an earlier version answered wrongly, and the answers of today: `npx -y pnpm probe TOPIC...`, all topics
// without a name. Starts a product of its own for each topic. Exit code 1 if an answer is not right.
import { startStack } from '../support/stack.ts'
import type { Topic } from './probe.ts'
import { TOPICS } from './topics.ts'

const names = process.argv.slice(2)
const unknown = names.find((name) => !(name in TOPICS))
if (unknown !== undefined) {
  console.error(`no topic ${unknown}; there are ${Object.keys(TOPICS).join(', ')}`)
  process.exit(2)
}
let right = 0
let wrong = 0
for (const name of names.length > 0 ? names : Object.keys(TOPICS)) {
  const load = TOPICS[name]
  if (load) await show(name, await load())
}
console.log(`probes: ${right} passed, ${wrong} failed`)
process.exitCode = wrong === 0 && right > 0 ? 0 : 1

async function show(name: string, { title, env, probes }: Topic): Promise<void> {
  console.log(`\n# ${name}: ${title}\n`)
  const product = await startStack(env ? { env } : {})
  try {
    for (const { input, before, run } of probes) {
      const began = performance.now()
      const answer = await run(product).then(
        (text) => ({ mark: 'now   ', text }),
        (error: unknown) => ({ mark: 'WRONG ', text: error instanceof Error ? error.message : String(error) }),
      )
      if (answer.mark === 'now   ') right += 1
      else wrong += 1
      console.log(
        `${input}\n  before ${before}\n  ${answer.mark} ${answer.text} (${Math.round(performance.now() - began)} ms)`,
      )
    }
  } finally {
    await product.stop()
    await product.clean()
  }
}
