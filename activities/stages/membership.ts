import { permutation, stream } from '../../learning/random.ts'
import { varianceFor } from '../../unlearning/population/lira.ts'
import { margins } from '../../unlearning/population/margin.ts'
import { shadowAttacks } from '../../unlearning/population/shadow-attacks.ts'
import { poolAt } from '../../unlearning/population/shadows.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readPool, readSplit } from '../runtime/blob-codecs.ts'

/** Samples, and φ of each under the attacked model. */
interface AttackedSamples {
  readonly indices: Int32Array
  readonly phi: Float64Array
}

export const membership: StageBody<'membership'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const split = await readSplit(artifacts, inputs.split)
  const logits = await readLogits(artifacts, inputs.evaluation)
  const shadows = await readPool(artifacts, inputs.pool)
  const breathe = () => host.step({})
  const judged = (set: 'forget' | 'retained' | 'attackTest' | 'test' | 'forgottenTest'): AttackedSamples => ({
    indices: split[set],
    phi: margins(logits[set]),
  })
  const attack = async (members: AttackedSamples, others: AttackedSamples) => {
    await breathe()
    const attacked = ({ indices, phi }: AttackedSamples) => ({
      target: phi,
      shadow: poolAt(shadows, indices),
    })
    return shadowAttacks({ both: attacked(joined(members, others)), others: attacked(others) }, breathe)
  }

  const { result, seconds } = await timed(async () => {
    // Nobody trained on any test sample, but shadow models.
    const test = joined(judged('attackTest'), judged('test'))
    const retained = judged('retained')
    const order = permutation(retained.indices.length, stream(stage.params.seed, 'membership', 'retained'))
    return {
      forget: await attack(
        judged('forget'),
        // Where classes are forgotten whole, the others would be told apart by their class alone.
        inputs.split.metrics.forgottenClasses.length > 0 ? judged('forgottenTest') : test,
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

function joined(a: AttackedSamples, b: AttackedSamples): AttackedSamples {
  return {
    indices: Int32Array.from([...a.indices, ...b.indices]),
    phi: Float64Array.from([...a.phi, ...b.phi]),
  }
}

function at({ indices, phi }: AttackedSamples, positions: Int32Array): AttackedSamples {
  return {
    indices: positions.map((i) => indices[i] ?? -1),
    phi: Float64Array.from(positions, (i) => phi[i] ?? NaN),
  }
}
