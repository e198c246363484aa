import type { Job } from '@vertexsms/service/jobs'
import { KEY_POLL_SECONDS } from '../authorization/keys.ts'
import type { LiveProvider } from '../authorization/live-provider.ts'

/** The job that follows what other processes publish and retire; every {@link KEY_POLL_SECONDS}, or as often as it is told. */
export function createFollowKeysJob(
  provider: Pick<LiveProvider, 'followKeys'>,
  everyMs: number = KEY_POLL_SECONDS * 1000,
): Job {
  return {
    name: 'signing keys',
    everyMs,
    firstAfterMs: everyMs,
    async run() {
      await provider.followKeys()
      return 0
    },
  }
}
