import { useMemo, useState } from 'preact/hooks'
import type { AttackCurve, NamedAttack, Outcomes } from '../../../../../experiment/records/outcomes.ts'
import { rocCurves } from '../../../../../report/charts/roc.ts'
import { percent, significant } from '../../../../../report/format.ts'
import {
  attacksWithCurve,
  curvesOf,
  outcomeRows,
  type OutcomeRow,
} from '../../../../../report/sections/outcome-rows.ts'
import { attackName, linesOf } from '../../../../../report/sections/roc.ts'
import { ChartFigure } from '../../../document/chart-figure.tsx'
import { TextOf } from '../../../document/text.tsx'
import { Choice } from '../../../controls/choice.tsx'
import { useRoute } from '../../../shell/use-route.tsx'
import { useChoice } from './use-choice.ts'
import {
  pointAtRate,
  pointOf,
  pointText,
  rateAt,
  thresholdText,
  truePositiveRate,
} from './threshold-point.ts'

/** The threshold is first shown where the chosen model has this false-positive rate. */
const FIRST_RATE = 0.1

/** The ROC curves of an attack, and what it does at a threshold that the reader drags. */
export function ThresholdView({ outcomes }: { readonly outcomes: Outcomes }) {
  const rows = useMemo(() => outcomeRows(outcomes), [outcomes])
  const attacks = attacksWithCurve(rows)
  const [attack, setAttack] = useChoice<NamedAttack>(
    'attack',
    attacks,
    (['lira', 'loss'] as const).find((name) => attacks.includes(name)) ?? attacks[0] ?? 'loss',
  )
  const attacked = rows.filter((row) => curvesOf(row, attack).length > 0)
  const [label, setLabel] = useChoice(
    'model',
    attacked.map((one) => one.label),
    (attacked.find(({ isGold }) => !isGold) ?? attacked[0])?.label ?? '',
  )
  const seeds = Array.from({ length: outcomes.read }, (_, i) => String(i + 1))
  const [seedText, setSeed] = useChoice('seed', seeds, '1')
  const seed = Number(seedText) - 1
  const { query, setQuery } = useRoute()
  // While the reader drags, the address stays: it is for the point that is chosen in the end.
  const [dragged, setDragged] = useState<{ readonly curve: AttackCurve; readonly point: number }>()
  const row = attacked.find((one) => one.label === label) ?? attacked[0]
  const curve = row && curveOf(row, seed, attack)
  if (attacks.length === 0) return null
  const at =
    dragged !== undefined && dragged.curve === curve
      ? dragged.point
      : curve
        ? (pointOf(curve, query.point) ?? pointAtRate(curve, FIRST_RATE))
        : 0
  return (
    <section>
      <h2>A threshold of an attack</h2>
      <p>
        An attack calls a sample a member if its score is at least the threshold. Drag it to the right to
        lower it, or use the arrow keys: the point moves along the curve of the chosen model.
      </p>
      <div class="filters">
        <Choice
          title="Attack"
          value={attack}
          options={attacks.map((name) => [name, attackName(name)])}
          onChange={setAttack}
        />
        <Choice
          title="Model"
          value={row?.label ?? ''}
          options={attacked.map((one) => [one.label, one.label])}
          onChange={setLabel}
        />
        {outcomes.read > 1 && (
          <Choice
            title="Seed"
            value={seedText}
            options={seeds.map((text) => [text, text])}
            onChange={setSeed}
          />
        )}
      </div>
      {!curve && <p class="note">This attack has no curve of {row?.label ?? 'a model'} for this seed.</p>}
      {curve && (
        <div class="threshold">
          <Curves attack={attack} rows={attacked} seed={seed} label={row.label} curve={curve} at={at} />
          <div>
            <label class="slider">
              <span>Threshold</span>
              <input
                type="range"
                min={0}
                max={curve.falsePositives.length - 1}
                value={at}
                aria-valuetext={thresholdText(curve, at)}
                onInput={(event) => {
                  setDragged({ curve, point: Number(event.currentTarget.value) })
                }}
                onChange={(event) => {
                  setDragged(undefined)
                  setQuery({ point: pointText(curve, Number(event.currentTarget.value)) })
                }}
              />
              <output>{thresholdText(curve, at)}</output>
            </label>
            <CountsAt curve={curve} at={at} />
          </div>
        </div>
      )}
    </section>
  )
}

function Curves({
  attack,
  rows,
  seed,
  label,
  curve,
  at,
}: {
  readonly attack: NamedAttack
  readonly rows: readonly OutcomeRow[]
  readonly seed: number
  readonly label: string
  readonly curve: AttackCurve
  readonly at: number
}) {
  const [all] = linesOf(rows)
  const colour = all.find((line) => line.label === label)?.colour ?? 'accent'
  const shown = all.filter((line) => line.isGold || line.label === label)
  const lines = shown.flatMap((line) => {
    const row = rows.find((one) => one.label === line.label)
    const own = line.label === label ? curve : row && curveOf(row, seed, attack)
    return own ? [{ ...line, curves: [own] }] : []
  })
  const drawn = lines.length > 0 ? lines : [{ label, colour, isGold: false, curves: [curve] }]
  const marked = {
    falsePositives: rateAt(curve, at),
    truePositives: truePositiveRate(curve, at),
  }
  return (
    <div>
      <ChartFigure
        chart={{
          title: attackName(attack),
          description: `${attackName(attack)}: ROC curve of ${label}${drawn.some(({ isGold }) => isGold) ? ' and of gold' : ''} on logarithmic axes. The area of ${label} is ${significant(curve.auc)}.`,
          spec: rocCurves(drawn, marked),
        }}
      />
      <ul class="keys">
        {drawn.map((line) => (
          <li key={line.label}>
            <TextOf text={[{ swatch: line.colour }, `${line.label}${line.isGold ? ' (gold)' : ''}`]} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** What the attack does at a point of the curve: rates, and counts by truth and verdict. */
function CountsAt({ curve, at }: { readonly curve: AttackCurve; readonly at: number }) {
  const { members, nonMembers, falsePositives, truePositives, auc } = curve
  const [falses, trues] = [falsePositives[at] ?? 0, truePositives[at] ?? 0]
  return (
    <>
      <dl class="tiles">
        <div>
          <dt>True-positive rate</dt>
          <dd>
            {percent((100 * trues) / members)} <small>%</small>
          </dd>
        </div>
        <div>
          <dt>False-positive rate</dt>
          <dd>
            {percent((100 * falses) / nonMembers)} <small>%</small>
          </dd>
        </div>
        <div>
          <dt>Area below the curve</dt>
          <dd>{significant(auc)}</dd>
        </div>
      </dl>
      <table>
        <thead>
          <tr>
            <th scope="col">Samples</th>
            <th scope="col" class="wrap">
              called members
            </th>
            <th scope="col" class="wrap">
              called non-members
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">forget set</th>
            <td>{trues}</td>
            <td>{members - trues}</td>
          </tr>
          <tr>
            <th scope="row">never seen</th>
            <td>{falses}</td>
            <td>{nonMembers - falses}</td>
          </tr>
        </tbody>
      </table>
    </>
  )
}

function curveOf({ seeds }: OutcomeRow, seed: number, attack: NamedAttack): AttackCurve | undefined {
  const model = seeds[seed]
  if (!model || 'missing' in model) return undefined
  const found = model.attacks.find((one) => one.attack === attack)
  return found && !('missing' in found) ? found : undefined
}
