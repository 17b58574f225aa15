import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashOf, listOf, listText, parseRoute } from '../../../../../ui/web/shell/route.ts'

test('a place survives its address', () => {
  const part = fc.string({ minLength: 1 })
  // `__proto__` is no name of a parameter.
  const name = fc.string({ minLength: 1 }).filter((key) => !key.startsWith('__'))
  fc.assert(
    fc.property(fc.array(part), fc.dictionary(name, fc.string()), (path, query) => {
      expect(parseRoute(hashOf(path, query))).toEqual({ path, query: { ...query } })
    }),
  )
})

test('one state has one address', () => {
  expect(hashOf(['runs'], { b: '2', a: '1', gone: undefined })).toBe('#/runs?a=1&b=2')
  expect(hashOf(['runs'])).toBe('#/runs')
})

test('an address that someone typed is read as far as possible', () => {
  expect(parseRoute('')).toEqual({ path: [], query: {} })
  expect(parseRoute('#runs//50%/')).toEqual({ path: ['runs', '50%'], query: {} })
})

test('lists keep commas and percent signs of their items', () => {
  for (const list of [['a', 'b'], ['a,b', '50%', 'c%2Cd'], ['one']])
    expect(listOf(listText(list))).toEqual(list)
  expect(listText([])).toBeUndefined()
  expect(listOf(undefined)).toEqual([])
})
