import { lookup } from 'node:dns/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigurationError } from './env.ts'
import { frames, type Logger } from './logger.ts'

/** What a process runs. */
export interface Service {
  app: FastifyInstance
  host: string
  port: number
  logger: Logger
  /** How long requests may go on after the signal to stop. */
  stopWithinMs?: number
  /** What listens besides, and before it; the app closes it. */
  internal?: Listener | undefined
}

/** Where an app listens, and the setting that says at which address. */
interface Listener {
  app: FastifyInstance
  host: string
  port: number
  hostSetting: string
}

/** What asks a process to stop, and may ask again: a terminal that closes says so twice, Ctrl-C comes beside its launcher's word. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** By default a stopping process is gone after this time, finished or not. */
export const STOP_WITHIN_MS = 4_500

/**
 * Builds a service, listens, and stops it on {@link STOP_SIGNALS} or the loss of the process that started it: no new
 * connections, requests in flight finish, then the app's onClose hooks, and the process ends within its time. A
 * configuration error is printed with everything that is wrong and ends the process with status 1, also one that turns up later.
 */
export async function runService(build: () => Service | Promise<Service>): Promise<void> {
  let service: Service
  try {
    service = await build()
  } catch (error) {
    failToStart(error)
    return
  }
  const { app, host, port, logger, stopWithinMs = STOP_WITHIN_MS, internal } = service
  let closed: Promise<void> | undefined
  const unexpected = (err: unknown) => {
    if (err instanceof ConfigurationError) tell(err)
    else logger.error({ err }, 'unexpected error, stopping')
  }
  const { close } = closeWithGrace(
    {
      delay: stopWithinMs,
      // Its own sentences are told below; what is left are errors, of which one while stopping ends it at once.
      logger: { error: (told: unknown) => void (told instanceof Error && unexpected(told)) },
      onTimeout: () => logger.error('requests were still running, stopped all the same'),
      onSecondSignal: () => logger.error('stopped at once'),
    },
    async ({ signal, err }) => {
      // The end has its time: asking again adds nothing, where the library would end what is under way at once.
      for (const name of STOP_SIGNALS) process.removeAllListeners(name).on(name, () => {})
      if (err) unexpected(err)
      else if (!closed) logger.info({ signal }, 'stopping')
      // A signal and the loss of the launcher may both come.
      closed ??= Promise.resolve(app.close())
      await closed
      logger.info('stopped')
    },
  )
  // A launcher that is killed cannot send a signal; its end of the channel closes all the same.
  if (process.channel) process.once('disconnect', close)
  if (internal) await listen(internal, logger)
  await listen({ app, host, port, hostSetting: 'HOST' }, logger)
}

async function listen({ app, host, port, hostSetting }: Listener, logger: Logger): Promise<void> {
  try {
    // Where a name has several addresses, at one: Fastify would serve the others by servers without our listeners.
    const { address } = await lookup(host, { order: 'ipv4first' })
    await app.listen({ host: address, port })
  } catch (error) {
    const reason = LISTEN_ERRORS[String((error as NodeJS.ErrnoException).code)]?.(hostSetting)
    if (reason === undefined) logger.error({ err: error, port }, 'cannot listen')
    else process.stderr.write(`cannot listen on port ${port}: ${reason}\n`)
    process.exit(1)
  }
}

/** What a setting is wrong about that only the system can tell. */
const LISTEN_ERRORS: Readonly<Record<string, (hostSetting: string) => string>> = {
  EADDRINUSE: () => 'another program has it; stop that, or choose another port',
  EACCES: () => 'this user may not take it; choose one above 1023',
  EADDRNOTAVAIL: (hostSetting) => `${hostSetting} names no address of this machine`,
  ENOTFOUND: (hostSetting) => `${hostSetting} names no address of this machine`,
}

function tell(error: ConfigurationError): void {
  process.stderr.write(`${error.message}\n`)
}

function failToStart(error: unknown): void {
  if (error instanceof ConfigurationError) tell(error)
  else {
    // Name, code and place: the message of a driver may quote a connection URL.
    const { name, code } = error as { name?: string; code?: unknown }
    const places = error instanceof Error ? frames(error).map((place) => `    ${place}`) : []
    const lines = [`cannot start: ${name ?? 'error'} ${typeof code === 'string' ? code : ''}`, ...places]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  process.exit(1)
}
