import type { ComponentChildren } from 'preact'

/** Fields that act at once. Enter does not load the page again. */
export function FilterForm({
  isSearch = false,
  children,
}: {
  readonly isSearch?: boolean
  readonly children: ComponentChildren
}) {
  return (
    <form
      class="filters"
      {...(isSearch && { role: 'search' as const })}
      onSubmit={(event) => {
        event.preventDefault()
      }}
    >
      {children}
    </form>
  )
}

export function SearchField({
  value,
  placeholder,
  onInput,
}: {
  readonly value: string
  readonly placeholder?: string
  readonly onInput: (value: string) => void
}) {
  return (
    <label class="search">
      <span>Search</span>
      <input
        type="search"
        value={value}
        placeholder={placeholder}
        onInput={({ currentTarget }) => {
          onInput(currentTarget.value)
        }}
      />
    </label>
  )
}
