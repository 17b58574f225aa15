import type { RunTab } from '../run-tab.ts'
import { configTab } from './config.tsx'
import { featuresTab } from './features.tsx'
import { outcomesTab } from './outcomes.tsx'
import { reportTab } from './report.tsx'
import { samplesTab } from './samples.tsx'

/** The tabs of a run in their order. */
export const runTabs: readonly RunTab[] = [reportTab, outcomesTab, samplesTab, featuresTab, configTab]
