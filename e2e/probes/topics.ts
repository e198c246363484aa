import type { Topic } from './probe.ts'

/** Every topic by the name it is asked for. */
export const TOPICS: Readonly<Record<string, () => Promise<Topic>>> = {
  'first-minutes': () => import('./first-minutes.ts').then(({ firstMinutes }) => firstMinutes),
  neighbours: () => import('./neighbours.ts').then(({ neighbours }) => neighbours),
  login: () => import('./login.ts').then(({ login }) => login),
  operating: () => import('./operating.ts').then(({ operating }) => operating),
  outages: () => import('./outages.ts').then(({ outages }) => outages),
  protocol: () => import('./protocol.ts').then(({ protocol }) => protocol),
  sending: () => import('./sending.ts').then(({ sending }) => sending),
  strangers: () => import('./strangers.ts').then(({ strangers }) => strangers),
  'strangers-limited': () => import('./strangers-limited.ts').then(({ strangersLimited }) => strangersLimited),
}
