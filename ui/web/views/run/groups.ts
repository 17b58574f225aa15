import type { StageProgress } from '../../../../experiment/records/run.ts'
import { displayGroups, type DisplayGroup } from '../../../../experiment/stages/definition.ts'
import { stageDefinitions } from '../../../../experiment/stages/index.ts'

/** The stages of a run under one heading, by their state. */
export interface StageGroup {
  readonly name: DisplayGroup
  readonly stages: readonly StageProgress[]
  readonly done: number
  readonly cached: number
  readonly running: readonly StageProgress[]
  readonly failed: readonly StageProgress[]
  /** Another run is computing these. */
  readonly elsewhere: readonly StageProgress[]
  readonly waiting: number
  /** The seconds of the stages that this run computed. */
  readonly seconds: number
}

/** The groups that have stages, in the order of the progress display of the command line. */
export function groupsOf(stages: readonly StageProgress[]): readonly StageGroup[] {
  return displayGroups.flatMap((name) => {
    const own = stages.filter(({ kind }) => stageDefinitions[kind].group === name)
    return own.length === 0 ? [] : [group(name, own)]
  })
}

function group(name: DisplayGroup, stages: readonly StageProgress[]): StageGroup {
  const of = (state: StageProgress['state']) => stages.filter((stage) => stage.state === state)
  const computed = of('computed')
  const cached = of('cached')
  const elsewhere = stages.filter((stage) => stage.elsewhere === true)
  return {
    ...{ name, stages, elsewhere },
    done: computed.length + cached.length,
    cached: cached.length,
    running: of('running'),
    failed: of('failed'),
    waiting: stages.filter((stage) => stage.state === 'waiting' && stage.elsewhere !== true).length,
    seconds: computed.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0),
  }
}

/** The number of stages that have ended. The report changes with it. */
export function endedStages(stages: readonly StageProgress[]): number {
  return stages.filter(({ state }) => state === 'computed' || state === 'cached' || state === 'failed').length
}
