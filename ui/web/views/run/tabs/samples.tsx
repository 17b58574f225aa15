import { useCallback, useMemo, useRef } from 'preact/hooks'
import type { OutcomeAttack } from '../../../../../experiment/records/outcomes.ts'
import { counted } from '../../../../../common/counted.ts'
import { significant } from '../../../../../report/format.ts'
import { scoreTitles } from '../../../../../report/sections/roc.ts'
import { paths, type Neighbours, type SampleTable } from '../../../../contract.ts'
import { useWindowRows } from '../../../controls/use-window-rows.ts'
import { FailureBanner, NoAnswer } from '../../../shell/page-state.tsx'
import { useRoute } from '../../../shell/use-route.tsx'
import { questions } from '../../../source/questions.ts'
import { useAnswer } from '../../../source/use-source.ts'
import type { RunTab, RunTabProps } from '../run-tab.ts'
import { Choice } from '../../../controls/choice.tsx'
import {
  confidenceFigures,
  filteredSamples,
  sampleOrders,
  scoreFigures,
  sortedSamples,
  type SampleFigures,
  type SampleOrder,
} from './sample-order.ts'
import { useChoice } from './use-choice.ts'

export const samplesTab: RunTab = {
  name: 'samples',
  title: 'Samples',
  isShown: ({ views }) => views.samples,
  Component: SamplesTab,
}

const ROW_HEIGHT = 64
/** The choice of all sets or of all classes. */
const ALL = 'all'
/** The choice of the probability of the true class, in place of the scores of an attack. */
const PROBABILITY = 'probability'

/** The samples of the first seed, those first whose figure differs most between two models. */
function SamplesTab({ run }: RunTabProps) {
  const { id } = run.entry
  const { answer, failure } = useAnswer(questions.samples(id))
  if (!answer)
    return (
      <NoAnswer failure={failure} title="The samples cannot be loaded." waiting="The samples are read …" />
    )
  return <SampleList run={id} table={answer} />
}

function SampleList({ run, table }: { readonly run: string; readonly table: SampleTable }) {
  const { models, sets, classes, attacks } = table
  const labels = models.map((model) => model.label)
  const [figureName, chooseFigure] = useChoice<OutcomeAttack | typeof PROBABILITY>(
    'figure',
    [PROBABILITY, ...attacks],
    PROBABILITY,
  )
  const attack = figureName === PROBABILITY ? undefined : figureName
  const { answer: scores, failure } = useAnswer(attack && questions.scores(run, attack))
  const probabilities = useMemo(() => confidenceFigures(table), [table])
  const scored = useMemo(() => scores && scoreFigures(table, scores), [table, scores])
  // The last order stays until the scores are there.
  const figures = (attack && scored) ?? probabilities
  const [setName, chooseSet] = useChoice('set', [...sets, ALL], sets[0] ?? ALL)
  const [className, chooseClass] = useChoice('class', [...classes, ALL], ALL)
  const [one, chooseOne] = useChoice('one', labels, models.find(({ isGold }) => isGold)?.label ?? '')
  const [other, chooseOther] = useChoice('other', labels, models.find(({ isGold }) => !isGold)?.label ?? '')
  const [by, chooseOrder] = useChoice('first', Object.keys(sampleOrders).filter(isOrder), 'change')
  const { query, setQuery } = useRoute()
  const set = sets.findIndex((name) => name === setName)
  const label = classes.indexOf(className)
  const [from, to] = [Math.max(0, labels.indexOf(one)), Math.max(0, labels.indexOf(other))]
  const sorted = useMemo(
    () => sortedSamples(table, figures, { from, to, by }),
    [table, figures, from, to, by],
  )
  const order = useMemo(() => filteredSamples(table, sorted, { set, label }), [table, sorted, set, label])
  const keyOf = useCallback((index: number) => order[index] ?? -1, [order])
  const list = useRef<HTMLUListElement>(null)
  const { items, height, offset, measure } = useWindowRows(list, order.length, ROW_HEIGHT, keyOf)
  const missing = attack && scores ? scores.missing : table.missing
  const names = models.map(
    (model) => [model.label, model.isGold ? `${model.label} (gold)` : model.label] as const,
  )
  const named = (name: string) => [name, name] as const
  return (
    <section class="sample-list">
      <p>
        {figures === probabilities
          ? 'The probability that each model gives the true class'
          : 'The score that the attack gives each sample under each model, which speaks for a member if it is high (entropies and losses have their sign changed)'}
        , and the class that the model predicts, in red if that is another one.
        {table.left > 0 && ` ${counted(table.left, 'sample')} are left out.`}
      </p>
      {missing.length > 0 && (
        <p class="note">Missing: {missing.map((one) => `${one.label} (${one.reason})`).join('; ')}</p>
      )}
      <div class="filters">
        <Choice title="Samples" value={setName} options={[...sets, ALL].map(named)} onChange={chooseSet} />
        <Choice
          title="Class"
          value={className}
          options={[ALL, ...classes].map(named)}
          onChange={chooseClass}
        />
        <Choice title="Compare" value={one} options={names} onChange={chooseOne} />
        <Choice title="with" value={other} options={names} onChange={chooseOther} />
        {attacks.length > 0 && (
          <Choice
            title="Figure"
            value={figureName}
            options={[
              [PROBABILITY, 'probability'],
              ...attacks.map((name) => [name, `${scoreTitles[name]} (attack)`] as const),
            ]}
            onChange={chooseFigure}
          />
        )}
        <Choice title="First" value={by} options={Object.entries(sampleOrders)} onChange={chooseOrder} />
      </div>
      {failure && <FailureBanner title="The scores cannot be loaded." failure={failure} />}
      <p role="status">
        {counted(order.length, 'sample')}
        {attack && !scored && !failure && '. The scores are computed …'}
      </p>
      <ul class="samples" ref={list} style={{ height: `${height}px` }}>
        {items.map(({ index, start }) => {
          const row = order[index] ?? -1
          const sample = String(table.number[row])
          return (
            <li
              key={row}
              class="sample"
              data-index={index}
              ref={measure}
              aria-posinset={index + 1}
              aria-setsize={order.length}
              style={{ transform: `translateY(${start - offset}px)` }}
            >
              <SampleLine
                run={run}
                table={table}
                figures={figures}
                row={row}
                from={from}
                to={to}
                isOpen={query.sample === sample}
                onToggle={() => {
                  setQuery({ sample: query.sample === sample ? undefined : sample })
                }}
              />
            </li>
          )
        })}
      </ul>
    </section>
  )
}

const isOrder = (value: string): value is SampleOrder => value in sampleOrders

function SampleLine({
  run,
  table,
  figures,
  row,
  from,
  to,
  isOpen,
  onToggle,
}: {
  readonly run: string
  readonly table: SampleTable
  readonly figures: SampleFigures
  readonly row: number
  readonly from: number
  readonly to: number
  readonly isOpen: boolean
  readonly onToggle: () => void
}) {
  const { classes, sets } = table
  const number = table.number[row] ?? -1
  const className = classes[table.label[row] ?? -1] ?? ''
  const shown = isOpen ? table.models.map((_, i) => i) : [...new Set([from, to])]
  return (
    <>
      <div class={table.shape ? 'sample-line' : 'sample-line plain'}>
        {table.shape && <Picture run={run} number={number} name={`sample ${number}, ${className}`} />}
        <div class="sample-name">
          <strong>{className}</strong>
          <small>
            {sets[table.set[row] ?? 0]} sample {number}
          </small>
        </div>
        <div class="sample-models">
          {shown.map((i) => (
            <Figure key={i} table={table} figures={figures} model={i} row={row} />
          ))}
        </div>
        <button
          type="button"
          class="small"
          aria-expanded={isOpen}
          aria-label={`${isOpen ? 'Less' : 'More'} of sample ${number}`}
          onClick={onToggle}
        >
          {isOpen ? 'Less' : 'More'}
        </button>
      </div>
      {isOpen && table.shape && <NeighbourView run={run} table={table} number={number} />}
    </>
  )
}

function Figure({
  table: { models, classes, label },
  figures: { values, range, areShares },
  model,
  row,
}: {
  readonly table: SampleTable
  readonly figures: SampleFigures
  readonly model: number
  readonly row: number
}) {
  const found = models[model]
  if (!found) return null
  const value = values[model]?.[row] ?? NaN
  const predicted = found.predicted[row] ?? -1
  const isWrong = predicted !== label[row]
  return (
    <div class="confidence">
      <span>{found.label}</span>
      <meter
        min={range[0]}
        max={range[1]}
        value={Number.isNaN(value) ? range[0] : value}
        aria-label={`figure of ${found.label}`}
      />
      <span class="figure">
        {Number.isNaN(value) ? '–' : areShares ? value.toFixed(4) : significant(value)}
      </span>
      <span class={isWrong ? 'missing' : 'note'}>{classes[predicted]}</span>
    </div>
  )
}

function Picture({
  run,
  number,
  name,
}: {
  readonly run: string
  readonly number: number
  readonly name: string
}) {
  return (
    <img class="picture" src={paths.image(run, number)} alt={name} width={48} height={48} loading="lazy" />
  )
}

/** The nearest retained and test samples by their pixels. */
function NeighbourView({
  run,
  table,
  number,
}: {
  readonly run: string
  readonly table: SampleTable
  readonly number: number
}) {
  const { answer, failure } = useAnswer<Neighbours>({ path: paths.neighbours(run, number) })
  const labels = useMemo(
    () => new Map(table.number.map((one, row) => [one, table.label[row] ?? -1])),
    [table],
  )
  if (failure) return <FailureBanner title="The neighbours cannot be loaded." failure={failure} />
  if (!answer) return <p class="note">Neighbours are looked for …</p>
  return (
    <div class="neighbours">
      {(['retained', 'test'] as const).map((set) => (
        <div key={set}>
          <h2>Nearest {set} samples by pixels</h2>
          <ul>
            {answer[set].map((one) => {
              const className = table.classes[labels.get(one.number) ?? -1] ?? ''
              return (
                <li key={one.number}>
                  <Picture run={run} number={one.number} name={`sample ${one.number}, ${className}`} />
                  <small>
                    {className} {significant(one.distance)}
                  </small>
                </li>
              )
            })}
          </ul>
        </div>
      ))}
    </div>
  )
}
