import type { Problem } from '../../common/errors.ts'
import type { Deletion } from '../records/deletion.ts'
import type { DeletionRequest } from './ledger.ts'

const MOST_TOLD = 10

/**
 * The reasons why a request cannot be queued behind the earlier ones: its reference is taken, or a
 * sample is forgotten already or part of an open request. A refused request counts for neither,
 * so that it may be made again. Pure.
 */
export function requestProblems(
  { reference, samples }: Pick<DeletionRequest, 'reference' | 'samples'>,
  earlier: readonly { readonly request: DeletionRequest; readonly record?: Deletion }[],
): readonly Problem[] {
  const standing = earlier.filter(({ record }) => record?.state !== 'refused')
  const same = standing.find(({ request }) => request.reference === reference)
  const requestOf = new Map(
    standing.flatMap((one) => one.request.samples.map(({ index }) => [index, one] as const)),
  )
  const taken = samples.flatMap(({ id, index }): Problem[] => {
    const one = requestOf.get(index)
    if (!one) return []
    const { number, reference: theirs } = one.request
    const where = `request ${number} ("${theirs}")`
    return [
      {
        message: one.record
          ? `sample ${id} was forgotten by ${where} already; leave it out`
          : `sample ${id} is part of ${where}, which is not settled yet; leave it out`,
      },
    ]
  })
  return [
    ...(same
      ? [
          {
            message: `the reference "${reference}" is that of request ${same.request.number} already; give this request another`,
          },
        ]
      : []),
    ...taken.slice(0, MOST_TOLD),
    ...(taken.length > MOST_TOLD
      ? [{ message: `${taken.length - MOST_TOLD} more of them are like these` }]
      : []),
  ]
}
