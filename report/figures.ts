import { differences, type Difference } from '../common/differences.ts'

/**
 * Where the figures and statements of two reports' computed parts differ. The second may say more than the first, as that of
 * a later version does. Reasons and messages may be in other words.
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
