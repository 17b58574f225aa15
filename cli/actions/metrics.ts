import { metricList } from '../../experiment/records/metric-list.ts'
import { coloursOf, columns, print, printJson } from '../output/print.ts'

interface MetricsOptions {
  readonly json?: true
}

/** `zeroshift metrics`: lists every figure that a run computes for a model, one per line. */
export function metrics({ json }: MetricsOptions): number {
  if (json) {
    printJson({ metrics: metricList })
    return 0
  }
  const rows = metricList.map(({ name, in: where, unit, about }) => [name, where, unit, about])
  const [heading = '', ...lines] = columns([['METRIC', 'IN', 'UNIT', 'WHAT IT IS'], ...rows]).split('\n')
  print([coloursOf(process.stdout).bold(heading), ...lines].join('\n'))
  return 0
}
