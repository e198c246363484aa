import type { FastifyInstance } from 'fastify'

/** What the addresses of an app may be asked for. */
export interface KnownMethods {
  /** Notes every route that is registered on `app` and below it from now on. */
  watch(app: FastifyInstance): void
  /** The methods that an address takes; empty for one that there is not. */
  at(path: string): readonly string[]
}

/** An empty table, to be filled by {@link KnownMethods.watch}. */
export function createKnownMethods(): KnownMethods {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  return {
    watch(app) {
      app.addHook('onRoute', ({ url, method }) => {
        const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
        for (const one of [method].flat()) route.methods.add(one)
        routes.set(url, route)
      })
    },
    at(path) {
      const found = [...routes.values()].filter(({ pattern }) => pattern.test(path))
      return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort()
    },
  }
}

/** Parameters take one part of the path, the asterisk all that is left. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
