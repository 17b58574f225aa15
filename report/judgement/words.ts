import type { MethodVerdict } from '../../experiment/records/results.ts'
import { counted } from '../../common/counted.ts'
import { signed, significant } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { criteria, families, type Criterion, type Family } from './criteria.ts'
import type { JudgedMethod, Judgement } from './judge.ts'

/** `U-LiRA`, as tables head its column. */
export function criterionOf(id: string): Criterion {
  const found = criteria.find((criterion) => criterion.id === id)
  if (!found) throw new RangeError(`there is no criterion '${id}'`)
  return found
}

/** `+2.05`, `−0.012`: a distance beyond the floor's, as precise as its δ asks for. */
export function excess(value: number, { delta }: Pick<Criterion, 'delta'>): string {
  return signed(value, Math.max(2, 1 - Math.floor(Math.log10(delta))))
}

/** `δ = 5 points`. */
export function deltaOf({ delta, unit }: Pick<Criterion, 'delta' | 'unit'>): string {
  const singular = delta === 1 ? unit.replace(/s$/, '') : unit
  return `δ = ${delta}${unit === '' ? '' : ` ${singular}`}`
}

/** `rfa is distinguishable from gold`, by how many of the methods. */
export function headline({ methods, seeds, criteria: judged, impossible }: Judgement): string {
  if (impossible !== undefined)
    return isInseparable(judged)
      ? `This experiment cannot separate methods: ${impossible}.`
      : `No method was tested against gold: ${impossible}.`
  const [only, ...others] = methods
  if (only && others.length === 0) return `${only.label}, the only approximate method, ${alone(only, seeds)}.`
  if (methods.every(({ verdict }) => verdict === only?.verdict))
    return `All ${counted(methods.length, 'approximate method')} are ${verdictWords(only?.verdict ?? 'undecided', seeds)}.`
  const groups = (['equivalent', 'undecided', 'distinguishable'] as const).flatMap((verdict) => {
    const own = methods.filter((method) => method.verdict === verdict)
    if (own.length === 0) return []
    // All that are distinguishable need no list: there are usually many of them.
    const named = verdict === 'distinguishable' ? '' : ` (${own.map(({ label }) => label).join(', ')})`
    return [`${own.length} ${own.length === 1 ? 'is' : 'are'} ${verdictWords(verdict, seeds)}${named}`]
  })
  return `Of ${counted(methods.length, 'approximate method')}, ${list(groups)}.`
}

/** Whether the original was tested. If so, no criterion told it from gold. */
function isInseparable(judged: Judgement['criteria']): boolean {
  return judged.some(({ original }) => original)
}

function alone(method: JudgedMethod, seeds: number): string {
  const by = method.verdict === 'distinguishable' ? ` by ${list(furtherBy(method))}` : ''
  return `is ${verdictWords(method.verdict, seeds)}${by}`
}

/** `≈ equivalent`, for a column of verdicts. */
export function shortVerdict(verdict: MethodVerdict): string {
  return `${verdictMarks[verdict]}\u00a0${verdict}`
}

function verdictWords(verdict: MethodVerdict, seeds: number): string {
  switch (verdict) {
    case 'equivalent':
      return 'equivalent within δ to another gold model'
    case 'undecided':
      return `undecided at ${counted(seeds, 'seed')}`
    case 'distinguishable':
      return 'distinguishable from gold'
  }
}

/** Names of the criteria by which a method is further from gold than another gold model. */
function furtherBy({ tests }: JudgedMethod): readonly string[] {
  return tests.flatMap(({ id, outcome }) => (outcome === 'further' ? [criterionOf(id).label] : []))
}

/** Sentences about the best methods, their distance from gold, and criteria without evidence. */
export function details({ best, amongBest, methods, criteria: judged }: Judgement): readonly string[] {
  const leader = methods.find(({ label }) => label === best)
  return [
    ...(leader ? bestWords(leader, amongBest, methods.length) : []),
    ...unjudgedWords(methods),
    ...evidenceWords(judged),
  ]
}

function bestWords(best: JudgedMethod, among: readonly string[], methods: number): readonly string[] {
  if (methods === 1) return []
  const others = among.filter((label) => label !== best.label)
  const by = furtherBy(best)
  const told = by.length === 0 ? '' : `, and is told from gold by ${list(by)}`
  const rest =
    others.length === 0
      ? 'Every other method is further from gold.'
      : `Not worse by a paired test over the seeds: ${list(others)}.`
  return [
    `${best.label} has the least distance beyond the floor by its worst criterion (${significant(best.excess ?? NaN)} δ)${told}.`,
    rest,
  ]
}

function unjudgedWords(methods: readonly JudgedMethod[]): readonly string[] {
  const gone = methods.filter(({ excess }) => excess === undefined)
  return gone.length === 0
    ? []
    : [`Not ranked, for want of figures: ${gone.map(({ label }) => label).join(', ')}.`]
}

/** The criteria that were no evidence, and the families without any that was. */
function evidenceWords(judged: Judgement['criteria']): readonly string[] {
  if (judged.length === 0) return []
  const idle = judged.filter(({ counts }) => !counts)
  const blind = idle.flatMap(({ id, original }) => (original ? [criterionOf(id).label] : []))
  const absent = idle.flatMap(({ id, original, reason = '' }) =>
    original ? [] : [`${criterionOf(id).label} (${reason})`],
  )
  const tested = new Set(judged.flatMap(({ id, counts }) => (counts ? [criterionOf(id).family] : [])))
  const untested = (Object.keys(families) as Family[]).filter((family) => !tested.has(family))
  return [
    ...(blind.length === 0
      ? []
      : [
          `No evidence here, for want of a difference between the original and another gold model: ${list(blind)}.`,
        ]),
    ...(absent.length === 0 ? [] : [`Without a figure: ${list(absent)}.`]),
    ...(untested.length === 0 ? [] : [`Not tested: ${list(untested.map((family) => families[family]))}.`]),
  ]
}

/** A description of the tests for readers of the table. */
export function method({ seeds }: Judgement, { run }: ReportInput): string {
  const golds = run.plan.gold.length - 1
  const floor = golds === 1 ? 'another gold model' : `the mean of ${golds} other gold models`
  return `Each figure is a distance from gold less that of ${floor} (the floor), paired over ${counted(seeds, 'seed')}, with its 90% interval. A method is told from gold (≠) where the mean is above 0 by a one-sided t test at 5%, adjusted over the method's criteria (Holm); equivalent within δ (≈) where the upper end of the interval is below δ; otherwise undecided (?). The worst criterion decides.`
}

export const verdictMarks: Readonly<Record<MethodVerdict | 'further', string>> = {
  distinguishable: '≠',
  further: '≠',
  equivalent: '≈',
  undecided: '?',
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
