import { createOperatorClient } from '../authorization/clients/registered-clients.ts'
import { expectOperatorKey } from '../authorization/keys.ts'
import { type Command, CommandError } from './command.ts'
import { readKeysEnv } from './env.ts'

const NAME = /^[\w .-]{1,60}$/

/** `introspection-client`: makes a client that may introspect tokens; its secret is printed once. */
export const introspectionClient: Command = {
  usage: 'introspection-client NAME',
  summary: 'Print an id and a secret with which a server of yours may introspect tokens (RFC 7662; reads OPERATOR_KEY)',
  async run({ db, source, now, print }, [name = '']) {
    if (!NAME.test(name)) throw new CommandError('The name is 1 to 60 letters, digits, spaces, dots, dashes.')
    const { OPERATOR_KEY: operatorKey } = readKeysEnv(source)
    await expectOperatorKey({ db, operatorKey })
    const client = await createOperatorClient({ db, operatorKey }, name, now)
    print(`client id:     ${client.clientId}`)
    print(`client secret: ${client.clientSecret}`)
    print('The secret is shown this once. The client authenticates with client_secret_basic.')
  },
}
