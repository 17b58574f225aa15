import { targetNames, type TargetName } from '../../experiment/spec/target.ts'
import { splitSchemas } from '../../experiment/spec/split.ts'
import { jsonSchemaOf } from '../../experiment/spec/option-list.ts'
import { code, table } from './markdown.ts'
import { variantList, variantSections } from './variants.ts'

/** docs/reference/splits.md: how the forget set is chosen, and the shift targets of `rfa`. */
export function splitsPage(): string {
  const splits = splitSchemas.map((schema) => {
    const kind = schema.shape.kind.value
    return { name: kind, about: schema.description ?? '', schema: jsonSchemaOf(schema), notes: notes[kind] }
  })
  const list = variantList(['split', 'what it does'], splits)
  const targetTable = table(
    ['target', 'features t_l(x) of a sample x of the forget set', 'needs'],
    targetNames.map((name) => [code(name), targets[name].about, targets[name].needs ?? '']),
  )
  return [INTRODUCTION, list, ...variantSections('kind', splits), TARGETS, targetTable].join('\n\n')
}

const notes: Readonly<Record<string, string>> = {
  class: `The test set is scored without samples of the forgotten classes. Their accuracy is reported apart.`,
  indices: `**How samples are numbered.** The first sample of the data set has the number 0. All training files come before all test files. Within
these, the order is that of the files, as the config or the data set's own format lists them, and then that of the samples in each file: the
rows of an archive or a table, or the files of an image folder sorted by class and then by name. Images that \`skipCorrupt\` leaves out have no number.

The numbers of validation and test samples are refused: a data set without test files has its test samples among these numbers, and so do
validation samples. \`file\` has one number in a line, or several between commas or spaces; \`#\` begins a comment. A number that occurs twice is refused.`,
  names: `\`file\` has one name in a line. White space around it does not count, and lines that begin with \`#\` are comments. The name of an image of a folder is its path below the
directory of the data, with \`/\`. The end of a path is enough where it belongs to a single image. The name of a row of parquet files is the value of the column \`data.id\`. Without this
option it is the file name that is stored with the image, or else the file and the number of the row, such as \`train-0000.parquet row 7\`.

Named samples stay training samples: they are left out where samples for tests and validation are drawn. Images of test files are refused. A split by names has the keys of the same split
by indices, unless a named sample would have been set apart.`,
  hard: `The original model is trained before the split, and its logits rank the training samples by φ = log(p_y / (1 − p_y)):

| \`by\`             | forgets                                                                                                                                                                                                                                                    |
| ---------------- | ---------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------- |
| \`highest-loss\`   | the samples with the smallest φ                                                                                                                                                                                                                            |
| \`lowest-loss\`    | the samples with the largest φ                                                                                                                                                                                                                             |
| \`most-memorised\` | the samples with the smallest φ among those that the original predicts correctly. This is a proxy for memorisation (Feldman 2020) that needs the original model alone ([Zhao and Triantafillou 2024](https://arxiv.org/abs/2410.16516) compare such proxies) |`,
}

interface TargetNotes {
  readonly about: string
  readonly needs?: string
}

const targets: Readonly<Record<TargetName, TargetNotes>> = {
  'retained-mean': { about: 'the mean of the features over the retained samples' },
  'random-retained': { about: 'the features of one retained sample, drawn once for each x' },
  'nearest-centroid': {
    about: 'the centroid of the retained samples of the class that the original ranks next best for x',
  },
  'nearest-retained': {
    about: 'the features of the retained sample of that class that is nearest to x in the penultimate layer',
  },
  'unseen-neighbour': {
    about:
      'the features of the validation sample of the class of x that is nearest to x in the penultimate layer: the original never trained on it',
    needs: '`data.validation`, with a sample of every forgotten class',
  },
  'random-init': { about: 'the features that a model with new random weights gives x' },
  'unseen-margin': {
    about:
      'the logits of x, with margins of the size that validation samples of the same classes have; `refitEpochs` averages in a refitted top',
    needs: '`data.validation`; aligns the logits alone',
  },
  'leave-out': {
    about:
      'the logits of a head that was refitted on retained samples alone, on both sets; other features become the mean of the classes that this head takes x for',
  },
  'leave-out-top': {
    about:
      'on both sets, the features of layers that are trained anew on retained samples alone, from the layer `top` on; a share `renew` of the filters of adapted layers before it gets new weights first',
    needs:
      '`start: closed-form`, `steps: 0`, and in `layers` every linear and convolutional layer from `top` on; exact with a `rank` that is not below the sizes of their outputs',
  },
}

const INTRODUCTION = `# Splits and targets

A split divides the training set _D_ into the forget set _D_f_ and the retained set _D_r_. \`split.kind\` selects it. The test set _D_t_
is cut in two halves: one trains membership-inference attacks, the other is scored.`

const TARGETS = `## Targets of \`rfa\`

Residual feature alignment shifts the features of the forget set towards a target. The option \`target\` of
[\`rfa\`](methods.md#rfa) selects it. [A module of yours](../guides/plug-ins.md#a-shift-target-of-rfa) may define another one.`
