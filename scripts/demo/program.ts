import { join, resolve } from 'node:path'
import { SHORT_LIVED_FLAGS } from '../short-lived.ts'

/** What Node is told, so that it runs a program of ours: its source, or its bundle where there are bundles. */
export function programOf(source: string, programsDir: string | undefined): string[] {
  return programsDir === undefined
    ? ['--import', 'tsx', source]
    : [join(resolve(programsDir), source.replace(/\.ts$/, '.js'))]
}

/** The same, for one that this program starts, which lives as long as this one does. */
export function programBelow(source: string, programsDir: string | undefined): string[] {
  return [...process.execArgv.filter((flag) => SHORT_LIVED_FLAGS.includes(flag)), ...programOf(source, programsDir)]
}

/** Every program that {@link programOf} is asked for while the product runs. */
export const PROGRAMS = [
  'scripts/demo.ts',
  'apps/auth/src/server.ts',
  'apps/auth/src/cli/main.ts',
  'apps/mcp/src/server.ts',
  'apps/api/src/server.ts',
]
