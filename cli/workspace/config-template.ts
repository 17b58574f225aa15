/** The data sets that a new config may have: those that need no files of the user. */
export const templateData = [
  'digits',
  'mnist',
  'fashion-mnist',
  'kmnist',
  'svhn',
  'cifar10',
  'cifar100',
] as const

/** The kinds of split that a new config may have. */
export const templateSplits = ['class', 'class-fraction', 'random'] as const

interface TemplateChoices {
  readonly name: string
  readonly data: (typeof templateData)[number]
  readonly split: (typeof templateSplits)[number]
  readonly seeds: number
  /** The path or the URL of the JSON Schema of configs. */
  readonly schema: string
}

/** Returns the commented text of a config with all parts that an experiment needs. */
export function configTemplate({ name, data, split, seeds, schema }: TemplateChoices): string {
  const isColoured = ['svhn', 'cifar10', 'cifar100'].includes(data)
  return `# yaml-language-server: $schema=${schema}

name: ${name}

# The data set. Your own images: { name: image-folder, from: DIRECTORY, size: 32 }.
data: { name: ${data} }

# The samples to forget. Other kinds: class, class-fraction, random, indices, hard.
${splits[split]}

${isColoured ? resnet : cnn}
# One seed takes the least time. With eight, every method is tested beside another gold model.
seeds: ${seeds}

# The methods to compare. \`zeroshift methods\` lists all of them.
methods:
  - method: original # unlearns nothing
  - method: retrain # gold: trained from scratch without the forget set
  - { method: finetune, epochs: ${isColoured ? 3 : 2} }
  - { method: random-label, epochs: ${isColoured ? 1 : 2} }
  - { method: rfa, rank: 8, steps: 60, layers: [${isColoured ? "'stage3.*'" : 'linear1'}, head] }
`
}

const splits = {
  class: '# Classes are named, or numbered from 0.\nsplit: { kind: class, classes: [3] }',
  'class-fraction':
    '# Classes are named, or numbered from 0. `count` instead of `fraction` gives a number of samples.\nsplit: { kind: class-fraction, classes: [3], fraction: 0.5 }',
  random:
    '# `count` instead of `fraction` gives a number of samples.\nsplit: { kind: random, fraction: 0.1 }',
} as const

const cnn = `# The model. Others: mlp, resnet-cifar, airbench, pretrained.
model: { name: cnn }

# The training of the original and of the gold models.
training:
  epochs: 25
  batchSize: 64
  optimizer: { name: adam, learningRate: 2.0e-3 }
`

const resnet = `# The model. Others: mlp, cnn, airbench, pretrained.
model: { name: resnet-cifar, depth: 20 }

# The training of the original and of the gold models.
training:
  epochs: 30
  batchSize: 128
  optimizer: { name: sgd, learningRate: 0.1, weightDecay: 5.0e-4 }
  augment: { crop: 4, flip: true }
`
