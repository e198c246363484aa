import type { StackFacts } from '../../../e2e/support/stack.ts'
import { welcomeText } from '../../welcome.ts'
import { APPS, compose, composeAttached, inspect, logsOf, waitHealthy } from '../engine.ts'
import { ISSUER, readWelcome } from '../product.ts'
import { check, expectThat, must } from '../report.ts'

const UP_MS = 900_000
const QUIET_MS = 12_000
const ONE_SHOTS = ['init', 'roles', 'migrate', 'seed', 'welcome']

/** The README's paragraph to the letter, in the foreground; then stopped by Ctrl-C and started again. */
export async function checkInstallation(): Promise<StackFacts> {
  let first: StackFacts | undefined
  const terminal = composeAttached('up', '--build')
  let shown = ''
  let lastOutputAt = 0
  for (const stream of [terminal.stdout, terminal.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      shown += chunk.toString()
      lastOutputAt = performance.now()
    })
  }
  const ended = new Promise<number | null>((resolve) => terminal.once('exit', resolve))
  /** What the welcome service has printed so far, without colours and the service's name. */
  const welcomeSoFar = () =>
    plain(shown)
      .filter((line) => /^(?:\S*[-_])?welcome(?:[-_]1)?\s+\|/.test(line))
      .map((line) => line.replace(/^[^|]*\| ?/, ''))
      .join('\n')

  await must('`docker compose up --build` starts everything and shows the welcome', async () => {
    const complete = () => /^token: \S+\n/m.test(welcomeSoFar())
    const started = performance.now()
    while (!complete()) {
      expectThat(
        performance.now() - started < UP_MS,
        `no welcome after ${UP_MS / 1000} s:\n${plain(shown).slice(-10).join('\n')}`,
      )
      expectThat(
        terminal.exitCode === null,
        `compose ended with ${terminal.exitCode}:\n${plain(shown).slice(-10).join('\n')}`,
      )
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    first = readWelcome(welcomeSoFar())
    await waitHealthy(['postgres', ...APPS])
    return 'all services healthy'
  })
  const facts = first as unknown as StackFacts

  await check('the welcome is the one the demo command prints', async () => {
    const expected = welcomeText({ ...facts, dashboardUrl: ISSUER })
    const trim = (text: string) =>
      text
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n')
        .trim()
    expectThat(trim(await logsOf('welcome')) === trim(expected), 'it differs')
  })
  await check('the log ends with the welcome: nothing is added while nobody uses the product', async () => {
    const before = lastOutputAt
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const lines = plain(shown).filter((line) => line.trim() !== '')
    const after = lines.slice(lines.findLastIndex((line) => /welcome(?:[-_]1)?\s+\|/.test(line)) + 1)
    // What ended before the welcome may be shown behind it: compose reads the output of each container by itself.
    const isOver = new RegExp(`exited with code 0|^(?:${ONE_SHOTS.join('|')})(?:[-_]1)?\\s+\\|`)
    const spoken = after.filter((line) => !isOver.test(line))
    expectThat(spoken.length === 0, `${spoken.length} lines after it, first: ${spoken[0]}`)
    return lastOutputAt === before ? undefined : 'only compose itself spoke'
  })
  await check('the one-shot services ended with 0', async () => {
    for (const service of ONE_SHOTS) {
      const { State } = await inspect(service)
      expectThat(State.Status === 'exited' && State.ExitCode === 0, `${service}: ${State.Status} ${State.ExitCode}`)
    }
  })
  await check('Ctrl-C stops everything in good order', async () => {
    terminal.kill('SIGINT')
    const started = performance.now()
    await ended
    const seconds = (performance.now() - started) / 1000
    for (const service of ['postgres', ...APPS]) {
      const { State } = await inspect(service)
      expectThat(State.Status === 'exited' && State.ExitCode === 0, `${service}: ${State.Status} ${State.ExitCode}`)
    }
    return `${seconds.toFixed(1)} s, every exit code 0`
  })
  await must('started again in the background it has the same account, password and token', async () => {
    await compose('up', '-d', '--no-build')
    await waitHealthy(['postgres', ...APPS])
    const again = readWelcome(await logsOf('welcome'))
    expectThat(again.password === facts.password && again.token === facts.token, 'they changed')
  })
  return facts
}

function plain(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with one
  return text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').split(/\r?\n/)
}
