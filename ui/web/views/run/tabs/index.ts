import type { RunTab } from '../run-tab.ts'
import { configTab } from './config.tsx'
import { featuresTab } from './features.tsx'
import { reportTab } from './report.tsx'

/** The tabs of a run in their order. */
export const runTabs: readonly RunTab[] = [reportTab, featuresTab, configTab]
