import { agreement } from './agreement.ts'
import { attack } from './attack.ts'
import { checkpoint } from './checkpoint.ts'
import { compare } from './compare.ts'
import { dataset } from './dataset.ts'
import { evaluate } from './evaluate.ts'
import { features } from './features.ts'
import { maps } from './maps.ts'
import { membership } from './membership.ts'
import { pool } from './pool.ts'
import { population } from './population.ts'
import { probe } from './probe.ts'
import { program } from './program.ts'
import { relearn } from './relearn.ts'
import { ruli } from './ruli.ts'
import { shadow } from './shadow.ts'
import { split } from './split.ts'
import { train } from './train.ts'
import { trial } from './trial.ts'
import { tune } from './tune.ts'
import { unlearn } from './unlearn.ts'

/**
 * The kinds that judge every model if the config has a section of their name, in the order in which
 * they run.
 */
export const requestedDefinitions = {
  relearn,
  probe,
  ruli,
  agreement,
  features,
  maps,
}

/**
 * Every stage kind. The types of stages, of their inputs and of their manifests are derived from
 * this list. So are the sections of configs, the lists of figures and the tables in the docs.
 */
export const stageDefinitions = {
  dataset,
  split,
  checkpoint,
  program,
  train,
  trial,
  tune,
  unlearn,
  evaluate,
  attack,
  compare,
  population,
  shadow,
  pool,
  membership,
  ...requestedDefinitions,
}
