/** The colours of the page as a canvas needs them, which does not know CSS variables. */
export type Colours = Readonly<Record<ColourName, string>>

export const colourNames = [
  ...(['page', 'card', 'ink', 'muted', 'rule', 'grid', 'shade', 'accent', 'accent-soft', 'gold'] as const),
  ...(['bad', 'retained', 'forget', 'test'] as const),
  ...(['series-0', 'series-1', 'series-2', 'series-3', 'series-4'] as const),
  ...(['series-5', 'series-6', 'series-7', 'series-8', 'series-9'] as const),
] as const
export type ColourName = (typeof colourNames)[number]
