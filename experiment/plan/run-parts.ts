import type { Plan } from './plan.ts'
import type { RunSettings } from '../records/run.ts'

/**
 * A run that is too large to go through Temporal as one piece: its record is in the store, and its
 * workflow reads the plan in pieces. Temporal takes 2 MB a payload and 4 MB a message.
 */

/** A run whose record is in the store. What starts its workflow where it is large. */
export interface StoredInput {
  /** The run's id. */
  readonly stored: string
  readonly store: string
}

/** Characters of a piece: quotes are escaped once more on the way. */
export const PART_CHARACTERS = 1_000_000

/** One piece of a plan as JSON. */
export interface PlanPart {
  readonly text: string
  readonly parts: number
  /** Stages are sent to workers by their keys: the plan is large, and leaves the split's indices out. */
  readonly byKey: boolean
  readonly settings: RunSettings
}

/** A plan as text in pieces, which together are JSON. Pure. */
export function planParts(
  plan: Plan,
  characters = PART_CHARACTERS,
): { readonly texts: readonly string[]; readonly byKey: boolean } {
  const whole = asciiJson(plan)
  if (whole.length <= characters) return { texts: [whole], byKey: false }
  const text = asciiJson(outline(plan))
  const texts = Array.from({ length: Math.ceil(text.length / characters) }, (_, i) =>
    text.slice(i * characters, (i + 1) * characters),
  )
  return { texts, byKey: true }
}

/** What a workflow needs of a plan: which samples are forgotten is for the stage alone. */
function outline(plan: Plan): Plan {
  const { split, ...params } = plan.split.params
  if (split.kind !== 'indices') return plan
  const { indices: _, ...named } = split
  return { ...plan, split: { ...plan.split, params: { ...params, split: named } } }
}

/** A piece may end between any two characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The plan that pieces make. */
export function planOf(texts: readonly string[]): Plan {
  return JSON.parse(texts.join('')) as Plan
}
