import { permutation, stream } from '../../learning/random.ts'
import { varianceFor } from '../../unlearning/population/lira.ts'
import { margins } from '../../unlearning/population/margin.ts'
import { shadowAttacks } from '../../unlearning/population/shadow-attacks.ts'
import { poolAt } from '../../unlearning/population/shadows.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readPool, readSplit } from '../runtime/blob-codecs.ts'

/** Indices of samples, and the margin φ of each under the attacked model. */
interface SampleSet {
  readonly indices: Int32Array
  readonly phi: Float64Array
}

export const membership: StageBody<'membership'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const split = await readSplit(artifacts, inputs.split)
  const logits = await readLogits(artifacts, inputs.evaluation)
  const shadows = await readPool(artifacts, inputs.pool)
  const yieldControl = () => host.step({})
  const samplesOf = (set: 'forget' | 'retained' | 'attackTest' | 'test' | 'forgottenTest'): SampleSet => ({
    indices: split[set],
    phi: margins(logits[set]),
  })
  const attack = async (members: SampleSet, others: SampleSet) => {
    await yieldControl()
    const attacked = ({ indices, phi }: SampleSet) => ({ target: phi, shadow: poolAt(shadows, indices) })
    return shadowAttacks({ both: attacked(joined(members, others)), others: attacked(others) }, yieldControl)
  }

  const { result, seconds } = await timed(async () => {
    // Only shadow models trained on test samples.
    const test = joined(samplesOf('attackTest'), samplesOf('test'))
    const retained = samplesOf('retained')
    const order = permutation(retained.indices.length, stream(stage.params.seed, 'membership', 'retained'))
    return {
      forget: await attack(
        samplesOf('forget'),
        // If whole classes are forgotten, test samples of other classes would be recognised by
        // their class alone.
        inputs.split.metrics.forgottenClasses.length > 0 ? samplesOf('forgottenTest') : test,
      ),
      retained: await attack(at(retained, order.subarray(0, test.indices.length)), test),
    }
  })
  const { models } = shadows
  return {
    outputs: {},
    metrics: { models, variance: varianceFor(models / 2), sets: result },
    seconds,
  }
}

function joined(a: SampleSet, b: SampleSet): SampleSet {
  return {
    indices: Int32Array.from([...a.indices, ...b.indices]),
    phi: Float64Array.from([...a.phi, ...b.phi]),
  }
}

function at({ indices, phi }: SampleSet, positions: Int32Array): SampleSet {
  return {
    indices: positions.map((i) => indices[i] ?? -1),
    phi: Float64Array.from(positions, (i) => phi[i] ?? NaN),
  }
}
