import type { Measured } from '../../experiment/records/measured.ts'
import { combine } from './measured.ts'

/** FA, RA and TA in percent. */
export type TowFigures = Readonly<Record<'fa' | 'ra' | 'ta', Measured>>

/**
 * Tug of war, (1 − |ΔFA|)(1 − |ΔRA|)(1 − |ΔTA|) with accuracies in [0, 1] (Zhao et al. 2024). 1 is
 * equal to gold.
 */
export function tow(unlearned: TowFigures, gold: TowFigures): Measured {
  const closeness = (name: keyof TowFigures) =>
    combine(
      { unlearned: unlearned[name], gold: gold[name] },
      (of) => 1 - Math.abs(of.unlearned - of.gold) / 100,
    )
  return combine(
    { FA: closeness('fa'), RA: closeness('ra'), TA: closeness('ta') },
    ({ FA, RA, TA }) => FA * RA * TA,
  )
}
