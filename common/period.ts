const milliseconds = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The milliseconds of a text such as `30m`, `12h` or `1.5d`. Undefined for another text. */
export function millisecondsOf(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([mhd])$/.exec(text) ?? []
  const value = Number(number) * milliseconds[unit as keyof typeof milliseconds]
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}
