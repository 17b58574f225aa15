import { compareView } from './compare/view.tsx'
import { runView } from './run/view.tsx'
import { runsView } from './runs/view.tsx'
import { storeView } from './store/view.tsx'
import { sweepView } from './sweep/view.tsx'
import { sweepsView } from './sweeps/view.tsx'
import type { View } from './view.ts'

/** The views in the order of the header. The first one that matches an address is shown. */
export const views: readonly View[] = [runsView, runView, compareView, sweepsView, sweepView, storeView]
