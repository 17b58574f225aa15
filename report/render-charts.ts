/** Charts are drawn where vega is loaded; who asks for them sees this alone. */
export type Render = (typeof import('./svg.ts'))['renderChart']

/** One after the other: vega counts the ids of what it draws. */
export async function inOrder<T, R>(
  items: readonly T[],
  draw: (item: T, i: number) => Promise<R>,
): Promise<R[]> {
  const drawn: R[] = []
  for (const [i, item] of items.entries()) drawn.push(await draw(item, i))
  return drawn
}
