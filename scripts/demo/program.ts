import { join, resolve } from 'node:path'

/** What Node is told, so that it runs a program of ours: its source, or its bundle where there are bundles. */
export function programOf(source: string, programsDir: string | undefined): string[] {
  return programsDir === undefined
    ? ['--import', 'tsx', source]
    : [join(resolve(programsDir), source.replace(/\.ts$/, '.js'))]
}

/** The same, for one that this program starts: among bundles it runs with the flags that this one was started with. */
export function programBelow(source: string, programsDir: string | undefined): string[] {
  return [...(programsDir === undefined ? [] : process.execArgv), ...programOf(source, programsDir)]
}

/** Every program that {@link programOf} is asked for while the product runs. */
export const PROGRAMS = [
  'scripts/demo.ts',
  'apps/auth/src/server.ts',
  'apps/auth/src/cli/main.ts',
  'apps/mcp/src/server.ts',
  'apps/api/src/server.ts',
]
