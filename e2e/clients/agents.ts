import { openModel, type PretendModel } from './pretend-model.ts'
import type { ClientProgram } from './programs.ts'
import type { Trial } from './trial.ts'

const PROMPT = 'Send the SMS.'

/** What a person types to make an agent with the pretend model do one thing, and what tells it of the model. */
type Ask = (
  model: PretendModel,
  trial: Trial,
) => { readonly command: string; readonly env: Readonly<Record<string, string>> }

/** Lets an agent, connected by `connect`, do what the pretend model wants. */
function agent(
  ask: Ask,
  connect: (trial: Trial, env: Readonly<Record<string, string>>) => Promise<string>,
): ClientProgram['connect'] {
  return async (trial) => {
    const model = await openModel(trial.call)
    try {
      const { command, env } = ask(model, trial)
      const first = await connect(trial, env)
      const output = await trial.run(first === '' ? command : `${first}\n${command}`, env)
      if (model.calls() !== 1)
        throw new Error(
          `its model was offered ${model.offered().join(' ') || 'no tool'}; it said ${output.slice(-300)}`,
        )
      return model.wasTold
    } finally {
      await model.close()
    }
  }
}

/** In a terminal of its own, for programs that otherwise ask for nothing. */
const inTerminal = (command: string) => `script -qec ${JSON.stringify(command)} /dev/null`

/** The agents. Their models are asked through the pretend one; the tool that it calls is allowed beforehand. */
export const AGENTS: readonly ClientProgram[] = [
  {
    name: 'claude-code',
    packages: ['@anthropic-ai/claude-code'],
    command: 'claude',
    prepare: '@anthropic-ai/claude-code/install.cjs',
    connect: agent(
      ({ url }, { server }) => ({
        command: `claude -p '${PROMPT}' --allowedTools mcp__${server}__send_sms`,
        env: {
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: 'pretend',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          // Otherwise the model is offered a search for tools, which takes it a call more.
          ENABLE_TOOL_SEARCH: 'false',
          // Nor does it begin before its servers are connected.
          MCP_CONNECTION_NONBLOCKING: '0',
        },
      }),
      async (trial, env) => {
        await trial.run(trial.block('claude-code', 'Terminal'))
        if (trial.way === 'sign-in') await trial.signIn(inTerminal(trial.block('claude-code', 'Terminal', 1)), env)
        return ''
      },
    ),
  },
  {
    name: 'codex',
    packages: ['@openai/codex'],
    command: 'codex',
    connect: agent(
      ({ url }) => {
        const provider = `{name="pretend",base_url="${url}/v1",wire_api="responses",env_key="PRETEND_KEY"}`
        const settings = `-m pretend -c model_provider=pretend -c 'model_providers.pretend=${provider}'`
        return {
          command: `codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox ${settings} '${PROMPT}'`,
          env: { PRETEND_KEY: 'pretend' },
        }
      },
      async (trial) => {
        const block = trial.block('codex', 'Terminal')
        // It reads the token from the environment of the shell that set it.
        if (trial.way === 'token') return block
        await trial.signIn(block)
        return ''
      },
    ),
  },
  {
    name: 'opencode',
    packages: ['opencode-ai'],
    command: 'opencode',
    connect: agent(
      ({ url }, { home }) => {
        const model = { npm: '@ai-sdk/openai-compatible', options: { baseURL: `${url}/v1`, apiKey: 'pretend' } }
        const provider = { pretend: { ...model, models: { pretend: {} } } }
        home.write('opencode.json', JSON.stringify({ provider, model: 'pretend/pretend' }))
        return { command: `opencode run '${PROMPT}'`, env: {} }
      },
      async (trial) => {
        const file = '~/.config/opencode/opencode.json'
        if (trial.way === 'token') trial.home.write(file, trial.block('opencode', file))
        else {
          await trial.run(trial.block('opencode', 'Terminal'))
          await trial.signIn(trial.block('opencode', 'Terminal', 1))
        }
        return ''
      },
    ),
  },
  {
    name: 'gemini',
    packages: ['@google/gemini-cli'],
    command: 'gemini',
    connect: agent(
      ({ url }, { home }) => {
        const settings = {
          security: { auth: { selectedType: 'gemini-api-key' } },
          privacy: { usageStatisticsEnabled: false },
        }
        home.write('.gemini/settings.json', JSON.stringify(settings))
        return {
          command: `gemini --yolo --model gemini-2.5-flash --prompt '${PROMPT}'`,
          env: {
            GEMINI_API_KEY: 'pretend',
            GOOGLE_GEMINI_BASE_URL: url,
            // In a folder that a person has not yet trusted it connects to nothing.
            GEMINI_CLI_TRUST_WORKSPACE: 'true',
          },
        }
      },
      async (trial) => trial.block('gemini', 'Terminal'),
    ),
    noSignIn: 'it signs in by /mcp auth, which only its own screen takes',
  },
]
