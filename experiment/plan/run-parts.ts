import type { Plan } from './types.ts'
import type { RunSettings } from '../records/run.ts'

/**
 * Support for runs that are too large for one Temporal payload: the record is in the store, and the
 * workflow reads the plan in pieces. Temporal's limits are 2 MB for a payload and 4 MB for a
 * message.
 */

/** The input of the workflow of a large run, whose record is in the store. */
export interface StoredInput {
  /** The run's id. */
  readonly stored: string
  readonly store: string
}

/**
 * The characters of a piece. The limit leaves room for the quotes that JSON escapes a second time.
 */
export const PART_CHARACTERS = 1_000_000

/** One piece of a plan as JSON. */
export interface PlanPart {
  readonly text: string
  readonly parts: number
  /**
   * Whether stages are sent to workers by their keys. The plan is large then, and lacks the indices
   * of the split.
   */
  readonly byKey: boolean
  readonly settings: RunSettings
}

/** Divides the JSON of a plan into pieces. */
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

/** The plan without the indices of forgotten samples, which the workflow does not need. */
function outline(plan: Plan): Plan {
  const { split, ...params } = plan.split.params
  if (split.kind !== 'indices') return plan
  const { indices: _, ...named } = split
  const { keep: __, ...data } = plan.dataset.params
  return {
    ...plan,
    dataset: { ...plan.dataset, params: data },
    split: { ...plan.split, params: { ...params, split: named } },
  }
}

/** JSON in ASCII, so that a piece may end between any two characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Joins the pieces of a plan. */
export function planOf(texts: readonly string[]): Plan {
  return JSON.parse(texts.join('')) as Plan
}
