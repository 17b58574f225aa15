import type { Manifest } from '../../experiment/records/manifest.ts'
import type { StageInputs, StageKind } from '../../experiment/stages/stage.ts'

/** The kind of stage behind each name of an input. */
interface InputKinds {
  readonly dataset: 'dataset'
  readonly split: 'split'
  readonly ranking: 'evaluate'
  readonly [unlearned: `unlearned${number}`]: 'evaluate'
  readonly [gold: `gold${number}`]: 'evaluate'
  readonly checkpoint: 'checkpoint'
  readonly original: 'train'
  readonly model: 'train' | 'unlearn'
  readonly evaluation: 'evaluate'
  readonly goldEvaluation: 'evaluate'
  readonly attack: 'attack'
  readonly goldAttack: 'attack'
  readonly twinEvaluation: 'evaluate'
  readonly originalEvaluation: 'evaluate'
  readonly goldModel: 'train'
  readonly [shadow: `shadow${number}`]: 'shadow'
  readonly pool: 'pool'
}

export type InputManifests<K extends StageKind> = {
  [Name in keyof StageInputs[K]]: Name extends keyof InputKinds
    ? Extract<Manifest, { kind: InputKinds[Name] }>
    : never
}
