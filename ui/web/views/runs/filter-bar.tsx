import type { RunEntry } from '../../../contract.ts'
import { Choice } from '../../controls/choice.tsx'
import { FilterForm, SearchField } from '../../controls/filter-form.tsx'
import { useRoute } from '../../shell/use-route.tsx'
import { choicesOf, filterNames, orderOf, orders } from './filters.ts'

const labels = {
  data: 'Data set',
  method: 'Method',
  split: 'Split',
  status: 'Status',
  tag: 'Tag',
  sweep: 'Sweep',
} as const

/** The filters and the order of the list of runs. */
export function FilterBar({ runs }: { readonly runs: readonly RunEntry[] }) {
  const { query, setQuery } = useRoute()
  const choices = choicesOf(runs)
  const isFiltered = filterNames.some((name) => query[name])
  const set = (name: string, value: string) => {
    setQuery({ [name]: value === '' ? undefined : value })
  }
  return (
    <FilterForm isSearch>
      <SearchField
        value={query.text ?? ''}
        placeholder="Name, note, failure …  ( / )"
        onInput={(text) => {
          set('text', text)
        }}
      />
      {Object.entries(labels).map(([name, label]) => {
        const values = choices[name as keyof typeof labels]
        const chosen = query[name] ?? ''
        if (values.length < 2 && chosen === '') return null
        const named = new Set([...values, ...(chosen === '' ? [] : [chosen])])
        return (
          <Choice
            key={name}
            title={label}
            value={chosen}
            options={[['', 'all'], ...[...named].map((value) => [value, value] as const)]}
            onChange={(value) => {
              set(name, value)
            }}
          />
        )
      })}
      {(['since', 'until'] as const).map((name) => (
        <label key={name}>
          <span>{name === 'since' ? 'Since' : 'Until'}</span>
          <input
            type="date"
            value={query[name] ?? ''}
            onChange={({ currentTarget }) => {
              set(name, currentTarget.value)
            }}
          />
        </label>
      ))}
      <Choice
        title="Order"
        value={orderOf(query)}
        options={Object.entries(orders)}
        onChange={(order) => {
          set('sort', order === 'newest' ? '' : order)
        }}
      />
      {isFiltered && (
        <button
          type="button"
          class="small"
          onClick={() => {
            setQuery(Object.fromEntries(filterNames.map((name) => [name, undefined])))
          }}
        >
          Clear filters
        </button>
      )}
    </FilterForm>
  )
}
