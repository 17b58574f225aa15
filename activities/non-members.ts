import type { ManifestOf } from '../experiment/records/manifest.ts'
import type { Split } from '../unlearning/split/split.ts'

/** The parts of the split that attacks take as samples that the model never saw. */
const nonMemberParts = {
  test: ['attackTest', 'test'],
  forgottenTest: ['forgottenTest'],
} as const satisfies Readonly<Record<string, readonly (keyof Split)[]>>
export type NonMembers = keyof typeof nonMemberParts
export type NonMemberPart = (typeof nonMemberParts)[NonMembers][number]

/**
 * The set of non-members. If whole classes are forgotten, test samples of other classes would be
 * recognised by their class alone.
 */
export function nonMembersOf(split: ManifestOf<'split'> | undefined): NonMembers {
  return (split?.metrics.forgottenClasses.length ?? 0) > 0 ? 'forgottenTest' : 'test'
}

export function nonMemberPartsOf(nonMembers: NonMembers): readonly NonMemberPart[] {
  return nonMemberParts[nonMembers]
}
