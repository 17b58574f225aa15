import {
  classifierNames,
  scoreNames,
  type ClassifierName,
  type ScoreName,
} from '../../experiment/records/scores.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { Host } from '../../learning/training/host.ts'
import { permutation, type RandomStream } from '../../learning/random.ts'
import { unusable, type Logits } from '../metrics/logits.ts'
import type { YieldControl } from '../yield-control.ts'
import type { Classifier } from './classifier.ts'
import { fitLogistic } from './logistic.ts'
import { scores } from './scores.ts'
import { fitSvm } from './svm.ts'

export interface AttackInput {
  /** D_r, the members. */
  readonly retained: Logits
  /** The half of D_t that trains the attack. */
  readonly nonMembers: Logits
  /** D_f, the samples to classify. */
  readonly forget: Logits
  /** The other half of D_t, non-members that did not train the attack. */
  readonly test: Logits
}

interface AttackFigures {
  readonly efficacy: Measured
  readonly accuracy: Measured
}
/** Scores by name: each returns one number for each sample. */
export type FurtherScores = ReadonlyMap<string, (logits: Logits) => Float64Array>
type NamedScore = readonly [name: string, score: (logits: Logits) => Float64Array]
type Attacks = Partial<Record<ClassifierName, Partial<Record<string, AttackFigures>>>>

const classifiers: Readonly<
  Record<
    ClassifierName,
    (
      members: Float64Array,
      nonMembers: Float64Array,
      yieldControl: YieldControl,
    ) => Classifier | Promise<Classifier>
  >
> = { svm: fitSvm, logistic: fitLogistic }

/**
 * MIA-efficacy. An attack is trained on one score to distinguish equally many members and
 * non-members, and then classifies D_f. The efficacy is the percentage of D_f that it calls
 * non-members, whatever the direction of the score. The attack's own accuracy is the mean of its
 * percentages of correct members and correct non-members. These members are drawn from the retained
 * samples that did not train the attack, at most as many as there are test non-members.
 *
 * If members and non-members have the same scores (all correct, for example), no attack can be
 * trained and its figures are missing. In that case scikit-learn's SVC calls everything a member
 * and its LogisticRegression nothing, only because of their rules for ties. The figures of an
 * attack that learned to call everything one class are defined.
 */
export async function miaEfficacy(
  { retained, nonMembers, forget, test }: AttackInput,
  {
    samples,
    stream,
    host,
    further = new Map(),
  }: {
    readonly samples: number
    readonly stream: RandomStream
    readonly host?: Host
    /** Scores besides the built-in ones, by name. None unless given. */
    readonly further?: FurtherScores
  },
): Promise<StageMetrics['attack']> {
  const count = Math.min(samples, retained.labels.length, nonMembers.labels.length)
  const drawnMembers = permutation(retained.labels.length, stream)
  const drawnNonMembers = permutation(nonMembers.labels.length, stream)
  const trainingMembers = drawnMembers.subarray(0, count)
  const trainingNonMembers = drawnNonMembers.subarray(0, count)
  const testMembers = drawnMembers.subarray(count, count + test.labels.length)

  const untrainable = because('retained', retained) ?? because('non-members', nonMembers)
  const noEfficacy = because('forget', forget)
  const noAccuracy =
    because('test', test) ??
    (testMembers.length === 0 ? 'every retained sample trains the attack' : undefined)

  const attack = async (classifier: ClassifierName, [score, scoreOf]: NamedScore): Promise<AttackFigures> => {
    if (untrainable !== undefined) return { efficacy: missing(untrainable), accuracy: missing(untrainable) }
    const retainedScores = scoreOf(retained)
    const members = pick(retainedScores, trainingMembers).sort()
    const others = pick(scoreOf(nonMembers), trainingNonMembers).sort()
    if (members.every((value, i) => value === others[i])) {
      const same = missing(`members and non-members have the same ${score} scores`)
      return { efficacy: same, accuracy: same }
    }
    const decision = await classifiers[classifier](members, others, async () => host?.step({}))
    const percent = (set: Float64Array, verdict: 'member' | 'non-member') =>
      (100 * set.filter((value) => decision(value) >= 0 === (verdict === 'member')).length) / set.length
    const efficacy = () => ({ value: percent(scoreOf(forget), 'non-member') })
    const accuracy = () => {
      const sensitivity = percent(pick(retainedScores, testMembers), 'member')
      return { value: (sensitivity + percent(scoreOf(test), 'non-member')) / 2 }
    }
    return {
      efficacy: noEfficacy === undefined ? efficacy() : missing(noEfficacy),
      accuracy: noAccuracy === undefined ? accuracy() : missing(noAccuracy),
    }
  }

  const attacks = { ...(host?.snapshot?.notes.attacks as Attacks | undefined) } as Attacks
  const named: readonly NamedScore[] = [
    ...scoreNames.map((name): NamedScore => [name, scores[name]]),
    ...further,
  ]
  const pairs = classifierNames.flatMap((classifier) => named.map((score) => [classifier, score] as const))
  for (const [i, [classifier, score]] of pairs.entries()) {
    const [name] = score
    if (attacks[classifier]?.[name]) continue
    attacks[classifier] = { ...attacks[classifier], [name]: await attack(classifier, score) }
    const snapshot = { step: i + 1, vectors: {}, notes: { attacks: { ...attacks } } }
    await host?.step({ step: i + 1, steps: pairs.length }, () => Promise.resolve(snapshot))
  }
  const figures = (figure: 'efficacy' | 'accuracy') =>
    table(classifierNames, (classifier) =>
      table(
        named.map(([name]) => name as ScoreName),
        (name) => (attacks[classifier]?.[name] as AttackFigures)[figure],
      ),
    )
  return { efficacy: figures('efficacy'), accuracy: figures('accuracy'), members: count, nonMembers: count }
}

function because(set: string, logits: Logits): string | undefined {
  const reason = unusable(logits)
  return reason === undefined ? undefined : `${set}: ${reason}`
}

function missing(reason: string): Measured {
  return { missing: reason }
}

function pick(values: Float64Array, indices: Int32Array): Float64Array {
  return Float64Array.from(indices, (i) => values[i] ?? NaN)
}

function table<Key extends string, Value>(
  keys: readonly Key[],
  value: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<Key, Value>
}
