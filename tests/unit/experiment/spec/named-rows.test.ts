import { expect, test } from 'vitest'
import { applyOverrides, readOverrides } from '../../../../experiment/spec/config-overrides.ts'

const config = {
  methods: [
    { method: 'retrain' },
    { method: 'rfa', rank: 4 },
    { method: 'finetune', label: 'short', epochs: 1 },
    { method: 'finetune', label: 'a = b (1)', epochs: 2 },
    { method: 'original', label: '7' },
  ],
}

test.each([
  ['the method of one row', 'methods[rfa].rank=8', ['methods', 1, 'rank'], 8],
  ['a label', 'methods[short].epochs=3', ['methods', 2, 'epochs'], 3],
  ['a label with an equals sign', 'methods[a = b (1)].epochs=3', ['methods', 3, 'epochs'], 3],
  ['a position, also if it is a label', 'methods[1].rank=8', ['methods', 1, 'rank'], 8],
  [
    'a whole row',
    'methods[retrain]={ method: retrain, label: gold }',
    ['methods', 0],
    { method: 'retrain', label: 'gold' },
  ],
])('a row is given by %s', (_, text, path, value) => {
  const applied = applyOverrides(config, [text])
  expect(applied.problems).toEqual([])
  expect(applied.overrides).toEqual([{ text, path, value }])
})

test('a name counts for the config with the overrides before it', () => {
  const { value, problems } = applyOverrides(config, ['methods[short].label=long', 'methods[long].epochs=9'])
  expect(problems).toEqual([])
  expect(value).toMatchObject({ methods: { 2: { label: 'long', epochs: 9 } } })
})

test.each([
  [
    'an ambiguous method',
    'methods[finetune].epochs=3',
    '"finetune" stands for methods[2], methods[3]; give the position of one, or its label',
  ],
  ['a misspelt one', 'methods[rfaa].rank=8', 'methods has no row "rfaa"; did you mean "rfa"?'],
])('%s is refused', (_, text, message) => {
  expect(applyOverrides(config, [text]).problems).toEqual([{ file: `-S ${text}`, message }])
})

test('without a list of methods there is no row', () => {
  expect(applyOverrides({ methods: 3 }, ['methods[rfa].rank=8']).problems).toEqual([
    { file: '-S methods[rfa].rank=8', message: 'methods is not a list, so it has no entry "rfa"' },
  ])
})

test('a sweep takes positions', () => {
  expect(readOverrides(['methods[rfa].rank=8', 'methods[1].rank=8'])).toMatchObject({
    overrides: [{ path: ['methods', 1, 'rank'] }],
    problems: [
      {
        file: '-S methods[rfa].rank=8',
        message: 'rows of a sweep are given by their positions, such as methods[0].rank=8',
      },
    ],
  })
})
