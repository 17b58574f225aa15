import type { Artifacts } from '../artifacts/artifacts.ts'
import { outcomesPath } from '../artifacts/format/layout.ts'
import { digestOf } from '../common/canonical.ts'
import { parseJson } from '../common/json.ts'
import {
  outcomeAttacks,
  outcomeSets,
  pluginAttack,
  type AttackOutcome,
  type ModelOutcomes,
  type Outcomes,
} from '../experiment/records/outcomes.ts'
import { scoreNames } from '../experiment/records/scores.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { manifestOf, type ReportInput } from '../report/input.ts'
import { modelRows, type EvaluatedModel } from '../report/sections/model-rows.ts'
import type { Logits } from '../unlearning/metrics/logits.ts'
import { scoreCurves, shadowCurves, vulnerableCurves } from '../unlearning/outcomes/attack-curves.ts'
import { setOutcomes } from '../unlearning/outcomes/confusion.ts'
import { margins } from '../unlearning/population/margin.ts'
import { nonMemberPartsOf, nonMembersOf, type NonMemberPart } from './non-members.ts'
import { attacksByShadows, Budget, SharedShadows } from './shared-shadows.ts'
import { usableLogits } from './usable-logits.ts'

/** The most models whose logits are read, and the most bytes of them. At least one seed is read. */
const MOST_MODELS = 64
const MOST_BYTES = 2 ** 29
/** The most logits and margins of shadow models that the attacks on all models read together. */
const MOST_ATTACKED = 2 ** 25
/** Is raised when other outcomes are computed from the same results. */
const VERSION = 1

/**
 * Returns the outcomes in the folder of a run's report if they were computed from the results that
 * the store has now, and computes them otherwise.
 */
export async function storedOutcomes(artifacts: Artifacts, input: ReportInput): Promise<Outcomes> {
  const bytes = await artifacts.store.get(outcomesPath(input.run.id))
  const stored = bytes && parseJson(bytes)
  return isComplete(stored) && stored.source === sourceOf(input) ? stored : outcomesOf(artifacts, input)
}

/** Whether a value is the outcomes of all models. The digest of their source tells of which. */
function isComplete(value: unknown): value is Outcomes {
  if (typeof value !== 'object' || value === null) return false
  return 'source' in value && 'missing' in value && Array.isArray(value.missing) && value.missing.length === 0
}

/** The digest of all that the outcomes of a run are computed from. */
function sourceOf(input: ReportInput): string {
  const { plan, facts } = input.run
  const blobs = (stage: Stage | undefined) =>
    stage && [stage.key, input.manifests[stage.key]?.outputs ?? null]
  const rows = modelRows(input, (_, { evaluate, attack, membership, ruli }) => [
    ...[blobs(evaluate), membership?.key ?? null, ruli?.key ?? null],
    ...(attack?.params.scores ? [attack.key] : []),
  ])
  return digestOf([VERSION, facts.classes, rows, blobs(plan.split) ?? null, blobs(plan.shadow?.pool) ?? null])
}

/**
 * Computes the outcomes of a run from the logits in the store, one model after the other. Logits
 * that cannot be read are a reason and no error. `mostAttacked`: the most logits and margins of
 * shadow models that the attacks on all models read together.
 */
export async function outcomesOf(
  artifacts: Artifacts,
  input: ReportInput,
  mostAttacked = MOST_ATTACKED,
): Promise<Outcomes> {
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
  const nonMembers = nonMembersOf(split)
  const budget = new Budget(mostAttacked)
  const models: ModelOutcomes[] = []
  const missing: Outcomes['missing'][number][] = []
  for (let seed = 0; seed < read; seed++) {
    for (const { label, seeds } of rows) {
      const judged = seeds[seed]
      if (!judged) continue
      const logits = await usableLogits(artifacts, input, judged)
      if ('reason' in logits) {
        missing.push({ label, seed, reason: logits.reason })
        continue
      }
      const { retained, forget, test, forgottenTest } = logits
      const others = Object.fromEntries(nonMemberPartsOf(nonMembers).map((part) => [part, logits[part]]))
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
        attacks: [
          ...sorted([
            ...scores(forget, Object.values(others), budget),
            ...(await byShadows(shadows, judged.model, forget, others, budget)),
          ]),
          ...byPlugins(input, judged.model),
        ],
        forgetMargins: Array.from(margins(forget), (margin) => Number(margin.toPrecision(5))),
      })
    }
  }
  return {
    ...{ source: sourceOf(input), classes: facts.classes },
    ...{ seeds, read, nonMembers },
    rows: rows.map(({ label, isFloor, seeds: [first] }) => ({
      label,
      isGold: first !== undefined && first.model.evaluate.key === first.seed.reference?.evaluate.key,
      isFloor,
    })),
    ...{ models, missing },
  }
}

const TOO_MUCH = 'a report draws curves of so many samples of the first models alone'

function scores(forget: Logits, others: readonly Logits[], budget: Budget): readonly AttackOutcome[] {
  const work = [forget, ...others].reduce((sum, { values }) => sum + values.length, 0)
  return budget.take(work)
    ? scoreCurves(forget, others)
    : scoreNames.map((attack) => ({ attack, missing: TOO_MUCH }))
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

function sorted(attacks: readonly AttackOutcome[]): readonly AttackOutcome[] {
  return outcomeAttacks.flatMap((name) => attacks.filter(({ attack }) => attack === name))
}

/** The curves of the attacks of a model that need shadow models. Empty if it has none. */
async function byShadows(
  shadows: SharedShadows,
  model: EvaluatedModel,
  forget: Logits,
  others: Readonly<Partial<Record<NonMemberPart, Logits>>>,
  budget: Budget,
): Promise<readonly AttackOutcome[]> {
  const attacks = attacksByShadows(model)
  if (attacks.length === 0) return []
  const attacked = await shadows.attacked(forget, others, budget, TOO_MUCH)
  if ('missing' in attacked) return attacks.map((attack) => ({ attack, ...attacked }))
  const { membership, ruli } = model
  const all = { ...attacked.both, members: forget.labels.length }
  return [
    ...(membership ? shadowCurves(attacked) : []),
    ...(ruli ? vulnerableCurves(all, ruli.params.ruli.select) : []),
  ]
}

/** The curves of the scores of plug-ins, which their stage has computed. */
function byPlugins(input: ReportInput, { attack }: EvaluatedModel): readonly AttackOutcome[] {
  const { curves = {} } = (attack && manifestOf<'attack'>(input, attack)?.metrics) ?? {}
  return Object.entries(curves).map(([label, curve]) => ({ attack: pluginAttack(label), ...curve }))
}
