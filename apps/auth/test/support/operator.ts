import { runCommandLine } from '../../src/cli/run.ts'
import type { Stack } from './stack.ts'

/** Runs one operator command against the database of a stack. */
export async function operator(
  stack: Stack,
  args: string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommandLine(args, {
    env: {
      DATABASE_URL: stack.env.DATABASE_URL,
      ISSUER_URL: stack.issuer,
      OPERATOR_KEY: Buffer.from(stack.env.OPERATOR_KEY).toString('base64url'),
      ...env,
    },
    readInput: async () => input,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
