// The bare library on node:http.
import { createServer } from 'node:http'
import { createLibrary } from '../library.ts'

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  server.on('request', createLibrary(`http://localhost:${address.port}`))
  console.log(`listening ${address.port}`)
})
process.once('SIGTERM', () => process.exit(0))
