import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow'
import type { Candidate, SeedPlan, ShadowPlan } from '../experiment/plan/plan.ts'
import type { RunInput, RunProgress, RunResult } from '../experiment/records/run.ts'
import type { StoredInput } from '../experiment/plan/run-parts.ts'
import {
  makerOf,
  membershipsOf,
  probesOf,
  relearningOf,
  rowsOf,
  seedsOf,
} from '../experiment/stages/stage-list.ts'
import type { Stage, StageRef } from '../experiment/stages/stage.ts'
import type { CellInput } from '../experiment/sweep/sweep.ts'
import { pauseSignal, progressQuery, resumeSignal } from './names.ts'
import { lookedUp, stageFailureReason, report, stageRunner, type Asked, type StageRunner } from './stages.ts'
import { startTracking, trackAtEnd, type Tracker } from './tracking.ts'

/**
 * One machine-unlearning experiment. What cannot be missed (data, original, gold) fails the run when it fails; a
 * method that fails is left out, and the report says so. Stages that are kept from earlier runs are not computed again.
 * What a cell of a sweep or a large run is stands in the store.
 */
export async function experiment(asked: RunInput | CellInput | StoredInput): Promise<RunResult> {
  const input: Asked = 'run' in asked ? { ...asked, named: asked.run } : await lookedUp(asked)
  // Handlers come first: whoever asks while the tracking starts gets an answer.
  const told: { tracker?: Tracker } = {}
  const stages = stageRunner(input, () => told.tracker?.changed())
  setHandler(defineQuery<RunProgress>(progressQuery), stages.progress)
  setHandler(defineSignal(pauseSignal), () => stages.pause())
  setHandler(defineSignal(resumeSignal), () => stages.resume())
  const tracker = await startTracking(input)
  if (tracker) told.tracker = tracker
  try {
    const result = await conduct(input, stages)
    await tracker?.ended('FINISHED')
    return result
  } catch (error) {
    await tracker?.ended(isCancellation(error) ? 'KILLED' : 'FAILED')
    throw error
  }
}

/** How often stages are judged again before the report stands as it is. */
const MOST_ROUNDS = 3

async function conduct(input: Asked, stages: StageRunner): Promise<RunResult> {
  const { run, settings } = input
  const { plan } = run

  await stages.recall()

  // Data: test samples are set aside and a checkpoint is read, then the training samples are cut into forget set and retained set.
  // Where the split goes by what the original makes of them, the original comes first.
  await Promise.all([plan.dataset, ...(plan.checkpoint ? [plan.checkpoint] : [])].map(essential))
  if (plan.ranking) {
    await essential(plan.original)
    await essential(plan.ranking)
  }
  await essential(plan.split)

  // Every seed trains and judges models of its own. One that lost its original or its gold is left out, unless all did.
  const conducted = seedsOf(plan).map(conductSeed)
  // Shadow models need the data alone, and wait in line behind the seeds' first models.
  const shadows = plan.shadow && trainShadows(plan.shadow)
  // It is awaited after the seeds; a cancellation before that must not count as unhandled.
  shadows?.catch(() => undefined)
  const seeds = await Promise.allSettled(conducted)
  const lost = seeds.flatMap((seed) => (seed.status === 'rejected' ? [seed] : []))
  const fatal =
    lost.find(({ reason }) => isCancellation(reason)) ?? (lost.length === seeds.length ? lost[0] : undefined)
  if (fatal) throw fatal.reason

  // Populations: what the models of all seeds tell together, where every seed came through.
  await completeReady((plan.population ?? []).map(({ stage }) => stage))

  // Membership inference from shadow models, against every model that was evaluated.
  await shadows
  await completeReady(membershipsOf(plan))

  // What is asked beyond that: how fast every model learns the forget set again, and what its features still know.
  await completeReady([...relearningOf(plan), ...probesOf(plan)])

  // Report. A stage that was computed again meanwhile, here or by another run, may have left stages without their inputs.
  const write = () => report({ run: input.named, settings, failed: stages.summary().failed })
  let written = await write()
  for (let round = 0; round < MOST_ROUNDS && (await stages.judgeAgain(written.absent ?? [])); round++)
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

  /** How the methods of one seed came out. */
  async function conductSeed(seed: SeedPlan): Promise<readonly PromiseSettledResult<void>[]> {
    // Models: the original is trained on everything, gold from scratch on the retained set alone.
    // Gold of other seeds can wait: only the floor needs it.
    await Promise.all([seed.original, ...seed.gold.slice(0, 1)].map(essential))

    // Judgement: every method makes its model from the original; all are evaluated, attacked and compared with gold.
    const reference = judgeReference(seed)
    // Candidates await it only before they are compared; a failure before that must not count as unhandled.
    reference.catch(() => undefined)
    const judged = await Promise.allSettled(
      rowsOf(seed).map((candidate) => judge(seed, candidate, reference)),
    )
    await reference
    for (const outcome of judged)
      if (outcome.status === 'rejected' && isCancellation(outcome.reason)) throw outcome.reason
    return judged.filter((_, i) => seed.candidates[i]?.unlearn)
  }

  /** A pool that lacks a model is no pool: the attacks are left out then. */
  async function trainShadows({ models, pool }: ShadowPlan): Promise<void> {
    await completeReady(models)
    await completeReady([pool])
  }

  /** Completes those of some stages whose inputs are all there. Nothing waits for them: one that fails is left out. */
  async function completeReady(some: readonly Stage[]): Promise<void> {
    const complete = stages.completed()
    const ready = some.filter(({ inputs }) =>
      Object.values<StageRef>(inputs).every(({ key }) => complete.has(key)),
    )
    const outcomes = await Promise.allSettled(ready.map((stage) => stages.complete(stage)))
    for (const outcome of outcomes)
      if (outcome.status === 'rejected' && isCancellation(outcome.reason)) throw outcome.reason
  }

  async function essential(stage: Stage): Promise<void> {
    try {
      await stages.complete(stage)
    } catch (error) {
      if (isCancellation(error)) throw error
      throw ApplicationFailure.nonRetryable(`${stage.title}: ${stageFailureReason(error)}`, 'StageFailed')
    }
  }

  /** Gold, the twin that learnt nothing, and the original: what all others are compared with. */
  async function judgeReference({ reference, twin, originalEvaluation }: SeedPlan): Promise<void> {
    await essential(reference.evaluate)
    await essential(reference.attack)
    for (const stage of twin ? [twin.model, twin.evaluate] : []) await essential(stage)
    if (originalEvaluation) await essential(originalEvaluation)
  }

  async function judge(seed: SeedPlan, candidate: Candidate, reference: Promise<void>): Promise<void> {
    const { evaluate, attack, compare } = candidate
    const maker = makerOf(seed, candidate)
    if (maker) await stages.complete(maker)
    await stages.complete(evaluate)
    await stages.complete(attack)
    await reference
    await stages.complete(compare)
  }
}
