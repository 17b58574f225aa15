import type { OutcomeAttack } from '../../../experiment/records/outcomes.ts'
import {
  paths,
  type ComparisonView,
  type Features,
  type Outcomes,
  type RunList,
  type RunView,
  type SampleScores,
  type SampleTable,
  type Session,
  type StoreView,
  type SweepList,
  type SweepReport,
  type SweepView,
} from '../../contract.ts'

/** A path with the type of its answer. */
export interface Question<Answer> {
  readonly path: string
  /** Never set: the property only carries the type. */
  readonly answer?: Answer
}

const question = <Answer>(path: string): Question<Answer> => ({ path })

/** Everything that the page asks for. */
export const questions = {
  session: () => question<Session>(paths.session()),
  runs: () => question<RunList>(paths.runs()),
  run: (run: string) => question<RunView>(paths.run(run)),
  outcomes: (run: string) => question<Outcomes>(paths.outcomes(run)),
  samples: (run: string) => question<SampleTable>(paths.samples(run)),
  scores: (run: string, attack: OutcomeAttack) => question<SampleScores>(paths.scores(run, attack)),
  features: (run: string) => question<Features>(paths.features(run)),
  comparison: (runs: readonly string[]) => question<ComparisonView>(paths.comparison(runs)),
  sweeps: () => question<SweepList>(paths.sweeps()),
  sweep: (sweep: string) => question<SweepView>(paths.sweep(sweep)),
  sweepReport: (sweep: string) => question<SweepReport>(paths.sweepReport(sweep)),
  store: () => question<StoreView>(paths.store()),
} as const
