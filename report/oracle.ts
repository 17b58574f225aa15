import { wilsonInterval, type Interval } from '../common/interval.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import { percent } from './format.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './input.ts'

/** Whether gold behaves like a model that never saw the forget set. If not, gaps mean nothing. */
export interface OracleCheck {
  /** Absent if the check was not possible. */
  readonly passed?: boolean
  readonly message: string
}

/**
 * Checks gold by the kind of split. For whole classes, gold has to be wrong on every forget sample.
 * For random samples, its accuracies on the forget and test sets have to agree within the 95%
 * interval of their difference (Newcombe 1998, method 10: from two Wilson intervals). For other
 * forget sets the accuracy of gold is unknown. With several seeds the mean is checked once, since
 * checks of each seed at 95% would fail for some by chance.
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

/** The reasons why forget samples differ from test samples. */
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
