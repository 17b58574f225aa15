import { wilsonInterval, type Interval } from '../common/interval.ts'
import { NO_GOLD } from '../experiment/records/no-gold.ts'
import type { StageMetrics } from '../experiment/stages/stage.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import { percent } from './format.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './input.ts'

/** Whether gold behaves like a model that never saw the forget set. If not, gaps mean nothing. */
export interface OracleCheck {
  /** Absent if the check was not possible. */
  readonly passed?: boolean
  readonly message: string
  /** There is no gold model to check. */
  readonly noGold?: true
}

/**
 * Checks gold by the kind of split. For whole classes, gold has to be wrong on every forget sample.
 * For random samples, its accuracies on the forget and test sets have to agree within the 95%
 * interval of their difference (Newcombe 1998, method 10: from two Wilson intervals). Samples of
 * some classes and listed samples are compared with test samples of their classes. For hard samples
 * the accuracy of gold is unknown. With several seeds the mean is checked once, since
 * checks of each seed at 95% would fail for some by chance.
 */
export function checkOracle(input: ReportInput): OracleCheck {
  const { plan, spec } = input.run
  const [gold] = plan.gold
  if (!gold) return { message: `There is no gold model to check: ${NO_GOLD}.`, noGold: true }
  const evaluations = seedsOf(plan).flatMap(({ reference }) => {
    const evaluation = reference && manifestOf<'evaluate'>(input, reference.evaluate)
    return evaluation ? [evaluation.metrics] : []
  })
  const accuracies = evaluations.map(({ accuracy }) => accuracy)
  const sizes = manifestOf<'split'>(input, plan.split)?.metrics
  if (accuracies.length === 0 || !sizes)
    return {
      message: `Whether gold looks like gold could not be checked: ${whyMissing(input, [plan.split, gold, ...(plan.reference ? [plan.reference.evaluate] : [])])}.`,
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
    case 'names':
      return matched(evaluations, forget.value, sizes.forget, {
        about,
        drawn: spec.split.kind === 'class-fraction',
      })
    case 'hard':
      return {
        message: `Whether gold looks like gold could not be checked: FA of ${about} is ${percent(forget.value)}%, and nothing says what it has to be for samples that were picked by how hard they are.`,
      }
  }
}

/**
 * Compares FA with the accuracy on test samples in the class shares of the forget set. Samples that
 * were drawn at random have to agree with them. Samples that were listed may be harder or easier,
 * so that only an FA that is not above that accuracy says something: gold shows no sign of having
 * seen them.
 */
function matched(
  evaluations: readonly StageMetrics['evaluate'][],
  forget: number,
  size: number,
  { about, drawn }: { readonly about: string; readonly drawn: boolean },
): OracleCheck {
  const found = evaluations.flatMap(({ matched }) => (matched ? [matched] : []))
  const accuracy = overSeeds(found.map((one) => one.accuracy))
  if (found.length === 0 || 'missing' in accuracy)
    return {
      message: `Whether gold looks like gold could not be checked: FA of ${about} is ${percent(forget)}%, and its accuracy on test samples of the same classes is not known${'missing' in accuracy && found.length > 0 ? ` (${accuracy.missing})` : ''}.`,
    }
  const [low, high] = differenceInterval(
    { share: forget / 100, n: size },
    { share: accuracy.value / 100, n: found[0]?.samples ?? 1 },
  )
  const words = `FA of ${about} is ${percent(forget)}%, its accuracy on test samples in the same shares of classes ${percent(accuracy.value)}% (95% interval of the difference: ${percent(100 * low)} to ${percent(100 * high)} points)`
  if (drawn) {
    const passed = low <= 0 && high >= 0
    return {
      passed,
      message: passed
        ? `${words}: to gold, forget samples are like test samples of their classes, as they have to be.`
        : `${words}, but to a model that never saw them, forget samples that were drawn at random from their classes are like test samples of these classes: this gold model is no reference, and no gap below means anything.`,
    }
  }
  return low <= 0
    ? {
        passed: true,
        message: `${words}: gold is not more often right on the listed samples than on test samples of their classes, as if it never saw them.`,
      }
    : {
        message: `${words}: either the listed samples are easier than test samples of their classes, or gold has seen them. Nothing here tells which.`,
      }
}

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
