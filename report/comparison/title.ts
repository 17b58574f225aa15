import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { counted } from '../format.ts'

export function titleOf({ sweep, runs }: Comparison): string {
  return sweep ?? `Comparison of ${counted(runs.length, 'run')}`
}
