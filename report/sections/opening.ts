import type { Figure, MethodVerdict, ResultRow } from '../../experiment/records/results.ts'
import { counted } from '../../common/counted.ts'
import { setSizes, sum } from '../../experiment/spec/sets.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { note, type Banner, type Block, type Section, type Term } from '../blocks.ts'
import { describeChangedCode } from '../describe.ts'
import { intervalText, percent } from '../format.ts'
import type { ReportInput } from '../input.ts'
import type { Judgement } from '../judgement/judge.ts'
import { checkOracle, type OracleCheck } from '../oracle.ts'
import { floorGap, lowestGap } from '../results.ts'
import { verdict } from '../verdict.ts'

/** The note and the tags of the run, if it has any. */
export function labelsSection({ labels }: ReportInput): Section | undefined {
  if (!labels) return undefined
  const { tags, note: text } = labels
  return {
    blocks: [
      {
        kind: 'banner',
        tone: 'note',
        title: text === undefined ? 'Tags.' : 'Note.',
        text: text ?? tags.join(', '),
        ...(text !== undefined && tags.length > 0 && { items: [`Tags: ${tags.join(', ')}`] }),
      },
    ],
  }
}

/** Problems of the run, if it has any. */
export function problems(input: ReportInput): Section {
  const { failed, run } = input
  const changedCode = describeChangedCode(stagesOf(run.plan))
  const [many, them] = failed.length === 1 ? ['One stage', 'it'] : [`${failed.length} stages`, 'them']
  return {
    blocks: [
      ...oracleBanner(checkOracle(input)),
      ...startBanners(input),
      ...(failed.length === 0
        ? []
        : [
            {
              kind: 'banner' as const,
              tone: 'warning' as const,
              title: `${many} failed.`,
              text: `The rest of the report stands without ${them}.`,
              items: failed.map(({ title, reason }) => `${title}: ${reason}`),
            },
          ]),
      ...(changedCode === undefined
        ? []
        : [
            {
              kind: 'banner' as const,
              tone: 'note' as const,
              title: 'Changed code.',
              text: `${changedCode}.`,
            },
          ]),
    ],
  }
}

/**
 * Warnings about models from elsewhere: gold may have seen the forget set, and the original the
 * samples that are set apart.
 */
function startBanners({ run: { spec, plan, facts } }: ReportInput): readonly Banner[] {
  if (!spec.original) return []
  const start = plan.gold[0]?.inputs.checkpoint?.key
  const isTrained = plan.gold[0] && plan.gold[0].params.on !== 'given'
  const isSame = start !== undefined && start === plan.original.inputs.checkpoint?.key
  const held = sum(facts.train) - setSizes(spec.data, facts).train
  return [
    ...(isTrained && isSame && !spec.gold.unseen
      ? [
          {
            kind: 'banner' as const,
            tone: 'alert' as const,
            title: 'Gold may have seen the forget set.',
            text:
              'The gold models start from the checkpoint of the original, whose training data may contain the forget set. If it does, ' +
              'they are no reference: name a checkpoint that never saw it as gold.from with unseen: true, train gold from new weights ' +
              '(gold.training), or leave gold out (gold: none).',
          },
        ]
      : []),
    ...(held > 0
      ? [
          {
            kind: 'banner' as const,
            tone: 'warning' as const,
            title: 'The original was not trained here.',
            text: `${counted(held, 'sample')} of the training files ${held === 1 ? 'is' : 'are'} set apart for validation or tests. If the original was trained on them, figures that take them for unseen are wrong: TA, attacks and the validation gap.`,
          },
        ]
      : []),
  ]
}

function oracleBanner({ passed, message, noGold }: OracleCheck): readonly Banner[] {
  if (passed === true || noGold) return []
  return passed === undefined
    ? [{ kind: 'banner', tone: 'warning', title: 'Gold was not checked.', text: message }]
    : [{ kind: 'banner', tone: 'alert', title: 'Gold does not look like gold.', text: message }]
}

/** The outcome in plain words. */
export function outcomeSection(
  input: ReportInput,
  rows: readonly ResultRow[],
  judgement: Judgement,
): Section {
  const { headline, details } = verdict(input, rows, judgement)
  const { passed, message } = checkOracle(input)
  const original = rows.find(({ method }) => method === 'original')
  const items = [
    ...(judgement.methods.length === 0
      ? [pointsTile('Smallest average gap, not tested', lowestGap(rows)?.metrics.averageGap)]
      : verdictTiles(judgement)),
    pointsTile('Floor: gap between two gold models', floorGap(input)),
    ...(original ? [pointsTile('Gap of the original model', original.metrics.averageGap)] : []),
  ]
  const blocks: readonly Block[] = [
    { kind: 'prose', style: 'headline', text: headline },
    { kind: 'terms', style: 'tiles', items },
    ...(details.length > 0 ? [{ kind: 'list' as const, items: details }] : []),
    ...(passed === true ? [note(`Oracle check passed. ${message}`)] : []),
  ]
  return { framed: true, blocks }
}

/** The number of methods with each verdict. */
function verdictTiles({ methods }: Judgement): readonly Term[] {
  const count = (verdict: MethodVerdict) => methods.filter((method) => method.verdict === verdict).length
  const of = { small: ` of ${methods.length}` }
  return [
    { term: 'Equivalent to another gold model within δ', text: [String(count('equivalent')), of] },
    { term: 'Distinguishable from gold', text: [String(count('distinguishable')), of] },
  ]
}

/** A figure in points, large, with its interval and unit in small. */
function pointsTile(term: string, figure: Figure | undefined): Term {
  if (!figure || 'missing' in figure) return { term, text: 'n/a' }
  const interval = intervalText(figure, percent)
  const small = ` ${interval === undefined ? '' : `${interval} `}points`
  return { term, text: [percent(figure.value), { small }] }
}
