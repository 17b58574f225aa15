import type { ScheduleSpec } from '../../experiment/spec/optimizer.ts'

/** The factor of the learning rate at a step (counted from 0) of a run of `steps`. */
export function scheduleFactor(schedule: ScheduleSpec, step: number, steps: number, warmupSteps = 0): number {
  if (step < warmupSteps) return (step + 1) / warmupSteps
  switch (schedule.name) {
    case 'constant':
      return 1
    case 'cosine':
      return (1 + Math.cos((Math.PI * (step - warmupSteps)) / Math.max(1, steps - warmupSteps))) / 2
    case 'step':
      return schedule.factor ** schedule.milestones.filter((milestone) => step >= milestone * steps).length
    case 'linear': {
      const { from, peak, to } = schedule
      const done = (step - warmupSteps) / Math.max(1, steps - warmupSteps)
      return done < peak ? from + (1 - from) * (done / peak) : 1 + (to - 1) * ((done - peak) / (1 - peak))
    }
  }
}
