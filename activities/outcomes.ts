import type { Artifacts } from '../artifacts/artifacts.ts'
import { BlobError } from '../artifacts/blobs/blob-errors.ts'
import type { SeedPlan } from '../experiment/plan/types.ts'
import type { ManifestOf } from '../experiment/records/manifest.ts'
import {
  outcomeAttacks,
  outcomeSets,
  type AttackOutcome,
  type ModelOutcomes,
  type Outcomes,
} from '../experiment/records/outcomes.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { manifestOf, whyMissing, type ReportInput } from '../report/input.ts'
import { makersOf, modelRows, type EvaluatedModel } from '../report/sections/model-rows.ts'
import { unusable, type Logits } from '../unlearning/metrics/logits.ts'
import { scoreCurves, shadowCurves, vulnerableCurves } from '../unlearning/outcomes/attack-curves.ts'
import { setOutcomes } from '../unlearning/outcomes/confusion.ts'
import { margins } from '../unlearning/population/margin.ts'
import { poolAt, type Shadows } from '../unlearning/population/shadows.ts'
import type { Split } from '../unlearning/split/split.ts'
import { readPool, readSplit } from './runtime/blob-codecs.ts'
import { readLogits } from './stages/logits.ts'

/** The most models whose logits are read, and the most bytes of them. At least one seed is read. */
const MOST_MODELS = 64
const MOST_BYTES = 2 ** 29

/**
 * Computes the outcomes of a run from the logits in the store, one model after the other. Logits
 * that cannot be read are a reason and no error.
 */
export async function outcomesOf(artifacts: Artifacts, input: ReportInput): Promise<Outcomes> {
  const { plan, facts } = input.run
  const rows = modelRows(input, (seed, model) => ({ seed, model }))
  const seeds = seedsOf(plan).length
  const read = seedsRead(
    Array.from({ length: seeds }, (_, seed) =>
      rows.flatMap((row) => {
        const judged = row.seeds[seed]
        return judged
          ? [manifestOf<'evaluate'>(input, judged.model.evaluate)?.outputs.logits?.bytes ?? 0]
          : []
      }),
    ),
  )
  const split = manifestOf<'split'>(input, plan.split)
  const shadows = new SharedShadows(artifacts, input, split)
  const nonMembers = (split?.metrics.forgottenClasses.length ?? 0) > 0 ? 'forgottenTest' : 'test'
  const models: ModelOutcomes[] = []
  const missing: Outcomes['missing'][number][] = []
  for (let seed = 0; seed < read; seed++) {
    for (const { label, seeds } of rows) {
      const judged = seeds[seed]
      if (!judged) continue
      const logits = await logitsOf(artifacts, input, judged)
      if ('reason' in logits) {
        missing.push({ label, seed, reason: logits.reason })
        continue
      }
      const { retained, forget, test, attackTest, forgottenTest } = logits
      const others = nonMembers === 'test' ? { attackTest, test } : { forgottenTest }
      models.push({
        label,
        seed,
        sets: Object.fromEntries(
          outcomeSets.flatMap((set) =>
            logits[set].labels.length > 0
              ? [[set, setOutcomes({ retained, forget, test, forgottenTest }[set])]]
              : [],
          ),
        ),
        attacks: sorted([
          ...scoreCurves(forget, Object.values(others)),
          ...(await shadows.curves(judged.model, forget, others)),
        ]),
        forgetMargins: Array.from(margins(forget), (margin) => Number(margin.toPrecision(5))),
      })
    }
  }
  return {
    classes: facts.classes,
    ...{ seeds, read, nonMembers },
    rows: rows.map(({ label, isFloor, seeds: [first] }) => ({
      label,
      isGold: first !== undefined && first.model.evaluate.key === first.seed.reference?.evaluate.key,
      isFloor,
    })),
    ...{ models, missing },
  }
}

/** The number of seeds that are read, from the bytes of each seed's models. */
function seedsRead(bytes: readonly (readonly number[])[]): number {
  let [models, total] = [0, 0]
  const over = bytes.findIndex((seed) => {
    models += seed.length
    total += seed.reduce((sum, one) => sum + one, 0)
    return models > MOST_MODELS || total > MOST_BYTES
  })
  return over === -1 ? bytes.length : Math.max(1, over)
}

/** The logits of a model, or the reason why they cannot be used. */
async function logitsOf(
  artifacts: Artifacts,
  input: ReportInput,
  { seed, model }: { readonly seed: SeedPlan; readonly model: EvaluatedModel },
): Promise<Awaited<ReturnType<typeof readLogits>> | { readonly reason: string }> {
  const manifest = manifestOf<'evaluate'>(input, model.evaluate)
  if (!manifest) return { reason: whyMissing(input, [...makersOf(seed, model), model.evaluate]) }
  if (!manifest.outputs.logits) return { reason: 'its evaluation has left no logits' }
  try {
    const logits = await readLogits(artifacts, manifest)
    if (logits.forget.classes < 2) return { reason: 'the data have a single class' }
    const flaw = outcomeSets.map((set) => flawOf(logits[set])).find((reason) => reason !== undefined)
    return flaw === undefined ? logits : { reason: flaw }
  } catch (error) {
    if (error instanceof BlobError) return { reason: 'the store has no usable blob of its logits' }
    throw error
  }
}

/** The reason why the logits of a set cannot be used. An empty set can. */
function flawOf(logits: Logits): string | undefined {
  return logits.labels.length === 0 ? undefined : unusable(logits)
}

function sorted(attacks: readonly AttackOutcome[]): readonly AttackOutcome[] {
  return outcomeAttacks.flatMap((name) => attacks.filter(({ attack }) => attack === name))
}

type ShadowPool = { readonly shadows: Shadows; readonly split: Split } | { readonly missing: string }

/** The shadow models of a run, which are read for the first model that they attack. */
class SharedShadows {
  private readonly artifacts: Artifacts
  private readonly input: ReportInput
  private readonly split: ManifestOf<'split'> | undefined
  private pool: Promise<ShadowPool> | undefined

  constructor(artifacts: Artifacts, input: ReportInput, split: ManifestOf<'split'> | undefined) {
    this.artifacts = artifacts
    this.input = input
    this.split = split
  }

  /** The curves of the attacks of a model that need shadow models. Empty if it has none. */
  async curves(
    { membership, ruli }: EvaluatedModel,
    forget: Logits,
    others: Readonly<Partial<Record<'attackTest' | 'test' | 'forgottenTest', Logits>>>,
  ): Promise<readonly AttackOutcome[]> {
    const attacks = [
      ...(membership ? (['lira', 'liraOffline', 'rmia'] as const) : []),
      ...(ruli ? (['ruliGaussian', 'ruliKernel'] as const) : []),
    ]
    if (attacks.length === 0) return []
    const pool = await (this.pool ??= this.read())
    if ('missing' in pool) return attacks.map((attack) => ({ attack, ...pool }))
    const { shadows, split } = pool
    const attacked = (sets: Readonly<Partial<Record<keyof Split, Logits>>>) => {
      const named = Object.entries(sets) as readonly (readonly [keyof Split, Logits])[]
      return {
        target: Float64Array.from(named.flatMap(([, logits]) => [...margins(logits)])),
        shadow: poolAt(shadows, Int32Array.from(named.flatMap(([set]) => [...split[set]]))),
      }
    }
    const both = attacked({ forget, ...others })
    return [
      ...(membership ? shadowCurves({ both, others: attacked(others) }) : []),
      ...(ruli ? vulnerableCurves({ ...both, members: forget.labels.length }, ruli.params.ruli.select) : []),
    ]
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
