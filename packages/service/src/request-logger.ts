import type { FastifyBaseLogger } from 'fastify'
import type { Logger } from './logger.ts'

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
type Arguments = [members: object, text?: string]

/**
 * The logger of a server, whose children are the loggers of its requests: each carries the id of its request, and is made
 * for real only when a line is written, because most requests write none at the levels of a busy installation.
 */
export class RequestLogger {
  private readonly root: Logger
  private readonly parent: RequestLogger | undefined
  private readonly members: Record<string, unknown>
  private made: Logger | undefined

  constructor(root: Logger, members: Record<string, unknown> = {}, parent?: RequestLogger) {
    this.root = root
    this.parent = parent
    this.members = members
  }

  get level(): string {
    return this.root.level
  }

  fatal(...line: Arguments): void {
    this.write('fatal', line)
  }

  error(...line: Arguments): void {
    this.write('error', line)
  }

  warn(...line: Arguments): void {
    this.write('warn', line)
  }

  info(...line: Arguments): void {
    this.write('info', line)
  }

  debug(...line: Arguments): void {
    this.write('debug', line)
  }

  trace(...line: Arguments): void {
    this.write('trace', line)
  }

  silent(): void {}

  child(members: Record<string, unknown>): FastifyBaseLogger {
    return new RequestLogger(this.root, members, this) as unknown as FastifyBaseLogger
  }

  private real(): Logger {
    this.made ??= (this.parent?.real() ?? this.root).child(this.members)
    return this.made
  }

  private write(level: Level, line: Arguments): void {
    if (this.root.isLevelEnabled(level)) this.real()[level](...line)
  }
}
