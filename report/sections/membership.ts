import {
  shadowAttacks,
  shadowFigures,
  shadowedSets,
  type ShadowAttack,
  type ShadowFigure,
  type ShadowedSet,
} from '../../experiment/records/measured.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { Figure } from '../../experiment/records/results.ts'
import { attackFigure } from '../attack-figure.ts'
import { figureCell, heading, note, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { counted } from '../../common/counted.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

export type MembershipRow = ModelRow<StageMetrics['membership'] | { readonly missing: string }>

/** Membership inference by shadow models: LiRA and RMIA. */
export const membership: StageSection = {
  title: 'Membership inference from shadow models',
  about: 'LiRA and RMIA on the forget set and on the retained set',
  needs: '`shadow`',
  blocks: (input) => {
    const rows = membershipRows(input)
    const models = input.run.plan.shadow?.models.length
    if (!rows || models === undefined) return undefined
    const seeds = describeSeeds(input.run.spec)
    const few = fewShadows(models, rows)
    return [
      prose(
        `${models} shadow models, each trained on a random half of all samples, show how training on a sample moves its φ = log(p_y / (1 − p_y)). By that, LiRA and RMIA (γ = 2) say how likely it is that the attacked model trained on it. AUC is the probability that they rank a sample of the set above a test sample that the model never saw: 0.5 is chance. TPR is the percentage of the set that is found where 1% or 0.1% of the test samples are found with it. ${seeds ? `${seeds}.` : 'Each figure has its 95% interval.'}`,
      ),
      ...(few === undefined ? [] : [note(few)]),
      ...shadowedSets.flatMap((set) => {
        const { title, ideal } = sets[set]
        const samples = results(rows)?.sets[set]
        const sizes = samples
          ? `${counted(samples.members, 'sample')} of it against ${counted(samples.nonMembers, 'test sample')}. `
          : ''
        const columns = shadowAttacks.flatMap((attack) =>
          shadowFigures.map((name) => ({
            label: figures[name].label,
            group: attackLabels[attack],
            split: name === 'auc',
            of: (row: MembershipRow) => figureCell(shadowFigure(row, set, attack, name), figures[name].write),
          })),
        )
        return [
          heading(title),
          prose(`${sizes}${ideal}`),
          modelTable(`Shadow models, ${set} set`, `membership-${set}`, rows, columns),
        ]
      }),
    ]
  },
  computed: {
    key: 'membership',
    of: (input) => membershipRows(input)?.map(({ label, seeds }) => ({ label, seeds })),
  },
}

/** Returns undefined if the run has no shadow models. */
export function membershipRows(input: ReportInput): readonly MembershipRow[] | undefined {
  const { shadow } = input.run.plan
  if (!shadow) return undefined
  return modelRows(input, (seed, model) => {
    const { evaluate, membership } = model
    const finished = membership && manifestOf<'membership'>(input, membership)
    if (finished) return finished.metrics
    const { models, pool } = shadow
    const needed = [...makersOf(seed, model), evaluate, ...models, pool, ...(membership ? [membership] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** A row's figure: the AUC in [0, 1], or a true-positive rate in percent. */
export function shadowFigure(
  { seeds }: MembershipRow,
  set: ShadowedSet,
  attack: ShadowAttack,
  name: ShadowFigure,
): Figure {
  return attackFigure(
    seeds.map((one) => ('missing' in one ? one : one.sets[set].attacks[attack][name])),
    name === 'auc' ? 'share' : 'percent',
  )
}

const figures: Readonly<
  Record<ShadowFigure, { readonly label: string; readonly write: (value: number) => string }>
> = {
  auc: { label: 'AUC', write: significant },
  tprAt1: { label: 'TPR at 1%', write: percent },
  tprAt01: { label: 'at 0.1%', write: percent },
}

const attackLabels: Readonly<Record<ShadowAttack, string>> = {
  lira: 'LiRA, online',
  liraOffline: 'LiRA, offline',
  rmia: 'RMIA',
}

const sets: Readonly<Record<ShadowedSet, { readonly title: string; readonly ideal: string }>> = {
  forget: {
    title: 'The forget set D_f',
    ideal: 'Gold never saw it, so that for gold this is chance: what is above is still remembered.',
  },
  retained: {
    title: 'The retained set D_r',
    ideal: 'Every model trained on it: what is above gold, the unlearning of others has exposed.',
  },
}

/** The results of the first attack that finished. All attacks have the same sizes and variance. */
function results(rows: readonly MembershipRow[]): StageMetrics['membership'] | undefined {
  return rows.flatMap(({ seeds }) => seeds).find((one) => 'sets' in one)
}

/** With fewer shadow models than this, the report says that they are few: 16 of each kind. */
const LEAST_SHADOWS = 32

/** The consequence of few shadow models for the figures; undefined if there are many. */
function fewShadows(models: number, rows: readonly MembershipRow[]): string | undefined {
  if (models >= LEAST_SHADOWS && results(rows)?.variance !== 'pooled') return undefined
  const few = `Each sample has ${models / 2} shadow models that trained on it and ${models / 2} that did not`
  const pooled = 'LiRA takes one variance for all samples, as Carlini et al. (2022) do with few models'
  return models < LEAST_SHADOWS
    ? `${few}, which is few: ${pooled}, and with more shadow models these attacks would find more.`
    : `${few}: ${pooled}.`
}
