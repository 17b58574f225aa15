import { datasetDefinitions } from '../../experiment/spec/data.ts'
import { jsonSchemaOf } from '../../experiment/spec/option-list.ts'
import { table } from './markdown.ts'
import { linkTo, variantList, variantSections } from './variants.ts'

/** docs/reference/data-sets.md: the facts, the files and the options of every data set. */
export function dataSetsPage(): string {
  const dataSets = datasetDefinitions.map(({ name, about, schema }) => ({
    name,
    about,
    schema: jsonSchemaOf(schema),
  }))
  const files = table(
    ['data set', 'files'],
    datasetDefinitions.map(({ name, files }) => [linkTo(name), files]),
  )
  return [
    INTRODUCTION,
    variantList(['data set', 'what it is'], dataSets),
    PUBLISHED,
    publishedTable(),
    FILES,
    files,
    ...variantSections('name', dataSets),
  ].join('\n\n')
}

function publishedTable(): string {
  const count = new Intl.NumberFormat('en')
  const rows = datasetDefinitions.flatMap(({ name, white, published }) => {
    if (!published) return []
    const { shape, classes, samples, licence = '' } = published
    const [train, test] = samples.map((number) => (number === 0 ? 'none' : count.format(number)))
    return [
      [linkTo(name), shape.join(' × '), `0 to ${white}`, String(classes), train ?? '', test ?? '', licence],
    ]
  })
  return table(
    [
      'data set',
      'height × width × channels',
      'pixels',
      'classes',
      'training samples',
      'test samples',
      'licence',
    ],
    rows,
  )
}

const INTRODUCTION = `# Data sets

\`data.name\` selects the reader. \`from\` says where the files are and changes no result: a directory, a URL with its checksum, \`s3://…\`
or \`hf://datasets/…\` ([your data](../guides/your-data.md)). Without \`from\`, the files of MNIST, Fashion-MNIST, Kuzushiji-MNIST and
CIFAR are downloaded and compared with their published checksums.`

const PUBLISHED = `## Published data sets

A data set without test samples of its own needs a share of its samples for testing. The licence is the one that the publisher states;
an empty cell means that none is known.`

const FILES = '## Files'
