import { agreements } from './agreement.ts'
import { attacks } from './attacks.ts'
import { cost } from './cost.ts'
import { featureDistances } from './features.ts'
import { featureMapSection } from './maps.ts'
import { membership } from './membership.ts'
import { population } from './population.ts'
import { probes } from './probe.ts'
import { programFigures } from './program-figures.ts'
import { relearning } from './relearn.ts'
import { vulnerable } from './ruli.ts'
import type { StageSection } from './stage-section.ts'
import { tuning } from './tuning.ts'

/** Sections of stage kinds, in the order of the report. */
export const stageSections: readonly StageSection[] = [
  tuning,
  attacks,
  membership,
  vulnerable,
  agreements,
  population,
  relearning,
  probes,
  featureDistances,
  featureMapSection,
  programFigures,
  cost,
]
