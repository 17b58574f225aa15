import type { RunEntry } from '../../../contract.ts'
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
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
      }}
    >
      <label class="search">
        <span>Search</span>
        <input
          type="search"
          value={query.text ?? ''}
          placeholder="Name, note, failure …  ( / )"
          onInput={({ currentTarget }) => {
            set('text', currentTarget.value)
          }}
        />
      </label>
      {Object.entries(labels).map(([name, label]) => {
        const values = choices[name as keyof typeof labels]
        const chosen = query[name] ?? ''
        if (values.length < 2 && chosen === '') return null
        return (
          <label key={name}>
            <span>{label}</span>
            <select
              value={chosen}
              onChange={({ currentTarget }) => {
                set(name, currentTarget.value)
              }}
            >
              <option value="">all</option>
              {[...new Set([...values, ...(chosen === '' ? [] : [chosen])])].map((value) => (
                <option key={value} value={value}>
                  {value}
                </option>
              ))}
            </select>
          </label>
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
      <label>
        <span>Order</span>
        <select
          value={orderOf(query)}
          onChange={({ currentTarget }) => {
            set('sort', currentTarget.value === 'newest' ? '' : currentTarget.value)
          }}
        >
          {Object.entries(orders).map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </label>
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
    </form>
  )
}
