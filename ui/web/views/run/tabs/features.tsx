import { useEffect, useMemo, useState } from 'preact/hooks'
import { layerWords, type MapSet } from '../../../../../experiment/records/feature-maps.ts'
import { ckaHeat } from '../../../../../report/charts/maps.ts'
import type { FeatureMapsView } from '../../../../contract.ts'
import { ChartFigure } from '../../../document/chart-figure.tsx'
import { NoAnswer } from '../../../shell/page-state.tsx'
import { useRoute } from '../../../shell/use-route.tsx'
import { questions } from '../../../source/questions.ts'
import { useAnswer } from '../../../source/use-source.ts'
import type { RunTab, RunTabProps } from '../run-tab.ts'
import './features/features.css'
import { MapCanvas } from './features/map-canvas.tsx'
import {
  colourOf,
  describeSample,
  describeSelection,
  mapTitles,
  readQuery,
  setTitles,
  squareOf,
  standardModels,
  toggled,
  writeList,
  type MapKind,
  type MapQuery,
} from './features/map-state.ts'

export const featuresTab: RunTab = {
  name: 'features',
  title: 'Features',
  // A run without maps says how to get them.
  isShown: () => true,
  Component: FeaturesTab,
}

/** Maps of the features of chosen samples for several models, with one selection for all. */
function FeaturesTab({ run }: RunTabProps) {
  const { answer, failure, reload } = useAnswer(questions.features(run.entry.id))
  const { done } = run.entry.stages
  const isLoaded = answer !== undefined
  useEffect(() => {
    if (isLoaded) reload()
    // Stages that have ended since may have left maps.
  }, [done])
  if (!answer) return <NoAnswer failure={failure} title="The maps cannot be loaded." />
  if ('missing' in answer)
    return (
      <div class="banner note">
        <p>
          <strong>{answer.missing}</strong>
        </p>
        <p>{coded(answer.remedy)}</p>
      </div>
    )
  return <Maps view={answer} />
}

/** Text whose parts between backquotes are code. */
function coded(text: string) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))
}

const kinds: readonly MapKind[] = ['umap', 'pca']
const sets: readonly MapSet[] = ['forget', 'retained', 'test']
const none: ReadonlySet<number> = new Set()

function Maps({ view }: { readonly view: FeatureMapsView }) {
  const { samples, classes, models, absent, cka, layer } = view
  const { query: address, setQuery } = useRoute()
  const query = useMemo(() => readQuery(view, address), [view, JSON.stringify(address)])
  const [selected, setSelected] = useState(none)
  const [hovered, setHovered] = useState<number>()
  const shown = models.filter(({ label }) => query.models.includes(label))
  const squares = useMemo(() => ({ umap: squareOf(models, 'umap'), pca: squareOf(models, 'pca') }), [models])
  const hoveredSample = hovered === undefined ? undefined : samples[hovered]
  const gone = absent.map(({ label, reason }) => `${label}: ${reason}`)
  return (
    <div class="features">
      <p>
        Chosen samples by the <strong>{layerWords(layer)}</strong>. Each model has a map of its own, which
        starts from the places of gold's map and is turned onto it by the retained samples: compare groups and
        neighbours, not single places. Drag over a map to select samples in all of them.
      </p>
      {gone.length > 0 && <p class="note">Without maps: {gone.join('; ')}.</p>}
      <MapTools view={view} query={query} setQuery={setQuery} onSelect={setSelected} />
      <div>
        <div class="map-status">
          <p role="status">
            {selected.size > 0
              ? describeSelection(samples, selected, classes)
              : `${samples.length} samples. Diamonds are the forget set, dots the retained set, rings the test set.`}
          </p>
          {selected.size > 0 && (
            <button
              type="button"
              class="small"
              onClick={() => {
                setSelected(none)
              }}
            >
              Select none
            </button>
          )}
          <p class="note">{hoveredSample && describeSample(hoveredSample, classes)}</p>
        </div>
        <div class="map-models">
          {shown.map((model) => (
            <figure key={model.label}>
              <figcaption>
                {model.label} {model.isGold && model.label !== 'gold' && <small>gold</small>}
              </figcaption>
              <div class="map-pair">
                {query.kinds.map((kind) => (
                  <div key={kind}>
                    <MapCanvas
                      name={`${model.label} ${mapTitles[kind]}`}
                      description={`${model.label}: ${samples.length} samples by ${mapTitles[kind]} of their features. The buttons above select classes and sets by keyboard.`}
                      {...{ samples, query, selected, hovered }}
                      points={model[kind]}
                      square={squares[kind]}
                      onHover={setHovered}
                      onSelect={setSelected}
                    />
                    <small>{mapTitles[kind]}</small>
                  </div>
                ))}
              </div>
            </figure>
          ))}
        </div>
      </div>
      <Similarities cka={cka.filter(({ label }) => query.models.includes(label))} />
    </div>
  )
}

function MapTools({
  view,
  query,
  setQuery,
  onSelect,
}: {
  readonly view: FeatureMapsView
  readonly query: MapQuery
  readonly setQuery: (change: Readonly<Record<string, string | undefined>>) => void
  readonly onSelect: (selected: ReadonlySet<number>) => void
}) {
  const { samples, classes, models } = view
  const labels = models.map(({ label }) => label)
  const select = (isWanted: (sample: (typeof samples)[number]) => boolean) => {
    onSelect(new Set(samples.flatMap((sample, i) => (isWanted(sample) ? [i] : []))))
  }
  const used = new Set(samples.map(({ label }) => label))
  const canColour = readQuery(view, {}).colour === 'class'
  return (
    <div class="map-tools">
      <Toggles
        title="Models"
        names={labels}
        chosen={query.models}
        onChange={(next) => {
          setQuery({ models: writeList(next, standardModels(view)) })
        }}
      />
      <Toggles
        title="Maps"
        names={kinds}
        titles={mapTitles}
        chosen={query.kinds}
        onChange={(next) => {
          setQuery({ maps: writeList(next, kinds) })
        }}
      />
      <Toggles
        title="Samples"
        names={sets}
        titles={setTitles}
        chosen={query.sets}
        onChange={(next) => {
          setQuery({ sets: writeList(next, sets) })
        }}
      />
      {canColour && (
        <fieldset>
          <legend>Colours</legend>
          <div>
            {(['class', 'set'] as const).map((colour) => (
              <button
                key={colour}
                type="button"
                class="small"
                aria-pressed={query.colour === colour}
                onClick={() => {
                  setQuery({ colour: colour === 'class' ? undefined : colour })
                }}
              >
                by {colour}
              </button>
            ))}
          </div>
        </fieldset>
      )}
      <fieldset>
        <legend>Select</legend>
        <div>
          {query.colour === 'class'
            ? classes.flatMap((name, label) =>
                used.has(label)
                  ? [
                      <Key
                        key={name}
                        name={name}
                        colour={colourOf({ set: 'retained', label, number: 0 }, 'class')}
                        onClick={() => {
                          select((sample) => sample.label === label)
                        }}
                      />,
                    ]
                  : [],
              )
            : sets.map((set) => (
                <Key
                  key={set}
                  name={setTitles[set]}
                  colour={set}
                  onClick={() => {
                    select((sample) => sample.set === set)
                  }}
                />
              ))}
        </div>
      </fieldset>
    </div>
  )
}

function Key({
  name,
  colour,
  onClick,
}: {
  readonly name: string
  readonly colour: string
  readonly onClick: () => void
}) {
  return (
    <button type="button" class="small class-key" title={`Select ${name} in all maps`} onClick={onClick}>
      <span class="swatch" style={{ background: `var(--${colour})` }} />
      {name}
    </button>
  )
}

function Toggles<Name extends string>({
  title,
  names,
  titles,
  chosen,
  onChange,
}: {
  readonly title: string
  readonly names: readonly Name[]
  readonly titles?: Readonly<Record<Name, string>>
  readonly chosen: readonly Name[]
  readonly onChange: (next: readonly Name[]) => void
}) {
  return (
    <fieldset>
      <legend>{title}</legend>
      <div>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            class="small"
            aria-pressed={chosen.includes(name)}
            onClick={() => {
              onChange(toggled(names, chosen, name))
            }}
          >
            {titles?.[name] ?? name}
          </button>
        ))}
      </div>
    </fieldset>
  )
}

/** CKA between the layers of each shown model and those of gold. */
function Similarities({ cka }: { readonly cka: FeatureMapsView['cka'] }) {
  if (cka.length === 0) return null
  return (
    <section>
      <h2>Linear CKA between the layers of a model and those of gold</h2>
      <p>
        The stronger the colour, the more alike are the features of the two layers on these samples. An empty
        place has no figure.
      </p>
      <div class="panels">
        {cka.map(({ label, ...matrix }) => (
          <ChartFigure
            key={label}
            chart={{
              title: label,
              description: `${label}: linear CKA of each layer with each layer of gold.`,
              spec: ckaHeat(matrix),
            }}
          />
        ))}
      </div>
    </section>
  )
}
