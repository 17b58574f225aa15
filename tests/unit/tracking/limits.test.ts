import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { batches, fitted, lanes, limits, type Metric } from '../../../tracking/limits.ts'

const key = fc
  .stringMatching(/^[a-z][a-z0-9_./-]{0,40}[a-z]$/)
  .filter((name) => !/\/\/|\.\.|\/\.+\//.test(name))
const metric = fc.record({
  key: fc.constantFrom('a', 'b', 'c/d', 'e', 'f'),
  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  timestamp: fc.nat(),
  step: fc.nat(),
})

interface Body {
  readonly params: readonly { readonly key: string; readonly value: string }[]
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  readonly metrics: readonly Metric[]
}

test('whatever is to be sent fits into its calls, in order, once', () => {
  const strings = (longest: number) =>
    fc.dictionary(key, fc.string({ unit: 'binary', maxLength: longest }), { maxKeys: 230 })
  fc.assert(
    fc.property(
      strings(limits.paramValue / 2),
      strings(limits.tagValue / 2),
      fc.array(metric, { maxLength: 2500, size: 'max' }),
      (params, tags, metrics) => {
        const calls = batches({ params, tags, metrics })
        const bodies = calls.map((call) => {
          const text = `{"run_id":"${'f'.repeat(32)}","params":[${call.params.join(',')}],"tags":[${call.tags.join(',')}],"metrics":[${call.metrics.join(',')}]}`
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.bytes)
          return JSON.parse(text) as Body
        })
        for (const [i, body] of bodies.entries()) {
          expect(body.params.length).toBeLessThanOrEqual(limits.params)
          expect(body.tags.length).toBeLessThanOrEqual(limits.tags)
          expect(body.metrics.length).toBeLessThanOrEqual(limits.metrics)
          const items = body.params.length + body.tags.length + body.metrics.length
          expect(items).toBeLessThanOrEqual(limits.items)
          expect(items).toBeGreaterThan(0)
          expect(calls[i]?.points.length).toBe(body.metrics.length)
        }
        const pairs = (list: 'params' | 'tags') =>
          bodies.flatMap((body) => body[list]).map(({ key, value }) => [key, value])
        expect(pairs('params')).toEqual(Object.entries(params))
        expect(pairs('tags')).toEqual(Object.entries(tags))
        expect(calls.flatMap(({ points }) => points)).toEqual(metrics)
      },
    ),
    { numRuns: 30 },
  )
})

test('groups that are sent side by side part no key, keep its order and lose nothing', () => {
  fc.assert(
    fc.property(fc.array(metric, { maxLength: 300 }), fc.integer({ min: 1, max: 8 }), (metrics, count) => {
      const groups = lanes(metrics, count)
      expect(groups.length).toBeLessThanOrEqual(count)
      const keys = groups.map((group) => new Set(group.map(({ key: name }) => name)))
      expect(keys.reduce((sum, { size }) => sum + size, 0)).toBe(
        new Set(keys.flatMap((set) => [...set])).size,
      )
      const of = (name: string, list: readonly Metric[]) => list.filter((one) => one.key === name)
      for (const name of new Set(metrics.map((one) => one.key)))
        expect(of(name, groups.flat())).toEqual(of(name, metrics))
      expect(groups.flat()).toHaveLength(metrics.length)
    }),
  )
})

test('a value that is too long is cut between characters, and its whole digest is beside it', () => {
  const long = `${'x'.repeat(5998)}😀😀`
  const { params, tags } = fitted({ face: long, short: 'y' }, { note: 'z'.repeat(5001) })
  expect(params).toEqual({ face: `${'x'.repeat(5998)}…`, short: 'y' })
  expect(tags).toEqual({
    note: `${'z'.repeat(4999)}…`,
    'sha256.face': sha256(long),
    'sha256.note': sha256('z'.repeat(5001)),
  })
  // Values that fit are sent unchanged, and shortened values fit.
  expect(fitted(params, tags)).toEqual({ params, tags })
})

test('the digest of a long value has a name that the server takes, however long its own is', () => {
  const { tags } = fitted({ ['k'.repeat(250)]: 'x'.repeat(6001) }, {})
  expect(() => batches({ tags })).not.toThrow()
  expect(Object.values(tags)).toEqual([sha256('x'.repeat(6001))])
})
