import { randomBytes } from 'node:crypto'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { dataConverter } from '../../../worker/payload-codec.ts'
import { payloadKeys, type PayloadKey } from '../../../worker/payload-keys.ts'

const key = (id: string): PayloadKey => ({ id, bytes: randomBytes(32) })
const [first, second] = [key('first'), key('second')]
const payload = defaultPayloadConverter.toPayload<unknown>({ secret: 'forget the cats' })

function codec(...keys: readonly PayloadKey[]) {
  const [found] = dataConverter(keys).payloadCodecs ?? []
  if (!found) throw new Error('there is no codec')
  return found
}
const sealed = async (...keys: readonly PayloadKey[]) => {
  const [found] = await codec(...keys).encode([payload])
  if (!found) throw new Error('nothing came back')
  return found
}
const bytesOf = ({ metadata, data }: Payload) =>
  Buffer.concat([...Object.values(metadata ?? {}), data ?? new Uint8Array()]).toString('latin1')

describe('payloads', () => {
  test('are as they are without a key', async () => {
    expect(await codec().encode([payload])).toEqual([payload])
    expect(await codec(first).decode([payload])).toEqual([payload])
  })

  test('are encrypted with the first key, each time differently, and every key opens its own', async () => {
    const [one, again] = [await sealed(first, second), await sealed(first, second)]
    expect(bytesOf(one)).not.toContain('cats')
    expect(bytesOf(one)).not.toContain('json/plain')
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe('first')
    expect(one.data).not.toEqual(again.data)
    const [opened] = await codec(second, first).decode([one])
    expect(defaultPayloadConverter.fromPayload(opened as Payload)).toEqual({ secret: 'forget the cats' })
  })

  test('of a key that is not there are refused by its name', async () => {
    const one = await sealed(first)
    await expect(codec(second).decode([one])).rejects.toThrow(UserError)
    await expect(codec().decode([one])).rejects.toThrow(
      /encrypted with the key 'first', which ZEROSHIFT_PAYLOAD_KEYS does not have/,
    )
  })

  test('that were changed, or encrypted with another key of the name, are refused', async () => {
    const one = await sealed(first)
    const data = Buffer.from(one.data ?? [])
    const changes = [0, 20, data.length - 1].map((at) => {
      const changed = Buffer.from(data)
      changed[at] = (changed[at] ?? 0) ^ 1
      return changed
    })
    for (const changed of [...changes, data.subarray(0, 5), Buffer.alloc(0)])
      await expect(codec(first).decode([{ ...one, data: changed }])).rejects.toThrow(
        /does not open with the key 'first'/,
      )
    await expect(codec({ ...second, id: 'first' }).decode([one])).rejects.toThrow(UserError)
  })
})

describe('keys', () => {
  const text = Buffer.alloc(32, 7).toString('base64')

  test('are named, and separated by commas or lines', () => {
    expect(payloadKeys({})).toEqual([])
    const keys = [
      { id: 'a', bytes: Buffer.alloc(32, 7) },
      { id: 'b', bytes: Buffer.alloc(32, 7) },
    ]
    expect(payloadKeys({ ZEROSHIFT_PAYLOAD_KEYS: `a:${text},b:${text}` })).toEqual(keys)
    expect(payloadKeys({ ZEROSHIFT_PAYLOAD_KEYS: `a:${text}\nb:${text}\n` })).toEqual(keys)
  })

  test.each([
    [text, /entry 1 is no key/],
    [
      `a:${text},b:${Buffer.alloc(16, 7).toString('base64')}`,
      /entry 2 is no key; expected id:base64 with 32 bytes/,
    ],
    [`a:${text},a:${text}`, /two keys by the name 'a'/],
  ])('that are wrong are refused, and none is shown', (keys, message) => {
    const read = () => payloadKeys({ ZEROSHIFT_PAYLOAD_KEYS: keys })
    expect(read).toThrow(UserError)
    expect(read).toThrow(message)
    expect(read).not.toThrow(/BwcH/)
  })
})
