import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow'
import type { Candidate, SeedPlan, ShadowPlan, TuningPlan, TuningRound } from '../experiment/plan/types.ts'
import { requestedKinds } from '../experiment/stages/requested.ts'
import type { RunInput, RunProgress, RunResult } from '../experiment/records/run.ts'
import type { StoredInput } from '../experiment/plan/run-parts.ts'
import {
  judgingStagesOf,
  makerOf,
  rowsOf,
  seedsOf,
  tuningSeedStages,
} from '../experiment/stages/stage-list.ts'
import type { Stage, StageRef } from '../experiment/stages/stage.ts'
import type { CellInput } from '../experiment/sweep/sweep.ts'
import { pauseSignal, progressQuery, resumeSignal } from './names.ts'
import {
  resolveRun,
  activityFailureMessage,
  report,
  stageRunner,
  type ResolvedRun,
  type StageRunner,
} from './stages.ts'
import { startTracking, trackAtEnd, type Tracker } from './tracking.ts'

/**
 * Runs one machine-unlearning experiment. The run fails if a stage fails that all others need
 * (data, original, gold). A method that fails is left out, and the report says so. Stages whose
 * results are in the store are not computed again. The plan of a large run, or of a run in a sweep,
 * is read from the store.
 */
export async function experiment(given: RunInput | CellInput | StoredInput): Promise<RunResult> {
  const input: ResolvedRun = 'run' in given ? { ...given, named: given.run } : await resolveRun(given)
  // The handlers are set first, so that queries are answered while the tracking starts.
  const tracking: { tracker?: Tracker } = {}
  const stages = stageRunner(input, () => tracking.tracker?.changed())
  setHandler(defineQuery<RunProgress>(progressQuery), stages.progress)
  setHandler(defineSignal(pauseSignal), () => stages.pause())
  setHandler(defineSignal(resumeSignal), () => stages.resume())
  const tracker = await startTracking(input)
  if (tracker) tracking.tracker = tracker
  try {
    const result = await executeExperiment(input, stages)
    await tracker?.ended('FINISHED')
    return result
  } catch (error) {
    await tracker?.ended(isCancellation(error) ? 'KILLED' : 'FAILED')
    throw error
  }
}

/** How often stages are checked again before the report is final. */
const MOST_ROUNDS = 3

async function executeExperiment(input: ResolvedRun, stages: StageRunner): Promise<RunResult> {
  const { run, settings } = input
  const { plan } = run

  await stages.recall()

  // Data: the test samples are set aside and a pretrained model is read. Then the training samples
  // are divided into the forget set and the retained set. If the split depends on the original's
  // predictions, the original is trained first.
  await Promise.all(
    [
      plan.dataset,
      ...(plan.checkpoint ? [plan.checkpoint] : []),
      ...(plan.given ?? []),
      ...(plan.programs ?? []),
    ].map(essential),
  )
  if (plan.ranking) {
    await essential(plan.original)
    await essential(plan.ranking)
  }
  await essential(plan.split)

  // Tuning: trials on seeds and splits of their own choose the options of the tuned rows.
  const tuned = plan.tuning && tuneRows(plan.tuning)

  // Every seed trains and evaluates its own models. A seed without its original or its gold model
  // is left out, and the run fails if this happens to all seeds.
  const seedRuns = seedsOf(plan).map(runSeed)
  // Shadow models need only the data. They are queued behind the first models of the seeds.
  const shadows = plan.shadow && trainShadows(plan.shadow)
  // The shadows are awaited after the seeds. This avoids an unhandled rejection if the run is
  // cancelled before.
  shadows?.catch(() => undefined)
  const seeds = await Promise.allSettled(seedRuns)
  const lost = seeds.flatMap((seed) => (seed.status === 'rejected' ? [seed] : []))
  const fatal =
    lost.find(({ reason }) => isCancellation(reason)) ?? (lost.length === seeds.length ? lost[0] : undefined)
  if (fatal) throw fatal.reason

  // Populations: metrics over the models of all seeds, if no seed failed.
  await completeReady((plan.population ?? []).map(({ stage }) => stage))

  // Membership inference with shadow models, against every model that was evaluated.
  await shadows
  await completeReady(judgingStagesOf(plan, 'membership'))

  // Metrics that sections of the config request: for example how fast every model relearns the
  // forget set.
  await completeReady(requestedKinds.flatMap((kind) => judgingStagesOf(plan, kind)))

  // Report. If this run or another one has computed a stage again meanwhile, stages that used its
  // earlier result are computed again, too, and the report is written anew.
  const write = () => report({ run: input.named, settings, failed: stages.summary().failed })
  let written = await write()
  for (let round = 0; round < MOST_ROUNDS && (await stages.revalidate(written.absent ?? [])); round++)
    written = await write()
  const { url, digest, results } = written
  const summary = stages.summary()
  const methods = seeds.flatMap((seed) => (seed.status === 'fulfilled' ? seed.value : []))
  if (methods.length > 0 && methods.every(({ status }) => status === 'rejected'))
    throw ApplicationFailure.nonRetryable(
      `no method came through: ${summary.failed.map(({ title, reason }) => `${title}: ${reason}`).join('; ')}`,
      'NothingLeft',
    )

  const notes = await trackAtEnd(input)
  return { id: run.id, ...summary, report: url, digest, results, notes }

  /** Trains and evaluates the models of one seed, and returns the outcome of each method. */
  async function runSeed(seed: SeedPlan): Promise<readonly PromiseSettledResult<void>[]> {
    // Models: the original is trained on all samples, and gold from scratch on the retained set
    // only. Further gold models are trained later: only the noise floor needs them.
    await Promise.all([seed.original, ...seed.gold.slice(0, 1)].map(essential))

    // Evaluation: every method makes its model from the original. All models are evaluated,
    // attacked and compared with gold.
    const reference = evaluateReference(seed)
    // Candidates await the reference only before they are compared. This avoids an unhandled
    // rejection if the reference fails before.
    reference.catch(() => undefined)
    const outcomes = await Promise.allSettled(
      rowsOf(seed).map((candidate) => evaluateCandidate(seed, candidate, reference)),
    )
    await reference
    for (const outcome of outcomes)
      if (outcome.status === 'rejected' && isCancellation(outcome.reason)) throw outcome.reason
    return outcomes.filter((_, i) => seed.candidates[i]?.unlearn ?? seed.candidates[i]?.given)
  }

  /**
   * Starts the tuning. Returns by label a promise for each tuned row, which is settled when no
   * trial of the row is under way any more.
   */
  function tuneRows({ seeds, rows }: TuningPlan): ReadonlyMap<string, Promise<void>> {
    const ready = seeds.map(async (seed) => {
      for (const stage of tuningSeedStages(seed)) await stages.complete(stage)
    })
    const done = rows.map(({ label, rounds }) => [label, tuneRow(rounds, ready)] as const)
    // This avoids unhandled rejections: the rows await the promises later.
    for (const promise of [...ready, ...done.map(([, row]) => row)]) promise.catch(() => undefined)
    return new Map(done)
  }

  async function tuneRow(rounds: readonly TuningRound[], ready: readonly Promise<void>[]): Promise<void> {
    for (const [i, { trials, ranking }] of rounds.entries()) {
      await ready[i]
      const outcomes = await Promise.allSettled(trials.map((trial) => stages.complete(trial)))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      await stages.complete(ranking)
    }
  }

  /**
   * Trains the shadow models and pools them. Without one of the models there is no pool and no
   * attack.
   */
  async function trainShadows({ models, pool }: ShadowPlan): Promise<void> {
    await completeReady(models)
    await completeReady([pool])
  }

  /**
   * Completes those of the given stages whose inputs are complete. A stage that fails is left out.
   */
  async function completeReady(some: readonly Stage[]): Promise<void> {
    const complete = stages.completed()
    const ready = some.filter(({ inputs }) =>
      Object.values<StageRef>(inputs).every(({ key }) => complete.has(key)),
    )
    const outcomes = await Promise.allSettled(ready.map((stage) => stages.complete(stage)))
    for (const outcome of outcomes)
      if (outcome.status === 'rejected' && isCancellation(outcome.reason)) throw outcome.reason
  }

  /** Completes a stage without which the run, or the seed, fails. */
  async function essential(stage: Stage): Promise<void> {
    try {
      await stages.complete(stage)
    } catch (error) {
      if (isCancellation(error)) throw error
      throw ApplicationFailure.nonRetryable(`${stage.title}: ${activityFailureMessage(error)}`, 'StageFailed')
    }
  }

  /**
   * Evaluates the models that all others are compared with: gold, the untrained twin and the
   * original.
   */
  async function evaluateReference({ reference, twin, originalEvaluation }: SeedPlan): Promise<void> {
    for (const stage of reference ? [reference.evaluate, reference.attack] : []) await essential(stage)
    for (const stage of twin ? [twin.model, twin.evaluate] : []) await essential(stage)
    if (originalEvaluation) await essential(originalEvaluation)
  }

  /**
   * Makes the model of one method, evaluates and attacks it, and compares it with the reference.
   */
  async function evaluateCandidate(
    seed: SeedPlan,
    candidate: Candidate,
    reference: Promise<void>,
  ): Promise<void> {
    const { evaluate, attack, compare, given } = candidate
    const tuning = tuned?.get(candidate.label)
    if (tuning) await tuning
    if (given) await stages.complete(given.checkpoint)
    const maker = makerOf(seed, candidate)
    if (maker) await stages.complete(maker)
    await stages.complete(evaluate)
    await stages.complete(attack)
    await reference
    await stages.complete(compare)
  }
}
