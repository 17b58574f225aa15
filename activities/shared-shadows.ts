import type { Artifacts } from '../artifacts/artifacts.ts'
import { BlobError } from '../artifacts/blobs/blob-errors.ts'
import type { ManifestOf } from '../experiment/records/manifest.ts'
import { shadowAttacks } from '../experiment/records/measured.ts'
import type { OutcomeAttack } from '../experiment/records/outcomes.ts'
import type { ScoreName } from '../experiment/records/scores.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { manifestOf, whyMissing, type ReportInput } from '../report/input.ts'
import type { EvaluatedModel } from '../report/sections/model-rows.ts'
import type { Logits } from '../unlearning/metrics/logits.ts'
import { margins } from '../unlearning/population/margin.ts'
import type { MembersAndOthers } from '../unlearning/population/shadow-attacks.ts'
import { poolAt, type Shadows } from '../unlearning/population/shadows.ts'
import type { Split } from '../unlearning/split/split.ts'
import type { NonMemberPart } from './non-members.ts'
import { readPool, readSplit } from './runtime/blob-codecs.ts'

/** The attacks of a model that need shadow models. */
export function attacksByShadows({
  membership,
  ruli,
}: EvaluatedModel): readonly Exclude<OutcomeAttack, ScoreName>[] {
  return [...(membership ? shadowAttacks : []), ...(ruli ? (['ruliGaussian', 'ruliKernel'] as const) : [])]
}

/** What is left of the work that may be spent on attacks. It depends on sizes alone. */
export class Budget {
  private left: number
  constructor(left: number) {
    this.left = left
  }

  /** Takes the work of an attack. Returns false, and takes nothing, if too little is left. */
  take(work: number): boolean {
    if (work > this.left) return false
    this.left -= work
    return true
  }
}

type ShadowPool = { readonly shadows: Shadows; readonly split: Split } | { readonly missing: string }

/** The shadow models of a run, which are read for the first model that they attack. */
export class SharedShadows {
  private readonly artifacts: Artifacts
  private readonly input: ReportInput
  private readonly split: ManifestOf<'split'> | undefined
  private pool: Promise<ShadowPool> | undefined

  constructor(artifacts: Artifacts, input: ReportInput, split: ManifestOf<'split'> | undefined) {
    this.artifacts = artifacts
    this.input = input
    this.split = split
  }

  /**
   * A model on the forget set and on the others as its shadow models attack it, or the reason why
   * they do not. `tooMuch` is the reason if the budget does not suffice.
   */
  async attacked(
    forget: Logits,
    others: Readonly<Partial<Record<NonMemberPart, Logits>>>,
    budget: Budget,
    tooMuch: string,
  ): Promise<MembersAndOthers | { readonly missing: string }> {
    const pool = await (this.pool ??= this.read())
    if ('missing' in pool) return pool
    const { shadows, split } = pool
    const samples = [forget, ...Object.values(others)].reduce((sum, { labels }) => sum + labels.length, 0)
    if (!budget.take(samples * shadows.models)) return { missing: tooMuch }
    const onSets = (sets: Readonly<Partial<Record<keyof Split, Logits>>>) => {
      const named = Object.entries(sets) as readonly (readonly [keyof Split, Logits])[]
      return {
        target: Float64Array.from(named.flatMap(([, logits]) => [...margins(logits)])),
        shadow: poolAt(shadows, Int32Array.from(named.flatMap(([set]) => [...split[set]]))),
      }
    }
    return { both: onSets({ forget, ...others }), others: onSets(others) }
  }

  private async read(): Promise<ShadowPool> {
    const { shadow, split } = this.input.run.plan
    const stages: readonly Stage[] = shadow ? [...shadow.models, shadow.pool, split] : [split]
    const pool = shadow && manifestOf<'pool'>(this.input, shadow.pool)
    if (!pool || !this.split) return { missing: whyMissing(this.input, stages) }
    try {
      return {
        shadows: await readPool(this.artifacts, pool),
        split: await readSplit(this.artifacts, this.split),
      }
    } catch (error) {
      if (error instanceof BlobError) return { missing: 'the store has no usable blob of the shadow models' }
      throw error
    }
  }
}
