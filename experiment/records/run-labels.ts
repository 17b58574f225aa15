import { z } from 'zod'

/**
 * Tags and the note that a user gives to a run. They are stored beside the record of the run, and
 * are part of no key, id or digest.
 */

const MOST_TAGS = 50
const MOST_CHARACTERS = 4000
export const tagPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/

export const runLabelsSchema = z
  .strictObject({
    tags: z.array(z.string().regex(tagPattern)).max(MOST_TAGS).readonly(),
    note: z.string().min(1).max(MOST_CHARACTERS).optional(),
  })
  .readonly()

export type RunLabels = z.output<typeof runLabelsSchema>

/** The reason why labels are not valid, or undefined if they are. */
export function labelsFlaw(labels: RunLabels): string | undefined {
  if (labels.tags.length > MOST_TAGS)
    return `a run has at most ${MOST_TAGS} tags, found ${labels.tags.length}`
  const length = labels.note?.length ?? 0
  return length > MOST_CHARACTERS
    ? `a note has at most ${MOST_CHARACTERS} characters, found ${length}`
    : undefined
}
