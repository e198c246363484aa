import type { Job } from '@vertexsms/service/jobs'

/** One turn of a job, at this time or another. */
export const turn = (job: Job, at?: Date): Promise<number> =>
  job.run(
    async () => at ?? new Date(),
    () => false,
  )
