const MAJOR = Number(process.versions.node.split('.')[0])

/**
 * What Node is told where a process lives as long as some tests: its best machine code pays for itself later than that,
 * of WebAssembly (the embedded database, the query compiler) and of JavaScript, where there is a good one beside the best
 * (Maglev, which Node 24 has and Node 22 has turned off).
 */
export const SHORT_LIVED_FLAGS: readonly string[] = ['--liftoff-only', ...(MAJOR >= 24 ? ['--no-turbofan'] : [])]
