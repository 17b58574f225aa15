import { attack } from './attack.ts'
import { checkpoint } from './checkpoint.ts'
import { compare } from './compare.ts'
import { dataset } from './dataset.ts'
import { evaluate } from './evaluate.ts'
import { membership } from './membership.ts'
import { pool } from './pool.ts'
import { population } from './population.ts'
import { probe } from './probe.ts'
import { relearn } from './relearn.ts'
import { shadow } from './shadow.ts'
import { split } from './split.ts'
import { train } from './train.ts'
import { unlearn } from './unlearn.ts'

/**
 * Every stage kind. The types of stages, of their inputs and of their manifests are derived from
 * this list, as are the queues, the checks of the device and the groups of the progress display.
 */
export const stageDefinitions = {
  dataset,
  split,
  checkpoint,
  train,
  unlearn,
  evaluate,
  attack,
  compare,
  population,
  shadow,
  pool,
  membership,
  relearn,
  probe,
}
