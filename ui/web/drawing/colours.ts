/** The colours of the page as a canvas needs them, which does not know CSS variables. */
export type Colours = Readonly<Record<ColourName, string>>

const names = [
  ...(['page', 'card', 'ink', 'muted', 'rule', 'grid', 'shade', 'accent', 'accent-soft', 'gold'] as const),
  ...(['bad', 'retained', 'forget', 'test'] as const),
  ...(['series-0', 'series-1', 'series-2', 'series-3', 'series-4'] as const),
  ...(['series-5', 'series-6', 'series-7', 'series-8', 'series-9'] as const),
] as const
export type ColourName = (typeof names)[number]

/** Returns the colours of the present theme. */
export function currentColours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const entries = names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()] as const)
  return Object.fromEntries(entries) as Record<ColourName, string>
}
