import { describe, expect, it } from 'vitest'
import { frames, renameStatement, startupPacket } from '../src/embedded/wire.ts'

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}

describe('the protocol', () => {
  it('is cut into whole messages wherever the bytes are split', () => {
    const stream = Buffer.concat([message('P', Buffer.from('\0SELECT 1\0\0\0')), message('S', Buffer.alloc(0))])
    for (let cut = 0; cut <= stream.length; cut++) {
      const first = frames(stream.subarray(0, cut))
      const second = frames(Buffer.concat([first.rest, stream.subarray(cut)]))
      expect([...first.complete, ...second.complete].map(({ type }) => type)).toEqual(['P', 'S'])
      expect(second.rest).toHaveLength(0)
    }
  })

  it.each([
    ['Parse', 'P', 's1\0SELECT 1\0\0\0', 'c9_s1\0SELECT 1\0\0\0'],
    ['Bind', 'B', '\0s1\0\0\0\0\0\0\0', '\0c9_s1\0\0\0\0\0\0\0'],
    ['Describe of a statement', 'D', 'Ss1\0', 'Sc9_s1\0'],
    ['Close of a statement', 'C', 'Ss1\0', 'Sc9_s1\0'],
  ])('has the statement of %s renamed', (_name, type, before, after) => {
    const bytes = message(type, Buffer.from(before))
    expect(renameStatement({ type, bytes }, 'c9_')).toEqual(message(type, Buffer.from(after)))
  })

  it.each([
    ['an unnamed Parse', 'P', '\0SELECT 1\0\0\0'],
    ['an unnamed Bind', 'B', '\0\0\0\0\0\0\0\0'],
    ['Describe of a portal', 'D', 'Pp1\0'],
    ['a query', 'Q', 'SELECT 1\0'],
  ])('has %s left alone', (_name, type, body) => {
    const bytes = message(type, Buffer.from(body))
    expect(renameStatement({ type, bytes }, 'c9_')).toEqual(bytes)
  })

  it('begins with a start-up packet, which is waited for', () => {
    const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
    expect(startupPacket(startup.subarray(0, 8))).toBeNull()
    expect(startupPacket(startup)).toEqual({ kind: 'startup', bytes: startup })
    expect(startupPacket(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))?.kind).toBe('encryption')
  })
})
