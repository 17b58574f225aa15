import { wilsonInterval, type Interval } from '../common/interval.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import { percent } from './format.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './input.ts'

/** Whether the gold model looks like one that never saw the forget set. A gap to a gold that does not says nothing. */
export interface OracleCheck {
  /** Undefined where it could not be told. */
  readonly passed?: boolean
  readonly message: string
}

/**
 * Whole classes: gold has to be wrong on every forget sample. Random samples are like test samples to it: its accuracies
 * on both agree within the 95% interval of their difference (Newcombe 1998, method 10: from two Wilson intervals). Of other
 * forget sets nothing says how gold does on them. Of several seeds, their mean is checked once: checking each at 95% would
 * accuse some by chance.
 */
export function checkOracle(input: ReportInput): OracleCheck {
  const { plan, spec } = input.run
  const [gold] = plan.gold
  const accuracies = seedsOf(plan).flatMap(
    ({ reference }) => manifestOf<'evaluate'>(input, reference.evaluate)?.metrics.accuracy ?? [],
  )
  const sizes = manifestOf<'split'>(input, plan.split)?.metrics
  if (accuracies.length === 0 || !sizes || !gold)
    return {
      message: `Whether gold looks like gold could not be checked: ${whyMissing(input, [plan.split, ...(gold ? [gold] : []), plan.reference.evaluate])}.`,
    }
  const forget = overSeeds(accuracies.map(({ forget }) => forget))
  const test = overSeeds(accuracies.map(({ test }) => test))
  const about = plan.seeds ? `gold (mean of n = ${accuracies.length} seeds)` : 'gold'
  if ('missing' in forget)
    return { message: `Whether gold looks like gold could not be checked: no FA (${forget.missing}).` }

  switch (spec.split.kind) {
    case 'class': {
      const passed = forget.value === 0
      const found = `FA of ${about} is ${percent(forget.value)}% (UA ${percent(100 - forget.value)}%)`
      return {
        passed,
        message: passed
          ? `${found}: as it has to be for classes that gold never saw.`
          : `${found}, but a model that never saw the forgotten classes has an FA of 0: this gold model is no reference, and no gap below means anything.`,
      }
    }
    case 'random': {
      if ('missing' in test)
        return { message: `Whether gold looks like gold could not be checked: no TA (${test.missing}).` }
      const [low, high] = differenceInterval(
        { share: forget.value / 100, n: sizes.forget },
        { share: test.value / 100, n: sizes.test },
      )
      const passed = low <= 0 && high >= 0
      const found = `FA of ${about} is ${percent(forget.value)}%, its TA ${percent(test.value)}% (95% interval of the difference: ${percent(100 * low)} to ${percent(100 * high)} points)`
      return {
        passed,
        message: passed
          ? `${found}: to gold, forget samples are like test samples, as they have to be.`
          : `${found}, but to a model that never saw them, randomly drawn forget samples are like test samples: this gold model is no reference, and no gap below means anything.`,
      }
    }
    case 'class-fraction':
    case 'indices':
    case 'hard':
      return {
        message: `Whether gold looks like gold could not be checked: FA of ${about} is ${percent(forget.value)}%, and nothing says what it has to be for ${unlike[spec.split.kind]}.`,
      }
  }
}

/** Why forget samples are not like test samples. */
const unlike = {
  'class-fraction': 'samples of some classes, which the model may know better or worse than others',
  indices: 'samples that were picked, which may be easier or harder than others',
  hard: 'samples that were picked by how hard they are',
} as const

interface Proportion {
  readonly share: number
  readonly n: number
}

/** 95% interval of the difference of two independent proportions (Newcombe 1998, method 10). */
export function differenceInterval(a: Proportion, b: Proportion): Interval {
  const [lowA, highA] = wilsonInterval(a.share * a.n, a.n)
  const [lowB, highB] = wilsonInterval(b.share * b.n, b.n)
  const difference = a.share - b.share
  return [
    difference - Math.hypot(a.share - lowA, highB - b.share),
    difference + Math.hypot(highA - a.share, b.share - lowB),
  ]
}
