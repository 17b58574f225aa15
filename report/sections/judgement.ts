import { prose, type FullCell, type Section } from '../blocks.ts'
import { significant } from '../format.ts'
import type { ReportInput } from '../input.ts'
import type { Criterion } from '../judgement/criteria.ts'
import type { JudgedMethod, Judgement } from '../judgement/judge.ts'
import { criterionOf, deltaOf, excess, method, shortVerdict, verdictMarks } from '../judgement/words.ts'

/** The tests of every method beside another gold model; undefined if none could be made. */
export function judgementSection(input: ReportInput, judgement: Judgement): Section | undefined {
  const { methods, amongBest } = judgement
  if (methods.length === 0) return undefined
  const criteria = judgement.criteria.flatMap(({ id, counts }) => (counts ? [criterionOf(id)] : []))
  return {
    title: 'Against another gold model',
    blocks: [
      prose(method(judgement, input)),
      {
        kind: 'table',
        name: 'Against another gold model',
        id: 'judgement',
        columns: [
          { label: 'Method' },
          { label: 'Verdict', text: true },
          { label: 'Worst', unit: 'δ' },
          ...criteria.map((criterion) => ({ label: criterion.label, unit: deltaOf(criterion) })),
        ],
        rows: methods.map((one) => {
          const isBest = amongBest.includes(one.label)
          return {
            cells: [
              { text: one.label, small: isBest ? 'none closer' : undefined },
              shortVerdict(one.verdict),
              one.excess === undefined ? 'n/a' : significant(one.excess),
              ...criteria.map((criterion) => cellOf(one, criterion)),
            ],
            style: isBest ? 'best' : undefined,
          }
        }),
      },
      {
        kind: 'terms',
        style: 'legend',
        items: criteria.map((criterion) => ({
          term: criterion.label,
          unit: deltaOf(criterion),
          text: criterion.about,
        })),
      },
    ],
  }
}

function cellOf({ tests, missing }: JudgedMethod, criterion: Criterion): FullCell {
  const found = tests.find(({ id }) => id === criterion.id)
  if (!found) {
    const reason = missing.find(({ id }) => id === criterion.id)?.reason
    return { text: 'n/a', note: reason ?? 'it was not measured' }
  }
  const { outcome, test } = found
  return {
    text: `${verdictMarks[outcome]} ${excess(test.mean, criterion)}`,
    interval: `(${test.interval90.map((end) => excess(end, criterion)).join(' – ')})`,
    tone: outcome === 'further' ? 'further' : outcome === 'undecided' ? 'faint' : undefined,
  }
}
