import type { Measured } from '../../experiment/records/measured.ts'
import { combine } from './measured.ts'

/** UA, RA, TA and MIA-efficacy in percent. */
export type GapFigures = Readonly<Record<'ua' | 'ra' | 'ta' | 'mia', Measured>>

/**
 * The mean absolute difference of the four figures to gold's, in percentage points. 0 is equal to
 * gold.
 */
export function averageGap(unlearned: GapFigures, gold: GapFigures): Measured {
  const gap = (name: keyof GapFigures) =>
    combine({ unlearned: unlearned[name], gold: gold[name] }, (of) => Math.abs(of.unlearned - of.gold))
  return combine(
    { UA: gap('ua'), RA: gap('ra'), TA: gap('ta'), MIA: gap('mia') },
    ({ UA, RA, TA, MIA }) => (UA + RA + TA + MIA) / 4,
  )
}
