import type { Artifacts } from '../artifacts/artifacts.ts'
import type { OutcomeAttack } from '../experiment/records/outcomes.ts'
import type { SampleScores } from '../experiment/records/samples.ts'
import { scoreDefinitions, type ScoreName } from '../experiment/records/scores.ts'
import { manifestOf, type ReportInput } from '../report/input.ts'
import type { EvaluatedModel } from '../report/sections/model-rows.ts'
import type { Logits } from '../unlearning/metrics/logits.ts'
import {
  memberScores,
  shadowScores,
  vulnerableSamples,
  vulnerableScores,
} from '../unlearning/outcomes/attack-scores.ts'
import type { Scores } from '../unlearning/population/pool.ts'
import type { MembersAndOthers } from '../unlearning/population/shadow-attacks.ts'
import { readSplit } from './runtime/blob-codecs.ts'
import { listedModels, rowsOf, type TablePart } from './samples.ts'
import { nonMemberPartsOf, nonMembersOf, type NonMemberPart } from './non-members.ts'
import { attacksByShadows, Budget, SharedShadows } from './shared-shadows.ts'
import { usableLogits } from './usable-logits.ts'

/** The most margins of shadow models that an attack on all models reads. */
const MOST_ATTACKED = 2 ** 27
const TOO_MUCH = 'the shadow models are too many to attack more models for a page'

type AttackByShadows = Exclude<OutcomeAttack, ScoreName>
type ScoresOfPart = { readonly of: (part: TablePart) => Float64Array } | { readonly missing: string }

/**
 * The scores of an attack for the samples of a run's table (activities/samples.ts). They are those
 * of the attack's curve. Undefined if there is no table.
 */
export async function sampleScoresOf(
  artifacts: Artifacts,
  input: ReportInput,
  attack: OutcomeAttack,
): Promise<SampleScores | undefined> {
  const manifest = manifestOf<'split'>(input, input.run.plan.split)
  if (!manifest?.outputs.split) return undefined
  const split = await readSplit(artifacts, manifest)
  const { column } = rowsOf((part) => split[part].length)
  const budget = new Budget(MOST_ATTACKED)
  const shadows = new SharedShadows(artifacts, input, manifest)
  const nonMembers = nonMemberPartsOf(nonMembersOf(manifest))
  const models: SampleScores['models'][number][] = []
  const missing: SampleScores['missing'][number][] = []
  for (const { label, judged } of listedModels(input)) {
    const logits = await usableLogits(artifacts, input, judged)
    const found: ScoresOfPart =
      'reason' in logits
        ? { missing: logits.reason }
        : isScore(attack)
          ? { of: (part) => memberScores(attack, logits[part]) }
          : await byShadows(attack, judged.model, logits)
    if ('missing' in found) missing.push({ label, reason: found.missing })
    else models.push({ label, scores: column(found.of).map(rounded) })
  }
  return { attack, models, missing }

  async function byShadows(
    attack: AttackByShadows,
    model: EvaluatedModel,
    logits: Readonly<Record<'forget' | NonMemberPart, Logits>>,
  ): Promise<ScoresOfPart> {
    if (!attacksByShadows(model).includes(attack)) return { missing: 'the model was not attacked this way' }
    const others = Object.fromEntries(nonMembers.map((part) => [part, logits[part]]))
    const attacked = await shadows.attacked(logits.forget, others, budget, TOO_MUCH)
    const found = 'missing' in attacked ? attacked : scoresByShadows(attack, attacked, model)
    if ('missing' in found) return found
    const order: readonly TablePart[] = ['forget', ...nonMembers]
    return {
      of(part) {
        if (!order.includes(part)) return new Float64Array(split[part].length).fill(NaN)
        const before = order.slice(0, order.indexOf(part)).reduce((sum, one) => sum + split[one].length, 0)
        return found.scores.subarray(before, before + split[part].length)
      },
    }
  }
}

const isScore = (attack: OutcomeAttack): attack is ScoreName => attack in scoreDefinitions

const rounded = (score: number) => (Number.isNaN(score) ? null : Number(score.toPrecision(6)))

/** Scores of members and non-members. Those of samples that are not attacked are NaN. */
function scoresByShadows(
  attack: AttackByShadows,
  attacked: MembersAndOthers,
  { ruli }: EvaluatedModel,
): Scores {
  const { both, others } = attacked
  if (attack !== 'ruliGaussian' && attack !== 'ruliKernel') return shadowScores(attack, attacked)
  const all = { ...both, members: both.target.length - others.target.length }
  const chosen = vulnerableSamples(all, ruli?.params.ruli.select ?? 1)
  const found = 'missing' in chosen ? chosen : vulnerableScores(attack, chosen)
  if ('missing' in found || 'missing' in chosen) return found
  const scores = new Float64Array(both.target.length).fill(NaN)
  chosen.positions.forEach((position, i) => {
    scores[position] = found.scores[i] ?? NaN
  })
  return { scores }
}
