import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { keyIdOf } from '@vertexsms/secrets/seal'
import {
  expectOperatorKey,
  loadSigningKeys,
  RotationUnderWay,
  rotateSigningKey,
  signingKeyAt,
} from '../authorization/keys.ts'
import { type Command, CommandError, printTable } from './command.ts'
import { readKeysEnv } from './env.ts'

/** `keys`: lists the signing keys and when each signs and goes. */
export const keys: Command = {
  usage: 'keys',
  summary: 'List the published signing keys and say which one signs (reads OPERATOR_KEY)',
  async run({ db, source, now, print }) {
    const published = await loadSigningKeys({ db, operatorKey: readKeysEnv(source).OPERATOR_KEY }, now)
    const signing = signingKeyAt(published, now)
    const state = (kid: string, signsFrom: Date) =>
      kid === signing.kid ? 'signs' : signsFrom > now ? 'next' : 'retiring'
    printTable(
      print,
      ['KEY', 'STATE', 'SIGNS FROM'],
      published.map(({ kid, signsFrom }) => [kid, state(kid, signsFrom), signsFrom.toISOString()]),
    )
    print(`They are sealed under operator key ${keyIdOf(readKeysEnv(source).OPERATOR_KEY)}.`)
  },
}

/** `rotate-keys`: publishes a new signing key, which signs once every node knows it. */
export const rotateKeys: Command = {
  usage: 'rotate-keys',
  summary: 'Publish a new signing key; every node takes it into use by itself, without a restart (reads OPERATOR_KEY)',
  async run({ db, source, now, print }) {
    const { OPERATOR_KEY, ACCESS_TOKEN_SECONDS } = readKeysEnv(source)
    try {
      const done = await rotateSigningKey(
        { db, operatorKey: OPERATOR_KEY },
        { now, accessTokenSeconds: ACCESS_TOKEN_SECONDS },
      )
      print(`Key ${done.kid} is published and signs from ${done.signsFrom.toISOString()}.`)
      print(`The old key stays published until ${done.oldRetiresAt.toISOString()}.`)
    } catch (error) {
      if (error instanceof RotationUnderWay) throw new CommandError(error.message)
      throw error
    }
  },
}

/** `api-keys`: prints the keys that the API derives from the operator key. */
export const apiKeys: Command = {
  usage: 'api-keys',
  summary: 'Print the API_KEYS setting of the REST API, a secret; the same each time (reads OPERATOR_KEY)',
  async run({ db, source, print }) {
    const { OPERATOR_KEY: operatorKey } = readKeysEnv(source)
    await expectOperatorKey({ db, operatorKey })
    print(deriveApiKeys(operatorKey))
  },
}
