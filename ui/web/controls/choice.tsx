/** A choice among named values. */
export function Choice({
  title,
  value,
  options,
  onChange,
}: {
  readonly title: string
  readonly value: string
  readonly options: readonly (readonly [value: string, title: string])[]
  readonly onChange: (value: string) => void
}) {
  return (
    <label>
      <span>{title}</span>{' '}
      <select
        value={value}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.value)
        }}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
