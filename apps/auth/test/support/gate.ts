import type { Database } from '@vertexsms/db/client'

/** Stops the next transaction that begins in a database, until it is let go on. */
export class Gate {
  #stop: { arrived: () => void; opened: Promise<void> } | null = null

  /** The database whose transactions pass here. */
  guard(db: Database): Database {
    return new Proxy(db, {
      get: (target, name, receiver) => {
        const value = Reflect.get(target, name, receiver)
        if (name === '$transaction') return (...args: never[]) => this.#pass(() => value.apply(target, args))
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  /** The next transaction waits at its beginning; `arrived` resolves when it is there. */
  close(): { readonly arrived: Promise<void>; readonly open: () => void } {
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const arrived = new Promise<void>((resolve) => {
      this.#stop = { arrived: resolve, opened }
    })
    return { arrived, open }
  }

  async #pass<Result>(begin: () => Promise<Result>): Promise<Result> {
    const stop = this.#stop
    this.#stop = null
    stop?.arrived()
    await stop?.opened
    return begin()
  }
}
