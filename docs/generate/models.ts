import { layersOf } from '../../experiment/models/model.ts'
import { adaptableLayers } from '../../experiment/models/layers.ts'
import { externalModelSchema } from '../../experiment/spec/program.ts'
import { modelSchema, modelSchemas } from '../../experiment/spec/model.ts'
import { jsonSchemaOf } from '../../experiment/spec/option-list.ts'
import { table } from './markdown.ts'
import { variantList, variantSections } from './variants.ts'

/** docs/reference/models.md: every architecture with its options. */
export function modelsPage(): string {
  const models = [...modelSchemas, externalModelSchema].map((schema) => ({
    name: schema.shape.name.value,
    about: schema.description ?? '',
    schema: jsonSchemaOf(schema),
  }))
  const list = variantList(['model', 'architecture'], models)
  return [INTRODUCTION, list, ...variantSections('name', models), LAYERS, layerTable()].join('\n\n')
}

const INTRODUCTION = `# Models

\`model.name\` selects the architecture. The number of classes and the shape of the images come from the data set. The original and the gold
models have the same architecture. [Your model](../guides/your-model.md) explains how to start from a checkpoint.`

/**
 * The names of the layers that can be adapted, for images [32, 32, 3] in 10 classes and the default
 * options.
 */
function layerTable(): string {
  const rows = modelSchemas.flatMap((schema) => {
    const name = schema.shape.name.value
    const { data: model } = modelSchema.safeParse({ name })
    if (!model || model.name === 'pretrained') return []
    const names = adaptableLayers(layersOf(model, [32, 32, 3], 10)).map((layer) => `\`${layer.name}\``)
    const shown = names.length > 8 ? [...names.slice(0, 5), '…', ...names.slice(-2)] : names
    return [[`\`${name}\``, shown.join(', ')]]
  })
  return table(['model', 'linear and convolutional layers'], [...rows, PRETRAINED])
}

const PRETRAINED = [
  '`pretrained`',
  'the published names, such as `vit.encoder.layer.0.attention.attention.query` and `classifier`',
]

const LAYERS = `## Names of layers

Options such as \`layers\` and \`align\` of methods name the linear and convolutional layers of a model; \`*\` matches any part of a name.
A pattern that matches no layer is refused, and the message lists the names of the model. With the default options the names are:`
