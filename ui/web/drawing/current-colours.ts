import { colourNames, type ColourName, type Colours } from './colours.ts'

/** Returns the colours of the present theme. */
export function currentColours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const entries = colourNames.map((name) => [name, style.getPropertyValue(`--${name}`).trim()] as const)
  return Object.fromEntries(entries) as Record<ColourName, string>
}
