import { execFileSync } from 'node:child_process'

/** The release of Node that the images ship, and the oldest that is kept working. */
export const SHIPPED_NODE = '24'
export const OLDEST_NODE = '20'

const found = new Map<string, string>()

/** The path of a Node binary of a major release: this process's own where it is one, else the one of the npm package `node`. Throws when it cannot be had. */
export function nodeBinary(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  let path = found.get(major)
  if (path === undefined) {
    // From another folder: npx would look for this version among the packages of the one it stands in.
    const command = ['-y', '-p', `node@${major}`, '--', 'node', '-p', 'process.execPath']
    path = execFileSync('npx', command, { cwd: '/', encoding: 'utf8' }).trim()
    found.set(major, path)
  }
  return path
}
