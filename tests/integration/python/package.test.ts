import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import type { Shape } from '../../../experiment/models/layers.ts'
import { modelSchema } from '../../../experiment/spec/model.ts'
import { presentPeft } from '../../../infra/peft.mjs'
import { forward } from '../../../learning/model/forward.ts'
import { parameterSpecs } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { fileDirectory } from '../../support/directories.ts'
import { buildWheel, environmentWith, pytest, writeFolder } from '../../support/python-package.ts'

/** Builds the Python package, installs it, and runs its own tests. */
const python = presentPeft() ?? ''
const why = python === '' ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''

/** Sides are odd where padding depends on it. */
const models: Readonly<Record<string, readonly [options: object, shape: Shape]>> = {
  mlp: [{ name: 'mlp', hidden: [9, 7] }, [4, 5, 3]],
  cnn: [{ name: 'cnn', channels: [5, 6], hidden: 8 }, [7, 9, 3]],
  'resnet-20': [{ name: 'resnet-cifar', depth: 20, width: 4 }, [7, 8, 3]],
  resnet18: [{ name: 'resnet-cifar', depth: 'resnet18', width: 3 }, [9, 16, 1]],
}

/** A model with random weights and statistics, and its logits for random images. */
function reference(name: string): Record<'model.safetensors' | 'reference.safetensors', Uint8Array> {
  const [options, shape] = models[name] ?? []
  if (!shape) throw new Error(`there is no model ${name}`)
  const layers = layersOf(modelSchema.parse(options), shape, 4)
  const random = stream(1, name)
  const { trained, statistics } = parameterSpecs(layers)
  const tensors = Object.fromEntries(
    [...trained, ...statistics].map((spec) => {
      const size = spec.shape.reduce((product, side) => product * side, 1)
      const draw = () =>
        /gamma|variance/.test(spec.name) ? 0.5 + random.uniform() : random.normal() / Math.sqrt(spec.fanIn)
      return [
        spec.name,
        { dtype: 'F32' as const, shape: spec.shape, values: Float32Array.from({ length: size }, draw) },
      ]
    }),
  )
  const imageShape = [6, ...shape]
  const images = Float32Array.from({ length: 6 * shape[0] * shape[1] * shape[2] }, () => random.normal())
  const logits = tf.tidy(() => {
    const parameters = Object.entries(tensors).map(
      ([key, tensor]) => [key, tf.tensor(tensor.values, [...tensor.shape])] as const,
    )
    const { output } = forward(layers, Object.fromEntries(parameters), tf.tensor(images, imageShape))
    return Float32Array.from(output.dataSync())
  })
  return {
    'model.safetensors': encodeTensors(tensors),
    'reference.safetensors': encodeTensors({
      images: { dtype: 'F32', shape: imageShape, values: images },
      logits: { dtype: 'F32', shape: [6, 4], values: logits },
    }),
  }
}

describe.skipIf(python === '')(`the Python package${why}`, () => {
  let directory: string
  let wheel: string
  beforeAll(async () => {
    directory = fileDirectory()
    wheel = await buildWheel(python, directory)
  })

  test('needs NumPy alone: its tests pass where no other package is', async () => {
    const testing = /^(numpy|pytest|_pytest|py|pluggy|iniconfig|packaging|pygments)([.-]|$)/i
    const own = await environmentWith(wheel, python, join(directory, 'numpy'), testing)
    const needed = `import importlib.metadata as m; print([r for r in m.requires("zeroshift") if "extra" not in r])`
    expect(execFileSync(own, ['-c', needed], { encoding: 'utf8' }).trim()).toMatch(/^\['numpy>=[\d.]+'\]$/)
    const output = await pytest(own)
    expect(output).toMatch(/\d+ passed/)
    expect(output).toContain("could not import 'torch'")
  })

  test('builds the models of Zeroshift in PyTorch, and programs in PyTorch continue to the same bytes', async () => {
    const references = join(directory, 'models')
    for (const name of Object.keys(models)) await writeFolder(join(references, name), reference(name))
    const whole = await environmentWith(wheel, python, join(directory, 'whole'))
    const output = await pytest(whole, { ZEROSHIFT_REFERENCE: references })
    expect(output).toMatch(/\d+ passed/)
    expect(output).not.toContain('could not import')
  })
})
