import type { DatasetFacts } from '../experiment/dataset.ts'
import type { SplitSpec } from '../experiment/spec.ts'
import { counted, percent } from './format.ts'

/** Settings in words, for people. */

/** `the class "cat"`, `10% of the training samples, drawn at random`. */
export function describeSplit(split: SplitSpec, facts: DatasetFacts): string {
  switch (split.kind) {
    case 'class': {
      const names = split.classes.map((wanted) => {
        const name = typeof wanted === 'number' ? facts.classes[wanted] : wanted
        return `“${name ?? wanted}”`
      })
      return `the ${names.length === 1 ? 'class' : 'classes'} ${names.join(', ')}`
    }
    case 'random':
      return split.count === undefined
        ? `${percent(100 * (split.fraction ?? 0))}% of the training samples, drawn at random`
        : `${counted(split.count, 'training sample')}, drawn at random`
  }
}

/**
 * Options as one line, sorted by name: `batchSize 64; epochs 25; optimizer adam (beta1 0.9, learningRate 0.002)`. What
 * has a `name` is called by it.
 */
export function describeOptions(options: object): string {
  return entries(options)
    .map(([key, value]) => `${key} ${describe(value)}`)
    .join('; ')
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  const { name, ...options } = value as Readonly<Record<string, unknown>>
  const rest = entries(options)
    .map(([key, option]) => `${key} ${describe(option)}`)
    .join(', ')
  if (typeof name !== 'string') return `(${rest})`
  return rest ? `${name} (${rest})` : name
}

function entries(options: object): readonly (readonly [string, unknown])[] {
  return (Object.entries(options) as [string, unknown][])
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
