import { UserError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { metricList, reportsWith } from '../../experiment/records/metric-list.ts'
import { coloursOf, columns, print, printJson } from '../output/print.ts'

interface MetricsOptions {
  readonly json?: true
}

/**
 * `zeroshift metrics [NAME]`: lists every figure that a run computes for a model, or shows one with
 * its formula. Throws a UserError for an unknown name.
 */
export function metrics(name: string | undefined, { json }: MetricsOptions): number {
  if (name !== undefined) return showMetric(name, json ?? false)
  if (json) {
    printJson({ metrics: metricList })
    return 0
  }
  const rows = metricList.map(({ name, in: where, unit, about }) => [name, where, unit, about])
  const [heading = '', ...lines] = columns([['METRIC', 'IN', 'UNIT', 'WHAT IT IS'], ...rows]).split('\n')
  print([coloursOf(process.stdout).bold(heading), ...lines].join('\n'))
  return 0
}

function showMetric(wanted: string, json: boolean): number {
  const metric = metricList.find(({ name }) => name === wanted)
  if (!metric) {
    const names = metricList.map((one) => one.name)
    const near = nearest(wanted, names)
    const similar = near === undefined ? names.filter((one) => one.split('.').includes(wanted)) : [near]
    const hint =
      similar.length === 0 ? '`./zeroshift metrics` lists them' : `did you mean ${similar.join(', ')}?`
    throw new UserError(`there is no metric '${wanted}'; ${hint}`)
  }
  const { name, about, unit, formula, source } = metric
  const reports = reportsWith(metric.in)
  if (json) {
    printJson({ ...metric, reports })
    return 0
  }
  const { bold } = coloursOf(process.stdout)
  const facts = [
    ['Formula', formula],
    ['Unit', unit === '' ? 'none' : unit],
    ['Source', source],
    ['Reports', reports],
  ]
  print([`${bold(name)}  ${about}`, '', columns(facts), '', NOTATION].join('\n'))
  return 0
}

const NOTATION = 'docs/reference/metrics.md explains the notation.'
