import type { RunTab } from '../run-tab.ts'
import { configTab } from './config.tsx'
import { reportTab } from './report.tsx'

/** The tabs of a run in their order. */
export const runTabs: readonly RunTab[] = [reportTab, configTab]
