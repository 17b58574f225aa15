import { useMemo } from 'preact/hooks'
import {
  allTests,
  confusionOf,
  outcomeRows,
  type OutcomeRow,
} from '../../../../../report/sections/outcome-rows.ts'
import { classesSection } from '../../../../../report/sections/classes.ts'
import { marginsSection } from '../../../../../report/sections/margins.ts'
import { differenceHeat, shareHeat } from '../../../../../report/charts/classes.ts'
import type { OutcomeSet, Outcomes } from '../../../../../experiment/records/outcomes.ts'
import { ChartFigure } from '../../../document/chart-figure.tsx'
import { SectionView } from '../../../document/document.tsx'
import { NoAnswer } from '../../../shell/page-state.tsx'
import { questions } from '../../../source/questions.ts'
import { useAnswer } from '../../../source/use-source.ts'
import type { RunTab, RunTabProps } from '../run-tab.ts'
import { Choice } from '../../../controls/choice.tsx'
import { ThresholdView } from './threshold.tsx'
import { useChoice } from './use-choice.ts'

export const outcomesTab: RunTab = {
  name: 'outcomes',
  title: 'Outcomes',
  isShown: () => true,
  Component: OutcomesTab,
}

/** Curves with a threshold, predictions against gold, accuracy by class and margins. */
function OutcomesTab({ run }: RunTabProps) {
  const { answer, failure } = useAnswer(questions.outcomes(run.entry.id))
  if (!answer)
    return (
      <NoAnswer
        failure={failure}
        title="The outcomes cannot be loaded."
        waiting="The outcomes are computed from the logits in the store …"
      />
    )
  return <OutcomesView outcomes={answer} />
}

function OutcomesView({ outcomes }: { readonly outcomes: Outcomes }) {
  const sections = useMemo(
    () => [classesSection({ outcomes }), marginsSection({ outcomes })].flatMap((section) => section ?? []),
    [outcomes],
  )
  if (outcomes.models.length === 0)
    return <p>No model of the run can be read: {outcomes.missing[0]?.reason ?? 'none is evaluated yet'}.</p>
  return (
    <article class="document">
      {outcomes.missing.length > 0 && (
        <p class="note">
          Missing:{' '}
          {outcomes.missing
            .map(({ label, seed, reason }) => `${label}, seed ${seed + 1} (${reason})`)
            .join('; ')}
        </p>
      )}
      <ThresholdView outcomes={outcomes} />
      <PredictionView outcomes={outcomes} />
      {sections.map((section) => (
        <SectionView key={section.title} section={section} />
      ))}
    </article>
  )
}

const setChoices: readonly {
  readonly name: string
  readonly title: string
  readonly sets: readonly OutcomeSet[]
}[] = [
  { name: 'forget', title: 'forget set', sets: ['forget'] },
  { name: 'test', title: 'test samples', sets: allTests },
  { name: 'retained', title: 'retained set', sets: ['retained'] },
]

/** Predicted by true class: the model, gold, and their difference. */
function PredictionView({ outcomes }: { readonly outcomes: Outcomes }) {
  const rows = useMemo(() => outcomeRows(outcomes), [outcomes])
  const gold = rows.find(({ isGold }) => isGold)
  const [label, setLabel] = useChoice(
    'predicted',
    rows.map((row) => row.label),
    (rows.find((row) => row !== gold) ?? rows[0])?.label ?? '',
  )
  const [chosen, setChosen] = useChoice(
    'samples',
    setChoices.map(({ name }) => name),
    'forget',
  )
  const { sets } = setChoices.find(({ name }) => name === chosen) ?? { sets: allTests }
  const row = rows.find((one) => one.label === label)
  const { classes } = outcomes
  const own = row && sharesOf(row, sets)
  const golden = gold && sharesOf(gold, sets)
  return (
    <section>
      <h2>Predictions against gold</h2>
      <div class="filters">
        <Choice
          title="Model"
          value={label}
          onChange={setLabel}
          options={rows.map((one) => [one.label, one.label])}
        />
        <Choice
          title="Samples"
          value={chosen}
          onChange={setChosen}
          options={setChoices.map(({ name, title }) => [name, title])}
        />
      </div>
      {!own && <p class="note">There is no count by true and predicted class.</p>}
      <div class="panels">
        {own && <Heat title={label} shares={own} classes={classes} />}
        {golden && row !== gold && <Heat title={`${gold.label} (gold)`} shares={golden} classes={classes} />}
        {own && golden && row !== gold && (
          <ChartFigure
            chart={{
              title: 'Difference to gold, in points',
              description: `Differences of the shares of ${label} to those of gold, by true and predicted class.`,
              spec: differenceHeat(
                own.flatMap((counts, y) =>
                  counts.map((share, k) => ({
                    row: classes[y] ?? '',
                    column: classes[k] ?? '',
                    difference: share - (golden[y]?.[k] ?? 0),
                  })),
                ),
                classesOf(own, classes),
                classes,
              ),
            }}
          />
        )}
      </div>
    </section>
  )
}

function Heat({
  title,
  shares,
  classes,
}: {
  readonly title: string
  readonly shares: Shares
  readonly classes: readonly string[]
}) {
  const cells = shares.flatMap((counts, y) =>
    counts.map((share, k) => ({ row: classes[y] ?? '', column: classes[k] ?? '', share })),
  )
  return (
    <ChartFigure
      chart={{
        title,
        description: `${title}: shares of the samples of each class by predicted class, in percent.`,
        spec: shareHeat(
          cells,
          classesOf(shares, classes),
          classes,
          { row: 'true class', column: 'predicted class' },
          236,
        ),
      }}
    />
  )
}

type Shares = readonly (readonly number[])[]

/** The true classes of which there are samples. */
function classesOf(shares: Shares, classes: readonly string[]): readonly string[] {
  return classes.filter((_, y) => shares[y]?.some((share) => share > 0))
}

function sharesOf(row: OutcomeRow, sets: readonly OutcomeSet[]): Shares | undefined {
  return confusionOf(row, sets)?.map((counts) => {
    const all = counts.reduce((sum, count) => sum + count, 0)
    return counts.map((count) => (all > 0 ? count / all : 0))
  })
}
