import { differences, type Difference } from '../common/differences.ts'

/**
 * The differences between the figures and statements in `computed` of two reports. The second may
 * have more than the first, since it may be of a later version. Wording is not compared.
 */
export function differentFigures(recorded: object, here: object): readonly Difference[] {
  return differences(figuresOf(recorded), figuresOf(here)).filter(
    ({ path, before, after }) =>
      before !== 'nothing' && !(isText(before) && isText(after) && words.test(path)),
  )
}

function figuresOf(computed: object): object {
  const { spec: _spec, data: _data, stages: _stages, ...figures } = computed as Record<string, unknown>
  return figures
}

const words = /\.(missing|reason|message|impossible)$/
const isText = (json: string) => json.startsWith('"')
